/*
 * Where Amazon's services are found in every subnet. VPC user guide, "Amazon DNS server" and "VPC
 * DNS attributes"; EC2 guide, "Link-local addresses". Pure functions of the VPC.
 */
#pragma once

#include "model/subnet.h"

enum service_kind {
	SERVICE_DNS,  /* port 53, UDP and TCP */
	SERVICE_IMDS, /* instance metadata: TCP port 80 */
	SERVICE_NTP,  /* UDP port 123 */
};

struct service {
	enum service_kind kind;
	struct address address; /* an address may have several */
	uint8_t protocol;	/* IPPROTO_UDP or IPPROTO_TCP */
	uint16_t port;
	/* The address is there all the same, and silent: DNS while enableDnsSupport is off. */
	bool silent;
};

/*
 * Those of a subnet, in a fixed order, as an array that the caller frees; what is not in the kernel
 * has none. The addresses: 169.254.169.253, .254 and .123, and the third of each of the VPC's
 * blocks, which no interface can have.
 */
size_t services_of(const struct model *model, const struct subnet *subnet,
		   struct service **ret_services);
