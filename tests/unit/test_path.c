/* objects: tests/unit/world.o emulator/path/ emulator/model/ emulator/base/buffer.o emulator/base/cidr.o emulator/base/error.o emulator/base/id.o emulator/base/map.o emulator/base/util.o */
/*
 * A packet's way through small topologies, word by word. Ids are written as names: what a test
 * calls a resource (call()), and "sgr" for any rule.
 */
#include "model/acl.h"
#include "model/attachment.h"
#include "model/fault.h"
#include "model/group.h"
#include "model/nat_gateway.h"
#include "model/peering.h"
#include "model/route.h"
#include "path/path.h"

#include "world.h"

#include <netinet/in.h>

/* ---- names for ids ---- */

static struct {
	struct rid id;
	const char *name;
} names[32];
static size_t name_count;

static void call(struct rid id, const char *name)
{
	assert_true(name_count < ARRAY_SIZE(names));
	names[name_count].id = id;
	names[name_count++].name = name;
}

/* Puts names in the place of ids. */
static char *named(const char *text)
{
	struct buffer out = BUFFER_INIT;

	while (*text) {
		size_t i = 0, length = 0;

		for (; i < name_count; i++) {
			struct rid_text id = rid_format(names[i].id);

			length = strlen(id.text);
			if (strncmp(text, id.text, length) == 0)
				break;
		}
		if (i < name_count) {
			buffer_puts(&out, names[i].name);
			text += length;
		} else if (strncmp(text, "sgr-0", 5) == 0) {
			buffer_puts(&out, "sgr");
			text += strlen("sgr-0123456789abcdef0");
		} else {
			buffer_putc(&out, *text++);
		}
	}
	return buffer_steal(&out);
}

/* ---- two subnets, an instance in each, and a host outside ---- */

static struct vpc *vpc;
static struct subnet *a, *b;
static struct instance *one, *two;
static struct gateway *gateway;
static struct route_table *table;
static struct acl *acl;
static struct group *group;
static struct path path;

static struct instance *launch(struct subnet *subnet, const char *name)
{
	struct instance *instance;

	assert_int_equal(try_launch(subnet, 1, 1), 0);
	instance = newest();
	instance->pid = 1;
	instance->state = INSTANCE_RUNNING;
	call(instance->resource.id, name);
	return instance;
}

static struct interface *card(const struct instance *instance)
{
	return instance_primary(&model, instance);
}

static void name_card(const struct instance *instance, const char *name)
{
	call(card(instance)->resource.id, name);
}

static int set_up(void **state)
{
	(void)state;
	begin_world();
	internet_create(&transaction);
	internet_realize(&transaction);
	name_count = 0;
	call(internet_get(&model)->resource.id, "internet");
	vpc = make_vpc("10.0.0.0/16");
	call(vpc->resource.id, "vpc");
	a = make_subnet_in(vpc, "10.0.1.0/24", "us-east-1a");
	b = make_subnet_in(vpc, "10.0.2.0/24", "us-east-1b");
	call(a->resource.id, "a");
	call(b->resource.id, "b");
	table = route_table_of(a);
	call(table->resource.id, "main");
	acl = acl_of(a);
	call(acl->resource.id, "acl");
	group = group_named(scope, vpc->resource.id, "default");
	call(group->resource.id, "default");
	one = launch(a, "one");
	two = launch(b, "two");
	name_card(one, "eni-one");
	name_card(two, "eni-two");
	assert_int_equal(gateway_create(&transaction, scope, &gateway, &error), 0);
	assert_int_equal(gateway_attach(&transaction, gateway, vpc, &error), 0);
	call(gateway->resource.id, "igw");
	return 0;
}

static int tear_down(void **state)
{
	path_clear(&path);
	return end_world(state);
}

static void trace(const char *from, const char *to, uint8_t protocol, uint16_t port)
{
	struct path_place source, destination;
	struct path_packet packet;

	path_clear(&path);
	assert_int_equal(path_find(&model, from, &source, &error), 0);
	assert_int_equal(path_find(&model, to, &destination, &error), 0);
	assert_int_equal(
		path_choose(&model, &source, &destination, protocol, port, &packet, &error), 0);
	path_trace(&model, &source, &packet, &path);
}

static const char *id_of(const struct instance *instance)
{
	static struct rid_text texts[4];
	static size_t next;
	struct rid_text *text = &texts[next++ % ARRAY_SIZE(texts)];

	*text = rid_format(instance->resource.id);
	return text->text;
}

/* To tcp/443. */
static void ask(const struct instance *from, const char *to)
{
	trace(id_of(from), to, IPPROTO_TCP, 443);
}

static void says_named(const char *text, const char *expected)
{
	CLEANUP(freep) char *found = named(text);

	assert_string_equal(found, expected);
}

static void says(const char *expected)
{
	CLEANUP(buffer_clear) struct buffer text = BUFFER_INIT;

	path_summary(&path, &text);
	says_named(text.data, expected);
}

static void advises(const char *expected)
{
	assert_non_null(path.advice);
	says_named(path.advice, expected);
}

/* All steps: "security-group passes: rule sgr lets …", those of the answer behind a "<". */
static void goes(const char *const *expected)
{
	size_t i = 0;

	for (; expected[i]; i++) {
		CLEANUP(freep) char *found = NULL, *line = NULL;

		assert_true(i < path.step_count);
		line = xasprintf("%s%s %s: %s", path.steps[i].answer ? "< " : "",
				 path_kind_names[path.steps[i].kind],
				 path_result_names[path.steps[i].result], path.steps[i].text);
		found = named(line);
		assert_string_equal(found, expected[i]);
	}
	assert_int_equal(path.step_count, i);
}

/* ---- what topologies are made of ---- */

static struct traffic tcp(int64_t from, int64_t to)
{
	return (struct traffic){ IPPROTO_TCP, from, to };
}

static void permit(bool egress, struct traffic traffic, const char *block)
{
	struct group_rule wanted = { .group = group->resource.id,
				     .egress = egress,
				     .traffic = traffic,
				     .cidr = cidr_of(block) };
	struct group_rule *rule;

	assert_int_equal(group_authorize(&transaction, group, &wanted, 1, &rule, &error), 0);
}

static void open_group(void)
{
	permit(false, (struct traffic){ -1, -1, -1 }, "0.0.0.0/0");
}

/* A subnet's own, which denies all. */
static struct acl *close_acl(const struct subnet *subnet, const char *name)
{
	struct acl *own, *old = acl_of(subnet);
	struct rid association;
	size_t index = 0;

	while (!rid_equal(old->associations[index].subnet, subnet->resource.id))
		index++;
	assert_int_equal(acl_create(&transaction, vpc, NULL, &own, &error), 0);
	assert_int_equal(acl_move_association(&transaction, old, index, own, &association, &error),
			 0);
	call(own->resource.id, name);
	return own;
}

static void enter(struct acl *own, int64_t number, bool egress, bool allow, struct traffic traffic)
{
	struct acl_entry entry = { number, egress, allow, traffic, cidr_of("0.0.0.0/0") };

	assert_int_equal(acl_add_entry(&transaction, own, &entry, &error), 0);
}

static const struct traffic everything = { -1, -1, -1 };

static void lead(struct route_table *from, const char *block, const void *target)
{
	assert_int_equal(route_create(&transaction, from, to_cidr(cidr_of(block)), target, &error),
			 0);
}

static struct route_table *own_table(const struct subnet *subnet, const char *name)
{
	struct route_table *own;
	struct rid association;

	assert_int_equal(
		route_table_create(&transaction, vpc_get(&model, subnet->vpc), NULL, &own, &error),
		0);
	assert_int_equal(route_table_associate(&transaction, own, subnet, &association, &error), 0);
	call(own->resource.id, name);
	return own;
}

static struct address publish(struct instance *instance)
{
	struct elastic_ip *elastic_ip = allocate();

	assert_int_equal(elastic_ip_associate(&transaction, elastic_ip, card(instance),
					      (struct address){ 0 }, false, &error),
			 0);
	return elastic_ip->address;
}

static struct nat_gateway *make_nat(struct subnet *subnet)
{
	CLEANUP(nat_request_clear) struct nat_request request = { .subnet = subnet };
	struct nat_gateway *nat;

	rid_item_add(&request.allocations, &request.allocation_count, allocate()->resource.id);
	assert_int_equal(nat_gateway_create(&transaction, &request, &nat, &error), 0);
	nat_gateway_settle(&transaction, nat);
	assert_int_equal(nat->state, NAT_AVAILABLE);
	call(nat->resource.id, "nat");
	call(nat->interface, "eni-nat");
	return nat;
}

static struct peering *join(struct vpc *from, struct vpc *to, const char *name)
{
	struct peering_request request = { from, to->resource.id, scope->account, scope->region };
	struct peering *peering;

	assert_int_equal(peering_create(&transaction, &request, &peering, &error), 0);
	peering_settle(&transaction, peering);
	assert_int_equal(peering_accept(&transaction, peering, scope, &error), 0);
	peering_settle(&transaction, peering);
	call(peering->resource.id, name);
	return peering;
}

/* ---- within a VPC ---- */

static void two_subnets(void **state)
{
	static const char *const way[] = {
		"source-check passes: 10.0.1.4 is its own address",
		"security-group passes: rule sgr lets tcp/443 out",
		"network-acl passes: entry 100 of acl lets tcp/443 out",
		"route passes: 10.0.0.0/16 local in main, the VPC's main table",
		"network-acl passes: entry 100 of acl lets tcp/443 in",
		"security-group passes: rule sgr lets tcp/443 in",
		"delivery passes: two has it",
		"< source-check passes: 10.0.2.4 is its own address",
		"< security-group passes: the answer to what it let pass",
		"< network-acl passes: entry 100 of acl lets tcp/32768-60999 out",
		"< route passes: 10.0.0.0/16 local in main, the VPC's main table",
		"< network-acl passes: entry 100 of acl lets tcp/32768-60999 in",
		"< security-group passes: the answer to what it let pass",
		"< delivery passes: one has it",
		NULL,
	};

	(void)state;
	ask(one, id_of(two)); /* the group "default" lets in its own members */
	says("reaches");
	assert_null(path.advice);
	goes(way);
	assert_true(rid_equal(path.arrives_at, card(two)->resource.id));
	ask(one, "10.0.2.4");
	says("reaches");
}

static void one_subnet(void **state)
{
	struct instance *three = launch(a, "three");

	(void)state;
	close_acl(a, "closed"); /* it is not asked */
	ask(one, id_of(three));
	says("reaches");
	assert_int_equal(path.step_count, 8);
}

static void faults(void **state)
{
	const struct fault_link lossy = { .loss = FAULT_LOSS_ALL / 20 },
				dead = { .loss = FAULT_LOSS_ALL },
				slow = { .rate = FAULT_RATE_LEAST };
	struct fault *fault;

	(void)state;
	assert_int_equal(fault_resource(&transaction, FAULT_SUBNET, &b->resource, &fault, &error),
			 0);
	call(fault->resource.id, "fault");
	ask(one, id_of(two));
	says("stopped by the fault fault at eni-two: b is dark");
	advises("minivpc fault heal fault");
	ask(two, "10.0.2.2"); /* DNS, which asks no rule */
	says("stopped by the fault fault at eni-two: b is dark");
	faults_forget(&transaction, b->resource.id);
	assert_int_equal(fault_bad_link(&transaction, &card(one)->resource, &lossy, &fault, &error),
			 0);
	call(fault->resource.id, "link");
	ask(one, id_of(two));
	says("reaches, as far as rules say; it depends on the fault link at eni-one: its link "
	     "loses 5 % of the packets");
	assert_int_equal(fault_bad_link(&transaction, &card(one)->resource, &dead, &fault, &error),
			 0);
	ask(two, id_of(one));
	says("stopped by the fault link at eni-one: its link loses 100 % of the packets");
	assert_int_equal(fault_bad_link(&transaction, &card(one)->resource, &slow, &fault, &error),
			 0);
	ask(two, id_of(one));
	says("reaches");
}

static void groups(void **state)
{
	struct rid_item carried = { 0 };
	struct group *other;

	(void)state;
	assert_int_equal(group_create(&transaction, vpc, "web", "web", &other, &error), 0);
	call(other->resource.id, "web");
	carried.id = other->resource.id;
	assert_int_equal(interface_set_groups(&transaction, card(one), &carried, 1, &error), 0);
	ask(one, id_of(two));
	says("stopped by security group default at eni-two: "
	     "no ingress rule of default lets tcp/443 from 10.0.1.4 pass");
	advises("aws ec2 authorize-security-group-ingress --group-id default --protocol tcp "
		"--port 443 --cidr 10.0.1.4/32");
	trace(id_of(one), id_of(two), IPPROTO_ICMP, 0);
	says("stopped by security group default at eni-two: "
	     "no ingress rule of default lets icmp echo request from 10.0.1.4 pass");
	permit(false, tcp(443, 443), "10.0.1.0/24");
	ask(one, id_of(two));
	says("reaches");
	trace(id_of(one), id_of(two), IPPROTO_UDP, 443);
	assert_int_equal(path.verdict, PATH_STOPPED);

	assert_int_equal(group_delete(&transaction, other, &error) < 0, true);
	while (group_rules(&model, other->resource.id)->count)
		transaction_delete(&transaction, group_rules(&model, other->resource.id)->items[0]);
	ask(one, id_of(two));
	says("stopped by security group web at eni-one: "
	     "no egress rule of web lets tcp/443 to 10.0.2.4 pass");
	advises("aws ec2 authorize-security-group-egress --group-id web --protocol tcp "
		"--port 443 --cidr 10.0.2.4/32");
}

static void network_acls(void **state)
{
	struct acl *own;

	(void)state;
	own = close_acl(b, "closed");
	ask(one, id_of(two));
	says("stopped by network ACL closed at b: entry * of closed denies tcp/443 from 10.0.1.4");
	advises("aws ec2 create-network-acl-entry --network-acl-id closed --rule-number 100 "
		"--ingress --protocol tcp --port-range From=443,To=443 --cidr-block 10.0.1.4/32 "
		"--rule-action allow");
	enter(own, 90, false, false, tcp(400, 500));
	enter(own, 91, false, true, everything);
	ask(one, id_of(two));
	says("stopped by network ACL closed at b: entry 90 of closed denies tcp/443 from 10.0.1.4");
	advises("aws ec2 create-network-acl-entry --network-acl-id closed --rule-number 89 "
		"--ingress --protocol tcp --port-range From=443,To=443 --cidr-block 10.0.1.4/32 "
		"--rule-action allow");
	trace(id_of(one), id_of(two), IPPROTO_TCP, 80);
	says("the answer is stopped by network ACL closed at b: "
	     "entry * of closed denies tcp/32768-60999 to 10.0.1.4");
	advises("aws ec2 create-network-acl-entry --network-acl-id closed --rule-number 100 "
		"--egress --protocol tcp --port-range From=1024,To=65535 --cidr-block 10.0.1.4/32 "
		"--rule-action allow");
	enter(own, 100, true, true, tcp(1024, 40000));
	trace(id_of(one), id_of(two), IPPROTO_TCP, 80);
	says("the answer is let pass in part by network ACL closed at b: "
	     "closed lets only ports 32768-40000 of tcp/32768-60999 out");
	enter(own, 101, true, true, tcp(40001, 65535));
	trace(id_of(one), id_of(two), IPPROTO_TCP, 80);
	says("reaches");
	close_acl(a, "outer");
	trace(id_of(one), id_of(two), IPPROTO_ICMP, 0);
	says("stopped by network ACL outer at a: "
	     "entry * of outer denies icmp echo request to 10.0.2.4");
	advises("aws ec2 create-network-acl-entry --network-acl-id outer --rule-number 100 "
		"--egress --protocol icmp --icmp-type-code Type=-1,Code=-1 --cidr-block "
		"10.0.2.4/32 --rule-action allow");
}

static void nobody(void **state)
{
	struct interface *loose = make_interface(b, 0);

	(void)state;
	call(loose->resource.id, "loose");
	ask(one, "10.0.1.99");
	says("stopped by the address at a: nobody in a has the address 10.0.1.99");
	ask(one, "10.0.2.99");
	says("stopped by the address at b: nobody in b has the address 10.0.2.99");
	ask(one, "10.0.9.9");
	says("stopped by the address at vpc: no subnet of vpc has the address 10.0.9.9");
	ask(one, rid_format(loose->resource.id).text);
	says("stopped by the address at loose: the interface is attached to no instance");
	ask(one, "10.0.2.1");
	says("stopped by the address at b: a subnet's router answers its own subnet only");
	ask(one, "224.0.0.1");
	says("stopped by the sender at eni-one: only what is sent to one address goes anywhere in "
	     "a VPC");
	two->state = INSTANCE_STOPPED;
	ask(one, id_of(two));
	says("stopped by the address at eni-two: two is stopped");
	advises("aws ec2 start-instances --instance-ids two");
	ask(two, id_of(one));
	says("stopped by the sender at two: two is stopped");
}

static void services(void **state)
{
	(void)state;
	close_acl(a, "closed");
	while (group_rules(&model, group->resource.id)->count)
		transaction_delete(&transaction, group_rules(&model, group->resource.id)->items[0]);
	trace(id_of(one), "169.254.169.254", IPPROTO_TCP, 80);
	says("reaches");
	trace(id_of(one), "10.0.0.2", IPPROTO_UDP, 53);
	says("reaches");
	trace(id_of(one), "169.254.169.123", IPPROTO_UDP, 123);
	says("reaches");
	trace(id_of(one), "10.0.1.1", IPPROTO_ICMP, 0);
	says("reaches");
	trace(id_of(one), "169.254.169.254", IPPROTO_ICMP, 0);
	says("stopped by the address at a: instance metadata is there, and does not answer icmp "
	     "echo request");
	vpc->dns_support = false;
	trace(id_of(one), "10.0.0.2", IPPROTO_UDP, 53);
	says("stopped by the address at a: Amazon's DNS is switched off in this VPC: "
	     "enableDnsSupport is false");
	trace(id_of(one), "10.0.1.4", IPPROTO_TCP, 1);
	says("reaches");
}

static void second_cards(void **state)
{
	struct interface *second = make_interface(b, 0);
	static struct rid_text id;

	(void)state;
	call(second->resource.id, "second");
	attachment_make(&transaction, one, second, 1, false);
	ask(one, id_of(two)); /* by the card that is there */
	says("reaches");
	assert_true(address_equal(path.packet.source, second->address));
	id = rid_format(card(one)->resource.id);
	trace(id.text, id_of(two), IPPROTO_TCP, 443);
	says("stopped by the source/destination check at second: 10.0.1.4 is not an address of "
	     "second, by which the instance's own routes lead, and its source/destination check is "
	     "on");
	interface_set_source_dest_check(&transaction, second, false);
	trace(id.text, id_of(two), IPPROTO_TCP, 443);
	says("reaches");
}

/* ---- to the Internet and from it ---- */

static void no_way_out(void **state)
{
	(void)state;
	ask(one, "internet");
	says("stopped by route table main at a: main has no route to 198.18.0.10");
	advises("aws ec2 create-route --route-table-id main --destination-cidr-block 0.0.0.0/0 "
		"--gateway-id igw, or --nat-gateway-id where it has no public address");
	lead(table, "0.0.0.0/0", gateway);
	ask(one, "internet");
	says("stopped by internet gateway igw: 10.0.1.4 has no public address to leave with");
	ask(one, "192.168.0.1");
	says("stopped by internet gateway igw: 192.168.0.1 is private: nobody on the Internet has "
	     "it");
	publish(one);
	ask(one, "internet");
	says("reaches");
	ask(one, "8.8.8.8");
	says("stopped by the Internet at internet: nobody on the Internet has the address "
	     "8.8.8.8");
	ask(one, "198.18.0.1");
	says("reaches");
}

static void a_blackhole(void **state)
{
	(void)state;
	lead(table, "0.0.0.0/0", gateway);
	assert_int_equal(gateway_detach(&transaction, gateway, vpc, &error), 0);
	ask(one, "internet");
	says("stopped by route table main at a: 0.0.0.0/0 to igw in main is a blackhole: it is not "
	     "attached to this VPC");
	advises("mend igw, or aws ec2 replace-route --route-table-id main "
		"--destination-cidr-block 0.0.0.0/0 with another target");
	assert_int_equal(gateway_delete(&transaction, gateway, &error), 0);
	ask(one, "internet");
	says("stopped by route table main at a: 0.0.0.0/0 to igw in main is a blackhole: it is "
	     "gone");
}

static void inwards(void **state)
{
	const char *outside;
	struct address_text text;

	(void)state;
	open_group();
	text = address_format(publish(one));
	outside = text.text;
	trace("internet", outside, IPPROTO_TCP, 443);
	says("the answer is stopped by route table main at a: main has no route to 198.18.0.10");
	lead(table, "0.0.0.0/0", gateway);
	trace("internet", outside, IPPROTO_TCP, 443);
	says("reaches");
	trace("internet", id_of(one), IPPROTO_TCP, 443);
	says("reaches");
	trace("internet", "198.18.9.9", IPPROTO_TCP, 443);
	says("stopped by the Internet at internet: nobody on the Internet has the address "
	     "198.18.9.9");
	trace("internet", id_of(two), IPPROTO_TCP, 443);
	says("stopped by the Internet at internet: nobody on the Internet has the address "
	     "10.0.2.4");
	one->state = INSTANCE_STOPPED;
	trace("internet", outside, IPPROTO_TCP, 443);
	says("stopped by the Internet at eni-one: 198.18.1.0 is silent: one does not run");
	advises("aws ec2 start-instances --instance-ids one");
	one->state = INSTANCE_RUNNING;
	publish(two);
	ask(one, id_of(two)); /* by the private address */
	assert_true(address_equal(path.packet.destination, card(two)->address));
}

static void a_hairpin(void **state)
{
	struct address_text outside;

	(void)state;
	lead(table, "0.0.0.0/0", gateway);
	publish(one);
	outside = address_format(publish(two));
	ask(one, outside.text); /* the group lets in its members by their private addresses */
	assert_int_equal(path.verdict, PATH_STOPPED);
	assert_int_equal(path.steps[path.decisive].kind, PATH_GROUP);
	open_group();
	ask(one, outside.text);
	says("reaches");
}

static void a_nat_gateway(void **state)
{
	static const char *const way[] = {
		"source-check passes: 10.0.2.4 is its own address",
		"security-group passes: rule sgr lets tcp/443 out",
		"network-acl passes: entry 100 of acl lets tcp/443 out",
		"route passes: 0.0.0.0/0 to nat in inner, the subnet's own table",
		"network-acl passes: entry 100 of acl lets tcp/443 in",
		"nat-gateway passes: 10.0.2.4 leaves as 10.0.1.5",
		"source-check passes: 10.0.1.5 is its own address",
		"network-acl passes: entry 100 of acl lets tcp/443 out",
		"route passes: 0.0.0.0/0 to igw in main, the VPC's main table",
		"internet-gateway passes: out: 10.0.1.5 leaves as 198.18.1.0",
		"internet passes: internet has it",
		"< internet-gateway passes: in: 198.18.1.0 is the public address of 10.0.1.5",
		"< network-acl passes: entry 100 of acl lets tcp/1024-65535 in",
		"< nat-gateway passes: the answer is for 10.0.2.4",
		"< source-check passes: 198.18.0.10 is not its own, but its check is off",
		"< network-acl passes: entry 100 of acl lets tcp/32768-60999 out",
		"< route passes: 10.0.0.0/16 local in main, the VPC's main table",
		"< network-acl passes: entry 100 of acl lets tcp/32768-60999 in",
		"< security-group passes: the answer to what it let pass",
		"< delivery passes: two has it",
		NULL,
	};
	struct route_table *inner = own_table(b, "inner");
	struct nat_gateway *nat;
	struct acl *own;

	(void)state;
	lead(table, "0.0.0.0/0", gateway);
	nat = make_nat(a);
	lead(inner, "0.0.0.0/0", nat);
	ask(two, "internet");
	says("reaches");
	goes(way);
	ask(one, "10.0.1.5");
	says("stopped by NAT gateway at eni-nat: nat leads out and not in");
	own = close_acl(a, "edge");
	enter(own, 10, false, true, tcp(443, 443));
	enter(own, 10, true, true, everything);
	ask(two, "internet");
	says("the answer is stopped by network ACL edge at a: entry * of edge denies "
	     "tcp/1024-65535 from 198.18.0.10");
	enter(own, 20, false, true, tcp(32768, 60999)); /* a client's ports, not a NAT gateway's */
	ask(two, "internet");
	says("the answer is let pass in part by network ACL edge at a: edge lets only ports "
	     "32768-60999 of tcp/1024-65535 in");
	nat_gateway_delete(&transaction, nat);
	ask(two, "internet");
	says("stopped by route table inner at b: 0.0.0.0/0 to nat in inner is a blackhole: it is "
	     "not available");
}

/* ---- beside the VPC's own routes ---- */

static struct instance *appliance_in(struct subnet *subnet)
{
	struct instance *box = launch(subnet, "box");

	name_card(box, "eni-box");
	return box;
}

static void an_appliance(void **state)
{
	struct subnet *middle = make_subnet_in(vpc, "10.0.3.0/24", "us-east-1a");
	struct instance *box = appliance_in(middle);
	struct route_table *outer = own_table(a, "outer"), *inner = own_table(b, "inner");

	(void)state;
	call(middle->resource.id, "middle");
	open_group();
	lead(outer, "10.0.2.0/24", card(box));
	ask(one, id_of(two));
	says("stopped by the source/destination check at eni-box: box takes nothing that is not "
	     "for itself: its source/destination check is on");
	advises("aws ec2 modify-network-interface-attribute --network-interface-id eni-box "
		"--no-source-dest-check");
	interface_set_source_dest_check(&transaction, card(box), false);
	ask(one, id_of(two));
	says("reaches, as far as rules say; it depends on the instance box at eni-box: "
	     "box forwards it, if its own kernel does");
	assert_true(path.assumes);
	lead(inner, "10.0.1.0/24", card(box));
	ask(one, id_of(two));
	assert_int_equal(path.verdict, PATH_UNKNOWN);
	box->state = INSTANCE_STOPPED;
	ask(one, id_of(two));
	says("stopped by route table outer at a: 10.0.2.0/24 to eni-box in outer is a blackhole: "
	     "no instance that runs has it");
}

/* What it lets in of an answer that it has seen no request of, it doesn't let out for that. */
static void an_answer_by_another_way(void **state)
{
	struct subnet *middle = make_subnet_in(vpc, "10.0.3.0/24", "us-east-1a");
	struct instance *box = appliance_in(middle);
	struct rid_item carried = { 0 };
	struct group *filter;

	(void)state;
	call(middle->resource.id, "middle");
	open_group();
	assert_int_equal(group_create(&transaction, vpc, "filter", "filter", &filter, &error), 0);
	call(filter->resource.id, "filter");
	while (group_rules(&model, filter->resource.id)->count)
		transaction_delete(&transaction,
				   group_rules(&model, filter->resource.id)->items[0]);
	group = filter;
	permit(false, tcp(1024, 65535), "0.0.0.0/0");
	carried.id = filter->resource.id;
	assert_int_equal(interface_set_groups(&transaction, card(box), &carried, 1, &error), 0);
	interface_set_source_dest_check(&transaction, card(box), false);
	lead(own_table(b, "inner"), "10.0.1.0/24", card(box));
	ask(one, id_of(two));
	says("the answer is stopped by security group filter at eni-box: no egress rule of filter "
	     "lets tcp/32768-60999 to 10.0.1.4 pass");
	permit(true, tcp(40000, 50000), "0.0.0.0/0");
	ask(one, id_of(two));
	says("the answer is let pass in part by security group filter at eni-box: rule sgr lets "
	     "only ports 40000-50000 of tcp/32768-60999 out");
}

static void a_nat_instance(void **state)
{
	struct instance *box = appliance_in(a);
	struct route_table *inner = own_table(b, "inner");

	(void)state;
	open_group();
	publish(box);
	interface_set_source_dest_check(&transaction, card(box), false);
	lead(table, "0.0.0.0/0", gateway);
	lead(inner, "0.0.0.0/0", card(box));
	ask(two, "internet");
	assert_int_equal(path.verdict, PATH_UNKNOWN);
	assert_int_equal(path.steps[path.step_count - 1].kind, PATH_DELIVERY);
	assert_true(path.steps[path.step_count - 1].answer);
}

static void a_loop(void **state)
{
	struct instance *box = appliance_in(a);

	(void)state;
	open_group();
	interface_set_source_dest_check(&transaction, card(box), false);
	lead(table, "0.0.0.0/0", card(box));
	ask(two, "internet");
	says("stopped by route table main at a: 0.0.0.0/0 to eni-box in main leads back to where "
	     "it "
	     "comes from: a loop");
}

static void peerings(void **state)
{
	struct vpc *second = make_vpc("10.1.0.0/16"), *third = make_vpc("10.2.0.0/16");
	struct subnet *far = make_subnet_in(second, "10.1.1.0/24", "us-east-1a");
	struct subnet *farther = make_subnet_in(third, "10.2.1.0/24", "us-east-1a");
	struct instance *there = launch(far, "there"), *beyond = launch(farther, "beyond");
	struct peering *first = NULL;

	(void)state;
	call(route_table_of(far)->resource.id, "far-main");
	call(far->resource.id, "far");
	call(second->resource.id, "second");
	ask(one, "10.1.1.4");
	advises("peer the VPCs (aws ec2 create-vpc-peering-connection), and route to the peer in "
		"both");
	first = join(vpc, second, "pcx");
	join(second, third, "pcx-2");
	name_card(there, "eni-there");
	name_card(beyond, "eni-beyond");
	group = group_named(scope, second->resource.id, "default");
	open_group();
	ask(one, id_of(there));
	says("stopped by route table main at a: main has no route to 10.1.1.4");
	advises("aws ec2 create-route --route-table-id main --destination-cidr-block 10.1.1.4/32 "
		"--vpc-peering-connection-id pcx");
	lead(table, "10.1.0.0/16", first);
	ask(one, id_of(there));
	says("the answer is stopped by route table far-main at far: far-main has no route to "
	     "10.0.1.4");
	lead(route_table_of(far), "10.0.0.0/16", first);
	ask(one, id_of(there));
	says("reaches");
	lead(table, "10.2.0.0/16", first);
	ask(one, "10.2.1.4");
	says("stopped by peering pcx: 10.2.1.4 is no address of second: a peering leads from one "
	     "VPC to the other and no further");
	assert_int_equal(peering_delete(&transaction, first, scope, &error), 0);
	ask(one, "10.1.1.4");
	says("stopped by route table main at a: 10.1.0.0/16 to pcx in main is a blackhole: it is "
	     "not active");
}

/* ---- what a user calls things ---- */

static void refuses(const char *from, const char *to, const char *expected)
{
	struct path_place source = { 0 }, destination = { 0 };
	struct path_packet packet;
	int r = path_find(&model, from, &source, &error);

	if (r == 0)
		r = path_find(&model, to, &destination, &error);
	if (r == 0)
		r = path_choose(&model, &source, &destination, IPPROTO_TCP, 1, &packet, &error);
	assert_true(r < 0);
	says_named(error.text, expected);
}

static void names_and_places(void **state)
{
	(void)state;
	refuses("nobody", "one",
		"There is no instance, network interface or Internet host 'nobody': minivpc ps and "
		"minivpc internet list tell what there is");
	refuses(id_of(one), "eni-0123456789abcdef0",
		"There is no instance, network interface or Internet host 'eni-0123456789abcdef0': "
		"minivpc ps and minivpc internet list tell what there is");
	refuses(rid_format(vpc->resource.id).text, "10.0.0.4",
		"'vpc' sends no packets: name an instance, a network interface or an Internet "
		"host");
	refuses("10.0.1.4", id_of(one),
		"'10.0.1.4' is an address: name the instance, network interface or Internet host "
		"that sends");
	refuses(id_of(one), "::1", "'::1': nothing but IPv4 leaves an instance");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(two_subnets, set_up, tear_down),
		cmocka_unit_test_setup_teardown(one_subnet, set_up, tear_down),
		cmocka_unit_test_setup_teardown(groups, set_up, tear_down),
		cmocka_unit_test_setup_teardown(network_acls, set_up, tear_down),
		cmocka_unit_test_setup_teardown(nobody, set_up, tear_down),
		cmocka_unit_test_setup_teardown(services, set_up, tear_down),
		cmocka_unit_test_setup_teardown(second_cards, set_up, tear_down),
		cmocka_unit_test_setup_teardown(no_way_out, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_blackhole, set_up, tear_down),
		cmocka_unit_test_setup_teardown(inwards, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_hairpin, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_nat_gateway, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_appliance, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_answer_by_another_way, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_nat_instance, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_loop, set_up, tear_down),
		cmocka_unit_test_setup_teardown(peerings, set_up, tear_down),
		cmocka_unit_test_setup_teardown(names_and_places, set_up, tear_down),
		cmocka_unit_test_setup_teardown(faults, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
