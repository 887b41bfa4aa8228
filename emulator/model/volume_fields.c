/* What clients see of volumes: the descriptor, and the replies of their calls. */
#include "model/instance.h"

#include <inttypes.h>

#include "base/hash.h"

static const struct volume *of(const struct view *view)
{
	return view->object;
}

static const char *get_zone(const struct view *view, struct buffer *scratch)
{
	return zone_name_of(view->resource->scope, of(view)->zone, scratch);
}

static const char *get_zone_id(const struct view *view, struct buffer *scratch)
{
	return zone_id_of(view->resource->scope, of(view)->zone, scratch);
}

static bool is_attached(const struct view *view)
{
	return rid_is_set(of(view)->instance);
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

#define NUMBER_GETTER(name_, member_)                                                              \
	static const char *name_(const struct view *view, struct buffer *scratch)                  \
	{                                                                                          \
		return get_number(of(view)->member_, scratch);                                     \
	}

NUMBER_GETTER(get_iops, shape.iops)
NUMBER_GETTER(get_throughput, shape.throughput)
NUMBER_GETTER(get_original_iops, original.iops)
NUMBER_GETTER(get_original_throughput, original.throughput)

/* An account has a key of its own for volumes in each region, which nobody made. */
static const char *get_key(const struct view *view, struct buffer *scratch)
{
	const struct scope *scope = view->resource->scope;
	uint64_t a, b;

	if (!of(view)->encrypted)
		return NULL;
	if (of(view)->kms_key)
		return strncmp(of(view)->kms_key, "arn:", 4) == 0
			       ? of(view)->kms_key
			       : get_print(scratch, "arn:aws:kms:%s:%s:key/%s", scope->region,
					   scope->account, of(view)->kms_key);
	a = hash_bytes(HASH_START, scope->account, strlen(scope->account));
	b = hash_bytes(a, scope->region, strlen(scope->region));
	return get_print(scratch,
			 "arn:aws:kms:%s:%s:key/%08" PRIx64 "-%04" PRIx64 "-4%03" PRIx64
			 "-8%03" PRIx64 "-%012" PRIx64,
			 scope->region, scope->account, a >> 32, a >> 16 & 0xffff, a & 0xfff,
			 b >> 52, b & 0xffffffffffff);
}

static bool child_attachment(const struct view *view, size_t index, struct view *ret_child)
{
	*ret_child = *view;
	return index == 0 && is_attached(view);
}

#define ATTACHMENT "attachment."
#define MAPPING	   "block-device-mapping."

#define ATTACHMENT_FIELDS(status_)                                                                 \
	FIELD_GET_OF(get_id, "volumeId", NULL),                                                    \
		FIELD_OF(struct volume, instance, FIELD_RID, "instanceId",                         \
			 ATTACHMENT "instance-id", FIELD_SHOWN),                                   \
		FIELD_OF(struct volume, device, FIELD_TEXT, "device", ATTACHMENT "device",         \
			 FIELD_SHOWN),                                                             \
		FIELD_CONST_OF(status_, "status", ATTACHMENT "status"),                            \
		FIELD_OF(struct volume, attach_time, FIELD_TIME, "attachTime",                     \
			 ATTACHMENT "attach-time", FIELD_SHOWN),                                   \
		FIELD_OF(struct volume, delete_on_termination, FIELD_BOOL, "deleteOnTermination",  \
			 ATTACHMENT "delete-on-termination", FIELD_SHOWN),                         \
		FIELD_END

static const struct field attachment_fields[] = { ATTACHMENT_FIELDS("attached") };
const struct field volume_attaching_fields[] = { ATTACHMENT_FIELDS("attaching") };
const struct field volume_detaching_fields[] = { ATTACHMENT_FIELDS("detaching") };

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
	FIELD_OF(struct volume, device, FIELD_TEXT, "deviceName", MAPPING "device-name",
		 FIELD_SHOWN),
	FIELD_CHILD_OF(child_self, ebs_fields, "ebs"),
	FIELD_END,
};

/* What is only kept: the wire has it elsewhere, or not at all. */
#define KEPT(member_, type_, name_)                                                                \
	FIELD_OF(struct volume, member_, type_, name_, NULL, FIELD_STORED)

/* All but its state. */
#define VOLUME_FIELDS                                                                              \
	RESOURCE_FIELDS(struct volume), FIELD_GET_OF(get_id, "volumeId", "volume-id"),             \
		FIELD_OF(struct volume, shape.size, FIELD_INT, "size", "size", FIELD_BOTH),        \
		FIELD_OF(struct volume, snapshot_id, FIELD_TEXT, "snapshotId", "snapshot-id",      \
			 FIELD_BOTH),                                                              \
		FIELD_GET_OF(get_zone, "availabilityZone", "availability-zone"),                   \
		FIELD_GET_OF(get_zone_id, "availabilityZoneId", "availability-zone-id"),           \
		FIELD_OF(struct volume, create_time, FIELD_TIME, "createTime", "create-time",      \
			 FIELD_BOTH),                                                              \
		FIELD_OF(struct volume, shape.type, FIELD_TEXT, "volumeType", "volume-type",       \
			 FIELD_BOTH),                                                              \
		FIELD_GET_OF(get_iops, "iops", NULL),                                              \
		FIELD_GET_OF(get_throughput, "throughput", NULL),                                  \
		FIELD_OF(struct volume, encrypted, FIELD_BOOL, "encrypted", "encrypted",           \
			 FIELD_BOTH),                                                              \
		FIELD_GET_OF(get_key, "kmsKeyId", NULL),                                           \
		FIELD_CONST_OF("false", "multiAttachEnabled", "multi-attach-enabled")

const struct field volume_created_fields[] = {
	VOLUME_FIELDS,
	FIELD_CONST_OF("creating", "status", NULL),
	FIELD_END,
};

static const struct field fields[] = {
	VOLUME_FIELDS,
	FIELD_GET_OF(get_status, "status", "status"),
	FIELD_CHILDREN_OF(child_attachment, attachment_fields, "attachmentSet"),
	/* the store's own */
	KEPT(instance, FIELD_RID, "instance"),
	KEPT(device, FIELD_TEXT, "device"),
	KEPT(told, FIELD_BOOL, "told"),
	KEPT(zone, FIELD_INT, "zone"),
	KEPT(shape.iops, FIELD_INT, "iopsGiven"),
	KEPT(shape.throughput, FIELD_INT, "throughputGiven"),
	KEPT(kms_key, FIELD_TEXT, "kmsKey"),
	KEPT(delete_on_termination, FIELD_BOOL, "deleteOnTermination"),
	KEPT(auto_enable_io, FIELD_BOOL, "autoEnableIO"),
	KEPT(attach_time, FIELD_TIME, "attachTime"),
	KEPT(client_token, FIELD_TEXT, "clientToken"),
	KEPT(token_digest, FIELD_TEXT, "tokenDigest"),
	KEPT(original.type, FIELD_TEXT, "originalType"),
	KEPT(original.size, FIELD_INT, "originalSize"),
	KEPT(original.iops, FIELD_INT, "originalIops"),
	KEPT(original.throughput, FIELD_INT, "originalThroughput"),
	KEPT(modify_time, FIELD_TIME, "modifyTime"),
	FIELD_END,
};

const struct resource_type volume_type = {
	.kind = KIND_VOLUME,
	.size = sizeof(struct volume),
	.fields = fields,
	.tag_type = "volume",
};

/* ---- ModifyVolume, DescribeVolumesModifications ---- */

const struct field volume_modification_fields[] = {
	FIELD_GET_OF(get_id, "volumeId", "volume-id"),
	FIELD_CONST_OF("completed", "modificationState", "modification-state"),
	FIELD_OF(struct volume, shape.size, FIELD_INT, "targetSize", "target-size", FIELD_SHOWN),
	FIELD_GET_OF(get_iops, "targetIops", "target-iops"),
	FIELD_OF(struct volume, shape.type, FIELD_TEXT, "targetVolumeType", "target-volume-type",
		 FIELD_SHOWN),
	FIELD_GET_OF(get_throughput, "targetThroughput", NULL),
	FIELD_CONST_OF("false", "targetMultiAttachEnabled", "targetMultiAttachEnabled"),
	FIELD_OF(struct volume, original.size, FIELD_INT, "originalSize", "original-size",
		 FIELD_SHOWN),
	FIELD_GET_OF(get_original_iops, "originalIops", "original-iops"),
	FIELD_OF(struct volume, original.type, FIELD_TEXT, "originalVolumeType",
		 "original-volume-type", FIELD_SHOWN),
	FIELD_GET_OF(get_original_throughput, "originalThroughput", NULL),
	FIELD_CONST_OF("false", "originalMultiAttachEnabled", "originalMultiAttachEnabled"),
	FIELD_CONST_OF("100", "progress", NULL),
	FIELD_OF(struct volume, modify_time, FIELD_TIME, "startTime", "start-time", FIELD_SHOWN),
	FIELD_OF(struct volume, modify_time, FIELD_TIME, "endTime", NULL, FIELD_SHOWN),
	FIELD_END,
};

/* ---- DescribeVolumeStatus ---- */

/* The two checks, told apart by the view's object: a row of this table. */
static const struct check {
	const char *name, *status;
} checks[] = {
	{ "io-enabled", "passed" },
	{ "io-performance", "not-applicable" }, /* to those that aren't io1 or io2 */
};

static const char *get_check_name(const struct view *view, struct buffer *scratch)
{
	(void)scratch;
	return ((const struct check *)view->object)->name;
}

static const char *get_check_status(const struct view *view, struct buffer *scratch)
{
	const struct volume *volume = (const struct volume *)view->resource;
	const struct check *check = view->object;

	(void)scratch;
	if (check == &checks[1] && is_attached(&(struct view){ .object = volume }) &&
	    strncmp(volume->shape.type, "io", 2) == 0)
		return "normal";
	return check->status;
}

static bool child_check(const struct view *view, size_t index, struct view *ret_child)
{
	if (index >= ARRAY_SIZE(checks))
		return false;
	*ret_child = (struct view){ view->model, view->resource, &checks[index] };
	return true;
}

static const struct field status_detail_fields[] = {
	FIELD_GET_OF(get_check_name, "name", "volume-status.details-name"),
	FIELD_GET_OF(get_check_status, "status", "volume-status.details-status"),
	FIELD_END,
};

static const struct field status_fields[] = {
	FIELD_CONST_OF("ok", "status", "volume-status.status"),
	FIELD_CHILDREN_OF(child_check, status_detail_fields, "details"),
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
