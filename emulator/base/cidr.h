/*
 * Addresses and blocks of either family, as values. One type holds IPv4 and IPv6 so that nothing
 * is written twice.
 */
#pragma once

#include "base/util.h"

#include <sys/socket.h>

struct address {
	uint8_t family;	   /* AF_UNSPEC (0), AF_INET or AF_INET6 */
	uint8_t bytes[16]; /* network order; IPv4 uses the first four, the rest is zero */
};

struct cidr {
	struct address address; /* host bits are zero when canonical */
	uint8_t length;
};

#define ADDRESS_TEXT_MAX 64
struct address_text {
	char text[ADDRESS_TEXT_MAX];
};

static inline bool address_is_set(struct address address)
{
	return address.family != AF_UNSPEC;
}
bool address_equal(struct address a, struct address b);
/* Returns 0 or -EINVAL. */
int address_parse(const char *text, struct address *ret_address);
struct address_text address_format(struct address address); /* "" when unset */
struct address address_v4(uint32_t host_order);
uint32_t address_to_v4(struct address address); /* host order */
/* address + n, within the family's width. */
struct address address_add(struct address address, uint64_t n);
/* Bits in the family: 32 or 128. */
unsigned int address_bits(struct address address);
size_t address_size(struct address address); /* bytes in the family: 4 or 16 */

/* "10.0.0.0/16"; strict: a length is needed. Host bits are kept. Returns 0 or -EINVAL. */
int cidr_parse(const char *text, struct cidr *ret_cidr);
struct address_text cidr_format(struct cidr cidr); /* "" when unset */
/* Clears the host bits. */
struct cidr cidr_canonical(struct cidr cidr);
struct cidr cidr_host(struct address address); /* the /32 or /128 */
bool cidr_equal(struct cidr a, struct cidr b);
bool cidr_contains(struct cidr outer, struct address address);
bool cidr_covers(struct cidr outer, struct cidr inner); /* equal counts */
/* Within what no router of the Internet carries (RFC 1918, RFC 6598, RFC 3927): that block. */
bool cidr_is_private(struct cidr cidr, struct cidr *ret_block);
bool cidr_overlaps(struct cidr a, struct cidr b);
/* Number of IPv4 addresses in the block. */
uint64_t cidr_size(struct cidr cidr);
