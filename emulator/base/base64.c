/* Base64: see base64.h. */
#include "base/base64.h"

#include <errno.h>
#include <nettle/base64.h>

int base64_read(const char *text, size_t length, struct buffer *bytes)
{
	CLEANUP(freep) uint8_t *decoded = xcalloc(BASE64_DECODE_LENGTH(length) + 1, 1);
	struct base64_decode_ctx context;
	size_t size = 0;

	base64_decode_init(&context);
	if (!base64_decode_update(&context, &size, decoded, length, text) ||
	    !base64_decode_final(&context))
		return -EINVAL;
	buffer_append(bytes, decoded, size);
	return 0;
}

void base64_write(const void *bytes, size_t length, size_t width, struct buffer *text)
{
	const size_t total = BASE64_ENCODE_RAW_LENGTH(length);
	CLEANUP(freep) char *encoded = xcalloc(total + 1, 1);

	base64_encode_raw(encoded, length, bytes);
	if (!width) {
		buffer_append(text, encoded, total);
		return;
	}
	for (size_t at = 0; at < total; at += width) {
		buffer_append(text, encoded + at, MIN(width, total - at));
		buffer_putc(text, '\n');
	}
}
