/* What is to fail: see fault.h. */
#include "cli/fault.h"

#include "cli/listing.h"

static int make(const struct client *client, const struct request *request, const char *type,
		struct buffer *ret_text, struct error *error)
{
	const struct parameter parameters[] = {
		{ "Type", type },	   { "Target", request->target }, { "Loss", request->loss },
		{ "Rate", request->rate }, { "Delay", request->delay },	  { NULL, NULL },
	};
	CLEANUP(reply_freep) struct reply *reply = NULL;
	CLEANUP(freep) char *id = NULL;
	int r = client_call(client, "CreateFault", parameters, &reply, error);

	if (r < 0)
		return r;
	id = reply_text(reply, "faultId");
	buffer_printf(ret_text, "%s\n", id ? id : "");
	return 0;
}

static int heal(const struct client *client, const struct request *request, struct buffer *ret_text,
		struct error *error)
{
	const struct parameter parameters[] = {
		{ "Target", request->target ? request->target : "all" }, { NULL, NULL }
	};
	CLEANUP(reply_freep) struct reply *reply = NULL;
	const void *item = NULL;
	int r = client_call(client, "DeleteFault", parameters, &reply, error);

	if (r < 0)
		return r;
	while ((item = reply_next(reply, "faultSet", item))) {
		CLEANUP(freep) char *id = reply_item_text(item, "faultId");

		buffer_printf(ret_text, "%s\n", id ? id : "");
	}
	return 0;
}

static int list(const struct client *client, const struct request *request, struct buffer *ret_text,
		struct error *error)
{
	const struct parameter none[] = { { NULL, NULL } };
	CLEANUP(reply_freep) struct reply *reply = NULL;
	int r = client_call(client, "ListFaults", none, &reply, error);

	if (r == 0)
		listing_print(reply, &listing_faults, true, request->output, ret_text);
	return r;
}

int fault_run(const struct client *client, const struct request *request, struct buffer *ret_text,
	      struct error *error)
{
	if (request->verb == VERB_FAULT_LIST)
		return list(client, request, ret_text, error);
	if (request->verb == VERB_FAULT_HEAL)
		return heal(client, request, ret_text, error);
	/* The word that led here is the type's name. */
	return make(client, request, request->path[1]->word, ret_text, error);
}
