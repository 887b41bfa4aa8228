/* Addresses and blocks: see cidr.h. */
#include "base/cidr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>

bool address_equal(struct address a, struct address b)
{
	return a.family == b.family && memcmp(a.bytes, b.bytes, sizeof(a.bytes)) == 0;
}

int address_parse(const char *text, struct address *ret_address)
{
	struct address address = { 0 };

	if (inet_pton(AF_INET, text, address.bytes) == 1)
		address.family = AF_INET;
	else if (inet_pton(AF_INET6, text, address.bytes) == 1)
		address.family = AF_INET6;
	else
		return -EINVAL;
	*ret_address = address;
	return 0;
}

/* inet_ntop() takes its time. */
static void write_v4(const uint8_t *bytes, char *text)
{
	for (unsigned int i = 0; i < 4; i++) {
		const unsigned int byte = bytes[i];

		if (byte >= 100)
			*text++ = (char)('0' + byte / 100);
		if (byte >= 10)
			*text++ = (char)('0' + byte / 10 % 10);
		*text++ = (char)('0' + byte % 10);
		*text++ = '.';
	}
	text[-1] = '\0';
}

struct address_text address_format(struct address address)
{
	struct address_text text = { "" };

	if (address.family == AF_INET)
		write_v4(address.bytes, text.text);
	else if (address_is_set(address))
		inet_ntop(address.family, address.bytes, text.text, sizeof(text.text));
	return text;
}

struct address address_v4(uint32_t host_order)
{
	struct address address = { .family = AF_INET };
	uint32_t wire = htonl(host_order);

	memcpy(address.bytes, &wire, sizeof(wire));
	return address;
}

uint32_t address_to_v4(struct address address)
{
	uint32_t wire;

	memcpy(&wire, address.bytes, sizeof(wire));
	return ntohl(wire);
}

struct address address_add(struct address address, uint64_t n)
{
	unsigned int carry = 0;

	for (size_t i = address_size(address); i-- > 0;) {
		unsigned int sum = address.bytes[i] + (unsigned int)(n & 0xff) + carry;

		address.bytes[i] = (uint8_t)sum;
		carry = sum >> 8;
		n >>= 8;
	}
	return address;
}

size_t address_size(struct address address)
{
	return address.family == AF_INET6 ? 16 : 4;
}

unsigned int address_bits(struct address address)
{
	return (unsigned int)address_size(address) * 8;
}

int cidr_parse(const char *text, struct cidr *ret_cidr)
{
	char copy[ADDRESS_TEXT_MAX];
	const char *slash = strchr(text, '/');
	struct cidr cidr;
	char *end;
	long length;

	if (!slash || (size_t)(slash - text) >= sizeof(copy))
		return -EINVAL;
	memcpy(copy, text, (size_t)(slash - text));
	copy[slash - text] = '\0';
	if (address_parse(copy, &cidr.address) < 0)
		return -EINVAL;
	if (slash[1] < '0' || slash[1] > '9')
		return -EINVAL;
	length = strtol(slash + 1, &end, 10);
	if (*end != '\0' || length > (long)address_bits(cidr.address))
		return -EINVAL;
	cidr.length = (uint8_t)length;
	*ret_cidr = cidr;
	return 0;
}

struct address_text cidr_format(struct cidr cidr)
{
	struct address_text text = address_format(cidr.address);
	size_t used = strlen(text.text);

	if (address_is_set(cidr.address))
		snprintf(text.text + used, sizeof(text.text) - used, "/%u", cidr.length);
	return text;
}

struct cidr cidr_canonical(struct cidr cidr)
{
	for (unsigned int i = 0; i < sizeof(cidr.address.bytes); i++) {
		unsigned int from = i * 8;
		unsigned int keep = cidr.length <= from ? 0 : MIN(cidr.length - from, 8u);

		cidr.address.bytes[i] &= (uint8_t)(0xff00 >> keep);
	}
	return cidr;
}

struct cidr cidr_host(struct address address)
{
	return (struct cidr){ address, (uint8_t)address_bits(address) };
}

bool cidr_equal(struct cidr a, struct cidr b)
{
	return a.length == b.length && address_equal(a.address, b.address);
}

bool cidr_contains(struct cidr outer, struct address address)
{
	struct cidr masked = cidr_canonical((struct cidr){ address, outer.length });

	return address_equal(masked.address, cidr_canonical(outer).address);
}

bool cidr_covers(struct cidr outer, struct cidr inner)
{
	return inner.length >= outer.length && cidr_contains(outer, inner.address);
}

bool cidr_is_private(struct cidr cidr, struct cidr *ret_block)
{
	static const struct cidr blocks[] = {
		{ { AF_INET, { 10 } }, 8 },	   { { AF_INET, { 100, 64 } }, 10 },
		{ { AF_INET, { 169, 254 } }, 16 }, { { AF_INET, { 172, 16 } }, 12 },
		{ { AF_INET, { 192, 168 } }, 16 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(blocks); i++)
		if (cidr_covers(blocks[i], cidr)) {
			*ret_block = blocks[i];
			return true;
		}
	return false;
}

bool cidr_overlaps(struct cidr a, struct cidr b)
{
	return cidr_covers(a, b) || cidr_covers(b, a);
}

uint64_t cidr_size(struct cidr cidr)
{
	return 1ull << (address_bits(cidr.address) - cidr.length);
}
