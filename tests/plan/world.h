/*
 * What the plan tests share: the unit tests' world (tests/unit/world.h) with an in-memory kernel
 * and a fabric under it, the scenario that most of them begin with, and the check that whatever is
 * done to it is done whole or not at all.
 */
#pragma once

#include "../unit/world.h"

#include "fabric/audit.h"
#include "model/acl.h"
#include "model/attachment.h"
#include "model/defaults.h"
#include "model/gateway.h"
#include "model/group.h"
#include "model/internet.h"
#include "model/nat_gateway.h"
#include "model/peering.h"
#include "model/prefix_list.h"
#include "model/route.h"
#include "netlink/fake.h"

extern struct kernel *kernel;
extern struct fabric *fabric;

/* For cmocka: a region's defaults, of which nothing is in the kernel. */
int set_up(void **state);
int tear_down(void **state);

/* As world/ does it: apply; on failure roll back and undo. 0 or a negative errno. */
int commit(void);
/* What was superseded goes by the second sweep. */
void sweep(void);

/* ---- the scenario; what makes it fails the test when it is refused, and commits nothing ---- */

/*
 * seed() makes 10.0.0.0/16 with a gateway, a public subnet (10.0.1.0/24, whose table has a default
 * route), a private one (10.0.2.0/24) and an instance in each.
 */
extern struct vpc *vpc;
extern struct subnet *public_subnet, *private_subnet;
extern struct gateway *gateway;
extern struct route_table *table;
extern struct instance *web, *database;
void seed(void);

/* The seed, and another VPC, 10.1.0.0/16, with a subnet and an instance. */
extern struct vpc *other_vpc;
extern struct subnet *other_subnet;
void seed_other(void);
/* An active peering, routes to it in every table, and a reference from this VPC to the other. */
struct peering *join(void);
/* A route to it in all tables of a VPC. */
void route_through(struct rid vpc_id, const char *block, const struct peering *peering);

struct subnet *make_subnet(struct vpc *of, const char *cidr);
/* Each with a process; the last one of them. */
struct instance *launch(struct subnet *subnet, int count);
struct interface *interface_of(const struct instance *instance);
struct group *default_group(void); /* of the seed's VPC */
/* Lets in TCP to a port, from a block or, when that is NULL, from a group. */
void authorize(struct group *group, int port, const char *block, struct rid peer);

/* ---- what is in the kernel ---- */

/* An object whose description has the text. */
bool has(struct rid ns, const char *text);
void show(struct rid ns);
size_t count_elements(struct rid ns, enum element_map map);
/* Everything in every namespace, as one text. */
char *whole_kernel(void);
/* What the model wants is what the kernel has. */
void assert_whole(void);

#define assert_has(ns, text)                                                                       \
	do {                                                                                       \
		if (!has(ns, text)) {                                                              \
			show(ns);                                                                  \
			fail_msg("missing: %s", text);                                             \
		}                                                                                  \
	} while (0)
#define assert_lacks(ns, text)                                                                     \
	do {                                                                                       \
		if (has(ns, text)) {                                                               \
			show(ns);                                                                  \
			fail_msg("too much: %s", text);                                            \
		}                                                                                  \
	} while (0)

/* ---- each kernel change fails once ---- */

#define MANY SIZE_MAX

struct step {
	void (*take)(void);
	size_t least, most; /* changes of the kernel */
};

/* Things that are done one after the other, each committed. */
struct series {
	void (*prepare)(void); /* before the first; NULL: nothing */
	const struct step *steps;
	size_t count;
	/* What else is as before when a change of that step has failed; may be NULL. */
	void (*undone)(size_t step);
};
#define STEPS(array) .steps = (array), .count = ARRAY_SIZE(array)

/* A new world, prepared, in which so many of the steps are taken. */
void series_go_to(const struct series *series, size_t taken);
/*
 * Each change that each step makes in the kernel fails once, after the steps before it: the kernel
 * is as it was, and the step can be taken then. And once more in a swept world, where a
 * reconciliation finds nothing to mend.
 */
void assert_whole_or_undone(const struct series *series);
