/*
 * The edges of a VPC, programmed: internet gateways, NAT gateways, peerings, and what public
 * addresses are translated to. See want.h.
 */
#include "fabric/want.h"

#include "model/attachment.h"
#include "model/elastic_ip.h"
#include "model/internet.h"
#include "model/nat_gateway.h"
#include "model/peering.h"

static const struct address internet_hop = { AF_INET, { 169, 254, 0, 2 } };

/* ---- internet gateways ---- */

void want_gateway(const struct model *model, struct rid id, struct object_list *list)
{
	const struct gateway *gateway = gateway_get(model, id);
	const struct internet *internet = internet_get(model);
	struct object object;

	if (!gateway || !gateway->realized || !internet)
		return;
	want_netns(list, id, 0);
	want_router(list, id);
	want_address(list, id, "lo", cidr_host(gateway_hop)); /* the source of its ICMP */
	want_skeleton(list, id, SKELETON_INTERNET_GATEWAY);
	object = object_in(internet->resource.id, OBJECT_LINK);
	set_name(object.link.name, rid_device(id).text);
	object.link.type = LINK_VETH;
	object.link.mtu = MTU_INTERNET;
	object.link.mac = fabric_mac(internet->resource.id);
	set_name(object.link.peer_name, "internet");
	object.link.peer_ns = id;
	object.link.peer_mac = fabric_mac(id);
	object_list_add(list, &object);
	want_neighbour(list, object.ns, object.link.name, internet_hop, object.link.peer_mac);
	want_neighbour(list, id, "internet", internet_hop, object.link.mac);
	want_route(list, id, everywhere, internet_hop, "internet");
}

void want_gateway_port(const struct model *model, struct rid id, struct object_list *list)
{
	const struct gateway *gateway = gateway_get(model, id);
	const struct vpc *vpc = gateway ? vpc_get(model, gateway->vpc) : NULL;
	const size_t first = list->count;

	if (!vpc || !gateway->realized)
		return;
	want_fabric_port(list, gateway->vpc, id, "fabric");
	want_gateway_routes(model, gateway, list);
	limit_mtu(list, first);
}

/* ---- peerings ---- */

/* The VPC's blocks, as intervals. */
static void want_blocks(struct object_list *list, struct rid ns, const struct vpc *vpc,
			enum element_map map)
{
	for (size_t i = 0; i < vpc->cidr_count; i++) {
		const struct cidr cidr = vpc->cidrs[i].cidr;
		struct object object = object_in(ns, OBJECT_ELEMENT);

		object.element.map = map;
		element_put_address(object.element.key, cidr.address);
		element_put_address(object.element.end, address_add(cidr.address, cidr_size(cidr)));
		object_list_add(list, &object);
	}
}

static void want_side(struct object_list *list, struct rid id, const struct vpc *vpc,
		      const char *device)
{
	want_fabric_port(list, vpc->resource.id, id, device);
	want_subnets(list, id, vpc, device, NULL);
}

void want_peering(const struct model *model, struct rid id, struct object_list *list)
{
	const struct peering *peering = peering_get(model, id);
	const struct vpc *requester, *accepter;

	if (!peering || peering->state != PEERING_ACTIVE)
		return;
	requester = vpc_get(model, peering->requester.vpc);
	accepter = vpc_get(model, peering->accepter.vpc);
	want_netns(list, id, 0);
	want_router(list, id);
	want_skeleton(list, id, SKELETON_PEERING);
	want_blocks(list, id, requester, ELEMENT_REQUESTER);
	want_blocks(list, id, accepter, ELEMENT_ACCEPTER);
	want_blackhole(list, id, everywhere);
	want_side(list, id, requester, "requester");
	want_side(list, id, accepter, "accepter");
}

/* ---- NAT gateways ---- */

/* Every slot has one of the interface's addresses, each as many as any other, or one more. */
static void want_slots(struct object_list *list, struct rid ns, const struct interface *interface)
{
	for (uint32_t slot = 0; slot < NAT_SLOTS; slot++) {
		struct object object = object_in(ns, OBJECT_ELEMENT);
		size_t index = slot % (1 + interface->secondary_count);

		object.element.map = ELEMENT_NAT_SLOT;
		memcpy(object.element.key, &slot, sizeof(slot));
		element_put_address(object.element.value, interface_address_at(interface, index));
		object_list_add(list, &object);
	}
}

/*
 * What is idle for 350 seconds is forgotten (VPC guide, "NAT gateway basics", of TCP; of UDP and
 * ICMP it says nothing). Nothing that was not seen to begin is taken up, for it gets a reset; so no
 * packet is to be called invalid for its sequence numbers.
 */
static void want_nat_timers(struct object_list *list, struct rid ns)
{
	static const char *const idle[] = {
		"netfilter/nf_conntrack_tcp_timeout_established",
		"netfilter/nf_conntrack_tcp_timeout_max_retrans",
		"netfilter/nf_conntrack_tcp_timeout_unacknowledged",
		"netfilter/nf_conntrack_udp_timeout",
		"netfilter/nf_conntrack_udp_timeout_stream",
		"netfilter/nf_conntrack_icmp_timeout",
	};

	for (size_t i = 0; i < ARRAY_SIZE(idle); i++)
		want_sysctl(list, ns, idle[i], NAT_IDLE);
	want_sysctl(list, ns, "netfilter/nf_conntrack_tcp_loose", 0);
	want_sysctl(list, ns, "netfilter/nf_conntrack_tcp_be_liberal", 1);
}

void want_nat_gateway(const struct model *model, const struct nat_gateway *gateway,
		      struct object_list *list)
{
	const struct rid id = gateway->resource.id;
	const struct interface *interface = interface_get(model, gateway->interface);

	if (gateway->state != NAT_AVAILABLE)
		return;
	want_netns(list, id, 0);
	want_router(list, id);
	want_skeleton(list, id, SKELETON_NAT_GATEWAY);
	want_nat_timers(list, id);
	want_blocks(list, id, vpc_get(model, gateway->vpc), ELEMENT_INSIDE);
	want_slots(list, id, interface);
}

/* ---- public addresses ---- */

static void want_element(struct object_list *list, struct rid ns, enum element_map map,
			 struct address key, struct address value)
{
	struct object object = object_in(ns, OBJECT_ELEMENT);

	object.element.map = map;
	element_put_address(object.element.key, key);
	element_put_address(object.element.value, value);
	object_list_add(list, &object);
}

/* A public address, of whom it is, and by whose gateway it is reached. */
struct mapping {
	struct address outside, inside;
	struct rid gateway;
};

/* By an interface's id the address that came with it, else an Elastic IP; false: it is silent. */
static bool find_mapping(const struct model *model, struct rid id, struct mapping *ret_mapping)
{
	const struct elastic_ip *elastic_ip =
		id.kind == KIND_ELASTIC_IP ? elastic_ip_get(model, id) : NULL;
	const struct interface *interface =
		interface_get(model, elastic_ip ? elastic_ip->interface : id);
	const struct gateway *gateway;

	if (!interface || !attachment_is_live(model, interface) || !internet_get(model))
		return false;
	gateway = attached_gateway(vpc_get(model, interface->vpc));
	if (!gateway)
		return false;
	*ret_mapping = (struct mapping){
		.outside = elastic_ip ? elastic_ip->address : interface->public_address,
		.inside = elastic_ip ? elastic_ip->private_address : interface->address,
		.gateway = gateway->resource.id,
	};
	return address_is_set(ret_mapping->outside);
}

/*
 * Translations are apart from routes so that all of a transaction's follow each other: an address
 * that moves from one instance to another does so in one batch, and its route stays.
 */
void want_public(const struct model *model, struct rid id, struct object_list *list)
{
	struct mapping mapping;

	if (!find_mapping(model, id, &mapping))
		return;
	want_element(list, mapping.gateway, ELEMENT_PUBLIC, mapping.outside, mapping.inside);
	want_element(list, mapping.gateway, ELEMENT_PRIVATE, mapping.inside, mapping.outside);
}

void want_public_route(const struct model *model, struct rid id, struct object_list *list)
{
	struct mapping mapping;

	if (find_mapping(model, id, &mapping))
		want_route(list, internet_get(model)->resource.id, cidr_host(mapping.outside),
			   internet_hop, rid_device(mapping.gateway).text);
}
