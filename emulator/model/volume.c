/* Volumes and their verbs: see volume.h. What clients see is in volume_fields.c. */
#include "model/instance.h"

#include <ctype.h>
#include <inttypes.h>

#define IMAGE_SIZE   8 /* GiB, of every image's snapshot */
#define GP2_IOPS_MIN 100
#define GP2_IOPS_MAX 16000
#define GP2_PER_GIB  3
/* What a change to a type with IOPS of its own gives it ("the default is 3,000"). */
#define MODIFIED_IOPS 3000
#define PARTITION_MAX 15
/* "0.25 MiB/s per provisioned IOPS" */
#define IOPS_PER_THROUGHPUT 4

/* ---- what may be asked for ---- */

/* EBS guide, "Amazon EBS volume types". */
static const struct kind_of_volume {
	const char *name;
	bool boots;
	int64_t size_minimum, size_maximum; /* GiB */
	/* 0: the type takes none; with a maximum and no default they must be given. */
	int64_t iops_minimum, iops_maximum, iops_default;
	int64_t iops_per_gib; /* at most, beyond the default */
	int64_t throughput_minimum, throughput_maximum, throughput_default; /* MiB/s */
} kinds[] = {
	{ "gp3", true, 1, 65536, 3000, 80000, 3000, 500, 125, 2000, 125 },
	{ "gp2", true, 1, 16384, 0, 0, 0, 0, 0, 0, 0 },
	{ "io1", true, 4, 16384, 100, 64000, 0, 50, 0, 0, 0 },
	{ "io2", true, 4, 65536, 100, 256000, 0, 1000, 0, 0, 0 },
	{ "standard", true, 1, 1024, 0, 0, 0, 0, 0, 0, 0 },
	{ "st1", false, 125, 16384, 0, 0, 0, 0, 0, 0, 0 },
	{ "sc1", false, 125, 16384, 0, 0, 0, 0, 0, 0, 0 },
};

static const struct kind_of_volume *kind_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (streq(kinds[i].name, name))
			return &kinds[i];
	return NULL;
}

static int find_kind(const char *name, bool boots, const struct kind_of_volume **ret_kind,
		     struct error *error)
{
	const struct kind_of_volume *kind = kind_find(name);

	if (!kind || (boots && !kind->boots))
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "Value (%s) for parameter volumeType is invalid. Specify one of "
				 "gp2, gp3, io1, io2%s and standard%s.",
				 name, boots ? "" : ", st1, sc1",
				 boots ? " for a root volume" : "");
	*ret_kind = kind;
	return 0;
}

static int check_size(const struct kind_of_volume *kind, int64_t size, struct error *error)
{
	if (size < kind->size_minimum)
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "Volume of %" PRId64 "GiB is too small for volume type %s; "
				 "minimum is %" PRId64 "GiB.",
				 size, kind->name, kind->size_minimum);
	if (size > kind->size_maximum)
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "Volume of %" PRId64 "GiB is too large for volume type %s; "
				 "maximum is %" PRId64 "GiB.",
				 size, kind->name, kind->size_maximum);
	return 0;
}

/* Of those that were asked for; 0: none were. */
static int check_iops(const struct kind_of_volume *kind, int64_t iops, int64_t size,
		      struct error *error)
{
	if (iops && !kind->iops_maximum)
		return error_set(error, ERROR_INVALID_PARAMETER_COMBINATION,
				 "The parameter iops is not supported for %s volumes.", kind->name);
	if (!iops && kind->iops_maximum && !kind->iops_default)
		return error_set(error, ERROR_MISSING_PARAMETER,
				 "The parameter iops must be specified for %s volumes.",
				 kind->name);
	if (iops && iops < kind->iops_minimum)
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "Volume iops of %" PRId64 " is too low; minimum is %" PRId64 ".",
				 iops, kind->iops_minimum);
	if (iops > kind->iops_maximum)
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "Volume iops of %" PRId64 " is too high; maximum is %" PRId64 ".",
				 iops, kind->iops_maximum);
	if (iops > kind->iops_default && iops > kind->iops_per_gib * size)
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "Iops to volume size ratio of %f is too high; maximum is %" PRId64,
				 (double)iops / (double)size, kind->iops_per_gib);
	return 0;
}

static int check_throughput(const struct kind_of_volume *kind, int64_t throughput, int64_t iops,
			    struct error *error)
{
	if (throughput && !kind->throughput_maximum)
		return error_set(error, ERROR_INVALID_PARAMETER_COMBINATION,
				 "The parameter throughput is not supported for %s volumes.",
				 kind->name);
	if (throughput && throughput < kind->throughput_minimum)
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "Throughput (MiBps) of %" PRId64 " is too low; minimum is %" PRId64
				 ".",
				 throughput, kind->throughput_minimum);
	if (throughput > kind->throughput_maximum)
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "Throughput (MiBps) of %" PRId64
				 " is too high; maximum is %" PRId64 ".",
				 throughput, kind->throughput_maximum);
	if (throughput * IOPS_PER_THROUGHPUT > iops && throughput)
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "Throughput (MiBps) to iops ratio of %f is too high; maximum is "
				 "%f MiBps per iops.",
				 (double)throughput / (double)iops, 1.0 / IOPS_PER_THROUGHPUT);
	return 0;
}

static int check_shape(const struct kind_of_volume *kind, int64_t size, int64_t iops,
		       int64_t throughput, struct error *error)
{
	int r;

	if ((r = check_size(kind, size, error)) < 0 ||
	    (r = check_iops(kind, iops, size, error)) < 0)
		return r;
	return check_throughput(kind, throughput, iops ? iops : kind->iops_default, error);
}

static char *snapshot_of(const char *image_id)
{
	return xasprintf("snap%s", image_id + strlen("ami"));
}

static const char *type_of(const struct volume_request *request, bool root)
{
	if (request->type)
		return request->type;
	return root ? "gp3" : "gp2";
}

int volume_check(const struct volume_request *request, const char *image_id, struct error *error)
{
	const struct kind_of_volume *kind;
	int64_t size = request->size;
	int r = find_kind(type_of(request, image_id), image_id, &kind, error);

	if (r < 0)
		return r;
	if (!image_id && !size)
		return error_set(error, ERROR_MISSING_PARAMETER,
				 "The request must contain the parameter size/snapshot");
	if (image_id && size && size < IMAGE_SIZE) {
		CLEANUP(freep) char *snapshot = snapshot_of(image_id);

		return error_set(error, ERROR_BLOCK_DEVICE_MAPPING,
				 "Volume of size %" PRId64 "GB is smaller than snapshot '%s', "
				 "expect size >= %dGB",
				 size, snapshot, IMAGE_SIZE);
	}
	return check_shape(kind, size ? size : IMAGE_SIZE, request->iops, request->throughput,
			   error);
}

/* ---- devices ---- */

static const char *bare(const char *device)
{
	static const char prefix[] = "/dev/";

	return strncmp(device, prefix, strlen(prefix)) == 0 ? device + strlen(prefix) : device;
}

bool volume_same_device(const char *one, const char *other)
{
	return streq(bare(one), bare(other));
}

/* EC2 guide, "Device names for volumes": sd[a-z], hd[a-z] and xvd[a-z] with a partition or not,
 * and xvd[a-z][a-z]. */
int volume_check_device(const char *device, struct error *error)
{
	static const char *const prefixes[] = { "sd", "hd", "xvd" };
	const char *rest = bare(device);
	bool valid = false;

	for (size_t i = 0; !valid && i < ARRAY_SIZE(prefixes); i++) {
		const size_t length = strlen(prefixes[i]);
		const char *at = rest + length;
		char *end;
		long partition;

		if (strncmp(rest, prefixes[i], length) != 0 || !islower((unsigned char)*at))
			continue;
		at += 1 + (length == 3 && islower((unsigned char)at[1]));
		partition = isdigit((unsigned char)*at) ? strtol(at, &end, 10) : 1;
		valid = !*at || (isdigit((unsigned char)*at) && *at != '0' && !*end &&
				 partition <= PARTITION_MAX);
	}
	if (valid)
		return 0;
	return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
			 "Value (%s) for parameter device is invalid. %s is not a valid EBS device "
			 "name.",
			 device, device);
}

struct volume *volume_get(const struct model *model, struct rid id)
{
	return (struct volume *)model_get(model, NULL, id);
}

struct volume *volume_at(const struct model *model, const struct instance *instance,
			 const char *device)
{
	for (size_t i = 0; i < instance->volume_count; i++) {
		struct volume *volume = volume_get(model, instance->volumes[i].id);

		if (volume_same_device(volume->device, device))
			return volume;
	}
	return NULL;
}

bool volume_is_root(const struct volume *volume)
{
	return volume->device && volume_same_device(volume->device, ROOT_DEVICE);
}

/* ---- coming and going ---- */

static int64_t iops_of(const struct kind_of_volume *kind, int64_t size, int64_t given)
{
	if (streq(kind->name, "gp2"))
		return MIN(MAX(size * GP2_PER_GIB, (int64_t)GP2_IOPS_MIN), (int64_t)GP2_IOPS_MAX);
	return given ? given : kind->iops_default;
}

static struct volume *make(struct transaction *transaction, struct scope *scope,
			   const struct volume_request *request, bool root)
{
	const struct kind_of_volume *kind = kind_find(type_of(request, root));
	struct volume *volume = transaction_create(transaction, scope, KIND_VOLUME);

	assert(kind); /* volume_check() */
	volume->shape = (struct volume_shape){
		.type = xstrdup(kind->name),
		.size = request->size ? request->size : IMAGE_SIZE,
		.throughput = request->throughput ? request->throughput : kind->throughput_default,
	};
	volume->shape.iops = iops_of(kind, volume->shape.size, request->iops);
	volume->encrypted = request->encrypted;
	volume->kms_key = xstrdup_null(request->kms_key);
	volume->create_time = transaction->now;
	return volume;
}

struct volume *volume_create(struct transaction *transaction, struct scope *scope, int64_t zone,
			     const struct volume_request *request)
{
	struct volume *volume = make(transaction, scope, request, false);

	volume->zone = zone;
	return volume;
}

static void attach(struct transaction *transaction, struct volume *volume,
		   struct instance *instance, const char *device)
{
	array_grow(&instance->volumes, &instance->volume_count)->id = volume->resource.id;
	volume->instance = instance->resource.id;
	volume->device = xstrdup(device);
	volume->attach_time = transaction->now;
}

void volume_launch(struct transaction *transaction, struct instance *instance,
		   const struct volume_request *request)
{
	const bool root = !request->device;
	struct volume *volume = make(transaction, instance->resource.scope, request, root);

	volume->zone = instance->zone;
	volume->snapshot_id = root ? snapshot_of(instance->options.image_id) : NULL;
	volume->delete_on_termination = !request->keep;
	volume->told = true;
	attach(transaction, volume, instance, root ? ROOT_DEVICE : request->device);
}

void volume_detach(struct transaction *transaction, struct volume *volume)
{
	struct instance *instance = instance_get(transaction->model, volume->instance);

	transaction_edit(transaction, instance);
	for (size_t i = instance->volume_count; i-- > 0;)
		if (rid_equal(instance->volumes[i].id, volume->resource.id))
			array_remove(instance->volumes, &instance->volume_count, i);
	transaction_edit(transaction, volume);
	volume->instance = (struct rid){ KIND_NONE, 0 };
	freep(&volume->device);
	volume->attach_time = 0;
	volume->delete_on_termination = volume->told = false;
}

void volume_release(struct transaction *transaction, struct instance *instance)
{
	while (instance->volume_count) {
		struct volume *volume = volume_get(
			transaction->model, instance->volumes[instance->volume_count - 1].id);
		const bool goes = volume->delete_on_termination;

		volume_detach(transaction, volume);
		if (goes)
			transaction_delete(transaction, volume);
	}
	freep(&instance->volumes);
}

void volume_tell(struct transaction *transaction, const struct instance *instance)
{
	for (size_t i = 0; i < instance->volume_count; i++) {
		struct volume *volume = volume_get(transaction->model, instance->volumes[i].id);

		if (volume->told)
			continue;
		transaction_edit(transaction, volume);
		volume->told = true;
	}
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

/* ---- at instances that are there ---- */

int volume_attach(struct transaction *transaction, struct volume *volume, struct instance *instance,
		  const char *device, struct error *error)
{
	const struct rid_text id = rid_format(volume->resource.id);
	const struct rid_text machine = rid_format(instance->resource.id);
	int r = volume_check_device(device, error);

	if (r < 0)
		return r;
	if (rid_is_set(volume->instance))
		return error_set(error, ERROR_VOLUME_IN_USE,
				 "%s is already attached to an instance", id.text);
	if (instance->state != INSTANCE_RUNNING && instance->state != INSTANCE_STOPPED)
		return error_set(error, ERROR_INCORRECT_STATE, "Instance '%s' is not 'running'.",
				 machine.text);
	if (volume->zone != instance->zone)
		return error_set(error, ERROR_VOLUME_ZONE,
				 "The volume '%s' is not in the same availability zone as instance "
				 "'%s'",
				 id.text, machine.text);
	if (volume_at(transaction->model, instance, device))
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "Invalid value '%s' for unixDevice. Attachment point %s is "
				 "already in use",
				 device, device);
	transaction_edit(transaction, volume);
	transaction_edit(transaction, instance);
	attach(transaction, volume, instance, device);
	return 0;
}

int volume_check_detach(const struct model *model, const struct volume *volume, struct error *error)
{
	const struct instance *instance = instance_get(model, volume->instance);

	if (!volume_is_root(volume) || instance->state == INSTANCE_STOPPED)
		return 0;
	return error_set(error, ERROR_OPERATION_NOT_PERMITTED,
			 "Unable to detach root volume '%s' from instance '%s'",
			 rid_format(volume->resource.id).text,
			 rid_format(instance->resource.id).text);
}

/* ---- another shape ---- */

static int64_t first_of(int64_t one, int64_t other)
{
	return one ? one : other;
}

/* What the change comes to: what is asked, what was there, or what the new type begins with. */
static struct volume_shape reshape(const struct volume *volume, const struct kind_of_volume *kind,
				   const struct volume_request *wanted)
{
	const bool same = streq(volume->shape.type, kind->name);
	const int64_t iops = kind->iops_maximum ? MODIFIED_IOPS : 0;

	return (struct volume_shape){
		.size = first_of(wanted->size, volume->shape.size),
		.iops = first_of(wanted->iops,
				 same && kind->iops_maximum ? volume->shape.iops : iops),
		.throughput = first_of(wanted->throughput,
				       same ? volume->shape.throughput : kind->throughput_default),
	};
}

int volume_modify(struct transaction *transaction, struct volume *volume,
		  const struct volume_request *wanted, struct error *error)
{
	const char *type = wanted->type ? wanted->type : volume->shape.type;
	const struct kind_of_volume *kind;
	struct volume_shape shape;
	int r = find_kind(type, volume_is_root(volume), &kind, error);

	if (r < 0)
		return r;
	if (wanted->size && wanted->size < volume->shape.size)
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "New size cannot be smaller than existing size");
	shape = reshape(volume, kind, wanted);
	if ((r = check_shape(kind, shape.size, shape.iops, shape.throughput, error)) < 0)
		return r;
	shape.type = xstrdup(kind->name);
	shape.iops = iops_of(kind, shape.size, shape.iops);
	transaction_edit(transaction, volume);
	free(volume->original.type);
	volume->original = volume->shape;
	volume->shape = shape;
	volume->modify_time = transaction->now;
	return 0;
}
