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
#include <linux/netfilter_ipv4.h>
#include <net/if.h>

#define NFT_BYTEORDER_BIG 2 /* nft's number, for printing */

/* How long a counter nobody adds to is kept: addresses and ids come and go. */
#define COUNTER_LIFE_MS	 (24 * 3600 * 1000ull)
#define COUNTERS_AT_MOST 65536

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

static void put_chain(struct batch *batch, size_t step, const struct skeleton_text *text,
		      const struct chain *from)
{
	CLEANUP(chain_freep) struct nftnl_chain *chain = need(nftnl_chain_alloc());
	struct nlmsghdr *message;

	nftnl_chain_set_str(chain, NFTNL_CHAIN_TABLE, SKELETON_TABLE);
	nftnl_chain_set_str(chain, NFTNL_CHAIN_NAME, from->name);
	if (from->base) {
		nftnl_chain_set_str(chain, NFTNL_CHAIN_TYPE, from->nat ? "nat" : "filter");
		nftnl_chain_set_u32(chain, NFTNL_CHAIN_HOOKNUM, from->hook);
		nftnl_chain_set_s32(chain, NFTNL_CHAIN_PRIO, from->priority);
		nftnl_chain_set_u32(chain, NFTNL_CHAIN_POLICY, from->drop ? NF_DROP : NF_ACCEPT);
		if (text->device)
			nftnl_chain_set_str(chain, NFTNL_CHAIN_DEV, text->device);
	}
	message = start(batch, NFT_MSG_NEWCHAIN, text->family, NLM_F_CREATE | NLM_F_EXCL);
	nftnl_chain_nlmsg_build_payload(message, chain);
	batch_add(batch, message, step, ROLE_PART);
}

/* nft's number of a type or of a concatenation of types. */
static uint32_t type_of(const struct set_field *fields)
{
	uint32_t type = 0;

	for (size_t i = 0; i < SET_FIELDS && fields[i].length; i++)
		type = type << NFT_TYPE_BITS | fields[i].type;
	return type;
}

/* nft can't print intervals of more than one field. */
static uint32_t key_type_of(const struct set *set)
{
	return set->kind == SET_INTERVALS && set->key[1].length ? NFT_TYPE_INTEGER
								: type_of(set->key);
}

/* Only one byte is as long as it is: everything else is a whole number of registers. */
static uint32_t length_of(const struct set_field *fields)
{
	return fields[0].length < 4 && !fields[1].length ? fields[0].length
							 : (uint32_t)set_length(fields);
}

static uint32_t flags_of(const struct set *from)
{
	const uint32_t map = from->value[0].length ? NFT_SET_MAP : 0;

	switch (from->kind) {
	case SET_ADDRESSES:
		return NFT_SET_INTERVAL;
	case SET_COUNTERS:
		return NFT_SET_EVAL | NFT_SET_TIMEOUT;
	case SET_INTERVALS:
		return NFT_SET_INTERVAL | map;
	case SET_RATES:
		return 0; /* the value is no value of a map's */
	case SET_ELEMENTS:
	case SET_NEXT_BYTE:
		break;
	}
	return map;
}

static void put_set_header(struct batch *batch, size_t step, uint8_t family, const struct set *from,
			   uint32_t id)
{
	CLEANUP(udata_freep) struct nftnl_udata_buf *data = need(nftnl_udata_buf_alloc(64));
	CLEANUP(set_freep) struct nftnl_set *set = need(nftnl_set_alloc());
	struct nlmsghdr *message;

	nftnl_udata_put_u32(data, NFTNL_UDATA_SET_KEYBYTEORDER, NFT_BYTEORDER_BIG);
	nftnl_set_set_str(set, NFTNL_SET_TABLE, SKELETON_TABLE);
	nftnl_set_set_str(set, NFTNL_SET_NAME, from->name);
	nftnl_set_set_u32(set, NFTNL_SET_FLAGS, flags_of(from));
	nftnl_set_set_u32(set, NFTNL_SET_KEY_TYPE, key_type_of(from));
	nftnl_set_set_u32(set, NFTNL_SET_KEY_LEN, length_of(from->key));
	if (flags_of(from) & NFT_SET_MAP) {
		nftnl_udata_put_u32(data, NFTNL_UDATA_SET_DATABYTEORDER, NFT_BYTEORDER_BIG);
		nftnl_set_set_u32(set, NFTNL_SET_DATA_TYPE, type_of(from->value));
		nftnl_set_set_u32(set, NFTNL_SET_DATA_LEN, length_of(from->value));
	}
	if (from->kind == SET_COUNTERS)
		nftnl_set_set_u32(set, NFTNL_SET_DESC_SIZE, COUNTERS_AT_MOST);
	nftnl_set_set_u32(set, NFTNL_SET_ID, id);
	nftnl_set_set_data(set, NFTNL_SET_USERDATA, nftnl_udata_buf_data(data),
			   nftnl_udata_buf_len(data));
	message = start(batch, NFT_MSG_NEWSET, family, NLM_F_CREATE | NLM_F_EXCL);
	nftnl_set_nlmsg_build_payload(message, set);
	batch_add(batch, message, step, ROLE_PART);
}

static void add_key(struct nftnl_set *set, const void *key, uint32_t length, uint32_t flags)
{
	struct nftnl_set_elem *element = need(nftnl_set_elem_alloc());

	nftnl_set_elem_set(element, NFTNL_SET_ELEM_KEY, key, length);
	if (flags)
		nftnl_set_elem_set_u32(element, NFTNL_SET_ELEM_FLAGS, flags);
	nftnl_set_elem_add(set, element);
}

static void add_bound(struct nftnl_set *set, uint32_t host_order, uint32_t flags)
{
	const uint32_t key = htonl(host_order);

	add_key(set, &key, sizeof(key), flags);
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

static uint32_t reg(uint8_t number)
{
	return NFT_REG32_00 + number;
}

static void add_meta(struct nftnl_rule *rule, uint32_t key, uint8_t to)
{
	struct nftnl_expr *expression = add_expression(rule, "meta");

	nftnl_expr_set_u32(expression, NFTNL_EXPR_META_KEY, key);
	nftnl_expr_set_u32(expression, NFTNL_EXPR_META_DREG, reg(to));
}

static void add_compare(struct nftnl_rule *rule, uint8_t from, uint32_t operator, const void * data,
			uint32_t length)
{
	struct nftnl_expr *expression = add_expression(rule, "cmp");

	nftnl_expr_set_u32(expression, NFTNL_EXPR_CMP_SREG, reg(from));
	nftnl_expr_set_u32(expression, NFTNL_EXPR_CMP_OP, operator);
	nftnl_expr_set(expression, NFTNL_EXPR_CMP_DATA, data, length);
}

static void add_device(struct nftnl_rule *rule, const char *device, uint32_t key)
{
	char name[IFNAMSIZ] = "";

	memcpy(name, device, MIN(strlen(device), sizeof(name) - 1));
	add_meta(rule, key, 0);
	add_compare(rule, 0, NFT_CMP_EQ, name, sizeof(name));
}

static void add_field(struct nftnl_rule *rule, const struct word *word)
{
	struct nftnl_expr *expression = add_expression(rule, "payload");
	const struct field *field = word->field;

	nftnl_expr_set_u32(expression, NFTNL_EXPR_PAYLOAD_BASE, field->base);
	nftnl_expr_set_u32(expression, NFTNL_EXPR_PAYLOAD_OFFSET, field->offset);
	nftnl_expr_set_u32(expression, NFTNL_EXPR_PAYLOAD_LEN, field->length);
	if (word->kind == WORD_LOAD) {
		nftnl_expr_set_u32(expression, NFTNL_EXPR_PAYLOAD_DREG, reg(word->to));
		return;
	}
	nftnl_expr_set_u32(expression, NFTNL_EXPR_PAYLOAD_SREG, reg(word->from));
	nftnl_expr_set_u32(expression, NFTNL_EXPR_PAYLOAD_CSUM_TYPE, NFT_PAYLOAD_CSUM_INET);
	nftnl_expr_set_u32(expression, NFTNL_EXPR_PAYLOAD_CSUM_OFFSET, field->checksum);
	if (field->pseudo_header)
		nftnl_expr_set_u32(expression, NFTNL_EXPR_PAYLOAD_FLAGS,
				   NFT_PAYLOAD_L4CSUM_PSEUDOHDR);
}

static void add_lookup(struct nftnl_rule *rule, const struct word *word)
{
	struct nftnl_expr *expression = add_expression(rule, "lookup");

	nftnl_expr_set_u32(expression, NFTNL_EXPR_LOOKUP_SREG, reg(word->from));
	nftnl_expr_set_str(expression, NFTNL_EXPR_LOOKUP_SET, word->name);
	if (word->kind == WORD_MAP)
		nftnl_expr_set_u32(expression, NFTNL_EXPR_LOOKUP_DREG, reg(word->to));
}

static void add_count(struct nftnl_rule *rule, const struct word *word)
{
	struct nftnl_expr *expression = add_expression(rule, "dynset");

	nftnl_expr_set_u32(expression, NFTNL_EXPR_DYNSET_OP, NFT_DYNSET_OP_UPDATE);
	nftnl_expr_set_u32(expression, NFTNL_EXPR_DYNSET_SREG_KEY, reg(word->from));
	nftnl_expr_set_str(expression, NFTNL_EXPR_DYNSET_SET_NAME, word->name);
	nftnl_expr_set_u64(expression, NFTNL_EXPR_DYNSET_TIMEOUT, COUNTER_LIFE_MS);
	nftnl_expr_set(expression, NFTNL_EXPR_DYNSET_EXPR, need(nftnl_expr_alloc("counter")), 0);
}

static void add_connection(struct nftnl_rule *rule, const struct word *word)
{
	struct nftnl_expr *expression = add_expression(rule, "ct");

	if (word->kind == WORD_LABEL) {
		nftnl_expr_set_u32(expression, NFTNL_EXPR_CT_KEY, NFT_CT_LABELS);
		nftnl_expr_set_u32(expression, NFTNL_EXPR_CT_SREG, reg(word->from));
		return;
	}
	nftnl_expr_set_u32(expression, NFTNL_EXPR_CT_KEY, word->value);
	nftnl_expr_set_u32(expression, NFTNL_EXPR_CT_DREG, reg(word->to));
}

static void add_any_of(struct nftnl_rule *rule, const struct word *word)
{
	struct nftnl_expr *expression = add_expression(rule, "bitwise");
	const uint32_t none = 0;

	nftnl_expr_set_u32(expression, NFTNL_EXPR_BITWISE_SREG, reg(word->from));
	nftnl_expr_set_u32(expression, NFTNL_EXPR_BITWISE_DREG, reg(word->from));
	nftnl_expr_set_u32(expression, NFTNL_EXPR_BITWISE_LEN, sizeof(none));
	nftnl_expr_set(expression, NFTNL_EXPR_BITWISE_MASK, &word->value, sizeof(word->value));
	nftnl_expr_set(expression, NFTNL_EXPR_BITWISE_XOR, &none, sizeof(none));
	add_compare(rule, word->from, NFT_CMP_NEQ, &none, sizeof(none));
}

static void add_number(struct nftnl_rule *rule, const struct word *word)
{
	struct nftnl_expr *expression = add_expression(rule, "immediate");

	nftnl_expr_set_u32(expression, NFTNL_EXPR_IMM_DREG, reg(word->to));
	nftnl_expr_set(expression, NFTNL_EXPR_IMM_DATA, &word->value, sizeof(word->value));
}

static void add_verdict(struct nftnl_rule *rule, int verdict, const char *chain)
{
	struct nftnl_expr *expression = add_expression(rule, "immediate");

	nftnl_expr_set_u32(expression, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
	nftnl_expr_set_u32(expression, NFTNL_EXPR_IMM_VERDICT, (uint32_t)verdict);
	if (chain)
		nftnl_expr_set_str(expression, NFTNL_EXPR_IMM_CHAIN, chain);
}

static void add_test(struct nftnl_rule *rule, const struct word *word)
{
	const uint8_t byte = (uint8_t)word->value, ipv4 = NFPROTO_IPV4;
	const uint32_t number = htonl(word->value);

	if (word->kind == WORD_IPV4) {
		add_meta(rule, NFT_META_NFPROTO, 0);
		add_compare(rule, 0, NFT_CMP_EQ, &ipv4, sizeof(ipv4));
	} else if (word->kind == WORD_IS) {
		add_compare(rule, word->from, NFT_CMP_EQ, &byte, sizeof(byte));
	} else {
		add_compare(rule, word->from, NFT_CMP_EQ, &number, sizeof(number));
	}
}

static void add_random(struct nftnl_rule *rule, const struct word *word)
{
	struct nftnl_expr *expression = add_expression(rule, "numgen");

	nftnl_expr_set_u32(expression, NFTNL_EXPR_NG_TYPE, NFT_NG_RANDOM);
	nftnl_expr_set_u32(expression, NFTNL_EXPR_NG_MODULUS, word->value);
	nftnl_expr_set_u32(expression, NFTNL_EXPR_NG_DREG, reg(word->to));
	if (word->kind == WORD_SLOT)
		return;
	expression = add_expression(rule, "byteorder");
	nftnl_expr_set_u32(expression, NFTNL_EXPR_BYTEORDER_SREG, reg(word->to));
	nftnl_expr_set_u32(expression, NFTNL_EXPR_BYTEORDER_DREG, reg(word->to));
	nftnl_expr_set_u32(expression, NFTNL_EXPR_BYTEORDER_OP, NFT_BYTEORDER_HTON);
	nftnl_expr_set_u32(expression, NFTNL_EXPR_BYTEORDER_LEN, sizeof(uint32_t));
	nftnl_expr_set_u32(expression, NFTNL_EXPR_BYTEORDER_SIZE, sizeof(uint32_t));
}

static void add_source_nat(struct nftnl_rule *rule, const struct word *word)
{
	struct nftnl_expr *expression = add_expression(rule, "nat");

	nftnl_expr_set_u32(expression, NFTNL_EXPR_NAT_TYPE, NFT_NAT_SNAT);
	nftnl_expr_set_u32(expression, NFTNL_EXPR_NAT_FAMILY, NFPROTO_IPV4);
	nftnl_expr_set_u32(expression, NFTNL_EXPR_NAT_REG_ADDR_MIN, reg(word->from));
	nftnl_expr_set_u32(expression, NFTNL_EXPR_NAT_REG_PROTO_MIN, reg(word->from + 1));
	nftnl_expr_set_u32(expression, NFTNL_EXPR_NAT_REG_PROTO_MAX, reg(word->from + 2));
}

static void add_reset(struct nftnl_rule *rule)
{
	struct nftnl_expr *expression = add_expression(rule, "reject");

	nftnl_expr_set_u32(expression, NFTNL_EXPR_REJECT_TYPE, NFT_REJECT_TCP_RST);
	nftnl_expr_set_u8(expression, NFTNL_EXPR_REJECT_CODE, 0);
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
		add_field(rule, word);
		break;
	case WORD_META:
		add_meta(rule, word->value, word->to);
		break;
	case WORD_PUT:
		expression = add_expression(rule, "meta");
		nftnl_expr_set_u32(expression, NFTNL_EXPR_META_KEY, word->value);
		nftnl_expr_set_u32(expression, NFTNL_EXPR_META_SREG, reg(word->from));
		break;
	case WORD_CT:
	case WORD_LABEL:
		add_connection(rule, word);
		break;
	case WORD_SET:
		add_number(rule, word);
		break;
	case WORD_IPV4:
	case WORD_IS:
	case WORD_IS_WORD:
		add_test(rule, word);
		break;
	case WORD_ANY_OF:
		add_any_of(rule, word);
		break;
	case WORD_IN_SET:
	case WORD_MAP:
		add_lookup(rule, word);
		break;
	case WORD_COUNT:
		add_count(rule, word);
		break;
	case WORD_NOTRACK:
		add_expression(rule, "notrack");
		break;
	case WORD_RANDOM:
	case WORD_SLOT:
		add_random(rule, word);
		break;
	case WORD_SNAT:
		add_source_nat(rule, word);
		break;
	case WORD_RESET:
		add_reset(rule);
		break;
	case WORD_MASQUERADE:
		add_expression(rule, "masq");
		break;
	case WORD_ACCEPT:
		add_verdict(rule, NF_ACCEPT, NULL);
		break;
	case WORD_DROP:
		add_verdict(rule, NF_DROP, NULL);
		break;
	case WORD_RETURN:
		add_verdict(rule, NFT_RETURN, NULL);
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

void nft_put_text(struct batch *batch, size_t step, const struct skeleton_text *text)
{
	put_table(batch, step, text);
	for (size_t i = 0; i < text->set_count; i++) {
		put_set_header(batch, step, text->family, &text->sets[i], (uint32_t)i + 1);
		if (text->sets[i].kind == SET_ADDRESSES || text->sets[i].kind == SET_NEXT_BYTE)
			put_constants(batch, step, text->family, &text->sets[i]);
	}
	for (size_t i = 0; i < text->chain_count; i++)
		put_chain(batch, step, text, &text->chains[i]);
	for (size_t i = 0; i < text->rule_count; i++)
		put_rule(batch, step, text->family, &text->rules[i]);
}

void nft_put_skeleton(struct batch *batch, size_t step, enum skeleton skeleton)
{
	nft_put_text(batch, step, skeleton_texts[skeleton]);
}

void nft_delete_text(struct batch *batch, size_t step, const struct skeleton_text *text)
{
	CLEANUP(table_freep) struct nftnl_table *table = need(nftnl_table_alloc());
	struct nlmsghdr *message;

	nftnl_table_set_str(table, NFTNL_TABLE_NAME, SKELETON_TABLE);
	message = start(batch, NFT_MSG_DELTABLE, text->family, 0);
	nftnl_table_nlmsg_build_payload(message, table);
	batch_add(batch, message, step, ROLE_DELETE);
}

void nft_delete_skeleton(struct batch *batch, size_t step, enum skeleton skeleton)
{
	nft_delete_text(batch, step, skeleton_texts[skeleton]);
}

/* The element is found when there are more. */
static void add_rate(struct nftnl_set_elem *element, const struct element_object *from)
{
	struct nftnl_expr *limit = need(nftnl_expr_alloc("limit"));
	uint64_t rate;
	uint32_t burst;

	memcpy(&rate, from->value, sizeof(rate));
	memcpy(&burst, from->value + sizeof(rate), sizeof(burst));
	nftnl_expr_set_u64(limit, NFTNL_EXPR_LIMIT_RATE, rate);
	nftnl_expr_set_u64(limit, NFTNL_EXPR_LIMIT_UNIT, 1);
	nftnl_expr_set_u32(limit, NFTNL_EXPR_LIMIT_BURST, burst);
	nftnl_expr_set_u32(limit, NFTNL_EXPR_LIMIT_TYPE, NFT_LIMIT_PKT_BYTES);
	nftnl_expr_set_u32(limit, NFTNL_EXPR_LIMIT_FLAGS, NFT_LIMIT_F_INV);
	nftnl_set_elem_add_expr(element, limit);
}

/* An interval is two elements: where it begins and, marked as such, where it has ended. */
static struct nlmsghdr *build_element(struct batch *batch, const struct element_object *from,
				      bool put)
{
	CLEANUP(set_freep) struct nftnl_set *set = need(nftnl_set_alloc());
	struct nftnl_set_elem *element = need(nftnl_set_elem_alloc());
	const struct set *to = skeleton_set(from->map);
	const uint32_t key = (uint32_t)set_length(to->key), value = (uint32_t)set_length(to->value);
	struct nlmsghdr *message;

	nftnl_set_elem_add(set, element);
	nftnl_set_set_str(set, NFTNL_SET_TABLE, SKELETON_TABLE);
	nftnl_set_set_str(set, NFTNL_SET_NAME, to->name);
	nftnl_set_elem_set(element, NFTNL_SET_ELEM_KEY, from->key, key);
	if (put && to->kind == SET_RATES)
		add_rate(element, from);
	else if (put && value)
		nftnl_set_elem_set(element, NFTNL_SET_ELEM_DATA, from->value, value);
	if (to->kind == SET_INTERVALS)
		add_key(set, from->end, key, NFT_SET_ELEM_INTERVAL_END);
	message = start(batch, put ? NFT_MSG_NEWSETELEM : NFT_MSG_DELSETELEM,
			skeleton_texts[skeleton_of(from->map)]->family,
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
