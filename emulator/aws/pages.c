/*
 * Results that come in pages: see pages.h. What the AWS CLI calls a token is base64 of JSON: of
 * the API's token for a page, and how many of that page have been seen.
 */
#include "aws/pages.h"

#include "aws/json.h"
#include "base/base64.h"

#include <errno.h>

#define TRUNCATED "boto_truncate_amount"
#define VOLUMES	  1000 /* are asked for at once, if nothing else is said */

struct paging {
	const struct aws_target *target;
	char *results;	/* "ServiceDetails,ServiceNames", cut to words */
	json_t *wanted; /* parameters of the next page */
	json_t *all;
	json_t *besides; /* what the first page has besides results, null where it lacks one */
	long most;	 /* of them, -1: any number */
	size_t skip;
	json_t *resume; /* where to go on, once there were enough */
};

static int read_whole(const struct aws_option *option, long *ret_number,
		      struct aws_failure *failure)
{
	char *end;

	*ret_number = -1;
	if (!option)
		return 0;
	*ret_number = strtol(option->words[0], &end, 10);
	if (*option->words[0] && !*end && *ret_number >= 0)
		return 0;
	return aws_fail(failure, AWS_USAGE, "argument --%s: invalid int value: '%s'", option->name,
			option->words[0]);
}

/* A token of ours, or the API's own. */
static void start_at(struct paging *paging, const char *token)
{
	CLEANUP(buffer_clear) struct buffer text = BUFFER_INIT;
	CLEANUP(aws_json_freep) json_t *json = NULL;
	json_t *next;

	if (base64_read(token, strlen(token), &text) == 0 && text.data)
		json = json_loads(text.data, 0, NULL);
	if (!json_is_object(json)) {
		json_object_set_new(paging->wanted, PAGES_TOKEN, json_string(token));
		return;
	}
	next = json_object_get(json, PAGES_TOKEN);
	if (json_is_string(next))
		json_object_set(paging->wanted, PAGES_TOKEN, next);
	paging->skip = (size_t)json_integer_value(json_object_get(json, TRUNCATED));
}

/* As Python writes it: with its spaces, and on one line. */
static json_t *make_token(json_t *json)
{
	CLEANUP(freep) char *text = json_dumps(json, 0);

	json_decref(json);
	return aws_value_base64(text, strlen(text));
}

/* The token of this page once more, and how many of it are behind us. */
static void stop_here(struct paging *paging, size_t used)
{
	paging->resume = make_token(json_pack("{s:O?,s:I}", PAGES_TOKEN,
					      json_object_get(paging->wanted, PAGES_TOKEN),
					      TRUNCATED, (json_int_t)used));
}

/* Takes in a page; true when there are enough. */
static bool take_page(struct paging *paging, json_t *page)
{
	char *name = paging->results;
	json_t *items = json_object_get(page, name), *have = json_object_get(paging->all, name);
	const size_t skipped = MIN(paging->skip, json_array_size(items));
	size_t count = json_array_size(items) - skipped;
	const size_t before = json_array_size(have);
	const bool full = paging->most >= 0 && before + count > (size_t)paging->most;

	if (full)
		count = (size_t)paging->most - before;
	if (items && !have)
		json_object_set_new(paging->all, name, have = json_array());
	for (size_t i = 0; i < count; i++)
		json_array_append(have, json_array_get(items, skipped + i));
	if (full)
		stop_here(paging, skipped + count);
	for (name += strlen(name) + 1; *name; name += strlen(name) + 1) {
		json_t *more = json_object_get(page, name), *mine;

		mine = json_object_get(paging->all, name);
		if (more && mine)
			json_array_extend(mine, more);
		else if (more)
			json_object_set_new(paging->all, name,
					    skipped || full ? json_array() : json_incref(more));
	}
	paging->skip = 0;
	return full;
}

/* "a,b" as "a", "b" and "", one behind the other. */
static char *cut_names(const char *names)
{
	char *words = xcalloc(strlen(names) + 2, 1);

	memcpy(words, names, strlen(names));
	for (char *c = words; *c; c++)
		if (*c == ',')
			*c = '\0';
	return words;
}

static void take_besides(struct paging *paging, const json_t *page)
{
	CLEANUP(freep) char *names = cut_names(paging->target->action->besides);

	for (const char *name = names; *name; name += strlen(name) + 1) {
		const bool newer = *name == '?';
		json_t *value = json_object_get(page, newer ? ++name : name);

		if (newer && !value)
			continue;
		json_object_set_new(paging->besides, name,
				    value ? json_incref(value) : json_null());
	}
}

static int call_all(struct paging *paging, struct aws_failure *failure)
{
	for (;;) {
		CLEANUP(aws_json_freep) json_t *page = NULL;
		const char *token;
		int r = aws_call(paging->target, paging->wanted, &page, NULL, failure);

		if (r < 0)
			return r;
		if (json_object_size(paging->besides) == 0)
			take_besides(paging, page);
		token = json_string_value(json_object_get(page, PAGES_TOKEN));
		if (take_page(paging, page) || !token || !*token)
			return 0;
		json_object_set_new(paging->wanted, PAGES_TOKEN, json_string(token));
		if (paging->most >= 0 &&
		    json_array_size(json_object_get(paging->all, paging->results)) ==
			    (size_t)paging->most) {
			paging->resume = make_token(json_pack("{s:s}", PAGES_TOKEN, token));
			return 0;
		}
	}
}

/* Pages one by one, and options that are for all of them. */
static int refuse_options(const struct aws_line *line, struct aws_failure *failure)
{
	static const char *const names[] = { "starting-token", "page-size", "max-items" };
	CLEANUP(buffer_clear) struct buffer given = BUFFER_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (aws_line_given(line, names[i]))
			buffer_printf(&given, "%s--%s", given.length ? ", " : "", names[i]);
	if (!given.length)
		return 0;
	return aws_fail(failure, AWS_USAGE,
			"Cannot specify --no-paginate along with pagination arguments: %s",
			given.data);
}

static int read_options(struct paging *paging, const struct aws_line *line,
			struct aws_failure *failure)
{
	const struct aws_option *start = aws_line_given(line, "starting-token");
	long size;
	int r;

	if ((r = read_whole(aws_line_given(line, "max-items"), &paging->most, failure)) < 0 ||
	    (r = read_whole(aws_line_given(line, "page-size"), &size, failure)) < 0)
		return r;
	if (size < 0 && streq(line->action->name, "DescribeVolumes") &&
	    json_object_size(paging->wanted) == 0)
		size = VOLUMES;
	if (size >= 0)
		json_object_set_new(paging->wanted, "MaxResults", json_integer(size));
	if (start)
		start_at(paging, start->words[0]);
	return 0;
}

bool aws_pages_wanted(const struct aws_line *line)
{
	return !streq(line->action->results, "-") && !line->no_pages &&
	       !aws_line_given(line, "next-token") && !aws_line_given(line, "max-results");
}

int aws_pages_call(const struct aws_target *target, const struct aws_line *line, json_t *parameters,
		   json_t **ret_result, struct aws_failure *failure)
{
	struct paging paging = { .target = target, .wanted = parameters, .most = -1 };
	const bool whole = aws_pages_wanted(line) && !json_object_get(parameters, PAGES_TOKEN) &&
			   !json_object_get(parameters, "MaxResults");
	int r;

	if (!whole && (r = refuse_options(line, failure)) < 0)
		return r;
	if (!whole)
		return aws_call(target, parameters, ret_result, NULL, failure);
	if ((r = read_options(&paging, line, failure)) < 0)
		return r;
	paging.results = cut_names(target->action->results);
	paging.all = json_object();
	paging.besides = json_object();
	r = call_all(&paging, failure);
	json_object_update(paging.all, paging.besides);
	if (r == 0 && paging.resume)
		json_object_set(paging.all, PAGES_TOKEN, paging.resume);
	if (r == 0)
		*ret_result = json_incref(paging.all);
	json_decref(paging.resume);
	json_decref(paging.all);
	json_decref(paging.besides);
	free(paging.results);
	return r;
}
