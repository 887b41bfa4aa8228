/* Skeletons as the kernel tells them: see print.h. */
#include "netlink/print.h"

#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

#include "base/hash.h"
#include "netlink/netns.h"
#include "netlink/nft.h"
#include "netlink/route.h"
#include "netlink/skeleton.h"

enum part_kind {
	PART_CHAIN,
	PART_RULES, /* of the chain of that name, in their order */
	PART_SET,
};

struct part {
	enum part_kind kind;
	char name[32];
	size_t count; /* of rules or of constant elements */
	uint64_t hash;
};

/* A table. */
struct print {
	uint8_t family;
	struct part *parts; /* owned */
	size_t count;
};

struct prints {
	struct print of[SKELETON_MAX];
	bool known[SKELETON_MAX]; /* it was tried; without any part: in vain */
};

static void print_clear(struct print *print)
{
	free(print->parts);
	*print = (struct print){ .family = print->family };
}

struct prints *prints_free(struct prints *prints)
{
	for (size_t i = 0; prints && i < SKELETON_MAX; i++)
		print_clear(&prints->of[i]);
	free(prints);
	return NULL;
}

static const struct part *find_part(const struct print *print, enum part_kind kind,
				    const char *name)
{
	for (size_t i = 0; i < print->count; i++)
		if (print->parts[i].kind == kind && streq(print->parts[i].name, name))
			return &print->parts[i];
	return NULL;
}

static struct part *get_part(struct print *print, enum part_kind kind, const char *name)
{
	const struct part *known = find_part(print, kind, name);
	struct part *part;

	if (known)
		return &print->parts[known - print->parts];
	part = array_grow(&print->parts, &print->count);
	part->kind = kind;
	part->hash = HASH_START;
	snprintf(part->name, sizeof(part->name), "%s", name);
	return part;
}

/* ---- what the kernel tells ---- */

struct attributes {
	const struct nlattr *of[16];
};

static int keep_attribute(const struct nlattr *attribute, void *context)
{
	struct attributes *attributes = context;

	if (mnl_attr_get_type(attribute) < ARRAY_SIZE(attributes->of))
		attributes->of[mnl_attr_get_type(attribute)] = attribute;
	return MNL_CB_OK;
}

/* Those that are not there count too. */
static uint64_t hash_attributes(uint64_t hash, const struct attributes *attributes,
				const uint16_t *types, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct nlattr *attribute = attributes->of[types[i]];

		hash = hash_number(hash, attribute ? mnl_attr_get_payload_len(attribute) : 0);
		if (attribute)
			hash = hash_bytes(hash, mnl_attr_get_payload(attribute),
					  mnl_attr_get_payload_len(attribute));
	}
	return hash;
}

/* What is ours, in the table's family; the attributes' numbers are the same in all messages. */
static bool read_message(const struct nlmsghdr *message, const struct print *print,
			 struct attributes *ret)
{
	const struct nfgenmsg *header = mnl_nlmsg_get_payload(message);

	*ret = (struct attributes){ 0 };
	mnl_attr_parse(message, sizeof(*header), keep_attribute, ret);
	static_assert((int)NFTA_CHAIN_TABLE == (int)NFTA_RULE_TABLE &&
			      (int)NFTA_CHAIN_TABLE == (int)NFTA_SET_TABLE,
		      "one number");
	return header->nfgen_family == print->family && ret->of[NFTA_CHAIN_TABLE] &&
	       streq(mnl_attr_get_str(ret->of[NFTA_CHAIN_TABLE]), SKELETON_TABLE);
}

static int take_chain(void *context, const struct nlmsghdr *message,
		      struct error *error __attribute__((unused)))
{
	static const uint16_t types[] = { NFTA_CHAIN_HOOK, NFTA_CHAIN_POLICY, NFTA_CHAIN_TYPE };
	struct attributes attributes;
	struct part *part;

	if (!read_message(message, context, &attributes) || !attributes.of[NFTA_CHAIN_NAME])
		return 0;
	part = get_part(context, PART_CHAIN, mnl_attr_get_str(attributes.of[NFTA_CHAIN_NAME]));
	part->hash = hash_attributes(part->hash, &attributes, types, ARRAY_SIZE(types));
	return 0;
}

static int take_rule(void *context, const struct nlmsghdr *message,
		     struct error *error __attribute__((unused)))
{
	static const uint16_t types[] = { NFTA_RULE_EXPRESSIONS };
	struct attributes attributes;
	struct part *part;

	if (!read_message(message, context, &attributes) || !attributes.of[NFTA_RULE_CHAIN])
		return 0;
	part = get_part(context, PART_RULES, mnl_attr_get_str(attributes.of[NFTA_RULE_CHAIN]));
	part->hash = hash_attributes(part->hash, &attributes, types, ARRAY_SIZE(types));
	part->count++;
	return 0;
}

static int take_set(void *context, const struct nlmsghdr *message,
		    struct error *error __attribute__((unused)))
{
	static const uint16_t types[] = { NFTA_SET_FLAGS, NFTA_SET_KEY_TYPE, NFTA_SET_KEY_LEN,
					  NFTA_SET_DATA_TYPE, NFTA_SET_DATA_LEN };
	struct attributes attributes;
	struct part *part;

	if (!read_message(message, context, &attributes) || !attributes.of[NFTA_SET_NAME])
		return 0;
	part = get_part(context, PART_SET, mnl_attr_get_str(attributes.of[NFTA_SET_NAME]));
	part->hash = hash_attributes(part->hash, &attributes, types, ARRAY_SIZE(types));
	return 0;
}

/* In whatever order: the kernel's is that of a hash table. */
static int take_elements(void *context, const struct nlmsghdr *message,
			 struct error *error __attribute__((unused)))
{
	static const uint16_t types[] = { NFTA_SET_ELEM_KEY, NFTA_SET_ELEM_DATA,
					  NFTA_SET_ELEM_FLAGS };
	struct part *part = context;
	struct attributes list = { 0 };
	const struct nlattr *item;

	mnl_attr_parse(message, sizeof(struct nfgenmsg), keep_attribute, &list);
	if (!list.of[NFTA_SET_ELEM_LIST_ELEMENTS])
		return 0;
	mnl_attr_for_each_nested(item, list.of[NFTA_SET_ELEM_LIST_ELEMENTS])
	{
		struct attributes attributes = { 0 };

		mnl_attr_parse_nested(item, keep_attribute, &attributes);
		part->hash += hash_attributes(HASH_START, &attributes, types, ARRAY_SIZE(types));
		part->count++;
	}
	return 0;
}

static struct nlmsghdr *request_of(char *data, uint16_t type, uint8_t family, const char *set)
{
	struct nlmsghdr *request = mnl_nlmsg_put_header(data);
	struct nfgenmsg *header;

	request->nlmsg_type = (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type);
	header = mnl_nlmsg_put_extra_header(request, sizeof(*header));
	header->nfgen_family = family;
	header->version = NFNETLINK_V0;
	if (set) {
		mnl_attr_put_strz(request, NFTA_SET_ELEM_LIST_TABLE, SKELETON_TABLE);
		mnl_attr_put_strz(request, NFTA_SET_ELEM_LIST_SET, set);
	}
	return request;
}

static int take_constants(struct channels *channels, const struct channel *channel,
			  const struct skeleton_text *text, struct print *print,
			  struct error *error)
{
	char data[256] __attribute__((aligned(8)));

	for (size_t i = 0; i < text->set_count; i++) {
		const struct set *set = &text->sets[i];
		int r;

		if ((set->kind != SET_ADDRESSES && set->kind != SET_NEXT_BYTE) ||
		    !find_part(print, PART_SET, set->name))
			continue;
		r = channel_dump(channels, channel,
				 request_of(data, NFT_MSG_GETSETELEM, text->family, set->name),
				 take_elements, get_part(print, PART_SET, set->name), error);
		if (r < 0)
			return r;
	}
	return 0;
}

static int take_print(struct channels *channels, const struct channel *channel,
		      const struct skeleton_text *text, struct print *print, struct error *error)
{
	static const struct {
		uint16_t type;
		channel_dump_fn take;
	} dumps[] = { { NFT_MSG_GETCHAIN, take_chain },
		      { NFT_MSG_GETRULE, take_rule },
		      { NFT_MSG_GETSET, take_set } };
	char data[256] __attribute__((aligned(8)));
	int r = 0;

	*print = (struct print){ .family = text->family };
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(dumps); i++)
		r = channel_dump(channels, channel,
				 request_of(data, dumps[i].type, text->family, NULL), dumps[i].take,
				 print, error);
	return r < 0 ? r : take_constants(channels, channel, text, print, error);
}

/* ---- what it is to be ---- */

static int send_batch(struct batch *batch, struct channels *channels, struct error *error)
{
	int r = batch_send(batch, channels, error);

	for (size_t i = 0; r == 0 && i < batch->count; i++)
		r = batch->entries[i].result;
	return r;
}

/* A skeleton may be on a device. */
static int put_device(struct channels *channels, int fd, const char *name, struct error *error)
{
	CLEANUP(batch_clear) struct batch batch = { 0 };
	CLEANUP(closep) int socket = netns_socket(channels->home, fd, NETLINK_ROUTE);
	struct channel channel = { .protocol = NETLINK_ROUTE, .ns_fd = fd, .fd = socket };
	struct link_object link = { .type = LINK_BRIDGE };
	struct nlmsghdr *message;

	if (socket < 0)
		return socket;
	snprintf(link.name, sizeof(link.name), "%s", name);
	batch_begin(&batch, &channel);
	message = batch_message(&batch);
	route_new_bridge(message, &link);
	batch_add(&batch, message, 0, ROLE_PUT);
	return send_batch(&batch, channels, error);
}

static int lay_down(struct channels *channels, int fd, const struct skeleton_text *text,
		    struct print *print, struct error *error)
{
	CLEANUP(batch_clear) struct batch batch = { 0 };
	CLEANUP(closep) int socket = netns_socket(channels->home, fd, NETLINK_NETFILTER);
	struct channel channel = { .protocol = NETLINK_NETFILTER, .ns_fd = fd, .fd = socket };
	int r = socket < 0 ? socket : 0;

	if (r == 0 && text->device)
		r = put_device(channels, fd, text->device, error);
	if (r < 0)
		return r;
	channel_set_options(socket, NETLINK_NETFILTER);
	batch_begin(&batch, &channel);
	nft_put_text(&batch, 0, text);
	r = send_batch(&batch, channels, error);
	return r < 0 ? r : take_print(channels, &channel, text, print, error);
}

/* In a namespace that goes when this returns. */
static void learn(struct prints *prints, struct channels *channels, enum skeleton skeleton)
{
	struct print *print = &prints->of[skeleton];
	struct error ignored = ERROR_INIT;
	CLEANUP(closep) int fd = -1;

	prints->known[skeleton] = true;
	if (unshare(CLONE_NEWNET) < 0)
		return;
	fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	netns_leave(channels->home);
	if (fd < 0 || lay_down(channels, fd, skeleton_texts[skeleton], print, &ignored) < 0)
		print_clear(print);
}

/* ---- what is wrong ---- */

static const char *const words[] = {
	[PART_CHAIN] = "chain",
	[PART_RULES] = "the rules of chain",
	[PART_SET] = "set",
};

/* The first thing; "" for none. */
static void compare(const struct print *wanted, const struct print *found, char *text, size_t size)
{
	*text = '\0';
	for (size_t i = 0; i < wanted->count; i++) {
		const struct part *part = &wanted->parts[i];
		const struct part *other = find_part(found, part->kind, part->name);

		if (other && other->hash == part->hash && other->count == part->count)
			continue;
		if (part->kind == PART_RULES && (other ? other->count : 0) != part->count)
			snprintf(text, size, "%zu of %zu rules in chain %s",
				 other ? other->count : 0, part->count, part->name);
		else
			snprintf(text, size, "%s %s: %s", words[part->kind], part->name,
				 other ? "changed" : "missing");
		return;
	}
	for (size_t i = 0; i < found->count; i++)
		if (!find_part(wanted, found->parts[i].kind, found->parts[i].name)) {
			snprintf(text, size, "%s %s: not ours", words[found->parts[i].kind],
				 found->parts[i].name);
			return;
		}
}

int prints_judge(struct prints **prints, struct channels *channels, struct rid ns,
		 struct object_list *objects, struct error *error)
{
	for (size_t i = 0; i < objects->count; i++) {
		struct skeleton_object *object = &objects->items[i].skeleton;
		struct print found;
		struct channel *channel;
		int r;

		if (objects->items[i].kind != OBJECT_SKELETON || *object->damage)
			continue;
		if (!*prints)
			*prints = xcalloc(1, sizeof(**prints));
		if (!(*prints)->known[object->skeleton])
			learn(*prints, channels, object->skeleton);
		if (!(*prints)->of[object->skeleton].count)
			continue;
		r = channel_get(channels, ns, NETLINK_NETFILTER, &channel, error);
		if (r < 0)
			return r;
		r = take_print(channels, channel, skeleton_texts[object->skeleton], &found, error);
		if (r == 0)
			compare(&(*prints)->of[object->skeleton], &found, object->damage,
				sizeof(object->damage));
		print_clear(&found);
		if (r < 0)
			return r;
	}
	return 0;
}
