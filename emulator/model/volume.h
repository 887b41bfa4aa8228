/*
 * Volumes: the record of an instance's one disk, /dev/xvda. What is on the disk is the instance's
 * business; size, type and the rest are kept and shown because clients read them back. EC2 guide,
 * "Amazon EBS volumes".
 */
#pragma once

#include "model/common.h"

#define ROOT_DEVICE "/dev/xvda"

struct instance;

struct volume {
	struct resource resource;
	struct rid instance; /* unset: it outlived it */
	int64_t zone;
	char *type, *snapshot_id;
	int64_t size;		  /* GiB */
	int64_t iops, throughput; /* MiB/s; 0 where the type has none */
	bool delete_on_termination;
	int64_t create_time, attach_time;
};

extern const struct resource_type volume_type;
extern const struct field volume_status_fields[];
/* The device as an instance shows it, for FIELD_CHILDREN_OF(): a view of the volume. */
extern const struct field volume_mapping_fields[];

/* What is asked of a root volume. Zeroed: as the image has it, gone with the instance. */
struct volume_request {
	const char *type; /* borrowed; NULL: gp3 */
	int64_t size, iops, throughput;
	bool keep; /* when the instance is terminated */
};

struct volume *volume_get(const struct model *model, struct rid id);
/* ERROR_INVALID_PARAMETER_VALUE, ERROR_INVALID_PARAMETER_COMBINATION,
 * ERROR_BLOCK_DEVICE_MAPPING. */
int volume_check(const struct volume_request *request, const char *image_id, struct error *error);
/* The root volume of an instance that is being launched; after volume_check(). */
void volume_create(struct transaction *transaction, struct instance *instance,
		   const struct volume_request *request);
/* The instance is terminated: its volume goes, or stays behind as nobody's. No-op without one. */
void volume_release(struct transaction *transaction, struct instance *instance);
/* ERROR_VOLUME_IN_USE. */
int volume_delete(struct transaction *transaction, struct volume *volume, struct error *error);
