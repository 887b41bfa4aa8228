/* Network ACLs, their entries and associations. */
#include "api/actions.h"
#include "model/acl.h"

#include <limits.h>

static int acl_call(struct call *call, struct acl **ret_acl, struct error *error)
{
	return call_resource(call, "NetworkAclId", KIND_NETWORK_ACL, ret_acl, error);
}

int create_network_acl(struct call *call, struct error *error)
{
	const char *token = call_text(call, "ClientToken");
	struct acl *acl;
	struct vpc *vpc;
	int r;

	if ((r = call_resource(call, "VpcId", KIND_VPC, &vpc, error)) < 0 ||
	    (r = acl_create(&call->transaction, vpc, token && *token ? token : NULL, &acl, error)) <
		    0 ||
	    (r = call_tag(call, acl, error)) < 0)
		return r;
	reply_resource(call, "networkAcl", acl);
	xml_text(call->xml, "clientToken", token);
	return 0;
}

int delete_network_acl(struct call *call, struct error *error)
{
	struct acl *acl;
	int r;

	if ((r = acl_call(call, &acl, error)) < 0 ||
	    (r = acl_delete(&call->transaction, acl, error)) < 0)
		return r;
	return reply_true(call);
}

int describe_network_acls(struct call *call, struct error *error)
{
	static const struct listing listing = {
		.list = "networkAclSet",
		.kind = KIND_NETWORK_ACL,
		.ids = "NetworkAclId",
		.minimum = 5,
		.maximum = 1000,
	};

	return describe_resources(call, &listing, error);
}

/* ---- entries ---- */

static int read_number(const struct call *call, const char *name, int64_t *ret, struct error *error)
{
	const char *text = call_text(call, name);
	long number;
	int r;

	if (!text || !*text)
		return error_set(error, ERROR_MISSING_PARAMETER,
				 "The request must contain the parameter %s", name);
	if ((r = params_int(text, name, LONG_MIN, LONG_MAX, &number, error)) < 0)
		return r;
	*ret = number;
	return 0;
}

/* Ports and ICMP types count for their protocols alone: Terraform sends ports with every entry. */
static int read_traffic(const struct call *call, struct traffic *traffic, struct error *error)
{
	const char *protocol = call_text(call, "Protocol");
	int r = 0;

	*traffic = (struct traffic){ -1, -1, -1 };
	if (traffic_parse_protocol(protocol, &traffic->protocol) < 0)
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "Invalid value '%s' for IP protocol. Unknown protocol.", protocol);
	if (traffic_has_ports(traffic->protocol)) {
		if ((r = read_number(call, "PortRange.From", &traffic->from, error)) == 0)
			r = read_number(call, "PortRange.To", &traffic->to, error);
	} else if (traffic_is_icmp(traffic->protocol)) {
		if ((r = read_number(call, "Icmp.Type", &traffic->from, error)) == 0)
			r = read_number(call, "Icmp.Code", &traffic->to, error);
	}
	return r;
}

static int read_block(const struct call *call, struct cidr *ret_cidr, struct error *error)
{
	bool ipv4 = call_text(call, "CidrBlock"), ipv6 = call_text(call, "Ipv6CidrBlock");

	if (ipv4 && ipv6)
		return error_set(error, ERROR_INVALID_PARAMETER_COMBINATION,
				 "Only one of cidrBlock and ipv6CidrBlock may be specified");
	return ipv6 ? call_block(call, "Ipv6CidrBlock", AF_INET6, ret_cidr, error)
		    : call_cidr(call, "CidrBlock", ret_cidr, error);
}

static int read_entry(const struct call *call, struct acl_entry *entry, struct error *error)
{
	const char *action = call_text(call, "RuleAction");
	int r;

	*entry = (struct acl_entry){ .egress = call_bool(call, "Egress", false),
				     .allow = streq(action, "allow") };
	if (!entry->allow && !streq(action, "deny"))
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "Value (%s) for parameter ruleAction is invalid. Expecting allow "
				 "or deny.",
				 action);
	if ((r = read_number(call, "RuleNumber", &entry->number, error)) < 0 ||
	    (r = read_traffic(call, &entry->traffic, error)) < 0 ||
	    (r = read_block(call, &entry->cidr, error)) < 0)
		return r;
	return 0;
}

static int change_entry(struct call *call,
			int (*change)(struct transaction *, struct acl *, const struct acl_entry *,
				      struct error *),
			struct error *error)
{
	struct acl_entry entry;
	struct acl *acl;
	int r;

	if ((r = acl_call(call, &acl, error)) < 0 || (r = read_entry(call, &entry, error)) < 0 ||
	    (r = change(&call->transaction, acl, &entry, error)) < 0)
		return r;
	return reply_true(call);
}

int create_network_acl_entry(struct call *call, struct error *error)
{
	return change_entry(call, acl_add_entry, error);
}

int replace_network_acl_entry(struct call *call, struct error *error)
{
	return change_entry(call, acl_replace_entry, error);
}

int delete_network_acl_entry(struct call *call, struct error *error)
{
	struct acl *acl;
	int64_t number;
	int r;

	if ((r = acl_call(call, &acl, error)) < 0 ||
	    (r = read_number(call, "RuleNumber", &number, error)) < 0 ||
	    (r = acl_remove_entry(&call->transaction, acl, call_bool(call, "Egress", false), number,
				  error)) < 0)
		return r;
	return reply_true(call);
}

/* ---- associations ---- */

int replace_network_acl_association(struct call *call, struct error *error)
{
	const char *text = call_text(call, "AssociationId");
	struct acl *from, *to;
	struct rid id;
	size_t index;
	int r;

	if (rid_parse(text, KIND_NETWORK_ACL_ASSOCIATION, &id) < 0)
		return malformed(KIND_NETWORK_ACL_ASSOCIATION, text, error);
	from = acl_find_association(call->scope, id, &index);
	if (!from)
		return not_found(KIND_NETWORK_ACL_ASSOCIATION, text, false, error);
	if ((r = acl_call(call, &to, error)) < 0 ||
	    (r = acl_move_association(&call->transaction, from, index, to, &id, error)) < 0)
		return r;
	xml_text(call->xml, "newAssociationId", rid_format(id).text);
	return 0;
}
