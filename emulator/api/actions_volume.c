/* Volumes: they come with instances, and go with them or by themselves. */
#include "api/actions.h"
#include "model/volume.h"

int describe_volumes(struct call *call, struct error *error)
{
	static const struct listing listing = {
		.list = "volumeSet",
		.kind = KIND_VOLUME,
		.ids = "VolumeId",
		.minimum = 5,
		.maximum = 1000,
		.absent = "fast-restored operator.managed operator.principal",
	};

	return describe_resources(call, &listing, error);
}

int describe_volume_status(struct call *call, struct error *error)
{
	static const struct listing listing = {
		.list = "volumeStatusSet",
		.kind = KIND_VOLUME,
		.ids = "VolumeId",
		.fields = volume_status_fields,
		.no_tags = true,
		.minimum = 5,
		.maximum = 1000,
		.absent = "action.code action.description action.event-id event.description "
			  "event.event-id event.event-type event.not-after event.not-before",
	};

	return describe_resources(call, &listing, error);
}

int describe_volume_attribute(struct call *call, struct error *error)
{
	const char *attribute = call_text(call, "Attribute");
	struct volume *volume;
	int r = call_resource(call, "VolumeId", KIND_VOLUME, &volume, error);

	if (r < 0)
		return r;
	if (!streq(attribute, "autoEnableIO") && !streq(attribute, "productCodes"))
		return error_set(
			error, ERROR_INVALID_PARAMETER_VALUE,
			"Value (%s) for parameter attribute is invalid. Unknown attribute.",
			attribute);
	xml_text(call->xml, "volumeId", rid_format(volume->resource.id).text);
	xml_open(call->xml, attribute);
	if (streq(attribute, "autoEnableIO"))
		xml_bool(call->xml, "value", false);
	xml_close(call->xml);
	return 0;
}

int delete_volume(struct call *call, struct error *error)
{
	struct volume *volume;
	int r;

	if ((r = call_resource(call, "VolumeId", KIND_VOLUME, &volume, error)) < 0 ||
	    (r = volume_delete(&call->transaction, volume, error)) < 0)
		return r;
	return reply_true(call);
}
