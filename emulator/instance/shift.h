/*
 * Owners of a file system that can't be idmapped (an overlay: the root of a container): a layer in
 * memory that holds each file's owner and mode for the instances, and none of its data. Private
 * ones may be left out: they stay this machine's own, so that root in an instance may neither read
 * nor change them. So does what is made later. (No kernel up to 6.18 idmaps an overlay; what it
 * is made of could be, but a container has its layers nowhere in sight.)
 */
#pragma once

#include "base/error.h"

/*
 * In a layer's own directory, with the file system at "host": makes "shift/upper", with what
 * everybody may read or, if `all`, everything. Takes some 8 µs a file with two CPUs, and 1 KiB.
 */
int shift_make(uint32_t first_id, uint32_t count, bool all, struct error *error);
