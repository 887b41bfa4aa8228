/*
 * The block devices that calls about instances name, and what calls say about volumes.
 */
#pragma once

#include "api/call.h"
#include "model/volume.h"

struct instance;
struct launch_request;

/*
 * BlockDeviceMapping.N of a launch into `request`, whose image is known; the texts are borrowed
 * from the call, the caller frees request->volumes. Other snapshots and disks that are no volumes
 * are refused by name: ERROR_UNSUPPORTED_OPERATION; ERROR_BLOCK_DEVICE_MAPPING,
 * ERROR_MISSING_PARAMETER, ERROR_PARAMETER_DEPENDENCY.
 */
int read_volumes(const struct call *call, struct launch_request *request, struct error *error);
/* BlockDeviceMapping.N of ModifyInstanceAttribute; ERROR_INSTANCE_ATTRIBUTE (no such device). */
int modify_volumes(struct call *call, const struct instance *instance, struct error *error);

/*
 * `prefix` is before each name: VolumeType, `prefix``size`, Iops, Throughput, Encrypted and
 * KmsKeyId; borrowed. ERROR_PARAMETER_DEPENDENCY, ERROR_UNSUPPORTED_OPERATION (an alias for a key).
 */
int read_volume(const struct call *call, const char *prefix, const char *size,
		struct volume_request *ret_request, struct error *error);
