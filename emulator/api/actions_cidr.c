/* The CIDR blocks of VPCs. */
#include "api/actions.h"
#include "model/vpc.h"

static int ids_malformed(enum kind kind, const char *what, const char *id, struct error *error)
{
	return error_subject(error, ERROR_MALFORMED, kind_prefix(kind),
			     "The %s CIDR block with association ID %s is malformed", what, id);
}

static int no_association(enum kind kind, const char *what, const char *id, struct error *error)
{
	return error_subject(error, ERROR_NOT_FOUND, kind_prefix(kind),
			     "The %s CIDR block with association ID %s does not exist", what, id);
}

/* A block as the reply to its association or disassociation has it. */
static void reply_block(struct call *call, const struct resource *of, struct block block,
			enum block_state state)
{
	const struct view view = { call_model(call), of, &block };

	block.state = (int)state;
	xml_text(call->xml, "vpcId", rid_format(of->id).text);
	xml_open(call->xml, "cidrBlockAssociation");
	reply_fields(call, vpc_block_fields, &view);
	xml_close(call->xml);
}

int associate_vpc_cidr_block(struct call *call, struct error *error)
{
	static const char *const refused[] = { "Ipv6Pool",
					       "Ipv6CidrBlock",
					       "Ipv4IpamPoolId",
					       "Ipv4NetmaskLength",
					       "Ipv6IpamPoolId",
					       "Ipv6NetmaskLength",
					       NULL };
	const struct block *block;
	struct cidr cidr;
	struct vpc *vpc;
	int r;

	if (call_bool(call, "AmazonProvidedIpv6CidrBlock", false))
		return error_set(error, ERROR_UNSUPPORTED_OPERATION, "IPv6 is not supported yet.");
	if ((r = call_refuse(call, refused, error)) < 0 ||
	    (r = call_resource(call, "VpcId", KIND_VPC, &vpc, error)) < 0 ||
	    (r = call_cidr(call, "CidrBlock", &cidr, error)) < 0 ||
	    (r = vpc_associate(&call->transaction, vpc, cidr, &block, error)) < 0)
		return r;
	reply_block(call, &vpc->resource, *block, BLOCK_ASSOCIATING);
	return 0;
}

int disassociate_vpc_cidr_block(struct call *call, struct error *error)
{
	const char *text = call_text(call, "AssociationId");
	const struct block *found;
	struct block block;
	struct vpc *vpc;
	struct rid id;
	int r;

	if (rid_parse(text, KIND_VPC_CIDR_ASSOCIATION, &id) < 0)
		return ids_malformed(KIND_VPC_CIDR_ASSOCIATION, "vpc", text, error);
	vpc = vpc_find_association(call->scope, id, &found);
	if (!vpc)
		return no_association(KIND_VPC_CIDR_ASSOCIATION, "vpc", text, error);
	block = *found;
	if ((r = vpc_disassociate(&call->transaction, vpc, found, error)) < 0)
		return r;
	reply_block(call, &vpc->resource, block, BLOCK_DISASSOCIATING);
	return 0;
}
