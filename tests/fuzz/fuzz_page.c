/* objects: emulator/api/page.o emulator/base/buffer.o emulator/base/util.o */
/*
 * Pagination tokens: what is taken is what would be given, and what is given is taken. With
 * libFuzzer: -DFUZZER -fsanitize=fuzzer.
 */
#include "api/page.h"
#include "replay.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(buffer_clear) struct buffer text = BUFFER_INIT, written = BUFFER_INIT;
	int64_t from, again;

	buffer_append(&text, data, size);
	if (page_token_read(text.data, &from) == 0) {
		page_token_write(from, &written);
		if (from < 0 || !streq(written.data, text.data))
			abort();
	}
	if (size < sizeof(from))
		return 0;
	memcpy(&from, data, sizeof(from));
	from &= INT64_MAX;
	written.length = 0;
	page_token_write(from, &written);
	if (page_token_read(written.data, &again) < 0 || again != from)
		abort();
	return 0;
}
