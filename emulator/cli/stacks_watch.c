/* Waiting for a stack, and telling how far it has got: see stacks.h. */
#include "base/display.h"
#include "cli/stack_call.h"
#include "cli/stacks.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define POLL_MIN 2 /* milliseconds */
#define POLL_MAX 50

struct watch {
	const struct client *client;
	const char *name;
	char *seen;	  /* the newest event that was told of */
	bool quiet, live; /* live: one line that changes, on a terminal */
	struct outcome outcome;
};

void outcome_clear(struct outcome *outcome)
{
	free(outcome->status);
	free(outcome->id);
	buffer_clear(&outcome->failures);
}

/* A page of them, the newest first; `token`: of the page before, NULL for the first. */
static int describe_events(const struct client *client, const char *name, const char *token,
			   struct reply **ret_reply, struct error *error)
{
	CLEANUP(form_clear) struct form form = FORM_INIT;

	form_add(&form, "StackName", name);
	form_add(&form, "NextToken", token);
	return stack_call(client, "DescribeStackEvents", &form, ret_reply, NULL, error);
}

char *stacks_last_event(const struct client *client, const char *name)
{
	CLEANUP(reply_freep) struct reply *reply = NULL;
	struct error ignored = ERROR_INIT;
	const void *event;

	if (describe_events(client, name, NULL, &reply, &ignored) < 0)
		return NULL;
	event = stack_next(reply, "StackEvents", NULL);
	return event ? xstrdup(stack_text(event, "EventId")) : NULL;
}

int stacks_describe(const struct client *client, const char *name, struct reply **ret_reply,
		    const void **ret_stack, struct error *error)
{
	CLEANUP(form_clear) struct form form = FORM_INIT;
	int r;

	form_add(&form, "StackName", name);
	if ((r = stack_call(client, "DescribeStacks", &form, ret_reply, NULL, error)) < 0)
		return r;
	*ret_stack = stack_next(*ret_reply, "Stacks", NULL);
	if (*ret_stack)
		return 0;
	error_set(error, ERROR_INTERNAL, "the reply has no stack");
	return -EBADMSG;
}

static bool ends_with(const char *text, const char *end)
{
	const size_t length = strlen(text), tail = strlen(end);

	return length >= tail && streq(text + length - tail, end);
}

/* What one event of a resource says, in words; NULL: nothing worth a line. */
static const char *word_of(struct outcome *outcome, const char *status)
{
	if (streq(status, "CREATE_COMPLETE")) {
		outcome->made++;
		return "made";
	}
	if (streq(status, "UPDATE_COMPLETE")) {
		outcome->changed++;
		return "changed";
	}
	if (streq(status, "DELETE_COMPLETE")) {
		outcome->deleted++;
		return "deleted";
	}
	if (streq(status, "DELETE_SKIPPED"))
		return "kept";
	return ends_with(status, "_FAILED") ? "FAILED" : NULL;
}

static bool is_of_stack(const void *event)
{
	return streq(stack_text(event, "ResourceType"), "AWS::CloudFormation::Stack");
}

static void tell(struct watch *watch, const void *event)
{
	const char *logical = stack_text(event, "LogicalResourceId");
	const char *status = stack_text(event, "ResourceStatus");
	const char *reason = stack_text(event, "ResourceStatusReason");
	const bool of_stack = is_of_stack(event);
	CLEANUP(buffer_clear) struct buffer plain = BUFFER_INIT;
	const char *word = of_stack ? NULL : word_of(&watch->outcome, status);
	const bool failed = streq(word, "FAILED");

	if (failed || (of_stack && ends_with(status, "_FAILED")))
		buffer_printf(&watch->outcome.failures, "%s%s: %s",
			      watch->outcome.failures.length ? "; " : "", logical, reason);
	if (watch->quiet || (!word && !of_stack))
		return;
	display_line(&plain, reason);
	if (of_stack) {
		if (strstr(status, "ROLLBACK_IN_PROGRESS"))
			fprintf(stderr, "%s%s: rolling back: %s\n", watch->live ? "\r\033[K" : "",
				logical, plain.length ? plain.data : "");
		return;
	}
	if (watch->live && !failed)
		fprintf(stderr, "\r\033[K%zu done: %s %s",
			watch->outcome.made + watch->outcome.changed + watch->outcome.deleted,
			logical, word);
	else
		fprintf(stderr, "%s  %-8s %s  %s%s%s\n", watch->live ? "\r\033[K" : "", word,
			logical, stack_text(event, "PhysicalResourceId"), failed ? ": " : "",
			failed && plain.length ? plain.data : "");
}

/* What has come since, the newest first, in the pages that hold it. */
struct news {
	struct reply **pages;
	const void **events;
	size_t page_count, event_count;
	const void *state; /* the newest event of the stack itself */
	bool whole;	   /* nothing older is to be read */
};

static void news_clear(struct news *news)
{
	for (size_t i = 0; i < news->page_count; i++)
		reply_freep(&news->pages[i]);
	free(news->pages);
	free(news->events);
}

/* Those that were told of matter only until it is known what the stack itself is. */
static void read_page(const struct watch *watch, const struct reply *page, struct news *news)
{
	bool seen = false;

	for (const void *event = stack_next(page, "StackEvents", NULL); event && !news->whole;
	     event = stack_next(page, "StackEvents", event)) {
		seen = seen || streq(stack_text(event, "EventId"), watch->seen);
		if (!seen)
			*array_grow(&news->events, &news->event_count) = event;
		if (!news->state && is_of_stack(event))
			news->state = event;
		news->whole = seen && (news->state || watch->outcome.status);
	}
}

static int read_news(const struct watch *watch, struct news *news, struct error *error)
{
	CLEANUP(freep) char *token = NULL;

	do {
		struct reply *page;
		int r = describe_events(watch->client, watch->name, token, &page, error);

		if (r < 0)
			return r;
		*array_grow(&news->pages, &news->page_count) = page;
		read_page(watch, page, news);
		free(token);
		token = reply_text(page, "NextToken");
	} while (token && !news->whole);
	return 0;
}

static void note_state(struct watch *watch, const void *event)
{
	free(watch->outcome.status);
	free(watch->outcome.id);
	watch->outcome.status = xstrdup(stack_text(event, "ResourceStatus"));
	watch->outcome.id = xstrdup(stack_text(event, "StackId"));
}

/* Tells of what came since, the oldest first. The newest event of the stack itself says what it is
 * now. */
static int look(struct watch *watch, bool *ret_over, struct error *error)
{
	CLEANUP(news_clear) struct news news = { 0 };
	int r = read_news(watch, &news, error);

	if (r < 0)
		return r;
	if (news.event_count) {
		free(watch->seen);
		watch->seen = xstrdup(stack_text(news.events[0], "EventId"));
	}
	for (size_t i = news.event_count; i-- > 0;)
		tell(watch, news.events[i]);
	if (news.state)
		note_state(watch, news.state);
	*ret_over = watch->outcome.status && !ends_with(watch->outcome.status, "_IN_PROGRESS");
	return 0;
}

int stacks_watch(const struct client *client, const char *name, const char *after, bool quiet,
		 struct outcome *ret_outcome, struct error *error)
{
	struct watch watch = { .client = client,
			       .name = name,
			       .seen = xstrdup_null(after),
			       .quiet = quiet,
			       .live = isatty(STDERR_FILENO) };
	long pause = POLL_MIN;
	bool over = false;
	int r;

	while ((r = look(&watch, &over, error)) == 0 && !over) {
		nanosleep(&(struct timespec){ 0, pause * 1000000 }, NULL);
		pause = MIN(pause * 2, POLL_MAX);
	}
	if (watch.live && !quiet)
		fprintf(stderr, "\r\033[K");
	free(watch.seen);
	*ret_outcome = watch.outcome;
	return r;
}
