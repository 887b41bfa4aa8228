/*
 * Network ACLs: the stateless rules at the edge of a subnet. Rules: VPC user guide, "Network ACLs".
 */
#pragma once

#include "model/subnet.h"
#include "model/traffic.h"

#define ACL_NUMBER_MAX	     32766
#define ACL_NUMBER_LAST	     32767 /* "*": denies what no other entry decided; nobody can touch it */
#define ACL_NUMBER_LAST_IPV6 32768 /* the same for IPv6, once the VPC has a block */

struct acl_entry {
	int64_t number; /* 1 … ACL_NUMBER_MAX, ACL_NUMBER_LAST, ACL_NUMBER_LAST_IPV6 */
	bool egress;
	bool allow;
	struct traffic traffic;
	struct cidr cidr; /* AF_INET or AF_INET6, canonical */
};

struct acl_association {
	struct rid id;
	struct rid subnet;
};

struct acl {
	struct resource resource;
	struct rid vpc;
	bool is_default;
	char *client_token;	   /* NULL: none was given */
	struct acl_entry *entries; /* sorted: egress first, then by number; one of each number */
	size_t entry_count;
	struct acl_association *associations;
	size_t association_count;
};

extern const struct resource_type acl_type;

/* The ACL that a subnet is associated with: there is always exactly one. */
struct acl *acl_of(const struct subnet *subnet);

void acl_create_default(struct transaction *transaction, struct vpc *vpc);
/*
 * What the VPC's first IPv6 block brings: the deny at the end of every ACL, and an entry 101 of the
 * default one that allows IPv6, in the directions that nobody has changed. They stay when the block
 * goes.
 */
void acl_add_ipv6(struct transaction *transaction, const struct vpc *vpc);
/*
 * An ACL that denies everything. With a client token (or NULL) that made one before: that one, if
 * it was for the same VPC. ERROR_QUOTA, ERROR_IDEMPOTENT_MISMATCH.
 */
int acl_create(struct transaction *transaction, struct vpc *vpc, const char *client_token,
	       struct acl **ret_acl, struct error *error);
/* ERROR_INVALID_PARAMETER_VALUE for a default one, ERROR_DEPENDENCY_VIOLATION while associated. */
int acl_delete(struct transaction *transaction, struct acl *acl, struct error *error);

/*
 * The entry's block needs not be canonical. Adding what is there already changes nothing.
 * ERROR_INVALID_PARAMETER_VALUE, ERROR_ACL_ENTRY_EXISTS, ERROR_QUOTA.
 */
int acl_add_entry(struct transaction *transaction, struct acl *acl, const struct acl_entry *entry,
		  struct error *error);
/* The entry of its direction and number becomes this one. ERROR_NOT_FOUND, and as above. */
int acl_replace_entry(struct transaction *transaction, struct acl *acl,
		      const struct acl_entry *entry, struct error *error);
/* ERROR_NOT_FOUND, ERROR_INVALID_PARAMETER_VALUE. */
int acl_remove_entry(struct transaction *transaction, struct acl *acl, bool egress, int64_t number,
		     struct error *error);

/* A subnet always has exactly one ACL; a new one gets the VPC's default. */
void acl_associate_default(struct transaction *transaction, struct vpc *vpc, struct rid subnet);
/* The ACL that holds an association, and its index there; NULL when there is none. */
struct acl *acl_find_association(const struct scope *scope, struct rid association,
				 size_t *ret_index);
/* Moves association `index` of `from` to `to`, under a new id. ERROR_INVALID_PARAMETER_VALUE: `to`
 * is another VPC's. */
int acl_move_association(struct transaction *transaction, struct acl *from, size_t index,
			 struct acl *to, struct rid *ret_association, struct error *error);
void acl_forget_subnet(struct transaction *transaction, struct scope *scope, struct rid subnet);
