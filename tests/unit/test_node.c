/* objects: emulator/lab/node.o emulator/lab/node_yaml.o emulator/lab/node_json.o emulator/base/error.o emulator/base/text.o emulator/base/buffer.o emulator/base/util.o */
/* libs: yaml-0.1 jansson */
/* Documents: what is read, as JSON; where what is wrong is; and how much is too much. */
#include "cpu.h"
#include "lab/node.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static char *json_of(const struct node *node)
{
	struct buffer json = BUFFER_INIT;

	node_json(node, &json);
	return buffer_steal(&json);
}

/* What is read is the same when its JSON is read. */
static void expect(const char *text, const char *json)
{
	CLEANUP(node_freep) struct node *node = NULL, *again = NULL;
	CLEANUP(freep) char *written = NULL;
	struct error error = ERROR_INIT;

	if (node_parse(text, strlen(text), &node, &error) < 0)
		fail_msg("%s: %s", text, error.text);
	written = json_of(node);
	assert_string_equal(written, json);
	assert_int_equal(node_parse(written, strlen(written), &again, &error), 0);
	assert_true(node_equal(node, again));
}

static void test_what_is_read(void **state)
{
	static const struct {
		const char *text, *json;
	} rows[] = {
		{ "a: 1\nb: true\nc: 2010-09-09\nd: 010\ne: yes",
		  "{\"a\":\"1\",\"b\":\"true\",\"c\":\"2010-09-09\",\"d\":\"010\",\"e\":\"yes\"}" },
		{ "a:\nb: ~\nc: null\nd: 'null'\ne: \"\"\nf: !!str null",
		  "{\"a\":null,\"b\":null,\"c\":null,\"d\":\"null\",\"e\":\"\",\"f\":\"null\"}" },
		{ "%YAML 1.1\n---\n- a\n- [b, {c: d}]\n...\n", "[\"a\",[\"b\",{\"c\":\"d\"}]]" },
		{ "a: |\n  one\n  two\nb: >-\n  one\n  two\n",
		  "{\"a\":\"one\\ntwo\\n\",\"b\":\"one two\"}" },
		{ "- !Ref A\n- !GetAtt A.B.C\n- !GetAtt [A, B]\n- !GetAtt A\n- !Condition C",
		  "[{\"Ref\":\"A\"},{\"Fn::GetAtt\":[\"A\",\"B.C\"]},{\"Fn::GetAtt\":[\"A\",\"B\"]}"
		  ","
		  "{\"Fn::GetAtt\":\"A\"},{\"Condition\":\"C\"}]" },
		{ "- !Sub '${A}'\n- !Sub [x, {y: z}]\n- !Join [',', [a, b]]\n- !Select [0, !GetAZs "
		  "]\n"
		  "- !Split [a, b]\n- !FindInMap [a, b, c]\n- !Base64 x\n- !Cidr [a, 1, 2]\n",
		  "[{\"Fn::Sub\":\"${A}\"},{\"Fn::Sub\":[\"x\",{\"y\":\"z\"}]},"
		  "{\"Fn::Join\":[\",\",[\"a\",\"b\"]]},{\"Fn::Select\":[\"0\",{\"Fn::GetAZs\":"
		  "\"\"}]},"
		  "{\"Fn::Split\":[\"a\",\"b\"]},{\"Fn::FindInMap\":[\"a\",\"b\",\"c\"]},"
		  "{\"Fn::Base64\":\"x\"},{\"Fn::Cidr\":[\"a\",\"1\",\"2\"]}]" },
		{ "- !If [a, b, c]\n- !Equals [a, b]\n- !And [a, b]\n- !Or [a, b]\n- !Not [a]\n"
		  "- !ImportValue x\n- !Transform {Name: x}",
		  "[{\"Fn::If\":[\"a\",\"b\",\"c\"]},{\"Fn::Equals\":[\"a\",\"b\"]},"
		  "{\"Fn::And\":[\"a\",\"b\"]},{\"Fn::Or\":[\"a\",\"b\"]},{\"Fn::Not\":[\"a\"]},"
		  "{\"Fn::ImportValue\":\"x\"},{\"Fn::Transform\":{\"Name\":\"x\"}}]" },
		{ "a: &x {b: c}\nd: *x\ne: &x [1]\nf: *x",
		  "{\"a\":{\"b\":\"c\"},\"d\":{\"b\":\"c\"},\"e\":[\"1\"],\"f\":[\"1\"]}" },
		{ "a: &x {b: 1, c: 2}\nd:\n  <<: *x\n  c: 3\ne:\n  c: 4\n  <<: [{b: 5}, *x]\n'<<': "
		  "6",
		  "{\"a\":{\"b\":\"1\",\"c\":\"2\"},\"d\":{\"c\":\"3\",\"b\":\"1\"},"
		  "\"e\":{\"c\":\"4\",\"b\":\"5\"},\"<<\":\"6\"}" },
		{ "<<: &x {a: 1}\nb: *x", "{\"b\":{\"a\":\"1\"},\"a\":\"1\"}" },
		/* JSON, where YAML has it */
		{ "{\n\t\"a\":[1,2.50,true,null],\n\t\"b\":\"x\\/y\\u00e9\\n\\t\\\"\"\n}",
		  "{\"a\":[\"1\",\"2.50\",\"true\",null],\"b\":\"x/yé\\n\\u0009\\\"\"}" },
		/* and where it hasn't */
		{ " {\"a\":\"\\ud83d\\ude00\",\"b\":[1,-1.5,false,null]}",
		  "{\"a\":\"😀\",\"b\":[\"1\",\"-1.5\",\"false\",null]}" },
		{ "\"\\u0085\\u2028\\u2029\\u009f é\"", "\"\\u0085\\u2028\\u2029\\u009f é\"" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		expect(rows[i].text, rows[i].json);
}

static void test_what_is_refused(void **state)
{
	static const struct {
		const char *text, *error;
	} rows[] = {
		{ "", "YAML not well-formed. (line 1, column 1): there is no document" },
		{ "a: 1\n---\nb: 2",
		  "YAML not well-formed. (line 2, column 1): there is more than one document" },
		{ "a: 1\nb: 2\na: 3",
		  "YAML not well-formed. (line 3, column 1): the key a is given twice" },
		{ "{\"a\": 1,\n \"a\": 2}",
		  "YAML not well-formed. (line 2, column 2): the key a is given twice" },
		{ "a:\n  b: !Foo x",
		  "YAML not well-formed. (line 2, column 6): the tag !Foo is not known" },
		{ "a: !!binary x", "YAML not well-formed. (line 1, column 4): the tag "
				   "tag:yaml.org,2002:binary is not known" },
		{ "a: !!map x", "YAML not well-formed. (line 1, column 4): the tag "
				"tag:yaml.org,2002:map is not known" },
		{ "a: *b",
		  "YAML not well-formed. (line 1, column 4): an alias without its anchor" },
		{ "a: &b [*b]",
		  "YAML not well-formed. (line 1, column 8): an alias inside of its anchor" },
		{ "<<: x",
		  "YAML not well-formed. (line 1, column 1): << needs a map or a list of maps" },
		{ "<<: [x]",
		  "YAML not well-formed. (line 1, column 1): << needs a map or a list of maps" },
		{ "[a]: b", "YAML not well-formed. (line 1, column 1): a key must be a text" },
		{ "a: \"\\0\"",
		  "YAML not well-formed. (line 1, column 4): a character that no text can have" },
		{ "\"\\x01\": b",
		  "YAML not well-formed. (line 1, column 1): a character that no text can have" },
		{ "a: b\nc: é\xff",
		  "YAML not well-formed. (line 2, column 6): invalid leading UTF-8 octet" },
		{ "a: b\n\tc: d", "YAML not well-formed. (line 2, column 1): found a tab character "
				  "that violates indentation" },
		{ "a:\n  - b\n c: d",
		  "YAML not well-formed. (line 3, column 2): did not find expected key" },
		/* JSON with what YAML lacks, and then something that neither has */
		{ "{\"a\": \"\\ud83d\\ude00\",\n \"b\": }",
		  "JSON not well-formed. (line 2, column 7): unexpected token near '}'" },
		{ "{\"a\": \"\\ud83d\\ude00\",\n \"a\": 1}",
		  "JSON not well-formed. (line 2, column 4): duplicate object key near '\"a\"'" },
		/* YAML's error where it is no JSON at all */
		{ "{a: b,\n c: [}",
		  "YAML not well-formed. (line 2, column 6): did not find expected node content" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct error error = ERROR_INIT;
		struct node *node = NULL;

		assert_int_equal(node_parse(rows[i].text, strlen(rows[i].text), &node, &error),
				 -22);
		assert_int_equal(error.code, ERROR_INVALID_TEMPLATE);
		assert_string_equal(error.text, rows[i].error);
		assert_null(node);
	}
}

static void test_places(void **state)
{
	static const char text[] = "a:\n"
				   "  b:\n"
				   "    - x\n"
				   "    - c:\n"
				   "        !GetAtt d.e\n";
	CLEANUP(node_freep) struct node *node = NULL;
	struct error error = ERROR_INIT;
	const struct node *b, *c;

	(void)state;
	assert_int_equal(node_parse(text, strlen(text), &node, &error), 0);
	b = node_get(node_get(node, "a"), "b");
	assert_int_equal(b->line, 2);
	assert_int_equal(b->column, 3);
	assert_int_equal(b->items[0]->line, 3);
	assert_int_equal(b->items[0]->column, 7);
	/* a member's place is its key's, what is in it has its own */
	c = node_get(b->items[1], "c");
	assert_int_equal(c->line, 4);
	assert_int_equal(c->items[0]->items[1]->line, 5);
	assert_string_equal(c->items[0]->items[1]->text, "e");
	assert_null(node_get(c, "none"));
	assert_null(node_get(b, "b"));
	assert_null(node_get(NULL, "b"));
	assert_null(node_get_text(node, "a"));
}

static void test_equal(void **state)
{
	static const struct {
		const char *a, *b;
		bool equal;
	} rows[] = {
		{ "{a: 1, b: [2, 3]}", "b:\n  - 2\n  - '3'\na: 1", true },
		{ "[1, 2]", "[2, 1]", false },
		{ "{a: 1}", "{a: 1, b: 2}", false },
		{ "{a: 1}", "{b: 1}", false },
		{ "null", "'null'", false },
		{ "[]", "{}", false },
		{ "[a]", "[a, b]", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(node_freep) struct node *a = NULL, *b = NULL, *copy = NULL;
		struct error error = ERROR_INIT;

		assert_int_equal(node_parse(rows[i].a, strlen(rows[i].a), &a, &error), 0);
		assert_int_equal(node_parse(rows[i].b, strlen(rows[i].b), &b, &error), 0);
		copy = node_copy(a);
		assert_true(node_equal(a, copy));
		assert_int_equal(node_equal(a, b), rows[i].equal);
		assert_int_equal(node_equal(b, a), rows[i].equal);
		assert_false(node_equal(a, NULL));
	}
}

/* A copy grows as what was read does. */
static void test_copy_grows(void **state)
{
	CLEANUP(node_freep) struct node *list = node_new(NODE_LIST), *copy = NULL;

	(void)state;
	for (unsigned int i = 0; i < 3; i++)
		node_add(list, NULL, node_text_new("x"));
	copy = node_copy(list);
	for (unsigned int i = 0; i < 100; i++)
		node_add(copy, NULL, node_text_new("y"));
	assert_int_equal(copy->count, 103);
	assert_int_equal(list->count, 3);
}

static char *repeat(const char *text, size_t count, const char *end)
{
	struct buffer all = BUFFER_INIT;

	while (count--)
		buffer_puts(&all, text);
	buffer_puts(&all, end);
	return buffer_steal(&all);
}

static void expect_bound(const char *text, const char *reason)
{
	struct error error = ERROR_INIT;
	struct node *node = NULL;

	assert_int_equal(node_parse(text, strlen(text), &node, &error), -22);
	if (!strstr(error.text, reason))
		fail_msg("%s: %s", reason, error.text);
	assert_null(node);
}

/* Each takes no time, and says what is too much. */
static void test_bounds(void **state)
{
	CLEANUP(freep) char *large = repeat("# a line of comment\n", 60000, "a: b");
	CLEANUP(freep) char *deep = repeat("[", 100000, "");
	CLEANUP(freep) char *deep_blocks = repeat("- ", 100000, "");
	CLEANUP(freep) char *deep_json = repeat("{\"\\ud83d\\ude00\":", 1500, "1");
	CLEANUP(freep) char *ends = repeat("}", 1500, "");
	CLEANUP(freep) char *deep_object = xasprintf("%s%s", deep_json, ends);
	CLEANUP(freep) char *many = repeat("[],", 300000, "");
	CLEANUP(freep) char *list = xasprintf("[%s[]]", many);
	CLEANUP(freep)
	char *laughs = xstrdup("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n"
			       "a1: &a1 [*a0,*a0,*a0,*a0,*a0,*a0,*a0,*a0,*a0]\n"
			       "a2: &a2 [*a1,*a1,*a1,*a1,*a1,*a1,*a1,*a1,*a1]\n"
			       "a3: &a3 [*a2,*a2,*a2,*a2,*a2,*a2,*a2,*a2,*a2]\n"
			       "a4: &a4 [*a3,*a3,*a3,*a3,*a3,*a3,*a3,*a3,*a3]\n"
			       "a5: &a5 [*a4,*a4,*a4,*a4,*a4,*a4,*a4,*a4,*a4]\n"
			       "a6: &a6 [*a5,*a5,*a5,*a5,*a5,*a5,*a5,*a5,*a5]\n");
	CLEANUP(buffer_clear) struct buffer nested = BUFFER_INIT, anchors = BUFFER_INIT;
	clock_t start = clock();

	(void)state;
	buffer_puts(&nested, "a0: &a0 x\n");
	buffer_puts(&anchors, "- &a0 x\n");
	for (unsigned int i = 1; i < 300; i++) {
		buffer_printf(&nested, "a%u: &a%u [*a%u]\n", i, i, i - 1);
		buffer_printf(&anchors, "- &a%u x\n", i);
	}
	expect_bound(large, "it is larger than 1048576 bytes");
	expect_bound(deep, "it is nested too deeply");
	expect_bound(deep_blocks, "it is nested too deeply");
	expect_bound(deep_object, "it is nested too deeply");
	expect_bound(list, "it is too large");
	expect_bound(laughs, "it is too large");
	expect_bound(nested.data, "it is nested too deeply");
	expect_bound(anchors.data, "too many anchors");
	assert_true(is_within(5, start));
}

static void test_long_key(void **state)
{
	CLEANUP(freep) char *key = repeat("k", 2000, "");
	CLEANUP(freep) char *text = xasprintf("{\"%s\":\"v\"}", key);

	(void)state;
	expect(text, text);
}

/* Many members are settled at once, not each against all. */
static void test_many_members(void **state)
{
	CLEANUP(buffer_clear) struct buffer text = BUFFER_INIT;
	CLEANUP(node_freep) struct node *node = NULL;
	struct error error = ERROR_INIT;
	clock_t start = clock();

	(void)state;
	for (unsigned int i = 0; i < 80000; i++)
		buffer_printf(&text, "k%u: v\n", i);
	assert_int_equal(node_parse(text.data, text.length, &node, &error), 0);
	assert_int_equal(node->count, 80000);
	assert_true(is_within(5, start));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_read), cmocka_unit_test(test_what_is_refused),
		cmocka_unit_test(test_places),	     cmocka_unit_test(test_equal),
		cmocka_unit_test(test_copy_grows),   cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_long_key),     cmocka_unit_test(test_many_members),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
