/* What security groups and network ACLs say of a packet, and by which rule. */
#pragma once

#include "model/acl.h"
#include "model/group.h"
#include "path/path.h"

/* "tcp/443", "tcp/32768-60999", "icmp echo request"; in `scratch`. */
const char *path_service(const struct path_packet *packet, struct buffer *scratch);

struct group_answer {
	bool all, some;		       /* of the packet's ports pass */
	uint16_t first, last;	       /* the first of those that do */
	const struct group_rule *rule; /* that lets them pass; NULL: no group, everything passes */
};
struct group_answer path_ask_groups(const struct model *model, const struct interface *interface,
				    bool egress, const struct path_packet *packet);

struct acl_answer {
	bool all, some;
	uint16_t first, last;
	/* The entry that lets the first of them pass and one that denies; NULL: none, or "*". */
	const struct acl_entry *allows, *denies;
};
struct acl_answer path_ask_acl(const struct acl *acl, bool egress,
			       const struct path_packet *packet);
