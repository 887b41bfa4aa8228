/* Text as it may stand in XML and JSON, and as URLs escape it: see text.h. */
#include "base/text.h"

#include <errno.h>

size_t text_character(const char *bytes)
{
	const unsigned char *text = (const unsigned char *)bytes;
	static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t length = *text < 0x80 ? 1 : *text >= 0xf0 ? 4 : *text >= 0xe0 ? 3 : 2;
	uint32_t c = *text;

	if (length == 1)
		return c >= 0x20 || c == '\t' || c == '\n' || c == '\r';
	if (c < 0xc2 || c > 0xf4)
		return 0;
	c &= 0x7fU >> length;
	for (size_t i = 1; i < length; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (text[i] & 0x3f);
	}
	if (c < smallest[length] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) ||
	    (c == 0xfffe || c == 0xffff))
		return 0;
	return length;
}

bool text_is_valid(const char *text)
{
	for (size_t length; *text; text += length) {
		length = text_character(text);
		if (!length)
			return false;
	}
	return true;
}

int text_size(const char *text, uint64_t *ret_size)
{
	static const char units[] = "KMGT";
	size_t digits = strspn(text, "0123456789");
	const char *unit = text[digits] ? strchr(units, text[digits]) : NULL;
	uint64_t size;

	if (digits == 0 || digits > 15 || (text[digits] && (!unit || text[digits + 1])))
		return -EINVAL;
	size = strtoull(text, NULL, 10);
	for (const char *at = units; unit && at <= unit; at++) {
		if (size > UINT64_MAX / 1024)
			return -EINVAL;
		size *= 1024;
	}
	if (size == 0 || size > INT64_MAX)
		return -EINVAL;
	*ret_size = size;
	return 0;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

char *text_unescape(const char *in, size_t length, bool form, char *out)
{
	for (size_t i = 0; i < length; i++) {
		char c = form && in[i] == '+' ? ' ' : in[i];

		if (c == '%') {
			int high = i + 2 < length ? hex_digit(in[i + 1]) : -1;
			int low = high >= 0 ? hex_digit(in[i + 2]) : -1;

			if (low < 0)
				return NULL;
			c = (char)(high << 4 | low);
			i += 2;
		}
		if (c == '\0')
			return NULL;
		*out++ = c;
	}
	*out++ = '\0';
	return out;
}
