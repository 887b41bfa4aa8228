/*
 * What a world is made of, as things inside of things and the ways between them: what `minivpc
 * graph` draws. Read from one reply of the daemon, so it is of one moment.
 *
 *	world > Internet > hosts
 *	      > peering connections
 *	      > region > detached gateways
 *	               > VPC > gateways (on its border), route tables, network ACLs, groups
 *	                     > zone > subnet > NAT gateways, instances, interfaces
 */
#pragma once

#include "base/buffer.h"
#include "base/error.h"
#include "base/reply.h"

enum place_kind {
	PLACE_WORLD,
	PLACE_INTERNET,
	PLACE_HOST,
	PLACE_PEERING,
	PLACE_REGION, /* of one account */
	PLACE_VPC,
	PLACE_GATEWAY, /* an internet gateway, or one that is egress-only */
	PLACE_ZONE,
	PLACE_SUBNET,
	PLACE_NAT,
	PLACE_INSTANCE,
	PLACE_INTERFACE, /* any that is not an instance's first, nor a NAT gateway's */
	PLACE_TABLE,
	PLACE_ACL,
	PLACE_GROUP,
	PLACE_KINDS,
};

extern const char *const place_kind_names[]; /* "vpc", "subnet" …: in JSON and as CSS classes */

struct box {
	int x, y, width, height; /* pixels */
};

/* "VPC ", "route table " …: before a title; "" where that speaks for itself. */
extern const char *const place_kind_labels[];

/* Each is one line of clean text, see display_line(). */
struct lines {
	char **items;
	size_t count;
};

struct place {
	enum place_kind kind;
	char *id;	      /* unique in the topology */
	char *title;	      /* its name, else its id or what it is */
	struct lines lines;   /* what is to be read of it */
	struct lines details; /* what is there beside that */
	struct place *parent;
	struct place **children;
	size_t child_count;
	bool is_faded;		   /* not in use: stopped, detached, pending */
	bool is_target;		   /* a route leads there */
	const struct place *table; /* PLACE_SUBNET: its route table; NULL: it is not shown */
	const void *item;	   /* of the reply */
	struct box box;		   /* set by layout_make() */
};

enum edge_kind {
	EDGE_ROUTE,    /* from a subnet or a gateway to a route's target */
	EDGE_ATTACHED, /* from a VPC to a peering connection */
	EDGE_INTERNET, /* from an internet gateway */
};

struct edge {
	enum edge_kind kind;
	const struct place *from, *to;
	char *label; /* a route's destinations; NULL: none */
};

struct topology {
	struct place *world;
	struct edge *edges;
	size_t edge_count;
};

/*
 * `topology` and `hosts` are the replies to GetTopology and ListInternetHosts; the first one must
 * outlive what is returned. `vpc` is the id or the name of the only VPC to show, or NULL. Default
 * VPCs where nothing is are one line unless they are asked for. Fails with -ENOENT when there is no
 * such VPC.
 */
int topology_read(const struct reply *topology, const struct reply *hosts, const char *vpc,
		  struct topology *ret_topology, struct error *error);
void topology_clear(struct topology *topology);
