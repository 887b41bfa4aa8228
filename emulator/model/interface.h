/*
 * Network interfaces and the addresses they hold. EC2 user guide, "Elastic network interfaces".
 */
#pragma once

#include "model/subnet.h"

/* A private address beside the primary one. */
struct interface_address {
	struct address address;
};

/* What it was attached by last, until it is attached again; lost when the daemon ends. */
struct ended_attachment {
	struct rid id, instance; /* unset: it never was */
	int64_t device_index, attach_time;
	bool delete_on_termination;
};

struct interface {
	struct resource resource;
	struct rid subnet, vpc;
	struct address address; /* private, the primary one; for the interface's whole life */
	struct interface_address *secondaries;
	size_t secondary_count;
	char *description;
	struct rid_item *groups;
	size_t group_count;
	bool source_dest_check;
	char *client_token, *token_digest; /* of its creation; NULL for none */
	bool is_fresh;			   /* while its creation is answered: "pending" */
	/* Set: it is this NAT gateway's, and nobody else may manage it. Then it has no groups,
	 * which let everything pass. */
	struct rid nat_gateway;
	struct rid endpoint; /* set: the same of a VPC endpoint's, which has groups */
	/* attachment: see attachment.h */
	struct rid attachment; /* KIND_ATTACHMENT; unset while detached */
	struct rid instance;
	int64_t device_index;
	int64_t attach_time;
	bool delete_on_termination;
	struct ended_attachment ended;
	bool is_seen_ended; /* in a copy that shows `ended` as its attachment */
	/* a public address that comes with start and goes with stop; an Elastic IP is no such one
	 */
	bool auto_public;
	struct address public_address; /* unset: none; see interface_public_at() */
};

extern const struct resource_type interface_type;
extern const struct field interface_fields[];
/* The shorter form inside an instance; its filters begin with "network-interface.". */
extern const struct field interface_instance_fields[];

/* On one interface: the most that any instance type allows (EC2 guide, "IP addresses per network
 * interface per instance type"). What an attached one may have its instance's type says. */
#define INTERFACE_ADDRESSES_MAX 50

/* Kept per subnet by the index. */
struct subnet_usage {
	int64_t count;	 /* private addresses held */
	uint32_t cursor; /* where the search for a free one goes on */
};

struct interface *interface_get(const struct model *model, struct rid id);
/* The one that has the private address, as any of its addresses; NULL: nobody has. */
struct interface *interface_at(const struct model *model, struct rid subnet,
			       struct address address);
/* The MAC address: locally administered, a pure function of the id. */
void interface_mac(struct rid id, uint8_t ret_mac[6]);
const char *interface_mac_text(struct rid id, struct buffer *scratch); /* "02:0a:1b:…" */
int64_t interface_addresses_in(const struct model *model, struct rid subnet);
/* Its private addresses: the primary one and then the others; unset past the end. */
struct address interface_address_at(const struct interface *interface, size_t index);

#define for_each_interface_address(variable, interface)                                            \
	for (size_t index_##variable = 0; index_##variable <= (interface)->secondary_count;        \
	     index_##variable++)                                                                   \
		for (struct address variable = interface_address_at(interface, index_##variable);  \
		     address_is_set(variable); variable = (struct address){ 0 })

/* The public address of one of its private ones: an Elastic IP, or the one that comes and goes with
 * the instance; unset for none. */
struct address interface_public_at(const struct model *model, const struct interface *interface,
				   struct address address);
/* The name of that public address; "" when it has none, as without both DNS attributes of the VPC.
 */
const char *interface_public_dns(const struct model *model, const struct interface *interface,
				 struct address address, struct buffer *scratch);
/* It is a service's, in the caller's subnet: not the caller's to change. */
bool interface_is_managed(const struct interface *interface);

/* Is there room for `more` interfaces in the region? ERROR_QUOTA. */
int interface_check_room(const struct model *model, const struct scope *scope, int64_t more,
			 struct error *error);

struct interface_request {
	struct subnet *subnet;
	struct address address; /* unset: chosen */
	/* Beside it: those asked for, and how many to choose. */
	struct interface_address *secondaries; /* owned */
	size_t secondary_count, more;
	struct rid_item *groups; /* owned, distinct; none: the VPC's default group */
	size_t group_count;
	struct rid nat_gateway, endpoint; /* whose it is to be; both unset: the caller's */
	/* NULL for none */
	const char *description, *client_token, *token_digest;
};
void interface_request_clear(struct interface_request *request); /* for CLEANUP() too */

/* How many addresses an interface takes that is made by this request. */
size_t interface_request_addresses(const struct interface_request *request);
/*
 * Errors: ERROR_ADDRESS_IN_USE, ERROR_INVALID_PARAMETER_VALUE (reserved, outside, named twice, the
 * subnet full), ERROR_QUOTA (interfaces, addresses on one); those of interface_set_groups().
 */
int interface_create(struct transaction *transaction, const struct interface_request *request,
		     struct interface **ret_interface, struct error *error);
/* Is it somebody's who is no user? ERROR_NO_PERMISSION, AWS's answer to whoever would manage it. */
int interface_check_managed(const struct interface *interface, struct error *error);
/* ERROR_INVALID_PARAMETER_VALUE while it is attached or a NAT gateway's. */
int interface_delete(struct transaction *transaction, struct interface *interface,
		     struct error *error);
/* Deletes it unasked; its Elastic IPs are disassociated. */
void interface_remove(struct transaction *transaction, struct interface *interface);

/* What is to be added to an interface: addresses, or how many to choose. */
struct assignment {
	struct interface_address *addresses; /* owned, distinct */
	size_t count, more;
	size_t limit;  /* of the interface's addresses, all counted */
	bool may_move; /* from another interface of the subnet */
};
/*
 * Appends secondary addresses; what it holds already stays as it is. The Elastic IP of one that is
 * moved comes along. ERROR_ALREADY_ASSIGNED,
 * ERROR_INVALID_PARAMETER_VALUE (reserved, outside, another's primary), ERROR_QUOTA,
 * ERROR_INSUFFICIENT_ADDRESSES.
 */
int interface_assign(struct transaction *transaction, struct interface *interface,
		     const struct assignment *assignment, struct error *error);
/* Their Elastic IPs are disassociated. ERROR_INVALID_PARAMETER_VALUE: the primary address, or not
 * one of its own. */
int interface_unassign(struct transaction *transaction, struct interface *interface,
		       const struct interface_address *addresses, size_t count,
		       struct error *error);
/* Gives it a fresh public address; nothing when it has one. ERROR_INSUFFICIENT_ADDRESS_CAPACITY. */
int interface_assign_public(struct transaction *transaction, struct interface *interface,
			    struct error *error);
void interface_release_public(struct transaction *transaction, struct interface *interface);
/* `groups`: one or more, distinct. ERROR_INVALID_PARAMETER (another VPC's), ERROR_QUOTA. */
int interface_set_groups(struct transaction *transaction, struct interface *interface,
			 const struct rid_item *groups, size_t count, struct error *error);
/* Off: it may send and take what is not its own, as a router must. */
void interface_set_source_dest_check(struct transaction *transaction, struct interface *interface,
				     bool check);
void interface_set_description(struct transaction *transaction, struct interface *interface,
			       const char *description);
