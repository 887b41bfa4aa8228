/*
 * Network interfaces and the addresses they hold. EC2 user guide, "Elastic network interfaces".
 */
#pragma once

#include "model/subnet.h"

struct interface {
	struct resource resource;
	struct rid subnet, vpc;
	struct address address; /* private; for the interface's whole life */
	char *description;
	struct rid_item *groups;
	size_t group_count;
	bool source_dest_check;
	/* attachment */
	struct rid attachment; /* KIND_ATTACHMENT; unset while detached */
	struct rid instance;
	int64_t device_index;
	int64_t attach_time;
	bool delete_on_termination;
	/* a public address that comes with start and goes with stop */
	bool auto_public;
	struct address public_address; /* unset: none */
};

extern const struct resource_type interface_type;
/* The shorter form inside an instance; its filters begin with "network-interface.". */
extern const struct field interface_instance_fields[];

/* Kept per subnet by the index. */
struct subnet_usage {
	int64_t count;	 /* private addresses held */
	uint32_t cursor; /* where the search for a free one goes on */
};

struct interface *interface_get(const struct model *model, struct rid id);
/* The MAC address: locally administered, a pure function of the id. */
void interface_mac(struct rid id, uint8_t ret_mac[6]);
int64_t interface_addresses_in(const struct model *model, struct rid subnet);

/* Is there room for `more` interfaces in the region? ERROR_QUOTA. */
int interface_check_room(const struct model *model, const struct scope *scope, int64_t more,
			 struct error *error);

struct interface_request {
	struct subnet *subnet;
	struct address address;	       /* unset: chosen */
	const struct rid_item *groups; /* distinct; none: the VPC's default group */
	size_t group_count;
	const char *description; /* may be NULL */
};

/*
 * Errors: ERROR_ADDRESS_IN_USE, ERROR_INVALID_PARAMETER_VALUE (reserved, outside),
 * ERROR_INSUFFICIENT_ADDRESSES; those of interface_set_groups().
 */
int interface_create(struct transaction *transaction, const struct interface_request *request,
		     struct interface **ret_interface, struct error *error);
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
