/* Images: see image.h. */
#include "model/image.h"

#include <inttypes.h>

#include "model/instance.h"
#include "model/tags.h"

#define NAME_LENGTH_MIN 3
#define NAME_LENGTH_MAX 128
#define USUAL_SIZE	8 /* GiB */

const char *const image_state_names[] = {
	[IMAGE_PENDING] = "pending", [IMAGE_AVAILABLE] = "available",
	[IMAGE_FAILED] = "failed",   [IMAGE_DEREGISTERED] = "deregistered",
	[IMAGE_STATE_MAX] = NULL,
};

/* ---- what clients see, of listed ones and of registered ones ---- */

static const struct image *image_in(const struct view *view)
{
	return view->object;
}

#define SHARED_GETTER(name_, member_)                                                              \
	static const char *name_(const struct view *view, struct buffer *scratch)                  \
	{                                                                                          \
		const struct image *image = image_in(view);                                        \
                                                                                                   \
		(void)scratch;                                                                     \
		return image->listed ? image->listed->member_ : image->member_;                    \
	}

SHARED_GETTER(get_name, name)
SHARED_GETTER(get_description, description)
SHARED_GETTER(get_architecture, architecture)

static const char *get_image_id(const struct view *view, struct buffer *scratch)
{
	const struct image *image = image_in(view);

	return image->listed ? image->listed->id : get_id(view, scratch);
}

static const char *get_image_owner(const struct view *view, struct buffer *scratch)
{
	const struct image *image = image_in(view);

	return image->listed ? image->listed->owner : get_owner(view, scratch);
}

static const char *get_alias(const struct view *view, struct buffer *scratch)
{
	const struct image *image = image_in(view);

	(void)scratch;
	return image->listed ? image->listed->owner_alias : NULL;
}

static const char *get_location(const struct view *view, struct buffer *scratch)
{
	const struct image *image = image_in(view);
	const struct public_image *listed = image->listed;

	return listed ? get_print(scratch, "%s/%s",
				  listed->owner_alias ? listed->owner_alias : listed->owner,
				  listed->name)
		      : image->location;
}

static const char *get_created(const struct view *view, struct buffer *scratch)
{
	const struct image *image = image_in(view);

	if (image->listed)
		return image->listed->created;
	buffer_clear(scratch);
	buffer_time(scratch, image->create_time);
	return scratch->data;
}

static const char *get_state(const struct view *view, struct buffer *scratch)
{
	const struct image *image = image_in(view);

	(void)scratch;
	return image_state_names[image->listed ? IMAGE_AVAILABLE : image->state];
}

static const char *get_public(const struct view *view, struct buffer *scratch)
{
	(void)scratch;
	return image_in(view)->listed ? "true" : "false";
}

static const char *get_ena(const struct view *view, struct buffer *scratch)
{
	(void)scratch;
	return image_in(view)->listed || image_in(view)->ena ? "true" : "false";
}

static bool child_reason(const struct view *view, size_t index, struct view *ret_child)
{
	*ret_child = *view;
	return index == 0 && image_in(view)->reason;
}

static bool child_one(const struct view *view, size_t index, struct view *ret_child)
{
	*ret_child = *view;
	return index == 0;
}

/* "snap-" and the image's own digits. */
static const char *get_snapshot(const struct view *view, struct buffer *scratch)
{
	CLEANUP(buffer_clear) struct buffer id = BUFFER_INIT;

	return get_print(scratch, "snap%s", get_image_id(view, &id) + strlen("ami"));
}

static const char *get_kept(const struct view *view, struct buffer *scratch)
{
	(void)scratch;
	return image_in(view)->keep_volume ? "false" : "true";
}

static const char *get_size(const struct view *view, struct buffer *scratch)
{
	const int64_t size = image_in(view)->volume_size;

	return get_print(scratch, "%" PRId64, size ? size : (int64_t)USUAL_SIZE);
}

static const char *get_volume_type(const struct view *view, struct buffer *scratch)
{
	const char *type = image_in(view)->volume_type;

	(void)scratch;
	return type ? type : "gp3";
}

static const char *get_number(int64_t number, struct buffer *scratch)
{
	return number ? get_print(scratch, "%" PRId64, number) : NULL;
}

static const char *get_iops(const struct view *view, struct buffer *scratch)
{
	return get_number(image_in(view)->volume_iops, scratch);
}

static const char *get_throughput(const struct view *view, struct buffer *scratch)
{
	return get_number(image_in(view)->volume_throughput, scratch);
}

#define MAPPING "block-device-mapping."

static const struct field disk_fields[] = {
	FIELD_GET_OF(get_kept, "deleteOnTermination", MAPPING "delete-on-termination"),
	FIELD_GET_OF(get_iops, "iops", NULL),
	FIELD_GET_OF(get_snapshot, "snapshotId", MAPPING "snapshot-id"),
	FIELD_GET_OF(get_size, "volumeSize", MAPPING "volume-size"),
	FIELD_GET_OF(get_volume_type, "volumeType", MAPPING "volume-type"),
	FIELD_GET_OF(get_throughput, "throughput", NULL),
	FIELD_CONST_OF("false", "encrypted", MAPPING "encrypted"),
	FIELD_END,
};

static const struct field mapping_fields[] = {
	FIELD_CONST_OF(ROOT_DEVICE, "deviceName", MAPPING "device-name"),
	FIELD_CHILD_OF(child_self, disk_fields, "ebs"),
	FIELD_END,
};

static const struct field reason_fields[] = {
	FIELD_CONST_OF("Client.InvalidImage", "code", "state-reason-code"),
	FIELD_OF(struct image, reason, FIELD_TEXT, "message", "state-reason-message", FIELD_SHOWN),
	FIELD_END,
};

/* People look for images with root-device-type=ebs; there is one disk, as theirs have. */
static const struct field fields[] = {
	RESOURCE_FIELDS(struct image),
	FIELD_GET_OF(get_image_id, "imageId", "image-id"),
	FIELD_GET_OF(get_location, "imageLocation", "manifest-location"),
	FIELD_GET_OF(get_state, "imageState", "state"),
	FIELD_GET_OF(get_image_owner, "imageOwnerId", "owner-id"),
	FIELD_GET_OF(get_alias, "imageOwnerAlias", "owner-alias"),
	FIELD_GET_OF(get_created, "creationDate", "creation-date"),
	FIELD_GET_OF(get_public, "isPublic", "is-public"),
	FIELD_GET_OF(get_architecture, "architecture", "architecture"),
	FIELD_CONST_OF("machine", "imageType", "image-type"),
	FIELD_CONST_OF("Linux/UNIX", "platformDetails", NULL),
	FIELD_CONST_OF("RunInstances", "usageOperation", NULL),
	FIELD_GET_OF(get_description, "description", "description"),
	FIELD_GET_OF(get_ena, "enaSupport", "ena-support"),
	FIELD_CONST_OF("xen", "hypervisor", "hypervisor"),
	FIELD_GET_OF(get_name, "name", "name"),
	FIELD_CONST_OF(ROOT_DEVICE, "rootDeviceName", "root-device-name"),
	FIELD_CONST_OF("ebs", "rootDeviceType", "root-device-type"),
	FIELD_OF(struct image, sriov, FIELD_TEXT, "sriovNetSupport", "sriov-net-support",
		 FIELD_BOTH),
	FIELD_CHILD_OF(child_reason, reason_fields, "stateReason"),
	FIELD_CONST_OF("hvm", "virtualizationType", "virtualization-type"),
	FIELD_CHILDREN_OF(child_one, mapping_fields, "blockDeviceMapping"),
	/* the store's own */
	FIELD_OF(struct image, name, FIELD_TEXT, "nameGiven", NULL, FIELD_STORED),
	FIELD_OF(struct image, description, FIELD_TEXT, "descriptionGiven", NULL, FIELD_STORED),
	FIELD_OF(struct image, architecture, FIELD_TEXT, "architectureGiven", NULL, FIELD_STORED),
	FIELD_OF(struct image, location, FIELD_TEXT, "locationGiven", NULL, FIELD_STORED),
	FIELD_OF(struct image, path, FIELD_TEXT, "path", NULL, FIELD_STORED),
	FIELD_OF(struct image, unpacked, FIELD_BOOL, "unpacked", NULL, FIELD_STORED),
	FIELD_OF(struct image, kept, FIELD_BOOL, "kept", NULL, FIELD_STORED),
	FIELD_OF(struct image, ena, FIELD_BOOL, "ena", NULL, FIELD_STORED),
	FIELD_ENUM_OF(struct image, state, image_state_names, "stateNow", NULL, FIELD_STORED),
	FIELD_OF(struct image, reason, FIELD_TEXT, "reason", NULL, FIELD_STORED),
	FIELD_OF(struct image, create_time, FIELD_TIME, "createTime", NULL, FIELD_STORED),
	FIELD_OF(struct image, volume_type, FIELD_TEXT, "volumeType", NULL, FIELD_STORED),
	FIELD_OF(struct image, volume_size, FIELD_INT, "volumeSize", NULL, FIELD_STORED),
	FIELD_OF(struct image, volume_iops, FIELD_INT, "volumeIops", NULL, FIELD_STORED),
	FIELD_OF(struct image, volume_throughput, FIELD_INT, "volumeThroughput", NULL,
		 FIELD_STORED),
	FIELD_OF(struct image, keep_volume, FIELD_BOOL, "keepVolume", NULL, FIELD_STORED),
	FIELD_END,
};

const struct resource_type image_type = {
	.kind = KIND_IMAGE,
	.size = sizeof(struct image),
	.fields = fields,
	.tag_type = "image",
};

struct image *image_of(const struct model *model, const char *id)
{
	struct rid rid;

	if (!id || rid_parse(id, KIND_IMAGE, &rid) < 0)
		return NULL;
	return (struct image *)model_get(model, NULL, rid);
}

/* ---- registering ---- */

/* RegisterImage: "3-128 alphanumeric characters, parentheses, square brackets, spaces, periods,
 * slashes, dashes, single quotes, at-signs, or underscores". */
static bool is_name(const char *name)
{
	static const char others[] = "()[] ./-'@_";
	const size_t length = strlen(name);

	if (length < NAME_LENGTH_MIN || length > NAME_LENGTH_MAX)
		return false;
	for (const char *c = name; *c; c++)
		if (!((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
		      (*c >= '0' && *c <= '9') || strchr(others, *c)))
			return false;
	return true;
}

static int check_name(const struct model *model, const struct scope *scope, const char *name,
		      struct error *error)
{
	size_t count = 0;

	if (!is_name(name))
		return error_set(error, ERROR_IMAGE_NAME_MALFORMED,
				 "AMI names must be between %d and %d characters long, and may "
				 "contain letters, numbers, '(', ')', '[', ']', ' ', '.', '/', "
				 "'-', ''', '@' and '_'",
				 NAME_LENGTH_MIN, NAME_LENGTH_MAX);
	for_each_resource (struct image, image, scope, KIND_IMAGE) {
		if (image->state == IMAGE_DEREGISTERED)
			continue;
		count++;
		if (streq(image->name, name))
			return error_set(error, ERROR_IMAGE_NAME_DUPLICATE,
					 "AMI name %s is already in use by AMI %s", name,
					 rid_format(image->resource.id).text);
	}
	return quota_check(model, QUOTA_IMAGES, count + 1, error);
}

int image_register(struct transaction *transaction, struct scope *scope,
		   const struct image_request *request, struct image **ret_image,
		   struct error *error)
{
	const struct volume_request *root = &request->root;
	struct image *image;
	int r;

	if ((r = check_name(transaction->model, scope, request->name, error)) < 0 ||
	    (r = volume_check(root, "ami-00000000000000000", error)) < 0)
		return r;
	image = transaction_create(transaction, scope, KIND_IMAGE);
	image->name = xstrdup(request->name);
	image->description = xstrdup_null(request->description);
	image->architecture = xstrdup(request->architecture);
	image->sriov = xstrdup_null(request->sriov);
	image->location = xstrdup(request->location);
	image->path = xstrdup(request->path);
	image->unpacked = request->unpacked;
	image->kept = true;
	image->ena = request->ena;
	image->state = request->unpacked ? IMAGE_PENDING : IMAGE_AVAILABLE;
	image->create_time = transaction->now;
	image->volume_type = xstrdup_null(root->type);
	image->volume_size = root->size;
	image->volume_iops = root->iops;
	image->volume_throughput = root->throughput;
	image->keep_volume = root->keep;
	*ret_image = image;
	return 0;
}

void image_settle(struct transaction *transaction, struct image *image, const char *failure)
{
	transaction_edit(transaction, image);
	image->state = failure ? IMAGE_FAILED : IMAGE_AVAILABLE;
	image->reason = xstrdup_null(failure);
}

void image_deregister(struct transaction *transaction, struct image *image)
{
	transaction_edit(transaction, image);
	image->state = IMAGE_DEREGISTERED;
	freep(&image->description);
	freep(&image->reason);
	while (image->resource.tag_count)
		tag_remove(transaction, &image->resource, image->resource.tags[0].key, NULL);
}

/* ---- being used ---- */

bool image_in_use(const struct image *image)
{
	struct rid_text id = rid_format(image->resource.id);

	for_each_resource (struct instance, instance, image->resource.scope, KIND_INSTANCE)
		if (instance->state != INSTANCE_TERMINATED &&
		    streq(instance->options.image_id, id.text))
			return true;
	return false;
}

int image_check_launch(const struct model *model, const struct scope *scope, const char *id,
		       struct error *error)
{
	const struct image *image = image_of(model, id);

	if (!image)
		return 0;
	if (image->resource.scope != scope)
		return error_subject(error, ERROR_NOT_FOUND, "ami",
				     "The image id '[%s]' does not exist", id);
	if (image->state == IMAGE_DEREGISTERED)
		return error_set(error, ERROR_IMAGE_UNAVAILABLE,
				 "The image ID '%s' is no longer available", id);
	if (image->state != IMAGE_AVAILABLE)
		return error_set(error, ERROR_IMAGE_UNAVAILABLE,
				 "The image ID '%s' is not available: it is %s%s%s", id,
				 image_state_names[image->state], image->reason ? ": " : "",
				 image->reason ? image->reason : "");
	return 0;
}

int image_default_volume(const struct model *model, const char *id, bool mapped,
			 struct volume_request *volume, struct error *error)
{
	const struct image *image = image_of(model, id);

	if (!image)
		return 0;
	if (volume->size && volume->size < image->volume_size)
		return error_set(error, ERROR_BLOCK_DEVICE_MAPPING,
				 "Volume of size %" PRId64 "GB is smaller than snapshot 'snap%s', "
				 "expect size >= %" PRId64 "GB",
				 volume->size, id + strlen("ami"), image->volume_size);
	if (!mapped)
		volume->keep = image->keep_volume;
	if (!volume->size)
		volume->size = image->volume_size;
	if (!volume->type) { /* what belongs to a type comes with it */
		volume->type = image->volume_type;
		if (!volume->iops)
			volume->iops = image->volume_iops;
		if (!volume->throughput)
			volume->throughput = image->volume_throughput;
	}
	return 0;
}
