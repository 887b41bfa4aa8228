/*
 * The model: every resource of every account and region as plain structs, and nothing else: no
 * I/O, no clock, no kernel. Changes are made inside a transaction, whose journal says what was and
 * what is; the store writes from it, the fabric wires from it, and a roll-back restores from it.
 */
#pragma once

#include "base/error.h"
#include "base/map.h"
#include "model/field.h"
#include "model/quota.h"

struct tag {
	char *key, *value;
};

/* The head of every resource; the first member of its struct. */
struct resource {
	struct rid id;
	struct scope *scope;
	int64_t order; /* of creation, over the whole world */
	struct tag *tags;
	size_t tag_count;
	bool journalled; /* touched by the running transaction */
};

/* The fields every table begins with: `order` and the tags. */
#define RESOURCE_FIELDS(type_)                                                                     \
	FIELD_OF(type_, resource.order, FIELD_INT, "order", NULL, FIELD_STORED),                   \
		FIELD_LIST_OF(type_, resource.tags, resource.tag_count, tag_fields, "tagSet",      \
			      FIELD_BOTH)
extern const struct field tag_fields[];

struct resource_type {
	enum kind kind;
	size_t size;
	const struct field *fields;
	const char *tag_type; /* the ResourceType of tag calls; NULL: takes no tags */
	/* Keeps the model's indexes; NULL when it is in none. */
	void (*index)(struct model *model, struct resource *resource, bool add);
};

const struct resource_type *resource_type(enum kind kind); /* NULL for kinds that are no resource */

struct resource_list {
	struct resource **items; /* by order */
	size_t count;
};

/* One account in one region. */
struct scope {
	char account[13];
	char region[33];
	struct resource_list lists[KIND_MAX];
};

struct model {
	struct scope **scopes;
	size_t scope_count;
	struct map resources;	/* rid → struct resource */
	struct map addresses;	/* (subnet, private IPv4) → struct interface */
	struct map usage;	/* subnet → struct subnet_usage, see interface.h */
	struct map group_rules; /* group → struct group_rules, see group.h */
	struct map publics;	/* public IPv4 → the resource that holds it, see internet.h */
	struct map elastic_ips; /* (interface, private IPv4) → struct elastic_ip */
	struct map group_sets;	/* rid → struct group_set, see group_set.h */
	/*
	 * How often a resource of the kind came, changed, went or was put back: what is derived
	 * from resources and kept is good as long as its kinds' numbers are the same.
	 */
	uint64_t changes[KIND_MAX];
	uint64_t revision;    /* the last one given, see struct group_rules */
	struct quotas quotas; /* of the daemon that runs; not stored */
	uint32_t next_public; /* a new public address is never the one just given back */
	int64_t next_order;
};

struct journal_entry {
	struct resource *before; /* a copy, or NULL: created */
	struct resource *after;	 /* the live one, or NULL: deleted */
};

struct transaction {
	struct model *model;
	int64_t now; /* seconds since 1970 */
	struct journal_entry *entries;
	size_t count;
};

void model_clear(struct model *model);

/* The scope, made when it is new (empty: see defaults.h for what AWS puts into it). */
struct scope *model_scope(struct model *model, const char *account, const char *region);

/* NULL when there is none, or when it is another scope's (`scope` NULL: any). */
struct resource *model_get(const struct model *model, const struct scope *scope, struct rid id);

#define for_each_resource(type, variable, scope, kind)                                             \
	for (size_t index_##variable = 0; index_##variable < (scope)->lists[kind].count;           \
	     index_##variable++)                                                                   \
		for (type *variable = (type *)(scope)->lists[kind].items[index_##variable];        \
		     variable; variable = NULL)

#define for_each_journal(entry, transaction)                                                       \
	for (struct journal_entry *entry = (transaction)->entries;                                 \
	     entry < (transaction)->entries + (transaction)->count; entry++)

struct transaction transaction_begin(struct model *model, int64_t now);
/* Makes a zeroed resource of `kind` with a fresh id, inserted. */
void *transaction_create(struct transaction *transaction, struct scope *scope, enum kind kind);
/* Call before changing a resource: the journal keeps how it was. Returns `resource`. */
void *transaction_edit(struct transaction *transaction, void *resource);
void transaction_delete(struct transaction *transaction, void *resource);
/* Puts everything back as it was; the transaction is empty afterwards. */
void transaction_rollback(struct transaction *transaction);
/* Keeps the changes; frees the journal. */
void transaction_commit(struct transaction *transaction);

/* For the store: a zeroed resource outside the model, to be filled in and then inserted. */
struct resource *resource_new(enum kind kind, struct rid id);
void resource_free(struct resource *resource);
void model_insert(struct model *model, struct scope *scope, struct resource *resource);

/* The value of a tag, or NULL. */
const char *resource_tag(const struct resource *resource, const char *key);
