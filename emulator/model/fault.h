/*
 * Faults: what is asked to fail, in AWS's words. None is a resource of AWS's; they are kept with
 * what belongs to the world itself, for an Availability Zone is everybody's.
 *
 * What is dark neither sends nor gets a packet, and nobody is told: no ICMP error, no reset, no
 * answer to ARP. The API goes on. Whatever else is recorded about it stays as it is, so that
 * connections which outlast the fault go on when it is healed.
 */
#pragma once

#include "model/instance.h"

enum fault_type {
	FAULT_ZONE,	/* all that is in an Availability Zone, of every account */
	FAULT_NAT,	/* a NAT gateway */
	FAULT_SUBNET,	/* the packets of a subnet; its instances' hosts are well */
	FAULT_INSTANCE, /* the host of an instance, until it is started on another one */
	FAULT_LINK,	/* an interface, or all of an instance's: its link is bad */
	FAULT_TYPE_MAX,
};

/* Of a link, in each direction by itself. */
struct fault_link {
	int64_t loss; /* of 1,000,000 packets so many are lost */
	int64_t rate; /* bits per second; what comes faster is dropped; 0: as fast as it is */
	/* Microseconds that what is for the interface waits, where the kernel can; that way only,
	 * so that a round trip takes so much longer. */
	int64_t delay;
};

#define FAULT_LOSS_ALL	 1000000
#define FAULT_DELAY_MOST 60000000
#define FAULT_RATE_LEAST 8000
#define FAULT_RATE_MOST	 100000000000 /* more than any link here carries */

struct fault {
	struct resource resource;
	int type;	   /* enum fault_type */
	struct rid target; /* of a zone: unset */
	char *region;	   /* of a zone, else NULL */
	int64_t zone;	   /* index into the region's zones */
	struct fault_link link;
	int64_t since;
};

extern const struct resource_type fault_type;
extern const char *const fault_type_names[]; /* "az", "nat" …; ends with NULL */

#define for_each_fault(variable, model)                                                            \
	for (size_t scope_##variable = 0; scope_##variable < (model)->scope_count;                 \
	     scope_##variable++)                                                                   \
		for_each_resource (struct fault, variable, (model)->scopes[scope_##variable],      \
				   KIND_FAULT)

/* What it is about: "us-east-1a", or an id. */
const char *fault_target(const struct fault *fault, struct buffer *scratch);

/*
 * Each makes the fault, or finds the one that is there already; a link's is changed to what is
 * asked for. The target is there: of a NAT gateway or an instance one that can fail, else
 * ERROR_INCORRECT_STATE, ERROR_INSTANCE_STATE. ERROR_INVALID_PARAMETER_VALUE: there is no such
 * zone.
 */
int fault_zone(struct transaction *transaction, const char *zone, struct fault **ret_fault,
	       struct error *error);
int fault_resource(struct transaction *transaction, enum fault_type type, struct resource *target,
		   struct fault **ret_fault, struct error *error);
/* `target`: an instance or an interface. ERROR_INVALID_PARAMETER_VALUE: out of bounds, or nothing
 * is asked for. ERROR_INSTANCE_STATE: a delay, which only a wired interface can show. */
int fault_bad_link(struct transaction *transaction, struct resource *target,
		   const struct fault_link *link, struct fault **ret_fault, struct error *error);
/* Those of a resource that goes. */
void faults_forget(struct transaction *transaction, struct rid target);
/* An instance that starts has a host that is well. */
void fault_leave_host(struct transaction *transaction, const struct instance *instance);

/* ---- what is faulty ---- */

/* The fault of the zone; NULL: it is well. */
const struct fault *fault_of_zone(const struct model *model, const char *region, int64_t zone);
/* By which the instance's host is not reached: its own, or its zone's; NULL: it is well. */
const struct fault *fault_of_host(const struct model *model, const struct instance *instance);
/* Has the fault to do with an interface in that subnet, or with the subnet itself? */
bool fault_is_in(const struct model *model, const struct fault *fault, const struct subnet *subnet);
/* And with this interface? */
bool fault_is_at(const struct model *model, const struct fault *fault,
		 const struct interface *interface);
/* Is the subnet itself dark: none of its packets goes anywhere? */
bool fault_darkens_subnet(const struct model *model, const struct subnet *subnet);
/* By which the interface is dark; NULL: it isn't. */
const struct fault *fault_darkens(const struct model *model, const struct interface *interface);
/* By which its link is bad; NULL: it is as it should be. What is said of the interface counts, then
 * what of its instance. */
const struct fault *fault_link_of(const struct model *model, const struct interface *interface);
/* ERROR_INSTANCE_CAPACITY where the zone is dark, with what AWS says to a launch of that type. */
int fault_check_capacity(const struct model *model, const struct subnet *subnet, const char *type,
			 struct error *error);
