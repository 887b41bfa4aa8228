/*
 * Kernel objects as plain values: what fabric/ wants to exist and what a dump finds. Nothing here
 * is libmnl's or libnftnl's. A namespace is named by a rid: its file is /run/netns/<rid text>.
 */
#pragma once

#include "base/cidr.h"
#include "base/error.h"
#include "base/id.h"

#include <sys/types.h>

enum object_kind {
	OBJECT_NONE = 0, /* in a struct change: absent */
	OBJECT_NETNS,
	OBJECT_LINK,
	OBJECT_ADDRESS,
	OBJECT_ROUTE,
	OBJECT_NEIGHBOUR,
	OBJECT_FDB,
	OBJECT_SYSCTL,
	OBJECT_SKELETON,
	OBJECT_ELEMENT,
};

struct mac {
	uint8_t bytes[6];
};

enum link_type {
	LINK_LOOPBACK, /* "lo" set up; it can't be deleted */
	LINK_BRIDGE,   /* no STP, no multicast snooping, no IPv6 address generation */
	LINK_VETH,     /* a pair; deleting this end deletes the peer */
};

struct link_object {
	char name[DEVICE_NAME_MAX];
	enum link_type type;
	uint32_t mtu;	/* both ends of a pair; 0: the kernel's default */
	struct mac mac; /* all zero: the kernel chooses */
	/* a veth end may be a bridge port: no learning, no flooding of any kind */
	char master[DEVICE_NAME_MAX]; /* "" for none */
	/* LINK_VETH only; the peer is created straight in its namespace and set up too */
	char peer_name[DEVICE_NAME_MAX];
	struct rid peer_ns;
	struct mac peer_mac;
	/*
	 * A dump's, never wanted: the link is down. Being set up is the last thing that happens to
	 * a link, so this is one whose making was cut short, or that somebody else has set down.
	 */
	bool down;
};

struct address_object {
	char device[DEVICE_NAME_MAX];
	struct cidr cidr; /* the address with its prefix length: host bits are kept */
};

enum route_type {
	ROUTE_UNICAST,
	ROUTE_BLACKHOLE, /* silent drop */
};

/* The main table; one route per destination. Marked by ROUTE_PROTOCOL as ours. */
struct route_object {
	struct cidr destination; /* 0.0.0.0/0 is the default route */
	enum route_type type;
	struct address gateway;	      /* unset: on link. With one, RTNH_F_ONLINK is always set */
	char device[DEVICE_NAME_MAX]; /* "" for a blackhole */
};

#define ROUTE_PROTOCOL 77

/* Permanent (NUD_PERMANENT). */
struct neighbour_object {
	char device[DEVICE_NAME_MAX];
	struct address address;
	struct mac mac;
};

/*
 * A static entry in the bridge that `device` is a port of ("bridge fdb … master static"). A bridge
 * has one entry per address, so the device is no part of the identity.
 */
struct fdb_object {
	char device[DEVICE_NAME_MAX];
	struct mac mac;
};

/*
 * A number under /proc/sys/net of the namespace: "ipv4/ip_forward". Putting it writes it, whatever
 * is there; deleting it does nothing; dumps don't show it.
 */
struct sysctl_object {
	char path[48];
	int32_t value;
};

/*
 * The static nftables skeletons: one table "minivpc" (family inet unless said), laid down in one
 * atomic batch and never changed; after that only map elements come and go.
 */
enum skeleton {
	/*
	 * Subnet: chain "forward" (hook forward): what came in by the device "fabric" never leaves
	 * by it again (the fabric is free of loops by construction); chain "input": everything from
	 * "fabric" is dropped (a router's address answers its own subnet only); chain "prerouting":
	 * the time to live is counted up, so that forwarding leaves it as it was (AWS's routers are
	 * no hops).
	 */
	SKELETON_SUBNET,
	/*
	 * Internet gateway, stateless 1:1 NAT (family ip, hook prerouting, priority raw, -300),
	 * maps "public" (public → private) and "private" (private → public), ipv4_addr : ipv4_addr:
	 *  from "fabric": destination in 10/8, 172.16/12, 192.168/16, 100.64/10, 169.254/16: drop;
	 *    source not in @private: drop; when the destination is in @public (hairpin),
	 *    destination := @public[destination]; then, in hook forward, when the packet has passed
	 *    the MTU check, source := @private[source]
	 *  from "internet": source in those same private ranges: drop; destination not in @public:
	 *    drop; destination := @public[destination]; accept
	 *  anything else: drop. IP and layer 4 checksums are mended by the payload expression.
	 * The packet inside an ICMP error is translated too, or no error would find its socket. The
	 * time to live is counted up here too.
	 */
	SKELETON_INTERNET_GATEWAY,
	SKELETON_MAX,
};

struct skeleton_object {
	enum skeleton skeleton;
};

enum element_map {
	ELEMENT_PUBLIC, /* SKELETON_INTERNET_GATEWAY's maps */
	ELEMENT_PRIVATE,
	ELEMENT_MAP_MAX,
};

struct element_object {
	enum element_map map;
	struct address key, value; /* IPv4 */
};

/*
 * Compared whole: always made from a zeroed object (objects are keys for memcmp()).
 */
struct object {
	enum object_kind kind;
	struct rid ns;
	union {
		pid_t netns_pid; /* OBJECT_NETNS: 0, a new namespace; else the one of that process
				  */
		struct link_object link;
		struct address_object address;
		struct route_object route;
		struct neighbour_object neighbour;
		struct fdb_object fdb;
		struct sysctl_object sysctl;
		struct skeleton_object skeleton;
		struct element_object element;
	};
};

struct object_list {
	struct object *items;
	size_t count;
};

void object_list_clear(struct object_list *list); /* for CLEANUP() too */
/* Appends a copy. */
void object_list_add(struct object_list *list, const struct object *object);

/* Orders by identity: two objects that can't exist side by side compare equal (a route by its
 * destination, a link by its name …). */
int object_compare_key(const struct object *a, const struct object *b);
/*
 * Equal in everything that a dump can see: a veth's peer can't be seen, nor the process a namespace
 * was taken from. An MTU or a MAC left to the kernel is the same as any.
 */
bool object_same(const struct object *a, const struct object *b);
/* The device that an address, route, neighbour or FDB entry belongs to; "" for everything else. */
const char *object_device(const struct object *object);
/* "subnet-0…: route 10.0.2.0/24 via 10.0.2.1 dev fabric", for error texts and tests. */
struct object_text {
	char text[256];
};
struct object_text object_describe(const struct object *object);
