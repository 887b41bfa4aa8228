/* See world.h. */
#include "world.h"

struct model model;
struct scope *scope;
struct transaction transaction;
struct error error;

const struct instance_template plain_instance = {
	.image_id = (char[]){ "ami-12345678" },
	.type = (char[]){ "t3.micro" },
	.shutdown_behavior = (char[]){ "stop" },
	.tenancy = (char[]){ "default" },
	.http_tokens = (char[]){ "optional" },
	.http_endpoint = (char[]){ "enabled" },
	.metadata_tags = (char[]){ "disabled" },
	.metadata_ipv6 = (char[]){ "disabled" },
	.hop_limit = 1,
};

void begin_world(void)
{
	scope = model_scope(&model, "123456789012", "us-east-1");
	transaction = transaction_begin(&model, NOW);
}

int end_world(void **state)
{
	(void)state;
	transaction_rollback(&transaction);
	model_clear(&model);
	return 0;
}

struct cidr cidr_of(const char *text)
{
	struct cidr cidr;

	assert_int_equal(cidr_parse(text, &cidr), 0);
	return cidr;
}

struct vpc *make_vpc(const char *cidr)
{
	struct vpc *vpc = NULL;

	assert_int_equal(vpc_create(&transaction, scope, cidr_of(cidr), NULL, &vpc, &error), 0);
	return vpc;
}

struct subnet *make_subnet_in(struct vpc *vpc, const char *cidr, const char *zone)
{
	struct subnet_request request = { vpc, cidr_of(cidr), cidr, zone };
	struct subnet *subnet = NULL;

	assert_int_equal(subnet_create(&transaction, &request, &subnet, &error), 0);
	return subnet;
}

struct interface *make_interface(struct subnet *subnet, size_t more)
{
	struct interface_request request = { .subnet = subnet, .more = more };
	struct interface *interface = NULL;

	assert_int_equal(interface_create(&transaction, &request, &interface, &error), 0);
	return interface;
}

struct elastic_ip *allocate(void)
{
	struct elastic_ip *elastic_ip = NULL;

	assert_int_equal(elastic_ip_allocate(&transaction, scope, &elastic_ip, &error), 0);
	return elastic_ip;
}

int try_launch(struct subnet *subnet, int64_t minimum, int64_t maximum)
{
	struct launch_interface card = { .make = { .subnet = subnet },
					 .delete_on_termination = true };
	struct launch_request request = {
		.options = plain_instance,
		.interfaces = &card,
		.interface_count = 1,
		.minimum = minimum,
		.maximum = maximum,
	};
	struct rid reservation;

	return instance_launch(&transaction, &request, &reservation, &error);
}

struct instance *newest(void)
{
	struct resource_list *list = &scope->lists[KIND_INSTANCE];

	assert_true(list->count > 0);
	return (struct instance *)list->items[list->count - 1];
}
