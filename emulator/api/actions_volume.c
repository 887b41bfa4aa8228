/* Volumes: made alone or with instances, attached, changed, and what is told about them. */
#include "api/actions.h"
#include "api/volume_params.h"
#include "model/instance.h"
#include "model/region.h"

static int call_volume(const struct call *call, struct volume **ret_volume, struct error *error)
{
	return call_resource(call, "VolumeId", KIND_VOLUME, ret_volume, error);
}

/* ---- describing ---- */

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

/* Those that were modified; one that is named must have been. */
int describe_volumes_modifications(struct call *call, struct error *error)
{
	static const struct listing listing = {
		.list = "volumeModificationSet",
		.kind = KIND_VOLUME,
		.ids = "VolumeId",
		.fields = volume_modification_fields,
		.no_tags = true,
		.minimum = 1,
		.maximum = 500,
	};
	const bool named = call_has_list(call, listing.ids);
	CLEANUP(rows_clear) struct rows rows = { NULL, 0 };
	int r = resource_rows(call, &listing, &rows, error);

	for (size_t i = rows.count; r == 0 && i-- > 0;) {
		const struct volume *volume = rows.items[i].object;

		if (volume->modify_time)
			continue;
		if (named)
			return error_subject(error, ERROR_NOT_FOUND, "volume-modification",
					     "Modification for volume '%s' does not exist.",
					     rid_format(volume->resource.id).text);
		array_remove(rows.items, &rows.count, i);
	}
	return r < 0 ? r : describe_rows(call, &listing, &rows, error);
}

int describe_volume_attribute(struct call *call, struct error *error)
{
	const char *attribute = call_text(call, "Attribute");
	struct volume *volume;
	int r = call_volume(call, &volume, error);

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
		xml_bool(call->xml, "value", volume->auto_enable_io);
	xml_close(call->xml);
	return 0;
}

int modify_volume_attribute(struct call *call, struct error *error)
{
	bool storage;
	const bool *enable = call_optional_bool(call, "AutoEnableIO.Value", &storage);
	struct volume *volume;
	int r;

	if ((r = call_volume(call, &volume, error)) < 0 ||
	    (r = call_check_one(enable != NULL, error)) < 0)
		return r;
	transaction_edit(&call->transaction, volume);
	volume->auto_enable_io = *enable;
	return reply_true(call);
}

/* ---- coming and going ---- */

static void reply_volume(struct call *call, const struct volume *volume, const struct field *fields)
{
	const struct view view = { call_model(call), &volume->resource, volume };

	reply_fields(call, fields, &view);
}

/* 1: a repetition of the call that made `ret_volume`. */
static int check_token(const struct call *call, const char *digest, struct volume **ret_volume,
		       struct error *error)
{
	const char *token = call_text(call, "ClientToken");

	if (!token || !*token)
		return 0;
	for_each_resource (struct volume, volume, call->scope, KIND_VOLUME) {
		if (!streq(volume->client_token, token))
			continue;
		if (!streq(volume->token_digest, digest))
			return idempotent_mismatch(error);
		*ret_volume = volume;
		return 1;
	}
	return 0;
}

/* AvailabilityZone, or AvailabilityZoneId. */
static int read_zone(const struct call *call, int64_t *ret_zone, struct error *error)
{
	const char *name = call_text(call, "AvailabilityZone");
	const char *id = call_text(call, "AvailabilityZoneId");
	size_t zone;

	name = name && *name ? name : NULL;
	id = id && *id ? id : NULL;
	if (name && id)
		return error_set(error, ERROR_INVALID_PARAMETER_COMBINATION,
				 "The parameter AvailabilityZone cannot be used with the parameter "
				 "AvailabilityZoneId");
	if (!name && !id)
		return error_set(error, ERROR_MISSING_PARAMETER,
				 "The request must contain the parameter zone");
	if (zone_find(region_find(call->scope->region), name ? name : id, &zone) < 0)
		return error_subject(error, ERROR_NOT_FOUND, "zone",
				     "The zone '%s' does not exist.", name ? name : id);
	*ret_zone = (int64_t)zone;
	return 0;
}

static int make_volume(struct call *call, struct volume **ret_volume, struct error *error)
{
	static const char *const refused[] = { "OutpostArn", "SnapshotId",
					       "VolumeInitializationRate", "Operator.Principal",
					       NULL };
	struct volume_request request;
	int64_t zone = 0;
	int r;

	if ((r = read_zone(call, &zone, error)) < 0 ||
	    (r = call_refuse(call, refused, error)) < 0 ||
	    (r = read_volume(call, "", "Size", &request, error)) < 0 ||
	    (r = volume_check(&request, NULL, error)) < 0)
		return r;
	if (call_bool(call, "MultiAttachEnabled", false))
		return error_set(error, ERROR_UNSUPPORTED_OPERATION,
				 "The parameter MultiAttachEnabled is not supported.");
	*ret_volume = volume_create(&call->transaction, call->scope, zone, &request);
	return call_tag(call, *ret_volume, error);
}

int create_volume(struct call *call, struct error *error)
{
	CLEANUP(freep) char *digest = call_digest(call);
	const char *token = call_text(call, "ClientToken");
	struct volume *volume = NULL;
	int r = check_token(call, digest, &volume, error);

	if (r < 0)
		return r;
	if (r == 0) {
		if ((r = make_volume(call, &volume, error)) < 0)
			return r;
		volume->client_token = token && *token ? xstrdup(token) : NULL;
		volume->token_digest = volume->client_token ? steal(&digest) : NULL;
	}
	reply_volume(call, volume, volume_created_fields);
	return 0;
}

int delete_volume(struct call *call, struct error *error)
{
	struct volume *volume;
	int r;

	if ((r = call_volume(call, &volume, error)) < 0 ||
	    (r = volume_delete(&call->transaction, volume, error)) < 0)
		return r;
	return reply_true(call);
}

int attach_volume(struct call *call, struct error *error)
{
	const char *card = call_text(call, "EbsCardIndex");
	struct instance *instance;
	struct volume *volume;
	int r;

	if ((r = call_volume(call, &volume, error)) < 0 ||
	    (r = call_resource(call, "InstanceId", KIND_INSTANCE, &instance, error)) < 0)
		return r;
	if (card && *card && !streq(card, "0"))
		return error_set(error, ERROR_UNSUPPORTED_OPERATION,
				 "The parameter EbsCardIndex is not supported with the value %s.",
				 card);
	if ((r = volume_attach(&call->transaction, volume, instance, call_text(call, "Device"),
			       error)) < 0)
		return r;
	reply_volume(call, volume, volume_attaching_fields);
	return 0;
}

/* Is it attached, and where the call says? */
static int check_attachment(const struct call *call, const struct volume *volume,
			    struct error *error)
{
	const char *named = call_text(call, "InstanceId"), *device = call_text(call, "Device");
	const struct rid_text id = rid_format(volume->resource.id);
	struct instance *instance = NULL;
	int r;

	if (named && *named && (r = call_find(call, named, KIND_INSTANCE, &instance, error)) < 0)
		return r;
	if (!rid_is_set(volume->instance))
		return error_set(error, ERROR_INCORRECT_STATE,
				 "Volume '%s' is in the 'available' state.", id.text);
	if (instance && !rid_equal(instance->resource.id, volume->instance))
		return error_subject(error, ERROR_NOT_FOUND, "volume-attachment",
				     "The volume '%s' is not attached to instance '%s'.", id.text,
				     named);
	if (device && *device && !volume_same_device(device, volume->device))
		return error_subject(error, ERROR_NOT_FOUND, "volume-attachment",
				     "The volume '%s' is not attached to instance '%s' as device "
				     "'%s'.",
				     id.text, rid_format(volume->instance).text, device);
	return volume_check_detach(call_model(call), volume, error);
}

/* By force or not: nobody has it in use who could refuse. */
int detach_volume(struct call *call, struct error *error)
{
	struct volume *volume;
	int r;

	if ((r = call_volume(call, &volume, error)) < 0 ||
	    (r = check_attachment(call, volume, error)) < 0)
		return r;
	reply_volume(call, volume, volume_detaching_fields);
	volume_detach(&call->transaction, volume);
	return 0;
}

int modify_volume(struct call *call, struct error *error)
{
	struct volume_request wanted;
	struct volume *volume;
	int r;

	if ((r = call_volume(call, &volume, error)) < 0 ||
	    (r = read_volume(call, "", "Size", &wanted, error)) < 0)
		return r;
	if (call_bool(call, "MultiAttachEnabled", false))
		return error_set(error, ERROR_UNSUPPORTED_OPERATION,
				 "The parameter MultiAttachEnabled is not supported.");
	if (!wanted.type && !wanted.size && !wanted.iops && !wanted.throughput)
		return call_check_one(0, error);
	if ((r = volume_modify(&call->transaction, volume, &wanted, error)) < 0)
		return r;
	xml_open(call->xml, "volumeModification");
	reply_volume(call, volume, volume_modification_fields);
	xml_close(call->xml);
	return 0;
}
