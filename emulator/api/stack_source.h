/*
 * What a stack is to be, as clients ask for it: its template and parameters, from a call or from
 * the record; and what the calls about stacks share.
 */
#pragma once

#include "api/call.h"
#include "lab/template.h"
#include "model/stack.h"

/* A capability of ours: what a template has and we lack is left out, and told of. */
#define CAPABILITY_SKIP "MINIVPC_SKIP_UNSUPPORTED"

/* Reads the source's template. ERROR_INVALID_TEMPLATE; the caller clears the warnings. */
int stack_template(const struct stack_source *source, struct template **ret_template,
		   struct text_lines *ret_warnings, struct error *error);
/* A parameter of Systems Manager, public or a stack's; an owned text. ERROR_INVALID_TEMPLATE. */
int stack_ssm_value(const struct scope *scope, const char *name, char **ret_value,
		    struct error *error);

/*
 * Of TemplateBody (or UsePreviousTemplate), Parameters, Capabilities and Tags; checked as far as
 * can be without making anything. `previous` is what it is to change, NULL: nothing. The caller
 * clears both. ERROR_INVALID_TEMPLATE, ERROR_UNSUPPORTED_OPERATION (TemplateURL).
 */
int call_source(const struct call *call, const char *stack_name,
		const struct stack_source *previous, struct stack_source *ret_source,
		struct text_lines *ret_warnings, struct error *error);
/* Would the stack be the same? */
bool source_equal(const struct stack_source *a, const struct stack_source *b);
/* Appends the texts of `name`.member.N to an owned array. */
void call_texts(const struct call *call, const char *name, struct stack_text **texts,
		size_t *count);

/* The caller's stack of that name or ARN. ERROR_INVALID_TEMPLATE: "Stack with id … does not exist".
 */
int call_stack(const struct call *call, const char *name, struct stack **ret_stack,
	       struct error *error);

/* <name><member>…</member></name> */
void reply_texts(struct call *call, const char *name, const struct stack_text *texts, size_t count);
void reply_tags(struct call *call, const struct tag *tags, size_t count);
/* With what the template makes of those that name one of Systems Manager's. */
void reply_parameters(struct call *call, const struct stack_source *source);
/* <DriftInformation>: it is never checked. */
void reply_drift(struct call *call, const char *name);

/* DisableRollback and OnFailure, an enum stack_on_failure. ERROR_INVALID_TEMPLATE. */
int read_on_failure(const struct call *call, int *ret_on_failure, struct error *error);
/* Refuses RetainExceptOnCreate by name. */
int check_retain_except(const struct call *call, struct error *error);
/* ERROR_INVALID_TEMPLATE: it is in a state in which it can't be. */
int stack_check_update(const struct stack *stack, struct error *error);
/* Begins the creation or the update; takes what `source` owns over. Errors: of tags. */
int stack_start(struct call *call, struct stack *stack, enum stack_status status,
		struct stack_source *source, struct error *error);
