/* Text as it may stand in XML and JSON: see text.h. */
#include "base/text.h"

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
