/*
 * Route tables: information only; fabric/ programs them into the namespaces of the subnets and
 * gateways they are associated with. Rules: VPC user guide, "Route tables".
 */
#pragma once

#include "model/gateway.h"
#include "model/interface.h"
#include "model/prefix_list.h"
#include "model/subnet.h"

enum route_origin {
	ROUTE_ORIGIN_TABLE, /* CreateRouteTable: the local routes */
	ROUTE_ORIGIN_ROUTE, /* CreateRoute */
};

/* A block or a prefix list: one of them is set. */
struct destination {
	struct cidr cidr;
	struct rid prefix_list;
};

static inline struct destination to_cidr(struct cidr cidr)
{
	return (struct destination){ .cidr = cidr };
}

struct route {
	struct cidr destination; /* canonical; of IPv6: local */
	struct rid prefix_list;	 /* set: to this list's entries; `destination` is unset */
	/* An internet or NAT gateway, a peering connection or an interface, which may be gone
	 * since; unset: local. A route to an instance is one to its interface. */
	struct rid target;
	/* enum route_origin; a local route whose target was replaced keeps its own */
	int origin;
};

/* Of a subnet or, at the VPC's edge, of a gateway; of neither: the main association. */
struct route_table_association {
	struct rid id;
	struct rid subnet;
	struct rid gateway;
};

struct route_table {
	struct resource resource;
	struct rid vpc;
	char *client_token; /* NULL: none was given */
	struct route *routes;
	size_t route_count;
	struct route_table_association *associations;
	size_t association_count;
};

extern const struct resource_type route_table_type;

bool route_table_is_main(const struct route_table *table);
/* It is a gateway's: only whole subnets and blocks of the VPC, to interfaces or local. */
bool route_table_is_edge(const struct route_table *table);
/* The table a subnet's packets follow: its own or the VPC's main one. Never NULL. */
struct route_table *route_table_of(const struct subnet *subnet);
/* The one that what comes in by the gateway follows; NULL: all of its VPC is local. */
struct route_table *route_table_of_gateway(const struct gateway *gateway);
/* False for a blackhole: its target can't take packets. */
bool route_is_active(const struct model *model, const struct route_table *table,
		     const struct route *route);
/* A target that is an interface, or has one: it is anywhere within the VPC. */
static inline bool route_is_by_interface(struct rid target)
{
	return target.kind == KIND_NETWORK_INTERFACE || target.kind == KIND_NAT_GATEWAY;
}
/* That interface, whatever has become of it; unset for every other kind of target. */
struct rid route_interface_id(const struct model *model, const struct route *route);
/*
 * The same, if it can take packets now: it is an available NAT gateway's, or attached to an
 * instance that is live. Whether it forwards what it takes is its source/dest check's to say. NULL
 * for a blackhole and for every other kind of target.
 */
const struct interface *route_interface(const struct model *model, const struct route *route);

void route_table_create_main(struct transaction *transaction, struct vpc *vpc);
/*
 * With a client token (or NULL) that made a table before: that one, if it was for the same VPC.
 * ERROR_QUOTA, ERROR_IDEMPOTENT_MISMATCH.
 */
int route_table_create(struct transaction *transaction, struct vpc *vpc, const char *client_token,
		       struct route_table **ret_table, struct error *error);
/* ERROR_DEPENDENCY_VIOLATION while associated or main. */
int route_table_delete(struct transaction *transaction, struct route_table *table,
		       struct error *error);

/* Associating the same pair again answers the same id. ERROR_ALREADY_ASSOCIATED,
 * ERROR_INVALID_PARAMETER_VALUE (another VPC's). */
int route_table_associate(struct transaction *transaction, struct route_table *table,
			  const struct subnet *subnet, struct rid *ret_association,
			  struct error *error);
/*
 * The same for an internet gateway that is attached to the table's VPC. The association outlives
 * the attachment, as routes to the gateway do, and ends with the gateway. The table must be no main
 * one and hold only what a gateway's may: ERROR_INVALID_PARAMETER_VALUE.
 */
int route_table_associate_gateway(struct transaction *transaction, struct route_table *table,
				  const struct gateway *gateway, struct rid *ret_association,
				  struct error *error);
/* The table that holds an association, and its index there; NULL when there is none. */
struct route_table *route_table_find_association(const struct scope *scope, struct rid association,
						 size_t *ret_index);
/* ERROR_INVALID_PARAMETER_VALUE for the main one. */
int route_table_disassociate(struct transaction *transaction, struct route_table *table,
			     size_t index, struct error *error);
/* Moves association `index` of `from` to `to` under a new id; the main one too. Errors as of
 * associating. */
int route_table_replace(struct transaction *transaction, struct route_table *from, size_t index,
			struct route_table *to, struct rid *ret_association, struct error *error);
/* Ends the associations of a subnet or gateway. */
void route_table_forget(struct transaction *transaction, struct scope *scope, struct rid id);

/* With a block of the VPC, every table of it gains or loses the local route to it, whatever its
 * target was. */
void route_tables_add_local(struct transaction *transaction, const struct vpc *vpc,
			    struct cidr cidr);
void route_tables_remove_local(struct transaction *transaction, const struct vpc *vpc,
			       struct cidr cidr);
/* A route whose destination the block has in it, or is; NULL: none. Entries of prefix lists don't
 * count: they give way, see route_entry_counts(). */
const struct route *route_within(const struct route_table *table, struct cidr cidr);

/* Can the table take so many routes more? A route to a prefix list counts as the most it can hold.
 */
bool route_table_has_room(const struct model *model, const struct route_table *table, int64_t more);
/*
 * Does an entry of the list that `route` is to count as a route? Not where a CIDR route or an
 * earlier list has the same block, nor where a CIDR route to the same target could not be made:
 * within the VPC.
 */
bool route_entry_counts(const struct model *model, const struct route_table *table,
			const struct route *route, struct cidr entry);

/*
 * `target`: an internet or NAT gateway or an interface, of the table's VPC. Within the VPC's CIDR
 * blocks only a whole subnet can be led elsewhere, and only to one that is within the VPC; a
 * gateway's table leads nothing else, and only to interfaces. ERROR_ROUTE_EXISTS,
 * ERROR_INVALID_PARAMETER_VALUE, ERROR_UNSUPPORTED_OPERATION, ERROR_QUOTA.
 */
int route_create(struct transaction *transaction, struct route_table *table,
		 struct destination destination, const struct resource *target,
		 struct error *error);
/*
 * The same errors but for the first and the last; ERROR_INVALID_PARAMETER_VALUE when there is no
 * such route. A local route too, to an interface; `target` NULL makes it local again, and is
 * ERROR_INVALID_PARAMETER_VALUE for any other route.
 */
int route_replace(struct transaction *transaction, struct route_table *table,
		  struct destination destination, const struct resource *target,
		  struct error *error);
/* ERROR_ROUTE_NOT_FOUND; ERROR_INVALID_PARAMETER_VALUE for a local route or an endpoint's. */
int route_delete(struct transaction *transaction, struct route_table *table,
		 struct destination destination, struct error *error);

/*
 * The route to a service's prefix list that a VPC endpoint of `vpc` has in a table; no packet
 * follows it. ERROR_ROUTE_EXISTS, ERROR_INVALID_PARAMETER_VALUE, ERROR_QUOTA.
 */
int route_table_add_endpoint(struct transaction *transaction, struct route_table *table,
			     const struct prefix_list *list, const struct resource *endpoint,
			     struct rid vpc, struct error *error);
void route_table_remove_endpoint(struct transaction *transaction, struct route_table *table,
				 struct rid endpoint);
/* Is it the target of any route? */
bool route_table_leads_to(const struct route_table *table, struct rid target);
/* It is an endpoint's, which only that one's calls change. */
static inline bool route_is_of_endpoint(const struct route *route)
{
	return route->target.kind == KIND_VPC_ENDPOINT;
}
