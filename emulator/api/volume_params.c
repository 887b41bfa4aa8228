/* The block devices that calls about instances name: see volume_params.h. */
#include "api/volume_params.h"

#include "model/instance.h"

/* ---- one volume ---- */

/* NULL when absent or empty. */
static const char *given(const struct call *call, const char *prefix, const char *name)
{
	const char *text = params_get(call->params, "%s%s", prefix, name);

	return text && *text ? text : NULL;
}

static bool is_true(const char *text)
{
	return text && strcasecmp(text, "true") == 0;
}

/* The numbers were checked against the specification. */
static int64_t number(const struct call *call, const char *prefix, const char *name)
{
	const char *text = given(call, prefix, name);

	return text ? strtoll(text, NULL, 10) : 0;
}

static int refuse(const char *prefix, const char *name, struct error *error)
{
	return error_set(error, ERROR_UNSUPPORTED_OPERATION, "The parameter %s%s is not supported.",
			 prefix, name);
}

/* Keys are kept by their ids and ARNs; what an alias stands for nobody here knows. */
static int check_key(const struct volume_request *request, const char *prefix, struct error *error)
{
	static const char id[] = "0123456789abcdef-";
	const char *key = request->kms_key;

	if (!key)
		return 0;
	if (!request->encrypted)
		return error_set(error, ERROR_PARAMETER_DEPENDENCY,
				 "The parameter KmsKeyId requires the parameter Encrypted to be "
				 "set.");
	if ((strncmp(key, "arn:", 4) == 0 && strstr(key, ":key/")) ||
	    strncmp(key, "mrk-", 4) == 0 || (strlen(key) == 36 && strspn(key, id) == 36))
		return 0;
	return refuse(prefix, "KmsKeyId", error);
}

int read_volume(const struct call *call, const char *prefix, const char *size,
		struct volume_request *ret_request, struct error *error)
{
	*ret_request = (struct volume_request){
		.type = given(call, prefix, "VolumeType"),
		.size = number(call, prefix, size),
		.iops = number(call, prefix, "Iops"),
		.throughput = number(call, prefix, "Throughput"),
		.encrypted = is_true(given(call, prefix, "Encrypted")),
		.kms_key = given(call, prefix, "KmsKeyId"),
	};
	return check_key(ret_request, prefix, error);
}

/* ---- of a launch ---- */

static int duplicate(const char *device, struct error *error)
{
	return error_set(error, ERROR_BLOCK_DEVICE_MAPPING,
			 "The device '%s' is used in more than one block-device mapping", device);
}

/* The image's own snapshot is what a root is made of anyway. */
static int check_snapshot(const struct call *call, const char *prefix, const char *image_id,
			  struct error *error)
{
	const char *snapshot = given(call, prefix, "Ebs.SnapshotId");

	if (!snapshot || (image_id && strncmp(snapshot, "snap-", 5) == 0 &&
			  streq(snapshot + strlen("snap"), image_id + strlen("ami"))))
		return 0;
	return refuse(prefix, "Ebs.SnapshotId", error);
}

/* `image_id`: of a root. */
static int check_mapping(const struct call *call, const char *prefix, const char *image_id,
			 struct error *error)
{
	static const char *const refused[] = { "VirtualName", "Ebs.AvailabilityZone",
					       "Ebs.AvailabilityZoneId",
					       "Ebs.VolumeInitializationRate", "Ebs.EbsCardIndex" };

	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		if (given(call, prefix, refused[i]))
			return refuse(prefix, refused[i], error);
	if (image_id && params_get(call->params, "%sNoDevice", prefix))
		return refuse(prefix, "NoDevice", error);
	return check_snapshot(call, prefix, image_id, error);
}

static int read_mapping(const struct call *call, unsigned int n, struct launch_request *request,
			struct error *error)
{
	CLEANUP(freep) char *prefix = xasprintf("BlockDeviceMapping.%u.", n);
	CLEANUP(freep) char *ebs = xasprintf("%sEbs.", prefix);
	const char *device = given(call, prefix, "DeviceName"), *deleted;
	const bool root = device && volume_same_device(device, ROOT_DEVICE);
	struct volume_request wanted;
	int r;

	if (!device)
		return error_set(error, ERROR_MISSING_PARAMETER,
				 "The request must contain the parameter %sDeviceName", prefix);
	if ((r = check_mapping(call, prefix, root ? request->options.image_id : NULL, error)) < 0 ||
	    (r = read_volume(call, ebs, "VolumeSize", &wanted, error)) < 0)
		return r;
	deleted = given(call, ebs, "DeleteOnTermination");
	wanted.keep = deleted && !is_true(deleted);
	if (root) {
		request->root = wanted;
		return 0;
	}
	if (params_get(call->params, "%sNoDevice", prefix)) /* no image has one there anyway */
		return 0;
	for (size_t i = 0; i < request->volume_count; i++)
		if (volume_same_device(request->volumes[i].device, device))
			return duplicate(device, error);
	wanted.device = device;
	*array_grow(&request->volumes, &request->volume_count) = wanted;
	return 0;
}

int read_volumes(const struct call *call, struct launch_request *request, struct error *error)
{
	CLEANUP(freep) unsigned int *indices = NULL;
	const size_t count = params_indices(call->params, "BlockDeviceMapping", &indices);
	size_t roots = 0;

	for (size_t i = 0; i < count; i++) {
		const char *device =
			params_get(call->params, "BlockDeviceMapping.%u.DeviceName", indices[i]);
		int r;

		if (device && volume_same_device(device, ROOT_DEVICE) && roots++)
			return duplicate(ROOT_DEVICE, error);
		if ((r = read_mapping(call, indices[i], request, error)) < 0)
			return r;
	}
	return 0;
}

/* ---- of an instance that is there ---- */

static int modify_one(struct call *call, const struct instance *instance, unsigned int n,
		      struct error *error)
{
	static const char *const refused[] = { "VirtualName", "NoDevice" };
	CLEANUP(freep) char *prefix = xasprintf("BlockDeviceMapping.%u.", n);
	const char *device = given(call, prefix, "DeviceName");
	const char *named = given(call, prefix, "Ebs.VolumeId");
	const char *flag = given(call, prefix, "Ebs.DeleteOnTermination");
	struct volume *volume;

	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		if (params_get(call->params, "%s%s", prefix, refused[i]))
			return refuse(prefix, refused[i], error);
	if (!device || !flag)
		return error_set(error, ERROR_MISSING_PARAMETER,
				 "The request must contain the parameter %s%s", prefix,
				 device ? "Ebs.DeleteOnTermination" : "DeviceName");
	volume = volume_at(call_model(call), instance, device);
	if (!volume || (named && !streq(named, rid_format(volume->resource.id).text)))
		return error_set(error, ERROR_INSTANCE_ATTRIBUTE,
				 "No device is currently mapped at %s", device);
	transaction_edit(&call->transaction, volume);
	volume->delete_on_termination = is_true(flag);
	return 0;
}

int modify_volumes(struct call *call, const struct instance *instance, struct error *error)
{
	CLEANUP(freep) unsigned int *indices = NULL;
	const size_t count = params_indices(call->params, "BlockDeviceMapping", &indices);
	int r = 0;

	for (size_t i = 0; r == 0 && i < count; i++)
		r = modify_one(call, instance, indices[i], error);
	return r;
}
