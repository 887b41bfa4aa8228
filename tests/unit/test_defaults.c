/* objects: tests/unit/world.o emulator/model/ emulator/base/buffer.o emulator/base/cidr.o emulator/base/error.o emulator/base/id.o emulator/base/map.o emulator/base/util.o */
/*
 * What a region comes with: the default VPC that goes and comes back, and sets of DHCP options.
 */
#include "model/defaults.h"
#include "model/dhcp.h"
#include "model/gateway.h"

#include "world.h"

static int set_up(void **state)
{
	(void)state;
	begin_world();
	assert_int_equal(defaults_create(&transaction, scope, &error), 0);
	transaction_commit(&transaction);
	return 0;
}

static void remove_subnet(const char *zone)
{
	assert_int_equal(subnet_delete(&transaction, subnet_default(scope, zone), &error), 0);
}

static void remove_default_vpc(void)
{
	struct vpc *vpc = vpc_default(scope);
	struct gateway *gateway = gateway_of(vpc);

	while (scope->lists[KIND_SUBNET].count)
		remove_subnet(NULL);
	assert_int_equal(gateway_detach(&transaction, gateway, vpc, &error), 0);
	assert_int_equal(gateway_delete(&transaction, gateway, &error), 0);
	assert_int_equal(vpc_delete(&transaction, vpc, &error), 0);
}

/* ---- the default VPC ---- */

static void what_is_deleted_stays_away(void **state)
{
	struct dhcp_options *options = (void *)scope->lists[KIND_DHCP_OPTIONS].items[0];

	(void)state;
	assert_true(dhcp_delete(&transaction, options, &error) < 0);
	assert_int_equal(error.code, ERROR_DEPENDENCY_VIOLATION);
	remove_default_vpc();
	assert_int_equal(dhcp_delete(&transaction, options, &error), 0);
	assert_int_equal(defaults_create(&transaction, scope, &error), 0);
	assert_int_equal(scope->lists[KIND_VPC].count, 0);
	assert_int_equal(scope->lists[KIND_DHCP_OPTIONS].count, 0);
}

static void a_world_from_before_the_mark_is_not_filled_again(void **state)
{
	(void)state;
	transaction_delete(&transaction, scope->lists[KIND_DEFAULTS].items[0]);
	assert_int_equal(defaults_create(&transaction, scope, &error), 0);
	assert_int_equal(scope->lists[KIND_VPC].count, 1);
	assert_int_equal(scope->lists[KIND_DEFAULTS].count, 1);
}

static void the_default_vpc_comes_back(void **state)
{
	struct vpc *vpc;

	(void)state;
	assert_true(default_vpc_create(&transaction, scope, &vpc, &error) < 0);
	assert_int_equal(error.code, ERROR_DEFAULT_VPC_EXISTS);
	remove_default_vpc();
	assert_int_equal(default_vpc_create(&transaction, scope, &vpc, &error), 0);
	assert_ptr_equal(vpc_default(scope), vpc);
	assert_true(vpc->dns_hostnames && vpc->dns_support && !vpc->realized);
	assert_int_equal(scope->lists[KIND_SUBNET].count, 6);
	assert_int_equal(scope->lists[KIND_DHCP_OPTIONS].count, 1);
	assert_false(gateway_of(vpc)->realized);
}

static void quotas_hold_for_what_is_asked_for(void **state)
{
	const char *const texts[] = { "vpcs-per-region=1" };
	const char *const subnets[] = { "subnets-per-vpc=5" };
	struct vpc *vpc;

	(void)state;
	remove_default_vpc();
	assert_int_equal(quotas_parse(texts, 1, &model.quotas, &error), 0);
	assert_int_equal(vpc_create(&transaction, scope,
				    (struct cidr){ address_v4(0x0a000000), 16 }, NULL, &vpc,
				    &error),
			 0);
	assert_true(default_vpc_create(&transaction, scope, &vpc, &error) < 0);
	assert_int_equal(error.code, ERROR_QUOTA);
	assert_int_equal(vpc_delete(&transaction, vpc, &error), 0);
	assert_int_equal(quotas_parse(subnets, 1, &model.quotas, &error), 0);
	assert_true(default_vpc_create(&transaction, scope, &vpc, &error) < 0);
	assert_int_equal(error.code, ERROR_QUOTA);
	assert_string_equal(error.subject, "subnet");
}

static void a_default_subnet_takes_the_first_free_block(void **state)
{
	struct subnet_request request = {
		vpc_default(scope), { address_v4(0xac1f2000), 24 }, "172.31.32.0/24", "us-east-1a"
	};
	struct subnet *subnet, *other;

	(void)state;
	assert_true(default_subnet_create(&transaction, scope, "use1-az2", &subnet, &error) < 0);
	assert_int_equal(error.code, ERROR_DEFAULT_SUBNET_EXISTS);
	remove_subnet("us-east-1c"); /* 172.31.32.0/20 */
	assert_int_equal(subnet_create(&transaction, &request, &other, &error), 0);
	assert_int_equal(default_subnet_create(&transaction, scope, "use1-az3", &subnet, &error),
			 0);
	assert_string_equal(cidr_format(subnet->cidr).text, "172.31.96.0/20");
	assert_true(subnet->default_for_az && subnet->map_public_ip && !subnet->realized);
	assert_int_equal(subnet->zone, 2);
	assert_false(other->default_for_az);
	assert_true(default_subnet_create(&transaction, scope, "us-east-1g", &subnet, &error) < 0);
	assert_int_equal(error.code, ERROR_INVALID_PARAMETER_VALUE);
}

static void a_full_vpc_has_room_in_its_next_block(void **state)
{
	struct vpc *vpc = vpc_default(scope);
	struct subnet *subnet;

	(void)state;
	remove_subnet("us-east-1a");
	for (uint32_t at = 0; at < 16; at++) {
		struct subnet_request request = {
			vpc, { address_v4(0xac1f0000 + at * 4096), 28 }, "", "us-east-1a"
		};

		subnet_create(&transaction, &request, &subnet, &error); /* where there is room */
	}
	assert_true(default_subnet_create(&transaction, scope, "us-east-1a", &subnet, &error) < 0);
	assert_int_equal(error.code, ERROR_INSUFFICIENT_CIDR_BLOCKS);
	transaction_edit(&transaction, vpc);
	*array_grow(&vpc->cidrs, &vpc->cidr_count) =
		(struct block){ .association = rid_new(KIND_VPC_CIDR_ASSOCIATION),
				.cidr = { address_v4(0xac1e0000), 24 } };
	assert_true(default_subnet_create(&transaction, scope, "us-east-1a", &subnet, &error) < 0);
	vpc->cidrs[1].cidr.length = 20;
	assert_int_equal(default_subnet_create(&transaction, scope, "us-east-1a", &subnet, &error),
			 0);
	assert_string_equal(cidr_format(subnet->cidr).text, "172.30.0.0/20");
}

static void without_a_default_vpc_there_is_no_default_subnet(void **state)
{
	struct subnet *subnet;

	(void)state;
	remove_default_vpc();
	assert_true(default_subnet_create(&transaction, scope, "us-east-1a", &subnet, &error) < 0);
	assert_int_equal(error.code, ERROR_DEFAULT_VPC_MISSING);
}

/* ---- DHCP options ---- */

static int make(const char *key, const char **values, size_t count, struct dhcp_options **ret)
{
	struct dhcp_request request = { key, values, count };

	return dhcp_create(&transaction, scope, &request, 1, ret, &error);
}

static void values_are_checked(void **state)
{
	static const struct {
		const char *key, *value;
		bool good;
	} cases[] = {
		{ "domain-name", "example.com", true },
		{ "domain-name", "a.example.com b.example.com", true },
		{ "domain-name", "under_score.x-y.9", true },
		{ "domain-name", "", false },
		{ "domain-name", "a..b", false },
		{ "domain-name", ".a", false },
		{ "domain-name", "a,b", false },
		{ "domain-name", "a ", false },
		{ "domain-name", "caf\303\251.example", false },
		{ "domain-name-servers", "AmazonProvidedDNS", true },
		{ "domain-name-servers", "amazonprovideddns", false },
		{ "domain-name-servers", "10.0.0.1,10.0.0.2,10.0.0.3,10.0.0.4", true },
		{ "domain-name-servers", "10.0.0.1,10.0.0.2,10.0.0.3,10.0.0.4,10.0.0.5", false },
		{ "domain-name-servers", "1.1.1.1,1.1.1.2,1.1.1.3,AmazonProvidedDNS", true },
		{ "domain-name-servers", "1.1.1.1,1.1.1.2,1.1.1.3,1.1.1.4,AmazonProvidedDNS",
		  false },
		{ "domain-name-servers", "1.1.1.1,1.1.1.2,1.1.1.3,1.1.1.4,::1,::2,::3,::4", true },
		{ "domain-name-servers", "::1,::2,::3,::4,::5", false },
		{ "domain-name-servers", "10.0.0.1,", false },
		{ "domain-name-servers", "10.0.0.1,,10.0.0.2", false },
		{ "domain-name-servers", "10.0.0", false },
		{ "domain-name-servers", "ns.example.com", false },
		{ "ntp-servers", "169.254.169.123,fd00:ec2::123", true },
		{ "ntp-servers", "AmazonProvidedDNS", false },
		{ "netbios-name-servers", "10.0.0.1", true },
		{ "netbios-name-servers", "::1", false },
		{ "netbios-node-type", "1", true },
		{ "netbios-node-type", "8", true },
		{ "netbios-node-type", "3", false },
		{ "netbios-node-type", "02", false },
		{ "ipv6-address-preferred-lease-time", "140", true },
		{ "ipv6-address-preferred-lease-time", "2147483647", true },
		{ "ipv6-address-preferred-lease-time", "139", false },
		{ "ipv6-address-preferred-lease-time", "2147483648", false },
		{ "ipv6-address-preferred-lease-time", "1e3", false },
		{ "Domain-Name", "example.com", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *value = cases[i].value;
		struct dhcp_options *options;
		int r = make(cases[i].key, &value, 1, &options);

		if ((r == 0) != cases[i].good)
			fail_msg("%s=%s: %d", cases[i].key, value, r);
		if (r < 0)
			assert_int_equal(error.code, ERROR_INVALID_PARAMETER_VALUE);
	}
}

static void long_names_are_refused(void **state)
{
	char name[256];
	const char *value = name;
	struct dhcp_options *options;

	(void)state;
	memset(name, 'a', sizeof(name));
	name[64] = '\0';
	assert_true(make("domain-name", &value, 1, &options) < 0);
	name[63] = '\0';
	assert_int_equal(make("domain-name", &value, 1, &options), 0);
	memset(name, 'a', sizeof(name));
	for (size_t i = 50; i < sizeof(name); i += 50)
		name[i] = '.';
	name[254] = '\0';
	assert_true(make("domain-name", &value, 1, &options) < 0);
	name[253] = '\0';
	assert_int_equal(make("domain-name", &value, 1, &options), 0);
}

static void several_values_are_one_list(void **state)
{
	const char *values[] = { "10.0.0.1,10.0.0.2", "10.0.0.3" };
	const char *names[] = { "a", "b" };
	struct dhcp_options *options;

	(void)state;
	assert_int_equal(make("ntp-servers", values, 2, &options), 0);
	assert_int_equal(options->options[0].value_count, 3);
	assert_string_equal(options->options[0].values[1].value, "10.0.0.2");
	assert_true(make("domain-name", names, 2, &options) < 0);
	assert_int_equal(error.code, ERROR_INVALID_PARAMETER_VALUE);
	assert_true(make("domain-name", names, 0, &options) < 0);
	assert_int_equal(error.code, ERROR_MISSING_PARAMETER);
}

static void options_are_in_the_order_of_their_keys(void **state)
{
	const char *server = "10.0.0.1", *name = "example.com", *type = "2";
	struct dhcp_request requests[] = { { "netbios-node-type", &type, 1 },
					   { "ntp-servers", &server, 1 },
					   { "domain-name", &name, 1 } };
	struct dhcp_options *options;

	(void)state;
	assert_int_equal(dhcp_create(&transaction, scope, requests, 3, &options, &error), 0);
	assert_int_equal(options->option_count, 3);
	assert_string_equal(options->options[0].key, "domain-name");
	assert_string_equal(options->options[1].key, "netbios-node-type");
	assert_string_equal(options->options[2].key, "ntp-servers");
	requests[2] = requests[0];
	assert_true(dhcp_create(&transaction, scope, requests, 3, &options, &error) < 0);
	assert_int_equal(error.code, ERROR_INVALID_PARAMETER_VALUE);
}

static void association_is_idempotent(void **state)
{
	const char *name = "example.com";
	struct vpc *vpc = vpc_default(scope);
	struct dhcp_options *options;

	(void)state;
	assert_int_equal(make("domain-name", &name, 1, &options), 0);
	transaction_commit(&transaction);
	dhcp_associate(&transaction, options, vpc);
	assert_int_equal(transaction.count, 1);
	transaction_commit(&transaction);
	dhcp_associate(&transaction, options, vpc);
	assert_int_equal(transaction.count, 0);
	assert_true(dhcp_delete(&transaction, options, &error) < 0);
	dhcp_associate(&transaction, NULL, vpc);
	assert_false(rid_is_set(vpc->dhcp_options));
	assert_int_equal(dhcp_delete(&transaction, options, &error), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, end_world)
		CASE(what_is_deleted_stays_away),
		CASE(a_world_from_before_the_mark_is_not_filled_again),
		CASE(the_default_vpc_comes_back),
		CASE(quotas_hold_for_what_is_asked_for),
		CASE(a_default_subnet_takes_the_first_free_block),
		CASE(a_full_vpc_has_room_in_its_next_block),
		CASE(without_a_default_vpc_there_is_no_default_subnet),
		CASE(values_are_checked),
		CASE(long_names_are_refused),
		CASE(several_values_are_one_list),
		CASE(options_are_in_the_order_of_their_keys),
		CASE(association_is_idempotent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
