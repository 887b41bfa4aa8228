/* What the kernel offers: see probe.h. */
#include "netlink/probe.h"

#include "netlink/handle.h"
#include "netlink/nft.h"
#include "netlink/skeleton.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter_arp.h>
#include <linux/netfilter_ipv4.h>
#include <stdio.h>

/* The namespaces that all is tried in: a pair has its other end in the second. */
struct place {
	struct kernel *kernel;
	struct rid ns, other;
};

static struct object object_in(struct rid ns, enum object_kind kind)
{
	struct object object;

	memset(&object, 0, sizeof(object)); /* padding too: objects are compared whole */
	object.kind = kind;
	object.ns = ns;
	return object;
}

static int put(const struct place *place, const struct object *objects, size_t count,
	       struct error *error)
{
	CLEANUP(freep) struct change *changes = xcalloc(count, sizeof(*changes));

	for (size_t i = 0; i < count; i++)
		changes[i].after = objects[i];
	return kernel_transact(place->kernel, changes, count, error);
}

static int take_away(const struct place *place, const struct object *object, struct error *error)
{
	CLEANUP(freep) struct change *change = xcalloc(1, sizeof(*change));

	change->before = *object;
	return kernel_transact(place->kernel, change, 1, error);
}

/* ---- namespaces, devices, routes ---- */

static int try_namespace(const struct place *place, struct error *error)
{
	const struct object objects[] = { object_in(place->ns, OBJECT_NETNS),
					  object_in(place->other, OBJECT_NETNS) };

	return put(place, objects, ARRAY_SIZE(objects), error);
}

static int try_bridge(const struct place *place, struct error *error)
{
	struct object bridge = object_in(place->other, OBJECT_LINK);

	bridge.link.type = LINK_BRIDGE;
	snprintf(bridge.link.name, sizeof(bridge.link.name), "fabric");
	return put(place, &bridge, 1, error);
}

static int try_veth(const struct place *place, struct error *error)
{
	struct object pair = object_in(place->ns, OBJECT_LINK);

	pair.link.type = LINK_VETH;
	snprintf(pair.link.name, sizeof(pair.link.name), "fabric");
	snprintf(pair.link.peer_name, sizeof(pair.link.peer_name), "eth0");
	pair.link.peer_ns = place->other;
	return put(place, &pair, 1, error);
}

static int try_rule(const struct place *place, struct error *error)
{
	struct object rule = object_in(place->ns, OBJECT_RULE);

	rule.rule.mark = rule.rule.table = 1;
	return put(place, &rule, 1, error);
}

/* ---- nftables, word by word ---- */

/* clang-format off */
#define MARK { { NFT_TYPE_MARK, 4 } }
/* clang-format on */

static const struct set sets[] = {
	{ "intervals", SET_INTERVALS, MARK, {}, NULL, 0 },
	{ "counters", SET_COUNTERS, MARK, {}, NULL, 0 },
};

static const struct chain filter[] = {
	{ .name = "try", .base = true, .hook = NF_INET_FORWARD },
};
static const struct chain raw[] = {
	{ .name = "try", .base = true, .hook = NF_INET_PRE_ROUTING, .priority = NF_IP_PRI_RAW },
};
static const struct chain nat[] = {
	{ .name = "try",
	  .base = true,
	  .nat = true,
	  .hook = NF_INET_POST_ROUTING,
	  .priority = NF_IP_PRI_NAT_SRC },
};
static const struct chain arp[] = {
	{ .name = "try", .base = true, .hook = NF_ARP_IN },
};
static const struct chain ingress[] = {
	{ .name = "try", .base = true, .hook = NF_NETDEV_INGRESS },
};

static const struct field source = { NFT_PAYLOAD_NETWORK_HEADER, 12, 4, 10, true };

static const struct {
	uint8_t family;
	const char *device;
	const struct chain *chain;
	const struct set *set;
	struct rule rule;
} words[PROBE_MAX] = {
	[PROBE_NFTABLES] = { NFPROTO_INET, NULL, filter, NULL, { "try", { IPV4, ACCEPT } } },
	[PROBE_INTERVALS] = { NFPROTO_INET,
			      NULL,
			      filter,
			      &sets[0],
			      { "try", { META(NFT_META_MARK, 0), IN_SET("intervals", 0), DROP } } },
	[PROBE_CONNECTIONS] = { NFPROTO_INET,
				NULL,
				filter,
				NULL,
				{ "try",
				  { CT(NFT_CT_STATE, 0),
				    ANY_OF(NF_CT_STATE_BIT(IP_CT_ESTABLISHED), 0), ACCEPT } } },
	[PROBE_LABELS] = { NFPROTO_INET,
			   NULL,
			   filter,
			   NULL,
			   { "try", { SET(0, 0), SET(0, 1), SET(0, 2), SET(0, 3), LABEL(0) } } },
	[PROBE_NOTRACK] = { NFPROTO_INET, NULL, raw, NULL, { "try", { NOTRACK } } },
	[PROBE_COUNTERS] = { NFPROTO_INET,
			     NULL,
			     filter,
			     &sets[1],
			     { "try", { META(NFT_META_MARK, 0), COUNT("counters", 0) } } },
	[PROBE_ARP] = { NFPROTO_ARP,
			NULL,
			arp,
			NULL,
			{ "try", { META(NFT_META_IIFGROUP, 0), IS_WORD(0, 0), ACCEPT } } },
	[PROBE_INGRESS] = { NFPROTO_NETDEV,
			    "fabric",
			    ingress,
			    NULL,
			    { "try", { SET(0, 0), PUT(NFT_META_MARK, 0) } } },
	[PROBE_REWRITE] = { NFPROTO_IPV4,
			    NULL,
			    raw,
			    NULL,
			    { "try", { LOAD(source, 0), STORE(source, 0) } } },
	[PROBE_NAT] = { NFPROTO_IPV4,
			NULL,
			nat,
			NULL,
			{ "try", { SET(0, 0), SET(0, 1), SET(0, 2), SNAT(0) } } },
	[PROBE_MASQUERADE] = { NFPROTO_IPV4, NULL, nat, NULL, { "try", { MASQUERADE } } },
	[PROBE_RANDOM] = { NFPROTO_IPV4, NULL, filter, NULL, { "try", { RANDOM(8, 0), ACCEPT } } },
	[PROBE_REJECT] = { NFPROTO_IPV4,
			   NULL,
			   filter,
			   NULL,
			   { "try", { META(NFT_META_L4PROTO, 0), IS(IPPROTO_TCP, 0), RESET } } },
};

/* The first message that the kernel refuses says why; the table goes again. */
static int try_words(const struct place *place, enum probe probe, struct error *error)
{
	const struct skeleton_text text = {
		.mark = "minivpc probe",
		.family = words[probe].family,
		.device = words[probe].device,
		.chains = words[probe].chain,
		.chain_count = 1,
		.sets = words[probe].set,
		.set_count = words[probe].set != NULL,
		.rules = &words[probe].rule,
		.rule_count = 1,
	};
	CLEANUP(batch_clear) struct batch batch = { 0 };
	struct channels *channels = &place->kernel->channels;
	struct channel *channel;
	int r = channel_get(channels, place->ns, NETLINK_NETFILTER, &channel, error);

	if (r < 0)
		return r;
	batch_begin(&batch, channel);
	nft_put_text(&batch, 0, &text);
	if ((r = batch_send(&batch, channels, error)) < 0)
		return r;
	for (size_t i = 0; i < batch.count; i++)
		if (batch.entries[i].result < 0)
			return error_sys(error, batch.entries[i].result, "%s",
					 batch.entries[i].text ? batch.entries[i].text
							       : "nftables");
	batch_begin(&batch, channel);
	nft_delete_text(&batch, 0, &text);
	return batch_send(&batch, channels, error);
}

/* ---- together ---- */

static int try_rates(const struct place *place, struct error *error)
{
	struct object objects[] = { object_in(place->ns, OBJECT_SKELETON),
				    object_in(place->ns, OBJECT_ELEMENT) };
	int r;

	objects[0].skeleton.skeleton = SKELETON_SUBNET_FAULTS;
	objects[1].element.map = ELEMENT_RATE_TO;
	objects[1].element.key[0] = objects[1].element.value[2] = 1;
	r = put(place, objects, ARRAY_SIZE(objects), error);
	return r < 0 ? r : take_away(place, &objects[0], error);
}

static int try_delay(const struct place *place, struct error *error)
{
	struct object delay = object_in(place->ns, OBJECT_DELAY);

	snprintf(delay.delay.device, sizeof(delay.delay.device), "fabric");
	delay.delay.microseconds = 1000;
	return put(place, &delay, 1, error);
}

static int try_counts(const struct place *place, struct error *error)
{
	struct connection_counts counts;

	return kernel_connections(place->kernel, place->ns, &counts, error);
}

/* Each of a family in turn: they have one name. */
static int try_skeletons(const struct place *place, struct error *error)
{
	for (enum skeleton i = 0; i < SKELETON_MAX; i++) {
		struct object object = object_in(place->ns, OBJECT_SKELETON);
		int r;

		object.skeleton.skeleton = i;
		if ((r = put(place, &object, 1, error)) < 0 ||
		    (r = take_away(place, &object, error)) < 0)
			return r;
	}
	return 0;
}

void kernel_probe(struct kernel *kernel, struct probe_result ret_results[PROBE_MAX])
{
	static int (*const tries[PROBE_MAX])(const struct place *, struct error *) = {
		[PROBE_NAMESPACE] = try_namespace, [PROBE_BRIDGE] = try_bridge,
		[PROBE_VETH] = try_veth,	   [PROBE_RULE] = try_rule,
		[PROBE_RATES] = try_rates,	   [PROBE_COUNTS] = try_counts,
		[PROBE_DELAY] = try_delay,	   [PROBE_SKELETONS] = try_skeletons,
	};
	const struct place place = { kernel, rid_new(KIND_SUBNET), rid_new(KIND_VPC) };

	for (enum probe probe = 0; probe < PROBE_MAX; probe++) {
		struct probe_result *result = &ret_results[probe];

		*result = (struct probe_result){ 0, ERROR_INIT };
		result->result = tries[probe] ? tries[probe](&place, &result->error)
					      : try_words(&place, probe, &result->error);
	}
}
