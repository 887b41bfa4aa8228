/* nftables: what is there. See nft.h. */
#include "netlink/nft.h"

#include "netlink/skeleton.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <libnftnl/expr.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <libnftnl/udata.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdio.h>

static void table_freep(struct nftnl_table **table)
{
	nftnl_table_free(*table);
}

static void set_freep(struct nftnl_set **set)
{
	if (*set)
		nftnl_set_free(*set);
}

static void *need(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

struct dump {
	struct rid ns;
	struct object_list *objects;
	bool skeletons[SKELETON_MAX], outdated[SKELETON_MAX];
	enum element_map map; /* being dumped */
	struct nftnl_set *set;
};

static int read_mark(const struct nftnl_udata *attribute, void *context)
{
	char **mark = context;

	if (nftnl_udata_type(attribute) == NFTNL_UDATA_TABLE_COMMENT && !*mark)
		*mark = xasprintf("%.*s", nftnl_udata_len(attribute),
				  (const char *)nftnl_udata_get(attribute));
	return 0;
}

static void add_foreign(const struct dump *dump, struct nftnl_table *table)
{
	static const char *const families[] = {
		[NFPROTO_INET] = "inet",     [NFPROTO_IPV4] = "ip",	  [NFPROTO_ARP] = "arp",
		[NFPROTO_NETDEV] = "netdev", [NFPROTO_BRIDGE] = "bridge", [NFPROTO_IPV6] = "ip6",
	};
	const uint32_t family = nftnl_table_get_u32(table, NFTNL_TABLE_FAMILY);
	struct object object;

	memset(&object, 0, sizeof(object)); /* padding too: objects are compared whole */
	object.kind = OBJECT_FOREIGN;
	object.ns = dump->ns;
	snprintf(object.foreign.what, sizeof(object.foreign.what), "nftables table %s %s",
		 family < ARRAY_SIZE(families) && families[family] ? families[family] : "?",
		 nftnl_table_get_str(table, NFTNL_TABLE_NAME));
	object_list_add(dump->objects, &object);
}

/* "minivpc subnet 6": but for the version, as the other one? */
static bool same_stem(const char *mark, const char *other)
{
	const char *end = strrchr(mark, ' '), *other_end = strrchr(other, ' ');

	return end && other_end && end - mark == other_end - other &&
	       strncmp(mark, other, (size_t)(end - mark)) == 0;
}

static int take_table(void *context, const struct nlmsghdr *message, struct error *error)
{
	CLEANUP(table_freep) struct nftnl_table *table = need(nftnl_table_alloc());
	CLEANUP(freep) char *mark = NULL;
	struct dump *dump = context;
	const void *data;
	uint32_t length;

	if (nftnl_table_nlmsg_parse(message, table) < 0)
		return error_sys(error, EBADMSG, "dump of tables");
	data = nftnl_table_get_data(table, NFTNL_TABLE_USERDATA, &length);
	if (!data || !streq(nftnl_table_get_str(table, NFTNL_TABLE_NAME), SKELETON_TABLE) ||
	    nftnl_udata_parse(data, length, read_mark, &mark) < 0 || !mark) {
		add_foreign(dump, table);
		return 0;
	}
	for (size_t i = 0; i < SKELETON_MAX; i++) {
		if (nftnl_table_get_u32(table, NFTNL_TABLE_FAMILY) != skeleton_texts[i]->family)
			continue;
		if (streq(mark, skeleton_texts[i]->mark))
			dump->skeletons[i] = true;
		else if (same_stem(mark, skeleton_texts[i]->mark))
			dump->outdated[i] = true;
	}
	return 0;
}

static int take_elements(void *context, const struct nlmsghdr *message, struct error *error)
{
	struct dump *dump = context;

	if (nftnl_set_elems_nlmsg_parse(message, dump->set) < 0)
		return error_sys(error, EBADMSG, "dump of a map's elements");
	return 0;
}

static bool read_bytes(struct nftnl_set_elem *element, uint16_t attribute, size_t length,
		       uint8_t *ret_bytes)
{
	uint32_t found = 0;
	const void *data = nftnl_set_elem_get(element, attribute, &found);

	if (length && (!data || found != length))
		return false;
	memcpy(ret_bytes, data ? data : "", length);
	return true;
}

/* The elements of a map in order of key: of an interval the begin, then the end. */
struct found {
	struct element_object element;
	bool is_end;
};

struct found_list {
	const struct set *set;
	struct found *items;
	size_t count;
};

/* How fast its packets may come: see SET_RATES. */
static bool read_rate(struct nftnl_set_elem *element, uint8_t *ret_bytes)
{
	const struct nftnl_expr *limit = NULL;
	uint64_t rate;
	uint32_t burst;

	if (nftnl_set_elem_is_set(element, NFTNL_SET_ELEM_EXPR))
		limit = nftnl_set_elem_get(element, NFTNL_SET_ELEM_EXPR, &(uint32_t){ 0 });
	if (!limit)
		return false;
	rate = nftnl_expr_get_u64(limit, NFTNL_EXPR_LIMIT_RATE);
	burst = nftnl_expr_get_u32(limit, NFTNL_EXPR_LIMIT_BURST);
	memcpy(ret_bytes, &rate, sizeof(rate));
	memcpy(ret_bytes + sizeof(rate), &burst, sizeof(burst));
	return true;
}

static bool read_value(struct nftnl_set_elem *element, const struct set *set, uint8_t *ret_bytes)
{
	if (set->kind == SET_RATES)
		return read_rate(element, ret_bytes);
	return read_bytes(element, NFTNL_SET_ELEM_DATA, set_length(set->value), ret_bytes);
}

static int find_element(struct nftnl_set_elem *element, void *context)
{
	struct found_list *list = context;
	struct found found;

	memset(&found, 0, sizeof(found));
	if (nftnl_set_elem_is_set(element, NFTNL_SET_ELEM_FLAGS))
		found.is_end = nftnl_set_elem_get_u32(element, NFTNL_SET_ELEM_FLAGS) &
			       NFT_SET_ELEM_INTERVAL_END;
	if (read_bytes(element, NFTNL_SET_ELEM_KEY, set_length(list->set->key),
		       found.element.key) &&
	    (found.is_end || read_value(element, list->set, found.element.value)))
		*array_grow(&list->items, &list->count) = found;
	return 0;
}

static int compare_found(const void *a, const void *b)
{
	const struct found *left = a, *right = b;
	int order = memcmp(left->element.key, right->element.key, sizeof(left->element.key));

	return order ? order : (int)right->is_end - (int)left->is_end;
}

static void add_elements(struct dump *dump, struct nftnl_set *from)
{
	struct found_list list = { .set = skeleton_set(dump->map) };

	nftnl_set_elem_foreach(from, find_element, &list);
	if (list.count)
		qsort(list.items, list.count, sizeof(*list.items), compare_found);
	for (size_t i = 0; i < list.count; i++) {
		const struct found *found = &list.items[i];
		struct object object;

		if (found->is_end)
			continue;
		memset(&object, 0, sizeof(object)); /* padding too: objects are compared whole */
		object.kind = OBJECT_ELEMENT;
		object.ns = dump->ns;
		object.element = found->element;
		object.element.map = dump->map;
		if (i + 1 < list.count && found[1].is_end)
			memcpy(object.element.end, found[1].element.key, ELEMENT_KEY_MAX);
		object_list_add(dump->objects, &object);
	}
	free(list.items);
}

/* Reads the elements of a set of our table into `dump->set`, which the caller frees. */
static int dump_set(struct channels *channels, const struct channel *channel, uint8_t family,
		    const char *name, struct dump *dump, struct error *error)
{
	char data[1024] __attribute__((aligned(8)));
	struct nlmsghdr *request;

	dump->set = need(nftnl_set_alloc());
	nftnl_set_set_str(dump->set, NFTNL_SET_TABLE, SKELETON_TABLE);
	nftnl_set_set_str(dump->set, NFTNL_SET_NAME, name);
	request = nftnl_nlmsg_build_hdr(data, NFT_MSG_GETSETELEM, family, 0, 0);
	nftnl_set_elems_nlmsg_build_payload(request, dump->set);
	return channel_dump(channels, channel, request, take_elements, dump, error);
}

static int dump_map(struct channels *channels, const struct channel *channel, struct dump *dump,
		    enum element_map map, struct error *error)
{
	CLEANUP(set_freep) struct nftnl_set *set = NULL;
	int r;

	dump->map = map;
	r = dump_set(channels, channel, skeleton_texts[skeleton_of(map)]->family,
		     skeleton_set(map)->name, dump, error);
	set = dump->set;
	if (r == 0)
		add_elements(dump, set);
	return r == -ENOENT ? 0 : r; /* somebody took the map away: print.c tells */
}

static int add_counter(struct nftnl_set_elem *element, void *context)
{
	struct drop_list *list = context;
	uint32_t length = 0;
	const uint32_t *key = nftnl_set_elem_get(element, NFTNL_SET_ELEM_KEY, &length);
	const struct nftnl_expr *counter = NULL;

	if (nftnl_set_elem_is_set(element, NFTNL_SET_ELEM_EXPR))
		counter = nftnl_set_elem_get(element, NFTNL_SET_ELEM_EXPR, &(uint32_t){ 0 });
	if (counter && key && length == 3 * sizeof(*key))
		*array_grow(&list->items, &list->count) = (struct drop_counter){
			.port = key[0],
			.kind = key[1],
			.rule = key[2],
			.packets = nftnl_expr_get_u64(counter, NFTNL_EXPR_CTR_PACKETS),
			.bytes = nftnl_expr_get_u64(counter, NFTNL_EXPR_CTR_BYTES),
		};
	return 0;
}

int nft_drops(struct channels *channels, struct rid ns, struct drop_list *list, struct error *error)
{
	CLEANUP(set_freep) struct nftnl_set *set = NULL;
	struct dump dump = { .ns = ns };
	struct channel *channel;
	int r;

	r = channel_get(channels, ns, NETLINK_NETFILTER, &channel, error);
	if (r < 0)
		return r;
	r = dump_set(channels, channel, skeleton_subnet.family, SKELETON_DROPS, &dump, error);
	set = dump.set;
	if (r == 0)
		nftnl_set_elem_foreach(set, add_counter, list);
	return r;
}

int nft_dump(struct channels *channels, struct rid ns, struct object_list *objects,
	     struct error *error)
{
	struct dump dump = { .ns = ns, .objects = objects };
	char data[256] __attribute__((aligned(8)));
	struct channel *channel;
	struct nlmsghdr *request;
	int r;

	r = channel_get(channels, ns, NETLINK_NETFILTER, &channel, error);
	if (r < 0)
		return r;
	request = nftnl_nlmsg_build_hdr(data, NFT_MSG_GETTABLE, NFPROTO_UNSPEC, 0, 0);
	r = channel_dump(channels, channel, request, take_table, &dump, error);
	for (enum element_map map = 0; r >= 0 && map < ELEMENT_MAP_MAX; map++)
		if (dump.skeletons[skeleton_of(map)])
			r = dump_map(channels, channel, &dump, map, error);
	for (enum skeleton i = 0; i < SKELETON_MAX; i++) {
		struct object object;

		memset(&object, 0, sizeof(object));
		object.kind = OBJECT_SKELETON;
		object.ns = ns;
		object.skeleton.skeleton = i;
		if (dump.outdated[i])
			strcpy(object.skeleton.damage, "another minivpc's");
		if (r >= 0 && (dump.skeletons[i] || dump.outdated[i]))
			object_list_add(objects, &object);
	}
	return r < 0 ? r : 0;
}
