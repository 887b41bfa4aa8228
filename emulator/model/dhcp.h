/*
 * DHCP option sets. VPC user guide, "DHCP option sets in Amazon VPC"; EC2 API reference,
 * CreateDhcpOptions. A set never changes.
 */
#pragma once

#include "model/vpc.h"

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
	struct dhcp_option *options; /* by key */
	size_t option_count;
	bool is_default; /* the set that new VPCs of the region get */
};

/* One option as it is asked for; all of it is borrowed. */
struct dhcp_request {
	const char *key;
	const char **values; /* one of them may hold several addresses, separated by commas */
	size_t value_count;
};

extern const struct resource_type dhcp_options_type;

/*
 * Makes a set of `count` options. ERROR_INVALID_PARAMETER_VALUE: a key that there isn't or that is
 * there twice, a value that isn't one of it, too many of them; ERROR_MISSING_PARAMETER: no value.
 */
int dhcp_create(struct transaction *transaction, struct scope *scope,
		const struct dhcp_request *requests, size_t count,
		struct dhcp_options **ret_options, struct error *error);
/* ERROR_DEPENDENCY_VIOLATION while a VPC has it. */
int dhcp_delete(struct transaction *transaction, struct dhcp_options *options, struct error *error);
/* Gives the VPC this set, or none (NULL); nothing is journalled when it has it already. */
void dhcp_associate(struct transaction *transaction, const struct dhcp_options *options,
		    struct vpc *vpc);

/* The region's default set, with its domain name and AmazonProvidedDNS; made when there is none. */
struct rid dhcp_default(struct transaction *transaction, struct scope *scope);
