/* objects: emulator/api/xml.o emulator/base/base64.o emulator/base/buffer.o emulator/base/text.o emulator/base/util.o */
/* libs: nettle -lexpat */
/*
 * The XML writer: whatever is written, a parser reads it, and reads the texts that were told. Each
 * line of the input is one step: its first byte says which, the rest is the text. With libFuzzer:
 * -DFUZZER -fsanitize=fuzzer.
 */
#include "api/xml.h"

#include <expat.h>
#include <inttypes.h>

#include "base/base64.h"
#include "base/text.h"
#include "replay.h"

#define DEPTH_MAX 64

struct document {
	struct xml *xml;
	size_t depth;	    /* below the root */
	struct buffer told; /* all texts, one after the other */
};

/* What XML can't carry is told by one U+FFFD for each byte. */
static void expect(struct buffer *told, const char *text)
{
	while (*text) {
		size_t length = text_character(text);

		if (length)
			buffer_append(told, text, length);
		else
			buffer_puts(told, "\xef\xbf\xbd");
		text += length ? length : 1;
	}
}

static void write_number(struct document *document, int64_t number)
{
	xml_int(document->xml, "int", number);
	buffer_printf(&document->told, "%" PRId64, number);
	xml_time(document->xml, "time", number);
	if (number)
		buffer_time(&document->told, number);
	xml_bool(document->xml, "bool", number & 1);
	buffer_puts(&document->told, number & 1 ? "true" : "false");
}

static void write_bytes(struct document *document, const char *text)
{
	CLEANUP(buffer_clear) struct buffer bytes = BUFFER_INIT;

	buffer_puts(&bytes, text);
	xml_bytes(document->xml, "bytes", &bytes);
	base64_write(bytes.data, bytes.length, 0, &document->told);
}

static void step(struct document *document, const char *line)
{
	switch (*line) {
	case '<':
		if (document->depth == DEPTH_MAX)
			break;
		xml_open(document->xml, "element");
		document->depth++;
		break;
	case '>':
		if (document->depth == 0)
			break;
		xml_close(document->xml);
		document->depth--;
		break;
	case 'b':
		write_bytes(document, line + 1);
		break;
	case 'n':
		write_number(document, strtoll(line + 1, NULL, 10));
		break;
	default:
		xml_text(document->xml, "text", line);
		expect(&document->told, line);
	}
}

static void on_text(void *context, const XML_Char *text, int length)
{
	buffer_append(context, text, (size_t)length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(buffer_clear)
	struct buffer input = BUFFER_INIT, body = BUFFER_INIT, read = BUFFER_INIT;
	struct document document = { .xml = xml_new() };
	XML_Parser parser = XML_ParserCreate(NULL);
	char *rest, *line;

	buffer_append(&input, data, size);
	rest = input.data;
	xml_open_ns(document.xml, "root", "urn:x");
	while ((line = strsep(&rest, "\n")))
		step(&document, line);
	xml_finish(document.xml, &body);
	XML_SetUserData(parser, &read);
	XML_SetCharacterDataHandler(parser, on_text);
	if (XML_Parse(parser, body.data, (int)body.length, XML_TRUE) != XML_STATUS_OK ||
	    read.length != document.told.length ||
	    (read.length && memcmp(read.data, document.told.data, read.length) != 0))
		abort();
	XML_ParserFree(parser);
	xml_freep(&document.xml);
	buffer_clear(&document.told);
	return 0;
}
