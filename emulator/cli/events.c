/* What changes: see events.h. */
#include "cli/events.h"

#include "base/base64.h"
#include "base/display.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

#define PAUSE_MS 100 /* between looks */

static int read_some(const struct client *client, uint64_t *next, bool *ret_more,
		     struct error *error)
{
	CLEANUP(freep) char *from = xasprintf("%llu", (unsigned long long)*next);
	const struct parameter parameters[] = { { "From", from }, { NULL, NULL } };
	CLEANUP(reply_freep) struct reply *reply = NULL;
	CLEANUP(buffer_clear) struct buffer lines = BUFFER_INIT, shown = BUFFER_INIT;
	CLEANUP(freep) char *text = NULL, *more = NULL;
	uint64_t missed = 0;
	int r = client_call(client, "ListEvents", parameters, &reply, error);

	if (r < 0 || (r = reply_number(reply, "next", INT64_MAX, next, error)) < 0 ||
	    (r = reply_number(reply, "missed", INT64_MAX, &missed, error)) < 0)
		return r;
	text = reply_text(reply, "output");
	more = reply_text(reply, "more");
	if (text && base64_read(text, strlen(text), &lines) < 0) {
		error_set(error, ERROR_INTERNAL, "the reply holds no usable <output>");
		return -EBADMSG;
	}
	if (missed)
		printf("{\"event\":\"missed\",\"count\":%llu}\n", (unsigned long long)missed);
	if (lines.length) {
		display_json(&shown, lines.data);
		fwrite(shown.data, 1, shown.length, stdout);
	}
	*ret_more = streq(more, "true");
	return 0;
}

int events_run(const struct client *client, bool follow, struct error *error)
{
	const struct timespec pause = { .tv_nsec = PAUSE_MS * 1000000L };
	uint64_t next = 0;
	bool more = true;
	int r = 0;

	while (r == 0 && (more || follow)) {
		if (!more)
			nanosleep(&pause, NULL);
		r = read_some(client, &next, &more, error);
		if (fflush(stdout) != 0)
			break;
	}
	return r;
}
