/* What a call on many resources could not do: see failures.h. */
#include "api/failures.h"

#include "api/errors.h"

void failures_clear(struct failures *failures)
{
	for (size_t i = 0; i < failures->count; i++) {
		free(failures->items[i].id);
		free(failures->items[i].message);
	}
	freep(&failures->items);
	failures->count = 0;
}

void failures_add(struct failures *failures, const char *id, const struct error *error)
{
	struct failure *failure = array_grow(&failures->items, &failures->count);

	failure->id = xstrdup(id);
	failure->code = error_reply(error).code;
	failure->message = xstrdup(error->text);
}

void reply_failures(struct call *call, const struct failures *failures)
{
	xml_open(call->xml, "unsuccessful");
	for (size_t i = 0; i < failures->count; i++) {
		xml_open(call->xml, "item");
		xml_text(call->xml, "resourceId", failures->items[i].id);
		xml_open(call->xml, "error");
		xml_text(call->xml, "code", failures->items[i].code);
		xml_text(call->xml, "message", failures->items[i].message);
		xml_close(call->xml);
		xml_close(call->xml);
	}
	xml_close(call->xml);
}

int call_remove_each(struct call *call, const char *name, enum kind kind, const char *subject,
		     void (*remove)(struct transaction *transaction, void *resource),
		     struct error *error)
{
	CLEANUP(failures_clear) struct failures failures = { NULL, 0 };
	CLEANUP(freep) unsigned int *indices = NULL;
	size_t count = params_indices(call->params, name, &indices);

	for (size_t i = 0; i < count; i++) {
		const char *id = params_get(call->params, "%s.%u", name, indices[i]);
		struct error own = ERROR_INIT;
		void *resource;

		if (call_find(call, id, kind, &resource, &own) == 0) {
			remove(&call->transaction, resource);
			continue;
		}
		if (own.code == ERROR_MALFORMED)
			return malformed(kind, id, error);
		own.subject = subject;
		failures_add(&failures, id, &own);
	}
	reply_failures(call, &failures);
	return 0;
}
