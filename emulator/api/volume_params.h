/*
 * The block devices that calls about instances name: there is one, the root.
 */
#pragma once

#include "api/call.h"
#include "model/volume.h"

/*
 * BlockDeviceMapping.N of a launch; the texts are borrowed from the call. A second disk, encryption
 * and other snapshots are refused by name: ERROR_UNSUPPORTED_OPERATION.
 */
int read_root_volume(const struct call *call, struct volume_request *ret_request,
		     struct error *error);
/* BlockDeviceMapping.N of ModifyInstanceAttribute; ERROR_BLOCK_DEVICE_MAPPING (no such device). */
struct instance;
int modify_root_volume(struct call *call, const struct instance *instance, struct error *error);
