/*
 * NAT gateways. VPC user guide, "NAT gateways".
 *
 * One has an interface of its own in its subnet, which nobody else may manage, and so an address
 * like an instance's: it takes part in the subnet's ACL and route table as one. A route to the
 * gateway is a route to that interface. One that has failed or was deleted stays visible for an
 * hour.
 */
#pragma once

#include "model/interface.h"

enum nat_state {
	NAT_PENDING, /* only in the reply to its creation */
	NAT_FAILED,
	NAT_AVAILABLE,
	NAT_DELETED,
};

/* A private address of its interface; the first one is the primary one. */
struct nat_address {
	struct address address;	       /* unset when the gateway failed before it had one */
	struct rid allocation;	       /* an Elastic IP; unset: private */
	struct rid association;	       /* the Elastic IP's */
	struct address public_address; /* unset: private */
};

struct nat_gateway {
	struct resource resource;
	struct rid subnet, vpc;
	struct rid interface; /* gone once it is deleted */
	bool is_private;
	int state; /* enum nat_state */
	struct nat_address *addresses;
	size_t address_count;
	char *failure_code, *failure_message;
	int64_t create_time, delete_time;
	char *client_token, *token_digest; /* NULL for none */
};

extern const struct resource_type nat_gateway_type;
extern const struct field nat_address_fields[]; /* of a struct nat_address */

struct nat_gateway *nat_gateway_get(const struct model *model, struct rid id); /* NULL: none */

struct nat_request {
	struct subnet *subnet;
	bool is_private;
	/* Elastic IPs, of a public one: the first is the primary address's. Owned. */
	struct rid_item *allocations;
	size_t allocation_count;
	struct address address; /* the primary private one; unset: chosen */
	/* Private addresses beside it: those asked for, and how many to choose. Owned. */
	struct interface_address *secondaries;
	size_t secondary_count, more;
	const char *client_token, *token_digest; /* NULL for none */
};
void nat_request_clear(struct nat_request *request); /* for CLEANUP() too */

/* AWS's limit for both kinds: "up to 8 private IPv4 addresses". */
#define NAT_ADDRESSES_MAX 8

/*
 * Makes one, in NAT_PENDING; nat_gateway_settle() is the caller's next step, after the reply. With
 * a client token that made one before: that one. What AWS finds out only while it makes the gateway
 * (no internet gateway, no free address, the Elastic IP is in use) makes one that fails.
 * ERROR_QUOTA, ERROR_IDEMPOTENT_MISMATCH, ERROR_INVALID_PARAMETER_VALUE (an address of another
 * subnet, too many), ERROR_ADDRESS_IN_USE.
 */
int nat_gateway_create(struct transaction *transaction, const struct nat_request *request,
		       struct nat_gateway **ret_gateway, struct error *error);
/* From NAT_PENDING to what it came to: NAT_AVAILABLE or NAT_FAILED. */
void nat_gateway_settle(struct transaction *transaction, struct nat_gateway *gateway);
/*
 * More private addresses, each with an Elastic IP where the gateway is public: `allocations` is as
 * long as there are addresses then, and nothing else. Appended; what is there stays as it is.
 * ERROR_INCORRECT_STATE (it is not available), ERROR_QUOTA (of its addresses),
 * ERROR_ALREADY_ASSOCIATED, those of interface_assign().
 */
int nat_gateway_assign(struct transaction *transaction, struct nat_gateway *gateway,
		       struct assignment *assignment, const struct rid_item *allocations,
		       struct error *error);
/*
 * Those addresses go, and their Elastic IPs are free again; connections that stood behind them end
 * at once, where AWS lets them drain. ERROR_INCORRECT_STATE, ERROR_INVALID_PARAMETER_VALUE (the
 * primary one, or not one of its own).
 */
int nat_gateway_unassign(struct transaction *transaction, struct nat_gateway *gateway,
			 const struct interface_address *addresses, size_t count,
			 struct error *error);
/* Its interface goes, its Elastic IPs are free again, routes to it become blackholes. */
void nat_gateway_delete(struct transaction *transaction, struct nat_gateway *gateway);
/* What ended long ago goes: by the transaction's time. */
void nat_gateways_age(struct transaction *transaction);
