/* DNS messages: see message.h. */
#include "services/message.h"

#include <ctype.h>
#include <errno.h>
#include <strings.h>

#define UDP_ROOM_MAX	     1232 /* that we say: no fragments anywhere */
#define TTL		     60	  /* seconds, as Amazon's */
#define BADVERS		     16
#define OPT_TTL_VERSION(ttl) ((ttl) >> 16 & 0xff)

/* ---- reading ---- */

/* The one OPT record that there may be. */
static void read_edns(ns_msg *message, struct dns_query *query)
{
	for (int i = 0; i < ns_msg_count(*message, ns_s_ar); i++) {
		ns_rr record;

		if (ns_parserr(message, ns_s_ar, i, &record) < 0) {
			query->rcode = ns_r_formerr;
			return;
		}
		if (ns_rr_type(record) != ns_t_opt)
			continue;
		if (query->has_edns)
			query->rcode = ns_r_formerr;
		else if (OPT_TTL_VERSION(ns_rr_ttl(record)) != 0)
			query->rcode = BADVERS;
		query->has_edns = true;
	}
}

static int check_question(ns_msg *message, struct dns_query *query)
{
	ns_rr question;

	if (ns_msg_count(*message, ns_s_qd) != 1 ||
	    ns_parserr(message, ns_s_qd, 0, &question) < 0 ||
	    strlen(ns_rr_name(question)) >= sizeof(query->name))
		return ns_r_formerr;
	strcpy(query->name, ns_rr_name(question));
	query->type = ns_rr_type(question);
	query->has_question = true;
	if (ns_rr_class(question) != ns_c_in)
		return ns_r_refused;
	/* Zone transfers, and what is no type of records. */
	return query->type == ns_t_axfr || query->type == ns_t_ixfr || query->type == ns_t_opt
		       ? ns_r_refused
		       : ns_r_noerror;
}

int dns_parse(const uint8_t *data, size_t size, struct dns_query *ret_query)
{
	ns_msg message;

	*ret_query = (struct dns_query){ 0 };
	if (size < NS_HFIXEDSZ || size > DNS_QUERY_MAX || data[2] & 0x80)
		return -EBADMSG;
	ret_query->id = (uint16_t)(data[0] << 8 | data[1]);
	ret_query->opcode = data[2] >> 3 & 15;
	ret_query->recursion_desired = data[2] & 1;
	if (ret_query->opcode != ns_o_query)
		ret_query->rcode = ns_r_notimpl;
	else if (ns_initparse(data, (int)size, &message) < 0)
		ret_query->rcode = ns_r_formerr;
	else if ((ret_query->rcode = check_question(&message, ret_query)) == 0)
		read_edns(&message, ret_query);
	return 0;
}

bool dns_is_reply_to(const uint8_t *reply, size_t size, const uint8_t *query, size_t query_size)
{
	ns_msg messages[2];
	ns_rr questions[2];

	if (ns_initparse(reply, (int)size, &messages[0]) < 0 ||
	    ns_initparse(query, (int)query_size, &messages[1]) < 0)
		return false;
	for (int i = 0; i < 2; i++)
		if (ns_msg_count(messages[i], ns_s_qd) != 1 ||
		    ns_parserr(&messages[i], ns_s_qd, 0, &questions[i]) < 0)
			return false;
	return ns_msg_getflag(messages[0], ns_f_qr) &&
	       ns_msg_id(messages[0]) == ns_msg_id(messages[1]) &&
	       ns_rr_type(questions[0]) == ns_rr_type(questions[1]) &&
	       ns_rr_class(questions[0]) == ns_rr_class(questions[1]) &&
	       strcasecmp(ns_rr_name(questions[0]), ns_rr_name(questions[1])) == 0;
}

/* ---- writing ---- */

struct writer {
	uint8_t *at, *end;
	bool failed;		 /* it doesn't fit, or a name is none */
	const u_char *names[16]; /* those already there, for compression */
};

static bool has_room(struct writer *writer, size_t size)
{
	writer->failed |= (size_t)(writer->end - writer->at) < size;
	return !writer->failed;
}

static void put16(struct writer *writer, unsigned int value)
{
	if (!has_room(writer, 2))
		return;
	ns_put16(value, writer->at);
	writer->at += 2;
}

static void put32(struct writer *writer, unsigned long value)
{
	if (!has_room(writer, 4))
		return;
	ns_put32(value, writer->at);
	writer->at += 4;
}

static void put_name(struct writer *writer, const char *name)
{
	int length = ns_name_compress(name, writer->at, (size_t)(writer->end - writer->at),
				      writer->names, writer->names + ARRAY_SIZE(writer->names));

	if (length < 0)
		writer->failed = true;
	else
		writer->at += length;
}

/* Up to the data; returns where its length is to stand. */
static uint8_t *begin_record(struct writer *writer, const char *name, unsigned int type)
{
	put_name(writer, name);
	put16(writer, type);
	put16(writer, ns_c_in);
	put32(writer, TTL);
	put16(writer, 0);
	return writer->at - 2;
}

static void end_record(const struct writer *writer, uint8_t *length)
{
	if (!writer->failed)
		ns_put16((unsigned int)(writer->at - length - 2), length);
}

/* As Amazon's. */
static void put_soa(struct writer *writer, const char *zone)
{
	uint8_t *length = begin_record(writer, zone, ns_t_soa);

	put_name(writer, "ns0.amazonaws.com");
	put_name(writer, "hostmaster.amazon.com");
	put32(writer, 1);    /* serial */
	put32(writer, 3600); /* refresh */
	put32(writer, 900);  /* retry */
	put32(writer, 7200); /* expire */
	put32(writer, TTL);  /* of what isn't there */
	end_record(writer, length);
}

static void put_answer(struct writer *writer, const char *name, const struct dns_answer *answer)
{
	uint8_t *length;

	if (answer->type == ns_t_soa) {
		put_soa(writer, answer->zone);
		return;
	}
	length = begin_record(writer, name, answer->type);
	if (answer->type == ns_t_ptr) {
		put_name(writer, answer->target);
	} else if (has_room(writer, 4)) {
		memcpy(writer->at, answer->address.bytes, 4);
		writer->at += 4;
	}
	end_record(writer, length);
}

static void put_edns(struct writer *writer, int rcode)
{
	put_name(writer, ".");
	put16(writer, ns_t_opt);
	put16(writer, UDP_ROOM_MAX);
	put32(writer, (unsigned long)rcode >> 4 << 24);
	put16(writer, 0);
}

/* 0: it can't be said. */
static size_t write_answer(const struct dns_query *query, const struct dns_answer *answer,
			   uint8_t *ret_data)
{
	struct writer writer = { ret_data, ret_data + DNS_ANSWER_MAX, false, { ret_data } };
	bool has_soa = !answer->type && *answer->zone;

	put16(&writer, query->id);
	put16(&writer, 0x8080u | (unsigned int)query->opcode << 11 |
			       (unsigned int)query->recursion_desired << 8 |
			       ((unsigned int)answer->rcode & 15));
	put16(&writer, query->has_question);
	put16(&writer, answer->type != 0);
	put16(&writer, has_soa);
	put16(&writer, query->has_edns);
	if (query->has_question) {
		put_name(&writer, query->name);
		put16(&writer, query->type);
		put16(&writer, ns_c_in);
	}
	if (answer->type)
		put_answer(&writer, query->name, answer);
	if (has_soa)
		put_soa(&writer, answer->zone);
	if (query->has_edns)
		put_edns(&writer, answer->rcode);
	return writer.failed ? 0 : (size_t)(writer.at - ret_data);
}

size_t dns_write(const struct dns_query *query, const struct dns_answer *answer, uint8_t *ret_data)
{
	static const struct dns_answer failure = { .rcode = ns_r_servfail };
	struct dns_query bare = *query;
	size_t length = write_answer(query, answer, ret_data);

	if (length)
		return length;
	bare.has_question = false;
	return write_answer(&bare, &failure, ret_data);
}
