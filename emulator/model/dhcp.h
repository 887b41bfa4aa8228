/*
 * DHCP option sets. VPC user guide, "DHCP option sets in Amazon VPC".
 */
#pragma once

#include "model/common.h"

struct dhcp_value {
	char *value;
};

struct dhcp_option {
	char *key;
	struct dhcp_value *values;
	size_t value_count;
};

struct dhcp_options {
	struct resource resource;
	struct dhcp_option *options;
	size_t option_count;
	bool is_default; /* the set that new VPCs of the region get */
};

extern const struct resource_type dhcp_options_type;

/* The region's default set: domain name and AmazonProvidedDNS. */
void dhcp_create_default(struct transaction *transaction, struct scope *scope);
/* Its id, or none. */
struct rid dhcp_default(const struct scope *scope);
