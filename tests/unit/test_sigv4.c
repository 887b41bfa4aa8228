/* objects: emulator/api/sigv4.o emulator/api/session.o emulator/base/base64.o emulator/base/credentials.o emulator/base/signature.o emulator/base/error.o emulator/base/buffer.o emulator/base/util.o */
/* libs: nettle -Wl,--wrap=nettle_memeql_sec */
/*
 * Signatures made by others: the examples AWS publishes ("aws-sig-v4-test-suite"), and requests
 * signed by botocore 1.29. Then each of them, bent a little.
 */
#include "api/sigv4.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

#include <cmocka.h>

/* http.o would bring the server along. */
const char *http_header_get(const struct http_request *request, const char *name)
{
	for (size_t i = 0; i < request->header_count; i++)
		if (strcasecmp(request->headers[i].name, name) == 0)
			return request->headers[i].value;
	return NULL;
}

/* Nettle's comparison, whose time doesn't depend on what differs: who calls it, for how much? */
int __wrap_nettle_memeql_sec(const void *a, const void *b, size_t size);
int __real_nettle_memeql_sec(const void *a, const void *b, size_t size);

static size_t comparisons, compared;

int __wrap_nettle_memeql_sec(const void *a, const void *b, size_t size)
{
	comparisons++;
	compared = size;
	return __real_nettle_memeql_sec(a, b, size);
}

#define SECRET	  "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
#define SEPTEMBER 1315611360 /* 20110909T233600Z */
#define AUGUST	  1440938160 /* 20150830T123600Z */
#define MAY	  1714566896 /* 20240501T123456Z */
#define FORM	  "application/x-www-form-urlencoded; charset=utf-8"
#define ALLOWED	  100000 /* no error code */

struct example {
	const char *method, *path, *query, *body;
	struct http_header headers[8];
};

static const char *const example_keys[] = { "AKIDEXAMPLE", "MINIVPCEXAMPLEKEY001" };

/* Returns ALLOWED or the error's code. */
static int verify_at(const struct example *example, int64_t now, bool accept_any,
		     struct identity *ret_identity)
{
	struct http_request request = { .method = example->method,
					.path = example->path ? example->path : "/",
					.query = example->query ? example->query : "",
					.body = example->body ? example->body : "",
					.headers = example->headers };
	struct credentials keys[] = { { .account = DEFAULT_ACCOUNT, .secret_key = SECRET },
				      { "210987654321", "AKIDOTHER", "another" } };
	const struct credentials_list credentials = { keys, ARRAY_SIZE(keys) };
	struct sigv4_policy policy = { &credentials, accept_any, now };
	struct error error = ERROR_INIT;

	request.body_length = strlen(request.body);
	while (request.header_count < ARRAY_SIZE(example->headers) &&
	       example->headers[request.header_count].name)
		request.header_count++;
	snprintf(keys[0].access_key, sizeof(keys[0].access_key), "%s",
		 example_keys[now >= MAY - 1000000]);
	if (sigv4_verify(&request, &policy, ret_identity, &error) < 0)
		return (int)error.code;
	return ALLOWED;
}

static int verify(const struct example *example, int64_t now)
{
	struct identity identity;

	return verify_at(example, now, false, &identity);
}

#define AWS_AUTHORIZATION(service, headers, signature)                                             \
	"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/" service                      \
	"/aws4_request, SignedHeaders=" headers ", Signature=" signature

#define AWS_EXAMPLE(sent_method, sent_path, sent_query, signature)                                 \
	{                                                                                          \
		.method = sent_method, .path = sent_path, .query = sent_query,                     \
		.headers = {                                                                       \
			{ "Host", "example.amazonaws.com" },                                       \
			{ "X-Amz-Date", "20150830T123600Z" },                                      \
			{ "Authorization",                                                         \
			  AWS_AUTHORIZATION("service", "host;x-amz-date", signature) },            \
		},                                                                                 \
	}

#define VANILLA "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"

static const struct example published[] = {
	AWS_EXAMPLE("GET", "/", "", VANILLA),
	AWS_EXAMPLE("GET", "//", "", VANILLA),
	AWS_EXAMPLE("GET", "/./", "", VANILLA),
	AWS_EXAMPLE("GET", "/example/..", "", VANILLA),
	AWS_EXAMPLE("GET", "/example1/example2/../..", "", VANILLA),
	AWS_EXAMPLE("GET", "/./example", "",
		    "ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5"),
	AWS_EXAMPLE("GET", "//example//", "",
		    "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84"),
	AWS_EXAMPLE("GET", "/", "Param2=value2&Param1=value1",
		    "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"),
	AWS_EXAMPLE("POST", "/", "",
		    "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
	{
		.method = "GET",
		.headers = {
			{ "Host", "example.amazonaws.com" },
			{ "My-Header1", "value2" },
			{ "My-Header1", "value2" },
			{ "My-Header1", "value1" },
			{ "X-Amz-Date", "20150830T123600Z" },
			{ "Authorization",
			  AWS_AUTHORIZATION(
				  "service", "host;my-header1;x-amz-date",
				  "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea") },
		},
	},
	{
		.method = "GET",
		.headers = {
			{ "Host", "example.amazonaws.com" },
			{ "My-Header1", " value1" },
			{ "My-Header2", " \"a   b   c\"" },
			{ "X-Amz-Date", "20150830T123600Z" },
			{ "Authorization",
			  AWS_AUTHORIZATION(
				  "service", "host;my-header1;my-header2;x-amz-date",
				  "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736") },
		},
	},
	{
		.method = "POST",
		.body = "Param1=value1",
		.headers = {
			{ "Content-Type", "application/x-www-form-urlencoded" },
			{ "Host", "example.amazonaws.com" },
			{ "X-Amz-Date", "20150830T123600Z" },
			{ "Authorization",
			  AWS_AUTHORIZATION(
				  "service", "content-type;host;x-amz-date",
				  "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a") },
		},
	},
	{
		.method = "GET",
		.query = "Action=ListUsers&Version=2010-05-08",
		.headers = {
			{ "Content-Type", FORM },
			{ "Host", "iam.amazonaws.com" },
			{ "X-Amz-Date", "20150830T123600Z" },
			{ "Authorization",
			  AWS_AUTHORIZATION(
				  "iam", "content-type;host;x-amz-date",
				  "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7") },
		},
	},
};

#define BOTO_AUTHORIZATION(scope, headers, signature)                                              \
	"AWS4-HMAC-SHA256 Credential=MINIVPCEXAMPLEKEY001/20240501/" scope                         \
	"/aws4_request, SignedHeaders=" headers ", Signature=" signature
#define BOTO_QUERY(scope)                                                                          \
	"&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=MINIVPCEXAMPLEKEY001%2F20240501%"      \
	"2F" scope "%2Faws4_request&X-Amz-Date=20240501T123456Z"

static const struct example post = {
	.method = "POST",
	.body = "Action=DescribeVpcs&Version=2016-11-15&Filter.1.Name=tag%3AName&Filter.1.Value.1=a+b",
	.headers = {
		{ "Host", "127.0.0.1:4566" },
		{ "Content-Type", FORM },
		{ "User-Agent", "aws-cli/2" },
		{ "X-Amz-Date", "20240501T123456Z" },
		{ "Authorization",
		  BOTO_AUTHORIZATION(
			  "eu-west-1/ec2", "content-type;host;x-amz-date",
			  "48e21c0fa978f27ff823f96497103382ea3514dbe0b34deab11603b8effa9c67") },
	},
};

static const struct example with_token = {
	.method = "POST",
	.body = "Action=GetCallerIdentity&Version=2011-06-15",
	.headers = {
		{ "host", "[::1]:4566" },
		{ "content-type", FORM },
		{ "x-amz-date", "20240501T123456Z" },
		{ "x-amz-security-token", "tok/en+1==" },
		{ "authorization",
		  BOTO_AUTHORIZATION(
			  "us-east-1/sts", "content-type;host;x-amz-date;x-amz-security-token",
			  "e7b78583cd6683ed28d8d39a0e6a7f6e5e946b65cd6fefb566d3c0ec8896c9eb") },
	},
};

static const struct example get = {
	.method = "GET",
	.query = "Version=2016-11-15&Action=DescribeVpcs&Filter.1.Name=tag%3Aa+b"
		 "&Filter.1.Value.1=x%2Fy~z%2A%C3%A9",
	.headers = {
		{ "Host", "localhost:4566" },
		{ "X-Amz-Date", "20240501T123456Z" },
		{ "Authorization",
		  BOTO_AUTHORIZATION(
			  "us-east-1/ec2", "host;x-amz-date",
			  "8908ab2bf4b23eb6e3463435b5cfae5910e863a0aa8cb1ef28ca5414de7f05e1") },
	},
};

static const struct example odd_path = {
	.method = "GET",
	.path = "/a%20b/../c%2Fd//e/",
	.headers = {
		{ "Host", "localhost:4566" },
		{ "X-Amz-Date", "20240501T123456Z" },
		{ "X-Many", "  a   b  " },
		{ "Authorization",
		  BOTO_AUTHORIZATION(
			  "us-east-1/ec2", "host;x-amz-date;x-many",
			  "63ce9ea90215f9a1af34505ab1c42fe31dfce0d007032cb508db26fbd72164e0") },
	},
};

static const struct example presigned = {
	.method = "GET",
	.query = "Version=2016-11-15&Action=DescribeVpcs" BOTO_QUERY(
		"us-east-1%2Fec2") "&X-Amz-Expires=600&X-Amz-SignedHeaders=host&X-Amz-Signature="
				   "0bcb9c8aa7818efa26312e2fa18a81f36c5e102a9a3940e442a6df303bfdcc0"
				   "4",
	.headers = { { "Host", "localhost:4566" } },
};

static const struct example presigned_with_token = {
	.method = "GET",
	.query = "Version=2011-06-15&Action=GetCallerIdentity" BOTO_QUERY(
		"us-east-1%2Fsts") "&X-Amz-Expires=60&X-Amz-SignedHeaders=host"
				   "&X-Amz-Security-Token=tok%2Fen%2B1%3D%3D&X-Amz-Signature="
				   "5e63a228a46c4e4c682f480055dfa8bdd012b95e2f7af412a503c798d00ce9e"
				   "0",
	.headers = { { "Host", "localhost:4566" } },
};

static void test_published_examples(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(published); i++)
		if (verify(&published[i], AUGUST) != ALLOWED)
			fail_msg("example %zu: %s %s", i, published[i].method, published[i].path);
}

static void test_botocore(void **state)
{
	static const struct example *const examples[] = {
		&post, &with_token, &get, &odd_path, &presigned, &presigned_with_token,
	};
	struct identity identity;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(examples); i++)
		if (verify(examples[i], MAY) != ALLOWED)
			fail_msg("example %zu", i);
	assert_int_equal(verify_at(&post, MAY, false, &identity), ALLOWED);
	assert_string_equal(identity.access_key, "MINIVPCEXAMPLEKEY001");
	assert_string_equal(identity.account, "123456789012");
	assert_string_equal(identity.region, "eu-west-1");
	assert_string_equal(identity.service, "ec2");
	assert_int_equal(verify_at(&presigned_with_token, MAY, false, &identity), ALLOWED);
	assert_string_equal(identity.region, "us-east-1");
	assert_string_equal(identity.service, "sts");
}

/* Every single byte counts: body, method, path, query, signed headers, signature, secret. */
static void test_tampering(void **state)
{
	struct example bent = post;
	char signature[512];

	(void)state;
	bent.body =
		"Action=DescribeVpcs&Version=2016-11-15&Filter.1.Name=tag%3AName&Filter.1.Value.1="
		"a+c";
	assert_int_equal(verify(&bent, MAY), ERROR_AUTH_FAILURE);
	bent = post;
	bent.method = "PUT";
	assert_int_equal(verify(&bent, MAY), ERROR_AUTH_FAILURE);
	bent = post;
	bent.path = "/x";
	assert_int_equal(verify(&bent, MAY), ERROR_AUTH_FAILURE);
	bent = post;
	bent.query = "a=b";
	assert_int_equal(verify(&bent, MAY), ERROR_AUTH_FAILURE);
	bent = post;
	bent.headers[0].value = "localhost:4566";
	assert_int_equal(verify(&bent, MAY), ERROR_AUTH_FAILURE);
	bent = post;
	bent.headers[2].value = "another agent, which is not signed";
	assert_int_equal(verify(&bent, MAY), ALLOWED);
	bent.headers[5] = (struct http_header){ "host", "localhost" };
	assert_int_equal(verify(&bent, MAY), ERROR_AUTH_FAILURE);

	bent = post;
	snprintf(signature, sizeof(signature), "%s", post.headers[4].value);
	bent.headers[4].value = signature;
	assert_int_equal(verify(&bent, MAY), ALLOWED);
	for (size_t i = strlen(signature) - 64; signature[i]; i++) {
		char was = signature[i];

		signature[i] = was == '0' ? '1' : '0';
		assert_int_equal(verify(&bent, MAY), ERROR_AUTH_FAILURE);
		signature[i] = was;
	}
	signature[strlen(signature) - 1] = '\0';
	assert_int_equal(verify(&bent, MAY), ERROR_AUTH_FAILURE);
}

static void assert_compared_whole(const struct example *example, int wanted)
{
	comparisons = 0;
	assert_int_equal(verify(example, MAY), wanted);
	assert_int_equal(comparisons, 1);
	assert_int_equal(compared, 64);
}

/* A wrong signature is compared to its end, whichever byte is wrong, and by whoever it is. */
static void test_comparison_takes_the_same_time(void **state)
{
	struct example bent = post;
	char header[512], *signature, *key;

	(void)state;
	snprintf(header, sizeof(header), "%s", post.headers[4].value);
	bent.headers[4].value = header;
	signature = header + strlen(header) - 64;
	assert_compared_whole(&bent, ALLOWED);
	for (size_t i = 0; i < 64; i++) {
		char was = signature[i];

		signature[i] = was == '0' ? '1' : '0';
		assert_compared_whole(&bent, ERROR_AUTH_FAILURE);
		signature[i] = was;
	}
	key = strstr(header, example_keys[1]);
	assert_non_null(key);
	key[0] = 'N';
	assert_compared_whole(&bent, ERROR_AUTH_FAILURE);
	/* Only its length, which is no secret, ends it before. */
	key[0] = 'M';
	signature[63] = '\0';
	comparisons = 0;
	assert_int_equal(verify(&bent, MAY), ERROR_AUTH_FAILURE);
	assert_int_equal(comparisons, 0);
}

static void test_tampering_presigned(void **state)
{
	struct example bent = presigned;
	char query[1024], *found;

	(void)state;
	snprintf(query, sizeof(query), "%s", presigned.query);
	bent.query = query;
	assert_int_equal(verify(&bent, MAY), ALLOWED);
	found = strstr(query, "Expires=600");
	memcpy(found, "Expires=900", 11);
	assert_int_equal(verify(&bent, MAY), ERROR_AUTH_FAILURE);
	memcpy(found, "Expires=600", 11);
	found = strstr(query, "DescribeVpcs");
	found[0] = 'd';
	assert_int_equal(verify(&bent, MAY), ERROR_AUTH_FAILURE);
	bent = presigned;
	bent.method = "POST";
	assert_int_equal(verify(&bent, MAY), ERROR_AUTH_FAILURE);
	bent = presigned;
	bent.body = "Action=RunInstances";
	assert_int_equal(verify(&bent, MAY), ERROR_AUTH_FAILURE);
	bent = presigned;
	bent.headers[0].value = "localhost:80";
	assert_int_equal(verify(&bent, MAY), ERROR_AUTH_FAILURE);
}

static void test_time(void **state)
{
	(void)state;
	assert_int_equal(verify(&post, MAY + 899), ALLOWED);
	assert_int_equal(verify(&post, MAY - 899), ALLOWED);
	assert_int_equal(verify(&post, MAY + 901), ERROR_REQUEST_EXPIRED);
	assert_int_equal(verify(&post, MAY - 901), ERROR_REQUEST_EXPIRED);
	assert_int_equal(verify(&presigned, MAY + 600), ALLOWED);
	assert_int_equal(verify(&presigned, MAY + 601), ERROR_REQUEST_EXPIRED);
	assert_int_equal(verify(&presigned, MAY - 899), ALLOWED);
	assert_int_equal(verify(&presigned, MAY - 901), ERROR_REQUEST_EXPIRED);
	assert_int_equal(verify(&presigned_with_token, MAY + 61), ERROR_REQUEST_EXPIRED);
}

/* From the test suite's first edition, whose requests carry only a Date. */
static void test_date_header(void **state)
{
	struct example dated = {
		.method = "GET",
		.headers = {
			{ "Host", "host.foo.com" },
			{ "Date", "Mon, 09 Sep 2011 23:36:00 GMT" },
			{ "Authorization",
			  "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20110909/us-east-1/host/"
			  "aws4_request, SignedHeaders=date;host, Signature="
			  "b27ccfbfa7df52a200ff74193ca6e32d4b48b8856fab7ebf1c595d0670a7e470" },
		},
	};
	struct identity identity;

	(void)state;
	assert_int_equal(verify(&dated, SEPTEMBER), ALLOWED);
	assert_int_equal(verify(&dated, SEPTEMBER + 1000), ERROR_REQUEST_EXPIRED);
	dated.headers[1].value = "20110909T233600Z";
	assert_int_equal(verify(&dated, SEPTEMBER + 1000), ERROR_REQUEST_EXPIRED);
	assert_int_equal(verify(&dated, SEPTEMBER), ERROR_AUTH_FAILURE);
	dated.headers[1].value = "yesterday";
	assert_int_equal(verify(&dated, SEPTEMBER), ERROR_INCOMPLETE_SIGNATURE);
	dated.headers[1].name = "X-Other";
	assert_int_equal(verify(&dated, SEPTEMBER), ERROR_INCOMPLETE_SIGNATURE);
	assert_int_equal(verify_at(&dated, SEPTEMBER, true, &identity), ALLOWED);
}

static void test_unknown_key(void **state)
{
	(void)state;
	struct example other = post;
	char text[512], *key;

	snprintf(text, sizeof(text), "%s", post.headers[4].value);
	key = strstr(text, "KEY001");
	memcpy(key, "KEY002", 6);
	other.headers[4].value = text;
	assert_int_equal(verify(&other, MAY), ERROR_AUTH_FAILURE);
}

#define SIGNATURE "48e21c0fa978f27ff823f96497103382ea3514dbe0b34deab11603b8effa9c67"
#define SCOPE	  "K/20240501/us-east-1/ec2/aws4_request"

static void test_malformed(void **state)
{
	static const char *const bad[] = {
		"",
		"Basic dXNlcjpwYXNz",
		"AWS K:signature",
		"AWS4-HMAC-SHA256",
		"AWS4-HMAC-SHA256Credential=" SCOPE,
		"AWS4-ECDSA-P256-SHA256 Credential=" SCOPE
		", SignedHeaders=host, Signature=" SIGNATURE,
		"AWS4-HMAC-SHA256 Credential=" SCOPE ", SignedHeaders=host",
		"AWS4-HMAC-SHA256 Credential=" SCOPE ", Signature=" SIGNATURE,
		"AWS4-HMAC-SHA256 SignedHeaders=host, Signature=" SIGNATURE,
		"AWS4-HMAC-SHA256 Credential=K, SignedHeaders=host, Signature=" SIGNATURE,
		"AWS4-HMAC-SHA256 Credential=K/20240501/us-east-1/ec2, SignedHeaders=host, "
		"Signature=" SIGNATURE,
		"AWS4-HMAC-SHA256 Credential=" SCOPE "/x, SignedHeaders=host, Signature=" SIGNATURE,
		"AWS4-HMAC-SHA256 Credential=/20240501/us-east-1/ec2/aws4_request, "
		"SignedHeaders=host, Signature=" SIGNATURE,
		"AWS4-HMAC-SHA256 Credential=K/20240501/us_east_1/ec2/aws4_request, "
		"SignedHeaders=host, Signature=" SIGNATURE,
		"AWS4-HMAC-SHA256 Credential=K/20240501/../ec2/aws4_request, "
		"SignedHeaders=host, Signature=" SIGNATURE,
		"AWS4-HMAC-SHA256 Credential=K/20240501//ec2/aws4_request, "
		"SignedHeaders=host, Signature=" SIGNATURE,
		"AWS4-HMAC-SHA256 Credential=K/20240501/a23456789012345678901234567890123/ec2/"
		"aws4_request, SignedHeaders=host, Signature=" SIGNATURE,
		"AWS4-HMAC-SHA256 Credential=K/20240501/us-east-1/ec2/aws5_request, "
		"SignedHeaders=host, Signature=" SIGNATURE,
		"AWS4-HMAC-SHA256 Credential=K/2024051/us-east-1/ec2/aws4_request, "
		"SignedHeaders=host, Signature=" SIGNATURE,
		/* another day's scope */
		"AWS4-HMAC-SHA256 Credential=K/20240502/us-east-1/ec2/aws4_request, "
		"SignedHeaders=host, Signature=" SIGNATURE,
		/* the signed headers: no host, empty, not sorted, twice, upper case */
		"AWS4-HMAC-SHA256 Credential=" SCOPE
		", SignedHeaders=x-amz-date, Signature=" SIGNATURE,
		"AWS4-HMAC-SHA256 Credential=" SCOPE ", SignedHeaders=, Signature=" SIGNATURE,
		"AWS4-HMAC-SHA256 Credential=" SCOPE ", SignedHeaders=x-amz-date;host, "
		"Signature=" SIGNATURE,
		"AWS4-HMAC-SHA256 Credential=" SCOPE
		", SignedHeaders=host;host, Signature=" SIGNATURE,
		"AWS4-HMAC-SHA256 Credential=" SCOPE
		", SignedHeaders=Host;host, Signature=" SIGNATURE,
		"AWS4-HMAC-SHA256 Credential=" SCOPE ", SignedHeaders=;host, Signature=" SIGNATURE,
	};
	struct example bent = post;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		bent.headers[4].value = bad[i];
		if (verify(&bent, MAY) != ERROR_INCOMPLETE_SIGNATURE)
			fail_msg("%d for: %s", verify(&bent, MAY), bad[i]);
	}
}

static void test_malformed_presigned(void **state)
{
	static const char *const parts[] = {
		"X-Amz-Algorithm=AWS4-HMAC-SHA256",
		"X-Amz-Credential=K%2F20240501%2Fr%2Fec2%2Faws4_request",
		"X-Amz-Date=20240501T123456Z",
		"X-Amz-Expires=600",
		"X-Amz-SignedHeaders=host",
	};
	static const char *const expires[] = { "0", "604801", "-1", "x", "", "1e3", "99999999999" };
	struct example bent = presigned;

	(void)state;
	for (size_t missing = 0; missing < ARRAY_SIZE(parts); missing++) {
		CLEANUP(buffer_clear) struct buffer query = BUFFER_INIT;

		buffer_puts(&query, "X-Amz-Signature=" SIGNATURE);
		for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
			if (i != missing)
				buffer_printf(&query, "&%s", parts[i]);
		bent.query = query.data;
		assert_int_equal(verify(&bent, MAY), ERROR_INCOMPLETE_SIGNATURE);
	}
	for (size_t i = 0; i < ARRAY_SIZE(expires); i++) {
		char query[512];

		snprintf(query, sizeof(query),
			 "X-Amz-Signature=" SIGNATURE "&%s&%s&%s&%s&X-Amz-Expires=%s", parts[0],
			 parts[1], parts[2], parts[4], expires[i]);
		bent.query = query;
		assert_int_equal(verify(&bent, MAY), ERROR_INCOMPLETE_SIGNATURE);
	}
}

static void test_unsigned(void **state)
{
	struct example plain = { .method = "POST",
				 .body = "Action=DescribeVpcs&AWSAccessKeyId=x&Signature=y",
				 .headers = { { "Host", "localhost" } } };

	(void)state;
	assert_int_equal(verify(&plain, MAY), ERROR_MISSING_TOKEN);
}

static void test_accept_any(void **state)
{
	struct example example = { .method = "POST", .headers = { { "Host", "localhost" } } };
	struct identity identity;

	(void)state;
	assert_int_equal(verify_at(&example, MAY, true, &identity), ALLOWED);
	assert_string_equal(identity.access_key, "");
	assert_string_equal(identity.region, "");
	assert_string_equal(identity.service, "");
	assert_string_equal(identity.account, "123456789012");

	example.headers[1] = (struct http_header){
		"Authorization", "AWS4-HMAC-SHA256 Credential=000000000007/19990101/ap-south-1/sts/"
				 "aws4_request,SignedHeaders=a,Signature=b"
	};
	assert_int_equal(verify_at(&example, MAY, true, &identity), ALLOWED);
	assert_string_equal(identity.access_key, "000000000007");
	assert_string_equal(identity.account, "000000000007");
	assert_string_equal(identity.region, "ap-south-1");
	assert_string_equal(identity.service, "sts");
	assert_int_equal(verify(&example, MAY), ERROR_INCOMPLETE_SIGNATURE);

	example.headers[1].value = "AWS4-HMAC-SHA256 Credential=test/19990101/ap-south-1/ec2/"
				   "aws4_request,SignedHeaders=a,Signature=b";
	assert_int_equal(verify_at(&example, MAY, true, &identity), ALLOWED);
	assert_string_equal(identity.access_key, "test");
	assert_string_equal(identity.account, "123456789012");

	example.headers[1].value = "AWS4-HMAC-SHA256 Credential=test/19990101/../../x/"
				   "aws4_request,SignedHeaders=a,Signature=b";
	assert_int_equal(verify_at(&example, MAY, true, &identity), ALLOWED);
	assert_string_equal(identity.access_key, "");
	assert_string_equal(identity.region, "");
}

static void test_identity_untouched_on_failure(void **state)
{
	struct identity identity = { .region = "kept" };
	struct example bent = post;

	(void)state;
	bent.method = "GET";
	assert_int_equal(verify_at(&bent, MAY, false, &identity), ERROR_AUTH_FAILURE);
	assert_string_equal(identity.region, "kept");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_published_examples),
		cmocka_unit_test(test_botocore),
		cmocka_unit_test(test_tampering),
		cmocka_unit_test(test_comparison_takes_the_same_time),
		cmocka_unit_test(test_tampering_presigned),
		cmocka_unit_test(test_time),
		cmocka_unit_test(test_date_header),
		cmocka_unit_test(test_unknown_key),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_malformed_presigned),
		cmocka_unit_test(test_unsigned),
		cmocka_unit_test(test_accept_any),
		cmocka_unit_test(test_identity_untouched_on_failure),
	};

	return cmocka_run_group_tests_name("sigv4", tests, NULL, NULL);
}
