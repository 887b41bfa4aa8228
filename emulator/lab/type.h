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
 * Checks a declaration's Properties (functions in them are values of any type): unknown and missing
 * ones. `path` is before the property's in the text ("Resources.Web.Properties"). With
 * ret_warnings (not NULL) what we lack is listed there instead, and removed from `properties`.
 */
int type_check(const struct type *type, const char *path, struct node *properties,
	       struct text_lines *ret_warnings, struct error *error);
/* Does Fn::GetAtt know it? */
bool type_has_attribute(const struct type *type, const char *attribute);

/*
 * One call of the API. In the values "{id}" is the resource's physical id and, after a call with
 * `yields`, what that call made. The last call's id wins.
 */
struct type_call {
	const char *service, *action;	   /* "ec2", "CreateVpc" */
	struct template_value *parameters; /* owned, as the Query protocol has them */
	size_t parameter_count;
	/* The physical id: the text of the first element of that name in the reply ("vpcId"), or,
	 * beginning with '=', a text with "{id}" or parameters' names in braces of its own
	 * ("={RouteTableId}|{DestinationCidrBlock}"); NULL: it yields none. */
	const char *yields;
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

/* `properties` are evaluated ones. `token` makes a repeated creation the same one where the action
 * has a ClientToken. ERROR_INVALID_TEMPLATE names the property. */
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
 * How an attribute is found: the member of the resource's own reply in "Describe…", by a path of
 * element names ("vpcSet/item/cidrBlock"), of the call given by type_describe(). NULL: it is the
 * physical id itself. "#N" at the end counts items from 0 ("ipv6CidrBlockAssociationSet"
 * without one: a list). Ref is attribute NULL.
 */
const char *type_attribute(const struct type *type, const char *attribute);
/* The call whose reply tells attributes and the state; count 0: it has none. */
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
/* Types the engine itself plays, with no call: "AWS::CloudFormation::WaitConditionHandle",
 * "AWS::AutoScaling::AutoScalingGroup", "AWS::SSM::Parameter". */
bool type_is_played(const struct type *type);
