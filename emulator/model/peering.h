/*
 * VPC peering connections. VPC peering guide, "VPC peering basics" and "Limitations".
 *
 * A connection is kept in the requester's scope, and seen from the accepter's too. Each of the two
 * has tags of its own and sees those only. It may lead to a VPC of another account or region of the
 * same world. Once it has ended it stays visible, as in AWS: failed and deleted ones for 2 hours,
 * expired and rejected ones for 2 days (to both sides; in AWS the accepter sees a rejected one for
 * 2 hours only).
 */
#pragma once

#include "model/vpc.h"

enum peering_state {
	PEERING_INITIATING, /* only in the reply to its creation */
	PEERING_PENDING,
	PEERING_PROVISIONING, /* only in the reply to its acceptance */
	PEERING_ACTIVE,
	PEERING_FAILED,
	PEERING_REJECTED,
	PEERING_EXPIRED,
	PEERING_DELETED,
};

struct peering_side {
	struct rid vpc; /* gone with the VPC when the connection has ended */
	char *account, *region;
	bool remote_dns; /* AllowDnsResolutionFromRemoteVpc */
};

struct peering {
	struct resource resource;
	struct peering_side requester, accepter;
	int state;	    /* enum peering_state */
	int64_t expiration; /* while it is pending, and when it has expired */
	int64_t end;	    /* when it ended; 0: it has not */
	char *ended_by;	    /* the account that deleted it; NULL: none */
	/*
	 * Its number on the fabrics of both VPCs, 1 to 254, while it is active: other active
	 * connections of either VPC have other ones.
	 */
	int64_t number;
	struct tag *accepter_tags; /* while the accepter's scope is another one */
	size_t accepter_tag_count;
};

extern const struct resource_type peering_type;

struct peering *peering_get(const struct model *model, struct rid id); /* NULL: none */
/* Is the scope the requester's or the accepter's? */
bool peering_is_of(const struct peering *peering, const struct scope *scope);
/*
 * As the scope sees it, with its own tags: a copy that borrows all it has from the connection.
 */
struct peering peering_as_seen(const struct peering *peering, const struct scope *scope);
/* Exchanges the tags of both sides; twice, around a change of the accepter's. */
void peering_swap_tags(struct peering *peering);
/* The VPC at the other end; unset when `vpc` is at neither. */
struct rid peering_other(const struct peering *peering, struct rid vpc);
/* The active ones of a VPC; the caller frees the array (NULL when none). */
size_t peerings_of(const struct model *model, struct rid vpc, struct peering ***ret_peerings);
/*
 * The active connection through which groups of one VPC may refer to groups of the other: within a
 * region. NULL when there is none.
 */
struct peering *peering_between(const struct model *model, struct rid vpc, struct rid other);

/* The VPC itself and those whose groups its own may refer to; the caller frees the array. */
size_t peering_referable(const struct model *model, struct rid vpc, struct vpc ***ret_vpcs);

struct peering_request {
	struct vpc *vpc;
	struct rid peer;
	const char *peer_account, *peer_region;
};

/*
 * Makes one, in PEERING_INITIATING; peering_settle() is the caller's next step, after the reply.
 * ERROR_INVALID_PARAMETER_VALUE (with itself), ERROR_NOT_FOUND (no such VPC of its own scope),
 * ERROR_PEERING_EXISTS, ERROR_QUOTA.
 */
int peering_create(struct transaction *transaction, const struct peering_request *request,
		   struct peering **ret_peering, struct error *error);
/*
 * To PEERING_PROVISIONING, with both VPCs realized, or PEERING_FAILED; the same next step.
 * ERROR_PEERING_STATE, ERROR_OPERATION_NOT_PERMITTED (not the accepter), ERROR_QUOTA.
 */
int peering_accept(struct transaction *transaction, struct peering *peering,
		   const struct scope *caller, struct error *error);
/* Ends what only replies show: the connection is pending, active or failed. */
void peering_settle(struct transaction *transaction, struct peering *peering);
/* ERROR_PEERING_STATE, ERROR_OPERATION_NOT_PERMITTED (not the accepter). */
int peering_reject(struct transaction *transaction, struct peering *peering,
		   const struct scope *caller, struct error *error);
/* ERROR_PEERING_STATE, ERROR_OPERATION_NOT_PERMITTED (pending, and not the requester). */
int peering_delete(struct transaction *transaction, struct peering *peering,
		   const struct scope *caller, struct error *error);
/* NULL: as it is. ERROR_OPERATION_NOT_PERMITTED (not active, or another's side), ERROR_PEERING_DNS.
 */
int peering_set_dns(struct transaction *transaction, struct peering *peering,
		    const struct scope *caller, const bool *requester, const bool *accepter,
		    struct error *error);

/*
 * May the VPC have this block too? ERROR_VPC_RANGE: a VPC that it is peered with has what overlaps.
 * ERROR_OPERATION_NOT_PERMITTED while it waits for another one to accept its request; the VPC that
 * is asked may, and then can't accept.
 */
int peering_check_block(const struct transaction *transaction, const struct vpc *vpc,
			struct cidr cidr, struct error *error);

/* Requests of a VPC that is deleted go with it. */
void peering_forget_vpc(struct transaction *transaction, const struct vpc *vpc);
/* Requests expire, and what has ended long ago goes: by the transaction's time. */
void peerings_age(struct transaction *transaction);
