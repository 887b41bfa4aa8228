/*
 * What a rule of a security group or a network ACL is about: a protocol and its ports.
 */
#pragma once

#include "base/util.h"

struct traffic {
	int64_t protocol; /* -1: all; else the IANA number, 0 … 255 */
	/*
	 * TCP (6) and UDP (17): first and last port, both included. ICMP (1) and ICMPv6 (58): type
	 * and code, -1 for any (type -1 has code -1). Every other protocol, and "all": -1 and -1.
	 */
	int64_t from, to;
};

bool traffic_has_ports(int64_t protocol);
bool traffic_is_icmp(int64_t protocol);
/* A name ("tcp", "udp", "icmp", "icmpv6", "all", in any case) or -1 … 255. Returns 0 or -EINVAL. */
int traffic_parse_protocol(const char *text, int64_t *ret_protocol);
/* The name of a protocol's number, static; NULL for one that has none here. */
const char *traffic_protocol_name(int64_t protocol);
