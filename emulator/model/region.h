/*
 * The regions there are, and their Availability Zones.
 * Source: AWS general reference, "Regions and Availability Zones" (zone names and zone ids).
 */
#pragma once

#include "base/util.h"

struct region {
	const char *name;    /* "us-east-1" */
	const char *zone_id; /* "use1": zone ids are use1-az1, use1-az2 … */
	const char *zones;   /* the letters of its zones: "abcdef" */
	bool opt_in;	     /* an account has to opt in; here every account has */
};

#define REGION_ZONES_MAX 6

const struct region *region_find(const char *name); /* NULL when there is none */
const struct region *region_at(size_t index);	    /* NULL past the end */

struct zone_text {
	char text[40];
};
struct zone_text zone_name(const struct region *region, size_t zone); /* "us-east-1a" */
struct zone_text zone_id(const struct region *region, size_t zone);   /* "use1-az1" */
/* The index of a zone by its name or id; -ENOENT. */
int zone_find(const struct region *region, const char *name, size_t *ret_zone);
