/* Resource ids as values: see id.h. */
#include "base/id.h"

#include <errno.h>
#include <sys/random.h>

static const char *const prefixes[] = {
	[KIND_NONE] = "",
	[KIND_VPC] = "vpc",
	[KIND_SUBNET] = "subnet",
	[KIND_INTERNET_GATEWAY] = "igw",
	[KIND_EGRESS_GATEWAY] = "eigw",
	[KIND_ROUTE_TABLE] = "rtb",
	[KIND_SECURITY_GROUP] = "sg",
	[KIND_NETWORK_ACL] = "acl",
	[KIND_DHCP_OPTIONS] = "dopt",
	[KIND_PREFIX_LIST] = "pl",
	[KIND_VPC_PEERING] = "pcx",
	[KIND_NAT_GATEWAY] = "nat",
	[KIND_SECURITY_GROUP_RULE] = "sgr",
	[KIND_NETWORK_INTERFACE] = "eni",
	[KIND_ELASTIC_IP] = "eipalloc",
	[KIND_INSTANCE] = "i",
	[KIND_VOLUME] = "vol",
	[KIND_LAUNCH_TEMPLATE] = "lt",
	[KIND_KEY_PAIR] = "key",
	[KIND_IMAGE] = "ami",
	[KIND_FLOW_LOG] = "fl",
	[KIND_VPC_ENDPOINT] = "vpce",
	[KIND_RESERVATION] = "r",
	[KIND_ROUTE_TABLE_ASSOCIATION] = "rtbassoc",
	[KIND_NETWORK_ACL_ASSOCIATION] = "aclassoc",
	[KIND_ATTACHMENT] = "eni-attach",
	[KIND_ADDRESS_ASSOCIATION] = "eipassoc",
	[KIND_VPC_CIDR_ASSOCIATION] = "vpc-cidr-assoc",
	[KIND_SUBNET_CIDR_ASSOCIATION] = "subnet-cidr-assoc",
	[KIND_INTERNET] = "internet",
	[KIND_INTERNET_HOST] = "internet-host",
	[KIND_FAULT] = "fault",
	[KIND_STACK] = "stack",
	[KIND_STACK_RESOURCE] = "stack-resource",
	[KIND_STACK_EVENT] = "stack-event",
	[KIND_CHANGE_SET] = "change-set",
	[KIND_GROUP_SET] = "group-set",
	[KIND_DEFAULTS] = "defaults",
};
static_assert(ARRAY_SIZE(prefixes) == KIND_MAX, "every kind has a prefix");

const char *kind_prefix(enum kind kind)
{
	return prefixes[kind];
}

struct rid rid_new(enum kind kind)
{
	struct rid id = { kind, 0 };

	while (id.n == 0)
		if (getrandom(&id.n, sizeof(id.n), 0) != sizeof(id.n))
			id.n = 0;
	return id;
}

int rid_compare(const void *a, const void *b)
{
	const struct rid *left = a, *right = b;

	return (left->n > right->n) - (left->n < right->n);
}

struct rid_text rid_format(struct rid id)
{
	static const char digits[] = "0123456789abcdef";
	struct rid_text text = { "" };
	char *end;

	if (!rid_is_set(id))
		return text;
	end = stpcpy(text.text, prefixes[id.kind]);
	*end++ = '-';
	*end++ = '0';
	for (int shift = 60; shift >= 0; shift -= 4)
		*end++ = digits[id.n >> shift & 15];
	*end = '\0';
	return text;
}

int rid_parse(const char *text, enum kind kind, struct rid *ret_id)
{
	size_t length = strlen(prefixes[kind]), digits;
	const char *hex = text + length + 1;

	if (strncmp(text, prefixes[kind], length) != 0 || text[length] != '-')
		return -EINVAL;
	digits = strspn(hex, "0123456789abcdef");
	if (hex[digits] != '\0' || (digits != 8 && digits != 17))
		return -EINVAL;
	ret_id->kind = kind;
	ret_id->n = digits == 17 && hex[0] == '0' ? strtoull(hex + 1, NULL, 16) : 0;
	return 0;
}

int rid_parse_any(const char *text, struct rid *ret_id)
{
	for (enum kind kind = KIND_NONE + 1; kind < KIND_MAX; kind++)
		if (rid_parse(text, kind, ret_id) == 0)
			return 0;
	return -EINVAL;
}

struct device_name rid_device(struct rid id)
{
	struct rid_text text = rid_format(id);
	struct device_name name = { "" };
	const char *word = rid_is_set(id) ? strrchr(prefixes[id.kind], '-') : NULL;
	size_t n = 0;

	/* Of a long prefix the last word: the digits are what tells devices apart. */
	for (const char *c = word ? text.text + (word + 1 - prefixes[id.kind]) : text.text;
	     *c && n < DEVICE_NAME_MAX - 1; c++)
		if (*c != '-')
			name.text[n++] = *c;
	return name;
}
