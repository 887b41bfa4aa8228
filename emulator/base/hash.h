/*
 * FNV-1a, 64 bits: short stable names for things (not against anybody who wants a collision).
 */
#pragma once

#include "base/util.h"

#define HASH_START 0xcbf29ce484222325u

/* Goes on from `hash` with `size` more bytes. */
static inline uint64_t hash_bytes(uint64_t hash, const void *data, size_t size)
{
	const uint8_t *bytes = data;

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ bytes[i]) * 0x100000001b3u;
	return hash;
}

static inline uint64_t hash_number(uint64_t hash, uint64_t number)
{
	return hash_bytes(hash, &number, sizeof(number));
}
