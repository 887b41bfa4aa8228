/*
 * What a region offers: machine images and instance types. Every image listed here boots this
 * machine's own root; they are there so that the usual look-ups by name and owner find one.
 */
#pragma once

#include "model/image.h"

struct instance_type {
	const char *name, *architecture;
	int64_t cpus, memory_mib;
	int64_t interfaces, addresses; /* limits: interfaces, and IPv4 addresses on each */
};

extern const struct field instance_type_fields[];

const struct public_image *image_at(size_t index); /* NULL past the end */
/*
 * The image of a well-formed id; an id that is not in the catalogue gets a generic one, kept in
 * `storage`, with that id (`text` must outlive it). NULL if there is no storage either.
 */
const struct public_image *image_find(const char *text, struct public_image *storage);

const struct instance_type *instance_type_at(size_t index); /* NULL past the end */
const struct instance_type *instance_type_find(const char *name);
/* Does it earn CPU credits? By its name, of the T family. */
bool instance_type_is_burstable(const char *name);
