/*
 * The public parameters of Systems Manager that tell the newest images: what templates and scripts
 * ask for instead of an image's id. Every one leads to an image of the catalogue, in every region.
 */
#pragma once

#include "base/util.h"

struct public_parameter {
	const char *name, *value;
	const char *modified; /* 2024-10-10T00:00:00.000Z: when the image was made */
};

/* In the order of their names; false past the end. */
bool public_parameter_at(size_t index, struct public_parameter *ret_parameter);
bool public_parameter_find(const char *name, struct public_parameter *ret_parameter);
