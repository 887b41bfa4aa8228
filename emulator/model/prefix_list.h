/*
 * Managed prefix lists: named sets of blocks, in versions, that route tables and security groups
 * refer to. Rules: VPC user guide, "Managed prefix lists". What AWS does in the background is done
 * at once here, so a list is never in progress. Amazon's own, one of each service that a gateway
 * endpoint leads to, are there in every scope: see endpoint_service.h.
 */
#pragma once

#include "model/common.h"

#define PREFIX_LIST_ENTRIES_PER_CALL 100

enum prefix_list_family {
	PREFIX_LIST_IPV4,
	PREFIX_LIST_IPV6
};

enum prefix_list_state {
	PREFIX_LIST_CREATED,
	PREFIX_LIST_MODIFIED,
	PREFIX_LIST_RESTORED,
	PREFIX_LIST_DELETED, /* only in the reply to its deletion */
};

struct prefix_entry {
	struct cidr cidr;     /* canonical */
	char *description;    /* NULL: none */
	int64_t since, until; /* the versions it is in: since ≤ version < until; 0: still there */
};

struct prefix_list {
	struct resource resource;
	char *name;
	bool of_amazon; /* nobody's to change: it has neither a size that is shown nor versions */
	int family;	/* enum prefix_list_family */
	int state;	/* enum prefix_list_state */
	int64_t max_entries, version;
	struct prefix_entry *entries; /* of every version that is kept, in the order of adding */
	size_t entry_count;
	char *client_token, *token_digest; /* NULL: no token was given */
};

extern const struct resource_type prefix_list_type;
/* {cidr, description} of a struct prefix_entry. */
extern const struct field prefix_entry_fields[];

struct prefix_list *prefix_list_get(const struct model *model, struct rid id); /* NULL: none */
/* AF_INET or AF_INET6 */
int prefix_list_address_family(const struct prefix_list *list);

/* The entries of one version, in order. */
bool prefix_entry_is_in(const struct prefix_entry *entry, int64_t version);
#define for_each_prefix_entry(entry, list, version)                                                \
	for (const struct prefix_entry *entry = (list)->entries;                                   \
	     entry && entry < (list)->entries + (list)->entry_count; entry++)                      \
		if (prefix_entry_is_in(entry, version))
/* Is the block an entry of the current version? */
bool prefix_list_has(const struct prefix_list *list, struct cidr cidr);

/* What is to be added or removed. */
struct prefix_change {
	struct cidr cidr;
	const char *description; /* NULL: none */
};
struct prefix_changes {
	struct prefix_change *items;
	size_t count;
};

struct prefix_list_request {
	const char *name;
	int family; /* enum prefix_list_family */
	int64_t max_entries;
	struct prefix_changes entries;
	const char *client_token, *token_digest; /* NULL: none */
};

/*
 * With a client token that made a list before: that one, if the digests are the same.
 * ERROR_INVALID_PARAMETER_VALUE, ERROR_PREFIX_LIST_FULL, ERROR_QUOTA, ERROR_IDEMPOTENT_MISMATCH.
 */
int prefix_list_create(struct transaction *transaction, struct scope *scope,
		       const struct prefix_list_request *request, struct prefix_list **ret_list,
		       struct error *error);

/* One of Amazon's, with one entry; it weighs as much in a route table. */
void prefix_list_create_amazon(struct transaction *transaction, struct scope *scope,
			       const char *name, struct cidr entry);
/* ERROR_OPERATION_NOT_PERMITTED: it is Amazon's. */
int prefix_list_check_own(const struct prefix_list *list, struct error *error);

/*
 * ERROR_PREFIX_LIST_VERSION unless `version` is the current one; ERROR_INVALID_PARAMETER_VALUE
 * when there can't be such a version.
 */
int prefix_list_check_version(const struct prefix_list *list, int64_t version, struct error *error);
int prefix_list_rename(struct transaction *transaction, struct prefix_list *list, const char *name,
		       struct error *error);
/*
 * Makes a new version. ERROR_INVALID_PARAMETER_VALUE, ERROR_INVALID_REQUEST (added already),
 * ERROR_PREFIX_LIST_MODIFICATION (removed but not there), ERROR_PREFIX_LIST_FULL.
 */
int prefix_list_change(struct transaction *transaction, struct prefix_list *list,
		       const struct prefix_changes *add, const struct prefix_changes *remove,
		       struct error *error);
/* ERROR_INVALID_PARAMETER_VALUE; ERROR_QUOTA when a user of the list has no room for that many. */
int prefix_list_resize(struct transaction *transaction, struct prefix_list *list,
		       int64_t max_entries, struct error *error);
/* The entries of an earlier version become those of a new one. ERROR_INVALID_PARAMETER_VALUE,
 * ERROR_PREFIX_LIST_FULL. */
int prefix_list_restore(struct transaction *transaction, struct prefix_list *list, int64_t version,
			struct error *error);
/* Is that version still kept? ERROR_INVALID_PARAMETER_VALUE. */
int prefix_list_check_kept(const struct prefix_list *list, int64_t version, struct error *error);
/*
 * Marks it as deleted, for the reply; transaction_delete() is the caller's next step.
 * ERROR_DEPENDENCY_VIOLATION while anything refers to it.
 */
int prefix_list_retire(struct transaction *transaction, struct prefix_list *list,
		       struct error *error);

/* Everything that refers to the list, each once; the caller frees the array (NULL when none). */
size_t prefix_list_users(const struct model *model, const struct prefix_list *list,
			 struct resource ***ret_users);
