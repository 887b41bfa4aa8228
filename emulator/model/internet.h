/*
 * The simulated Internet: one router and one host, shared by everything in a world. Addresses are
 * from 198.18.0.0/15, set aside for tests of network gear (RFC 2544), which no real host has.
 */
#pragma once

#include "model/common.h"

#define INTERNET_NETWORK      0xc6120000u /* 198.18.0.0/16 */
#define INTERNET_ROUTER	      0xc6120001u /* 198.18.0.1 */
#define INTERNET_HOST	      0xc612000au /* 198.18.0.10 */
#define INTERNET_PUBLIC_FIRST 0xc6120100u /* 198.18.1.0: what instances get */
#define INTERNET_PUBLIC_LAST  0xc612fffeu

struct internet {
	struct resource resource;
	bool realized; /* present in the kernel: since somebody needed it */
	char *region;  /* the world's own: what `minivpc env` names */
};

struct internet_host {
	struct resource resource;
	struct address address;
	int64_t pid; /* of its init; 0: not running */
	int64_t start_time;
	bool running;
};

extern const struct resource_type internet_type;
extern const struct resource_type internet_host_type;

/* The scope that holds what belongs to the world itself. */
struct scope *internet_scope(struct model *model);
/* NULL before internet_create(). */
struct internet *internet_get(const struct model *model);
struct internet_host *internet_host_get(const struct model *model);

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
/* Marks the Internet as present in the kernel, and its host as running. */
void internet_realize(struct transaction *transaction);
