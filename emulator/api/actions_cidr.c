/* The CIDR blocks of VPCs, and the IPv6 ones of subnets. */
#include "api/actions.h"
#include "model/subnet.h"

int call_block_source(const struct call *call, bool *ret_ipv6, struct error *error)
{
	static const char *const refused[] = { "Ipv6Pool",
					       "Ipv6CidrBlock",
					       "Ipv4IpamPoolId",
					       "Ipv4NetmaskLength",
					       "Ipv6IpamPoolId",
					       "Ipv6NetmaskLength",
					       NULL };
	const char *group = call_text(call, "Ipv6CidrBlockNetworkBorderGroup");
	int r = call_refuse(call, refused, error);

	if (r < 0)
		return r;
	/* A region is its own one; it has others in local zones, which are not here. */
	if (group && *group && !streq(group, call->scope->region))
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "Value (%s) for parameter ipv6CidrBlockNetworkBorderGroup is "
				 "invalid.",
				 group);
	*ret_ipv6 = call_bool(call, "AmazonProvidedIpv6CidrBlock", false);
	return 0;
}

/* What differs between the blocks of VPCs and those of subnets. */
struct association_kind {
	enum kind kind;
	const char *name, *id;
};

static const struct association_kind of_vpc = { KIND_VPC_CIDR_ASSOCIATION, "vpc", "vpcId" };
static const struct association_kind of_subnet = { KIND_SUBNET_CIDR_ASSOCIATION, "subnet",
						   "subnetId" };

static int read_association(const struct call *call, const struct association_kind *kind,
			    struct rid *ret_id, struct error *error)
{
	const char *text = call_text(call, "AssociationId");

	if (rid_parse(text, kind->kind, ret_id) == 0)
		return 0;
	return error_subject(error, ERROR_MALFORMED, kind_prefix(kind->kind),
			     "The %s CIDR block with association ID %s is malformed", kind->name,
			     text);
}

static int no_association(const struct call *call, const struct association_kind *kind,
			  struct error *error)
{
	return error_subject(error, ERROR_NOT_FOUND, kind_prefix(kind->kind),
			     "The %s CIDR block with association ID %s does not exist", kind->name,
			     call_text(call, "AssociationId"));
}

/* A block as the reply to its association or disassociation has it. */
static void reply_block(struct call *call, const struct association_kind *kind,
			const struct resource *of, struct block block, enum block_state state)
{
	const struct view view = { call_model(call), of, &block };
	const bool ipv6 = block.cidr.address.family == AF_INET6;

	block.state = (int)state;
	xml_text(call->xml, kind->id, rid_format(of->id).text);
	xml_open(call->xml, ipv6 ? "ipv6CidrBlockAssociation" : "cidrBlockAssociation");
	reply_fields(call,
		     kind == &of_subnet ? subnet_block_fields
		     : ipv6		? vpc_ipv6_block_fields
					: vpc_block_fields,
		     &view);
	xml_close(call->xml);
}

/* ---- VPCs ---- */

/* The further block that the call names, or one of Amazon's. */
static int call_vpc_block(struct call *call, struct vpc *vpc, bool ipv6,
			  const struct block **ret_block, struct error *error)
{
	struct cidr cidr;
	int r;

	if (ipv6 && call_text(call, "CidrBlock"))
		return error_set(error, ERROR_INVALID_PARAMETER_COMBINATION,
				 "The parameter cidrBlock cannot be used with the parameter "
				 "amazonProvidedIpv6CidrBlock");
	if (ipv6)
		return vpc_associate_ipv6(&call->transaction, vpc, ret_block, error);
	r = call_cidr(call, "CidrBlock", &cidr, error);
	return r < 0 ? r : vpc_associate(&call->transaction, vpc, cidr, ret_block, error);
}

int associate_vpc_cidr_block(struct call *call, struct error *error)
{
	const struct block *block;
	struct vpc *vpc;
	bool ipv6;
	int r;

	if ((r = call_block_source(call, &ipv6, error)) < 0 ||
	    (r = call_resource(call, "VpcId", KIND_VPC, &vpc, error)) < 0 ||
	    (r = call_vpc_block(call, vpc, ipv6, &block, error)) < 0)
		return r;
	reply_block(call, &of_vpc, &vpc->resource, *block, BLOCK_ASSOCIATING);
	return 0;
}

int disassociate_vpc_cidr_block(struct call *call, struct error *error)
{
	const struct block *found;
	struct block block;
	struct vpc *vpc;
	struct rid id;
	int r;

	if ((r = read_association(call, &of_vpc, &id, error)) < 0)
		return r;
	vpc = vpc_find_association(call->scope, id, &found);
	if (!vpc)
		return no_association(call, &of_vpc, error);
	block = *found;
	if ((r = vpc_disassociate(&call->transaction, vpc, found, error)) < 0)
		return r;
	reply_block(call, &of_vpc, &vpc->resource, block, BLOCK_DISASSOCIATING);
	return 0;
}

/* ---- subnets ---- */

int call_subnet_block(struct call *call, struct subnet *subnet, const struct block **ret_block,
		      struct error *error)
{
	struct cidr cidr;
	int r = call_block(call, "Ipv6CidrBlock", AF_INET6, &cidr, error);

	return r < 0 ? r
		     : subnet_associate(&call->transaction, subnet, cidr,
					call_text(call, "Ipv6CidrBlock"), ret_block, error);
}

int associate_subnet_cidr_block(struct call *call, struct error *error)
{
	static const char *const refused[] = { "Ipv6IpamPoolId", "Ipv6NetmaskLength", NULL };
	const char *text = call_text(call, "Ipv6CidrBlock");
	const struct block *block;
	struct subnet *subnet;
	int r;

	if ((r = call_refuse(call, refused, error)) < 0)
		return r;
	if (!text || !*text)
		return error_set(error, ERROR_MISSING_PARAMETER,
				 "The request must contain the parameter Ipv6CidrBlock");
	if ((r = call_resource(call, "SubnetId", KIND_SUBNET, &subnet, error)) < 0 ||
	    (r = call_subnet_block(call, subnet, &block, error)) < 0)
		return r;
	reply_block(call, &of_subnet, &subnet->resource, *block, BLOCK_ASSOCIATING);
	return 0;
}

int disassociate_subnet_cidr_block(struct call *call, struct error *error)
{
	const struct block *found;
	struct subnet *subnet;
	struct block block;
	struct rid id;
	int r;

	if ((r = read_association(call, &of_subnet, &id, error)) < 0)
		return r;
	subnet = subnet_find_association(call->scope, id, &found);
	if (!subnet)
		return no_association(call, &of_subnet, error);
	block = *found;
	if ((r = subnet_disassociate(&call->transaction, subnet, error)) < 0)
		return r;
	reply_block(call, &of_subnet, &subnet->resource, block, BLOCK_DISASSOCIATING);
	return 0;
}
