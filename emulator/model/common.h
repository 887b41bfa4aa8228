/*
 * What most descriptors share: computed fields of the head every resource has.
 */
#pragma once

#include "model/model.h"

const char *get_id(const struct view *view, struct buffer *scratch);
const char *get_owner(const struct view *view, struct buffer *scratch);
/* For FIELD_CHILD: a nested element whose fields are the same object's. */
bool child_self(const struct view *view, size_t index, struct view *ret_child);
/* For FIELD_CHILDREN: a list that is always empty, and the fields of its elements. */
bool child_none(const struct view *view, size_t index, struct view *ret_child);
extern const struct field nothing_fields[];
/* {value} lists and the like: one scalar without a name. */
extern const struct field rid_item_fields[];

struct rid_item {
	struct rid id;
};
/* Appends an id to an owned array, unless it is there. */
void rid_item_add(struct rid_item **items, size_t *count, struct rid id);

/* What asks for IPv6 packets is told so, by name: -EINVAL. */
int ipv6_not_forwarded(struct error *error, const char *format, ...) PRINTF(2, 3);
/* What a client token's second use with other arguments is told; returns -EINVAL. */
int idempotent_mismatch(struct error *error);

/* Prints into scratch and returns its text. */
const char *get_print(struct buffer *scratch, const char *format, ...) PRINTF(2, 3);
/* The same of a text as it is. */
const char *get_copy(struct buffer *scratch, const char *text);

/* "us-east-1a": a zone of the scope's region, by its index. */
const char *zone_name_of(const struct scope *scope, int64_t zone, struct buffer *scratch);
const char *zone_id_of(const struct scope *scope, int64_t zone, struct buffer *scratch);

/* The dotted address with dashes: "ip-10-0-1-5", for AWS's host names. */
void host_label(struct address address, const char *prefix, struct buffer *buffer);
/* "ec2.internal" or "<region>.compute.internal": where private names are. */
void private_dns_domain(const struct scope *scope, struct buffer *buffer);
/* "ip-10-0-1-5.ec2.internal" or "ip-10-0-1-5.<region>.compute.internal" (EC2 guide, hostname
 * types). */
const char *private_dns_name(const struct scope *scope, struct address address,
			     struct buffer *scratch);
/* "ec2-198-18-1-1.compute-1.amazonaws.com" or with the region. */
const char *public_dns_name(const struct scope *scope, struct address address,
			    struct buffer *scratch);
