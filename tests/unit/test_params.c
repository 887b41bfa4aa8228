/* objects: emulator/api/params.o emulator/base/error.o emulator/base/buffer.o emulator/base/util.o emulator/base/text.o */
/* Form decoding, lists, and the parameter specification. */
#include "api/params.h"
#include "cpu.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static struct params *parse_both(const char *query, const char *body)
{
	struct http_request request = { .method = "POST",
					.path = "/",
					.query = query,
					.body = body,
					.body_length = strlen(body) };
	struct params *params = NULL;
	struct error error = ERROR_INIT;

	if (params_parse(&request, &params, &error) < 0)
		fail_msg("%s", error.text);
	return params;
}

static struct params *parse(const char *body)
{
	return parse_both("", body);
}

static void expect_malformed(const char *body)
{
	struct http_request request = { .method = "POST",
					.path = "/",
					.query = "",
					.body = body,
					.body_length = strlen(body) };
	struct params *params = NULL;
	struct error error = ERROR_INIT;

	assert_int_equal(params_parse(&request, &params, &error), -22);
	assert_int_equal(error.code, ERROR_MALFORMED_QUERY);
	assert_null(params);
}

static void test_values(void **state)
{
	CLEANUP(params_freep)
	struct params *params = parse("a=1&b=x+y&c=%2f%2F%41&d&e=&f=g=h&%41%2e1=%C3%a9&&i=%2B");

	(void)state;
	assert_string_equal(params_get(params, "a"), "1");
	assert_string_equal(params_get(params, "b"), "x y");
	assert_string_equal(params_get(params, "c"), "//A");
	assert_string_equal(params_get(params, "d"), "");
	assert_string_equal(params_get(params, "e"), "");
	assert_string_equal(params_get(params, "f"), "g=h");
	assert_string_equal(params_get(params, "A.%u", 1U), "\xc3\xa9");
	assert_string_equal(params_get(params, "%s", "i"), "+");
	assert_null(params_get(params, "A"));
	assert_null(params_get(params, "%0600d", 1));
}

static void test_malformed(void **state)
{
	(void)state;
	expect_malformed("a=%");
	expect_malformed("a=%4");
	expect_malformed("a=%4&b");
	expect_malformed("a=%zz");
	expect_malformed("%g0=1");
	expect_malformed("a=%00");
	expect_malformed("a=%ff");	 /* not UTF-8 */
	expect_malformed("a=%c0%80");	 /* overlong */
	expect_malformed("a=%ed%a0%80"); /* a surrogate */
	expect_malformed("a=%01");	 /* no character of XML's */
	expect_malformed("=1");
	expect_malformed("a=1&=");
}

static void test_sources(void **state)
{
	CLEANUP(params_freep)
	struct params *params = parse_both("a=1&b=2&X-Amz-Signature=q", "b=3&X-Amz-Date=z&c=4");
	struct http_request get = {
		.method = "GET", .query = "a=1", .body = "b=2", .body_length = 3
	};
	CLEANUP(params_freep) struct params *from_get = NULL;
	struct error error = ERROR_INIT;

	(void)state;
	assert_string_equal(params_get(params, "a"), "1");
	assert_string_equal(params_get(params, "b"), "3"); /* the last wins */
	assert_string_equal(params_get(params, "c"), "4");
	assert_null(params_get(params, "X-Amz-Signature"));
	assert_null(params_get(params, "X-Amz-Date"));
	assert_int_equal(params_parse(&get, &from_get, &error), 0);
	assert_string_equal(params_get(from_get, "a"), "1");
	assert_null(params_get(from_get, "b"));
}

static void test_last_of_many_wins(void **state)
{
	CLEANUP(buffer_clear) struct buffer body = BUFFER_INIT;
	CLEANUP(params_freep) struct params *params = NULL;

	(void)state;
	for (int i = 0; i < 1000; i++)
		buffer_printf(&body, "%sa=%d&b=%d", i ? "&" : "", i, 1000 - i);
	params = parse(body.data);
	assert_string_equal(params_get(params, "a"), "999");
	assert_string_equal(params_get(params, "b"), "1");
}

static void test_indices(void **state)
{
	CLEANUP(params_freep)
	struct params *params = parse(
		"I.10=a&I.2=b&I.1=c&T.3.Key=k&T.3.Value=v&T.1.Key=k&T.12.Tag.7.Key=x&T.12=&I=z&"
		"Io.5=q&I.01=z&I.0=z&I.x=z&I.4x=z&I.9999999999=z&I.999999999=y&I.3.a=&I.30=");
	static const unsigned int numbers[] = { 1, 2, 3, 10, 30, 999999999 };
	static const unsigned int nested[] = { 1, 3, 12 };
	CLEANUP(freep) unsigned int *indices = NULL;

	(void)state;
	assert_int_equal(params_indices(params, "I", &indices), ARRAY_SIZE(numbers));
	assert_memory_equal(indices, numbers, sizeof(numbers));
	free(indices);
	assert_int_equal(params_indices(params, "T", &indices), ARRAY_SIZE(nested));
	assert_memory_equal(indices, nested, sizeof(nested));
	free(indices);
	assert_int_equal(params_indices(params, "T.12.Tag", &indices), 1);
	assert_int_equal(indices[0], 7);
	free(indices);
	assert_int_equal(params_indices(params, "None", &indices), 0);
	assert_null(indices);
}

/* Returns the error's code, or -1 when the check passes. */
static int check(const char *body, const char *specification, const char *text)
{
	CLEANUP(params_freep) struct params *params = parse(body);
	struct error error = ERROR_INIT;

	if (params_check(params, specification, &error) == 0)
		return -1;
	if (text)
		assert_string_equal(error.text, text);
	return (int)error.code;
}

static void test_unknown(void **state)
{
	(void)state;
	assert_int_equal(check("Action=X&Version=1&VpcId=a", "VpcId", NULL), -1);
	assert_int_equal(check("vpcId=a", "VpcId", "The parameter vpcId is not recognized"),
			 ERROR_UNKNOWN_PARAMETER);
	assert_int_equal(check("VpcId.1=a", "VpcId", NULL), ERROR_UNKNOWN_PARAMETER);
	assert_int_equal(check("VpcI=a", "VpcId", NULL), ERROR_UNKNOWN_PARAMETER);
	assert_int_equal(check("VpcIdx=a", "VpcId", NULL), ERROR_UNKNOWN_PARAMETER);
	assert_int_equal(check("a=b", "", NULL), ERROR_UNKNOWN_PARAMETER);
	assert_int_equal(check("", "", NULL), -1);
	assert_int_equal(check("", "  VpcId  ", NULL), -1);
	assert_int_equal(check("x%0a%1by=", "", "The parameter x??y is not recognized"),
			 ERROR_UNKNOWN_PARAMETER);
}

static void test_always_allowed(void **state)
{
	(void)state;
	assert_int_equal(check("Action=A&Version=V&DryRun=true&AWSAccessKeyId=a&Signature=b&"
			       "SignatureMethod=c&SignatureVersion=2&Timestamp=d&Expires=e&"
			       "X-Amz-Credential=f&SecurityToken=g",
			       "", NULL),
			 -1);
	assert_int_equal(check("DryRun=maybe", "", NULL), ERROR_INVALID_PARAMETER_VALUE);
}

static void test_required(void **state)
{
	(void)state;
	assert_int_equal(check("", "VpcId!", "The request must contain the parameter VpcId"),
			 ERROR_MISSING_PARAMETER);
	assert_int_equal(check("VpcId=", "VpcId!", NULL), ERROR_MISSING_PARAMETER);
	assert_int_equal(check("VpcId=a", "VpcId!", NULL), -1);
	assert_int_equal(check("MaxCount=1", "MaxCount!:i MinCount!:i",
			       "The request must contain the parameter MinCount"),
			 ERROR_MISSING_PARAMETER);
	assert_int_equal(
		check("", "A InstanceId.N! B", "The request must contain the parameter InstanceId"),
		ERROR_MISSING_PARAMETER);
	assert_int_equal(check("InstanceId=", "InstanceId.N!", NULL), ERROR_MISSING_PARAMETER);
	assert_int_equal(check("InstanceId.3=i", "InstanceId.N!", NULL), -1);
	assert_int_equal(check("InstanceIdx.3=i", "InstanceId.N! InstanceIdx.N", NULL),
			 ERROR_MISSING_PARAMETER);
	assert_int_equal(check("Tag.1.Key=k", "ResourceId.N! Tag.N!.Key Tag.N!.Value",
			       "The request must contain the parameter ResourceId"),
			 ERROR_MISSING_PARAMETER);
	assert_int_equal(check("ResourceId.1=x", "ResourceId.N! Tag.N!.Key Tag.N!.Value",
			       "The request must contain the parameter Tag"),
			 ERROR_MISSING_PARAMETER);
	assert_int_equal(
		check("ResourceId.1=x&Tag.1.Key=k", "ResourceId.N! Tag.N!.Key Tag.N!.Value", NULL),
		-1);
	/* an unknown one is told first, a wrong value last */
	assert_int_equal(check("B=x&C=", "A! B:i", NULL), ERROR_UNKNOWN_PARAMETER);
	assert_int_equal(check("B=x", "A! B:i", NULL), ERROR_MISSING_PARAMETER);
	assert_int_equal(check("A=a&B=x", "A! B:i", NULL), ERROR_INVALID_PARAMETER_VALUE);
}

static void test_types(void **state)
{
	const char *spec = "B.Value:b I:i T:t S:base64 L.N.I:i";

	(void)state;
	assert_int_equal(
		check("B.Value=true&I=-5&T=2024-05-01T12:34:56Z&S=QUJD&L.1.I=7", spec, NULL), -1);
	assert_int_equal(check("B.Value=FALSE&I=9223372036854775807", spec, NULL), -1);
	assert_int_equal(check("B.Value=&I=&T=&S=", spec, NULL), -1);
	assert_int_equal(
		check("B.Value=1", spec,
		      "Value (1) for parameter B.Value is invalid. Expecting true or false."),
		ERROR_INVALID_PARAMETER_VALUE);
	assert_int_equal(check("I=ten", spec,
			       "Value (ten) for parameter I is invalid. Expecting an integer."),
			 ERROR_INVALID_PARAMETER_VALUE);
	assert_int_equal(check("L.4.I=1.5", spec, NULL), ERROR_INVALID_PARAMETER_VALUE);
	assert_int_equal(check("I=9223372036854775808", spec, NULL), ERROR_INVALID_PARAMETER_VALUE);
	assert_int_equal(check("I=%201", spec, NULL), ERROR_INVALID_PARAMETER_VALUE);
	assert_int_equal(check("I=-", spec, NULL), ERROR_INVALID_PARAMETER_VALUE);
	assert_int_equal(check("I=0x10", spec, NULL), ERROR_INVALID_PARAMETER_VALUE);
	assert_int_equal(check("B=true", spec, NULL), ERROR_UNKNOWN_PARAMETER);
}

static void test_times(void **state)
{
	static const char *const good[] = { "2024-05-01", "2024-05-01T12:34:56",
					    "2024-05-01T12:34:56.123Z",
					    "2024-05-01T12:34:56%2B02:00" };
	static const char *const bad[] = { "yesterday",		  "2024-13-01",
					   "2024-05-01T12:34",	  "2024-05-01T12:34:56X",
					   "2024-05-01T25:00:00", "1714566896" };
	char body[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		snprintf(body, sizeof(body), "T=%s", good[i]);
		assert_int_equal(check(body, "T:t", NULL), -1);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		snprintf(body, sizeof(body), "T=%s", bad[i]);
		assert_int_equal(check(body, "T:t", NULL), ERROR_INVALID_PARAMETER_VALUE);
	}
}

static void test_lists(void **state)
{
	const char *spec = "VpcId.N Filter.N TagSpecification.N.* "
			   "NetworkInterface.N.PrivateIpAddresses.N.Primary:b NotFilter.N";
	static const char *const good[] = {
		"VpcId.1=a&VpcId.20=b",
		"VpcId=",
		"Filter.1.Name=a&Filter.1.Value.1=b&Filter.1.Value.2=c",
		"Filter=",
		"Filter.1.Value=",
		"TagSpecification.1.ResourceType=vpc",
		"TagSpecification.2.Tag.3.Key=k&TagSpecification.2.Tag.3.Value=",
		"TagSpecification=",
		"TagSpecification.1.Tag=",
		"NetworkInterface.1.PrivateIpAddresses.9.Primary=true",
		"NetworkInterface.1.PrivateIpAddresses=",
		"NetworkInterface=",
		"NotFilter.1=a"
	};
	static const char *const bad[] = { "VpcId=a",
					   "VpcId.=a",
					   "VpcId.0=a",
					   "VpcId.01=a",
					   "VpcId.N=a",
					   "VpcId.-1=a",
					   "VpcId.1.=a",
					   "VpcId.1.Name=a",
					   "VpcId.1234567890=a",
					   "Filter.1=a",
					   "Filter=a",
					   "Filter.1.Values.1=a",
					   "Filter.1.Value=a",
					   "Filter.1.Name.1=a",
					   "TagSpecification.1=a",
					   "TagSpecification.1.Tag.1=a",
					   "TagSpecification.1.Tag.1.Key.1=a",
					   "TagSpecification.1.*=a",
					   "NotFilter.1.Name=a",
					   "NetworkInterface.1.PrivateIpAddresses.Primary=true" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		if (check(good[i], spec, NULL) != -1)
			fail_msg("refused: %s", good[i]);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (check(bad[i], spec, NULL) != ERROR_UNKNOWN_PARAMETER)
			fail_msg("not refused: %s", bad[i]);
}

static void test_bool_and_int(void **state)
{
	struct error error = ERROR_INIT;
	bool truth = false;
	long number = 7;

	(void)state;
	assert_int_equal(params_bool("TrUe", "X", &truth, &error), 0);
	assert_true(truth);
	assert_int_equal(params_bool("false", "X", &truth, &error), 0);
	assert_false(truth);
	assert_int_equal(params_bool("", "X", &truth, &error), -22);
	assert_int_equal(error.code, ERROR_INVALID_PARAMETER_VALUE);

	assert_int_equal(params_int("5", "MaxResults", 5, 1000, &number, &error), 0);
	assert_int_equal(number, 5);
	assert_int_equal(params_int("1000", "MaxResults", 5, 1000, &number, &error), 0);
	assert_int_equal(params_int("1001", "MaxResults", 5, 1000, &number, &error), -22);
	assert_int_equal(number, 1000);
	assert_string_equal(error.text, "Value (1001) for parameter MaxResults is invalid. "
					"Expecting a value from 5 to 1000.");
	assert_int_equal(
		params_int("99999999999999999999", "X", LONG_MIN, LONG_MAX, &number, &error), -22);
	assert_int_equal(params_int("", "X", 0, 9, &number, &error), -22);
}

/* As many parameters as are allowed, against the longest kind of specification, in little time. */
static void test_limit_and_speed(void **state)
{
	CLEANUP(buffer_clear) struct buffer body = BUFFER_INIT, spec = BUFFER_INIT;
	CLEANUP(freep) unsigned int *indices = NULL;
	struct params *params;
	struct error error = ERROR_INIT;
	clock_t started = clock();

	(void)state;
	for (int i = PARAMS_MAX; i > 0; i--)
		buffer_printf(&body, "InstanceId.%d=i-%d%s", i, i, i > 1 ? "&" : "");
	for (int i = 0; i < 100; i++)
		buffer_printf(&spec, "NetworkInterface.N.Something%d:i ", i);
	buffer_puts(&spec, "InstanceId.N!");
	params = parse(body.data);
	assert_int_equal(params_check(params, spec.data, &error), 0);
	assert_int_equal(params_indices(params, "InstanceId", &indices), PARAMS_MAX);
	for (size_t i = 0; i < PARAMS_MAX; i++) {
		assert_int_equal(indices[i], i + 1);
		assert_non_null(params_get(params, "InstanceId.%u", indices[i]));
	}
	params_freep(&params);
	assert_true(is_within(2, started));
	buffer_puts(&body, "&One=more");
	expect_malformed(body.data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_sources),		cmocka_unit_test(test_last_of_many_wins),
		cmocka_unit_test(test_indices),		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_always_allowed),	cmocka_unit_test(test_required),
		cmocka_unit_test(test_types),		cmocka_unit_test(test_times),
		cmocka_unit_test(test_lists),		cmocka_unit_test(test_bool_and_int),
		cmocka_unit_test(test_limit_and_speed),
	};

	return cmocka_run_group_tests_name("params", tests, NULL, NULL);
}
