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
	OBJECT_RULE,
	OBJECT_DELAY,
	OBJECT_SYSCTL,
	OBJECT_SKELETON,
	OBJECT_ELEMENT,
	OBJECT_FOREIGN,
};

struct mac {
	uint8_t bytes[6];
};

enum link_type {
	LINK_LOOPBACK, /* "lo" set up; it can't be deleted */
	LINK_BRIDGE,   /* no STP, no multicast snooping, no IPv6 address generation */
	LINK_VETH,     /* a pair; deleting this end deletes the peer */
};

/* Device groups from here on mark links that are being removed. */
#define GROUP_DOOMED 0xf0000000u

struct link_object {
	char name[DEVICE_NAME_MAX];
	enum link_type type;
	uint32_t mtu;	/* both ends of a pair; 0: the kernel's default */
	struct mac mac; /* all zero: the kernel chooses */
	/*
	 * The device group, by which the skeletons' rules and elements know a port; 0 for none, and
	 * below GROUP_DOOMED.
	 */
	uint32_t group;
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
	bool unmarked;	  /* a dump's, never wanted: without ROUTE_PROTOCOL, so not by us */
};

enum route_type {
	ROUTE_UNICAST,
	ROUTE_BLACKHOLE, /* silent drop */
};

/* One route per table, destination and metric. Marked by ROUTE_PROTOCOL as ours. */
struct route_object {
	uint32_t table;	 /* 0: the main table */
	uint32_t metric; /* of two with one destination the one with the lower metric counts */
	struct cidr destination; /* 0.0.0.0/0 is the default route */
	enum route_type type;
	struct address gateway;	      /* unset: on link. With one, RTNH_F_ONLINK is always set */
	char device[DEVICE_NAME_MAX]; /* "" for a blackhole */
	/* 0: the device's. Where that takes in more, what is forwarded is cut or refused here. */
	uint32_t mtu;
};

#define ROUTE_PROTOCOL 77

/* Permanent (NUD_PERMANENT). */
struct neighbour_object {
	char device[DEVICE_NAME_MAX];
	struct address address;
	struct mac mac;
	bool unmarked; /* as an address's */
};

/*
 * A static entry in the bridge that `device` is a port of ("bridge fdb … master static"). A bridge
 * has one entry per address, so the device is no part of the identity.
 */
struct fdb_object {
	char device[DEVICE_NAME_MAX];
	struct mac mac;
};

/* Policy routing, IPv4: packets with that mark ask the table before the main one. */
struct rule_object {
	uint32_t mark, table;
};

#define RULE_PRIORITY 1000

/* What leaves by the device waits: its root queue is a netem, which not every kernel has. */
struct delay_object {
	char device[DEVICE_NAME_MAX];
	uint32_t microseconds; /* below DELAY_MOST */
};

#define DELAY_MOST 200000000 /* the kernel counts 64 ns in 32 bits */

/*
 * A number under /proc/sys/net of the namespace: "ipv4/ip_forward". Putting it writes it, whatever
 * is there; deleting it does nothing; dumps don't show it. Where the kernel has no br_netfilter,
 * "bridge/bridge-nf-call-…" is not there, and 0 all the same.
 */
struct sysctl_object {
	char path[56];
	int32_t value;
};

/*
 * The static nftables skeletons: one table "minivpc" (family inet unless said), laid down in one
 * atomic batch and never changed; after that only elements of its sets and maps come and go.
 */
enum skeleton {
	/*
	 * Subnet: the anti-spoofing guard (hook prerouting), the network ACL for what comes from or
	 * goes to the device "fabric", and the security groups of both ports (hook forward). What
	 * came in by "fabric" never leaves by it again (the fabric is free of loops by
	 * construction); chain "input": everything from "fabric" is dropped (a router's address
	 * and services answer their own subnet only), and so is what is for a service's address and
	 * not in set "listeners"; the time to live is counted up, so that forwarding leaves
	 * it as it was (AWS's routers are no hops). See skeleton_subnet.c.
	 */
	SKELETON_SUBNET,
	/* Subnet, family arp: only from a port's own addresses. */
	SKELETON_SUBNET_ARP,
	/*
	 * Subnet, family netdev, on the device "fabric": what comes for an appliance's MAC of the
	 * fabric is taken in and marked for its own route. Goes with the device.
	 */
	SKELETON_SUBNET_STEERING,
	/*
	 * Subnet, family ip: what is from or to a port in set "dark" is dropped, from anywhere else
	 * too where 0 is in it; of a port in the intervals of set "lost" so many in LOST_OF; and
	 * what is faster than the port's rate. Nobody is told.
	 */
	SKELETON_SUBNET_FAULTS,
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
	 * The packet inside an ICMP error, one of its own too, is translated, or no error would
	 * find its socket. The time to live is counted up here too.
	 */
	SKELETON_INTERNET_GATEWAY,
	/*
	 * VPC peering connection (family ip): what is forwarded comes in by "requester" from an
	 * address in the intervals of set "requester" and leaves by "accepter", or the other way
	 * round; anything else is dropped, and so is what is for the connection itself. The time
	 * to live is counted up.
	 */
	SKELETON_PEERING,
	/*
	 * NAT gateway (family ip), with one device, "eth0": what comes from an address in the
	 * intervals of set "inside" is forwarded with the source one of map "slots" and a port
	 * from NAT_PORT_FIRST to NAT_PORT_LAST; replies find their way back; anything else that is
	 * new is dropped. TCP, UDP and ICMP only; fragments of UDP only. TCP from inside that
	 * belongs to no connection is answered with a reset. It is a hop.
	 */
	SKELETON_NAT_GATEWAY,
	/*
	 * The Internet with an uplink (family ip): what leaves by device UPLINK_DEVICE has
	 * UPLINK_ADDRESS as its source, for whom replies come back; destinations that don't exist
	 * on the Internet (those the gateways drop), and anything with another source, are dropped
	 * there.
	 */
	SKELETON_UPLINK,
	SKELETON_MAX,
};

/* 55,000 for each destination (VPC guide, "NAT gateway basics"). */
#define NAT_PORT_FIRST 1024
#define NAT_PORT_LAST  56023
#define NAT_IDLE       350 /* seconds that a connection may be idle */
/* New connections are spread evenly over so many slots, whatever addresses these hold. */
#define NAT_SLOTS 8

#define UPLINK_DEVICE  "uplink"
#define UPLINK_ADDRESS 0xa9fe0202u /* 169.254.2.2 */

#define LOST_OF 1000000 /* packets */

struct skeleton_object {
	enum skeleton skeleton;
	/* A dump's, never wanted: what of it is not as it was laid down, in words; "": nothing.
	 * What is put in its place takes all of it along. */
	char damage[64];
};

/*
 * The sets and maps whose elements come and go. Keys and values are what the rules have in the
 * kernel's registers: fields one after the other, each padded with zeros to a multiple of 4 bytes;
 * what comes from a packet is in network order, numbers of the kernel's (device groups) in the
 * host's. In the table: group is a port's device group, P, V and R are 8 bytes each that name an
 * interface's groups, a version of a list of rules and a set of referenced groups.
 */
enum element_map {
	ELEMENT_PUBLIC,	 /* SKELETON_INTERNET_GATEWAY: address : address */
	ELEMENT_PRIVATE, /* the same */
	/* SKELETON_PEERING: addresses, an interval: where packets of the side may come from */
	ELEMENT_REQUESTER,
	ELEMENT_ACCEPTER,
	/* SKELETON_NAT_GATEWAY */
	ELEMENT_INSIDE,	  /* addresses, an interval: whose packets are translated */
	ELEMENT_NAT_SLOT, /* 0 … NAT_SLOTS - 1 (4 bytes) : address */
	/* SKELETON_SUBNET */
	ELEMENT_SOURCE,	   /* group . MAC . address: what a port may send from */
	ELEMENT_UNCHECKED, /* group: the port may send from anything */
	ELEMENT_PORT,	   /* group : P . the port's id (4 bytes) */
	ELEMENT_TRACKED,   /* group . id, for the ports there are */
	ELEMENT_EGRESS,	   /* P : V */
	ELEMENT_INGRESS,   /* P : V */
	ELEMENT_ACL,	   /* 1 for egress, 0 for ingress (4 bytes) : V */
	ELEMENT_SERVICE,   /* V . protocol . port, an interval : R . service (8 bytes) */
	ELEMENT_PEER,	   /* V . address, an interval : peer (4 bytes) */
	ELEMENT_OPEN,	   /* service . peer: passes (a group's rule: without being tracked) */
	ELEMENT_NARROW,	   /* service . peer: passes and is tracked */
	ELEMENT_DENIED,	   /* service . peer : number of the ACL's rule (4 bytes) */
	ELEMENT_MEMBER,	   /* R . address */
	ELEMENT_WIDE,	   /* V: an ACL's list that lets everything pass, whatever its pairs are */
	/* address . protocol . port: a service of the namespace's own; address . 0 . 0: its place
	 */
	ELEMENT_LISTENER,
	/* SKELETON_SUBNET_ARP */
	ELEMENT_SENDER, /* group . MAC . address */
	/* SKELETON_SUBNET_STEERING */
	ELEMENT_STEERED, /* MAC : mark (4 bytes) */
	/* SKELETON_SUBNET_FAULTS */
	ELEMENT_DARK, /* group; 0: all that is no port */
	ELEMENT_LOST, /* group . 0 … LOST_OF, network order, an interval: what of a port is lost */
	ELEMENT_RATE_FROM, /* group : bytes per second (8 bytes) . burst (4), the host's order */
	ELEMENT_RATE_TO,
	ELEMENT_MAP_MAX,
};

#define ELEMENT_KEY_MAX 16

struct element_object {
	enum element_map map;
	uint8_t key[ELEMENT_KEY_MAX];
	uint8_t end[ELEMENT_KEY_MAX]; /* intervals: the first key after it; else zeros */
	uint8_t value[ELEMENT_KEY_MAX];
};

/* Which skeleton an element belongs in. */
enum skeleton skeleton_of(enum element_map map);

/* Why a packet of a port was dropped: counted by the subnet's skeleton. */
enum drop_kind {
	DROP_SOURCE_CHECK = 1, /* not from an address of its own */
	DROP_GROUP_EGRESS,     /* no rule of its security groups */
	DROP_GROUP_INGRESS,
	DROP_ACL_EGRESS, /* a rule of the network ACL, by its number; "*" is 32767 */
	DROP_ACL_INGRESS,
	DROP_KIND_MAX,
};

struct drop_counter {
	uint32_t port; /* the id of ELEMENT_PORT, as a number of the host's */
	enum drop_kind kind;
	uint32_t rule; /* of an ACL; else 0 */
	uint64_t packets, bytes;
};

struct drop_list {
	struct drop_counter *items; /* owned */
	size_t count;
};

/* The destination that most connections go to, from behind one address. */
struct busiest {
	uint64_t connections; /* 0: there is none */
	uint32_t address;     /* host order */
	uint8_t protocol;
	uint16_t port; /* of ICMP 0 */
};

struct connection_counts {
	uint64_t connections; /* tracked now */
	struct busiest busiest;
	uint64_t failed; /* that could not be tracked: no port was free */
};

/*
 * A dump's, never wanted: what somebody else has put beside ours and packets obey, an nftables
 * table or a route or rule of another protocol. It bears no mark of ours: deleting it does nothing.
 */
struct foreign_object {
	char what[96]; /* in words */
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
		struct rule_object rule;
		struct delay_object delay;
		struct sysctl_object sysctl;
		struct skeleton_object skeleton;
		struct element_object element;
		struct foreign_object foreign;
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
/* The device that an address, route, neighbour, FDB entry or delay belongs to; "" for everything
 * else. */
const char *object_device(const struct object *object);
/* "subnet-0…: route 10.0.2.0/24 via 10.0.2.1 dev fabric", for error texts and tests. */
struct object_text {
	char text[256];
};
struct object_text object_describe(const struct object *object);

/* The same without its namespace, and of a link with all that `other` (NULL: nothing) has
 * otherwise.
 */
struct object_text object_describe_beside(const struct object *object, const struct object *other);

/* The bytes of an IPv4 address, for a key. */
static inline void element_put_address(uint8_t *bytes, struct address address)
{
	memcpy(bytes, address.bytes, 4);
}
