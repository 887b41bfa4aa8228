/*
 * The simulated Internet: a router and hosts, shared by everything in a world. Addresses are from
 * 198.18.0.0/15, set aside for tests of network gear (RFC 2544), which no real host has; a host may
 * be given any other public one.
 */
#pragma once

#include "model/common.h"

#define INTERNET_NETWORK      0xc6120000u /* 198.18.0.0/16 */
#define INTERNET_ROUTER	      0xc6120001u /* 198.18.0.1 */
#define INTERNET_HOST	      0xc612000au /* 198.18.0.10: the world's own host */
#define INTERNET_HOST_LAST    0xc61200feu /* hosts get the lowest free one after it */
#define INTERNET_PUBLIC_FIRST 0xc6120100u /* 198.18.1.0: what instances get */
#define INTERNET_PUBLIC_LAST  0xc612fffeu
#define INTERNET_PUBLIC_COUNT (INTERNET_PUBLIC_LAST - INTERNET_PUBLIC_FIRST + 1)

struct internet {
	struct resource resource;
	bool realized; /* present in the kernel: since somebody needed it */
	bool uplink;   /* leads to the real Internet: as the daemon that runs was told */
	char *region;  /* the world's own: what `minivpc env` names */
	/* Of instance metadata's tokens, in hexadecimal: a token outlives the daemon that gave it.
	 */
	char *metadata_key;
};

#define INTERNET_HOSTS_MAX 256

struct internet_host {
	struct resource resource;
	char *name; /* NULL: the world's own, made with it; see internet_host_name() */
	struct address address;
	int64_t pid; /* of its init; 0: not running */
	int64_t start_time;
	bool running;
	bool ending; /* its process is to end, and then its record goes */
	bool unborn; /* asked for, and it hasn't run yet: if it never does it never was */
};

extern const struct resource_type internet_type;
extern const struct resource_type internet_host_type;

/* The scope that holds what belongs to the world itself. */
struct scope *internet_scope(struct model *model);
/* NULL before internet_create(). */
struct internet *internet_get(const struct model *model);
/* The world's own host. */
struct internet_host *internet_host_get(const struct model *model);
/* The host of that name, or NULL. */
struct internet_host *internet_host_find(const struct model *model, const char *name);
const char *internet_host_name(const struct internet_host *host);

#define for_each_internet_host(variable, model)                                                    \
	for (size_t scope_##variable = 0; scope_##variable < (model)->scope_count;                 \
	     scope_##variable++)                                                                   \
		for_each_resource (struct internet_host, variable,                                 \
				   (model)->scopes[scope_##variable], KIND_INTERNET_HOST)

/*
 * Public addresses: whoever has one holds it in an index of the model's, so that no two have the
 * same.
 */
/* A free one, and not the one just let go. ERROR_INSUFFICIENT_ADDRESS_CAPACITY. */
int internet_choose_public(struct model *model, struct address *ret_address, struct error *error);
void internet_hold_public(struct model *model, struct address address, struct resource *holder);
void internet_let_go_public(struct model *model, struct address address, struct resource *holder);
/* NULL: nobody. */
struct resource *internet_public_holder(const struct model *model, struct address address);

/* Makes the records; once per world. */
void internet_create(struct transaction *transaction);
/* Marks the Internet as present in the kernel, and its hosts as running. */
void internet_realize(struct transaction *transaction);
/*
 * One more host, running. The name is a host label that no other one has; `address` (text) is a
 * public unicast IPv4 address that is nobody's and not in the pool for instances, or NULL for the
 * next one. ERROR_INVALID_PARAMETER_VALUE, ERROR_ADDRESS_IN_USE,
 * ERROR_INSUFFICIENT_ADDRESS_CAPACITY.
 */
int internet_host_create(struct transaction *transaction, const char *name, const char *address,
			 struct internet_host **ret_host, struct error *error);
/*
 * Takes a host out of the kernel. Its process is yet to be ended, and its record to be forgotten
 * then, in a transaction of its own: who is killed between them still knows the process. The
 * world's own can't go: ERROR_OPERATION_NOT_PERMITTED.
 */
int internet_host_end(struct transaction *transaction, struct internet_host *host,
		      struct error *error);
void internet_forget_hosts(struct transaction *transaction);
