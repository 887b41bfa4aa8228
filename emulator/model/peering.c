/* VPC peering connections: see peering.h. */
#include "model/peering.h"

#define HOUR	 3600
#define DAY	 (24 * HOUR)
#define LIFETIME (7 * DAY) /* of a request */

/* ---- what clients see ---- */

static const char *const state_names[] = {
	"initiating-request",
	"pending-acceptance",
	"provisioning",
	"active",
	"failed",
	"rejected",
	"expired",
	"deleted",
	NULL,
};

static const struct peering *seen(const struct view *view)
{
	return (const struct peering *)view->resource;
}

static const char *get_message(const struct view *view, struct buffer *scratch)
{
	const struct peering *peering = seen(view);

	switch (peering->state) {
	case PEERING_INITIATING:
		return get_print(scratch, "Initiating Request to %s", peering->accepter.account);
	case PEERING_PENDING:
		return get_print(scratch, "Pending Acceptance by %s", peering->accepter.account);
	case PEERING_PROVISIONING:
		return "Provisioning";
	case PEERING_ACTIVE:
		return "Active";
	case PEERING_FAILED:
		return "Failed due to incorrect VPC-ID, Account ID, or overlapping CIDR range";
	case PEERING_REJECTED:
		return "Inactive";
	case PEERING_EXPIRED:
		return "Expired";
	default:
		return get_print(scratch, "Deleted by %s", peering->ended_by);
	}
}

/* The accepter's blocks are told when the connection is active, and none when it has ended. */
static const struct vpc *shown_vpc(const struct view *view)
{
	const struct peering *peering = seen(view);
	const struct peering_side *side = view->object;

	if (peering->end || (side == &peering->accepter && peering->state != PEERING_ACTIVE))
		return NULL;
	return vpc_get(view->model, side->vpc);
}

static const char *get_primary(const struct view *view, struct buffer *scratch)
{
	const struct vpc *vpc = shown_vpc(view);

	return vpc ? get_print(scratch, "%s", cidr_format(vpc->cidrs[0].cidr).text) : NULL;
}

static bool child_block(const struct view *view, size_t index, struct view *ret_child)
{
	const struct vpc *vpc = shown_vpc(view);

	*ret_child = *view;
	if (!vpc || index >= vpc->cidr_count)
		return false;
	ret_child->object = &vpc->cidrs[index];
	return true;
}

static bool child_ipv6_block(const struct view *view, size_t index, struct view *ret_child)
{
	const struct vpc *vpc = shown_vpc(view);

	*ret_child = *view;
	if (!vpc || index >= vpc->ipv6_cidr_count)
		return false;
	ret_child->object = &vpc->ipv6_cidrs[index];
	return true;
}

static bool child_options(const struct view *view, size_t index, struct view *ret_child)
{
	*ret_child = *view;
	return index == 0 && seen(view)->state == PEERING_ACTIVE;
}

static const struct field option_fields[] = {
	FIELD_OF(struct peering_side, remote_dns, FIELD_BOOL, "allowDnsResolutionFromRemoteVpc",
		 NULL, FIELD_SHOWN),
	FIELD_END,
};

static const struct field ipv6_block_fields[] = {
	FIELD_OF(struct block, cidr, FIELD_CIDR, "ipv6CidrBlock", NULL, FIELD_SHOWN),
	FIELD_END,
};

/* The two sides differ in their filters' names only. */
#define SIDE_FIELDS(name_, prefix_)                                                                \
	static const struct field name_##_block_fields[] = {                                       \
		FIELD_OF(struct block, cidr, FIELD_CIDR, "cidrBlock", prefix_ "cidr-block",        \
			 FIELD_SHOWN),                                                             \
		FIELD_END,                                                                         \
	};                                                                                         \
	static const struct field name_##_fields[] = {                                             \
		FIELD_GET_OF(get_primary, "cidrBlock", NULL),                                      \
		FIELD_CHILDREN_OF(child_block, name_##_block_fields, "cidrBlockSet"),              \
		FIELD_CHILDREN_OF(child_ipv6_block, ipv6_block_fields, "ipv6CidrBlockSet"),        \
		FIELD_OF(struct peering_side, account, FIELD_TEXT, "ownerId", prefix_ "owner-id",  \
			 FIELD_BOTH),                                                              \
		FIELD_CHILD_OF(child_options, option_fields, "peeringOptions"),                    \
		FIELD_OF(struct peering_side, remote_dns, FIELD_BOOL, "remoteDns", NULL,           \
			 FIELD_STORED),                                                            \
		FIELD_OF(struct peering_side, vpc, FIELD_RID, "vpcId", prefix_ "vpc-id",           \
			 FIELD_BOTH),                                                              \
		FIELD_OF(struct peering_side, region, FIELD_TEXT, "region", NULL, FIELD_BOTH),     \
		FIELD_END,                                                                         \
	}

SIDE_FIELDS(requester, "requester-vpc-info.");
SIDE_FIELDS(accepter, "accepter-vpc-info.");

static const struct field status_fields[] = {
	FIELD_ENUM_OF(struct peering, state, state_names, "code", "status-code", FIELD_SHOWN),
	FIELD_GET_OF(get_message, "message", "status-message"),
	FIELD_END,
};

static const struct field fields[] = {
	RESOURCE_FIELDS(struct peering),
	FIELD_GET_OF(get_id, "vpcPeeringConnectionId", "vpc-peering-connection-id"),
	FIELD_STRUCT_OF(struct peering, requester, requester_fields, "requesterVpcInfo",
			FIELD_BOTH),
	FIELD_STRUCT_OF(struct peering, accepter, accepter_fields, "accepterVpcInfo", FIELD_BOTH),
	FIELD_CHILD_OF(child_self, status_fields, "status"),
	FIELD_OF(struct peering, expiration, FIELD_TIME, "expirationTime", "expiration-time",
		 FIELD_BOTH),
	FIELD_ENUM_OF(struct peering, state, state_names, "state", NULL, FIELD_STORED),
	FIELD_OF(struct peering, end, FIELD_TIME, "end", NULL, FIELD_STORED),
	FIELD_OF(struct peering, ended_by, FIELD_TEXT, "endedBy", NULL, FIELD_STORED),
	FIELD_OF(struct peering, number, FIELD_INT, "number", NULL, FIELD_STORED),
	FIELD_LIST_OF(struct peering, accepter_tags, accepter_tag_count, tag_fields,
		      "accepterTagSet", FIELD_STORED),
	FIELD_END,
};

const struct resource_type peering_type = {
	.kind = KIND_VPC_PEERING,
	.size = sizeof(struct peering),
	.fields = fields,
	.tag_type = "vpc-peering-connection",
};

/* ---- looking them up ---- */

struct peering *peering_get(const struct model *model, struct rid id)
{
	return id.kind == KIND_VPC_PEERING ? (struct peering *)model_get(model, NULL, id) : NULL;
}

static bool is_side_of(const struct peering_side *side, const struct scope *scope)
{
	return streq(side->account, scope->account) && streq(side->region, scope->region);
}

bool peering_is_of(const struct peering *peering, const struct scope *scope)
{
	return is_side_of(&peering->requester, scope) || is_side_of(&peering->accepter, scope);
}

void peering_swap_tags(struct peering *peering)
{
	struct resource *resource = &peering->resource;
	struct tag *tags = resource->tags;
	const size_t count = resource->tag_count;

	resource->tags = peering->accepter_tags;
	resource->tag_count = peering->accepter_tag_count;
	peering->accepter_tags = tags;
	peering->accepter_tag_count = count;
}

struct peering peering_as_seen(const struct peering *peering, const struct scope *scope)
{
	struct peering seen_one = *peering;

	if (peering->resource.scope != scope)
		peering_swap_tags(&seen_one);
	return seen_one;
}

struct rid peering_other(const struct peering *peering, struct rid vpc)
{
	if (rid_equal(peering->requester.vpc, vpc))
		return peering->accepter.vpc;
	if (rid_equal(peering->accepter.vpc, vpc))
		return peering->requester.vpc;
	return (struct rid){ KIND_NONE, 0 };
}

#define for_each_peering(variable, model)                                                          \
	for (size_t scope_##variable = 0; scope_##variable < (model)->scope_count;                 \
	     scope_##variable++)                                                                   \
		for_each_resource (struct peering, variable, (model)->scopes[scope_##variable],    \
				   KIND_VPC_PEERING)

static bool has_end(const struct peering *peering, struct rid vpc)
{
	return rid_is_set(peering_other(peering, vpc));
}

size_t peerings_of(const struct model *model, struct rid vpc, struct peering ***ret_peerings)
{
	struct peering **found = NULL;
	size_t count = 0;

	for_each_peering(peering,
			 model) if (peering->state == PEERING_ACTIVE && has_end(peering, vpc)) *
		array_grow(&found, &count) = peering;
	*ret_peerings = found;
	return count;
}

/* The connection between two VPCs that has not ended; NULL when there is none. */
static struct peering *find_between(const struct model *model, struct rid vpc, struct rid other)
{
	for_each_peering(peering, model) if (!peering->end && rid_equal(peering_other(peering, vpc),
									other)) return peering;
	return NULL;
}

static bool is_within_region(const struct peering *peering)
{
	return streq(peering->requester.region, peering->accepter.region);
}

struct peering *peering_between(const struct model *model, struct rid vpc, struct rid other)
{
	struct peering *peering = rid_is_set(other) ? find_between(model, vpc, other) : NULL;

	return peering && peering->state == PEERING_ACTIVE && is_within_region(peering) ? peering
											: NULL;
}

size_t peering_referable(const struct model *model, struct rid vpc, struct vpc ***ret_vpcs)
{
	CLEANUP(freep) struct peering **peerings = NULL;
	size_t count = peerings_of(model, vpc, &peerings), found = 0;
	struct vpc **vpcs = NULL;

	*array_grow(&vpcs, &found) = vpc_get(model, vpc);
	for (size_t i = 0; i < count; i++)
		if (is_within_region(peerings[i]))
			*array_grow(&vpcs, &found) =
				vpc_get(model, peering_other(peerings[i], vpc));
	*ret_vpcs = vpcs;
	return found;
}

/* ---- verbs ---- */

static void fill_side(struct peering_side *side, struct rid vpc, const char *account,
		      const char *region)
{
	side->vpc = vpc;
	side->account = xstrdup(account);
	side->region = xstrdup(region);
}

static void end(struct transaction *transaction, struct peering *peering, enum peering_state state)
{
	transaction_edit(transaction, peering);
	peering->state = (int)state;
	peering->end = transaction->now;
	peering->number = 0;
	if (state != PEERING_EXPIRED)
		peering->expiration = 0;
}

/* The VPC that the request is for, if it is where the request says; NULL: it is not. */
static struct vpc *accepter_vpc(const struct model *model, const struct peering *peering)
{
	struct vpc *vpc = vpc_get(model, peering->accepter.vpc);

	return vpc && is_side_of(&peering->accepter, vpc->resource.scope) ? vpc : NULL;
}

static const struct block *find_overlap(const struct vpc *vpc, struct cidr cidr)
{
	for (size_t i = 0; i < vpc->cidr_count; i++)
		if (cidr_overlaps(vpc->cidrs[i].cidr, cidr))
			return &vpc->cidrs[i];
	return NULL;
}

static bool blocks_overlap(const struct vpc *a, const struct vpc *b)
{
	for (size_t i = 0; i < a->cidr_count; i++)
		if (find_overlap(b, a->cidrs[i].cidr))
			return true;
	return false;
}

static bool is_possible(const struct model *model, const struct peering *peering)
{
	const struct vpc *requester = vpc_get(model, peering->requester.vpc);
	const struct vpc *accepter = accepter_vpc(model, peering);

	return accepter && !blocks_overlap(requester, accepter);
}

static size_t count_requests(const struct scope *scope)
{
	size_t count = 0;

	for_each_resource (struct peering, peering, scope, KIND_VPC_PEERING)
		count += peering->state == PEERING_PENDING;
	return count;
}

static int check_active(const struct model *model, struct rid vpc, struct error *error)
{
	CLEANUP(freep) struct peering **active = NULL;
	size_t count = peerings_of(model, vpc, &active);

	return quota_check(model, QUOTA_PEERINGS, count + 1, error);
}

/* What can be known at once is refused; the rest makes a connection that fails. */
static int check_request(const struct model *model, const struct peering_request *request,
			 struct error *error)
{
	const struct scope *scope = request->vpc->resource.scope;
	const struct peering *other = find_between(model, request->vpc->resource.id, request->peer);
	const bool own = streq(request->peer_account, scope->account) &&
			 streq(request->peer_region, scope->region);
	int r;

	if (rid_equal(request->peer, request->vpc->resource.id))
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "A VPC cannot be peered with itself: %s",
				 rid_format(request->peer).text);
	if (own && !model_get(model, scope, request->peer))
		return error_subject(error, ERROR_NOT_FOUND, "vpc",
				     "The vpc ID '%s' does not exist",
				     rid_format(request->peer).text);
	if (other)
		return error_set(error, ERROR_PEERING_EXISTS,
				 "The VPC peering connection %s already exists between %s and %s",
				 rid_format(other->resource.id).text,
				 rid_format(request->vpc->resource.id).text,
				 rid_format(request->peer).text);
	if ((r = check_active(model, request->vpc->resource.id, error)) < 0)
		return r;
	return quota_check(model, QUOTA_PEERING_REQUESTS, count_requests(scope) + 1, error);
}

int peering_create(struct transaction *transaction, const struct peering_request *request,
		   struct peering **ret_peering, struct error *error)
{
	struct scope *scope = request->vpc->resource.scope;
	struct peering *peering;
	int r = check_request(transaction->model, request, error);

	if (r < 0)
		return r;
	peering = transaction_create(transaction, scope, KIND_VPC_PEERING);
	fill_side(&peering->requester, request->vpc->resource.id, scope->account, scope->region);
	fill_side(&peering->accepter, request->peer, request->peer_account, request->peer_region);
	peering->state = PEERING_INITIATING;
	peering->expiration = transaction->now + LIFETIME;
	*ret_peering = peering;
	return 0;
}

void peering_settle(struct transaction *transaction, struct peering *peering)
{
	transaction_edit(transaction, peering);
	if (peering->state == PEERING_PROVISIONING)
		peering->state = PEERING_ACTIVE;
	else if (peering->state == PEERING_INITIATING && is_possible(transaction->model, peering))
		peering->state = PEERING_PENDING;
	else if (peering->state == PEERING_INITIATING)
		end(transaction, peering, PEERING_FAILED);
}

static bool has_expired(const struct transaction *transaction, const struct peering *peering)
{
	return peering->state == PEERING_PENDING && peering->expiration <= transaction->now;
}

int peering_check_block(const struct transaction *transaction, const struct vpc *vpc,
			struct cidr cidr, struct error *error)
{
	const struct model *model = transaction->model;

	for_each_peering(peering, model)
	{
		const struct rid other = peering_other(peering, vpc->resource.id);
		const struct block *overlap = peering->state == PEERING_ACTIVE && rid_is_set(other)
						      ? find_overlap(vpc_get(model, other), cidr)
						      : NULL;

		if (overlap)
			return error_set(error, ERROR_VPC_RANGE,
					 "The CIDR '%s' conflicts with %s of %s, which is peered "
					 "by %s",
					 cidr_format(cidr).text, cidr_format(overlap->cidr).text,
					 rid_format(other).text,
					 rid_format(peering->resource.id).text);
		if (peering->state == PEERING_PENDING && !has_expired(transaction, peering) &&
		    rid_equal(peering->requester.vpc, vpc->resource.id))
			return error_set(error, ERROR_OPERATION_NOT_PERMITTED,
					 "A CIDR block can't be added to %s while its VPC peering "
					 "connection %s is pending acceptance",
					 rid_format(vpc->resource.id).text,
					 rid_format(peering->resource.id).text);
	}
	return 0;
}

static int wrong_state(const struct transaction *transaction, const struct peering *peering,
		       const char *to, struct error *error)
{
	return error_set(error, ERROR_PEERING_STATE,
			 "Invalid state transition for %s, attempted to transition from %s to %s",
			 rid_format(peering->resource.id).text,
			 state_names[has_expired(transaction, peering) ? (int)PEERING_EXPIRED
								       : peering->state],
			 to);
}

/* Accepting and rejecting is the accepter's, in his region. */
static int check_answer(const struct transaction *transaction, const struct peering *peering,
			const struct scope *caller, const char *verb, const char *to,
			struct error *error)
{
	const struct peering_side *side = &peering->accepter;

	if (!streq(side->account, caller->account))
		return error_set(error, ERROR_OPERATION_NOT_PERMITTED,
				 "User %s cannot %s peering %s", caller->account, verb,
				 rid_format(peering->resource.id).text);
	if (!streq(side->region, caller->region))
		return error_set(error, ERROR_OPERATION_NOT_PERMITTED,
				 "Incorrect region (%s) specified for this request. VPC peering "
				 "connection %s must be %sed in region %s",
				 caller->region, rid_format(peering->resource.id).text, verb,
				 side->region);
	if (peering->state != PEERING_PENDING || has_expired(transaction, peering))
		return wrong_state(transaction, peering, to, error);
	return 0;
}

/* The lowest number that no active connection of either VPC has. */
static int64_t free_number(const struct model *model, const struct peering *peering)
{
	bool taken[256] = { true };
	int64_t number = 0;

	for_each_peering(other, model) if (other->state == PEERING_ACTIVE &&
					   (has_end(other, peering->requester.vpc) ||
					    has_end(other, peering->accepter.vpc)))
		taken[other->number] = true;
	while (taken[number]) /* each VPC has 125 at most */
		number++;
	return number;
}

int peering_accept(struct transaction *transaction, struct peering *peering,
		   const struct scope *caller, struct error *error)
{
	struct model *model = transaction->model;
	int r;

	if ((r = check_answer(transaction, peering, caller, "accept", "active", error)) < 0 ||
	    (r = check_active(model, peering->requester.vpc, error)) < 0 ||
	    (r = check_active(model, peering->accepter.vpc, error)) < 0)
		return r;
	if (!is_possible(model, peering)) { /* a block came since */
		end(transaction, peering, PEERING_FAILED);
		return 0;
	}
	transaction_edit(transaction, peering);
	peering->number = free_number(model, peering);
	peering->state = PEERING_PROVISIONING;
	peering->expiration = 0;
	vpc_realize(transaction, vpc_get(model, peering->requester.vpc));
	vpc_realize(transaction, vpc_get(model, peering->accepter.vpc));
	return 0;
}

int peering_reject(struct transaction *transaction, struct peering *peering,
		   const struct scope *caller, struct error *error)
{
	int r = check_answer(transaction, peering, caller, "reject", "rejected", error);

	if (r == 0)
		end(transaction, peering, PEERING_REJECTED);
	return r;
}

static void end_by(struct transaction *transaction, struct peering *peering, const char *account)
{
	end(transaction, peering, PEERING_DELETED);
	peering->ended_by = xstrdup(account);
}

int peering_delete(struct transaction *transaction, struct peering *peering,
		   const struct scope *caller, struct error *error)
{
	if (peering->end || has_expired(transaction, peering))
		return wrong_state(transaction, peering, "deleting", error);
	if (peering->state == PEERING_PENDING && !is_side_of(&peering->requester, caller))
		return error_set(error, ERROR_OPERATION_NOT_PERMITTED,
				 "User %s cannot delete peering %s", caller->account,
				 rid_format(peering->resource.id).text);
	end_by(transaction, peering, caller->account);
	return 0;
}

static int check_dns(const struct model *model, const struct peering *peering,
		     const struct peering_side *side, const struct scope *caller, const char *name,
		     struct error *error)
{
	const struct rid vpcs[] = { peering->requester.vpc, peering->accepter.vpc };

	if (!is_side_of(side, caller))
		return error_set(error, ERROR_OPERATION_NOT_PERMITTED,
				 "User %s cannot modify the %s peering options of %s",
				 caller->account, name, rid_format(peering->resource.id).text);
	for (size_t i = 0; i < ARRAY_SIZE(vpcs); i++) {
		const struct vpc *vpc = vpc_get(model, vpcs[i]);

		if (!vpc->dns_support || !vpc->dns_hostnames)
			return error_set(error, ERROR_PEERING_DNS,
					 "VPC %s does not have DNS hostnames enabled",
					 rid_format(vpcs[i]).text);
	}
	return 0;
}

int peering_set_dns(struct transaction *transaction, struct peering *peering,
		    const struct scope *caller, const bool *requester, const bool *accepter,
		    struct error *error)
{
	struct model *model = transaction->model;
	int r;

	if (peering->state != PEERING_ACTIVE)
		return error_set(error, ERROR_OPERATION_NOT_PERMITTED,
				 "Peering %s is not active. Peering options can be added only to "
				 "active peerings.",
				 rid_format(peering->resource.id).text);
	if ((requester && (r = check_dns(model, peering, &peering->requester, caller, "requester",
					 error)) < 0) ||
	    (accepter &&
	     (r = check_dns(model, peering, &peering->accepter, caller, "accepter", error)) < 0))
		return r;
	transaction_edit(transaction, peering);
	if (requester)
		peering->requester.remote_dns = *requester;
	if (accepter)
		peering->accepter.remote_dns = *accepter;
	return 0;
}

/* ---- time, and VPCs that go ---- */

void peering_forget_vpc(struct transaction *transaction, const struct vpc *vpc)
{
	for_each_peering(peering, transaction->model) if (!peering->end &&
							  has_end(peering, vpc->resource.id))
		end_by(transaction, peering, vpc->resource.scope->account);
}

static int64_t shown_for(const struct peering *peering)
{
	return peering->state == PEERING_EXPIRED || peering->state == PEERING_REJECTED ? 2 * DAY
										       : 2 * HOUR;
}

void peerings_age(struct transaction *transaction)
{
	struct model *model = transaction->model;

	for (size_t i = 0; i < model->scope_count; i++) {
		struct resource_list *list = &model->scopes[i]->lists[KIND_VPC_PEERING];

		for (size_t j = list->count; j-- > 0;) {
			struct peering *peering = (struct peering *)list->items[j];

			if (has_expired(transaction, peering))
				end(transaction, peering, PEERING_EXPIRED);
			else if (peering->end &&
				 peering->end + shown_for(peering) <= transaction->now)
				transaction_delete(transaction, peering);
		}
	}
}
