/* objects: emulator/api/errors.o emulator/api/xml.o emulator/base/base64.o emulator/base/error.o emulator/base/id.o emulator/base/buffer.o emulator/base/util.o emulator/base/text.o */
/* libs: nettle */
/* Codes and statuses as EC2's clients match on them, and the two envelopes. */
#include "api/errors.h"
#include "base/id.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static void expect(enum error_code code, const char *subject, unsigned int status, const char *wire)
{
	struct error error = { code, 0, subject, "" };
	struct error_reply reply = error_reply(&error);

	assert_string_equal(reply.code, wire);
	assert_int_equal(reply.status, status);
}

static void test_every_code(void **state)
{
	(void)state;
	for (enum error_code code = 0; code < ERROR_CODE_MAX; code++) {
		struct error error = { code, 0, NULL, "" };
		struct error_reply reply = error_reply(&error);

		assert_non_null(reply.code);
		assert_true(reply.status >= 400 && reply.status < 600);
		assert_int_equal(strcspn(reply.code, " :/'"), strlen(reply.code));
	}
}

static void test_statuses(void **state)
{
	(void)state;
	expect(ERROR_INTERNAL, NULL, 500, "InternalError");
	expect(ERROR_DRY_RUN, NULL, 412, "DryRunOperation");
	expect(ERROR_AUTH_FAILURE, NULL, 401, "AuthFailure");
	expect(ERROR_MISSING_TOKEN, NULL, 403, "MissingAuthenticationToken");
	expect(ERROR_INCOMPLETE_SIGNATURE, NULL, 400, "IncompleteSignature");
	expect(ERROR_REQUEST_EXPIRED, NULL, 400, "RequestExpired");
	expect(ERROR_UNKNOWN_PARAMETER, NULL, 400, "UnknownParameter");
	expect(ERROR_INVALID_ACTION, NULL, 400, "InvalidAction");
	expect(ERROR_REQUEST_TOO_LARGE, NULL, 413, "RequestEntityTooLarge");
	expect(ERROR_INSTANCE_CAPACITY, NULL, 500, "InsufficientInstanceCapacity");
	expect(ERROR_INSUFFICIENT_ADDRESSES, NULL, 400, "InsufficientFreeAddressesInSubnet");
	expect(ERROR_VPC_RANGE, NULL, 400, "InvalidVpc.Range");
	expect(ERROR_GATEWAY_NOT_ATTACHED, NULL, 400, "Gateway.NotAttached");
}

static void test_subjects(void **state)
{
	(void)state;
	expect(ERROR_NOT_FOUND, "vpc", 400, "InvalidVpcID.NotFound");
	expect(ERROR_NOT_FOUND, "subnet", 400, "InvalidSubnetID.NotFound");
	expect(ERROR_NOT_FOUND, "igw", 400, "InvalidInternetGatewayID.NotFound");
	expect(ERROR_NOT_FOUND, "rtb", 400, "InvalidRouteTableID.NotFound");
	expect(ERROR_NOT_FOUND, "rtbassoc", 400, "InvalidAssociationID.NotFound");
	expect(ERROR_NOT_FOUND, "sg", 400, "InvalidGroup.NotFound");
	expect(ERROR_NOT_FOUND, "acl", 400, "InvalidNetworkAclID.NotFound");
	expect(ERROR_NOT_FOUND, "dopt", 400, "InvalidDhcpOptionID.NotFound");
	expect(ERROR_NOT_FOUND, "eni", 400, "InvalidNetworkInterfaceID.NotFound");
	expect(ERROR_NOT_FOUND, "i", 400, "InvalidInstanceID.NotFound");
	expect(ERROR_NOT_FOUND, "ami", 400, "InvalidAMIID.NotFound");
	expect(ERROR_NOT_FOUND, "key", 400, "InvalidKeyPair.NotFound");
	expect(ERROR_NOT_FOUND, "zone", 400, "InvalidZone.NotFound");
	expect(ERROR_NOT_FOUND, "acl-entry", 400, "InvalidNetworkAclEntry.NotFound");
	expect(ERROR_NOT_FOUND, "pl", 400, "InvalidPrefixListID.NotFound");
	expect(ERROR_NOT_FOUND, "prefix-list", 400, "InvalidPrefixListId.NotFound");
	expect(ERROR_MALFORMED, "vpc", 400, "InvalidVpcID.Malformed");
	expect(ERROR_MALFORMED, "igw", 400, "InvalidInternetGatewayId.Malformed");
	expect(ERROR_MALFORMED, "rtb", 400, "InvalidRouteTableId.Malformed");
	expect(ERROR_MALFORMED, "sg", 400, "InvalidGroupId.Malformed");
	expect(ERROR_MALFORMED, "i", 400, "InvalidInstanceID.Malformed");
	expect(ERROR_MALFORMED, "ami", 400, "InvalidAMIID.Malformed");
	expect(ERROR_QUOTA, "vpc", 400, "VpcLimitExceeded");
	expect(ERROR_QUOTA, "subnet", 400, "SubnetLimitExceeded");
	expect(ERROR_QUOTA, "acl-entry", 400, "NetworkAclEntryLimitExceeded");
	expect(ERROR_QUOTA, "route", 400, "RouteLimitExceeded");
	expect(ERROR_QUOTA, "i", 400, "InstanceLimitExceeded");
	/* what the table doesn't know */
	expect(ERROR_NOT_FOUND, "unicorn", 400, "InvalidParameterValue");
	expect(ERROR_NOT_FOUND, NULL, 400, "InvalidParameterValue");
	expect(ERROR_MALFORMED, "rtbassoc", 400, "InvalidParameterValue");
	expect(ERROR_QUOTA, NULL, 400, "ResourceLimitExceeded");
	/* a subject changes no other code */
	expect(ERROR_INTERNAL, "vpc", 500, "InternalError");
}

/* A resource kind that somebody adds must get its own codes. */
static void test_every_kind(void **state)
{
	(void)state;
	for (enum kind kind = KIND_VPC; kind < KIND_INTERNET; kind++) {
		struct error error = { ERROR_NOT_FOUND, 0, kind_prefix(kind), "" };

		if (kind != KIND_RESERVATION &&
		    streq(error_reply(&error).code, "InvalidParameterValue"))
			fail_msg("no NotFound code for \"%s\"", kind_prefix(kind));
	}
}

static void test_ec2_envelope(void **state)
{
	static const char *const services[] = { "ec2", "minivpc", "" };
	struct error error = ERROR_INIT;

	(void)state;
	error_subject(&error, ERROR_NOT_FOUND, "vpc", "The vpc ID 'vpc-<1>' does not exist");
	for (size_t i = 0; i < ARRAY_SIZE(services); i++) {
		struct http_reply reply = { .status = 200, .content_type = "text/plain" };

		buffer_puts(&reply.body, "half a document");
		error_document(&error, services[i], "id-1", &reply);
		assert_int_equal(reply.status, 400);
		assert_string_equal(reply.content_type, "text/xml;charset=UTF-8");
		assert_string_equal(reply.request_id, "id-1");
		assert_string_equal(reply.body.data,
				    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
				    "<Response><Errors><Error><Code>InvalidVpcID.NotFound</Code>"
				    "<Message>The vpc ID 'vpc-&lt;1&gt;' does not exist</Message>"
				    "</Error></Errors><RequestID>id-1</RequestID></Response>");
		buffer_clear(&reply.body);
	}
}

static void test_query_envelope(void **state)
{
	struct http_reply reply = { .request_id = "id-2" };
	struct error error = ERROR_INIT;

	(void)state;
	error_set(&error, ERROR_INVALID_ACTION, "No");
	error_document(&error, "sts", reply.request_id, &reply);
	assert_int_equal(reply.status, 400);
	assert_string_equal(reply.body.data,
			    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
			    "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">"
			    "<Error><Type>Sender</Type><Code>InvalidAction</Code>"
			    "<Message>No</Message></Error><RequestId>id-2</RequestId>"
			    "</ErrorResponse>");
	error_set(&error, ERROR_AUTH_FAILURE, "No");
	error_document(&error, "sts", reply.request_id, &reply);
	assert_int_equal(reply.status, 403);
	assert_non_null(strstr(reply.body.data, "<Code>InvalidClientTokenId</Code>"));
	error_set(&error, ERROR_INTERNAL, "No");
	error_document(&error, "sts", reply.request_id, &reply);
	assert_int_equal(reply.status, 500);
	assert_non_null(strstr(reply.body.data, "<Type>Receiver</Type>"));
	buffer_clear(&reply.body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_code),   cmocka_unit_test(test_statuses),
		cmocka_unit_test(test_subjects),     cmocka_unit_test(test_every_kind),
		cmocka_unit_test(test_ec2_envelope), cmocka_unit_test(test_query_envelope),
	};

	return cmocka_run_group_tests_name("errors", tests, NULL, NULL);
}
