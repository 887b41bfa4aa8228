/*
 * CloudFormation's stacks, their resources, events and change sets, as records: what was asked for,
 * how far it has got, and which resource of ours is which of the template's. Whoever carries it out
 * is stack/. AWS CloudFormation API reference and user guide, "Stack status codes".
 */
#pragma once

#include "model/common.h"

#define STACK_NAME_MAX 128

/* Of stacks, of their resources, and in events of both. */
enum stack_status {
	STACK_CREATE_IN_PROGRESS,
	STACK_CREATE_FAILED,
	STACK_CREATE_COMPLETE,
	STACK_ROLLBACK_IN_PROGRESS,
	STACK_ROLLBACK_FAILED,
	STACK_ROLLBACK_COMPLETE,
	STACK_DELETE_IN_PROGRESS,
	STACK_DELETE_FAILED,
	STACK_DELETE_COMPLETE,
	STACK_DELETE_SKIPPED, /* of a resource: it was kept */
	STACK_UPDATE_IN_PROGRESS,
	STACK_UPDATE_CLEANUP,
	STACK_UPDATE_COMPLETE,
	STACK_UPDATE_FAILED,
	STACK_UPDATE_ROLLBACK_IN_PROGRESS,
	STACK_UPDATE_ROLLBACK_FAILED,
	STACK_UPDATE_ROLLBACK_CLEANUP,
	STACK_UPDATE_ROLLBACK_COMPLETE,
	STACK_REVIEW_IN_PROGRESS, /* it has change sets, and never was more */
};
extern const char *const stack_status_names[];

/* What becomes of a stack that can't be made. */
enum stack_on_failure {
	STACK_ON_FAILURE_ROLLBACK,
	STACK_ON_FAILURE_DELETE,
	STACK_ON_FAILURE_NOTHING,
};

struct stack_parameter {
	char *key, *value; /* as given, or the default: SSM parameters by their names */
	bool no_echo;
};

struct stack_text {
	char *value;
};

/* What a stack is to be. */
struct stack_source {
	char *template;
	struct stack_parameter *parameters;
	size_t parameter_count;
	struct stack_text *capabilities;
	size_t capability_count;
	struct tag *tags; /* of the stack and of what it makes */
	size_t tag_count;
};

struct stack_output {
	char *key, *value, *description, *export_name; /* the last two may be NULL */
};

struct stack {
	struct resource resource;
	char *name;
	char *description, *reason; /* NULL: none */
	int status;		    /* enum stack_status */
	int on_failure;		    /* enum stack_on_failure */
	bool protected;		    /* from deletion */
	int64_t generation;	    /* of operations: 1 is the creation */
	int64_t create_time, update_time, delete_time;
	int64_t timeout; /* minutes for the creation; 0: none */
	struct stack_source source;
	struct stack_source previous; /* while it is updated: to roll back to */
	struct stack_output *outputs;
	size_t output_count;
	struct stack_text *imports; /* names of exports that it uses */
	size_t import_count;
	struct stack_text *retained; /* logical ids that a deletion leaves alone */
	size_t retained_count;
	struct stack_text *notifications; /* topics, kept and told */
	size_t notification_count;
	char *client_token, *token_digest; /* of the creation; NULL: none was given */
	char *role;			   /* an ARN, kept and told; NULL */
	struct rid change_set;		   /* the one that was executed last */
};

/* What is being done with a stack's resource. */
enum stack_phase {
	STACK_PHASE_NONE,   /* its status says what came of it */
	STACK_PHASE_MAKE,   /* `step` calls of its creation are done */
	STACK_PHASE_SETTLE, /* until it is ready */
	STACK_PHASE_CHANGE, /* `step` calls from `properties` to `target` are done */
	STACK_PHASE_STEADY, /* changed, until it is ready */
	STACK_PHASE_REMOVE, /* `step` calls of its deletion are done */
	STACK_PHASE_VANISH, /* until it is gone */
};

/* One resource of ours. A replacement is one more of the same logical id. */
struct stack_resource {
	struct resource resource;
	struct rid stack;
	char *logical, *type;
	char *physical; /* NULL: nothing is made yet */
	char *reason;	/* NULL: none */
	int status;	/* enum stack_status */
	int phase;	/* enum stack_phase */
	int64_t step, time;
	int64_t made;				/* the stack's generation that made it */
	int64_t generation;			/* the stack's last one that it is right for */
	char *properties;			/* that it was made of, as JSON */
	char *target;				/* that it is being changed to; NULL */
	char *before;				/* that it had before this update; NULL: the same */
	char *dependencies;			/* logical ids, with spaces between them */
	char *deletion_policy, *replace_policy; /* as the template has them; NULL */
	bool superseded; /* by another one of the logical id, in this update */
	bool doomed;	 /* to be deleted */
	int64_t signals; /* successes told of (SignalResource) */
	char *memo;	 /* what a type that is played here keeps; NULL */
};

struct stack_event {
	struct resource resource;
	struct rid stack;
	char *logical, *physical, *type, *reason, *properties;
	int status; /* enum stack_status */
	int64_t time;
};

enum change_set_status {
	CHANGE_SET_CREATE_PENDING,
	CHANGE_SET_CREATE_IN_PROGRESS,
	CHANGE_SET_CREATE_COMPLETE,
	CHANGE_SET_FAILED,
};

enum change_set_execution {
	CHANGE_SET_UNAVAILABLE,
	CHANGE_SET_AVAILABLE,
	CHANGE_SET_EXECUTE_IN_PROGRESS,
	CHANGE_SET_EXECUTE_COMPLETE,
	CHANGE_SET_EXECUTE_FAILED,
	CHANGE_SET_OBSOLETE,
};

/* How one property of a resource that is modified changes. */
struct stack_change_detail {
	char *property, *recreation; /* "Never", "Conditionally", "Always" */
	bool dynamic;		     /* it refers to what isn't known before */
};

struct stack_change {
	char *action; /* "Add", "Modify", "Remove" */
	char *logical, *physical, *type;
	char *replacement; /* "True", "False", "Conditional"; NULL */
	struct stack_change_detail *details;
	size_t detail_count;
};

struct change_set {
	struct resource resource;
	struct rid stack;
	char *name, *description, *reason; /* the last two may be NULL */
	int status;			   /* enum change_set_status */
	int execution;			   /* enum change_set_execution */
	int64_t create_time;
	bool creates;	/* a stack that isn't there */
	int on_failure; /* enum stack_on_failure */
	struct stack_source source;
	struct stack_change *changes;
	size_t change_count;
	struct stack_text *notifications;
	size_t notification_count;
	char *role, *client_token;
};

extern const struct resource_type stack_type, stack_resource_type, stack_event_type,
	change_set_type;
extern const char *const change_set_status_names[], *const change_set_execution_names[],
							    *const stack_on_failure_names[];

/* Owned texts: "arn:aws:cloudformation:…:stack/NAME/UUID", "…:changeSet/NAME/UUID". */
char *stack_arn(const struct stack *stack);
char *change_set_arn(const struct change_set *set);
/* The part after the last slash, which is made from the id. */
void stack_uuid(struct rid id, struct buffer *buffer);

/* By its name, unless it is deleted, or by its ARN; NULL. */
struct stack *stack_find(const struct scope *scope, const char *name);
/* Of a stack by its name, or by its ARN (`stack` NULL: of any); NULL. */
struct change_set *change_set_find(const struct scope *scope, const struct stack *stack,
				   const char *name);
/* Letters, digits and hyphens, a letter first; AWS's text, of the member `what`. */
int stack_check_name(const char *name, const char *what, struct error *error);
/* Is something being done with it? */
bool stack_is_busy(const struct stack *stack);

/* Frees what a source owns; gives an owned copy of one. */
void stack_source_clear(struct stack_source *source);
struct stack_source stack_source_copy(const struct stack_source *source);
void stack_texts_add(struct stack_text **texts, size_t *count, const char *value);
void stack_texts_clear(struct stack_text **texts, size_t *count);
/* NULL when it isn't given. */
const struct stack_parameter *stack_parameter_find(const struct stack_source *source,
						   const char *key);

/* In STACK_REVIEW_IN_PROGRESS, with no source. */
struct stack *stack_create(struct transaction *transaction, struct scope *scope, const char *name);
/* Sets status and reason (NULL: none) and tells of it in an event. */
void stack_set_status(struct transaction *transaction, struct stack *stack,
		      enum stack_status status, const char *reason);
/* Takes what `source` owns over: the next operation of the stack, with what was in `previous`. */
void stack_begin(struct transaction *transaction, struct stack *stack, enum stack_status status,
		 struct stack_source *source, const char *reason);
/* The stack and its records. */
void stack_forget(struct transaction *transaction, struct stack *stack);
/* Those that were deleted an hour ago. */
void stacks_age(struct transaction *transaction);

#define for_each_stack_resource(variable, stack_)                                                  \
	for_each_resource (struct stack_resource, variable, (stack_)->resource.scope,              \
			   KIND_STACK_RESOURCE)                                                    \
		if (rid_equal(variable->stack, (stack_)->resource.id))

/* The one that the logical id now names: not superseded, not doomed if there is another. */
struct stack_resource *stack_resource_find(const struct stack *stack, const char *logical);
struct stack_resource *stack_resource_create(struct transaction *transaction, struct stack *stack,
					     const char *logical, const char *type);
/* With an event. */
void stack_resource_set_status(struct transaction *transaction, struct stack_resource *resource,
			       enum stack_status status, const char *reason);
struct stack *stack_of(const struct stack_resource *resource, const struct model *model);

/* Takes what `source` owns over. */
struct change_set *change_set_create(struct transaction *transaction, struct stack *stack,
				     const char *name, struct stack_source *source);

/* The output that is exported under the name in the scope, and whose it is; NULL. */
const struct stack_output *stack_export_find(const struct scope *scope, const char *name,
					     const struct stack **ret_stack);
/* An AWS::SSM::Parameter that a stack of the scope has; its memo is the value. NULL: none has it.
 */
struct stack_resource *stack_ssm_row(const struct scope *scope, const char *name);
/* Does the stack use the export? */
bool stack_imports(const struct stack *stack, const char *name);
