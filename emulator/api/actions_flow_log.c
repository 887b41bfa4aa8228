/* Flow logs. */
#include "api/actions.h"
#include "api/failures.h"
#include "model/flow_log.h"

/* The text of a parameter; NULL when it is empty too. */
static const char *given(const struct call *call, const char *name)
{
	const char *text = call_text(call, name);

	return text && *text ? text : NULL;
}

static int read_type(const struct call *call, enum kind *ret_kind, struct error *error)
{
	static const struct {
		const char *name;
		enum kind kind; /* KIND_NONE: not here */
	} types[] = {
		{ "VPC", KIND_VPC },
		{ "Subnet", KIND_SUBNET },
		{ "NetworkInterface", KIND_NETWORK_INTERFACE },
		{ "TransitGateway", KIND_NONE },
		{ "TransitGatewayAttachment", KIND_NONE },
		{ "RegionalNatGateway", KIND_NONE },
	};
	const char *text = call_text(call, "ResourceType");

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		if (!streq(types[i].name, text))
			continue;
		*ret_kind = types[i].kind;
		return types[i].kind ? 0
				     : error_set(error, ERROR_UNSUPPORTED_OPERATION,
						 "Flow logs of the resource type %s are not "
						 "supported.",
						 text);
	}
	return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
			 "Value (%s) for parameter resourceType is invalid.", text);
}

/* Its own failure is told beside the others' success. */
static int create_one(struct call *call, enum kind kind, const char *id,
		      const struct flow_log_request *request, struct failures *failures,
		      struct error *error)
{
	struct error own = ERROR_INIT;
	const struct resource *of;
	struct flow_log *log;
	struct rid ignored;
	int r;

	if (rid_parse(id, kind, &ignored) < 0)
		return malformed(kind, id, error);
	if (call_find(call, id, kind, &of, &own) < 0) {
		failures_add(failures, id, &own);
		return 0;
	}
	if ((r = flow_log_create(&call->transaction, of, request, &log, error)) < 0 ||
	    (r = call_tag(call, log, error)) < 0)
		return r;
	xml_text(call->xml, "item", rid_format(log->resource.id).text);
	return 0;
}

static int create_all(struct call *call, enum kind kind, const struct flow_log_request *request,
		      struct failures *failures, struct error *error)
{
	CLEANUP(freep) unsigned int *indices = NULL;
	size_t count = params_indices(call->params, "ResourceId", &indices);
	int r = 0;

	xml_open(call->xml, "flowLogIdSet");
	for (size_t i = 0; r == 0 && i < count; i++)
		r = create_one(call, kind, params_get(call->params, "ResourceId.%u", indices[i]),
			       request, failures, error);
	xml_close(call->xml);
	return r;
}

int create_flow_logs(struct call *call, struct error *error)
{
	static const char *const refused[] = { "TagFieldSpecification", NULL };
	CLEANUP(failures_clear) struct failures failures = { NULL, 0 };
	CLEANUP(freep) char *digest = call_digest(call);
	bool hive, hour;
	const struct flow_log_request request = {
		.traffic = given(call, "TrafficType"),
		.type = given(call, "LogDestinationType"),
		.destination = given(call, "LogDestination"),
		.group = given(call, "LogGroupName"),
		.role = given(call, "DeliverLogsPermissionArn"),
		.cross_account_role = given(call, "DeliverCrossAccountRole"),
		.format = given(call, "LogFormat"),
		.interval = given(call, "MaxAggregationInterval"),
		.file_format = given(call, "DestinationOptions.FileFormat"),
		.hive_partitions = call_optional_bool(
			call, "DestinationOptions.HiveCompatiblePartitions", &hive),
		.hour_partition =
			call_optional_bool(call, "DestinationOptions.PerHourPartition", &hour),
		.client_token = given(call, "ClientToken"),
		.token_digest = digest,
	};
	enum kind kind;
	int r;

	if ((r = call_refuse(call, refused, error)) < 0 ||
	    (r = read_type(call, &kind, error)) < 0 || (r = flow_log_check(&request, error)) < 0 ||
	    (r = create_all(call, kind, &request, &failures, error)) < 0)
		return r;
	xml_text(call->xml, "clientToken", request.client_token);
	reply_failures(call, &failures);
	return 0;
}

int describe_flow_logs(struct call *call, struct error *error)
{
	static const struct listing listing = {
		.list = "flowLogSet",
		.kind = KIND_FLOW_LOG,
		.ids = "FlowLogId",
		.minimum = 1,
		.maximum = 1000,
	};

	return describe_resources(call, &listing, error);
}

int delete_flow_logs(struct call *call, struct error *error)
{
	return call_remove_each(call, "FlowLogId", KIND_FLOW_LOG, "fl", transaction_delete, error);
}
