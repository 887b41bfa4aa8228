/*
 * DNS messages, RFC 1035 and 6891 (EDNS), by glibc's resolver library: libldns would bring OpenSSL
 * into every start of the program.
 */
#pragma once

#include <arpa/nameser.h>

#include "base/cidr.h"

#define DNS_QUERY_MAX  65535
#define DNS_ANSWER_MAX 512 /* any of our own answers: one record and a zone's SOA at most */

struct dns_query {
	uint16_t id;
	bool recursion_desired;
	char name[NS_MAXDNAME]; /* as asked, without the last dot; the root is "." */
	uint16_t type;
	int rcode; /* what is wrong with it (enum __ns_rcode); 0: nothing */
	int opcode;
	bool has_question, has_edns;
};

struct dns_answer {
	int rcode;
	bool elsewhere; /* a resolver that can ask others is to ask them */
	uint16_t type;	/* of the one record; 0: none */
	struct address address;
	char target[NS_MAXDNAME]; /* of PTR */
	char zone[NS_MAXDNAME];	  /* whose SOA tells how long nothing is nothing; "" for none */
};

/*
 * Reads whatever came. -EBADMSG: nothing that is to be answered at all; 0 with an rcode: the answer
 * is that.
 */
int dns_parse(const uint8_t *data, size_t size, struct dns_query *ret_query);
/*
 * Writes the answer to DNS_ANSWER_MAX bytes; returns its length. A name in it that can't be one in
 * DNS makes it a SERVFAIL.
 */
size_t dns_write(const struct dns_query *query, const struct dns_answer *answer, uint8_t *ret_data);
/* The same question and answer to it? For what comes from servers that were asked. */
bool dns_is_reply_to(const uint8_t *reply, size_t size, const uint8_t *query, size_t query_size);
