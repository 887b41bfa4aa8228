/*
 * The way from the simulated Internet to the real one: pasta (Debian: passt) holds a device in the
 * Internet's namespace and speaks for what comes by it with ordinary sockets of the host's. So the
 * host's addresses, routes, firewall and forwarding stay as they are, and nobody there gets in.
 *
 * Like instances it goes on without the daemon, whose next one adopts it: no flow is lost over a
 * restart. Who it is stands in a file that it wrote itself, before it became pasta.
 */
#pragma once

#include "base/id.h"
#include "base/loop.h"
#include "base/paths.h"

/* In the world's run-time directory. */
#define UPLINK_RECORD "uplink"	   /* "PID START-TIME\n" */
#define UPLINK_LOG    "uplink.log" /* what pasta says */

struct uplink;

/* Is pasta there? -ENOENT with what to do. */
int uplink_check(struct error *error);
/*
 * Adopts the pasta that is there or starts one, and starts another one whenever it ends: after a
 * second, then two, up to a minute. `internet` names the namespace, which must be there.
 */
int uplink_open(struct loop *loop, const struct paths *paths, struct rid internet,
		struct uplink **ret_uplink, struct error *error);
/* Lets go; pasta goes on. NULL is fine; always NULL. */
struct uplink *uplink_close(struct uplink *uplink);
/* Ends the world's pasta, if there is one, and waits for that (bounded: 10 s). */
int uplink_end(const struct paths *paths, struct error *error);
