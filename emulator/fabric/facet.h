/*
 * The wanted kernel objects of each facet: pure functions of the model.
 */
#pragma once

#include "fabric/filters.h"
#include "model/instance.h"

/* In the order in which they are made; taken away in the reverse order. */
enum facet_kind {
	FACET_INTERNET,	     /* the Internet's router and its namespace */
	FACET_VPC,	     /* the VPC's namespace and bridge */
	FACET_GATEWAY,	     /* an internet gateway's namespace and its port on the Internet */
	FACET_SUBNET,	     /* a subnet's namespace and its port on the fabric */
	FACET_SERVICES,	     /* the addresses of Amazon's services in a subnet */
	FACET_STEERING,	     /* a subnet with appliances takes in what is sent to them */
	FACET_ACL,	     /* a subnet's network ACL */
	FACET_FAULTS,	     /* a subnet in which something is faulty */
	FACET_GATEWAY_PORT,  /* the gateway's port on the VPC it is attached to, its route table */
	FACET_PEERING,	     /* a VPC peering connection's namespace and its ports on both VPCs */
	FACET_SUBNET_ROUTES, /* a subnet's route table, programmed */
	/* In this order no port ever has groups whose lists aren't there. */
	FACET_MEMBER,	 /* a network interface, where its groups are referred to */
	FACET_GROUP_SET, /* the rules of the groups that some interfaces of a subnet carry */
	FACET_INTERFACE, /* a network interface's own: what it may send, its groups */
	FACET_FAULTY,	 /* a network interface that is dark, or whose link is bad */
	FACET_MACHINE,	 /* an instance's, NAT gateway's or Internet host's namespace */
	FACET_PORT,	 /* a network interface, both ends */
	FACET_APPLIANCE, /* a network interface that routes point at, in its own subnet */
	FACET_VIA,	 /* a subnet's or gateway's routes by way of appliances */
	/* Of a network interface: the address that came with it; of an Elastic IP: itself. */
	FACET_PUBLIC,	    /* a public address's translation */
	FACET_PUBLIC_ROUTE, /* the Internet's route to it */
	FACET_MAX,
};

struct facet_key {
	enum facet_kind kind;
	struct rid id;
};

/* Appends what `key` wants; nothing when its resource is gone or not to be in the kernel. */
void facet_wanted(const struct model *model, struct filters *filters, struct facet_key key,
		  struct object_list *list);

/* The facets that a resource has a part in, beside those of others that depend on it. */
struct facet_set {
	struct facet_key *keys;
	size_t count;
	struct map seen;
};
void facet_set_clear(struct facet_set *set);
void facet_set_add(struct facet_set *set, enum facet_kind kind, struct rid id);
/* The facets to recompute when `resource` changes to or from this state. */
void facets_of(const struct model *model, const struct resource *resource, struct facet_set *set);
/* The interfaces of the subnet's VPC and its peers that the references tell apart from before. */
void facets_of_references(const struct model *model, struct rid subnet,
			  const struct reference_list *before, const struct reference_list *after,
			  struct facet_set *set);
/* Every facet of the whole model. */
void facets_all(const struct model *model, struct facet_set *set);
