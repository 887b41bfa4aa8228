/*
 * The subnet's skeleton: where every packet between interfaces is judged. The order is AWS's (VPC
 * guide, "Infrastructure security"): source check, then security group out, then network ACL out,
 * and at the other end ACL in and group in; between two ports of one subnet there is no ACL.
 *
 * How a list of rules (a direction of the groups of a port, or of the subnet's ACL) is asked: V
 * names the list; "services" tells the service class of protocol and port, and which groups it is
 * open to (R); "peers" tells the class of the other end's address; a pair of both is in "open",
 * "narrow" or "denied", or the address is in "members" under R. What V, R and the classes are is
 * told in fabric/filters.h. All of it is look-ups, so the cost doesn't grow with the rules. An
 * ACL's list that is in "wide" is asked no further.
 *
 * Connections: each port keeps its own account of what it tracks, as AWS does. The connection's
 * labels hold the ids of the ports that track it as its originator (first 4 bytes, and a second one
 * in the next 4) and of those that track it as its responder (bytes 8 to 11, and 12 to 15): an
 * appliance and whom it forwards to, or from, may be in one subnet. What a port tracks passes it in
 * both directions until the entry expires, whatever becomes of the rules. A port that is no party
 * to it is asked anew, though the kernel has one entry for all of the subnet.
 *
 * Registers, when a list is asked: 0, 1: V; 2: protocol, then address; 3: port; 4, 5: R; 6, 7:
 * service; 8: peer.
 */
#include "netlink/skeleton.h"

#include <linux/if_packet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter_arp.h>
#include <linux/netfilter_ipv4.h>

static const struct field ether_destination = { NFT_PAYLOAD_LL_HEADER, 0, 6, 0, false };
static const struct field ether_source = { NFT_PAYLOAD_LL_HEADER, 6, 6, 0, false };
static const struct field source = { NFT_PAYLOAD_NETWORK_HEADER, 12, 4, 0, false };
static const struct field destination = { NFT_PAYLOAD_NETWORK_HEADER, 16, 4, 0, false };
static const struct field ttl = { NFT_PAYLOAD_NETWORK_HEADER, 8, 1, 10, false };
static const struct field ports = { NFT_PAYLOAD_TRANSPORT_HEADER, 0, 4, 0, false };
static const struct field destination_port = { NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, 0, false };
static const struct field type_and_code = { NFT_PAYLOAD_TRANSPORT_HEADER, 0, 2, 0, false };
static const struct field arp_sender = { NFT_PAYLOAD_NETWORK_HEADER, 8, 6, 0, false };
static const struct field arp_sender_address = { NFT_PAYLOAD_NETWORK_HEADER, 14, 4, 0, false };

/* clang-format off */
#define MARK	{ NFT_TYPE_MARK, 4 }
#define ADDRESS	{ NFT_TYPE_IPV4, 4 }
#define ETHER	{ NFT_TYPE_ETHER, 6 }
#define PROTO	{ NFT_TYPE_PROTO, 1 }
#define SERVICE	{ NFT_TYPE_SERVICE, 2 }
/* clang-format on */

static const struct set sets[] = {
	{ "sources", SET_ELEMENTS, { MARK, ETHER, ADDRESS }, {}, NULL, 0 },
	{ "unchecked", SET_ELEMENTS, { MARK }, {}, NULL, 0 },
	{ "ports", SET_ELEMENTS, { MARK }, { MARK, MARK, MARK }, NULL, 0 },
	{ "tracked", SET_ELEMENTS, { MARK, MARK }, {}, NULL, 0 },
	{ "egress", SET_ELEMENTS, { MARK, MARK }, { MARK, MARK }, NULL, 0 },
	{ "ingress", SET_ELEMENTS, { MARK, MARK }, { MARK, MARK }, NULL, 0 },
	{ "acl", SET_ELEMENTS, { MARK }, { MARK, MARK }, NULL, 0 },
	{ "services",
	  SET_INTERVALS,
	  { MARK, MARK, PROTO, SERVICE },
	  { MARK, MARK, MARK, MARK },
	  NULL,
	  0 },
	{ "peers", SET_INTERVALS, { MARK, MARK, ADDRESS }, { MARK }, NULL, 0 },
	{ "open", SET_ELEMENTS, { MARK, MARK, MARK }, {}, NULL, 0 },
	{ "narrow", SET_ELEMENTS, { MARK, MARK, MARK }, {}, NULL, 0 },
	{ "denied", SET_ELEMENTS, { MARK, MARK, MARK }, { MARK }, NULL, 0 },
	{ "members", SET_ELEMENTS, { MARK, MARK, ADDRESS }, {}, NULL, 0 },
	{ "wide", SET_ELEMENTS, { MARK, MARK }, {}, NULL, 0 },
	{ "listeners", SET_ELEMENTS, { ADDRESS, PROTO, SERVICE }, {}, NULL, 0 },
	{ SKELETON_DROPS, SET_COUNTERS, { MARK, MARK, MARK }, {}, NULL, 0 },
	NEXT_TTL_SET,
};

static const struct chain chains[] = {
	{ "guard", true, true, false, NF_INET_PRE_ROUTING, NF_IP_PRI_RAW },
	{ "own", false, false, false, 0, 0 },
	{ "untracked", true, false, false, NF_INET_LOCAL_OUT, NF_IP_PRI_RAW },
	{ "not_counted", true, false, false, NF_INET_PRE_ROUTING, NF_IP_PRI_MANGLE },
	{ "forward", true, true, false, NF_INET_FORWARD, NF_IP_PRI_FILTER },
	{ "input", true, false, false, NF_INET_LOCAL_IN, NF_IP_PRI_FILTER },
	{ "outward", false, false, false, 0, 0 },
	{ "inward", false, false, false, 0, 0 },
	{ "egress", false, false, false, 0, 0 },
	{ "egress_ports", false, false, false, 0, 0 },
	{ "egress_icmp", false, false, false, 0, 0 },
	{ "egress_rest", false, false, false, 0, 0 },
	{ "egress_track", false, false, false, 0, 0 },
	{ "egress_denied", false, false, false, 0, 0 },
	{ "ingress", false, false, false, 0, 0 },
	{ "ingress_ports", false, false, false, 0, 0 },
	{ "ingress_icmp", false, false, false, 0, 0 },
	{ "ingress_rest", false, false, false, 0, 0 },
	{ "ingress_track", false, false, false, 0, 0 },
	{ "ingress_denied", false, false, false, 0, 0 },
	{ "acl_out", false, false, false, 0, 0 },
	{ "acl_out_ports", false, false, false, 0, 0 },
	{ "acl_out_icmp", false, false, false, 0, 0 },
	{ "acl_out_rest", false, false, false, 0, 0 },
	{ "acl_out_denied", false, false, false, 0, 0 },
	{ "acl_in", false, false, false, 0, 0 },
	{ "acl_in_ports", false, false, false, 0, 0 },
	{ "acl_in_icmp", false, false, false, 0, 0 },
	{ "acl_in_rest", false, false, false, 0, 0 },
	{ "acl_in_denied", false, false, false, 0, 0 },
};

#define ORIGINAL 0 /* enum ip_conntrack_dir */
#define REPLY	 1
/* Not RELATED: an ICMP error that a rule lets pass says nothing about the flow it is about. */
#define OWN_PACKET (NF_CT_STATE_BIT(IP_CT_NEW) | NF_CT_STATE_BIT(IP_CT_ESTABLISHED))

/* clang-format off */
#define PROTOCOL_PORT	META(NFT_META_L4PROTO, 2), LOAD(destination_port, 3)
#define PROTOCOL_ICMP	META(NFT_META_L4PROTO, 2), LOAD(type_and_code, 3)
#define PROTOCOL_ALONE	META(NFT_META_L4PROTO, 2), SET(0, 3)
#define CLASSES(peer)	MAP("services", 0, 4), LOAD(peer, 2), MAP("peers", 0, 8)
#define SERVICE_ONLY(peer) MAP("services", 0, 4), LOAD(peer, 6)
#define LIST_OF(group, lists) META(group, 0), MAP("ports", 0, 0), MAP(lists, 0, 0)
#define ACL_LIST(direction) SET(direction, 0), MAP("acl", 0, 0)

/* What a port's groups say, by the protocol: nothing is to be tracked, it is, or it's denied. */
#define GROUP_RULES(chain_, group_, lists_, service_, peer_) \
	{ chain_, { LIST_OF(group_, lists_), service_, CLASSES(peer_), IN_SET("open", 6), RETURN } }, \
	{ chain_, { LIST_OF(group_, lists_), service_, CLASSES(peer_), IN_SET("narrow", 6), \
		    GOTO(lists_ "_track") } }, \
	{ chain_, { LIST_OF(group_, lists_), service_, SERVICE_ONLY(peer_), IN_SET("members", 4), \
		    GOTO(lists_ "_track") } }, \
	{ chain_, { GOTO(lists_ "_denied") } }

/* What the ACL says; a rule that denies is counted by its number, "*" by 32767. */
#define ACL_RULES(chain_, acl_, direction_, service_, peer_, group_, kind_) \
	{ chain_, { ACL_LIST(direction_), service_, CLASSES(peer_), IN_SET("open", 6), RETURN } }, \
	{ chain_, { ACL_LIST(direction_), service_, CLASSES(peer_), MAP("denied", 6, 11), \
		    META(group_, 7), MAP("ports", 7, 7), SET(kind_, 10), \
		    COUNT(SKELETON_DROPS, 9), DROP } }, \
	{ chain_, { GOTO(acl_ "_denied") } }

#define COUNT_DROP(chain_, group_, kind_, number_) \
	{ chain_, { META(group_, 0), MAP("ports", 0, 0), SET(kind_, 3), SET(number_, 4), \
		    COUNT(SKELETON_DROPS, 2) } }, \
	{ chain_, { DROP } }

#define BY_PROTOCOL(chain_) \
	{ chain_, { META(NFT_META_L4PROTO, 0), IS(IPPROTO_TCP, 0), GOTO(chain_ "_ports") } }, \
	{ chain_, { META(NFT_META_L4PROTO, 0), IS(IPPROTO_UDP, 0), GOTO(chain_ "_ports") } }, \
	{ chain_, { META(NFT_META_L4PROTO, 0), IS(IPPROTO_ICMP, 0), GOTO(chain_ "_icmp") } }, \
	{ chain_, { GOTO(chain_ "_rest") } }
/* clang-format on */

#define ACL_STAR   32767
#define DHCP_PORTS (68 << 16 | 67) /* from the client's to the server's, RFC 2131 */

static const struct rule rules[] = {
	/*
	 * The guard, before connections are tracked: a port's packets are IPv4, from its own MAC
	 * and one of its own addresses, unless the source check is off. DHCP's first words have no
	 * address yet.
	 */
	{ "guard", { IN("fabric"), IPV4, ACCEPT } },
	{ "guard",
	  { IPV4, META(NFT_META_IIFGROUP, 0), LOAD(ether_source, 1), LOAD(source, 3),
	    IN_SET("sources", 0), GOTO("own") } },
	{ "guard", { IPV4, META(NFT_META_IIFGROUP, 0), IN_SET("unchecked", 0), ACCEPT } },
	{ "guard", { IN("lo"), ACCEPT } },
	{ "guard",
	  { IPV4, LOAD(source, 0), IS_WORD(0, 0), META(NFT_META_L4PROTO, 0), IS(IPPROTO_UDP, 0),
	    LOAD(ports, 0), IS_WORD(DHCP_PORTS, 0), ACCEPT } },
	{ "guard",
	  { IPV4, META(NFT_META_IIFGROUP, 0), MAP("ports", 0, 0), SET(DROP_SOURCE_CHECK, 3),
	    SET(0, 4), COUNT(SKELETON_DROPS, 2) } },

	/*
	 * What is between a port and the services is nobody's to filter, so nothing tracks it, and
	 * it passes when no more connections can be tracked.
	 */
	{ "own",
	  { LOAD(destination, 0), META(NFT_META_L4PROTO, 1), LOAD(destination_port, 2),
	    IN_SET("listeners", 0), NOTRACK, ACCEPT } },
	{ "own", { ACCEPT } },
	{ "untracked", { LOAD(source, 0), SET(0, 1), SET(0, 2), IN_SET("listeners", 0), NOTRACK } },

	{ "not_counted", { IPV4, LOAD(ttl, 0), MAP(NEXT_TTL, 0, 0), STORE(ttl, 0) } },

	/*
	 * A router's address answers its own subnet only, and so do the services: by their own
	 * ports, whoever is really the source, source check or not. Else somebody would get what
	 * is another's, as his metadata.
	 */
	{ "input", { IN("fabric"), DROP } },
	{ "input",
	  { META(NFT_META_IIFGROUP, 0), LOAD(ether_source, 1), LOAD(source, 3),
	    IN_SET("sources", 0), LOAD(destination, 4), META(NFT_META_L4PROTO, 5),
	    LOAD(destination_port, 6), IN_SET("listeners", 4), ACCEPT } },
	{ "input", { LOAD(destination, 0), SET(0, 1), SET(0, 2), IN_SET("listeners", 0), DROP } },

	/* No loops, by construction. */
	{ "forward", { IN("fabric"), OUT("fabric"), DROP } },
	{ "forward", { IN("fabric"), GOTO("inward") } },
	{ "forward", { JUMP("egress") } },
	{ "forward", { OUT("fabric"), GOTO("outward") } },
	{ "forward", { JUMP("ingress") } },
	{ "forward", { ACCEPT } },
	{ "inward", { JUMP("acl_in") } },
	{ "inward", { JUMP("ingress") } },
	{ "inward", { ACCEPT } },
	{ "outward", { JUMP("acl_out") } },
	{ "outward", { ACCEPT } },

	/* What this port tracks, as originator or as responder. */
	{ "egress",
	  { CT(NFT_CT_DIRECTION, 0), IS(ORIGINAL, 0), CT(NFT_CT_LABELS, 1),
	    META(NFT_META_IIFGROUP, 0), IN_SET("tracked", 0), RETURN } },
	{ "egress",
	  { CT(NFT_CT_DIRECTION, 0), IS(REPLY, 0), CT(NFT_CT_LABELS, 1), META(NFT_META_IIFGROUP, 2),
	    IN_SET("tracked", 2), RETURN } },
	{ "egress",
	  { CT(NFT_CT_DIRECTION, 0), IS(ORIGINAL, 0), CT(NFT_CT_LABELS, 1),
	    META(NFT_META_IIFGROUP, 1), IN_SET("tracked", 1), RETURN } },
	{ "egress",
	  { CT(NFT_CT_DIRECTION, 0), IS(REPLY, 0), CT(NFT_CT_LABELS, 1), META(NFT_META_IIFGROUP, 3),
	    IN_SET("tracked", 3), RETURN } },
	BY_PROTOCOL("egress"),
	GROUP_RULES("egress_ports", NFT_META_IIFGROUP, "egress", PROTOCOL_PORT, destination),
	GROUP_RULES("egress_icmp", NFT_META_IIFGROUP, "egress", PROTOCOL_ICMP, destination),
	GROUP_RULES("egress_rest", NFT_META_IIFGROUP, "egress", PROTOCOL_ALONE, destination),
	{ "egress_track",
	  { CT(NFT_CT_DIRECTION, 0), IS(ORIGINAL, 0), CT(NFT_CT_STATE, 0), ANY_OF(OWN_PACKET, 0),
	    CT(NFT_CT_LABELS, 8), IS_WORD(0, 8), META(NFT_META_IIFGROUP, 0), MAP("ports", 0, 2),
	    SET(0, 5), SET(0, 6), SET(0, 7), LABEL(4), RETURN } },
	{ "egress_track",
	  { CT(NFT_CT_DIRECTION, 0), IS(ORIGINAL, 0), CT(NFT_CT_STATE, 0), ANY_OF(OWN_PACKET, 0),
	    META(NFT_META_IIFGROUP, 0), MAP("ports", 0, 3), SET(0, 4), SET(0, 6), SET(0, 7),
	    LABEL(4) } },
	COUNT_DROP("egress_denied", NFT_META_IIFGROUP, DROP_GROUP_EGRESS, 0),

	{ "ingress",
	  { CT(NFT_CT_DIRECTION, 0), IS(ORIGINAL, 0), CT(NFT_CT_LABELS, 1),
	    META(NFT_META_OIFGROUP, 2), IN_SET("tracked", 2), RETURN } },
	{ "ingress",
	  { CT(NFT_CT_DIRECTION, 0), IS(REPLY, 0), CT(NFT_CT_LABELS, 1), META(NFT_META_OIFGROUP, 0),
	    IN_SET("tracked", 0), RETURN } },
	{ "ingress",
	  { CT(NFT_CT_DIRECTION, 0), IS(ORIGINAL, 0), CT(NFT_CT_LABELS, 1),
	    META(NFT_META_OIFGROUP, 3), IN_SET("tracked", 3), RETURN } },
	{ "ingress",
	  { CT(NFT_CT_DIRECTION, 0), IS(REPLY, 0), CT(NFT_CT_LABELS, 1), META(NFT_META_OIFGROUP, 1),
	    IN_SET("tracked", 1), RETURN } },
	BY_PROTOCOL("ingress"),
	GROUP_RULES("ingress_ports", NFT_META_OIFGROUP, "ingress", PROTOCOL_PORT, source),
	GROUP_RULES("ingress_icmp", NFT_META_OIFGROUP, "ingress", PROTOCOL_ICMP, source),
	GROUP_RULES("ingress_rest", NFT_META_OIFGROUP, "ingress", PROTOCOL_ALONE, source),
	{ "ingress_track",
	  { CT(NFT_CT_DIRECTION, 0), IS(ORIGINAL, 0), CT(NFT_CT_STATE, 0), ANY_OF(OWN_PACKET, 0),
	    CT(NFT_CT_LABELS, 8), IS_WORD(0, 10), META(NFT_META_OIFGROUP, 0), MAP("ports", 0, 4),
	    SET(0, 4), SET(0, 5), SET(0, 7), LABEL(4), RETURN } },
	{ "ingress_track",
	  { CT(NFT_CT_DIRECTION, 0), IS(ORIGINAL, 0), CT(NFT_CT_STATE, 0), ANY_OF(OWN_PACKET, 0),
	    META(NFT_META_OIFGROUP, 0), MAP("ports", 0, 5), SET(0, 4), SET(0, 5), SET(0, 6),
	    LABEL(4) } },
	COUNT_DROP("ingress_denied", NFT_META_OIFGROUP, DROP_GROUP_INGRESS, 0),

	/* Most ACLs let everything pass: that is known by V alone. */
	{ "acl_out", { ACL_LIST(1), IN_SET("wide", 0), RETURN } },
	{ "acl_in", { ACL_LIST(0), IN_SET("wide", 0), RETURN } },
	BY_PROTOCOL("acl_out"),
	ACL_RULES("acl_out_ports", "acl_out", 1, PROTOCOL_PORT, destination, NFT_META_IIFGROUP,
		  DROP_ACL_EGRESS),
	ACL_RULES("acl_out_icmp", "acl_out", 1, PROTOCOL_ICMP, destination, NFT_META_IIFGROUP,
		  DROP_ACL_EGRESS),
	ACL_RULES("acl_out_rest", "acl_out", 1, PROTOCOL_ALONE, destination, NFT_META_IIFGROUP,
		  DROP_ACL_EGRESS),
	COUNT_DROP("acl_out_denied", NFT_META_IIFGROUP, DROP_ACL_EGRESS, ACL_STAR),

	BY_PROTOCOL("acl_in"),
	ACL_RULES("acl_in_ports", "acl_in", 0, PROTOCOL_PORT, source, NFT_META_OIFGROUP,
		  DROP_ACL_INGRESS),
	ACL_RULES("acl_in_icmp", "acl_in", 0, PROTOCOL_ICMP, source, NFT_META_OIFGROUP,
		  DROP_ACL_INGRESS),
	ACL_RULES("acl_in_rest", "acl_in", 0, PROTOCOL_ALONE, source, NFT_META_OIFGROUP,
		  DROP_ACL_INGRESS),
	COUNT_DROP("acl_in_denied", NFT_META_OIFGROUP, DROP_ACL_INGRESS, ACL_STAR),
};

const struct skeleton_text skeleton_subnet = {
	.mark = "minivpc subnet 6",
	.family = NFPROTO_INET,
	.chains = chains,
	.chain_count = ARRAY_SIZE(chains),
	.sets = sets,
	.set_count = ARRAY_SIZE(sets),
	.rules = rules,
	.rule_count = ARRAY_SIZE(rules),
};

/*
 * ARP's own table: only its own addresses are to be learnt from a port. There is no ARP on the
 * fabric. Whether the source check is on doesn't matter: the neighbours of a VPC are known by the
 * API alone, so ARP in another's name has no use.
 */
static const struct set arp_sets[] = {
	{ "senders", SET_ELEMENTS, { MARK, ETHER, ADDRESS }, {}, NULL, 0 },
};

static const struct chain arp_chains[] = {
	{ "input", true, true, false, NF_ARP_IN, 0 },
};

static const struct rule arp_rules[] = {
	{ "input",
	  { META(NFT_META_IIFGROUP, 0), LOAD(arp_sender, 1), LOAD(arp_sender_address, 3),
	    IN_SET("senders", 0), ACCEPT } },
};

const struct skeleton_text skeleton_subnet_arp = {
	.mark = "minivpc subnet arp 1",
	.family = NFPROTO_ARP,
	.chains = arp_chains,
	.chain_count = ARRAY_SIZE(arp_chains),
	.sets = arp_sets,
	.set_count = ARRAY_SIZE(arp_sets),
	.rules = arp_rules,
	.rule_count = ARRAY_SIZE(arp_rules),
};

/*
 * A route to an appliance (an interface) sends to its MAC on the fabric, which is not that of the
 * subnet's own end: so the frame says which route its sender's subnet took, and the subnet of the
 * appliance needn't guess. Such a frame would be dropped as another host's.
 */
static const struct set steering_sets[] = {
	{ "steered", SET_ELEMENTS, { ETHER }, { MARK }, NULL, 0 },
};

static const struct chain steering_chains[] = {
	{ "ingress", true, false, false, NF_NETDEV_INGRESS, 0 },
};

static const struct rule steering_rules[] = {
	{ "ingress",
	  { LOAD(ether_destination, 0), MAP("steered", 0, 2), PUT(NFT_META_MARK, 2),
	    SET(PACKET_HOST, 3), PUT(NFT_META_PKTTYPE, 3) } },
};

const struct skeleton_text skeleton_subnet_steering = {
	.mark = "minivpc subnet steering 1",
	.family = NFPROTO_NETDEV,
	.device = "fabric",
	.chains = steering_chains,
	.chain_count = ARRAY_SIZE(steering_chains),
	.sets = steering_sets,
	.set_count = ARRAY_SIZE(steering_sets),
	.rules = steering_rules,
	.rule_count = ARRAY_SIZE(steering_rules),
};

/*
 * Faults, in a table of their own that is there only while there are some: who has none pays for
 * none. A port's packets are lost on its link: after it has sent them and before anything has seen
 * them, or after everything has let them pass and before a connection that they begin counts. Group
 * 0 is all that is no port: in a subnet that is dark nothing comes in by "fabric" either, so that
 * no connection's state there knows of what went on outside. Silent, and counted as no rule's drop.
 */
static const struct set fault_sets[] = {
	{ "dark", SET_ELEMENTS, { MARK }, {}, NULL, 0 },
	{ "lost", SET_INTERVALS, { MARK, MARK }, {}, NULL, 0 },
	{ "too_fast_from",
	  SET_RATES,
	  { MARK },
	  { { NFT_TYPE_INTEGER, 8 }, { NFT_TYPE_INTEGER, 4 } },
	  NULL,
	  0 },
	{ "too_fast_to",
	  SET_RATES,
	  { MARK },
	  { { NFT_TYPE_INTEGER, 8 }, { NFT_TYPE_INTEGER, 4 } },
	  NULL,
	  0 },
};

static const struct chain fault_chains[] = {
	/* Before the kernel puts fragments together, at -400. */
	{ "from", true, false, false, NF_INET_PRE_ROUTING, -450 },
	{ "to", true, false, false, NF_INET_POST_ROUTING, NF_IP_PRI_NAT_SRC + 1 },
};

#define FAULTY(chain_, group_, rates_)                                                             \
	{ chain_, { META(group_, 0), IN_SET("dark", 0), DROP } },                                  \
		{ chain_, { META(group_, 0), RANDOM(LOST_OF, 1), IN_SET("lost", 0), DROP } },      \
	{                                                                                          \
		chain_,                                                                            \
		{                                                                                  \
			META(group_, 0), IN_SET(rates_, 0), DROP                                   \
		}                                                                                  \
	}

static const struct rule fault_rules[] = {
	FAULTY("from", NFT_META_IIFGROUP, "too_fast_from"),
	FAULTY("to", NFT_META_OIFGROUP, "too_fast_to"),
};

const struct skeleton_text skeleton_subnet_faults = {
	.mark = "minivpc subnet faults 1",
	.family = NFPROTO_IPV4,
	.chains = fault_chains,
	.chain_count = ARRAY_SIZE(fault_chains),
	.sets = fault_sets,
	.set_count = ARRAY_SIZE(fault_sets),
	.rules = fault_rules,
	.rule_count = ARRAY_SIZE(fault_rules),
};
