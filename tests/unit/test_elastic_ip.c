/* objects: tests/unit/world.o emulator/model/ emulator/base/buffer.o emulator/base/cidr.o emulator/base/error.o emulator/base/id.o emulator/base/map.o emulator/base/util.o emulator/store/record.o */
/* libs: jansson */
/* Elastic IPs: with whom they are, what they displace, and the indexes that know it. */
#include "model/attachment.h"
#include "model/elastic_ip.h"
#include "model/gateway.h"
#include "model/internet.h"
#include "store/record.h"

#include "world.h"

static struct subnet *subnet;
static struct gateway *gateway;

/* None: the primary one. */
static const struct address primary = { 0 };

static int set_up(void **state)
{
	struct vpc *vpc;

	(void)state;
	begin_world();
	internet_create(&transaction);
	vpc = make_vpc("10.0.0.0/16");
	subnet = make_subnet_in(vpc, "10.0.1.0/24", "us-east-1a");
	assert_int_equal(gateway_create(&transaction, scope, &gateway, &error), 0);
	assert_int_equal(gateway_attach(&transaction, gateway, vpc, &error), 0);
	transaction_commit(&transaction);
	return 0;
}

/* A running one; `public`: with an address that comes and goes with it. */
static struct instance *launch(bool public)
{
	static char type[] = "t3.large";
	struct launch_interface card = { .make = { .subnet = subnet, .more = 1 },
					 .delete_on_termination = true };
	struct launch_request request = {
		.options = plain_instance,
		.interfaces = &card,
		.interface_count = 1,
		.public_address = &public,
		.minimum = 1,
		.maximum = 1,
	};
	struct instance *instance;
	struct rid reservation;

	request.options.type = type;
	assert_int_equal(instance_launch(&transaction, &request, &reservation, &error), 0);
	instance = newest();
	instance_settle(&transaction, instance);
	return instance;
}

static struct interface *card_of(const struct instance *instance)
{
	return instance_primary(&model, instance);
}

static void associate(struct elastic_ip *elastic_ip, struct interface *interface,
		      struct address address)
{
	assert_int_equal(
		elastic_ip_associate(&transaction, elastic_ip, interface, address, true, &error),
		0);
}

static struct address public_of(const struct interface *interface, size_t index)
{
	return interface_public_at(&model, interface, interface_address_at(interface, index));
}

/* The indexes say what the resources say, no more and no less. */
static void assert_indexed(void)
{
	size_t associated = 0, held = 0;

	for_each_resource (struct elastic_ip, elastic_ip, scope, KIND_ELASTIC_IP) {
		held++;
		assert_ptr_equal(internet_public_holder(&model, elastic_ip->address), elastic_ip);
		if (!rid_is_set(elastic_ip->association))
			continue;
		associated++;
		assert_ptr_equal(
			elastic_ip_at(&model, elastic_ip->interface, elastic_ip->private_address),
			elastic_ip);
		assert_ptr_equal(elastic_ip_find(scope, elastic_ip->association), elastic_ip);
	}
	for_each_resource (struct interface, interface, scope, KIND_NETWORK_INTERFACE) {
		if (!address_is_set(interface->public_address))
			continue;
		held++;
		assert_ptr_equal(internet_public_holder(&model, interface->public_address),
				 interface);
		assert_null(elastic_ip_at(&model, interface->resource.id, interface->address));
	}
	assert_int_equal(model.elastic_ips.count, associated);
	assert_int_equal(model.publics.count, held);
}

/* Every resource, as the store would write it. */
static char *snapshot(void)
{
	CLEANUP(buffer_clear) struct buffer text = BUFFER_INIT;

	for (size_t kind = 0; kind < KIND_MAX; kind++)
		for_each_resource (struct resource, resource, scope, kind) {
			CLEANUP(freep) char *record = record_encode(resource);

			buffer_printf(&text, "%s %s\n", rid_format(resource->id).text, record);
		}
	return buffer_steal(&text);
}

/* ---- tests ---- */

static void no_two_are_the_same(void **state)
{
	struct elastic_ip *one = allocate(), *two = allocate();
	struct instance *instance = launch(true);

	(void)state;
	assert_false(address_equal(one->address, two->address));
	assert_false(address_equal(two->address, card_of(instance)->public_address));
	assert_string_equal(address_format(one->address).text, "198.18.1.0");
	assert_indexed();
	assert_int_equal(elastic_ip_release(&transaction, one, &error), 0);
	assert_false(address_equal(allocate()->address, two->address));
	assert_indexed();
}

static void five_in_a_region(void **state)
{
	struct elastic_ip *one = allocate(), *none = NULL;

	(void)state;
	model.quotas.aws = true;
	for (int i = 0; i < 4; i++)
		allocate();
	assert_true(elastic_ip_allocate(&transaction, scope, &none, &error) < 0);
	assert_int_equal(error.code, ERROR_QUOTA);
	assert_string_equal(error.text, "The maximum number of addresses has been reached.");
	assert_int_equal(elastic_ip_allocate(&transaction,
					     model_scope(&model, "123456789012", "eu-west-1"),
					     &none, &error),
			 0);
	assert_int_equal(elastic_ip_release(&transaction, one, &error), 0);
	allocate();
}

static void it_takes_the_place_of_the_other_public_address(void **state)
{
	struct instance *instance = launch(true);
	struct interface *card = card_of(instance);
	const struct address first = card->public_address;
	struct elastic_ip *elastic_ip = allocate();

	(void)state;
	assert_true(address_equal(public_of(card, 0), first));
	associate(elastic_ip, card, primary);
	assert_false(address_is_set(card->public_address));
	assert_true(address_equal(public_of(card, 0), elastic_ip->address));
	assert_null(internet_public_holder(&model, first));
	assert_indexed();
	elastic_ip_disassociate(&transaction, elastic_ip);
	assert_true(address_is_set(card->public_address)); /* a new one, at once */
	assert_false(address_equal(card->public_address, first));
	assert_false(rid_is_set(elastic_ip->association) || rid_is_set(elastic_ip->interface));
	assert_indexed();
	elastic_ip_disassociate(&transaction, elastic_ip); /* nothing more */
	assert_indexed();
}

static void stop_and_start_keep_it(void **state)
{
	struct instance *instance = launch(true);
	struct elastic_ip *elastic_ip = allocate();

	(void)state;
	associate(elastic_ip, card_of(instance), primary);
	for (int round = 0; round < 2; round++) {
		assert_int_equal(instance_stop(&transaction, instance, &error), 0);
		instance_exited(&transaction, instance, true);
		if (round == 1)
			elastic_ip_disassociate(&transaction, elastic_ip);
		assert_false(address_is_set(card_of(instance)->public_address));
		assert_int_equal(instance_start(&transaction, instance, &error), 0);
		instance_settle(&transaction, instance);
		/* Without it, the start brings another. */
		assert_true(address_is_set(card_of(instance)->public_address) == (round == 1));
		assert_indexed();
	}
}

static void a_second_address_has_its_own(void **state)
{
	struct instance *instance = launch(true);
	struct interface *card = card_of(instance);
	struct address second = interface_address_at(card, 1);
	struct elastic_ip *one = allocate(), *two = allocate();

	(void)state;
	associate(one, card, second);
	assert_true(address_is_set(card->public_address)); /* the primary one's stays … */
	assert_true(address_equal(public_of(card, 1), one->address));
	associate(two, card, primary);
	assert_true(address_equal(public_of(card, 0), two->address));
	assert_indexed();
	elastic_ip_disassociate(&transaction, two);
	assert_false(address_is_set(card->public_address)); /* … but doesn't come back */
	elastic_ip_disassociate(&transaction, one);
	assert_true(address_is_set(card->public_address));
	associate(one, card, primary);
	associate(one, card, second); /* the same one */
	assert_false(address_is_set(card->public_address));
	assert_indexed();
}

static void none_comes_by_itself_beside_a_second_card(void **state)
{
	struct instance *instance = launch(true);
	struct interface *card = make_interface(subnet, 0);
	struct elastic_ip *elastic_ip = allocate();

	(void)state;
	associate(elastic_ip, card_of(instance), primary);
	attachment_make(&transaction, instance, card, 1, false);
	elastic_ip_disassociate(&transaction, elastic_ip);
	assert_false(address_is_set(card_of(instance)->public_address));
	associate(elastic_ip, card, primary);
	assert_true(address_equal(public_of(card, 0), elastic_ip->address));
	assert_indexed();
}

static void it_moves_and_displaces(void **state)
{
	struct interface *from = card_of(launch(true)), *to = card_of(launch(true));
	struct elastic_ip *one = allocate(), *two = allocate();
	struct rid first;

	(void)state;
	associate(one, from, primary);
	associate(two, to, primary);
	first = one->association;
	associate(one, from, primary);
	assert_true(rid_equal(one->association, first)); /* there already */
	associate(one, to, primary);
	assert_false(rid_equal(one->association, first));
	assert_true(address_equal(public_of(to, 0), one->address));
	assert_true(address_is_set(from->public_address));
	assert_false(rid_is_set(two->association));
	assert_indexed();
}

static void it_stays_when_told(void **state)
{
	struct interface *from = card_of(launch(false)), *to = card_of(launch(false));
	struct elastic_ip *one = allocate(), *two = allocate();

	(void)state;
	associate(one, from, primary);
	assert_true(elastic_ip_associate(&transaction, one, to, primary, false, &error) < 0);
	assert_int_equal(error.code, ERROR_ALREADY_ASSOCIATED);
	assert_true(elastic_ip_associate(&transaction, two, from, primary, false, &error) < 0);
	assert_int_equal(error.code, ERROR_ALREADY_ASSOCIATED);
	assert_int_equal(elastic_ip_associate(&transaction, one, from, primary, false, &error), 0);
	assert_int_equal(elastic_ip_associate(&transaction, two, to, primary, false, &error), 0);
	assert_indexed();
}

static void what_can_not_be_is_refused(void **state)
{
	struct interface *card = card_of(launch(false));
	struct vpc *vpc = vpc_get(&model, card->vpc);
	struct elastic_ip *elastic_ip = allocate();

	(void)state;
	assert_true(elastic_ip_associate(&transaction, elastic_ip, card,
					 address_v4(0x0a0001c8) /* 10.0.1.200 */, true,
					 &error) < 0);
	assert_int_equal(error.code, ERROR_INVALID_PARAMETER_VALUE);
	assert_int_equal(gateway_detach(&transaction, gateway, vpc, &error), 0);
	assert_true(elastic_ip_associate(&transaction, elastic_ip, card, primary, true, &error) <
		    0);
	assert_int_equal(error.code, ERROR_GATEWAY_NOT_ATTACHED);
	assert_int_equal(gateway_attach(&transaction, gateway, vpc, &error), 0);
	associate(elastic_ip, card, interface_address_at(card, 1));
	assert_true(gateway_detach(&transaction, gateway, vpc, &error) < 0);
	assert_int_equal(error.code, ERROR_DEPENDENCY_VIOLATION);
	assert_true(elastic_ip_release(&transaction, elastic_ip, &error) < 0);
	assert_int_equal(error.code, ERROR_ADDRESS_IN_USE);
	elastic_ip_disassociate(&transaction, elastic_ip);
	elastic_ip_set_domain_name(&transaction, elastic_ip, "example.com.");
	assert_true(elastic_ip_release(&transaction, elastic_ip, &error) < 0);
	assert_int_equal(error.code, ERROR_ADDRESS_LOCKED);
	elastic_ip_set_domain_name(&transaction, elastic_ip, NULL);
	assert_int_equal(elastic_ip_release(&transaction, elastic_ip, &error), 0);
	assert_indexed();
}

static void it_goes_with_its_card(void **state)
{
	struct instance *instance = launch(true);
	struct interface *card = make_interface(subnet, 0);
	struct elastic_ip *one = allocate(), *two = allocate();

	(void)state;
	attachment_make(&transaction, instance, card, 1, false);
	associate(one, card_of(instance), primary);
	associate(two, card, primary);
	assert_int_equal(instance_terminate(&transaction, instance, &error), 0);
	instance_settle(&transaction, instance);
	assert_false(rid_is_set(one->association)); /* deleted on termination */
	assert_true(rid_equal(two->interface, card->resource.id));
	assert_indexed();
	assert_int_equal(interface_delete(&transaction, card, &error), 0);
	assert_false(rid_is_set(two->association));
	assert_indexed();
}

static void it_goes_with_its_private_address(void **state)
{
	struct interface *one = card_of(launch(false)), *two = card_of(launch(false));
	struct interface_address second = { interface_address_at(one, 1) };
	struct assignment move = { &second, 1, 0, 9, true };
	struct elastic_ip *elastic_ip = allocate();
	struct rid association;

	(void)state;
	associate(elastic_ip, one, second.address);
	association = elastic_ip->association;
	assert_int_equal(interface_assign(&transaction, two, &move, &error), 0);
	assert_true(rid_equal(elastic_ip->interface, two->resource.id));
	assert_true(rid_equal(elastic_ip->association, association));
	assert_indexed();
	assert_int_equal(interface_unassign(&transaction, two, &second, 1, &error), 0);
	assert_false(rid_is_set(elastic_ip->association));
	assert_indexed();
}

/* Whatever was done with them, in any order: a roll-back leaves nothing of it. */
static void a_roll_back_restores_the_indexes(void **state)
{
	struct interface *cards[3];
	struct elastic_ip *all[4];
	unsigned int seed = 1;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cards); i++)
		cards[i] = card_of(launch(i > 0));
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		all[i] = allocate();
	for (int round = 0; round < 300; round++) {
		CLEANUP(freep) char *before = NULL, *after = NULL;

		transaction_commit(&transaction);
		before = snapshot();
		for (int step = 0; step < 6; step++) {
			const unsigned int choice = (unsigned int)rand_r(&seed) >> 4;
			struct interface *card = cards[choice % ARRAY_SIZE(cards)];
			struct elastic_ip *elastic_ip = all[choice / 3 % ARRAY_SIZE(all)];

			if (choice / 12 % 4 == 0)
				elastic_ip_disassociate(&transaction, elastic_ip);
			else
				associate(elastic_ip, card,
					  interface_address_at(card, choice / 48 % 2));
			assert_indexed();
		}
		if (round % 2)
			continue;
		transaction_rollback(&transaction);
		after = snapshot();
		assert_string_equal(after, before);
		assert_indexed();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, end_world)
		CASE(no_two_are_the_same),
		CASE(five_in_a_region),
		CASE(it_takes_the_place_of_the_other_public_address),
		CASE(stop_and_start_keep_it),
		CASE(a_second_address_has_its_own),
		CASE(none_comes_by_itself_beside_a_second_card),
		CASE(it_moves_and_displaces),
		CASE(it_stays_when_told),
		CASE(what_can_not_be_is_refused),
		CASE(it_goes_with_its_card),
		CASE(it_goes_with_its_private_address),
		CASE(a_roll_back_restores_the_indexes),
	};

	return cmocka_run_group_tests_name("elastic IPs", tests, NULL, NULL);
}
