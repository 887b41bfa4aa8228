/* Flow logs: see flow_log.h. */
#include "model/flow_log.h"

#define DEFAULT_FORMAT                                                                             \
	"${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} "    \
	"${protocol} ${packets} ${bytes} ${start} ${end} ${action} ${log-status}"
#define DEFAULT_INTERVAL "600"
#define GROUP_NAME_MAX	 512

static const char *const traffic_names[] = { "ACCEPT", "REJECT", "ALL", NULL };
static const char *const type_names[] = { "cloud-watch-logs", "s3", "kinesis-data-firehose", NULL };

/* "Available fields" in the VPC guide, versions 2 to 5, then those for ECS (7) and after. */
static const char *const format_fields[] = {
	"version",
	"account-id",
	"interface-id",
	"srcaddr",
	"dstaddr",
	"srcport",
	"dstport",
	"protocol",
	"packets",
	"bytes",
	"start",
	"end",
	"action",
	"log-status",
	"vpc-id",
	"subnet-id",
	"instance-id",
	"tcp-flags",
	"type",
	"pkt-srcaddr",
	"pkt-dstaddr",
	"region",
	"az-id",
	"sublocation-type",
	"sublocation-id",
	"pkt-src-aws-service",
	"pkt-dst-aws-service",
	"flow-direction",
	"traffic-path",
	"ecs-cluster-arn",
	"ecs-cluster-name",
	"ecs-container-instance-arn",
	"ecs-container-instance-id",
	"ecs-container-id",
	"ecs-second-container-id",
	"ecs-service-name",
	"ecs-task-definition-arn",
	"ecs-task-arn",
	"ecs-task-id",
	"reject-reason",
	"resource-id",
	"encryption-status",
};

/* ---- what clients see ---- */

static bool child_options(const struct view *view, size_t index, struct view *ret_child)
{
	const struct flow_log *log = view->object;

	*ret_child = *view;
	ret_child->object = &log->options;
	return index == 0 && log->options.given;
}

static const struct field option_fields[] = {
	FIELD_OF(struct flow_log_options, file_format, FIELD_TEXT, "fileFormat", NULL, FIELD_BOTH),
	FIELD_OF(struct flow_log_options, hive_partitions, FIELD_BOOL, "hiveCompatiblePartitions",
		 NULL, FIELD_BOTH),
	FIELD_OF(struct flow_log_options, hour_partition, FIELD_BOOL, "perHourPartition", NULL,
		 FIELD_BOTH),
	FIELD_OF(struct flow_log_options, given, FIELD_BOOL, "given", NULL, FIELD_STORED),
	FIELD_END,
};

static const struct field fields[] = {
	RESOURCE_FIELDS(struct flow_log),
	FIELD_GET_OF(get_id, "flowLogId", "flow-log-id"),
	FIELD_OF(struct flow_log, create_time, FIELD_TIME, "creationTime", NULL, FIELD_BOTH),
	/* Nothing takes what it would deliver: what AWS says when it can't reach a destination. */
	FIELD_CONST_OF("FAILED", "deliverLogsStatus", "deliver-log-status"),
	FIELD_CONST_OF("Access error", "deliverLogsErrorMessage", NULL),
	FIELD_CONST_OF("ACTIVE", "flowLogStatus", NULL),
	FIELD_OF(struct flow_log, role, FIELD_TEXT, "deliverLogsPermissionArn", NULL, FIELD_BOTH),
	FIELD_OF(struct flow_log, cross_account_role, FIELD_TEXT, "deliverCrossAccountRole", NULL,
		 FIELD_BOTH),
	FIELD_OF(struct flow_log, of, FIELD_RID, "resourceId", "resource-id", FIELD_BOTH),
	FIELD_ENUM_OF(struct flow_log, traffic, traffic_names, "trafficType", "traffic-type",
		      FIELD_BOTH),
	FIELD_ENUM_OF(struct flow_log, type, type_names, "logDestinationType",
		      "log-destination-type", FIELD_BOTH),
	FIELD_OF(struct flow_log, destination, FIELD_TEXT, "logDestination", NULL, FIELD_BOTH),
	FIELD_OF(struct flow_log, group, FIELD_TEXT, "logGroupName", "log-group-name", FIELD_BOTH),
	FIELD_OF(struct flow_log, format, FIELD_TEXT, "logFormat", NULL, FIELD_BOTH),
	FIELD_OF(struct flow_log, interval, FIELD_INT, "maxAggregationInterval", NULL, FIELD_BOTH),
	FIELD_CHILD_OF(child_options, option_fields, "destinationOptions"),
	FIELD_STRUCT_OF(struct flow_log, options, option_fields, "options", FIELD_STORED),
	FIELD_OF(struct flow_log, client_token, FIELD_TEXT, "clientToken", NULL, FIELD_STORED),
	FIELD_OF(struct flow_log, token_digest, FIELD_TEXT, "tokenDigest", NULL, FIELD_STORED),
	FIELD_END,
};

const struct resource_type flow_log_type = {
	.kind = KIND_FLOW_LOG,
	.size = sizeof(struct flow_log),
	.fields = fields,
	.tag_type = "vpc-flow-log",
};

/* ---- checks ---- */

/* The place of `text` in a list of names; -1: it is not there. */
static int place(const char *const *names, const char *text)
{
	for (int i = 0; names[i]; i++)
		if (streq(names[i], text))
			return i;
	return -1;
}

static int type_of(const struct flow_log_request *request)
{
	return request->type ? place(type_names, request->type) : FLOW_LOG_CLOUD_WATCH;
}

static int refuse_value(const char *value, const char *name, struct error *error)
{
	return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
			 "Value (%s) for parameter %s is invalid.", value, name);
}

static int empty_if(const char *name, const char *other, const char *value, struct error *error)
{
	return error_set(error, ERROR_INVALID_PARAMETER, "%s can't be empty if %s is %s.", name,
			 other, value);
}

/* Words of "${field}", with single spaces between them. */
static int check_format(const char *format, struct error *error)
{
	for (const char *word = format; *word;) {
		const size_t length = strcspn(word, " ");
		bool known = false;

		for (size_t i = 0; !known && i < ARRAY_SIZE(format_fields); i++)
			known = length == strlen(format_fields[i]) + 3 &&
				strncmp(word, "${", 2) == 0 && word[length - 1] == '}' &&
				strncmp(word + 2, format_fields[i], length - 3) == 0;
		if (!known)
			return error_set(error, ERROR_INVALID_PARAMETER,
					 "Unknown fields provided: %.*s",
					 (int)MIN(length, (size_t)100), word);
		word += length + (word[length] == ' ');
	}
	return 0;
}

/* "arn:aws:<service>:…" */
static bool is_arn_of(const char *text, const char *service)
{
	const char *rest = text;

	if (strncmp(rest, "arn:aws", strlen("arn:aws")) != 0)
		return false;
	rest += strcspn(rest + 4, ":") + 5; /* "aws", "aws-cn", "aws-us-gov" */
	return strncmp(rest, service, strlen(service)) == 0 && rest[strlen(service)] == ':';
}

static int check_arn(const struct flow_log_request *request, int type, struct error *error)
{
	static const char *const services[] = {
		[FLOW_LOG_CLOUD_WATCH] = "logs",
		[FLOW_LOG_S3] = "s3",
		[FLOW_LOG_FIREHOSE] = "firehose",
	};

	if (!request->destination || is_arn_of(request->destination, services[type]))
		return 0;
	return error_set(error, ERROR_INVALID_PARAMETER, "LogDestination must be an ARN of %s: %s",
			 services[type], request->destination);
}

static int check_destination(const struct flow_log_request *request, struct error *error)
{
	const int type = type_of(request);

	if (type < 0)
		return refuse_value(request->type, "logDestinationType", error);
	if (!request->destination && !request->group)
		return empty_if("LogDestination", "LogGroupName", "not provided", error);
	if (request->destination && request->group)
		return error_set(
			error, ERROR_INVALID_PARAMETER,
			"Please only provide LogGroupName or only provide LogDestination.");
	if (type != FLOW_LOG_CLOUD_WATCH && request->group)
		return error_set(error, ERROR_INVALID_PARAMETER,
				 "LogDestination type must be cloud-watch-logs if LogGroupName is "
				 "provided.");
	if (type == FLOW_LOG_CLOUD_WATCH && !request->role)
		return empty_if("DeliverLogsPermissionArn", "LogDestinationType",
				"cloud-watch-logs", error);
	if (request->group && strlen(request->group) > GROUP_NAME_MAX)
		return refuse_value(request->group, "logGroupName", error);
	if (request->role && !is_arn_of(request->role, "iam"))
		return refuse_value(request->role, "deliverLogsPermissionArn", error);
	return check_arn(request, type, error);
}

static bool has_options(const struct flow_log_request *request)
{
	return request->file_format || request->hive_partitions || request->hour_partition;
}

static int check_options(const struct flow_log_request *request, struct error *error)
{
	const char *format = request->file_format;

	if (has_options(request) && type_of(request) != FLOW_LOG_S3)
		return error_set(error, ERROR_INVALID_PARAMETER_COMBINATION,
				 "DestinationOptions can only be specified if LogDestinationType "
				 "is s3.");
	if (format && !streq(format, "plain-text") && !streq(format, "parquet"))
		return refuse_value(format, "fileFormat", error);
	return 0;
}

int flow_log_check(const struct flow_log_request *request, struct error *error)
{
	int r;

	if (!request->traffic)
		return error_set(error, ERROR_MISSING_PARAMETER,
				 "The request must contain the parameter TrafficType");
	if (place(traffic_names, request->traffic) < 0)
		return refuse_value(request->traffic, "trafficType", error);
	if ((r = check_destination(request, error)) < 0 || (r = check_options(request, error)) < 0)
		return r;
	if (request->interval && !streq(request->interval, "60") &&
	    !streq(request->interval, DEFAULT_INTERVAL))
		return error_set(error, ERROR_INVALID_PARAMETER,
				 "Invalid Flow Log Max Aggregation Interval");
	return request->format ? check_format(request->format, error) : 0;
}

/* ---- verbs ---- */

/* The name within "arn:aws:logs:<region>:<account>:log-group:<name>[:*]"; NULL for none. */
static char *group_of(const char *arn)
{
	const char *name = strstr(arn, ":log-group:");

	name = name ? name + strlen(":log-group:") : "";
	return *name ? xasprintf("%.*s", (int)strcspn(name, ":"), name) : NULL;
}

static bool leads_to(const struct flow_log *log, const struct flow_log_request *request)
{
	if (log->type != type_of(request))
		return false;
	return request->group ? streq(log->group, request->group)
			      : streq(log->destination, request->destination);
}

static int check_others(const struct transaction *transaction, const struct resource *of,
			const struct flow_log_request *request, struct error *error)
{
	size_t count = 1;

	for_each_resource (struct flow_log, log, of->scope, KIND_FLOW_LOG) {
		if (!rid_equal(log->of, of->id))
			continue;
		if (leads_to(log, request))
			return error_set(error, ERROR_FLOW_LOG_EXISTS,
					 "Error. There is an existing Flow Log with the same "
					 "configuration and log destination.");
		count++;
	}
	return quota_check(transaction->model, QUOTA_FLOW_LOGS, count, error);
}

static void keep_destination(struct flow_log *log, const struct flow_log_request *request)
{
	log->type = type_of(request);
	log->destination = xstrdup_null(request->destination);
	log->group = request->group			 ? xstrdup(request->group)
		     : log->type == FLOW_LOG_CLOUD_WATCH ? group_of(request->destination)
							 : NULL;
	log->role = xstrdup_null(request->role);
	log->cross_account_role = xstrdup_null(request->cross_account_role);
	if (!has_options(request))
		return;
	log->options.given = true;
	log->options.file_format =
		xstrdup(request->file_format ? request->file_format : "plain-text");
	log->options.hive_partitions = request->hive_partitions && *request->hive_partitions;
	log->options.hour_partition = request->hour_partition && *request->hour_partition;
}

int flow_log_create(struct transaction *transaction, const struct resource *of,
		    const struct flow_log_request *request, struct flow_log **ret_log,
		    struct error *error)
{
	struct flow_log *log;
	int r;

	for_each_resource (struct flow_log, other, of->scope, KIND_FLOW_LOG) {
		if (!request->client_token || !streq(other->client_token, request->client_token))
			continue;
		if (!streq(other->token_digest, request->token_digest))
			return idempotent_mismatch(error);
		if (rid_equal(other->of, of->id)) {
			*ret_log = other;
			return 0;
		}
	}
	if ((r = check_others(transaction, of, request, error)) < 0)
		return r;
	log = transaction_create(transaction, of->scope, KIND_FLOW_LOG);
	log->of = of->id;
	log->traffic = place(traffic_names, request->traffic);
	log->create_time = transaction->now;
	log->interval = streq(request->interval, "60") ? 60 : 600;
	log->format = xstrdup(request->format ? request->format : DEFAULT_FORMAT);
	log->client_token = xstrdup_null(request->client_token);
	log->token_digest = xstrdup_null(request->token_digest);
	keep_destination(log, request);
	*ret_log = log;
	return 0;
}

void flow_logs_forget(struct transaction *transaction, const struct resource *of)
{
	struct resource_list *list = &of->scope->lists[KIND_FLOW_LOG];

	for (size_t i = list->count; i-- > 0;)
		if (rid_equal(((struct flow_log *)list->items[i])->of, of->id))
			transaction_delete(transaction, list->items[i]);
}
