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

static void table_freep(struct nftnl_table **table)
{
	nftnl_table_free(*table);
}

static void set_freep(struct nftnl_set **set)
{
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
	bool skeletons[SKELETON_MAX];
	enum element_map map; /* being dumped */
	struct nftnl_set *set;
};

static int read_mark(const struct nftnl_udata *attribute, void *context)
{
	const char **mark = context;

	if (nftnl_udata_type(attribute) == NFTNL_UDATA_TABLE_COMMENT && nftnl_udata_len(attribute))
		*mark = nftnl_udata_get(attribute);
	return 0;
}

static int take_table(void *context, const struct nlmsghdr *message, struct error *error)
{
	CLEANUP(table_freep) struct nftnl_table *table = need(nftnl_table_alloc());
	struct dump *dump = context;
	const char *mark = NULL;
	const void *data;
	uint32_t length;

	if (nftnl_table_nlmsg_parse(message, table) < 0)
		return error_sys(error, EBADMSG, "dump of tables");
	data = nftnl_table_get_data(table, NFTNL_TABLE_USERDATA, &length);
	if (!data || !streq(nftnl_table_get_str(table, NFTNL_TABLE_NAME), SKELETON_TABLE) ||
	    nftnl_udata_parse(data, length, read_mark, &mark) < 0 || !mark)
		return 0;
	for (size_t i = 0; i < SKELETON_MAX; i++) {
		size_t size = strlen(skeleton_texts[i]->mark) + 1;

		if (nftnl_table_get_u32(table, NFTNL_TABLE_FAMILY) == skeleton_texts[i]->family &&
		    length >= size && strncmp(mark, skeleton_texts[i]->mark, size) == 0)
			dump->skeletons[i] = true;
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

static int add_element(struct nftnl_set_elem *element, void *context)
{
	struct dump *dump = context;
	const struct set *set = skeleton_set(dump->map);
	const size_t key = set_length(set->key);
	struct object object;

	memset(&object, 0, sizeof(object)); /* padding too: objects are compared whole */
	object.kind = OBJECT_ELEMENT;
	object.ns = dump->ns;
	object.element.map = dump->map;
	if (read_bytes(element, NFTNL_SET_ELEM_KEY, key, object.element.key) &&
	    read_bytes(element, NFTNL_SET_ELEM_KEY_END, set->kind == SET_INTERVALS ? key : 0,
		       object.element.end) &&
	    read_bytes(element, NFTNL_SET_ELEM_DATA, set_length(set->value), object.element.value))
		object_list_add(dump->objects, &object);
	return 0;
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
		nftnl_set_elem_foreach(set, add_element, dump);
	return r;
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
		if (r >= 0 && dump.skeletons[i])
			object_list_add(objects, &object);
	}
	return r < 0 ? r : 0;
}
