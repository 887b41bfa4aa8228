/*
 * Volumes: records that clients create, attach, change and read back. An instance's one disk is
 * its own business (instance/disk.h): no block device comes or goes with a volume, and nothing is
 * encrypted. EBS guide, "Amazon EBS volumes".
 */
#pragma once

#include "model/common.h"

#define ROOT_DEVICE "/dev/xvda"

struct instance;

struct volume_shape {
	char *type;
	int64_t size;		  /* GiB */
	int64_t iops, throughput; /* MiB/s; 0 where the type has none */
};

struct volume {
	struct resource resource;
	struct volume_shape shape;
	struct rid instance; /* unset: not attached */
	char *device;	     /* as the instance has it; NULL: not attached */
	bool told;	     /* to instance metadata: it was there when the instance started */
	int64_t zone;
	char *snapshot_id; /* NULL: it was made empty */
	bool encrypted;
	char *kms_key; /* an ARN, or an id here; NULL: the account's own key */
	bool delete_on_termination, auto_enable_io;
	int64_t create_time, attach_time;
	char *client_token, *token_digest;
	/* before the last modification, and when that was; 0: there was none */
	struct volume_shape original;
	int64_t modify_time;
};

extern const struct resource_type volume_type;
extern const struct field volume_status_fields[];
extern const struct field volume_modification_fields[];
/* The replies of CreateVolume, AttachVolume and DetachVolume, which tell what is only beginning. */
extern const struct field volume_created_fields[];
extern const struct field volume_attaching_fields[];
extern const struct field volume_detaching_fields[];
/* The device as an instance shows it, for FIELD_CHILDREN_OF(): a view of the volume. */
extern const struct field volume_mapping_fields[];

/* What is asked of a volume. Zeroed: an image's own disk, gone with its instance. */
struct volume_request {
	const char *device; /* of a launch's volume; NULL: the root's */
	const char *type;   /* borrowed; NULL: gp3 for a root, else gp2 */
	int64_t size, iops, throughput;
	bool encrypted;
	const char *kms_key; /* borrowed */
	bool keep;	     /* when the instance is terminated */
};

struct volume *volume_get(const struct model *model, struct rid id);
/* What an instance has at a device; "/dev/sdf" and "sdf" are one. NULL: nothing. */
struct volume *volume_at(const struct model *model, const struct instance *instance,
			 const char *device);
bool volume_same_device(const char *one, const char *other);
bool volume_is_root(const struct volume *volume);

/*
 * Can there be such a volume? `image_id`: a root of that image; NULL: an empty one.
 * ERROR_INVALID_PARAMETER_VALUE, ERROR_INVALID_PARAMETER_COMBINATION, ERROR_MISSING_PARAMETER,
 * ERROR_BLOCK_DEVICE_MAPPING (smaller than the image).
 */
int volume_check(const struct volume_request *request, const char *image_id, struct error *error);
/* A device's name: ERROR_INVALID_PARAMETER_VALUE. */
int volume_check_device(const char *device, struct error *error);
/* An empty one, attached to nothing; after volume_check(). */
struct volume *volume_create(struct transaction *transaction, struct scope *scope, int64_t zone,
			     const struct volume_request *request);
/* One of an instance that is being launched; after volume_check(). */
void volume_launch(struct transaction *transaction, struct instance *instance,
		   const struct volume_request *request);
/* The instance is terminated: its volumes go, or stay behind as nobody's. */
void volume_release(struct transaction *transaction, struct instance *instance);
/* The instance starts: what is attached now is what metadata tells of. */
void volume_tell(struct transaction *transaction, const struct instance *instance);
/* ERROR_VOLUME_IN_USE. */
int volume_delete(struct transaction *transaction, struct volume *volume, struct error *error);
/* ERROR_VOLUME_IN_USE, ERROR_VOLUME_ZONE, ERROR_INCORRECT_STATE (the instance's),
 * ERROR_INVALID_PARAMETER_VALUE (the device). */
int volume_attach(struct transaction *transaction, struct volume *volume, struct instance *instance,
		  const char *device, struct error *error);
/* Of an attached one, may it be detached? ERROR_OPERATION_NOT_PERMITTED: a running instance's root.
 */
int volume_check_detach(const struct model *model, const struct volume *volume,
			struct error *error);
void volume_detach(struct transaction *transaction, struct volume *volume);
/* Another shape; 0 and NULL: as it is. Done at once. Errors as of volume_check(). */
int volume_modify(struct transaction *transaction, struct volume *volume,
		  const struct volume_request *wanted, struct error *error);
