/* XML out: see xml.h. The writer's output goes straight into a struct buffer. */
#include "api/xml.h"

#include <inttypes.h>
#include <libxml/xmlwriter.h>
#include <stdio.h>
#include <time.h>

#include "base/text.h"

struct xml {
	xmlTextWriterPtr writer;
	struct buffer out;
	struct buffer leaf; /* scratch */
};

static int write_out(void *context, const char *data, int length)
{
	struct xml *xml = context;

	buffer_append(&xml->out, data, (size_t)length);
	return length;
}

static const xmlChar *chars(const char *text)
{
	return (const xmlChar *)text;
}

/* libxml2 reports only allocation failures here, and those end the program everywhere else. */
static void must(int result)
{
	if (result < 0)
		abort();
}

struct xml *xml_new(void)
{
	struct xml *xml = xcalloc(1, sizeof(*xml));
	xmlOutputBufferPtr output = xmlOutputBufferCreateIO(write_out, NULL, xml, NULL);

	xml->writer = output ? xmlNewTextWriter(output) : NULL;
	if (!xml->writer)
		abort();
	/* Not StartDocument(…, "UTF-8"): that puts a converter in the way. */
	must(xmlTextWriterWriteRaw(xml->writer,
				   chars("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n")));
	return xml;
}

void xml_freep(struct xml **xml)
{
	if (!*xml)
		return;
	xmlFreeTextWriter((*xml)->writer);
	buffer_clear(&(*xml)->out);
	buffer_clear(&(*xml)->leaf);
	free(*xml);
	*xml = NULL;
}

void xml_open(struct xml *xml, const char *name)
{
	must(xmlTextWriterStartElement(xml->writer, chars(name)));
}

void xml_open_ns(struct xml *xml, const char *name, const char *namespace_uri)
{
	must(xmlTextWriterStartElement(xml->writer, chars(name)));
	must(xmlTextWriterWriteAttribute(xml->writer, chars("xmlns"), chars(namespace_uri)));
}

void xml_close(struct xml *xml)
{
	must(xmlTextWriterEndElement(xml->writer));
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

/*
 * Leaves are nearly all of a document. Written raw, with one call to the writer, they cost half of
 * what WriteElement with its copies and its stack does.
 */
void xml_text(struct xml *xml, const char *name, const char *text)
{
	struct buffer *leaf = &xml->leaf;

	if (!text)
		return;
	leaf->length = 0;
	buffer_putc(leaf, '<');
	buffer_puts(leaf, name);
	if (text[0] == '\0') {
		buffer_puts(leaf, "/>");
	} else {
		buffer_putc(leaf, '>');
		append_escaped(leaf, text);
		buffer_puts(leaf, "</");
		buffer_puts(leaf, name);
		buffer_putc(leaf, '>');
	}
	must(xmlTextWriterWriteRawLen(xml->writer, chars(leaf->data), (int)leaf->length));
}

void xml_bool(struct xml *xml, const char *name, bool value)
{
	xml_text(xml, name, value ? "true" : "false");
}

void xml_int(struct xml *xml, const char *name, int64_t value)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRId64, value);
	xml_text(xml, name, text);
}

void xml_time(struct xml *xml, const char *name, int64_t unix_seconds)
{
	time_t seconds = unix_seconds;
	struct tm tm;
	char text[64];

	if (unix_seconds == 0 || !gmtime_r(&seconds, &tm))
		return;
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S.000Z", &tm);
	xml_text(xml, name, text);
}

void xml_finish(struct xml *xml, struct buffer *ret_body)
{
	must(xmlTextWriterEndDocument(xml->writer));
	must(xmlTextWriterFlush(xml->writer));
	/* EndDocument ends the last line, which some tools print as an empty one. */
	while (xml->out.length && xml->out.data[xml->out.length - 1] == '\n')
		xml->out.data[--xml->out.length] = '\0';
	if (ret_body->length) {
		buffer_append(ret_body, xml->out.data, xml->out.length);
		return;
	}
	buffer_clear(ret_body);
	*ret_body = xml->out;
	xml->out = (struct buffer)BUFFER_INIT;
}
