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
