/* XML out: see xml.h. */
#include "api/xml.h"

#include "base/base64.h"
#include "base/text.h"

/* An open element: where its name stands in what was written. */
struct element {
	size_t name;
	size_t length;
};

struct xml {
	struct buffer out;
	struct element *open; /* the innermost last */
	size_t depth;
	bool unfinished; /* the innermost one's tag lacks its end: nothing is in it yet */
};

struct xml *xml_new(void)
{
	struct xml *xml = xcalloc(1, sizeof(*xml));

	buffer_puts(&xml->out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
	return xml;
}

void xml_freep(struct xml **xml)
{
	if (!*xml)
		return;
	buffer_clear(&(*xml)->out);
	free((*xml)->open);
	free(*xml);
	*xml = NULL;
}

static void finish_tag(struct xml *xml)
{
	if (xml->unfinished)
		buffer_putc(&xml->out, '>');
	xml->unfinished = false;
}

void xml_open(struct xml *xml, const char *name)
{
	finish_tag(xml);
	buffer_putc(&xml->out, '<');
	*array_grow(&xml->open, &xml->depth) = (struct element){ xml->out.length, strlen(name) };
	buffer_puts(&xml->out, name);
	xml->unfinished = true;
}

void xml_open_ns(struct xml *xml, const char *name, const char *namespace_uri)
{
	xml_open(xml, name);
	buffer_printf(&xml->out, " xmlns=\"%s\"", namespace_uri);
}

void xml_close(struct xml *xml)
{
	struct element element;
	char name[128]; /* what it stands in may move while it grows */

	assert(xml->depth > 0);
	element = xml->open[--xml->depth];
	if (xml->unfinished) {
		buffer_puts(&xml->out, "/>");
		xml->unfinished = false;
		return;
	}
	assert(element.length <= sizeof(name));
	memcpy(name, xml->out.data + element.name, element.length);
	buffer_puts(&xml->out, "</");
	buffer_append(&xml->out, name, element.length);
	buffer_putc(&xml->out, '>');
}

/* What can't stand as it is: the replacement for the byte or broken character at `text`. */
static const char *replacement(unsigned char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '\r':
		return "&#13;"; /* a bare one would be read as a line feed */
	default:
		return "\xef\xbf\xbd"; /* U+FFFD */
	}
}

static bool is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x80 && c != '&' && c != '<' && c != '>';
}

static void append_escaped(struct buffer *buffer, const char *text)
{
	while (*text) {
		const unsigned char *c = (const unsigned char *)text;
		size_t length = 0;

		while (is_plain(c[length]))
			length++;
		if (length == 0 && (*c >= 0x80 || *c == '\t' || *c == '\n'))
			length = text_character(text);
		if (length) {
			buffer_append(buffer, text, length);
		} else {
			buffer_puts(buffer, replacement(*c));
			length = 1;
		}
		text += length;
	}
}

void xml_text(struct xml *xml, const char *name, const char *text)
{
	struct buffer *out = &xml->out;
	size_t length;

	if (!text)
		return;
	finish_tag(xml);
	length = strlen(name);
	buffer_putc(out, '<');
	buffer_append(out, name, length);
	if (text[0] == '\0') {
		buffer_puts(out, "/>");
		return;
	}
	buffer_putc(out, '>');
	append_escaped(out, text);
	buffer_puts(out, "</");
	buffer_append(out, name, length);
	buffer_putc(out, '>');
}

void xml_bytes(struct xml *xml, const char *name, const struct buffer *bytes)
{
	CLEANUP(buffer_clear) struct buffer text = BUFFER_INIT;

	base64_write(bytes->data, bytes->length, 0, &text);
	xml_text(xml, name, text.length ? text.data : NULL);
}

void xml_bool(struct xml *xml, const char *name, bool value)
{
	xml_text(xml, name, value ? "true" : "false");
}

void xml_int(struct xml *xml, const char *name, int64_t value)
{
	CLEANUP(buffer_clear) struct buffer text = BUFFER_INIT;

	buffer_number(&text, value);
	xml_text(xml, name, text.data);
}

void xml_time(struct xml *xml, const char *name, int64_t unix_seconds)
{
	CLEANUP(buffer_clear) struct buffer text = BUFFER_INIT;

	if (unix_seconds == 0)
		return;
	buffer_time(&text, unix_seconds);
	xml_text(xml, name, text.data);
}

void xml_finish(struct xml *xml, struct buffer *ret_body)
{
	while (xml->depth)
		xml_close(xml);
	if (ret_body->length) {
		buffer_append(ret_body, xml->out.data, xml->out.length);
		return;
	}
	buffer_clear(ret_body);
	*ret_body = xml->out;
	xml->out = (struct buffer)BUFFER_INIT;
}
