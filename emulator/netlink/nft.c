/* nftables: messages. See nft.h. */
#include "netlink/nft.h"

#include "netlink/skeleton.h"

#include <arpa/inet.h>
#include <libnftnl/chain.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <libnftnl/udata.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <net/if.h>

/* Numbers by which `nft list` knows how to print: its own, not the kernel's. */
#define NFT_TYPE_INTEGER      4
#define NFT_TYPE_IPV4_ADDRESS 7
#define NFT_BYTEORDER_BIG     2

static void table_freep(struct nftnl_table **table)
{
	nftnl_table_free(*table);
}

static void chain_freep(struct nftnl_chain **chain)
{
	nftnl_chain_free(*chain);
}

static void rule_freep(struct nftnl_rule **rule)
{
	nftnl_rule_free(*rule);
}

static void set_freep(struct nftnl_set **set)
{
	nftnl_set_free(*set);
}

static void udata_freep(struct nftnl_udata_buf **data)
{
	nftnl_udata_buf_free(*data);
}

/* libnftnl reports only one thing: that there was no memory. */
static void *need(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

static struct nlmsghdr *start(struct batch *batch, uint16_t type, uint8_t family, uint16_t flags)
{
	struct nlmsghdr *message = batch_message(batch);

	return nftnl_nlmsg_build_hdr((char *)message, type, family, flags, 0);
}

static void put_table(struct batch *batch, size_t step, const struct skeleton_text *text)
{
	CLEANUP(udata_freep) struct nftnl_udata_buf *data = need(nftnl_udata_buf_alloc(256));
	CLEANUP(table_freep) struct nftnl_table *table = need(nftnl_table_alloc());
	struct nlmsghdr *message;

	nftnl_udata_put_strz(data, NFTNL_UDATA_TABLE_COMMENT, text->mark);
	nftnl_table_set_str(table, NFTNL_TABLE_NAME, SKELETON_TABLE);
	nftnl_table_set_data(table, NFTNL_TABLE_USERDATA, nftnl_udata_buf_data(data),
			     nftnl_udata_buf_len(data));
	message = start(batch, NFT_MSG_NEWTABLE, text->family, NLM_F_CREATE | NLM_F_EXCL);
	nftnl_table_nlmsg_build_payload(message, table);
	batch_add(batch, message, step, ROLE_PUT);
}

static void put_chain(struct batch *batch, size_t step, uint8_t family, const struct chain *from)
{
	CLEANUP(chain_freep) struct nftnl_chain *chain = need(nftnl_chain_alloc());
	struct nlmsghdr *message;

	nftnl_chain_set_str(chain, NFTNL_CHAIN_TABLE, SKELETON_TABLE);
	nftnl_chain_set_str(chain, NFTNL_CHAIN_NAME, from->name);
	if (from->base) {
		nftnl_chain_set_str(chain, NFTNL_CHAIN_TYPE, "filter");
		nftnl_chain_set_u32(chain, NFTNL_CHAIN_HOOKNUM, from->hook);
		nftnl_chain_set_s32(chain, NFTNL_CHAIN_PRIO, from->priority);
		nftnl_chain_set_u32(chain, NFTNL_CHAIN_POLICY, from->drop ? NF_DROP : NF_ACCEPT);
	}
	message = start(batch, NFT_MSG_NEWCHAIN, family, NLM_F_CREATE | NLM_F_EXCL);
	nftnl_chain_nlmsg_build_payload(message, chain);
	batch_add(batch, message, step, ROLE_PART);
}

static void put_set_header(struct batch *batch, size_t step, uint8_t family, const struct set *from,
			   uint32_t id)
{
	CLEANUP(udata_freep) struct nftnl_udata_buf *data = need(nftnl_udata_buf_alloc(64));
	CLEANUP(set_freep) struct nftnl_set *set = need(nftnl_set_alloc());
	const bool bytes = from->kind == SET_NEXT_BYTE, map = from->kind != SET_ADDRESSES;
	const uint32_t type = bytes ? NFT_TYPE_INTEGER : NFT_TYPE_IPV4_ADDRESS;
	const uint32_t length = bytes ? 1 : sizeof(struct in_addr);
	struct nlmsghdr *message;

	nftnl_udata_put_u32(data, NFTNL_UDATA_SET_KEYBYTEORDER, NFT_BYTEORDER_BIG);
	nftnl_set_set_str(set, NFTNL_SET_TABLE, SKELETON_TABLE);
	nftnl_set_set_str(set, NFTNL_SET_NAME, from->name);
	nftnl_set_set_u32(set, NFTNL_SET_FLAGS, map ? NFT_SET_MAP : NFT_SET_INTERVAL);
	nftnl_set_set_u32(set, NFTNL_SET_KEY_TYPE, type);
	nftnl_set_set_u32(set, NFTNL_SET_KEY_LEN, length);
	if (map) {
		nftnl_udata_put_u32(data, NFTNL_UDATA_SET_DATABYTEORDER, NFT_BYTEORDER_BIG);
		nftnl_set_set_u32(set, NFTNL_SET_DATA_TYPE, type);
		nftnl_set_set_u32(set, NFTNL_SET_DATA_LEN, length);
	}
	nftnl_set_set_u32(set, NFTNL_SET_ID, id);
	nftnl_set_set_data(set, NFTNL_SET_USERDATA, nftnl_udata_buf_data(data),
			   nftnl_udata_buf_len(data));
	message = start(batch, NFT_MSG_NEWSET, family, NLM_F_CREATE | NLM_F_EXCL);
	nftnl_set_nlmsg_build_payload(message, set);
	batch_add(batch, message, step, ROLE_PART);
}

static void add_bound(struct nftnl_set *set, uint32_t host_order, uint32_t flags)
{
	struct nftnl_set_elem *element = need(nftnl_set_elem_alloc());
	uint32_t key = htonl(host_order);

	nftnl_set_elem_set(element, NFTNL_SET_ELEM_KEY, &key, sizeof(key));
	if (flags)
		nftnl_set_elem_set_u32(element, NFTNL_SET_ELEM_FLAGS, flags);
	nftnl_set_elem_add(set, element);
}

static void add_next_byte(struct nftnl_set *set, uint8_t key)
{
	struct nftnl_set_elem *element = need(nftnl_set_elem_alloc());
	const uint8_t next = key + 1;

	nftnl_set_elem_set(element, NFTNL_SET_ELEM_KEY, &key, sizeof(key));
	nftnl_set_elem_set(element, NFTNL_SET_ELEM_DATA, &next, sizeof(next));
	nftnl_set_elem_add(set, element);
}

static void put_constants(struct batch *batch, size_t step, uint8_t family, const struct set *from)
{
	CLEANUP(set_freep) struct nftnl_set *set = need(nftnl_set_alloc());
	struct nlmsghdr *message;

	nftnl_set_set_str(set, NFTNL_SET_TABLE, SKELETON_TABLE);
	nftnl_set_set_str(set, NFTNL_SET_NAME, from->name);
	for (size_t i = 0; i < from->interval_count; i++) {
		add_bound(set, from->intervals[i].first, 0);
		add_bound(set, from->intervals[i].end, NFT_SET_ELEM_INTERVAL_END);
	}
	for (uint8_t n = 1; from->kind == SET_NEXT_BYTE && n < 255; n++)
		add_next_byte(set, n);
	message = start(batch, NFT_MSG_NEWSETELEM, family, NLM_F_CREATE | NLM_F_EXCL);
	nftnl_set_elems_nlmsg_build_payload(message, set);
	batch_add(batch, message, step, ROLE_PART);
}

static struct nftnl_expr *add_expression(struct nftnl_rule *rule, const char *kind)
{
	struct nftnl_expr *expression = need(nftnl_expr_alloc(kind));

	nftnl_rule_add_expr(rule, expression);
	return expression;
}

static void add_device(struct nftnl_rule *rule, const char *device, uint32_t key)
{
	struct nftnl_expr *expression = add_expression(rule, "meta");
	char name[IFNAMSIZ] = "";

	memcpy(name, device, MIN(strlen(device), sizeof(name) - 1));
	nftnl_expr_set_u32(expression, NFTNL_EXPR_META_KEY, key);
	nftnl_expr_set_u32(expression, NFTNL_EXPR_META_DREG, NFT_REG_1);
	expression = add_expression(rule, "cmp");
	nftnl_expr_set_u32(expression, NFTNL_EXPR_CMP_SREG, NFT_REG_1);
	nftnl_expr_set_u32(expression, NFTNL_EXPR_CMP_OP, NFT_CMP_EQ);
	nftnl_expr_set(expression, NFTNL_EXPR_CMP_DATA, name, sizeof(name));
}

static void add_field(struct nftnl_rule *rule, const struct field *field, bool store)
{
	struct nftnl_expr *expression = add_expression(rule, "payload");

	nftnl_expr_set_u32(expression, NFTNL_EXPR_PAYLOAD_BASE, field->base);
	nftnl_expr_set_u32(expression, NFTNL_EXPR_PAYLOAD_OFFSET, field->offset);
	nftnl_expr_set_u32(expression, NFTNL_EXPR_PAYLOAD_LEN, field->length);
	if (!store) {
		nftnl_expr_set_u32(expression, NFTNL_EXPR_PAYLOAD_DREG, NFT_REG_1);
		return;
	}
	nftnl_expr_set_u32(expression, NFTNL_EXPR_PAYLOAD_SREG, NFT_REG_1);
	nftnl_expr_set_u32(expression, NFTNL_EXPR_PAYLOAD_CSUM_TYPE, NFT_PAYLOAD_CSUM_INET);
	nftnl_expr_set_u32(expression, NFTNL_EXPR_PAYLOAD_CSUM_OFFSET, field->checksum);
	if (field->pseudo_header)
		nftnl_expr_set_u32(expression, NFTNL_EXPR_PAYLOAD_FLAGS,
				   NFT_PAYLOAD_L4CSUM_PSEUDOHDR);
}

static void add_lookup(struct nftnl_rule *rule, const char *set, bool map)
{
	struct nftnl_expr *expression = add_expression(rule, "lookup");

	nftnl_expr_set_u32(expression, NFTNL_EXPR_LOOKUP_SREG, NFT_REG_1);
	nftnl_expr_set_str(expression, NFTNL_EXPR_LOOKUP_SET, set);
	if (map)
		nftnl_expr_set_u32(expression, NFTNL_EXPR_LOOKUP_DREG, NFT_REG_1);
}

static void add_verdict(struct nftnl_rule *rule, int verdict, const char *chain)
{
	struct nftnl_expr *expression = add_expression(rule, "immediate");

	nftnl_expr_set_u32(expression, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
	nftnl_expr_set_u32(expression, NFTNL_EXPR_IMM_VERDICT, (uint32_t)verdict);
	if (chain)
		nftnl_expr_set_str(expression, NFTNL_EXPR_IMM_CHAIN, chain);
}

static void add_compare(struct nftnl_rule *rule, uint8_t value)
{
	struct nftnl_expr *expression = add_expression(rule, "cmp");

	nftnl_expr_set_u32(expression, NFTNL_EXPR_CMP_SREG, NFT_REG_1);
	nftnl_expr_set_u32(expression, NFTNL_EXPR_CMP_OP, NFT_CMP_EQ);
	nftnl_expr_set(expression, NFTNL_EXPR_CMP_DATA, &value, sizeof(value));
}

static void add_word(struct nftnl_rule *rule, const struct word *word)
{
	struct nftnl_expr *expression;

	switch (word->kind) {
	case WORD_END:
		break;
	case WORD_IN:
		add_device(rule, word->name, NFT_META_IIFNAME);
		break;
	case WORD_OUT:
		add_device(rule, word->name, NFT_META_OIFNAME);
		break;
	case WORD_LOAD:
	case WORD_STORE:
		add_field(rule, word->field, word->kind == WORD_STORE);
		break;
	case WORD_IPV4:
		expression = add_expression(rule, "meta");
		nftnl_expr_set_u32(expression, NFTNL_EXPR_META_KEY, NFT_META_NFPROTO);
		nftnl_expr_set_u32(expression, NFTNL_EXPR_META_DREG, NFT_REG_1);
		add_compare(rule, NFPROTO_IPV4);
		break;
	case WORD_IS:
		add_compare(rule, word->value);
		break;
	case WORD_IN_SET:
	case WORD_MAP:
		add_lookup(rule, word->name, word->kind == WORD_MAP);
		break;
	case WORD_NOTRACK:
		add_expression(rule, "notrack");
		break;
	case WORD_ACCEPT:
		add_verdict(rule, NF_ACCEPT, NULL);
		break;
	case WORD_DROP:
		add_verdict(rule, NF_DROP, NULL);
		break;
	case WORD_JUMP:
		add_verdict(rule, NFT_JUMP, word->name);
		break;
	case WORD_GOTO:
		add_verdict(rule, NFT_GOTO, word->name);
		break;
	}
}

static void put_rule(struct batch *batch, size_t step, uint8_t family, const struct rule *from)
{
	CLEANUP(rule_freep) struct nftnl_rule *rule = need(nftnl_rule_alloc());
	struct nlmsghdr *message;

	nftnl_rule_set_str(rule, NFTNL_RULE_TABLE, SKELETON_TABLE);
	nftnl_rule_set_str(rule, NFTNL_RULE_CHAIN, from->chain);
	for (size_t i = 0; i < RULE_WORDS; i++)
		add_word(rule, &from->words[i]);
	message = start(batch, NFT_MSG_NEWRULE, family, NLM_F_CREATE | NLM_F_APPEND);
	nftnl_rule_nlmsg_build_payload(message, rule);
	batch_add(batch, message, step, ROLE_PART);
}

void nft_put_skeleton(struct batch *batch, size_t step, enum skeleton skeleton)
{
	const struct skeleton_text *text = &skeleton_texts[skeleton];

	put_table(batch, step, text);
	for (size_t i = 0; i < text->set_count; i++) {
		put_set_header(batch, step, text->family, &text->sets[i], (uint32_t)i + 1);
		if (text->sets[i].kind != SET_ADDRESS_MAP)
			put_constants(batch, step, text->family, &text->sets[i]);
	}
	for (size_t i = 0; i < text->chain_count; i++)
		put_chain(batch, step, text->family, &text->chains[i]);
	for (size_t i = 0; i < text->rule_count; i++)
		put_rule(batch, step, text->family, &text->rules[i]);
}

void nft_delete_skeleton(struct batch *batch, size_t step, enum skeleton skeleton)
{
	CLEANUP(table_freep) struct nftnl_table *table = need(nftnl_table_alloc());
	struct nlmsghdr *message;

	nftnl_table_set_str(table, NFTNL_TABLE_NAME, SKELETON_TABLE);
	message = start(batch, NFT_MSG_DELTABLE, skeleton_texts[skeleton].family, 0);
	nftnl_table_nlmsg_build_payload(message, table);
	batch_add(batch, message, step, ROLE_DELETE);
}

static struct nlmsghdr *build_element(struct batch *batch, const struct element_object *from,
				      bool put)
{
	CLEANUP(set_freep) struct nftnl_set *set = need(nftnl_set_alloc());
	struct nftnl_set_elem *element = need(nftnl_set_elem_alloc());
	struct nlmsghdr *message;

	nftnl_set_elem_add(set, element);
	nftnl_set_set_str(set, NFTNL_SET_TABLE, SKELETON_TABLE);
	nftnl_set_set_str(set, NFTNL_SET_NAME, skeleton_map_names[from->map]);
	nftnl_set_elem_set(element, NFTNL_SET_ELEM_KEY, from->key.bytes, sizeof(struct in_addr));
	if (put)
		nftnl_set_elem_set(element, NFTNL_SET_ELEM_DATA, from->value.bytes,
				   sizeof(struct in_addr));
	message = start(batch, put ? NFT_MSG_NEWSETELEM : NFT_MSG_DELSETELEM, NFPROTO_IPV4,
			put ? NLM_F_CREATE | NLM_F_EXCL : 0);
	nftnl_set_elems_nlmsg_build_payload(message, set);
	return message;
}

void nft_put_element(struct batch *batch, size_t step, const struct element_object *element)
{
	batch_add(batch, build_element(batch, element, true), step, ROLE_PUT);
}

void nft_delete_element(struct batch *batch, size_t step, const struct element_object *element)
{
	batch_add(batch, build_element(batch, element, false), step, ROLE_DELETE);
}
