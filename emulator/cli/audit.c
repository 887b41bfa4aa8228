/* What differs: see audit.h. */
#include "cli/audit.h"

#include "cli/listing.h"

/* Those that are left, of how many. */
static size_t count_left(const struct reply *reply, size_t *ret_count)
{
	const void *item = NULL;
	size_t left = 0;

	*ret_count = 0;
	while ((item = reply_next(reply, "differenceSet", item))) {
		++*ret_count;
		left += !streq(reply_item_value(item, "mended"), "yes");
	}
	return left;
}

int audit_run(const struct client *client, const struct request *request, struct buffer *ret_text,
	      int *ret_status, struct error *error)
{
	const struct parameter parameters[] = { { "Repair", request->repair ? "true" : NULL },
						{ NULL, NULL } };
	CLEANUP(reply_freep) struct reply *reply = NULL;
	size_t count, left;
	int r = client_call(client, "Audit", parameters, &reply, error);

	if (r < 0)
		return r;
	left = count_left(reply, &count);
	*ret_status = left ? AUDIT_DIFFERS : 0;
	listing_print(reply, request->repair ? &listing_mended : &listing_drifts, true,
		      request->output, ret_text);
	if (request->repair && count && !streq(request->output, "json"))
		buffer_printf(ret_text, "\n%zu of %zu mended\n", count - left, count);
	return 0;
}
