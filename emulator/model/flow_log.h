/*
 * Flow logs. VPC user guide, "Logging IP traffic using VPC Flow Logs".
 *
 * They are records: no packet is written down, and there is no service that could take it, which
 * the state of their delivery says.
 */
#pragma once

#include "model/common.h"

enum flow_log_traffic {
	FLOW_LOG_ACCEPT,
	FLOW_LOG_REJECT,
	FLOW_LOG_ALL
};

enum flow_log_destination {
	FLOW_LOG_CLOUD_WATCH,
	FLOW_LOG_S3,
	FLOW_LOG_FIREHOSE
};

/* How files in a bucket are laid out. */
struct flow_log_options {
	bool given;
	char *file_format;
	bool hive_partitions, hour_partition;
};

struct flow_log {
	struct resource resource;
	struct rid of;			 /* a VPC, subnet or interface; it goes with it */
	int traffic;			 /* enum flow_log_traffic */
	int type;			 /* enum flow_log_destination */
	char *destination, *group;	 /* the ARN, and of a log group its name; NULL: not given */
	char *role, *cross_account_role; /* NULL: not given */
	char *format;
	int64_t interval, create_time;
	struct flow_log_options options;
	char *client_token, *token_digest; /* NULL: no token was given */
};

extern const struct resource_type flow_log_type;

/* What is not given is NULL; the options may be empty. */
struct flow_log_request {
	const char *traffic, *type, *destination, *group, *role, *cross_account_role, *format;
	const char *interval, *file_format;
	const bool *hive_partitions, *hour_partition;
	const char *client_token, *token_digest;
};

/*
 * Checks all that doesn't depend on what is to be logged. ERROR_MISSING_PARAMETER,
 * ERROR_INVALID_PARAMETER, ERROR_INVALID_PARAMETER_VALUE, ERROR_INVALID_PARAMETER_COMBINATION.
 */
int flow_log_check(const struct flow_log_request *request, struct error *error);
/*
 * With a client token that made one of this resource before: that one. The request was checked.
 * ERROR_FLOW_LOG_EXISTS (to the same destination), ERROR_QUOTA, ERROR_IDEMPOTENT_MISMATCH.
 */
int flow_log_create(struct transaction *transaction, const struct resource *of,
		    const struct flow_log_request *request, struct flow_log **ret_log,
		    struct error *error);
/* Those of a resource that goes. */
void flow_logs_forget(struct transaction *transaction, const struct resource *of);
