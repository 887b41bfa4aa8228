/* objects: tests/unit/world.o emulator/model/ emulator/store/ emulator/base/buffer.o emulator/base/cidr.o emulator/base/error.o emulator/base/id.o emulator/base/log.o emulator/base/map.o emulator/base/util.o */
/* libs: sqlite3 jansson */
/*
 * The model's rules, its transactions, and its way to disk and back. A model is compared by what
 * the store would write of it.
 */
#include "model/acl.h"
#include "model/attachment.h"
#include "model/defaults.h"
#include "model/dhcp.h"
#include "model/gateway.h"
#include "model/group.h"
#include "model/instance.h"
#include "model/internet.h"
#include "model/prefix_list.h"
#include "model/quota.h"
#include "model/region.h"
#include "model/route.h"
#include "model/tags.h"
#include "store/record.h"
#include "store/store.h"

#include <unistd.h>

#include "world.h"

static int set_up(void **state)
{
	(void)state;
	begin_world();
	internet_create(&transaction);
	assert_int_equal(defaults_create(&transaction, scope, &error), 0);
	transaction_commit(&transaction);
	return 0;
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The whole model as text, in an order that doesn't depend on how it came about. */
static char *snapshot(const struct model *which)
{
	CLEANUP(buffer_clear) struct buffer text = BUFFER_INIT;
	char **lines = NULL;
	size_t count = 0;

	map_for_each (&which->resources, slot) {
		const struct resource *resource = slot->value;
		CLEANUP(freep) char *record = record_encode(resource);

		*array_grow(&lines, &count) =
			xasprintf("%s %s %s %s\n", rid_format(resource->id).text,
				  resource->scope->account, resource->scope->region, record);
	}
	if (count)
		qsort(lines, count, sizeof(*lines), compare_texts);
	for (size_t i = 0; i < count; i++) {
		buffer_puts(&text, lines[i]);
		free(lines[i]);
	}
	free(lines);
	buffer_printf(&text, "addresses %zu publics %zu\n", which->addresses.count,
		      which->publics.count);
	return buffer_steal(&text);
}

static int try_subnet(struct vpc *vpc, const char *cidr, struct subnet **ret)
{
	struct subnet_request request = { vpc, cidr_of(cidr), cidr, "us-east-1b" };

	return subnet_create(&transaction, &request, ret, &error);
}

static struct subnet *make_subnet(struct vpc *vpc, const char *cidr)
{
	return make_subnet_in(vpc, cidr, "us-east-1b");
}

/* ---- rules ---- */

static void a_fresh_region_is_as_aws_makes_it(void **state)
{
	struct vpc *vpc = vpc_default(scope);

	(void)state;
	assert_non_null(vpc);
	assert_int_equal(scope->lists[KIND_SUBNET].count, 6);
	assert_int_equal(scope->lists[KIND_ROUTE_TABLE].count, 1);
	assert_int_equal(scope->lists[KIND_SECURITY_GROUP].count, 1);
	assert_int_equal(scope->lists[KIND_NETWORK_ACL].count, 1);
	assert_int_equal(scope->lists[KIND_DHCP_OPTIONS].count, 1);
	assert_non_null(gateway_of(vpc));
	assert_false(vpc->realized);
	assert_true(vpc->dns_hostnames);
	assert_int_equal(subnet_free_addresses(&model, subnet_default(scope, NULL)), 4091);
	assert_int_equal(defaults_create(&transaction, scope, &error), 0);
	assert_int_equal(transaction.count, 0); /* once is enough */
}

static void vpc_blocks_are_checked(void **state)
{
	static const char *const bad[] = { "10.0.0.0/15",  "10.0.0.0/29", "169.254.0.0/16",
					   "127.0.0.0/16", "0.0.0.0/0",	  "224.0.0.0/16" };
	struct vpc *vpc;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_true(vpc_create(&transaction, scope, cidr_of(bad[i]), NULL, &vpc, &error) <
			    0);
		assert_int_equal(error.code, ERROR_VPC_RANGE);
	}
	vpc = make_vpc("100.68.0.18/18");
	assert_string_equal(cidr_format(vpc->cidrs[0].cidr).text, "100.68.0.0/18");
	model.quotas.aws = true;
	for (int i = 0; i < 3; i++)
		make_vpc("10.0.0.0/16"); /* any number with the same block */
	assert_true(vpc_create(&transaction, scope, cidr_of("10.1.0.0/16"), NULL, &vpc, &error) <
		    0);
	assert_int_equal(error.code, ERROR_QUOTA);
}

static void subnet_blocks_are_checked(void **state)
{
	struct vpc *vpc = make_vpc("10.0.0.0/16");
	struct subnet *subnet = make_subnet(vpc, "10.0.1.0/24");

	(void)state;
	assert_string_equal(address_format(subnet_router(subnet)).text, "10.0.1.1");
	assert_true(try_subnet(vpc, "10.1.0.0/24", &subnet) < 0);
	assert_int_equal(error.code, ERROR_SUBNET_RANGE);
	assert_true(try_subnet(vpc, "10.0.2.0/29", &subnet) < 0);
	assert_int_equal(error.code, ERROR_SUBNET_RANGE);
	assert_true(try_subnet(vpc, "10.0.0.0/16", &subnet) < 0);
	assert_int_equal(error.code, ERROR_SUBNET_CONFLICT);
	assert_true(try_subnet(vpc, "10.0.1.128/25", &subnet) < 0);
	assert_int_equal(error.code, ERROR_SUBNET_CONFLICT);
	assert_int_equal(try_subnet(vpc, "10.0.2.0/28", &subnet), 0);
	assert_int_equal(subnet_free_addresses(&model, subnet), 11);
}

static void addresses_fill_a_subnet_and_no_more(void **state)
{
	struct subnet *subnet = make_subnet(make_vpc("10.0.0.0/16"), "10.0.2.0/28");

	(void)state;
	assert_true(try_launch(subnet, 12, 12) < 0);
	assert_int_equal(error.code, ERROR_INSUFFICIENT_ADDRESSES);
	assert_int_equal(scope->lists[KIND_INSTANCE].count, 0);
	assert_int_equal(try_launch(subnet, 1, 100), 0); /* as many as there is room for */
	assert_int_equal(scope->lists[KIND_INSTANCE].count, 11);
	assert_int_equal(subnet_free_addresses(&model, subnet), 0);
	assert_true(try_launch(subnet, 1, 1) < 0);
	instance_settle(&transaction, newest());
	assert_int_equal(instance_terminate(&transaction, newest(), &error), 0);
	instance_settle(&transaction, newest());
	assert_int_equal(newest()->state, INSTANCE_TERMINATED);
	assert_int_equal(subnet_free_addresses(&model, subnet), 1);
	assert_int_equal(try_launch(subnet, 1, 1), 0);
}

static void addresses_asked_for_are_checked(void **state)
{
	struct subnet *subnet = make_subnet(make_vpc("10.0.0.0/16"), "10.0.2.0/24");
	static const struct {
		const char *address;
		enum error_code code;
	} cases[] = {
		{ "10.0.2.0", ERROR_INVALID_PARAMETER_VALUE },
		{ "10.0.2.3", ERROR_INVALID_PARAMETER_VALUE },
		{ "10.0.2.255", ERROR_INVALID_PARAMETER_VALUE },
		{ "10.0.3.9", ERROR_INVALID_PARAMETER_VALUE },
		{ "10.0.2.9", ERROR_INTERNAL }, /* free the first time … */
		{ "10.0.2.9", ERROR_ADDRESS_IN_USE },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct interface_request request = { .subnet = subnet };
		struct interface *interface;

		assert_int_equal(address_parse(cases[i].address, &request.address), 0);
		if (cases[i].code == ERROR_INTERNAL) {
			assert_int_equal(
				interface_create(&transaction, &request, &interface, &error), 0);
			continue;
		}
		assert_true(interface_create(&transaction, &request, &interface, &error) < 0);
		assert_int_equal(error.code, cases[i].code);
	}
}

static int assign(struct interface *interface, const char *text, size_t more, bool may_move)
{
	struct interface_address item;
	struct assignment assignment = { &item, text != NULL, more, 4, may_move };

	if (text)
		assert_int_equal(address_parse(text, &item.address), 0);
	return interface_assign(&transaction, interface, &assignment, &error);
}

static void secondary_addresses_are_held_like_the_first(void **state)
{
	struct subnet *subnet = make_subnet(make_vpc("10.0.0.0/16"), "10.0.2.0/28");
	struct interface *one = make_interface(subnet, 2), *other = make_interface(subnet, 0);
	struct interface_address last = { interface_address_at(one, 2) };
	const char *own = "10.0.2.4", *others = "10.0.2.7", *free = "10.0.2.10";

	(void)state;
	assert_int_equal(subnet_free_addresses(&model, subnet), 11 - 4);
	assert_true(assign(other, own, 0, false) < 0);
	assert_int_equal(error.code, ERROR_ALREADY_ASSIGNED);
	assert_true(assign(other, own, 0, true) < 0); /* a primary one stays */
	assert_int_equal(error.code, ERROR_INVALID_PARAMETER_VALUE);
	assert_true(assign(other, others, 0, true) < 0); /* its own primary */
	assert_int_equal(error.code, ERROR_INVALID_PARAMETER_VALUE);
	assert_int_equal(other->secondary_count, 0);
	assert_int_equal(assign(other, address_format(last.address).text, 0, true), 0);
	assert_int_equal(one->secondary_count, 1);
	assert_int_equal(other->secondary_count, 1);
	assert_int_equal(subnet_free_addresses(&model, subnet), 11 - 4);
	assert_int_equal(assign(other, free, 0, false), 0);
	assert_int_equal(assign(other, free, 0, false), 0); /* it is there already */
	assert_true(assign(other, NULL, 2, false) < 0);
	assert_int_equal(error.code, ERROR_QUOTA);
	assert_int_equal(assign(other, NULL, 1, false), 0);
	assert_int_equal(subnet_free_addresses(&model, subnet), 11 - 6);
	assert_int_equal(interface_unassign(&transaction, other, &last, 1, &error), 0);
	assert_true(interface_unassign(&transaction, other, &last, 1, &error) < 0);
	assert_true(subnet_delete(&transaction, subnet, &error) < 0);
	assert_int_equal(interface_delete(&transaction, one, &error), 0);
	assert_int_equal(interface_delete(&transaction, other, &error), 0);
	assert_int_equal(subnet_free_addresses(&model, subnet), 11);
	assert_int_equal(subnet_delete(&transaction, subnet, &error), 0);
}

static void an_interface_comes_and_goes(void **state)
{
	struct subnet *subnet = make_subnet(make_vpc("10.0.0.0/16"), "10.0.2.0/24");
	struct interface *card = make_interface(subnet, 0), *third = make_interface(subnet, 0);
	struct instance *instance;

	(void)state;
	assert_int_equal(try_launch(subnet, 1, 1), 0);
	instance = newest();
	assert_true(attachment_check(&model, instance, card, 1, &error) < 0);
	assert_int_equal(error.code, ERROR_INSTANCE_STATE);
	instance_settle(&transaction, instance);
	assert_true(attachment_check(&model, instance, card, 0, &error) < 0);
	assert_int_equal(error.code, ERROR_INVALID_PARAMETER_VALUE);
	assert_int_equal(attachment_check(&model, instance, card, 1, &error), 0);
	attachment_make(&transaction, instance, card, 1, false);
	assert_true(attachment_check(&model, instance, card, 2, &error) < 0);
	assert_int_equal(error.code, ERROR_INTERFACE_IN_USE);
	assert_true(attachment_check(&model, instance, third, 2, &error) < 0);
	assert_int_equal(error.code, ERROR_QUOTA); /* a t3.micro */
	assert_true(interface_delete(&transaction, card, &error) < 0);
	assert_true(attachment_check_end(instance_primary(&model, instance), &error) < 0);
	assert_int_equal(error.code, ERROR_OPERATION_NOT_PERMITTED);
	attachment_end(&transaction, card);
	assert_int_equal(instance->interface_count, 1);
	attachment_make(&transaction, instance, card, 7, false);
	assert_int_equal(instance_terminate(&transaction, instance, &error), 0);
	instance_settle(&transaction, instance);
	assert_false(rid_is_set(card->attachment));
	assert_int_equal(scope->lists[KIND_NETWORK_INTERFACE].count, 2);
	assert_int_equal(interface_delete(&transaction, card, &error), 0);
}

static void a_forgotten_launch_leaves_what_was_there_before(void **state)
{
	struct subnet *subnet = make_subnet(make_vpc("10.0.0.0/16"), "10.0.2.0/24");
	struct launch_interface cards[] = {
		{ .make = { .subnet = subnet } },
		{ .existing = make_interface(subnet, 0),
		  .make = { .subnet = subnet },
		  .device_index = 1 },
	};
	struct launch_request request = {
		.options = plain_instance,
		.interfaces = cards,
		.interface_count = 2,
		.minimum = 1,
		.maximum = 1,
	};
	struct rid reservation;

	(void)state;
	assert_int_equal(instance_launch(&transaction, &request, &reservation, &error), 0);
	assert_int_equal(scope->lists[KIND_NETWORK_INTERFACE].count, 2);
	assert_true(rid_is_set(cards[1].existing->attachment));
	instance_forget(&transaction, newest());
	assert_int_equal(scope->lists[KIND_NETWORK_INTERFACE].count, 1);
	assert_false(rid_is_set(cards[1].existing->attachment));
	assert_int_equal(subnet_free_addresses(&model, subnet), 250);
}

static void states_follow_the_life_cycle(void **state)
{
	struct subnet *subnet = make_subnet(make_vpc("10.0.0.0/16"), "10.0.2.0/24");
	struct interface *interface;
	struct instance *instance;
	struct address first, private;

	(void)state;
	subnet->map_public_ip = true;
	assert_int_equal(try_launch(subnet, 1, 1), 0);
	instance = newest();
	interface = instance_primary(&model, instance);
	private = interface->address;
	first = interface->public_address;
	assert_true(address_is_set(first));
	assert_true(instance_stop(&transaction, instance, &error) < 0); /* still pending */
	instance_settle(&transaction, instance);
	assert_int_equal(instance->state, INSTANCE_RUNNING);
	assert_int_equal(instance_start(&transaction, instance, &error), 0); /* no-op */
	assert_int_equal(instance_stop(&transaction, instance, &error), 0);
	assert_true(instance_start(&transaction, instance, &error) < 0);
	assert_int_equal(error.code, ERROR_INSTANCE_STATE);
	instance_exited(&transaction, instance, true);
	assert_int_equal(instance->state, INSTANCE_STOPPED);
	assert_false(address_is_set(interface->public_address));
	assert_int_equal(instance_start(&transaction, instance, &error), 0);
	assert_true(address_equal(interface->address, private));
	assert_true(address_is_set(interface->public_address));
	assert_false(address_equal(interface->public_address, first)); /* a new one */
	instance->options.disable_api_termination = true;
	assert_true(instance_terminate(&transaction, instance, &error) < 0);
	assert_int_equal(error.code, ERROR_OPERATION_NOT_PERMITTED);
}

static void only_a_running_instance_terminates_by_itself(void **state)
{
	struct subnet *subnet = make_subnet(make_vpc("10.0.0.0/16"), "10.0.2.0/24");
	struct instance *instance;

	(void)state;
	assert_int_equal(try_launch(subnet, 1, 1), 0);
	instance = newest();
	free(instance->options.shutdown_behavior);
	instance->options.shutdown_behavior = xstrdup("terminate");
	instance_exited(&transaction, instance, true); /* a start that was cut short */
	assert_int_equal(instance->state, INSTANCE_STOPPED);
	assert_int_equal(instance_start(&transaction, instance, &error), 0);
	instance_settle(&transaction, instance);
	instance_exited(&transaction, instance, false); /* a crash */
	assert_int_equal(instance->state, INSTANCE_STOPPED);
	assert_string_equal(instance->reason_code, "Server.InternalError");
	assert_int_equal(instance_start(&transaction, instance, &error), 0);
	instance_settle(&transaction, instance);
	instance_exited(&transaction, instance, true);
	assert_int_equal(instance->state, INSTANCE_SHUTTING_DOWN);
	assert_string_equal(instance->reason_code, "Client.InstanceInitiatedShutdown");
	instance_settle(&transaction, instance);
	assert_int_equal(instance->state, INSTANCE_TERMINATED);
}

static void a_gateway_serves_one_vpc(void **state)
{
	struct vpc *one = make_vpc("10.0.0.0/16"), *two = make_vpc("10.0.0.0/16");
	struct gateway *a, *b;

	(void)state;
	assert_int_equal(gateway_create(&transaction, scope, &a, &error), 0);
	assert_int_equal(gateway_create(&transaction, scope, &b, &error), 0);
	assert_int_equal(gateway_attach(&transaction, a, one, &error), 0);
	assert_true(gateway_attach(&transaction, a, two, &error) < 0);
	assert_int_equal(error.code, ERROR_ALREADY_ASSOCIATED);
	assert_true(gateway_attach(&transaction, b, one, &error) < 0);
	assert_int_equal(error.code, ERROR_INVALID_PARAMETER_VALUE);
	assert_true(gateway_detach(&transaction, b, one, &error) < 0);
	assert_int_equal(error.code, ERROR_GATEWAY_NOT_ATTACHED);
	assert_true(gateway_delete(&transaction, a, &error) < 0);
	assert_int_equal(error.code, ERROR_DEPENDENCY_VIOLATION);
	assert_true(vpc_delete(&transaction, one, &error) < 0);
	assert_int_equal(error.code, ERROR_DEPENDENCY_VIOLATION);
	assert_int_equal(gateway_detach(&transaction, a, one, &error), 0);
	assert_int_equal(gateway_delete(&transaction, a, &error), 0);
	assert_int_equal(vpc_delete(&transaction, one, &error), 0);
	assert_int_equal(scope->lists[KIND_ROUTE_TABLE].count, 2); /* default's and two's */
}

static void an_acl_keeps_its_entries_in_order(void **state)
{
	static const struct {
		int64_t number;
		bool egress;
	} order[] = { { 100, true }, { 32766, true }, { ACL_NUMBER_LAST, true },
		      { 1, false },  { 50, false },   { ACL_NUMBER_LAST, false } };
	struct acl_entry entry = { .allow = true,
				   .traffic = { 6, 80, 80 },
				   .cidr = cidr_of("10.0.0.9/8") };
	struct acl *acl;

	(void)state;
	assert_int_equal(acl_create(&transaction, make_vpc("10.0.0.0/16"), NULL, &acl, &error), 0);
	for (size_t i = ARRAY_SIZE(order); i-- > 0;) {
		entry.number = order[i].number;
		entry.egress = order[i].egress;
		if (entry.number != ACL_NUMBER_LAST)
			assert_int_equal(acl_add_entry(&transaction, acl, &entry, &error), 0);
	}
	assert_int_equal(acl->entry_count, ARRAY_SIZE(order));
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		assert_int_equal(acl->entries[i].number, order[i].number);
		assert_int_equal(acl->entries[i].egress, order[i].egress);
	}
	assert_true(cidr_equal(acl->entries[0].cidr, cidr_of("10.0.0.0/8")));
	assert_int_equal(acl->entries[2].traffic.protocol, -1);
	entry.number = ACL_NUMBER_LAST;
	assert_true(acl_replace_entry(&transaction, acl, &entry, &error) < 0);
	assert_true(acl_remove_entry(&transaction, acl, true, ACL_NUMBER_LAST, &error) < 0);
	assert_int_equal(error.code, ERROR_INVALID_PARAMETER_VALUE);
}

static void a_subnet_has_one_acl(void **state)
{
	struct vpc *vpc = make_vpc("10.0.0.0/16"), *other = make_vpc("10.1.0.0/16");
	struct subnet *subnet = make_subnet(vpc, "10.0.1.0/24");
	struct acl *first = acl_of(subnet), *second, *foreign;
	struct rid old = first->associations[0].id, id;
	size_t index;

	(void)state;
	assert_true(first->is_default);
	assert_int_equal(acl_create(&transaction, vpc, NULL, &second, &error), 0);
	assert_int_equal(acl_create(&transaction, other, NULL, &foreign, &error), 0);
	assert_ptr_equal(acl_find_association(scope, old, &index), first);
	assert_true(acl_move_association(&transaction, first, index, foreign, &id, &error) < 0);
	assert_ptr_equal(acl_of(subnet), first);
	assert_int_equal(acl_move_association(&transaction, first, index, second, &id, &error), 0);
	assert_ptr_equal(acl_of(subnet), second);
	assert_null(acl_find_association(scope, old, &index));
	assert_true(acl_delete(&transaction, second, &error) < 0);
	assert_int_equal(error.code, ERROR_DEPENDENCY_VIOLATION);
	assert_int_equal(subnet_delete(&transaction, subnet, &error), 0);
	assert_int_equal(acl_delete(&transaction, second, &error), 0);
	assert_int_equal(vpc_delete(&transaction, vpc, &error), 0);
}

static void a_prefix_list_keeps_its_versions(void **state)
{
	static char note[] = "note";
	struct prefix_change ten = { .cidr = cidr_of("10.0.0.0/8"), .description = note };
	struct prefix_change nine = { .cidr = cidr_of("9.0.0.0/8") };
	struct prefix_changes a = { &ten, 1 }, b = { &nine, 1 };
	struct prefix_list_request request = { .name = "list", .max_entries = 1, .entries = a };
	struct prefix_list *list;

	(void)state;
	assert_int_equal(prefix_list_create(&transaction, scope, &request, &list, &error), 0);
	transaction_commit(&transaction);
	/* far more versions than are kept: no more entries than those need */
	for (int i = 0; i < 1500; i++) {
		assert_int_equal(prefix_list_change(&transaction, list, i % 2 ? &a : &b,
						    i % 2 ? &b : &a, &error),
				 0);
		assert_int_equal(prefix_list_has(list, ten.cidr), i % 2);
	}
	assert_int_equal(list->version, 1501);
	assert_in_range(list->entry_count, 1000, 1001);
	assert_true(prefix_list_check_kept(list, 501, &error) < 0);
	assert_int_equal(prefix_list_check_kept(list, 502, &error), 0);
	assert_int_equal(prefix_list_restore(&transaction, list, 502, &error), 0);
	assert_true(prefix_list_has(list, nine.cidr));
	assert_false(prefix_list_has(list, ten.cidr));
	transaction_rollback(&transaction);
	assert_int_equal(list->version, 1);
	assert_int_equal(list->entry_count, 1);
	assert_string_equal(list->entries[0].description, "note");
}

static void protocols_have_names(void **state)
{
	static const char *const bad[] = { "",	 "-",	 "--1",
					   "6x", " 6",	 "256",
					   "-2", "tcpx", "99999999999999999999" };
	int64_t number = 0;

	(void)state;
	assert_int_equal(traffic_parse_protocol("TCP", &number), 0);
	assert_int_equal(number, 6);
	assert_int_equal(traffic_parse_protocol("all", &number), 0);
	assert_int_equal(number, -1);
	assert_int_equal(traffic_parse_protocol("255", &number), 0);
	assert_int_equal(number, 255);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_true(traffic_parse_protocol(bad[i], &number) < 0);
	assert_string_equal(traffic_protocol_name(58), "icmpv6");
	assert_null(traffic_protocol_name(50));
}

static void routes_have_their_rules(void **state)
{
	struct vpc *vpc = make_vpc("10.0.0.0/16"), *other = make_vpc("10.1.0.0/16");
	struct subnet *subnet = make_subnet(vpc, "10.0.1.0/24");
	struct route_table *table, *foreign;
	struct gateway *gateway;
	struct rid a, b;

	(void)state;
	assert_int_equal(gateway_create(&transaction, scope, &gateway, &error), 0);
	assert_int_equal(route_table_create(&transaction, vpc, NULL, &table, &error), 0);
	assert_int_equal(route_table_create(&transaction, other, NULL, &foreign, &error), 0);
	assert_true(route_create(&transaction, table, to_cidr(cidr_of("0.0.0.0/0")),
				 &gateway->resource, &error) < 0); /* not attached */
	assert_int_equal(gateway_attach(&transaction, gateway, vpc, &error), 0);
	assert_int_equal(route_create(&transaction, table, to_cidr(cidr_of("1.2.3.4/0")),
				      &gateway->resource, &error),
			 0);
	assert_true(route_create(&transaction, table, to_cidr(cidr_of("0.0.0.0/0")),
				 &gateway->resource, &error) < 0);
	assert_int_equal(error.code, ERROR_ROUTE_EXISTS);
	assert_true(route_create(&transaction, table, to_cidr(cidr_of("10.0.9.0/24")),
				 &gateway->resource, &error) < 0); /* inside the VPC */
	assert_true(route_create(&transaction, table, to_cidr(cidr_of("169.254.169.254/32")),
				 &gateway->resource, &error) < 0);
	assert_true(route_delete(&transaction, table, to_cidr(cidr_of("10.0.0.0/16")), &error) < 0);
	assert_int_equal(error.code, ERROR_INVALID_PARAMETER_VALUE);
	assert_true(route_delete(&transaction, table, to_cidr(cidr_of("8.0.0.0/8")), &error) < 0);
	assert_int_equal(error.code, ERROR_ROUTE_NOT_FOUND);
	assert_true(route_table_of(subnet) != table);
	assert_int_equal(route_table_associate(&transaction, table, subnet, &a, &error), 0);
	assert_int_equal(route_table_associate(&transaction, table, subnet, &b, &error), 0);
	assert_true(rid_equal(a, b));
	assert_ptr_equal(route_table_of(subnet), table);
	assert_true(route_table_associate(&transaction, foreign, subnet, &b, &error) < 0);
	assert_true(route_is_active(&model, table, &table->routes[1]));
	assert_int_equal(gateway_detach(&transaction, gateway, vpc, &error), 0);
	assert_false(route_is_active(&model, table, &table->routes[1]));
	assert_true(route_table_delete(&transaction, table, &error) < 0);
	assert_int_equal(subnet_delete(&transaction, subnet, &error), 0);
	assert_int_equal(route_table_delete(&transaction, table, &error), 0);
}

static void a_gateways_table_has_its_rules(void **state)
{
	struct subnet *subnet = make_subnet(make_vpc("10.0.0.0/16"), "10.0.1.0/24");
	struct vpc *vpc = vpc_get(&model, subnet->vpc), *other = make_vpc("10.1.0.0/16");
	struct interface_request request = { .subnet = subnet };
	struct route_table *table, *second;
	struct interface *interface;
	struct gateway *gateway;
	struct rid a, b;
	size_t index;

	(void)state;
	assert_int_equal(interface_create(&transaction, &request, &interface, &error), 0);
	assert_int_equal(gateway_create(&transaction, scope, &gateway, &error), 0);
	assert_int_equal(route_table_create(&transaction, vpc, NULL, &table, &error), 0);
	assert_int_equal(route_table_create(&transaction, vpc, NULL, &second, &error), 0);
	assert_true(route_table_associate_gateway(&transaction, table, gateway, &a, &error) < 0);
	assert_int_equal(gateway_attach(&transaction, gateway, vpc, &error), 0);
	assert_true(route_table_associate_gateway(&transaction, route_table_of(subnet), gateway, &a,
						  &error) < 0); /* main */
	assert_null(route_table_of_gateway(gateway));
	assert_int_equal(route_table_associate_gateway(&transaction, table, gateway, &a, &error),
			 0);
	assert_int_equal(route_table_associate_gateway(&transaction, table, gateway, &b, &error),
			 0);
	assert_true(rid_equal(a, b));
	assert_ptr_equal(route_table_of_gateway(gateway), table);
	assert_true(route_table_is_edge(table) && !route_table_is_main(table));
	assert_true(route_table_associate_gateway(&transaction, second, gateway, &b, &error) < 0);
	assert_int_equal(error.code, ERROR_ALREADY_ASSOCIATED);
	assert_true(route_create(&transaction, table, to_cidr(cidr_of("0.0.0.0/0")),
				 &interface->resource, &error) < 0);
	assert_int_equal(error.code, ERROR_INVALID_PARAMETER_VALUE);
	assert_int_equal(route_create(&transaction, table, to_cidr(subnet->cidr),
				      &interface->resource, &error),
			 0);
	assert_true(route_replace(&transaction, table, to_cidr(subnet->cidr), &gateway->resource,
				  &error) < 0);
	assert_int_equal(gateway_detach(&transaction, gateway, vpc, &error), 0);
	assert_null(route_table_of_gateway(gateway));
	assert_int_equal(gateway_attach(&transaction, gateway, other, &error), 0);
	assert_null(route_table_of_gateway(gateway)); /* it is the first VPC's */
	assert_int_equal(gateway_detach(&transaction, gateway, other, &error), 0);
	assert_int_equal(gateway_attach(&transaction, gateway, vpc, &error), 0);
	assert_ptr_equal(route_table_of_gateway(gateway), table);
	assert_int_equal(gateway_detach(&transaction, gateway, vpc, &error), 0);
	assert_int_equal(gateway_delete(&transaction, gateway, &error), 0);
	assert_null(route_table_find_association(scope, a, &index));
	assert_int_equal(route_table_delete(&transaction, table, &error), 0);
}

static void a_route_leads_to_an_interface_while_it_runs(void **state)
{
	struct subnet *subnet = make_subnet(make_vpc("10.0.0.0/16"), "10.0.1.0/24");
	struct vpc *vpc = vpc_get(&model, subnet->vpc);
	struct instance *instance;
	struct interface *interface;
	struct route_table *table;
	const struct route *route;

	(void)state;
	assert_int_equal(route_table_create(&transaction, vpc, NULL, &table, &error), 0);
	assert_int_equal(try_launch(subnet, 1, 1), 0);
	instance = newest();
	assert_int_equal(instance_sole_interface(&model, instance, &interface, &error), 0);
	assert_ptr_equal(interface, instance_primary(&model, instance));
	assert_int_equal(route_create(&transaction, table, to_cidr(cidr_of("0.0.0.0/0")),
				      &interface->resource, &error),
			 0);
	assert_null(route_interface(&model, &table->routes[0])); /* local */
	route = &table->routes[1];
	for (int i = 0; i < INSTANCE_STATE_MAX; i++) {
		bool live =
			i == INSTANCE_PENDING || i == INSTANCE_RUNNING || i == INSTANCE_STOPPING;

		instance->state = i;
		assert_ptr_equal(route_interface(&model, route), live ? interface : NULL);
		assert_int_equal(route_is_active(&model, table, route), live);
	}
	instance->state = INSTANCE_RUNNING;
	interface->source_dest_check = false;
	assert_ptr_equal(route_interface(&model, route), interface);
	assert_int_equal(instance_terminate(&transaction, instance, &error), 0);
	instance_settle(&transaction, instance);
	assert_null(interface_get(&model, route->target));
	assert_null(route_interface(&model, route));
	assert_false(route_is_active(&model, table, route));
}

static void a_route_to_an_instance_needs_one_interface(void **state)
{
	struct subnet *subnet = make_subnet(make_vpc("10.0.0.0/16"), "10.0.1.0/24");
	struct interface *interface = NULL;
	struct instance *instance;
	struct rid_item *second;

	(void)state;
	assert_int_equal(try_launch(subnet, 2, 2), 0);
	instance = newest();
	second = array_grow(&instance->interfaces, &instance->interface_count);
	second->id = ((struct instance *)scope->lists[KIND_INSTANCE].items[0])->interfaces[0].id;
	assert_true(instance_sole_interface(&model, instance, &interface, &error) < 0);
	assert_int_equal(error.code, ERROR_INSTANCE_ID);
	assert_string_equal(strstr(error.text, "'. "),
			    "'. Please specify an interface ID for the operation instead.");
	instance->interface_count = 0;
	assert_true(instance_sole_interface(&model, instance, &interface, &error) < 0);
	assert_int_equal(error.code, ERROR_INSTANCE_ID);
	assert_null(interface);
}

/* Would an entry of a prefix list that is routed to `target` count, were it this block? */
static bool entry_counts(struct route_table *table, struct rid target, struct cidr entry)
{
	struct route *route = array_grow(&table->routes, &table->route_count);
	bool counts;

	route->prefix_list = rid_new(KIND_PREFIX_LIST);
	route->target = target;
	counts = route_entry_counts(&model, table, route, entry);
	array_remove(table->routes, &table->route_count, table->route_count - 1);
	return counts;
}

/* What a CIDR route may lead away, an entry of a prefix list may too. */
static void within_a_vpc_whole_subnets_are_led_away(void **state)
{
	static const struct {
		const char *block;
		bool by_interface, by_gateway;
	} cases[] = {
		{ "192.0.2.0/24", true, true },		{ "10.0.0.0/8", true, true },
		{ "10.0.1.0/24", true, false },		{ "10.0.1.0/25", false, false },
		{ "10.0.0.0/17", false, false },	{ "10.0.1.4/32", false, false },
		{ "10.0.2.0/24", false, false }, /* another VPC's subnet */
		{ "169.254.169.254/32", false, false },
	};
	struct subnet *subnet = make_subnet(make_vpc("10.0.0.0/16"), "10.0.1.0/24");
	struct vpc *vpc = vpc_get(&model, subnet->vpc);
	struct gateway *gateway;
	struct route_table *table;
	const struct resource *interface;

	(void)state;
	make_subnet(make_vpc("10.0.0.0/16"), "10.0.2.0/24");
	assert_int_equal(try_launch(subnet, 1, 1), 0);
	interface = &instance_primary(&model, newest())->resource;
	assert_int_equal(gateway_create(&transaction, scope, &gateway, &error), 0);
	assert_int_equal(gateway_attach(&transaction, gateway, vpc, &error), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct cidr block = cidr_of(cases[i].block);

		assert_int_equal(route_table_create(&transaction, vpc, NULL, &table, &error), 0);
		assert_int_equal(entry_counts(table, interface->id, block), cases[i].by_interface);
		assert_int_equal(entry_counts(table, gateway->resource.id, block),
				 cases[i].by_gateway);
		assert_int_equal(route_create(&transaction, table, to_cidr(block),
					      &gateway->resource, &error) == 0,
				 cases[i].by_gateway);
		if (cases[i].by_gateway)
			assert_int_equal(route_delete(&transaction, table, to_cidr(block), &error),
					 0);
		assert_int_equal(
			route_create(&transaction, table, to_cidr(block), interface, &error) == 0,
			cases[i].by_interface);
	}
}

static void tags_have_limits(void **state)
{
	struct resource *vpc = &make_vpc("10.0.0.0/16")->resource;
	char key[16], long_key[140];

	(void)state;
	assert_int_equal(tag_set(&transaction, vpc, "Name", "a", &error), 0);
	assert_int_equal(tag_set(&transaction, vpc, "Name", "b", &error), 0);
	assert_string_equal(resource_tag(vpc, "Name"), "b");
	tag_remove(&transaction, vpc, "Name", "other");
	assert_non_null(resource_tag(vpc, "Name"));
	tag_remove(&transaction, vpc, "Name", NULL);
	assert_null(resource_tag(vpc, "Name"));
	for (int i = 0; i < 50; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		assert_int_equal(tag_set(&transaction, vpc, key, "", &error), 0);
	}
	assert_true(tag_set(&transaction, vpc, "one more", "", &error) < 0);
	assert_int_equal(error.code, ERROR_TAG_LIMIT);
	assert_true(tag_set(&transaction, vpc, "aws:x", "", &error) < 0);
	assert_true(tag_set(&transaction, vpc, "", "", &error) < 0);
	memset(long_key, 'k', sizeof(long_key) - 1);
	long_key[sizeof(long_key) - 1] = '\0';
	assert_true(tag_set(&transaction, vpc, long_key, "", &error) < 0);
}

/* ---- quotas ---- */

static int parse_quota(const char *text)
{
	error.text[0] = '\0';
	return quotas_parse(&text, 1, &model.quotas, &error);
}

static void quotas_are_read(void **state)
{
	static const char *const bad[] = {
		"",
		"AWS",
		"aws=1",
		"vpcs-per-region",
		"vpcs-per-region=",
		"vpcs-per-region=0",
		"vpcs-per-region=-1",
		"vpcs-per-region= 7",
		"vpcs-per-region=7x",
		"vpcs-per-region=1000000001",
		"vpcs-per-region=99999999999999999999999999",
		"vpcs-per-regio=7",
		"vpcs-per-regions=7",
		"VPCs-per-region=7",
		"entries-per-network-acl=41",
		"security-groups-per-interface=17",
		"tags-per-resource=51",
		"entries-per-prefix-list=1001",
		"routes-per-route-table=1001",
	};
	static const char *const fine[] = { "rules-per-security-group=62",
					    "security-groups-per-interface=16" };
	static const char *const much[] = { "rules-per-security-group=63",
					    "security-groups-per-interface=16" };
	static const char *const again[] = { "vpcs-per-region=7", "vpcs-per-region=8" };

	(void)state;
	assert_int_equal(parse_quota("aws"), 0);
	assert_int_equal(quota_of(&model, QUOTA_VPCS), 5);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		if (parse_quota(bad[i]) != -EINVAL)
			fail_msg("accepted: %s", bad[i]);
		assert_int_equal(quota_of(&model, QUOTA_VPCS), 5); /* untouched */
	}
	assert_int_equal(parse_quota("banana=1"), -EINVAL);
	assert_non_null(strstr(error.text, "no quota 'banana'"));
	assert_non_null(strstr(error.text, "vpcs-per-region, "));
	assert_non_null(
		strstr(error.text, " tags-per-resource")); /* the last one: nothing is cut */
	assert_int_equal(parse_quota("entries-per-network-acl=41"), -EINVAL);
	assert_string_equal(error.text, "the quota entries-per-network-acl takes a number from 1 "
					"to 40, not '41'");

	assert_int_equal(quotas_parse(much, 2, &model.quotas, &error), -EINVAL);
	assert_string_equal(error.text,
			    "the quotas rules-per-security-group (63) and "
			    "security-groups-per-interface (16) multiplied are 1000 at most");
	assert_int_equal(parse_quota("rules-per-security-group=201"), -EINVAL); /* times 5 */
	assert_int_equal(parse_quota("rules-per-security-group=200"), 0);
	assert_int_equal(quotas_parse(fine, 2, &model.quotas, &error), 0);
	assert_int_equal(quota_of(&model, QUOTA_SECURITY_GROUP_RULES), 62);
	assert_int_equal(quota_of(&model, QUOTA_INTERFACE_GROUPS), 16);

	assert_int_equal(quotas_parse(again, 2, &model.quotas, &error), 0);
	assert_int_equal(quota_of(&model, QUOTA_VPCS), 8);
	assert_int_equal(quota_of(&model, QUOTA_SECURITY_GROUP_RULES), 60);
	assert_int_equal(quota_of(&model, QUOTA_INTERNET_GATEWAYS), 8); /* goes with it … */
	assert_int_equal(parse_quota("internet-gateways-per-region=3"), 0);
	assert_int_equal(quota_of(&model, QUOTA_INTERNET_GATEWAYS), 3); /* … unless set itself */
	assert_true(quota_of(&model, QUOTA_VPCS) > 1000000);
}

/* By count only where it was asked for; by shape always. */
static void quotas_by_count_are_off(void **state)
{
	static const char *const some[] = { "vpcs-per-region=7", "aws" };
	static const enum quota counted[] = {
		QUOTA_VPCS,
		QUOTA_INTERNET_GATEWAYS,
		QUOTA_EGRESS_GATEWAYS,
		QUOTA_SECURITY_GROUPS,
		QUOTA_INTERFACES,
		QUOTA_INSTANCES,
		QUOTA_ADDRESSES,
		QUOTA_PREFIX_LISTS,
		QUOTA_NAT_GATEWAYS,
		QUOTA_PEERING_REQUESTS,
		QUOTA_KEY_PAIRS,
		QUOTA_LAUNCH_TEMPLATES,
		QUOTA_IMAGES,
		QUOTA_GATEWAY_ENDPOINTS,
	};
	struct quotas aws = { .aws = true };
	bool is_counted[QUOTA_MAX] = { false };

	(void)state;
	model.quotas = (struct quotas){ 0 };
	for (size_t i = 0; i < ARRAY_SIZE(counted); i++)
		is_counted[counted[i]] = true;
	for (int quota = 0; quota < QUOTA_MAX; quota++) {
		const int64_t own = quotas_get(&aws, (enum quota)quota);
		const int64_t here = quota_of(&model, (enum quota)quota);

		assert_true(own >= 2 && own <= 50000);
		if (is_counted[quota])
			assert_true(here > 1000000);
		else
			assert_int_equal(here, own);
	}
	assert_int_equal(quotas_parse(some, 2, &model.quotas, &error), 0);
	assert_int_equal(quota_of(&model, QUOTA_VPCS), 7);
	assert_int_equal(quota_of(&model, QUOTA_EGRESS_GATEWAYS), 7);
	assert_int_equal(quota_of(&model, QUOTA_ADDRESSES), 5);
}

/* As many go as the quota says, and what is there already stays when it is lowered. */
static void quotas_are_kept(void **state)
{
	struct vpc *vpc = NULL;
	struct subnet *subnet;

	(void)state;
	assert_int_equal(parse_quota("vpcs-per-region=7"), 0);
	for (int i = 1; i < 7; i++) /* the default one counts */
		make_vpc("10.0.0.0/16");
	assert_true(vpc_create(&transaction, scope, cidr_of("10.0.0.0/16"), NULL, &vpc, &error) <
		    0);
	assert_string_equal(error.text, "The maximum number of VPCs has been reached.");
	assert_int_equal(parse_quota("vpcs-per-region=2"), 0);
	vpc = (struct vpc *)scope->lists[KIND_VPC].items[6];
	assert_int_equal(vpc_delete(&transaction, vpc, &error), 0);
	assert_int_equal(scope->lists[KIND_VPC].count, 6);
	assert_true(vpc_create(&transaction, scope, cidr_of("10.0.0.0/16"), NULL, &vpc, &error) <
		    0);

	subnet = make_subnet((struct vpc *)scope->lists[KIND_VPC].items[1], "10.0.1.0/24");
	assert_int_equal(parse_quota("network-interfaces-per-region=3"), 0);
	assert_int_equal(try_launch(subnet, 1, 2), 0);
	assert_true(try_launch(subnet, 2, 2) < 0);
	assert_int_equal(error.code, ERROR_QUOTA);
	assert_string_equal(error.text,
			    "The maximum number of network interfaces has been reached.");
	assert_int_equal(try_launch(subnet, 1, 5), 0); /* as many as there is room for */
	assert_int_equal(scope->lists[KIND_NETWORK_INTERFACE].count, 3);
	assert_true(try_launch(subnet, 1, 1) < 0);
}

/* ---- rules of security groups ---- */

/* The index holds every rule once, in both its orders. */
static void assert_rules_indexed(const struct model *which)
{
	size_t indexed = 0, rules = 0;

	map_for_each (&which->resources, slot)
		rules +=
			((const struct resource *)slot->value)->id.kind == KIND_SECURITY_GROUP_RULE;
	map_for_each (&which->group_rules, slot) {
		const struct group_rules *found = slot->value;

		indexed += found->count;
		assert_true(found->count > 0);
		assert_int_equal(found->sorted_count, found->count);
		for (size_t i = 0; i < found->count; i++) {
			assert_ptr_equal(group_rule_find(which, found->items[i]), found->items[i]);
			assert_ptr_equal(group_rules(which, found->items[i]->group), found);
			if (i == 0)
				continue;
			assert_true(found->items[i - 1]->resource.order <
				    found->items[i]->resource.order);
			assert_true(group_rule_compare(found->sorted[i - 1], found->sorted[i]) < 0);
		}
	}
	assert_int_equal(indexed, rules);
}

static struct group_rule rule_of(int64_t port, const char *cidr)
{
	return (struct group_rule){ .traffic = { 6, port, port }, .cidr = cidr_of(cidr) };
}

static void rules_are_found_whatever_changes(void **state)
{
	struct vpc *vpc = make_vpc("10.0.0.0/16");
	const struct group_rule wanted[] = { rule_of(2, "10.0.0.0/8"), rule_of(1, "10.0.0.0/8"),
					     rule_of(2, "0.0.0.0/0") };
	const struct group_rule swapped[] = { wanted[1], wanted[0] };
	struct group_rule *rules[3];
	struct group *group;

	(void)state;
	assert_int_equal(group_create(&transaction, vpc, "web", "web", &group, &error), 0);
	assert_int_equal(group_authorize(&transaction, group, wanted, 3, rules, &error), 0);
	transaction_commit(&transaction);
	assert_rules_indexed(&model);
	assert_int_equal(group_rules(&model, group->resource.id)->count, 4);
	assert_int_equal(group_revise(&transaction, group, rules, swapped, 2, &error), 0);
	assert_int_equal(rules[0]->traffic.from, 1);
	assert_rules_indexed(&model);
	transaction_rollback(&transaction);
	assert_int_equal(rules[0]->traffic.from, 2);
	assert_rules_indexed(&model);
	assert_true(group_revise(&transaction, group, rules, &wanted[2], 1, &error) < 0);
	assert_int_equal(error.code, ERROR_PERMISSION_DUPLICATE);
	assert_int_equal(transaction.count, 0);
	transaction_delete(&transaction, rules[1]);
	assert_rules_indexed(&model);
	transaction_rollback(&transaction);
	assert_rules_indexed(&model);
	assert_int_equal(group_delete(&transaction, group, &error), 0);
	assert_rules_indexed(&model);
}

static void groups_of_an_interface_are_checked(void **state)
{
	struct vpc *vpc = make_vpc("10.0.0.0/16"), *other = make_vpc("10.1.0.0/16");
	struct rid_item *groups = NULL, foreign;
	struct interface *interface;
	size_t count = 0;

	(void)state;
	assert_int_equal(try_launch(make_subnet(vpc, "10.0.1.0/24"), 1, 1), 0);
	interface = instance_primary(&model, newest());
	for (int i = 0; i <= quota_of(&model, QUOTA_INTERFACE_GROUPS); i++) {
		char name[] = "group-x";
		struct group *group;

		name[6] = (char)('a' + i);
		assert_int_equal(group_create(&transaction, vpc, name, "x", &group, &error), 0);
		rid_item_add(&groups, &count, group->resource.id);
		rid_item_add(&groups, &count, group->resource.id);
	}
	assert_int_equal(count, (size_t)quota_of(&model, QUOTA_INTERFACE_GROUPS) + 1);
	assert_true(interface_set_groups(&transaction, interface, groups, count, &error) < 0);
	assert_int_equal(error.code, ERROR_QUOTA);
	assert_int_equal(interface->group_count, 1);
	assert_int_equal(interface_set_groups(&transaction, interface, groups, count - 1, &error),
			 0);
	assert_int_equal(interface->group_count, (size_t)quota_of(&model, QUOTA_INTERFACE_GROUPS));
	foreign.id = group_named(scope, other->resource.id, "default")->resource.id;
	assert_true(interface_set_groups(&transaction, interface, &foreign, 1, &error) < 0);
	assert_int_equal(error.code, ERROR_INVALID_PARAMETER);
	free(groups);
}

/* ---- transactions ---- */

/* Rules made, changed and deleted; a group made and deleted. */
static void disturb_groups(struct vpc *standing)
{
	struct group *kept = group_named(scope, standing->resource.id, "default"), *group;
	struct group_rule wanted[] = { rule_of(1, "0.0.0.0/0"), rule_of(2, "0.0.0.0/0") };
	struct group_rule *rules[ARRAY_SIZE(wanted)], *first, changed;

	wanted[0].description = (char[]){ "one" };
	assert_int_equal(
		group_authorize(&transaction, kept, wanted, ARRAY_SIZE(wanted), rules, &error), 0);
	first = group_rules(&model, kept->resource.id)->items[0];
	changed = *first;
	changed.traffic = (struct traffic){ 17, 1, 2 };
	changed.description = (char[]){ "two" };
	assert_int_equal(group_revise(&transaction, kept, &first, &changed, 1, &error), 0);
	assert_int_equal(group_rule_describe(&transaction, rules[0], NULL, &error), 0);
	transaction_delete(&transaction, rules[1]);
	transaction_delete(&transaction, group_rules(&model, kept->resource.id)->items[1]);
	assert_int_equal(group_create(&transaction, standing, "gone", "gone", &group, &error), 0);
	assert_int_equal(group_delete(&transaction, group, &error), 0);
}

/* Interfaces made, attached, detached and deleted; an address moved there and back. */
static void disturb_interfaces(struct subnet *subnet)
{
	struct interface *one = make_interface(subnet, 2), *other = make_interface(subnet, 0);
	struct interface *standing =
		(struct interface *)scope->lists[KIND_NETWORK_INTERFACE].items[0];
	const struct address_text moved = address_format(one->secondaries[1].address);
	struct instance *instance = newest();

	assert_int_equal(assign(other, moved.text, 0, true), 0);
	assert_int_equal(assign(one, moved.text, 0, true), 0);
	if (rid_equal(standing->subnet, subnet->resource.id))
		assert_int_equal(assign(standing, moved.text, 0, true), 0);
	attachment_make(&transaction, instance, one, 1, false);
	attachment_make(&transaction, instance, other, 3, true);
	attachment_end(&transaction, one);
	assert_int_equal(interface_delete(&transaction, one, &error), 0);
}

/* Everything that a scenario can do to the model, in one transaction. */
static void disturb(void)
{
	struct vpc *standing = vpc_default(scope), *vpc = make_vpc("10.0.0.0/16");
	struct subnet *subnet = make_subnet(vpc, "10.0.1.0/24");
	struct subnet *old = subnet_default(scope, "us-east-1c");
	struct gateway *gateway;

	subnet->map_public_ip = true;
	assert_int_equal(try_launch(subnet, 3, 3), 0);
	assert_int_equal(gateway_create(&transaction, scope, &gateway, &error), 0);
	assert_int_equal(gateway_attach(&transaction, gateway, vpc, &error), 0);
	assert_int_equal(try_launch(subnet_default(scope, NULL), 2, 2), 0);
	instance_settle(&transaction, newest());
	assert_int_equal(instance_terminate(&transaction, newest(), &error), 0);
	instance_settle(&transaction, newest());
	assert_int_equal(tag_set(&transaction, &standing->resource, "k", "v", &error), 0);
	assert_int_equal(tag_set(&transaction, &old->resource, "k", "v", &error), 0);
	assert_int_equal(subnet_delete(&transaction, old, &error), 0);
	instance_forget(&transaction, newest());
	disturb_groups(standing);
	disturb_interfaces(subnet_default(scope, "us-east-1b"));
}

static void a_rollback_restores_everything(void **state)
{
	CLEANUP(freep) char *before = NULL, *after = NULL;

	(void)state;
	assert_int_equal(try_launch(subnet_default(scope, "us-east-1b"), 2, 2), 0);
	transaction_commit(&transaction);
	before = snapshot(&model);
	for (int i = 0; i < 3; i++) {
		free(after);
		disturb();
		after = snapshot(&model);
		assert_string_not_equal(before, after);
		transaction_rollback(&transaction);
		free(after);
		after = snapshot(&model);
		assert_string_equal(before, after);
		assert_rules_indexed(&model);
	}
	/* and it works as before */
	disturb();
	transaction_commit(&transaction);
}

/* ---- the store ---- */

struct disk {
	char directory[32];
	char *path;
};

static void disk_make(struct disk *disk)
{
	snprintf(disk->directory, sizeof(disk->directory), "/tmp/minivpc-test-XXXXXX");
	assert_non_null(mkdtemp(disk->directory));
	disk->path = xasprintf("%s/world.db", disk->directory);
}

static void disk_remove(struct disk *disk)
{
	static const char *const suffixes[] = { "", "-wal", "-shm" };

	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		CLEANUP(freep) char *path = xasprintf("%s%s", disk->path, suffixes[i]);

		unlink(path);
	}
	rmdir(disk->directory);
	free(disk->path);
}

static char *reloaded(const struct disk *disk)
{
	CLEANUP(store_closep) struct store *store = NULL;
	struct model other = { 0 };
	char *text;

	assert_int_equal(store_open(disk->path, &store, &error), 0);
	assert_int_equal(store_load(store, &other, &error), 0);
	assert_rules_indexed(&other);
	text = snapshot(&other);
	model_clear(&other);
	return text;
}

static void what_is_saved_is_loaded(void **state)
{
	CLEANUP(store_closep) struct store *store = NULL;
	CLEANUP(freep) char *want = NULL, *got = NULL, *undone = NULL;
	struct disk disk;

	(void)state;
	disk_make(&disk);
	assert_int_equal(store_open(disk.path, &store, &error), 0);
	/* all that set_up() made, as one big creation */
	map_for_each (&model.resources, slot)
		*array_grow(&transaction.entries, &transaction.count) =
			(struct journal_entry){ NULL, slot->value };
	assert_int_equal(store_save(store, &transaction, true, &error), 0);
	transaction_commit(&transaction);
	want = snapshot(&model);
	got = reloaded(&disk);
	assert_string_equal(want, got);
	disturb();
	assert_int_equal(store_save(store, &transaction, true, &error), 0);
	free(got);
	got = reloaded(&disk);
	undone = snapshot(&model);
	assert_string_equal(undone, got);
	/* and back */
	assert_int_equal(store_save(store, &transaction, false, &error), 0);
	transaction_rollback(&transaction);
	free(got);
	got = reloaded(&disk);
	assert_string_equal(want, got);
	store = store_close(store);
	disk_remove(&disk);
}

static void erased_ids_are_orphans_for_one_save(void **state)
{
	CLEANUP(store_closep) struct store *store = NULL;
	CLEANUP(freep) struct rid *ids = NULL;
	struct subnet *subnet = subnet_default(scope, NULL);
	struct rid id = subnet->resource.id;
	struct disk disk;
	size_t count;

	(void)state;
	disk_make(&disk);
	assert_int_equal(store_open(disk.path, &store, &error), 0);
	assert_int_equal(subnet_delete(&transaction, subnet, &error), 0);
	assert_int_equal(store_save(store, &transaction, true, &error), 0);
	transaction_commit(&transaction);
	assert_int_equal(store_orphans(store, &ids, &count, &error), 0);
	assert_int_equal(count, 1);
	assert_true(rid_equal(ids[0], id));
	make_vpc("10.0.0.0/16");
	assert_int_equal(store_save(store, &transaction, true, &error), 0);
	freep(&ids);
	assert_int_equal(store_orphans(store, &ids, &count, &error), 0);
	assert_int_equal(count, 0);
	store = store_close(store);
	disk_remove(&disk);
}

static void foreign_files_are_refused(void **state)
{
	CLEANUP(store_closep) struct store *store = NULL;
	struct disk disk;
	FILE *file;

	(void)state;
	disk_make(&disk);
	file = fopen(disk.path, "w");
	assert_non_null(file);
	fprintf(file, "this is no database, but it is long enough to be looked at as one ........");
	fclose(file);
	assert_true(store_open(disk.path, &store, &error) < 0);
	assert_non_null(strstr(error.text, "world.db"));
	disk_remove(&disk);
}

/* Where a host of the Internet can't be; NULL: it can. */
static void hosts_have_public_addresses(void **state)
{
	static const struct {
		const char *address, *refusal;
	} cases[] = {
		{ "203.0.113.7", NULL },
		{ "8.8.8.8", NULL },
		{ "1.1.1.1", NULL },
		{ "198.18.0.2", NULL },
		{ "198.18.0.254", NULL },
		{ "198.19.0.1", NULL },
		{ "172.32.0.1", NULL },
		{ "9.255.255.255", NULL },
		{ "11.0.0.0", NULL },
		{ "223.255.255.255", NULL },
		{ "0.0.0.0", "of this network" },
		{ "10.0.0.1", "private" },
		{ "100.64.0.1", "shared address space" },
		{ "100.127.255.255", "shared address space" },
		{ "127.0.0.1", "loopback" },
		{ "169.254.169.254", "link-local" },
		{ "172.16.0.0", "private" },
		{ "172.31.255.255", "private" },
		{ "192.168.0.1", "private" },
		{ "198.18.0.0", "network's own" },
		{ "198.18.0.1", "router's" },
		{ "198.18.0.255", "broadcast" },
		{ "198.18.1.0", "pool for instances" },
		{ "198.18.255.255", "pool for instances" },
		{ "224.0.0.1", "multicast" },
		{ "240.0.0.1", "reserved" },
		{ "255.255.255.255", "reserved" },
		{ "2001:db8::1", "not an IPv4 address" },
		{ "8.8.8", "not an IPv4 address" },
		{ "8.8.8.8/32", "not an IPv4 address" },
		{ "", "not an IPv4 address" },
		{ "198.18.0.10", "that of the Internet host 'internet'" },
		{ "8.8.8.8", "that of the Internet host 'h1'" },
	};
	struct internet_host *host;
	char name[16];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int r;

		snprintf(name, sizeof(name), "h%zu", i);
		r = internet_host_create(&transaction, name, cases[i].address, &host, &error);
		if (cases[i].refusal && (r == 0 || !strstr(error.text, cases[i].refusal)))
			fail_msg("%s: %d %s", cases[i].address, r, error.text);
		if (cases[i].refusal)
			continue;
		assert_int_equal(r, 0);
		assert_string_equal(address_format(host->address).text, cases[i].address);
	}
}

static void hosts_have_names_and_an_end(void **state)
{
	static const char *const bad[] = { "", "-a", "a-", "a.b", "a b", "a_b", "internet", "web" };
	struct internet_host *host, *last = NULL;
	char name[80];

	(void)state;
	assert_int_equal(internet_host_create(&transaction, "web", NULL, &host, &error), 0);
	assert_string_equal(address_format(host->address).text, "198.18.0.11");
	assert_true(host->running && internet_host_get(&model)->running);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_true(internet_host_create(&transaction, bad[i], NULL, &last, &error) < 0);
	memset(name, 'a', sizeof(name));
	name[64] = '\0';
	assert_true(internet_host_create(&transaction, name, NULL, &last, &error) < 0);
	name[63] = '\0';
	assert_int_equal(internet_host_create(&transaction, name, NULL, &last, &error), 0);
	assert_string_equal(address_format(last->address).text, "198.18.0.12");
	assert_ptr_equal(internet_host_find(&model, "web"), host);
	assert_true(internet_host_end(&transaction, internet_host_get(&model), &error) < 0);
	assert_int_equal(error.code, ERROR_OPERATION_NOT_PERMITTED);
	assert_int_equal(internet_host_end(&transaction, host, &error), 0);
	internet_realize(&transaction);
	assert_false(host->running); /* nor is it woken up again */
	internet_forget_hosts(&transaction);
	assert_null(internet_host_find(&model, "web"));
	assert_int_equal(internet_host_create(&transaction, "next", NULL, &host, &error), 0);
	assert_string_equal(address_format(host->address).text, "198.18.0.11"); /* free again */
}

static void hosts_are_not_without_number(void **state)
{
	struct internet_host *host;
	char name[16], address[32];

	(void)state;
	for (int i = 1; i < INTERNET_HOSTS_MAX; i++) {
		snprintf(name, sizeof(name), "h%d", i);
		snprintf(address, sizeof(address), "198.18.0.%d", i + 10);
		if (i > 244) {
			assert_true(internet_host_create(&transaction, name, NULL, &host, &error) <
				    0);
			assert_int_equal(error.code, ERROR_INSUFFICIENT_ADDRESS_CAPACITY);
			snprintf(address, sizeof(address), "203.0.113.%d", i - 240);
		}
		assert_int_equal(internet_host_create(&transaction, name, i > 244 ? address : NULL,
						      &host, &error),
				 0);
		assert_string_equal(address_format(host->address).text, address);
	}
	assert_true(internet_host_create(&transaction, "more", "8.8.8.8", &host, &error) < 0);
	assert_non_null(strstr(error.text, "as many as there can be"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, end_world)
		CASE(a_fresh_region_is_as_aws_makes_it),
		CASE(vpc_blocks_are_checked),
		CASE(subnet_blocks_are_checked),
		CASE(addresses_fill_a_subnet_and_no_more),
		CASE(addresses_asked_for_are_checked),
		CASE(secondary_addresses_are_held_like_the_first),
		CASE(an_interface_comes_and_goes),
		CASE(a_forgotten_launch_leaves_what_was_there_before),
		CASE(states_follow_the_life_cycle),
		CASE(only_a_running_instance_terminates_by_itself),
		CASE(a_gateway_serves_one_vpc),
		CASE(routes_have_their_rules),
		CASE(a_gateways_table_has_its_rules),
		CASE(a_route_leads_to_an_interface_while_it_runs),
		CASE(a_route_to_an_instance_needs_one_interface),
		CASE(within_a_vpc_whole_subnets_are_led_away),
		CASE(an_acl_keeps_its_entries_in_order),
		CASE(a_subnet_has_one_acl),
		CASE(a_prefix_list_keeps_its_versions),
		CASE(protocols_have_names),
		CASE(tags_have_limits),
		CASE(quotas_are_read),
		CASE(quotas_by_count_are_off),
		CASE(quotas_are_kept),
		CASE(rules_are_found_whatever_changes),
		CASE(groups_of_an_interface_are_checked),
		CASE(hosts_have_public_addresses),
		CASE(hosts_have_names_and_an_end),
		CASE(hosts_are_not_without_number),
		CASE(a_rollback_restores_everything),
		CASE(what_is_saved_is_loaded),
		CASE(erased_ids_are_orphans_for_one_save),
		CASE(foreign_files_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
