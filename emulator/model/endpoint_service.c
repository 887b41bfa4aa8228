/* Services that endpoints lead to: see endpoint_service.h. */
#include "model/endpoint_service.h"

/*
 * The blocks are the first ones of S3 and DynamoDB in us-east-1, in every region: what matters of
 * them is that they are public and not the simulated Internet's own.
 */
static const struct endpoint_service services[] = {
	{ "s3", "54.231.0.0/16", true, NULL, true },
	{ "dynamodb", "52.94.0.0/22", true, NULL, true },
	{ "autoscaling", NULL, true, NULL, false },
	{ "cloudformation", NULL, true, NULL, false },
	{ "cloudtrail", NULL, true, NULL, false },
	{ "codebuild", NULL, true, NULL, false },
	{ "ec2", NULL, true, NULL, false },
	{ "ec2messages", NULL, true, NULL, false },
	{ "ecr.api", NULL, true, "api.ecr", false },
	{ "ecr.dkr", NULL, true, "dkr.ecr", false },
	{ "ecs", NULL, true, NULL, false },
	{ "ecs-agent", NULL, true, "ecs-a", false },
	{ "ecs-telemetry", NULL, true, "ecs-t", false },
	{ "elasticfilesystem", NULL, true, NULL, false },
	{ "elasticloadbalancing", NULL, true, NULL, false },
	{ "events", NULL, true, NULL, false },
	{ "execute-api", NULL, true, NULL, false },
	{ "kinesis-firehose", NULL, true, "firehose", false },
	{ "kinesis-streams", NULL, true, "kinesis", false },
	{ "kms", NULL, true, NULL, false },
	{ "lambda", NULL, true, NULL, false },
	{ "logs", NULL, true, NULL, false },
	{ "monitoring", NULL, true, NULL, false },
	{ "rds", NULL, true, NULL, false },
	{ "secretsmanager", NULL, true, NULL, false },
	{ "servicecatalog", NULL, true, NULL, false },
	{ "sns", NULL, true, NULL, false },
	{ "sqs", NULL, true, NULL, false },
	{ "ssm", NULL, true, NULL, false },
	{ "ssmmessages", NULL, true, NULL, false },
	{ "states", NULL, true, NULL, false },
	{ "sts", NULL, true, NULL, false },
};

static_assert(ARRAY_SIZE(services) <= ENDPOINT_SERVICES_MAX, "callers have room for all");

const struct endpoint_service *endpoint_service_at(size_t index)
{
	return index < ARRAY_SIZE(services) ? &services[index] : NULL;
}

const char *endpoint_service_name(const struct scope *scope, const struct endpoint_service *service,
				  struct buffer *scratch)
{
	return get_print(scratch, "com.amazonaws.%s.%s", scope->region, service->word);
}

const char *endpoint_service_private_name(const struct scope *scope,
					  const struct endpoint_service *service,
					  struct buffer *scratch)
{
	return get_print(scratch, "%s.%s.amazonaws.com",
			 service->private_dns ? service->private_dns : service->word,
			 scope->region);
}

const struct endpoint_service *endpoint_service_find(const struct scope *scope, const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(services); i++) {
		CLEANUP(buffer_clear) struct buffer own = BUFFER_INIT;

		if (streq(endpoint_service_name(scope, &services[i], &own), name))
			return &services[i];
	}
	return NULL;
}

struct prefix_list *endpoint_service_list(const struct scope *scope,
					  const struct endpoint_service *service)
{
	CLEANUP(buffer_clear) struct buffer name = BUFFER_INIT;

	endpoint_service_name(scope, service, &name);
	for_each_resource (struct prefix_list, list, scope, KIND_PREFIX_LIST)
		if (list->of_amazon && streq(list->name, name.data))
			return list;
	return NULL;
}

void endpoint_service_lists_create(struct transaction *transaction, struct scope *scope)
{
	for (size_t i = 0; i < ARRAY_SIZE(services); i++) {
		CLEANUP(buffer_clear) struct buffer name = BUFFER_INIT;
		struct cidr block;

		if (!services[i].block || cidr_parse(services[i].block, &block) < 0)
			continue;
		endpoint_service_name(scope, &services[i], &name);
		prefix_list_create_amazon(transaction, scope, name.data, block);
	}
}
