/*
 * Key pairs: a public key under a name. The private half is its owner's alone and is never here.
 * EC2 guide, "Amazon EC2 key pairs".
 */
#pragma once

#include "model/common.h"

struct key_pair {
	struct resource resource;
	char *name;
	char *public_key;  /* OpenSSH's line; its comment is the name */
	char *fingerprint; /* see api/key_material.h */
	char *type;	   /* "rsa", "ed25519" */
	int64_t create_time;
};

extern const struct resource_type key_pair_type;
/* What DescribeKeyPairs shows with IncludePublicKey. */
extern const struct field key_pair_public_fields[];

/* The borrowed texts of struct key_pair; the key without a comment. */
struct key_pair_request {
	const char *name, *public_key, *fingerprint, *type;
};

/* NULL when there is none. */
struct key_pair *key_pair_named(const struct scope *scope, const char *name);
/* May a pair of that name be made? ERROR_INVALID_PARAMETER_VALUE, ERROR_KEY_PAIR_DUPLICATE,
 * ERROR_QUOTA. */
int key_pair_check(const struct model *model, const struct scope *scope, const char *name,
		   struct error *error);
/* After key_pair_check(). */
struct key_pair *key_pair_create(struct transaction *transaction, struct scope *scope,
				 const struct key_pair_request *request);
