/* Fn::Cidr: blocks of a block, of either family. */
#include "lab/functions.h"

#include "base/cidr.h"

#define COUNT_MAX 256

/* 0 … most; false: it is no such number. */
static bool number_of(const char *text, unsigned int most, unsigned int *ret_number)
{
	const size_t digits = strspn(text, "0123456789");

	if (!digits || text[digits] || digits > 3)
		return false;
	*ret_number = (unsigned int)strtoul(text, NULL, 10);
	return *ret_number <= most;
}

/* Goes on by `index` blocks of `bits` bits; `index` is less than 256. */
static struct address address_at(struct address address, unsigned int index, unsigned int bits)
{
	unsigned int carry = index << bits % 8;

	for (size_t at = address_size(address) - bits / 8; at-- > 0;) {
		carry += address.bytes[at];
		address.bytes[at] = (uint8_t)carry;
		carry >>= 8;
	}
	return address;
}

int function_cidr(struct walker *walker, const struct node *argument, struct node **ret_value)
{
	const char *usage = intrinsic_find(argument->key)->usage;
	CLEANUP(freep) char *block = NULL, *count_text = NULL, *bits_text = NULL;
	unsigned int count, bits, room;
	struct cidr cidr;
	int result = evaluate_text(walker, argument->items[0], usage, &block);

	if (result == 0)
		result = evaluate_text(walker, argument->items[1], usage, &count_text);
	if (result == 0)
		result = evaluate_text(walker, argument->items[2], usage, &bits_text);
	if (result != 0)
		return result;
	if (cidr_parse(block, &cidr) < 0)
		return place_fail(&walker->place, argument,
				  "Template error: Fn::Cidr: %.100s is no block of addresses",
				  block);
	if (!number_of(count_text, COUNT_MAX, &count) || count == 0)
		return place_fail(&walker->place, argument,
				  "Template error: Fn::Cidr: the count must be 1 to %d: %.20s",
				  COUNT_MAX, count_text);
	if (!number_of(bits_text, address_bits(cidr.address), &bits) || bits == 0)
		return place_fail(&walker->place, argument,
				  "Template error: Fn::Cidr: the number of bits must be 1 to %u: "
				  "%.20s",
				  address_bits(cidr.address), bits_text);
	room = address_bits(cidr.address) - cidr.length;
	if (bits > room || (room - bits < 9 && count > 1U << (room - bits)))
		return place_fail(
			&walker->place, argument,
			"Template error: Fn::Cidr: %.100s has no room for %u blocks of %u "
			"bits",
			block, count, bits);
	result = evaluate_spend(walker, argument, count * (sizeof(struct node) + ADDRESS_TEXT_MAX));
	if (result < 0)
		return result;
	cidr = cidr_canonical(cidr);
	*ret_value = node_new(NODE_LIST);
	for (unsigned int i = 0; i < count; i++) {
		const struct cidr part = {
			address_at(cidr.address, i, bits),
			(uint8_t)(address_bits(cidr.address) - bits),
		};

		node_add(*ret_value, NULL, node_text_new(cidr_format(part).text));
	}
	return 0;
}
