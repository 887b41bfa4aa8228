/* Text that a person is shown: see display.h. */
#include "base/display.h"

#include "base/text.h"

struct range {
	uint32_t first, last;
};

static bool is_in(const struct range *ranges, size_t count, uint32_t c)
{
	for (size_t i = 0; i < count; i++)
		if (c >= ranges[i].first && c <= ranges[i].last)
			return true;
	return false;
}

uint32_t display_character(const char *text, size_t *ret_length)
{
	size_t length = text_character(text);
	uint32_t c = (unsigned char)*text;

	*ret_length = length ? length : 1;
	if (!length && c >= 0x80)
		return 0xfffd;
	if (length < 2)
		return c;
	c &= 0xffU >> (length + 1);
	for (size_t i = 1; i < length; i++)
		c = c << 6 | ((unsigned char)text[i] & 0x3f);
	return c;
}

static bool is_steering(uint32_t c)
{
	/* Controls; marks and overrides of direction, separators of lines and paragraphs. */
	static const struct range ranges[] = { { 0, 0x1f },	   { 0x7f, 0x9f },
					       { 0x200e, 0x200f }, { 0x2028, 0x202e },
					       { 0x2066, 0x2069 }, { 0xfeff, 0xfeff } };

	return is_in(ranges, ARRAY_SIZE(ranges), c);
}

void display_line(struct buffer *buffer, const char *text)
{
	size_t length;

	for (; text && *text; text += length) {
		uint32_t c = display_character(text, &length);

		if (c == '\t' || c == '\n' || c == '\r')
			buffer_putc(buffer, ' ');
		else if (c == 0xfffd || is_steering(c))
			buffer_putc(buffer, '?');
		else
			buffer_append(buffer, text, length);
	}
}

void display_plain(char *text)
{
	CLEANUP(buffer_clear) struct buffer line = BUFFER_INIT;

	if (!text || !*text)
		return;
	display_line(&line, text);
	memcpy(text, line.data, line.length + 1);
}

void display_json(struct buffer *buffer, const char *json)
{
	size_t length;

	for (; *json; json += length) {
		uint32_t c = display_character(json, &length);

		if (c != '\n' && is_steering(c))
			buffer_printf(buffer, "\\u%04x", c);
		else
			buffer_append(buffer, json, length);
	}
}

static size_t columns_of(uint32_t c)
{
	static const struct range zero[] = { { 0x300, 0x36f },	 { 0x483, 0x489 },
					     { 0x591, 0x5bd },	 { 0x610, 0x61a },
					     { 0x64b, 0x65f },	 { 0x200b, 0x200d },
					     { 0x20d0, 0x20ff }, { 0xfe00, 0xfe0f },
					     { 0xfe20, 0xfe2f } };
	/* Unicode's East Asian Width, W and F, in large strokes. */
	static const struct range wide[] = {
		{ 0x1100, 0x115f },   { 0x231a, 0x231b },  { 0x2600, 0x27bf }, { 0x2b1b, 0x2b55 },
		{ 0x2e80, 0x303e },   { 0x3041, 0xa4cf },  { 0xa960, 0xa97f }, { 0xac00, 0xd7a3 },
		{ 0xf900, 0xfaff },   { 0xfe30, 0xfe6f },  { 0xff00, 0xff60 }, { 0xffe0, 0xffe6 },
		{ 0x1f000, 0x1faff }, { 0x20000, 0x3fffd }
	};

	if (is_in(zero, ARRAY_SIZE(zero), c))
		return 0;
	return is_in(wide, ARRAY_SIZE(wide), c) ? 2 : 1;
}

size_t display_columns(const char *text)
{
	size_t columns = 0, length;

	for (; *text; text += length)
		columns += columns_of(display_character(text, &length));
	return columns;
}

size_t display_fit(const char *text, size_t columns)
{
	size_t taken = 0, at = 0, length;

	for (; text[at]; at += length) {
		taken += columns_of(display_character(text + at, &length));
		if (taken > columns)
			break;
	}
	return at;
}

void display_escape(struct buffer *buffer, const char *text)
{
	for (; *text; text++) {
		if (*text == '&')
			buffer_puts(buffer, "&amp;");
		else if (*text == '<')
			buffer_puts(buffer, "&lt;");
		else if (*text == '>')
			buffer_puts(buffer, "&gt;");
		else if (*text == '"')
			buffer_puts(buffer, "&quot;");
		else
			buffer_putc(buffer, *text);
	}
}
