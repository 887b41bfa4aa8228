/*
 * Packets in a file as tcpdump and Wireshark read it: pcapng (draft-ietf-opsawg-pcapng), one
 * section, an interface description for each device before its first packet, nanoseconds. The text
 * grows by whole blocks, so a file is whole wherever writing ends between two calls.
 */
#pragma once

#include "base/buffer.h"

#define PCAPNG_SNAP 262144 /* bytes of a packet that are kept */

/* One packet, as it was seen. */
struct sighting {
	uint64_t time; /* nanoseconds since 1970 */
	size_t device; /* its number among pcapng_device() calls, from 0 on */
	bool outbound;
	size_t original; /* its length; `length` of it are there */
	const unsigned char *bytes;
	size_t length;
};

void pcapng_begin(struct buffer *buffer);
/* An Ethernet device; the description may be NULL. */
void pcapng_device(struct buffer *buffer, const char *name, const char *description);
void pcapng_packet(struct buffer *buffer, const struct sighting *sighting);
/* What the kernel said of a device at the end. */
void pcapng_statistics(struct buffer *buffer, size_t device, uint64_t time, uint64_t received,
		       uint64_t dropped);
