/*
 * Real packets, sent from where instances are. A namespace is entered only to open a socket in it,
 * by this one process; the sockets are served together afterwards, so that thousands of probes take
 * no longer than the slowest.
 */
#pragma once

#include "base/cidr.h"
#include "base/error.h"

enum probe_result {
	PROBE_SILENT,  /* nothing came back in time */
	PROBE_OPEN,    /* it was answered */
	PROBE_REFUSED, /* the port is closed: who says so has got the packet */
	PROBE_UNSENT,  /* the sender's own kernel had no way: `sys` says why */
};

/* Somewhere to send from: one address of an instance or of a host of the Internet. */
struct probe_source {
	int process; /* a pidfd of a process there */
	struct address address;
	int icmp; /* for probes_run(): the socket that all of its echo requests share */
};

struct probe {
	struct probe_source *source; /* borrowed */
	struct address destination;
	uint8_t protocol; /* IPPROTO_TCP, _UDP or _ICMP */
	uint16_t port;
	bool expected; /* somebody is to answer: worth a longer wait */
	/* what came of it */
	enum probe_result result;
	int sys;
	int64_t us; /* until then; negative: nothing has yet */
	/* inside */
	int fd;
	int64_t sent; /* in microseconds */
};

/*
 * Sends all, and waits until each that is `expected` has its result, `patience` milliseconds at
 * most, and a shorter while for the others. -errno when a namespace can't be entered.
 */
int probes_run(struct probe *probes, size_t count, int patience, struct error *error);

/*
 * How often this machine's table of neighbours was full, since it started; 0 where nobody knows. It
 * has one limit for all namespaces (net.ipv4.neigh.default.gc_thresh3), and instances of one subnet
 * that all talk to all fill it: then an instance can't ask for its neighbour's address, until
 * entries are PROBE_NEIGHBOUR_MS old and may go.
 */
uint64_t probe_neighbours_full(void);
#define PROBE_NEIGHBOUR_MS 5500

/* Who looks at what arrives, with a socket in the receiver's own namespace. */
struct witness {
	int fd;	       /* -1: none */
	bool arrived;  /* the probe's packet came in */
	bool answered; /* something was sent back, */
	bool refused;  /* a closed port's ICMP error, for a datagram */
};
/* Opens it; close it with closep(&witness->fd). */
int witness_open(int process, struct witness *ret_witness, struct error *error);
/* Looks through what passed since then for what belongs to the probe. */
void witness_read(struct witness *witness, const struct probe *probe);
