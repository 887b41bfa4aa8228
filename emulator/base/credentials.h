/*
 * The world's access keys: a file in the AWS shared-credentials format, readable by its owner
 * alone, so that any AWS tool can be pointed at it. The profile "default" is the account
 * DEFAULT_ACCOUNT, made at first start; each further account's is called by its number.
 */
#pragma once

#include "base/error.h"

#define DEFAULT_ACCOUNT	  "123456789012"
#define CREDENTIALS_MAX	  1000 /* accounts of a world */
#define ACCESS_KEY_LENGTH 20
#define SECRET_KEY_LENGTH 40

struct credentials {
	char account[13];
	char access_key[64];
	char secret_key[64];
};

struct credentials_list {
	struct credentials *items; /* owned; the default account's first */
	size_t count;
};

/* Twelve digits? */
bool credentials_is_account(const char *text);
/* The name of the account's profile in the file. */
const char *credentials_profile(const struct credentials *credentials);

/* All accounts of the file. -ENOENT when there is no file; -EINVAL when it isn't one of ours. */
int credentials_load(const char *path, struct credentials_list *ret_list, struct error *error);
/* One account's (NULL: the default one's); the same errors, and -ESRCH when it has no such
 * account. */
int credentials_read(const char *path, const char *account, struct credentials *ret_credentials,
		     struct error *error);
/* NULL: there is none. */
const struct credentials *credentials_find(const struct credentials_list *list,
					   const char *account);
/* Overwrites the secrets, frees the list. */
void credentials_clear(struct credentials_list *list);

/* A fresh random pair; the key id begins with `prefix`, four letters. */
int credentials_new(const char *prefix, const char *account, struct credentials *ret_credentials,
		    struct error *error);
/* Makes the file, durably and with mode 0600, with a fresh pair for the default account. -EEXIST.
 */
int credentials_create(const char *path, struct credentials_list *ret_list, struct error *error);
/*
 * Makes one more account (NULL: any number that is free) with a fresh pair, in the file first, in
 * one step and durably, then in the list; `ret_credentials` points into that, until it changes. One
 * writer at a time. ERROR_INVALID_PARAMETER_VALUE: no twelve digits, or there is one;
 * ERROR_QUOTA: CREDENTIALS_MAX.
 */
int credentials_add(const char *path, struct credentials_list *list, const char *account,
		    const struct credentials **ret_credentials, struct error *error);
