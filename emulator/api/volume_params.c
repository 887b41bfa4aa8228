/* The block devices that calls about instances name: see volume_params.h. */
#include "api/volume_params.h"

#include "model/instance.h"

/* "BlockDeviceMapping.N.NAME"; NULL when absent or empty. */
static const char *mapping_text(const struct call *call, unsigned int n, const char *name)
{
	const char *text = params_get(call->params, "BlockDeviceMapping.%u.%s", n, name);

	return text && *text ? text : NULL;
}

static bool is_true(const char *text)
{
	return text && strcasecmp(text, "true") == 0;
}

/* The numbers were checked against the specification. */
static int64_t mapping_number(const struct call *call, unsigned int n, const char *name)
{
	const char *text = mapping_text(call, n, name);

	return text ? strtoll(text, NULL, 10) : 0;
}

static int refuse(unsigned int n, const char *name, struct error *error)
{
	return error_set(error, ERROR_UNSUPPORTED_OPERATION,
			 "The parameter BlockDeviceMapping.%u.%s is not supported.", n, name);
}

static int check_mapping(const struct call *call, unsigned int n, struct error *error)
{
	static const char *const refused[] = {
		"VirtualName",		"Ebs.SnapshotId",	  "Ebs.KmsKeyId",
		"Ebs.AvailabilityZone", "Ebs.AvailabilityZoneId", "Ebs.VolumeInitializationRate",
		"Ebs.EbsCardIndex"
	};
	const char *device = mapping_text(call, n, "DeviceName");

	if (!device)
		return error_set(error, ERROR_MISSING_PARAMETER,
				 "The request must contain the parameter "
				 "BlockDeviceMapping.%u.DeviceName",
				 n);
	if (!streq(device, ROOT_DEVICE))
		return error_set(error, ERROR_UNSUPPORTED_OPERATION,
				 "The parameter BlockDeviceMapping.%u is not supported for the "
				 "device %s: an instance has one disk, %s.",
				 n, device, ROOT_DEVICE);
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		if (mapping_text(call, n, refused[i]))
			return refuse(n, refused[i], error);
	if (params_get(call->params, "BlockDeviceMapping.%u.NoDevice", n))
		return refuse(n, "NoDevice", error);
	return is_true(mapping_text(call, n, "Ebs.Encrypted")) ? refuse(n, "Ebs.Encrypted", error)
							       : 0;
}

int read_root_volume(const struct call *call, struct volume_request *ret_request,
		     struct error *error)
{
	CLEANUP(freep) unsigned int *indices = NULL;
	const size_t count = params_indices(call->params, "BlockDeviceMapping", &indices);

	for (size_t i = 0; i < count; i++) {
		const unsigned int n = indices[i];
		const char *deleted;
		int r = check_mapping(call, n, error);

		if (r < 0)
			return r;
		if (i > 0)
			return error_set(error, ERROR_BLOCK_DEVICE_MAPPING,
					 "The device '%s' is used in more than one block-device "
					 "mapping",
					 ROOT_DEVICE);
		deleted = mapping_text(call, n, "Ebs.DeleteOnTermination");
		*ret_request = (struct volume_request){
			.type = mapping_text(call, n, "Ebs.VolumeType"),
			.size = mapping_number(call, n, "Ebs.VolumeSize"),
			.iops = mapping_number(call, n, "Ebs.Iops"),
			.throughput = mapping_number(call, n, "Ebs.Throughput"),
			.keep = deleted && !is_true(deleted),
		};
	}
	return 0;
}

int modify_root_volume(struct call *call, const struct instance *instance, struct error *error)
{
	CLEANUP(freep) unsigned int *indices = NULL;
	const size_t count = params_indices(call->params, "BlockDeviceMapping", &indices);
	struct volume *volume = volume_get(call_model(call), instance->volume);
	const char *text, *named;

	for (size_t i = 0; i < count; i++) {
		int r = check_mapping(call, indices[i], error);

		if (r < 0)
			return r;
		named = mapping_text(call, indices[i], "Ebs.VolumeId");
		if (!volume || (named && !streq(named, rid_format(volume->resource.id).text)))
			return error_set(error, ERROR_BLOCK_DEVICE_MAPPING,
					 "Instance '%s' has no such volume attached at %s",
					 rid_format(instance->resource.id).text, ROOT_DEVICE);
		text = mapping_text(call, indices[i], "Ebs.DeleteOnTermination");
		if (!text)
			return error_set(error, ERROR_MISSING_PARAMETER,
					 "The request must contain the parameter "
					 "BlockDeviceMapping.%u.Ebs.DeleteOnTermination",
					 indices[i]);
		transaction_edit(&call->transaction, volume);
		volume->delete_on_termination = is_true(text);
	}
	return 0;
}
