/*
 * A packet's way through the model, step by step, there and back: what AWS's rules, as the model
 * has them, say becomes of it. It knows nothing of what fabric/ made of the same model, so that a
 * real packet is a check of both. Pure: no kernel, no clock.
 *
 * The order is AWS's: source check, security group out, network ACL out, route, gateways, network
 * ACL in, security group in. The answer goes the same way from the other end: what a group tracks
 * it lets pass, an ACL is asked again, by the ports that the sender may have chosen.
 */
#pragma once

#include "model/instance.h"
#include "model/internet.h"

#define PATH_PORT_FIRST 32768 /* ip_local_port_range: what a Linux client chooses from */
#define PATH_PORT_LAST	60999

/* Where a packet starts or is to go: an interface, a host of the Internet, or a mere address. */
struct path_place {
	const struct instance *instance;   /* NULL: not an instance's */
	const struct interface *interface; /* NULL: not an interface's, or not yet chosen */
	const struct internet_host *host;
	struct address address; /* of a mere address; else unset */
};

struct path_packet {
	struct address source, destination;
	uint8_t protocol; /* IPPROTO_TCP, _UDP or _ICMP */
	/* The port it goes to, any of these; of ICMP: type << 8 | code. */
	uint16_t first, last;
};

enum path_kind {
	PATH_START, /* where it begins, or why it can't */
	PATH_FAULT, /* what is asked to fail: see model/fault.h */
	PATH_SOURCE_CHECK,
	PATH_GROUP,
	PATH_ACL,
	PATH_ROUTE,
	PATH_ENDPOINT, /* a VPC endpoint's route: a record */
	PATH_INTERNET_GATEWAY,
	PATH_NAT_GATEWAY,
	PATH_PEERING,
	PATH_APPLIANCE, /* an instance that a route leads to */
	PATH_INTERNET,
	PATH_DELIVERY, /* to whom it is addressed */
	PATH_KIND_MAX,
};

enum path_result {
	PATH_PASSES,
	PATH_STOPS,
	PATH_PARTLY,  /* some of the ports that it may have do */
	PATH_DEPENDS, /* on what an instance does with it, which no rule says */
	PATH_NOTE,    /* it makes no difference */
	PATH_RESULT_MAX,
};

struct path_step {
	bool answer; /* of the way back */
	enum path_kind kind;
	enum path_result result;
	struct path_packet packet; /* as it is then */
	struct rid at;		   /* the interface, subnet, gateway … that it happens at */
	struct rid by; /* what decides: a group, an ACL, a route table …; unset: AWS's own rules */
	struct rid rule; /* of a group */
	bool egress;	 /* of a group or an ACL: its rules for what goes out */
	int64_t number;	 /* of an ACL's entry; 0: none */
	char *text;	 /* owned: one sentence without an end */
};

enum path_verdict {
	PATH_REACHES,
	PATH_STOPPED,
	PATH_SOMETIMES, /* by the port that the sender chooses */
	PATH_UNKNOWN,	/* it does, as far as the model can know */
};

struct path {
	struct path_packet packet; /* as it is sent */
	struct path_packet seen;   /* as it arrives; without a source when it doesn't */
	struct rid arrives_at;	   /* the interface where it does; unset: at none */
	struct path_step *steps;   /* owned */
	size_t step_count;
	enum path_verdict verdict;
	bool assumes;	 /* an instance on the way, or the real Internet, does what routers do */
	size_t decisive; /* the step that the verdict is about, unless it reaches */
	char *advice;	 /* owned: what to do next; NULL: nothing to be told */
};
void path_clear(struct path *path); /* for CLEANUP() too */

extern const char *const path_kind_names[];   /* by enum path_kind: "security-group" … */
extern const char *const path_result_names[]; /* by enum path_result */
extern const char *const path_verdict_names[];

/*
 * What a user calls something: an instance's or interface's id, an address, a Name tag that one
 * instance has, or the name of a host of the Internet. Any account's and region's. ERROR_NOT_FOUND;
 * ERROR_INVALID_PARAMETER_VALUE where it is no place to be sent to, or several have the name.
 */
int path_find(const struct model *model, const char *text, struct path_place *ret_place,
	      struct error *error);
/* "web", or the id, name or address where it has no such tag; borrowed from the model or in
 * `scratch`. */
const char *path_label(const struct path_place *place, struct buffer *scratch);

/*
 * The packet that a source sends to a destination: by its private address within a VPC and to a
 * peer, else by its public one, if it has one. `from` and `to` become the interfaces it is about.
 * `port`: of TCP and UDP. ERROR_INVALID_PARAMETER_VALUE: the source is a mere address, or either
 * has no address.
 */
int path_choose(const struct model *model, struct path_place *from, struct path_place *to,
		uint8_t protocol, uint16_t port, struct path_packet *ret_packet,
		struct error *error);
/* Its way, and its answer's, to be cleared. Never fails: a packet that can't be sent is stopped. */
void path_trace(const struct model *model, const struct path_place *from,
		const struct path_packet *packet, struct path *ret_path);

/* In one sentence without an end: "stopped by security group sg-… at eni-…: no ingress rule …". */
void path_summary(const struct path *path, struct buffer *text);
