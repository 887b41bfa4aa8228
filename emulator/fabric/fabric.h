/*
 * From the model to the kernel. Every resource has facets: lists of kernel objects that exist
 * because of it, each a pure function of the model. The fabric remembers what it applied; a change
 * recomputes the facets that the touched resources have a part in, and hands the differences to
 * netlink/. So a command touches only what it changes, and the cost of a launch does not grow with
 * the number of instances.
 *
 * README.md has the picture. A subnet's namespace has its router's address on `lo`, a port for each
 * interface (eni0…), and `fabric`, its port on the VPC's bridge, by which it reaches the others:
 * each by its router's address, the gateway by 169.254.0.1. An appliance, an interface that routes
 * point at, has an address (MAC) of its own on the bridge: see SKELETON_SUBNET_STEERING.
 *
 * A peering is a namespace with a port on two such bridges, "requester" and "accepter", and the way
 * to the subnets of both VPCs; theirs to it is by 169.254.1.<its number>.
 *
 * Ports inside a subnet are routed, not bridged: all traffic crosses the subnet's IP forward hook,
 * broadcast and unknown ethertypes go nowhere by construction, and a subnet of any size fills at a
 * flat rate (a bridge takes 1,023 ports, and each costs more than the one before).
 */
#pragma once

#include "fabric/facet.h"
#include "netlink/kernel.h"

struct fabric;

struct fabric *fabric_new(struct kernel *kernel, const struct model *model);
struct fabric *fabric_free(struct fabric *fabric); /* leaves the kernel alone; always NULL */

/* Adds the facets that a transaction's resources have a part in, as they were and as they are. */
void fabric_touched(const struct transaction *transaction, struct facet_set *set);
/*
 * Brings those facets to what the model says now. All or nothing: on failure the kernel is as
 * before, and the fabric remembers that. After a roll-back of the model the same call undoes.
 */
int fabric_apply(struct fabric *fabric, struct facet_set *set, struct error *error);
/*
 * Superseded lists of rules (filters.h) stay in the kernel until the second sweep after: as far
 * apart as no packet takes from one look-up to the next, say 50 ms. While fabric_needs_sweep() says
 * so, somebody has to call it. What can't be removed is tried again by the next one.
 */
bool fabric_needs_sweep(const struct fabric *fabric);
int fabric_sweep(struct fabric *fabric, struct error *error);
