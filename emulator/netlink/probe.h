/*
 * What the kernel offers, asked by making it: each thing that a namespace of ours is put together
 * from, by itself, in the caller's own way of making it. See kernel_open() for the handle.
 */
#pragma once

#include "netlink/kernel.h"

enum probe {
	PROBE_NAMESPACE,
	PROBE_BRIDGE,
	PROBE_VETH,
	PROBE_RULE,
	PROBE_NFTABLES,
	PROBE_INTERVALS,
	PROBE_CONNECTIONS,
	PROBE_LABELS,
	PROBE_NOTRACK,
	PROBE_COUNTERS,
	PROBE_ARP,
	PROBE_INGRESS,
	PROBE_REWRITE,
	PROBE_NAT,
	PROBE_MASQUERADE,
	PROBE_RANDOM,
	PROBE_REJECT,
	PROBE_RATES,
	PROBE_COUNTS,
	PROBE_DELAY,
	PROBE_SKELETONS,
	PROBE_MAX,
};

struct probe_result {
	int result;	    /* 0, or a negative errno: it is not there */
	struct error error; /* then: the kernel's words */
};

/*
 * Asks for all of them. To be called in network and mount namespaces that the caller has made for
 * it and is about to leave (/run/netns among the mounts): what was made stays there.
 */
void kernel_probe(struct kernel *kernel, struct probe_result ret_results[PROBE_MAX]);
