/* objects: emulator/base/display.o emulator/cli/packet.o emulator/cli/pcapng.o emulator/base/buffer.o emulator/base/cidr.o emulator/base/text.o emulator/base/util.o */
/*
 * Packets, as anybody can send them: one line each, of plain ASCII, and a block that is whole. And
 * names, as anybody can give them: one line that controls nothing, and no markup. With libFuzzer:
 * -DFUZZER -fsanitize=fuzzer.
 */
#include "base/display.h"
#include "base/text.h"
#include "cli/packet.h"
#include "cli/pcapng.h"
#include "replay.h"

static void check_packet(const uint8_t *data, size_t size)
{
	CLEANUP(buffer_clear) struct buffer line = BUFFER_INIT, block = BUFFER_INIT;
	const struct sighting sighting = { .bytes = data, .length = size, .original = size };
	uint32_t length;

	packet_describe(&line, data, size);
	for (size_t i = 0; i < line.length; i++)
		if (line.data[i] < 0x20 || line.data[i] > 0x7e)
			abort();
	pcapng_packet(&block, &sighting);
	memcpy(&length, block.data + 4, sizeof(length));
	if (length != block.length || length % 4 ||
	    memcmp(block.data + 4, block.data + length - 4, sizeof(length)) != 0)
		abort();
}

static void check_name(const uint8_t *data, size_t size)
{
	CLEANUP(buffer_clear) struct buffer name = BUFFER_INIT, line = BUFFER_INIT;
	CLEANUP(buffer_clear) struct buffer escaped = BUFFER_INIT;

	buffer_append(&name, data, size);
	display_line(&line, name.data);
	if (!line.length)
		return;
	if (!text_is_valid(line.data) || strpbrk(line.data, "\t\n\r\x1b\x7f") ||
	    strstr(line.data, "\xe2\x80\xae") || strstr(line.data, "\xc2\x9b") ||
	    display_columns(line.data) > 2 * line.length)
		abort();
	display_escape(&escaped, line.data);
	if (strpbrk(escaped.data, "<>\""))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_packet(data, size);
	check_name(data, size);
	return 0;
}
