/* Volumes: see volume.h. */
#include "model/volume.h"

#include <inttypes.h>

#include "model/instance.h"

#define IMAGE_SIZE   8 /* GiB, of every image's snapshot */
#define GP2_IOPS_MIN 100
#define GP2_IOPS_MAX 16000
#define GP2_PER_GIB  3

/* ---- what clients see ---- */

static const char *get_zone(const struct view *view, struct buffer *scratch)
{
	return zone_name_of(view->resource->scope, ((const struct volume *)view->object)->zone,
			    scratch);
}

static const char *get_zone_id(const struct view *view, struct buffer *scratch)
{
	return zone_id_of(view->resource->scope, ((const struct volume *)view->object)->zone,
			  scratch);
}

static bool is_attached(const struct view *view)
{
	return rid_is_set(((const struct volume *)view->object)->instance);
}

static const char *get_status(const struct view *view, struct buffer *scratch)
{
	(void)scratch;
	return is_attached(view) ? "in-use" : "available";
}

static const char *get_number(int64_t number, struct buffer *scratch)
{
	return number ? get_print(scratch, "%" PRId64, number) : NULL;
}

static const char *get_iops(const struct view *view, struct buffer *scratch)
{
	return get_number(((const struct volume *)view->object)->iops, scratch);
}

static const char *get_throughput(const struct view *view, struct buffer *scratch)
{
	return get_number(((const struct volume *)view->object)->throughput, scratch);
}

static bool child_attachment(const struct view *view, size_t index, struct view *ret_child)
{
	*ret_child = *view;
	return index == 0 && is_attached(view);
}

#define ATTACHMENT "attachment."
#define MAPPING	   "block-device-mapping."

static const struct field attachment_fields[] = {
	FIELD_GET_OF(get_id, "volumeId", NULL),
	FIELD_OF(struct volume, instance, FIELD_RID, "instanceId", ATTACHMENT "instance-id",
		 FIELD_SHOWN),
	FIELD_CONST_OF(ROOT_DEVICE, "device", ATTACHMENT "device"),
	FIELD_CONST_OF("attached", "status", ATTACHMENT "status"),
	FIELD_OF(struct volume, attach_time, FIELD_TIME, "attachTime", ATTACHMENT "attach-time",
		 FIELD_SHOWN),
	FIELD_OF(struct volume, delete_on_termination, FIELD_BOOL, "deleteOnTermination",
		 ATTACHMENT "delete-on-termination", FIELD_SHOWN),
	FIELD_END,
};

static const struct field ebs_fields[] = {
	FIELD_GET_OF(get_id, "volumeId", MAPPING "volume-id"),
	FIELD_CONST_OF("attached", "status", MAPPING "status"),
	FIELD_OF(struct volume, attach_time, FIELD_TIME, "attachTime", MAPPING "attach-time",
		 FIELD_SHOWN),
	FIELD_OF(struct volume, delete_on_termination, FIELD_BOOL, "deleteOnTermination",
		 MAPPING "delete-on-termination", FIELD_SHOWN),
	FIELD_END,
};

const struct field volume_mapping_fields[] = {
	FIELD_CONST_OF(ROOT_DEVICE, "deviceName", MAPPING "device-name"),
	FIELD_CHILD_OF(child_self, ebs_fields, "ebs"),
	FIELD_END,
};

static const struct field fields[] = {
	RESOURCE_FIELDS(struct volume),
	FIELD_GET_OF(get_id, "volumeId", "volume-id"),
	FIELD_OF(struct volume, size, FIELD_INT, "size", "size", FIELD_BOTH),
	FIELD_OF(struct volume, snapshot_id, FIELD_TEXT, "snapshotId", "snapshot-id", FIELD_BOTH),
	FIELD_GET_OF(get_zone, "availabilityZone", "availability-zone"),
	FIELD_GET_OF(get_zone_id, "availabilityZoneId", "availability-zone-id"),
	FIELD_GET_OF(get_status, "status", "status"),
	FIELD_OF(struct volume, create_time, FIELD_TIME, "createTime", "create-time", FIELD_BOTH),
	FIELD_CHILDREN_OF(child_attachment, attachment_fields, "attachmentSet"),
	FIELD_OF(struct volume, type, FIELD_TEXT, "volumeType", "volume-type", FIELD_BOTH),
	FIELD_GET_OF(get_iops, "iops", NULL),
	FIELD_GET_OF(get_throughput, "throughput", NULL),
	FIELD_CONST_OF("false", "encrypted", "encrypted"),
	FIELD_CONST_OF("false", "multiAttachEnabled", "multi-attach-enabled"),
	/* the store's own */
	FIELD_OF(struct volume, instance, FIELD_RID, "instance", NULL, FIELD_STORED),
	FIELD_OF(struct volume, zone, FIELD_INT, "zone", NULL, FIELD_STORED),
	FIELD_OF(struct volume, iops, FIELD_INT, "iopsGiven", NULL, FIELD_STORED),
	FIELD_OF(struct volume, throughput, FIELD_INT, "throughputGiven", NULL, FIELD_STORED),
	FIELD_OF(struct volume, delete_on_termination, FIELD_BOOL, "deleteOnTermination", NULL,
		 FIELD_STORED),
	FIELD_OF(struct volume, attach_time, FIELD_TIME, "attachTime", NULL, FIELD_STORED),
	FIELD_END,
};

const struct resource_type volume_type = {
	.kind = KIND_VOLUME,
	.size = sizeof(struct volume),
	.fields = fields,
	.tag_type = "volume",
};

/* ---- DescribeVolumeStatus ---- */

static const struct field status_detail_fields[] = {
	FIELD_CONST_OF("io-enabled", "name", "volume-status.details-name"),
	FIELD_CONST_OF("passed", "status", "volume-status.details-status"),
	FIELD_END,
};

static const struct field status_fields[] = {
	FIELD_CONST_OF("ok", "status", "volume-status.status"),
	FIELD_CHILDREN_OF(child_attachment, status_detail_fields, "details"),
	FIELD_END,
};

const struct field volume_status_fields[] = {
	FIELD_GET_OF(get_id, "volumeId", NULL),
	FIELD_GET_OF(get_zone, "availabilityZone", "availability-zone"),
	FIELD_CHILD_OF(child_self, status_fields, "volumeStatus"),
	FIELD_CHILDREN_OF(child_none, nothing_fields, "eventsSet"),
	FIELD_CHILDREN_OF(child_none, nothing_fields, "actionsSet"),
	FIELD_END,
};

/* ---- what may be asked for ---- */

/* EC2 guide, "Amazon EBS volume types": those that an instance can boot from. */
static const struct kind_of_volume {
	const char *name;
	int64_t size_minimum, size_maximum; /* GiB */
	/* 0: the type takes none; with a maximum and no default they must be given. */
	int64_t iops_minimum, iops_maximum, iops_default;
	int64_t throughput_minimum, throughput_maximum, throughput_default; /* MiB/s */
} kinds[] = {
	{ "gp3", 1, 65536, 3000, 80000, 3000, 125, 2000, 125 },
	{ "gp2", 1, 16384, 0, 0, 0, 0, 0, 0 },
	{ "io1", 4, 16384, 100, 64000, 0, 0, 0, 0 },
	{ "io2", 4, 65536, 100, 256000, 0, 0, 0, 0 },
	{ "standard", 1, 1024, 0, 0, 0, 0, 0, 0 },
};

static const struct kind_of_volume *kind_find(const struct volume_request *request)
{
	if (!request->type)
		return &kinds[0];
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (streq(kinds[i].name, request->type))
			return &kinds[i];
	return NULL;
}

static int check_number(const char *name, const char *type, int64_t value, int64_t minimum,
			int64_t maximum, struct error *error)
{
	if (value && !maximum)
		return error_set(error, ERROR_INVALID_PARAMETER_COMBINATION,
				 "The parameter %s is not supported for %s volumes.", name, type);
	if (value && (value < minimum || value > maximum))
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "Volume %s of %" PRId64 " is not valid for %s volumes; it must be "
				 "from %" PRId64 " to %" PRId64 ".",
				 name, value, type, minimum, maximum);
	return 0;
}

static char *snapshot_of(const char *image_id)
{
	return xasprintf("snap%s", image_id + strlen("ami"));
}

int volume_check(const struct volume_request *request, const char *image_id, struct error *error)
{
	const struct kind_of_volume *kind = kind_find(request);
	CLEANUP(freep) char *snapshot = snapshot_of(image_id);
	int r;

	if (!kind)
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "Value (%s) for parameter volumeType is invalid. Specify one of "
				 "gp2, gp3, io1, io2 and standard for a root volume.",
				 request->type);
	if (request->size && request->size < IMAGE_SIZE)
		return error_set(error, ERROR_BLOCK_DEVICE_MAPPING,
				 "Volume of size %" PRId64 "GB is smaller than snapshot '%s', "
				 "expect size >= %dGB",
				 request->size, snapshot, IMAGE_SIZE);
	if (kind->iops_maximum && !kind->iops_default && !request->iops)
		return error_set(error, ERROR_MISSING_PARAMETER,
				 "The parameter iops must be specified for %s volumes.",
				 kind->name);
	if ((r = check_number("size", kind->name, request->size, kind->size_minimum,
			      kind->size_maximum, error)) < 0 ||
	    (r = check_number("iops", kind->name, request->iops, kind->iops_minimum,
			      kind->iops_maximum, error)) < 0)
		return r;
	return check_number("throughput", kind->name, request->throughput, kind->throughput_minimum,
			    kind->throughput_maximum, error);
}

/* ---- verbs ---- */

struct volume *volume_get(const struct model *model, struct rid id)
{
	return (struct volume *)model_get(model, NULL, id);
}

static int64_t iops_of(const struct kind_of_volume *kind, const struct volume *volume,
		       int64_t given)
{
	if (streq(kind->name, "gp2"))
		return MIN(MAX(volume->size * GP2_PER_GIB, (int64_t)GP2_IOPS_MIN),
			   (int64_t)GP2_IOPS_MAX);
	return given ? given : kind->iops_default;
}

void volume_create(struct transaction *transaction, struct instance *instance,
		   const struct volume_request *request)
{
	const struct kind_of_volume *kind = kind_find(request);
	struct volume *volume =
		transaction_create(transaction, instance->resource.scope, KIND_VOLUME);

	assert(kind); /* checked before the launch */
	volume->instance = instance->resource.id;
	volume->zone = instance->zone;
	volume->type = xstrdup(kind->name);
	volume->snapshot_id = snapshot_of(instance->options.image_id);
	volume->size = request->size ? request->size : IMAGE_SIZE;
	volume->iops = iops_of(kind, volume, request->iops);
	volume->throughput = request->throughput ? request->throughput : kind->throughput_default;
	volume->delete_on_termination = !request->keep;
	volume->create_time = volume->attach_time = transaction->now;
	instance->volume = volume->resource.id;
}

void volume_release(struct transaction *transaction, struct instance *instance)
{
	struct volume *volume = volume_get(transaction->model, instance->volume);

	if (!volume)
		return;
	transaction_edit(transaction, instance);
	instance->volume = (struct rid){ KIND_NONE, 0 };
	if (volume->delete_on_termination) {
		transaction_delete(transaction, volume);
		return;
	}
	transaction_edit(transaction, volume);
	volume->instance = (struct rid){ KIND_NONE, 0 };
	volume->attach_time = 0;
}

int volume_delete(struct transaction *transaction, struct volume *volume, struct error *error)
{
	if (rid_is_set(volume->instance))
		return error_set(
			error, ERROR_VOLUME_IN_USE, "Volume %s is currently attached to %s",
			rid_format(volume->resource.id).text, rid_format(volume->instance).text);
	transaction_delete(transaction, volume);
	return 0;
}
