/*
 * Resource types of CloudFormation as tables: which properties there are, what a change of each
 * means, and which API calls make, change and delete a resource of the type (AWS CloudFormation
 * Template Reference). Pure: properties in, calls out. Whoever makes the calls is stack/.
 */
#pragma once

#include "lab/template.h"

/* What a change of a property does: the "Update requires" of the reference. */
enum update {
	UPDATE_IN_PLACE,    /* No interruption */
	UPDATE_INTERRUPTED, /* Some interruptions: the same resource, stopped and started */
	UPDATE_REPLACED,    /* Replacement */
};

struct type;

/* NULL: we have none of that name. */
const struct type *type_find(const char *name);
const char *type_name(const struct type *type);
/* All of them, by place; NULL after the last. */
const struct type *type_at(size_t at);

/*
 * Checks a declaration's Properties (functions in them are values of any type; NULL: there are
 * none): unknown and missing ones, and values of the wrong shape. `path` is before the property's
 * in the text ("Resources.Web.Properties"). With ret_warnings (not NULL) what we lack is listed
 * there instead, and removed from `properties`. ERROR_INVALID_TEMPLATE.
 */
int type_check(const struct type *type, const char *path, struct node *properties,
	       struct text_lines *ret_warnings, struct error *error);
/* Does Fn::GetAtt know it? */
bool type_has_attribute(const struct type *type, const char *attribute);

/*
 * One call of the API. In the values "{id}" is the resource's physical id and, after a call with
 * `yields`, what that call made. The last call's id wins. "{{" is a brace that the user wrote.
 */
struct type_call {
	const char *service, *action;	   /* "ec2", "CreateVpc" */
	struct template_value *parameters; /* owned, as the Query protocol has them */
	size_t parameter_count;
	/* The physical id: the text of the first element of that name in the reply ("vpcId"), or,
	 * with a '/' in it, of a path (see type_attribute()), or, beginning with '=', a text with
	 * "{id}" or parameters' names in braces of its own
	 * ("={RouteTableId}|{DestinationCidrBlock}"); NULL: it yields none. A reply without what
	 * it is to yield or to keep is a failure, of which "unsuccessful/item/error/message" may
	 * tell (CreateFlowLogs). */
	const char *yields;
	/* What the text at keep_path (owned) of the reply is for later calls of the same list: in
	 * their values "{keep}" stands for it as "{id}" does for the id. NULL: nothing is kept. */
	const char *keep;
	char *keep_path;
	/* Errors that mean the same as success ("InvalidVpcID.NotFound" at a deletion); NULL-ended;
	 * NULL: none. */
	const char *const *tolerates;
	/* Errors after which it is tried again for a while ("DependencyViolation" at a deletion
	 * while an instance shuts down); the same. */
	const char *const *retries;
};

struct type_calls {
	struct type_call *items;
	size_t count;
};
void type_calls_clear(struct type_calls *calls);

/* `properties` are evaluated ones (NULL: none). `token` makes a repeated creation the same one
 * where the action has a ClientToken, and names what must have a name and was given none (a group,
 * a prefix list): letters, digits and '-', unique to the resource, say STACK-RESOURCE-SUFFIX, 64 at
 * most. ERROR_INVALID_TEMPLATE names the property. */
int type_create(const struct type *type, const struct node *properties, const char *token,
		struct type_calls *ret_calls, struct error *error);
/* What the step from `before` to `after` is; UPDATE_IN_PLACE also for no change. */
enum update type_compare(const struct type *type, const struct node *before,
			 const struct node *after);
/* The calls of an update that is no replacement: none when nothing changed. */
int type_update(const struct type *type, const char *id, const struct node *before,
		const struct node *after, struct type_calls *ret_calls, struct error *error);
int type_delete(const struct type *type, const char *id, const struct node *properties,
		struct type_calls *ret_calls, struct error *error);

/*
 * How an attribute is found: in the replies of the calls that type_describe() gives, by a path of
 * element names below the reply's root; the first reply that has its first element is meant. NULL:
 * it is the physical id itself. Ref is attribute NULL.
 *
 *	vpcSet/item/cidrBlock		the text of the first such element
 *	associationSet/item[subnetId={id}]/networkAclId	… below an item with such a child
 *	ipv6CidrBlockAssociationSet/item/ipv6CidrBlock#	of every item, a list
 *	dnsEntrySet/item/hostedZoneId:dnsName#	two children's texts, with a colon
 *	instancesSet/item/ipAddress?	"" where there is none
 */
const char *type_attribute(const struct type *type, const char *attribute);
/*
 * What such a path finds in a reply read as a tree: an element with elements is a map of them, with
 * a member for each "item" of a set; others are texts. "{id}" in the path is `id`. An owned text,
 * or a list of texts for a path that ends in '#'; NULL: there is none such (never for a list).
 */
struct node *type_reply_find(const struct node *reply, const char *path, const char *id);
/* The first element of that name anywhere in it, in the order of the document; the same. */
struct node *type_reply_first(const struct node *reply, const char *name);

/* The calls whose replies tell attributes and the state, the state's first; count 0: it has none.
 * An error that the first tolerates ("InvalidVpcID.NotFound") says that the resource is gone. */
int type_describe(const struct type *type, const char *id, const struct node *properties,
		  struct type_calls *ret_calls, struct error *error);

/* What the reply of type_describe() must say before the resource counts as made or as gone. */
struct type_states {
	const char *path;	   /* "natGatewaySet/item/state"; NULL: it is at once */
	const char *const *ready;  /* NULL-ended */
	const char *const *failed; /* creation has failed, NULL-ended */
	const char *const *gone;   /* deletion is done; the resource's absence is so too */
	const char *reason_path;   /* of a failure; NULL: none */
};
const struct type_states *type_states(const struct type *type);
/*
 * Types the engine itself plays: "AWS::CloudFormation::WaitConditionHandle",
 * "AWS::AutoScaling::AutoScalingGroup", "AWS::SSM::Parameter". They have no calls, but for
 * type_create() of "AWS::AutoScaling::…": the RunInstances call that makes one instance, to which
 * the engine adds SubnetId and tags, and which it makes as often as it needs to.
 */
bool type_is_played(const struct type *type);
