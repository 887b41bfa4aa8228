/*
 * Images: what instances boot from. Those of the catalogue (catalog.h) are everybody's and mean
 * this machine's own root; those that were registered are a directory of this machine's, or the
 * world's own copy of what was in an archive. EC2 guide, "Amazon Machine Images (AMI)".
 *
 * A deregistered one stays in the model, unseen: instances may still have it beneath them, and its
 * id must never come to mean the machine's own root.
 */
#pragma once

#include "model/volume.h"

enum image_state {
	IMAGE_PENDING, /* its archive is being unpacked */
	IMAGE_AVAILABLE,
	IMAGE_FAILED,
	IMAGE_DEREGISTERED,
	IMAGE_STATE_MAX,
};

/* One of the catalogue's. */
struct public_image {
	const char *id, *name, *owner, *owner_alias, *description, *architecture, *created;
};

struct image {
	struct resource resource;
	const struct public_image *listed; /* NULL: registered; else nothing below counts */
	char *name, *description, *architecture, *sriov;
	char *location; /* as it was given */
	char *path;	/* absolute: the directory, or the archive that is or was unpacked */
	bool unpacked;	/* the world has a copy */
	bool kept;	/* instances may have it beneath them, or come to have */
	bool ena;
	int state;    /* enum image_state */
	char *reason; /* why it failed */
	int64_t create_time;
	/* Its root volume, as launches have it by themselves; NULL and 0: as is usual. */
	char *volume_type;
	int64_t volume_size, volume_iops, volume_throughput;
	bool keep_volume;
};

extern const struct resource_type image_type;
extern const char *const image_state_names[]; /* by state; ends with NULL */

/* What to register; borrowed, NULL where there is none. */
struct image_request {
	const char *name, *description, *architecture, *sriov, *location, *path;
	bool unpacked, ena;
	struct volume_request root;
};

/* The registered one of that id, whosever and in whatever state; NULL: none is. */
struct image *image_of(const struct model *model, const char *id);
/* ERROR_IMAGE_NAME_MALFORMED, ERROR_IMAGE_NAME_DUPLICATE, ERROR_QUOTA; those of volume_check(). */
int image_register(struct transaction *transaction, struct scope *scope,
		   const struct image_request *request, struct image **ret_image,
		   struct error *error);
/* What was in its archive is there, or, as `failure` says, can't be. */
void image_settle(struct transaction *transaction, struct image *image, const char *failure);
/* Instances that have it go on. */
void image_deregister(struct transaction *transaction, struct image *image);
/* Is there an instance, not terminated, that has it? */
bool image_in_use(const struct image *image);

/*
 * May `scope` launch from the image of that well-formed id? Any that was never registered is
 * everybody's. ERROR_NOT_FOUND, ERROR_IMAGE_UNAVAILABLE.
 */
int image_check_launch(const struct model *model, const struct scope *scope, const char *id,
		       struct error *error);
/* What a launch doesn't say of its root volume is as the image has it; `mapped`: it says something,
 * and so what becomes of it at the end. ERROR_BLOCK_DEVICE_MAPPING for one smaller than the
 * image's.
 */
int image_default_volume(const struct model *model, const char *id, bool mapped,
			 struct volume_request *volume, struct error *error);
