/*
 * Security groups and their rules. VPC user guide, "Security groups" and "Security group rules".
 *
 * A rule is a resource of its own, so that it has its id, its tags and its row in the store, and a
 * change to one rule of a thousand journals one.
 */
#pragma once

#include "model/traffic.h"
#include "model/vpc.h"

struct group_rule {
	struct resource resource;
	struct rid group; /* the group it is a rule of */
	bool egress;
	struct traffic traffic;
	/* The peer: exactly one is set. */
	struct cidr cidr; /* AF_INET or AF_INET6, canonical */
	struct rid prefix_list;
	struct rid peer; /* a group; may be its own */
	/* Of a peer in another VPC, which may go before the rule does: where it is or was. */
	struct rid peer_vpc, peering;
	char *peer_owner;  /* NULL: of the same VPC */
	char *description; /* NULL: none */
};

struct group {
	struct resource resource;
	char *name, *description;
	struct rid vpc;
};

/* The rules of a group, kept by the model's index. */
struct group_rules {
	struct group_rule **items; /* by order */
	size_t count;
	/* The same by direction, traffic and peer: what is shown as one permission is together. */
	struct group_rule **sorted;
	size_t sorted_count;
	uint64_t revision; /* another one after every change to them */
};

enum group_peer {
	GROUP_PEER_IPV4,
	GROUP_PEER_IPV6,
	GROUP_PEER_PREFIX_LIST,
	GROUP_PEER_GROUP,
};

extern const struct resource_type group_type;
extern const struct resource_type group_rule_type;
extern const struct field security_group_fields[];
extern const struct field group_rule_fields[];
/* A rule as a Revoke call lists what it removed. */
extern const struct field group_rule_revoked_fields[];
/* A group's rules that are stale. */
extern const struct field group_stale_fields[];

/* ---- groups ---- */

/* Names and descriptions, of rules too: at most 255 characters of this alphabet. */
#define GROUP_ALPHABET "a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*"
bool group_text_is_valid(const char *text);

/* With a VPC comes its group "default": all from itself, all to everywhere. */
void group_create_default(struct transaction *transaction, struct vpc *vpc);
/* The VPC's first IPv6 block lets the group "default" send to ::/0, if it lets all IPv4 out still
 * by the one rule it came with. The rule stays when the block goes. */
void group_add_ipv6(struct transaction *transaction, const struct vpc *vpc);
/*
 * Makes a group that lets everything out. ERROR_INVALID_PARAMETER_VALUE (name or description),
 * ERROR_GROUP_RESERVED, ERROR_GROUP_DUPLICATE (case doesn't count), ERROR_QUOTA.
 */
int group_create(struct transaction *transaction, struct vpc *vpc, const char *name,
		 const char *description, struct group **ret_group, struct error *error);
/*
 * Deletes a group and its rules. ERROR_CANNOT_DELETE (the default one), ERROR_DEPENDENCY_VIOLATION
 * (an interface has it, or the rule of another group of its VPC names it).
 */
int group_delete(struct transaction *transaction, struct group *group, struct error *error);
/* The same without asking: its VPC goes too. */
void group_forget(struct transaction *transaction, struct group *group);
/* The VPC's group of that name; NULL when there is none. */
struct group *group_named(const struct scope *scope, struct rid vpc, const char *name);

/* ---- rules ---- */

/* Never NULL; good until the next change to a rule of the group. */
const struct group_rules *group_rules(const struct model *model, struct rid group);
/* For model_clear(). */
void group_rules_free(struct group_rules *rules);

enum group_peer group_rule_peer(const struct group_rule *rule);
/* By direction, traffic and peer; 0: AWS takes them for the same rule. */
int group_rule_compare(const struct group_rule *a, const struct group_rule *b);
/* The rule of `like->group` that is the same rule as `like`, or NULL. */
struct group_rule *group_rule_find(const struct model *model, const struct group_rule *like);

/*
 * Whether the rule names a group of another VPC that is not there any more, or whose VPC is no
 * peer: it matches nothing.
 */
bool group_rule_is_stale(const struct model *model, const struct group_rule *rule);
bool group_is_stale(const struct model *model, const struct group *group);
/* Whether a rule of the group names `peer`. */
bool group_refers_to(const struct model *model, struct rid group, struct rid peer);
/* Whether the rule of a group of `vpc` names `peer`. */
bool group_is_referred_to_by(const struct model *model, struct rid peer, const struct vpc *vpc);

struct prefix_list;
/* Whether the group's rules leave room for the list to count for `more`. */
bool group_has_room(const struct model *model, const struct group *group,
		    const struct prefix_list *list, int64_t more);
/* Whether one of the group's rules refers to the list. */
bool group_uses_prefix_list(const struct model *model, const struct group *group, struct rid list);

/* "tcp", "udp", "icmp", "icmpv6"; else the number. */
const char *group_protocol_name(int64_t protocol, struct buffer *scratch);
/* Has the protocol ports, or types and codes? */
bool group_protocol_has_ports(int64_t protocol);
/*
 * A protocol by name or number and its ports (NULL: not given), as AWS takes them: ports of a
 * protocol that has none are passed over. ERROR_INVALID_PARAMETER_VALUE.
 */
int group_traffic(const char *protocol, const int64_t *from, const int64_t *to,
		  struct traffic *ret_traffic, struct error *error);

/*
 * Adds rules to a group, all or none. Of `wanted` what matters is direction, traffic, peer and
 * description; `ret_rules` has room for `count`. ERROR_PERMISSION_DUPLICATE, ERROR_NOT_FOUND (a
 * peer of another VPC that is not actively peered in the region), ERROR_INVALID_PARAMETER_VALUE
 * (twice the same, a bad description), ERROR_QUOTA.
 */
int group_authorize(struct transaction *transaction, const struct group *group,
		    const struct group_rule *wanted, size_t count, struct group_rule **ret_rules,
		    struct error *error);
/*
 * Makes each of `rules`, distinct ones of the group, what `wanted` says at the same index, all or
 * none. The direction stays. Errors: those of group_authorize(), and ERROR_INVALID_PARAMETER_VALUE
 * for another kind of peer.
 */
int group_revise(struct transaction *transaction, const struct group *group,
		 struct group_rule *const *rules, const struct group_rule *wanted, size_t count,
		 struct error *error);
/* NULL: none. ERROR_INVALID_PARAMETER_VALUE. */
int group_rule_describe(struct transaction *transaction, struct group_rule *rule,
			const char *description, struct error *error);
