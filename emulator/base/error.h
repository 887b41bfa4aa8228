/*
 * What a user must read. Functions return 0 or a negative errno, forwarded unchanged; the text
 * travels beside it in a struct error, the last parameter, and is wrapped on the way up:
 *
 *	"subnet-0…: port eni0a1b: File exists"
 *
 * `code` is what an EC2 client matches on; api/ maps it to a code name and an HTTP status. It is
 * ERROR_INTERNAL unless somebody set it.
 */
#pragma once

#include "base/util.h"

enum error_code {
	ERROR_INTERNAL = 0, /* the kernel, the disk or we failed: InternalError, 500 */
	ERROR_NOT_FOUND,    /* of `subject`: an id prefix ("vpc") or a word ("ami", "route") */
	ERROR_MALFORMED,    /* of `subject`, the same */
	ERROR_AUTH_FAILURE,
	ERROR_NO_PERMISSION, /* a known caller's, who may not */
	ERROR_FORBIDDEN,     /* the same of a whole action */
	ERROR_MISSING_TOKEN,
	ERROR_INCOMPLETE_SIGNATURE,
	ERROR_REQUEST_EXPIRED,
	ERROR_UNAUTHORIZED_HOST,
	ERROR_DRY_RUN,
	ERROR_MISSING_ACTION,
	ERROR_INVALID_ACTION,
	ERROR_NO_SUCH_VERSION,
	ERROR_MALFORMED_QUERY,
	ERROR_REQUEST_TOO_LARGE,
	ERROR_UNKNOWN_PARAMETER,
	ERROR_MISSING_PARAMETER,
	ERROR_INVALID_PARAMETER,
	ERROR_INVALID_PARAMETER_VALUE,
	ERROR_INVALID_PARAMETER_COMBINATION,
	ERROR_INVALID_REQUEST,
	ERROR_INVALID_NEXT_TOKEN,
	ERROR_INVALID_TEMPLATE, /* of CloudFormation's, with the place in it */
	ERROR_FILTER_LIMIT,
	ERROR_IDEMPOTENT_MISMATCH,
	ERROR_IDEMPOTENT_TERMINATED,
	ERROR_UNSUPPORTED_OPERATION,
	ERROR_OPERATION_NOT_PERMITTED,
	ERROR_DEPENDENCY_VIOLATION,
	ERROR_VPC_RANGE,
	ERROR_SUBNET_RANGE,
	ERROR_SUBNET_CONFLICT,
	ERROR_CIDR_LIMIT,
	ERROR_CIDR_IN_USE,
	ERROR_VPC_ID_NOT_SPECIFIED,
	ERROR_DEFAULT_VPC_EXISTS,
	ERROR_DEFAULT_VPC_MISSING,
	ERROR_DEFAULT_SUBNET_EXISTS,
	ERROR_INSUFFICIENT_CIDR_BLOCKS,
	ERROR_MISSING_INPUT,
	ERROR_INVALID_INPUT,
	ERROR_GATEWAY_NOT_FOUND,
	ERROR_GATEWAY_NOT_ATTACHED,
	ERROR_ALREADY_ASSOCIATED,
	ERROR_ROUTE_EXISTS,
	ERROR_ROUTE_NOT_FOUND,
	ERROR_ACL_ENTRY_EXISTS,
	ERROR_PREFIX_LIST_VERSION,
	ERROR_PREFIX_LIST_FULL,
	ERROR_PREFIX_LIST_MODIFICATION,
	ERROR_ASSOCIATION_NOT_FOUND,
	ERROR_ADDRESS_IN_USE,
	ERROR_ADDRESS_LOCKED,
	ERROR_INCORRECT_STATE, /* of a NAT gateway, a volume or a volume's instance */
	ERROR_ALREADY_ASSIGNED,
	ERROR_INTERFACE_IN_USE,
	ERROR_INSUFFICIENT_ADDRESSES,
	ERROR_INSTANCE_STATE,
	ERROR_INSTANCE_ID, /* well-formed and there, but not for this call */
	ERROR_INSTANCE_CAPACITY,
	ERROR_INSUFFICIENT_ADDRESS_CAPACITY,
	ERROR_TAG_KEY_MALFORMED,
	ERROR_TAG_LIMIT,
	ERROR_INVALID_ID,
	ERROR_GROUP_DUPLICATE,
	ERROR_GROUP_RESERVED,
	ERROR_PERMISSION_DUPLICATE,
	ERROR_CANNOT_DELETE,
	ERROR_PEERING_STATE,
	ERROR_PEERING_EXISTS,
	ERROR_PEERING_DNS,
	ERROR_USER_ID_MALFORMED,
	ERROR_KEY_PAIR_DUPLICATE,
	ERROR_KEY_FORMAT,
	ERROR_LAUNCH_TEMPLATE_NAME,
	ERROR_LAUNCH_TEMPLATE_EXISTS,
	ERROR_LAUNCH_TEMPLATE_NOT_FOUND, /* by name */
	ERROR_LAUNCH_TEMPLATE_VERSION,
	ERROR_BLOCK_DEVICE_MAPPING,
	ERROR_IMAGE_NAME_DUPLICATE,
	ERROR_IMAGE_NAME_MALFORMED,
	ERROR_IMAGE_UNAVAILABLE, /* well-formed and known, but not to be used */
	ERROR_VOLUME_IN_USE,
	ERROR_VOLUME_ZONE,
	ERROR_PARAMETER_DEPENDENCY,
	ERROR_INSTANCE_ATTRIBUTE,
	ERROR_CREDITS_NOT_SUPPORTED,
	ERROR_FLOW_LOG_EXISTS,
	ERROR_SERVICE_NAME,
	ERROR_SUBNETS_IN_ZONE,
	ERROR_STACK_EXISTS, /* or its change set */
	ERROR_CHANGE_SET_STATUS,
	ERROR_CHANGE_SET_NOT_FOUND,
	ERROR_QUOTA, /* of `subject`: a kind's prefix */
	ERROR_CODE_MAX,
};

struct error {
	enum error_code code;
	int sys;	     /* the errno behind it, positive; 0 when there is none */
	const char *subject; /* static text, for the codes that name one; else NULL */
	char text[1024];     /* one line, no newline; cut when longer */
};

#define ERROR_INIT                                                                                 \
	{                                                                                          \
		ERROR_INTERNAL, 0, NULL, ""                                                        \
	}

/* Sets code and text; returns -EINVAL so that a check can end in `return error_set(…)`. */
int error_set(struct error *error, enum error_code code, const char *format, ...) PRINTF(3, 4);
/* The same for a code that names a subject. */
int error_subject(struct error *error, enum error_code code, const char *subject,
		  const char *format, ...) PRINTF(4, 5);
/* ERROR_INTERNAL with "text: strerror(sys)"; `sys` is an errno of either sign. Returns -sys. */
int error_sys(struct error *error, int sys, const char *format, ...) PRINTF(3, 4);
/* Puts "context: " before the text that is there; returns `result` unchanged. */
int error_wrap(struct error *error, int result, const char *format, ...) PRINTF(3, 4);
