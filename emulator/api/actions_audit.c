/* The private action behind `minivpc audit`. */
#include "api/actions.h"

void api_drift_list_clear(struct api_drift_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		free(list->items[i].wanted);
		free(list->items[i].found);
		free(list->items[i].why);
	}
	free(list->items);
	*list = (struct api_drift_list){ 0 };
}

static void reply_drift(struct call *call, const struct api_drift *drift, bool repair)
{
	static const char *const kinds[] = {
		[API_DRIFT_MISSING] = "missing",
		[API_DRIFT_UNEXPECTED] = "unexpected",
		[API_DRIFT_DIFFERENT] = "different",
	};
	const struct resource *resource = model_get(call_model(call), NULL, drift->id);

	xml_open(call->xml, "item");
	xml_text(call->xml, "resourceId", rid_format(drift->id).text);
	xml_text(call->xml, "name", resource ? resource_tag(resource, "Name") : NULL);
	xml_text(call->xml, "difference", kinds[drift->kind]);
	xml_text(call->xml, "wanted", drift->wanted);
	xml_text(call->xml, "found", drift->found);
	if (repair)
		xml_text(call->xml, "mended", drift->mended ? "yes" : "no");
	xml_text(call->xml, "reason", drift->why);
	if (resource && resource->scope) {
		xml_text(call->xml, "region", resource->scope->region);
		xml_text(call->xml, "account", resource->scope->account);
	}
	xml_close(call->xml);
}

int audit(struct call *call, struct error *error)
{
	const bool repair = call_bool(call, "Repair", false);
	CLEANUP(api_drift_list_clear) struct api_drift_list drifts = { 0 };
	int r = call->hooks->audit(call->hooks->context, repair, &drifts, error);

	if (r < 0)
		return r;
	xml_open(call->xml, "differenceSet");
	for (size_t i = 0; i < drifts.count; i++)
		reply_drift(call, &drifts.items[i], repair);
	xml_close(call->xml);
	return 0;
}
