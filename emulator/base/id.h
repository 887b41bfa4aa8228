/*
 * Resource ids as values. On the wire an id is its kind's prefix, a dash and 17 hexadecimal
 * digits (AWS EC2 user guide, "Resource IDs"); ours start with 0 so that the rest is one 64-bit
 * number. Device names are made from ids alone, so a restarted daemon recognises its own.
 */
#pragma once

#include "base/util.h"

enum kind {
	KIND_NONE = 0,
	KIND_VPC,
	KIND_SUBNET,
	KIND_INTERNET_GATEWAY,
	KIND_EGRESS_GATEWAY,
	KIND_ROUTE_TABLE,
	KIND_SECURITY_GROUP,
	KIND_NETWORK_ACL,
	KIND_DHCP_OPTIONS,
	KIND_PREFIX_LIST,
	KIND_VPC_PEERING,
	KIND_NAT_GATEWAY,
	KIND_SECURITY_GROUP_RULE,
	KIND_NETWORK_INTERFACE,
	KIND_ELASTIC_IP,
	KIND_INSTANCE,
	KIND_VOLUME,
	KIND_LAUNCH_TEMPLATE,
	KIND_KEY_PAIR,
	KIND_IMAGE,
	KIND_FLOW_LOG,
	KIND_VPC_ENDPOINT,
	KIND_RESERVATION,
	/* ids inside resources */
	KIND_ROUTE_TABLE_ASSOCIATION,
	KIND_NETWORK_ACL_ASSOCIATION,
	KIND_ATTACHMENT,
	KIND_ADDRESS_ASSOCIATION,
	KIND_VPC_CIDR_ASSOCIATION,
	KIND_SUBNET_CIDR_ASSOCIATION,
	/* namespaces of a world that are no AWS resource; n is the world's number */
	KIND_INTERNET,
	KIND_INTERNET_HOST,
	/* something that fails, as asked for: see model/fault.h */
	KIND_FAULT,
	/* CloudFormation's, never on the wire in this form: see model/stack.h */
	KIND_STACK,
	KIND_STACK_RESOURCE,
	KIND_STACK_EVENT,
	KIND_CHANGE_SET,
	/* never on the wire: see model/group_set.h */
	KIND_GROUP_SET,
	/* never on the wire: see model/defaults.h */
	KIND_DEFAULTS,
	KIND_MAX,
};

struct rid {
	enum kind kind; /* KIND_NONE: no id */
	uint64_t n;	/* 0: well-formed, but never one of ours */
};

#define RID_TEXT_MAX	40
#define DEVICE_NAME_MAX 16

struct rid_text {
	char text[RID_TEXT_MAX];
};
struct device_name {
	char text[DEVICE_NAME_MAX];
};

static inline bool rid_equal(struct rid a, struct rid b)
{
	return a.kind == b.kind && a.n == b.n;
}
/* For qsort(): of one kind, by number. */
int rid_compare(const void *a, const void *b);
static inline bool rid_is_set(struct rid id)
{
	return id.kind != KIND_NONE;
}

/* "vpc", "igw", "eni-attach" …; static. */
const char *kind_prefix(enum kind kind);
/* A fresh random id (getrandom); never 0. */
struct rid rid_new(enum kind kind);
/* "vpc-0123456789abcdef0"; "" for KIND_NONE. */
struct rid_text rid_format(struct rid id);
/*
 * Reads an id of `kind`: its prefix, a dash, and 8 or 17 lower-case hexadecimal digits. Returns 0,
 * or -EINVAL for a bad shape. A well-formed id that cannot be ours gets n = 0.
 */
int rid_parse(const char *text, enum kind kind, struct rid *ret_id);
/* Any kind, told by the prefix. */
int rid_parse_any(const char *text, struct rid *ret_id);
/*
 * The first 15 characters of the id without dashes: "eni0a1b2c3d4e5f"; of a prefix of several words
 * the last one alone. A pure function of the id.
 */
struct device_name rid_device(struct rid id);
