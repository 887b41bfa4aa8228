/* `ec2 wait VERB`: see wait.h. */
#include "aws/wait.h"

#include "aws/query.h"

#include <errno.h>
#include <poll.h>

#define PAUSE_MS 100

/* The words of a waiter: its name, action, delay, tries, then what it looks out for. */
enum {
	WORD_NAME = 0,
	WORD_DELAY = 2,
	WORD_TRIES = 3,
	WORD_FIRST = 4,
};

struct outlook {
	const char *state; /* success, failure, retry */
	const char *matcher, *expected, *path;
};

static bool is_expected(const json_t *json, const char *expected)
{
	return json_is_boolean(json) ? streq(expected, json_is_true(json) ? "true" : "false")
				     : streq(json_string_value(json), expected);
}

static bool matches_found(const struct outlook *outlook, const json_t *found)
{
	const size_t size = json_array_size(found);
	size_t matching = 0, i;
	json_t *item;

	if (streq(outlook->matcher, "path"))
		return is_expected(found, outlook->expected);
	json_array_foreach(found, i, item)
	{
		matching += is_expected(item, outlook->expected);
	}
	return streq(outlook->matcher, "pathAll") ? size && matching == size : matching > 0;
}

/* `result` is NULL and `code` is not when the API refused. */
static bool matches(const struct outlook *outlook, const json_t *result, const char *code)
{
	CLEANUP(aws_query_freep) struct aws_query *query = NULL;
	CLEANUP(aws_json_freep) json_t *found = NULL;
	struct aws_failure failure = { BUFFER_INIT, AWS_FAILED };
	bool matching = false;

	if (streq(outlook->matcher, "error"))
		return streq(code, outlook->expected);
	if (streq(outlook->matcher, "status"))
		return result && streq(outlook->expected, "200");
	if (result && aws_query_compile(outlook->path, &query, &failure) == 0 &&
	    aws_query_search(query, result, &found, &failure) == 0)
		matching = matches_found(outlook, found);
	buffer_clear(&failure.text);
	return matching;
}

/* Why it was taken for that. */
static char *explain(const struct outlook *outlook)
{
	const char *all = streq(outlook->matcher, "pathAll") ? "all members have a following path"
							     : "we matched expected path";

	if (streq(outlook->matcher, "error"))
		return xasprintf("Matched expected service error code: %s", outlook->expected);
	if (streq(outlook->matcher, "status"))
		return xasprintf("Matched expected HTTP status code: %s", outlook->expected);
	return xasprintf("For expression \"%s\" %s: \"%s\"%s", outlook->path, all,
			 outlook->expected,
			 streq(outlook->matcher, "pathAny") ? " at least once" : "");
}

static int give_up(char **waiter, const char *reason, const struct outlook *last,
		   struct aws_failure *failure)
{
	CLEANUP(freep) char *why = last ? explain(last) : xstrdup("");

	return aws_fail(failure, AWS_FAILED, "Waiter %s failed: %s%s", waiter[WORD_NAME], reason,
			why);
}

/* One look; 1: it is so, 0: not yet. */
static int look(const struct aws_target *target, char **waiter, json_t *parameters,
		struct outlook *last, struct aws_failure *failure)
{
	CLEANUP(aws_refusal_clear) struct aws_refusal refusal = { 0 };
	CLEANUP(aws_json_freep) json_t *result = NULL;
	int r = aws_call(target, parameters, &result, &refusal, failure);

	if (r < 0 && !refusal.code)
		return r;
	for (char **word = waiter + WORD_FIRST; *word; word += 4) {
		const struct outlook outlook = { word[0], word[1], word[2], word[3] };

		if (!matches(&outlook, result, refusal.code))
			continue;
		*last = outlook;
		if (streq(outlook.state, "failure"))
			return give_up(waiter,
				       "Waiter encountered a terminal failure state: ", last,
				       failure);
		return streq(outlook.state, "success");
	}
	if (!refusal.code)
		return 0;
	return aws_fail(failure, AWS_FAILED, "Waiter %s failed: An error occurred (%s): %s",
			waiter[WORD_NAME], refusal.code, refusal.message);
}

int aws_wait(const struct aws_target *target, char **waiter, json_t *parameters,
	     struct aws_failure *failure)
{
	const int64_t seconds =
		strtol(waiter[WORD_DELAY], NULL, 10) * strtol(waiter[WORD_TRIES], NULL, 10);
	const int64_t deadline = now_ms() + seconds * 1000;
	struct outlook last = { 0 };

	for (;;) {
		int r = look(target, waiter, parameters, &last, failure);

		if (r != 0)
			return MIN(r, 0);
		if (now_ms() >= deadline)
			return give_up(waiter,
				       last.state ? "Max attempts exceeded. Previously accepted "
						    "state: "
						  : "Max attempts exceeded",
				       last.state ? &last : NULL, failure);
		poll(NULL, 0, PAUSE_MS);
	}
}
