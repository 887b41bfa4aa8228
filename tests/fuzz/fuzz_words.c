/* objects: emulator/model/quota.o emulator/base/base64.o emulator/base/buffer.o emulator/base/cidr.o emulator/base/error.o emulator/base/id.o emulator/base/nearest.o emulator/base/socket_address.o emulator/base/text.o emulator/base/util.o */
/* libs: nettle */
/*
 * The short texts that are read everywhere: ids, addresses, blocks, sizes, quotas, base64, what a
 * URL escapes. What is read and written is read as the same. With libFuzzer: -DFUZZER
 * -fsanitize=fuzzer.
 */
#include "base/base64.h"
#include "base/cidr.h"
#include "base/id.h"
#include "base/socket_address.h"
#include "base/text.h"
#include "model/quota.h"
#include "replay.h"

static void expect(bool good)
{
	if (!good)
		abort();
}

static void read_id(const char *text)
{
	struct rid id, again;

	if (rid_parse_any(text, &id) < 0)
		return;
	expect(id.kind != KIND_NONE &&
	       strncmp(text, kind_prefix(id.kind), strlen(kind_prefix(id.kind))) == 0);
	expect(rid_parse(rid_format(id).text, id.kind, &again) == 0 && rid_equal(id, again));
	expect(strlen(rid_device(id).text) < DEVICE_NAME_MAX);
}

static void read_addresses(const char *text)
{
	struct address address, again;
	struct cidr cidr, block;
	uint16_t port;

	if (address_parse(text, &address) == 0)
		expect(address_parse(address_format(address).text, &again) == 0 &&
		       address_equal(address, again));
	if (cidr_parse(text, &cidr) == 0) {
		expect(cidr_parse(cidr_format(cidr).text, &block) == 0 && cidr_equal(cidr, block));
		expect(cidr_contains(cidr_canonical(cidr), cidr.address));
		expect(cidr_covers(cidr, cidr) && cidr_overlaps(cidr, cidr));
		cidr_is_private(cidr, &block);
	}
	if (socket_address_parse(text, &address, &port) == 0)
		expect(address_is_set(address));
}

static void read_bytes(const char *text, size_t length)
{
	CLEANUP(buffer_clear) struct buffer bytes = BUFFER_INIT, again = BUFFER_INIT;
	CLEANUP(buffer_clear) struct buffer written = BUFFER_INIT;
	CLEANUP(freep) char *plain = xcalloc(length + 1, 1);
	uint64_t size;

	if (base64_read(text, length, &bytes) == 0) {
		base64_write(bytes.data ? bytes.data : "", bytes.length, 0, &written);
		expect(base64_read(written.data ? written.data : "", written.length, &again) == 0);
		expect(again.length == bytes.length &&
		       (!again.length || memcmp(again.data, bytes.data, again.length) == 0));
	}
	for (int form = 0; form < 2; form++) {
		const char *end = text_unescape(text, length, form, plain);

		expect(!end || (size_t)(end - plain) <= length + 1); /* and its NUL */
	}
	text_size(text, &size);
	text_is_valid(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(freep) char *text = xcalloc(size + 1, 1);
	const char *const quota = text;
	struct error error = ERROR_INIT;
	struct quotas quotas;

	if (size)
		memcpy(text, data, size);
	read_id(text);
	read_addresses(text);
	read_bytes(text, size);
	if (quotas_parse(&quota, 1, &quotas, &error) < 0)
		expect(*error.text);
	return 0;
}
