/* objects: emulator/lab/pattern.o emulator/base/buffer.o emulator/base/util.o */
/* Patterns of parameters: what they match as Java's, what is refused, and that none takes long. */
#include "cpu.h"
#include "lab/pattern.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define BYTE "([0-9]|[1-9][0-9]|1[0-9]{2}|2[0-4][0-9]|25[0-5])"

static void test_matches(void **state)
{
	static const struct {
		const char *pattern, *text;
		bool matches;
	} rows[] = {
		{ "", "", true },
		{ "", "a", false },
		{ "[a-z]+", "abc", true },
		{ "[a-z]+", "abc1", false }, /* the whole of it */
		{ "^[a-z]+$", "abc", true },
		{ "a|bc", "bc", true },
		{ "a|bc", "ac", false },
		{ "\\d{1,3}\\.\\d+", "12.3", true },
		{ "\\d{1,3}\\.\\d+", "12x3", false },
		{ "\\w+\\s\\W", "a_1 -", true },
		{ "\\D\\S", "a ", false },
		{ "[\\d.-]*", "1.2-3", true },
		{ "[\\w\\-/]+", "a-b/c_d", true },
		{ "[\\x20-\\x7E]*", "any ~ text", true },
		{ "[\\x20-\\x7E]*", "a\tb", false },
		{ "[\\u0041-C\\t]+", "AC\t", true },
		{ "[^\\]\\[^-]+", "abc", true },
		{ "[^\\]\\[^-]+", "a^c", false },
		{ "[]a]+", "]a", true },
		{ "[\\^]", "^", true },
		{ "[\\\\]", "\\", true },
		{ "[^a]", "b", true },
		{ "[^a]", "a", false },
		{ "\\p{Alnum}+[\\p{Upper}]", "aB9Z", true },
		{ "(?:ab)+c??", "abab", true },
		{ "a{2}", "aa", true },
		{ "a{2,}", "aaaa", true },
		{ "a{2,}", "a", false },
		{ "a{2,3}", "aaaa", false },
		{ "\\Aa\\z", "a", true },
		{ "\\(\\)\\/\\{\\}}", "()/{}}", true },
		{ ".*", "anything é", true },
		{ "(" BYTE "\\.){3}" BYTE "(\\/(1[6-9]|2[0-8]))", "10.0.255.0/16", true },
		{ "(" BYTE "\\.){3}" BYTE "(\\/(1[6-9]|2[0-8]))", "10.0.256.0/16", false },
		{ "(" BYTE "\\.){3}" BYTE "(\\/(1[6-9]|2[0-8]))", "10.0.0.0/8", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(pattern_freep) struct pattern *pattern = NULL;
		const char *reason;

		if (pattern_compile(rows[i].pattern, &pattern, &reason) < 0)
			fail_msg("%s: %s", rows[i].pattern, reason);
		if (pattern_matches(pattern, rows[i].text) != rows[i].matches)
			fail_msg("%s: %s", rows[i].pattern, rows[i].text);
	}
}

static void test_refusals(void **state)
{
	static const struct {
		const char *pattern, *reason;
	} rows[] = {
		{ "(?=a)", "it looks ahead or behind, or sets a flag" },
		{ "(?!a)", "it looks ahead or behind, or sets a flag" },
		{ "(?i)a", "it looks ahead or behind, or sets a flag" },
		{ "(a)\\1", "it has an escape that is not supported" },
		{ "\\bword", "it has an escape that is not supported" },
		{ "\\p{Greek}", "it has an escape that is not supported" },
		{ "[\\u00e9]", "it has an escape that is no ASCII character" },
		{ "\\xzz", "it has an escape that is no ASCII character" },
		{ "\\x", "it has an escape that is no ASCII character" },
		{ "a\\", "it ends with a backslash" },
		{ "[a", "it has a [ without its ]" },
		{ "[a\\", "it ends with a backslash" },
		{ "[z-a]", "it has a range that ends before it begins" },
		{ "[a-\\d]", "it has a range that ends with a class" },
		{ "[a[b]]", "it has a set of sets" },
		{ "[a-z&&[^b]]", "it has a set of sets" },
		{ "[^\\d\\D]", "it has a set of no characters" },
		{ "(a", "it has a ( without its )" },
		{ "a)", "it has a ) without its (" },
		{ "*a", "it repeats nothing" },
		{ "a|*", "it repeats nothing" },
		{ "(+)", "it repeats nothing" },
		{ "a*+", "it has a possessive repetition" },
		{ "a{", "it has a { that is no repetition" },
		{ "a{b}", "it has a { that is no repetition" },
		{ "a{2", "it has a { that is no repetition" },
		{ "a{3,2}", "it has a { that is no repetition" },
		{ "a{2,b}", "it has a { that is no repetition" },
		{ "a{5000}", "it is too large" },
		{ "a{99999999999999999999}", "it is too large" },
		{ "((a{100}){100}){100}", "it is too large" },
		{ "((((((((a{2}){2}){2}){2}){2}){2}){2}){2}){200}", "it is too large" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct pattern *pattern = NULL;
		const char *reason = NULL;

		if (pattern_compile(rows[i].pattern, &pattern, &reason) == 0)
			fail_msg("%s is taken", rows[i].pattern);
		if (!streq(reason, rows[i].reason))
			fail_msg("%s: %s", rows[i].pattern, reason);
		assert_null(pattern);
	}
}

static void test_depth_and_length(void **state)
{
	CLEANUP(freep) char *deep = xcalloc(2001, 1), *text = xcalloc(4097, 1);
	CLEANUP(pattern_freep) struct pattern *pattern = NULL;
	const char *reason = NULL;
	clock_t start = clock();

	(void)state;
	memset(deep, '(', 2000);
	assert_int_equal(pattern_compile(deep, &pattern, &reason), -22);
	assert_string_equal(reason, "it is nested too deeply");
	/* what takes a backtracking matcher forever */
	memset(text, 'a', 4096);
	assert_int_equal(pattern_compile("(a|a|aa)*(a*)*b", &pattern, &reason), 0);
	assert_false(pattern_matches(pattern, text));
	pattern_freep(&pattern);
	assert_int_equal(pattern_compile("(a?){1000}b", &pattern, &reason), 0);
	assert_false(pattern_matches(pattern, text));
	assert_true(is_within(10, start));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_matches),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_depth_and_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
