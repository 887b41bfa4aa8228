/*
 * Error codes on the wire: see errors.h. Codes and statuses are EC2's own ("Error codes for the
 * Amazon EC2 API"), spelled as replies spell them where the documentation differs.
 */
#include "api/errors.h"

#include "api/xml.h"

#include <stdio.h>

#define STACKS "cloudformation"

/* Every code once: the assertion below counts them, and a double one would not compile. */
#define CODES(ROW)                                                                                 \
	ROW(INTERNAL, 500, "InternalError")                                                        \
	ROW(NOT_FOUND, 400, "InvalidParameterValue")                                               \
	ROW(MALFORMED, 400, "InvalidParameterValue")                                               \
	ROW(AUTH_FAILURE, 401, "AuthFailure")                                                      \
	ROW(INCORRECT_STATE, 400, "IncorrectState")                                                \
	ROW(NO_PERMISSION, 400, "AuthFailure")                                                     \
	ROW(FORBIDDEN, 403, "UnauthorizedOperation")                                               \
	ROW(MISSING_TOKEN, 403, "MissingAuthenticationToken")                                      \
	ROW(INCOMPLETE_SIGNATURE, 400, "IncompleteSignature")                                      \
	ROW(REQUEST_EXPIRED, 400, "RequestExpired")                                                \
	ROW(UNAUTHORIZED_HOST, 403, "UnauthorizedOperation")                                       \
	ROW(DRY_RUN, 412, "DryRunOperation")                                                       \
	ROW(MISSING_ACTION, 400, "MissingAction")                                                  \
	ROW(INVALID_ACTION, 400, "InvalidAction")                                                  \
	ROW(NO_SUCH_VERSION, 400, "NoSuchVersion")                                                 \
	ROW(MALFORMED_QUERY, 400, "MalformedQueryString")                                          \
	ROW(REQUEST_TOO_LARGE, 413, "RequestEntityTooLarge")                                       \
	ROW(UNKNOWN_PARAMETER, 400, "UnknownParameter")                                            \
	ROW(MISSING_PARAMETER, 400, "MissingParameter")                                            \
	ROW(INVALID_PARAMETER, 400, "InvalidParameter")                                            \
	ROW(INVALID_PARAMETER_VALUE, 400, "InvalidParameterValue")                                 \
	ROW(INVALID_PARAMETER_COMBINATION, 400, "InvalidParameterCombination")                     \
	ROW(INVALID_REQUEST, 400, "InvalidRequest")                                                \
	ROW(INVALID_NEXT_TOKEN, 400, "InvalidNextToken")                                           \
	ROW(INVALID_TEMPLATE, 400, "ValidationError")                                              \
	ROW(FILTER_LIMIT, 400, "FilterLimitExceeded")                                              \
	ROW(IDEMPOTENT_MISMATCH, 400, "IdempotentParameterMismatch")                               \
	ROW(IDEMPOTENT_TERMINATED, 400, "IdempotentInstanceTerminated")                            \
	ROW(UNSUPPORTED_OPERATION, 400, "UnsupportedOperation")                                    \
	ROW(OPERATION_NOT_PERMITTED, 400, "OperationNotPermitted")                                 \
	ROW(DEPENDENCY_VIOLATION, 400, "DependencyViolation")                                      \
	ROW(VPC_RANGE, 400, "InvalidVpc.Range")                                                    \
	ROW(SUBNET_RANGE, 400, "InvalidSubnet.Range")                                              \
	ROW(SUBNET_CONFLICT, 400, "InvalidSubnet.Conflict")                                        \
	ROW(CIDR_LIMIT, 400, "CidrLimitExceeded")                                                  \
	ROW(CIDR_IN_USE, 400, "InvalidCidrBlock.InUse")                                            \
	ROW(VPC_ID_NOT_SPECIFIED, 400, "VPCIdNotSpecified")                                        \
	ROW(DEFAULT_VPC_EXISTS, 400, "DefaultVpcAlreadyExists")                                    \
	ROW(DEFAULT_VPC_MISSING, 400, "DefaultVpcDoesNotExist")                                    \
	ROW(DEFAULT_SUBNET_EXISTS, 400, "DefaultSubnetAlreadyExistsInAvailabilityZone")            \
	ROW(INSUFFICIENT_CIDR_BLOCKS, 400, "InsufficientCidrBlocks")                               \
	ROW(MISSING_INPUT, 400, "MissingInput")                                                    \
	ROW(INVALID_INPUT, 400, "InvalidInput")                                                    \
	ROW(GATEWAY_NOT_FOUND, 400, "InvalidGatewayID.NotFound")                                   \
	ROW(GATEWAY_NOT_ATTACHED, 400, "Gateway.NotAttached")                                      \
	ROW(ALREADY_ASSOCIATED, 400, "Resource.AlreadyAssociated")                                 \
	ROW(ROUTE_EXISTS, 400, "RouteAlreadyExists")                                               \
	ROW(ROUTE_NOT_FOUND, 400, "InvalidRoute.NotFound")                                         \
	ROW(ACL_ENTRY_EXISTS, 400, "NetworkAclEntryAlreadyExists")                                 \
	ROW(PREFIX_LIST_VERSION, 400, "PrefixListVersionMismatch")                                 \
	ROW(PREFIX_LIST_FULL, 400, "PrefixListMaxEntriesExceeded")                                 \
	ROW(PREFIX_LIST_MODIFICATION, 400, "InvalidPrefixListModification")                        \
	ROW(ASSOCIATION_NOT_FOUND, 400, "InvalidAssociationID.NotFound")                           \
	ROW(ADDRESS_IN_USE, 400, "InvalidIPAddress.InUse")                                         \
	ROW(ADDRESS_LOCKED, 400, "InvalidAddress.Locked")                                          \
	ROW(ALREADY_ASSIGNED, 400, "Resource.AlreadyAssigned")                                     \
	ROW(INTERFACE_IN_USE, 400, "InvalidNetworkInterface.InUse")                                \
	ROW(INSUFFICIENT_ADDRESSES, 400, "InsufficientFreeAddressesInSubnet")                      \
	ROW(INSTANCE_STATE, 400, "IncorrectInstanceState")                                         \
	ROW(INSTANCE_ID, 400, "InvalidInstanceID")                                                 \
	ROW(INSTANCE_CAPACITY, 500, "InsufficientInstanceCapacity")                                \
	ROW(INSUFFICIENT_ADDRESS_CAPACITY, 500, "InsufficientAddressCapacity")                     \
	ROW(TAG_KEY_MALFORMED, 400, "InvalidTagKey.Malformed")                                     \
	ROW(TAG_LIMIT, 400, "TagLimitExceeded")                                                    \
	ROW(INVALID_ID, 400, "InvalidID")                                                          \
	ROW(GROUP_DUPLICATE, 400, "InvalidGroup.Duplicate")                                        \
	ROW(GROUP_RESERVED, 400, "InvalidGroup.Reserved")                                          \
	ROW(PERMISSION_DUPLICATE, 400, "InvalidPermission.Duplicate")                              \
	ROW(CANNOT_DELETE, 400, "CannotDelete")                                                    \
	ROW(PEERING_STATE, 400, "InvalidStateTransition")                                          \
	ROW(PEERING_EXISTS, 400, "VpcPeeringConnectionAlreadyExists")                              \
	ROW(PEERING_DNS, 400, "InvalidVpcPeeringConnectionState.DnsHostnamesDisabled")             \
	ROW(USER_ID_MALFORMED, 400, "InvalidUserID.Malformed")                                     \
	ROW(KEY_PAIR_DUPLICATE, 400, "InvalidKeyPair.Duplicate")                                   \
	ROW(KEY_FORMAT, 400, "InvalidKey.Format")                                                  \
	ROW(BLOCK_DEVICE_MAPPING, 400, "InvalidBlockDeviceMapping")                                \
	ROW(IMAGE_NAME_DUPLICATE, 400, "InvalidAMIName.Duplicate")                                 \
	ROW(IMAGE_NAME_MALFORMED, 400, "InvalidAMIName.Malformed")                                 \
	ROW(IMAGE_UNAVAILABLE, 400, "InvalidAMIID.Unavailable")                                    \
	ROW(VOLUME_IN_USE, 400, "VolumeInUse")                                                     \
	ROW(VOLUME_ZONE, 400, "InvalidVolume.ZoneMismatch")                                        \
	ROW(PARAMETER_DEPENDENCY, 400, "InvalidParameterDependency")                               \
	ROW(INSTANCE_ATTRIBUTE, 400, "InvalidInstanceAttributeValue")                              \
	ROW(LAUNCH_TEMPLATE_NAME, 400, "InvalidLaunchTemplateName.MalformedException")             \
	ROW(LAUNCH_TEMPLATE_EXISTS, 400, "InvalidLaunchTemplateName.AlreadyExistsException")       \
	ROW(LAUNCH_TEMPLATE_NOT_FOUND, 400, "InvalidLaunchTemplateName.NotFoundException")         \
	ROW(LAUNCH_TEMPLATE_VERSION, 400, "InvalidLaunchTemplateId.VersionNotFound")               \
	ROW(CREDITS_NOT_SUPPORTED, 400, "InstanceCreditSpecification.NotSupported")                \
	ROW(FLOW_LOG_EXISTS, 400, "FlowLogAlreadyExists")                                          \
	ROW(SERVICE_NAME, 400, "InvalidServiceName")                                               \
	ROW(SUBNETS_IN_ZONE, 400, "DuplicateSubnetsInSameZone")                                    \
	ROW(STACK_EXISTS, 400, "AlreadyExistsException")                                           \
	ROW(CHANGE_SET_STATUS, 400, "InvalidChangeSetStatus")                                      \
	ROW(CHANGE_SET_NOT_FOUND, 404, "ChangeSetNotFound")                                        \
	ROW(QUOTA, 400, "ResourceLimitExceeded")

#define ROW_ENTRY(name, status, code) [ERROR_##name] = { status, code },
#define ROW_COUNT(name, status, code) +1

static const struct error_reply codes[] = { CODES(ROW_ENTRY) };
static_assert(0 CODES(ROW_COUNT) == ERROR_CODE_MAX, "every error code has a row");

/* The codes that depend on what they are about; all of them answer 400. NULL: the general name. */
static const struct subject {
	const char *name;
	const char *not_found, *malformed, *quota;
} subjects[] = {
	{ "vpc", "InvalidVpcID.NotFound", "InvalidVpcID.Malformed", "VpcLimitExceeded" },
	{ "subnet", "InvalidSubnetID.NotFound", "InvalidSubnetID.Malformed",
	  "SubnetLimitExceeded" },
	{ "igw", "InvalidInternetGatewayID.NotFound", "InvalidInternetGatewayId.Malformed",
	  "InternetGatewayLimitExceeded" },
	{ "eigw", "InvalidGatewayID.NotFound", "InvalidEgressOnlyInternetGatewayId.Malformed",
	  NULL },
	{ "rtb", "InvalidRouteTableID.NotFound", "InvalidRouteTableId.Malformed",
	  "RouteTableLimitExceeded" },
	{ "route", "InvalidRoute.NotFound", "InvalidRoute.Malformed", "RouteLimitExceeded" },
	{ "rtbassoc", "InvalidAssociationID.NotFound", NULL, NULL },
	{ "aclassoc", "InvalidAssociationID.NotFound", NULL, NULL },
	{ "eipassoc", "InvalidAssociationID.NotFound", NULL, NULL },
	{ "vpc-cidr-assoc", "InvalidVpcCidrBlockAssociationID.NotFound",
	  "InvalidVpcCidrBlockAssociationId.Malformed", "CidrLimitExceeded" },
	{ "subnet-cidr-assoc", "InvalidSubnetCidrBlockAssociationID.NotFound",
	  "InvalidSubnetCidrBlockAssociationId.Malformed", "CidrLimitExceeded" },
	{ "sg", "InvalidGroup.NotFound", "InvalidGroupId.Malformed", "SecurityGroupLimitExceeded" },
	{ "sgr", "InvalidSecurityGroupRuleId.NotFound", "InvalidSecurityGroupRuleId.Malformed",
	  "RulesPerSecurityGroupLimitExceeded" },
	{ "permission", "InvalidPermission.NotFound", "InvalidPermission.Malformed",
	  "RulesPerSecurityGroupLimitExceeded" },
	{ "interface-group", NULL, NULL, "SecurityGroupsPerInterfaceLimitExceeded" },
	{ "acl", "InvalidNetworkAclID.NotFound", "InvalidNetworkAclId.Malformed",
	  "NetworkAclLimitExceeded" },
	{ "acl-entry", "InvalidNetworkAclEntry.NotFound", NULL, "NetworkAclEntryLimitExceeded" },
	{ "dopt", "InvalidDhcpOptionID.NotFound", "InvalidDhcpOptionsId.Malformed", NULL },
	{ "eni", "InvalidNetworkInterfaceID.NotFound", "InvalidNetworkInterfaceId.Malformed",
	  "NetworkInterfaceLimitExceeded" },
	{ "eni-attach", "InvalidAttachmentID.NotFound",
	  "InvalidNetworkInterfaceAttachmentId.Malformed", "AttachmentLimitExceeded" },
	{ "private-address", NULL, NULL, "PrivateIpAddressLimitExceeded" },
	{ "i", "InvalidInstanceID.NotFound", "InvalidInstanceID.Malformed",
	  "InstanceLimitExceeded" },
	{ "instance-type", "InvalidInstanceType", "InvalidInstanceType", NULL },
	{ "ami", "InvalidAMIID.NotFound", "InvalidAMIID.Malformed", NULL },
	{ "vol", "InvalidVolume.NotFound", "InvalidVolumeID.Malformed", NULL },
	{ "key", "InvalidKeyPair.NotFound", NULL, "KeyPairLimitExceeded" },
	{ "volume-attachment", "InvalidAttachment.NotFound", NULL, NULL },
	{ "volume-modification", "InvalidVolumeModification.NotFound", NULL, NULL },
	{ "zone", "InvalidZone.NotFound", NULL, NULL },
	{ "eipalloc", "InvalidAllocationID.NotFound", NULL, "AddressLimitExceeded" },
	{ "address", "InvalidAddress.NotFound", "InvalidAddress.Malformed",
	  "AddressLimitExceeded" },
	{ "nat", "NatGatewayNotFound", "NatGatewayMalformed", "NatGatewayLimitExceeded" },
	{ "pcx", "InvalidVpcPeeringConnectionID.NotFound",
	  "InvalidVpcPeeringConnectionId.Malformed", "VpcPeeringConnectionsPerVpcLimitExceeded" },
	{ "pcx-active", NULL, NULL, "ActiveVpcPeeringConnectionPerVpcLimitExceeded" },
	{ "pcx-outstanding", NULL, NULL, "OutstandingVpcPeeringConnectionLimitExceeded" },
	{ "vpce", "InvalidVpcEndpointId.NotFound", "InvalidVpcEndpointId.Malformed",
	  "VpcEndpointLimitExceeded" },
	/* Where deleting lists what it did not find. */
	{ "vpc-endpoint", "InvalidVpcEndpoint.NotFound", NULL, NULL },
	{ "pl", "InvalidPrefixListID.NotFound", "InvalidPrefixListId.Malformed", NULL },
	/* DescribePrefixLists spells it its own way. */
	{ "prefix-list", "InvalidPrefixListId.NotFound", "InvalidPrefixListId.Malformed", NULL },
	{ "fl", "InvalidFlowLogId.NotFound", NULL, "FlowLogsLimitExceeded" },
	{ "tgw", "InvalidTransitGatewayID.NotFound", "InvalidTransitGatewayID.Malformed", NULL },
	{ "tgw-attach", "InvalidTransitGatewayAttachmentID.NotFound",
	  "InvalidTransitGatewayAttachmentID.Malformed", NULL },
	{ "tgw-rtb", "InvalidRouteTableID.NotFound", NULL, NULL },
	{ "nip", "InvalidNetworkInsightsPathId.NotFound", NULL, NULL },
	{ "nia", "InvalidNetworkInsightsAnalysisId.NotFound", NULL, NULL },
	{ "lt", "InvalidLaunchTemplateId.NotFound", "InvalidLaunchTemplateId.Malformed", NULL },
};

static const char *subject_code(const struct error *error)
{
	const struct subject *subject = NULL;

	for (size_t i = 0; !subject && i < ARRAY_SIZE(subjects); i++)
		if (streq(subjects[i].name, error->subject))
			subject = &subjects[i];
	if (!subject)
		return NULL;
	switch (error->code) {
	case ERROR_NOT_FOUND:
		return subject->not_found;
	case ERROR_MALFORMED:
		return subject->malformed;
	case ERROR_QUOTA:
		return subject->quota;
	default:
		return NULL;
	}
}

struct error_reply error_reply(const struct error *error)
{
	struct error_reply reply = codes[error->code];
	const char *specific = subject_code(error);

	if (specific)
		reply.code = specific;
	return reply;
}

/* EC2's envelope: no namespace, RequestID with a capital D. */
static void ec2_document(struct xml *xml, const struct error_reply *wire, const char *text,
			 const char *request_id)
{
	xml_open(xml, "Response");
	xml_open(xml, "Errors");
	xml_open(xml, "Error");
	xml_text(xml, "Code", wire->code);
	xml_text(xml, "Message", text);
	xml_close(xml);
	xml_close(xml);
	xml_text(xml, "RequestID", request_id);
}

static void query_document(struct xml *xml, const struct error_reply *wire, const char *text,
			   const char *service, const char *request_id)
{
	xml_open_ns(xml, "ErrorResponse",
		    streq(service, STACKS) ? "http://cloudformation.amazonaws.com/doc/2010-05-15/"
					   : "https://sts.amazonaws.com/doc/2011-06-15/");
	xml_open(xml, "Error");
	xml_text(xml, "Type", wire->status < 500 ? "Sender" : "Receiver");
	xml_text(xml, "Code", wire->code);
	xml_text(xml, "Message", text);
	xml_close(xml);
	xml_text(xml, "RequestId", request_id);
}

/* Where EC2 has a word of its own, the others have another, and a status of their own. */
static void query_code(const struct error *error, const char *service, struct error_reply *wire)
{
	static const struct {
		enum error_code code;
		const char *subject, *service; /* service: NULL: any */
		struct error_reply reply;
	} others[] = {
		{ ERROR_AUTH_FAILURE, "signature", NULL, { 403, "SignatureDoesNotMatch" } },
		{ ERROR_AUTH_FAILURE, NULL, NULL, { 403, "InvalidClientTokenId" } },
		{ ERROR_REQUEST_EXPIRED, "token", NULL, { 403, "ExpiredToken" } },
		{ ERROR_FORBIDDEN, NULL, NULL, { 403, "AccessDenied" } },
		{ ERROR_MISSING_PARAMETER, NULL, NULL, { 400, "ValidationError" } },
		{ ERROR_INVALID_PARAMETER_VALUE, NULL, NULL, { 400, "ValidationError" } },
		{ ERROR_UNKNOWN_PARAMETER, NULL, NULL, { 400, "ValidationError" } },
		{ ERROR_TAG_KEY_MALFORMED, NULL, STACKS, { 400, "ValidationError" } },
		{ ERROR_TAG_LIMIT, NULL, STACKS, { 400, "ValidationError" } },
		{ ERROR_UNSUPPORTED_OPERATION, NULL, STACKS, { 400, "ValidationError" } },
		{ ERROR_INVALID_NEXT_TOKEN, NULL, STACKS, { 400, "ValidationError" } },
		{ ERROR_IDEMPOTENT_MISMATCH, NULL, STACKS, { 400, "TokenAlreadyExistsException" } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (error->code == others[i].code && streq(error->subject, others[i].subject) &&
		    (!others[i].service || streq(others[i].service, service)))
			*wire = others[i].reply;
}

void error_document(const struct error *error, const char *service, const char *request_id,
		    struct http_reply *reply)
{
	CLEANUP(xml_freep) struct xml *xml = xml_new();
	struct error_reply wire = error_reply(error);

	if (service[0] == '\0' || streq(service, "ec2") || streq(service, "minivpc")) {
		ec2_document(xml, &wire, error->text, request_id);
	} else {
		query_code(error, service, &wire);
		query_document(xml, &wire, error->text, service, request_id);
	}
	reply->status = wire.status;
	reply->content_type = "text/xml;charset=UTF-8";
	if (request_id != reply->request_id)
		snprintf(reply->request_id, sizeof(reply->request_id), "%s", request_id);
	buffer_clear(&reply->body);
	xml_finish(xml, &reply->body);
}
