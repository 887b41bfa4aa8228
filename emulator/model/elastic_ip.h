/*
 * Elastic IPs: public addresses that are kept, whatever they are associated with. VPC user guide,
 * "Elastic IP addresses"; EC2 user guide, "Public IPv4 addresses".
 *
 * One is associated with a private address of an interface: with it the interface is attached,
 * detached, stopped and started. A private address has one at most, and beside it none of the
 * public addresses that come and go with the instance.
 */
#pragma once

#include "model/interface.h"

struct elastic_ip {
	struct resource resource;
	struct address address; /* the public one */
	char *domain_name;	/* of its reverse DNS record, with the last dot; NULL: none */
	struct rid association; /* KIND_ADDRESS_ASSOCIATION; unset: of nothing */
	struct rid interface;
	struct address private_address;
};

extern const struct resource_type elastic_ip_type;
/* DescribeAddressesAttribute's. */
extern const struct field elastic_ip_attribute_fields[];

struct elastic_ip *elastic_ip_get(const struct model *model, struct rid id);
/* The one that the interface's private address has, or NULL. */
struct elastic_ip *elastic_ip_at(const struct model *model, struct rid interface,
				 struct address private_address);
/* The one that is associated by it, or NULL. */
struct elastic_ip *elastic_ip_find(const struct scope *scope, struct rid association);

/* ERROR_QUOTA, ERROR_INSUFFICIENT_ADDRESS_CAPACITY. */
int elastic_ip_allocate(struct transaction *transaction, struct scope *scope,
			struct elastic_ip **ret_elastic_ip, struct error *error);
/*
 * With a private address of the interface's (unset: the primary one), from wherever it is now and
 * in place of whatever public address that one has; nothing when it is there already. Unless it
 * `may_move`, neither may be associated. ERROR_GATEWAY_NOT_ATTACHED, ERROR_ALREADY_ASSOCIATED,
 * ERROR_INVALID_PARAMETER_VALUE (not the interface's address).
 */
int elastic_ip_associate(struct transaction *transaction, struct elastic_ip *elastic_ip,
			 struct interface *interface, struct address private_address, bool may_move,
			 struct error *error);
/* Nothing when it is associated with nothing. A running instance that had a public address by
 * itself gets a new one, unless it has a second card or another Elastic IP. */
void elastic_ip_disassociate(struct transaction *transaction, struct elastic_ip *elastic_ip);
/* Its private address is another interface's now. */
void elastic_ip_follow(struct transaction *transaction, struct elastic_ip *elastic_ip,
		       const struct interface *interface);
/* ERROR_ADDRESS_IN_USE while associated, ERROR_ADDRESS_LOCKED while it has a domain name. */
int elastic_ip_release(struct transaction *transaction, struct elastic_ip *elastic_ip,
		       struct error *error);
/* NULL: none from now on. */
void elastic_ip_set_domain_name(struct transaction *transaction, struct elastic_ip *elastic_ip,
				const char *name);
