/* objects: emulator/api/xml.o emulator/base/base64.o emulator/base/buffer.o emulator/base/util.o emulator/base/text.o */
/* libs: -lexpat -lnettle */
/* What is written, byte for byte; that a parser reads it back; and how long much of it takes. */
#include "api/xml.h"
#include "cpu.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <expat.h>

#include <cmocka.h>

#define HEAD "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"

static void expect(struct xml *xml, const char *text)
{
	CLEANUP(buffer_clear) struct buffer body = BUFFER_INIT;

	xml_finish(xml, &body);
	assert_string_equal(body.data, text);
	assert_int_equal(body.length, strlen(text));
}

static void test_document(void **state)
{
	CLEANUP(xml_freep) struct xml *xml = xml_new();

	(void)state;
	xml_open_ns(xml, "DescribeVpcsResponse", "http://ec2.amazonaws.com/doc/2016-11-15/");
	xml_text(xml, "requestId", "7");
	xml_open(xml, "vpcSet");
	xml_open(xml, "item");
	xml_text(xml, "vpcId", "vpc-1");
	xml_text(xml, "absent", NULL);
	xml_text(xml, "empty", "");
	xml_bool(xml, "isDefault", true);
	xml_bool(xml, "other", false);
	xml_int(xml, "count", -9223372036854775807 - 1);
	xml_time(xml, "launchTime", 1714566896);
	xml_time(xml, "never", 0);
	xml_open(xml, "tagSet");
	xml_close(xml);
	xml_close(xml);
	xml_close(xml);
	xml_close(xml);
	expect(xml,
	       HEAD "<DescribeVpcsResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\">"
		    "<requestId>7</requestId><vpcSet><item><vpcId>vpc-1</vpcId><empty/>"
		    "<isDefault>true</isDefault><other>false</other>"
		    "<count>-9223372036854775808</count>"
		    "<launchTime>2024-05-01T12:34:56.000Z</launchTime><tagSet/></item></vpcSet>"
		    "</DescribeVpcsResponse>");
}

static void test_finish_closes_and_appends(void **state)
{
	CLEANUP(xml_freep) struct xml *xml = xml_new();
	CLEANUP(buffer_clear) struct buffer body = BUFFER_INIT;

	(void)state;
	xml_open(xml, "a");
	xml_open(xml, "b");
	xml_text(xml, "c", "d");
	buffer_puts(&body, "before ");
	xml_finish(xml, &body);
	assert_string_equal(body.data, "before " HEAD "<a><b><c>d</c></b></a>");
}

static void test_free_without_finish(void **state)
{
	struct xml *xml = xml_new();

	(void)state;
	xml_open(xml, "a");
	xml_freep(&xml);
	assert_null(xml);
	xml_freep(&xml);
}

#define R "\xef\xbf\xbd"

static void test_text(void **state)
{
	static const struct {
		const char *in, *out;
	} texts[] = {
		{ "<a href=\"x\">&amp;'", "&lt;a href=\"x\"&gt;&amp;amp;'" },
		{ "]]>", "]]&gt;" },
		{ "tab\tline\nreturn\r", "tab\tline\nreturn&#13;" },
		{ "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80",
		  "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80" },
		{ "\x01x\x1f\x0b", R "x" R R },
		{ "\x7f", "\x7f" },
		{ "\xff\xfe", R R },
		{ "\xc3(", R "(" },
		{ "\xc3", R },
		{ "\xe2\x82", R R },
		{ "\xc0\xaf", R R }, /* overlong */
		{ "\xe0\x80\xaf", R R R },
		{ "\xf0\x80\x80\xaf", R R R R },
		{ "\xed\xa0\x80", R R R },		     /* surrogate */
		{ "\xf4\x90\x80\x80", R R R R },	     /* beyond U+10FFFF */
		{ "\xef\xbf\xbe\xef\xbf\xbf", R R R R R R }, /* U+FFFE, U+FFFF */
		{ "\xef\xbf\xbd", R },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		CLEANUP(xml_freep) struct xml *xml = xml_new();
		CLEANUP(freep) char *text = xasprintf(HEAD "<a><b>%s</b></a>", texts[i].out);

		xml_open(xml, "a");
		xml_text(xml, "b", texts[i].in);
		expect(xml, text);
	}
}

static void XMLCALL count_element(void *context, const XML_Char *name, const XML_Char **attributes)
{
	int *count = context;

	(void)attributes;
	*count += streq(name, "item");
}

/* Every byte in every place of a short text: a parser must accept the document. */
static void test_always_well_formed(void **state)
{
	CLEANUP(xml_freep) struct xml *xml = xml_new();
	CLEANUP(buffer_clear) struct buffer body = BUFFER_INIT;
	XML_Parser parser = XML_ParserCreate(NULL);
	int count = 0;

	(void)state;
	xml_open(xml, "all");
	for (int first = 1; first < 256; first++)
		for (int second = 1; second < 256; second++) {
			char text[] = { (char)first, (char)second, (char)0x80, 'x', '\0' };

			xml_text(xml, "item", text);
		}
	xml_finish(xml, &body);
	XML_SetUserData(parser, &count);
	XML_SetStartElementHandler(parser, count_element);
	assert_int_equal(XML_Parse(parser, body.data, (int)body.length, XML_TRUE), XML_STATUS_OK);
	assert_int_equal(count, 255 * 255);
	XML_ParserFree(parser);
}

/* 4,000 instances of 100 elements: 0.06 s where this was written. */
static void test_speed(void **state)
{
	CLEANUP(xml_freep) struct xml *xml = xml_new();
	CLEANUP(buffer_clear) struct buffer body = BUFFER_INIT;
	clock_t started = clock();

	(void)state;
	xml_open(xml, "reservationSet");
	for (int i = 0; i < 4000; i++) {
		xml_open(xml, "item");
		for (int j = 0; j < 100; j++)
			xml_text(xml, "privateDnsName", "ip-10-0-0-1.ec2.internal");
		xml_close(xml);
	}
	xml_finish(xml, &body);
	assert_true(body.length > 4000 * 100 * 50);
	assert_true(is_within(2, started));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_document),
		cmocka_unit_test(test_finish_closes_and_appends),
		cmocka_unit_test(test_free_without_finish),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_always_well_formed),
		cmocka_unit_test(test_speed),
	};

	return cmocka_run_group_tests_name("xml", tests, NULL, NULL);
}
