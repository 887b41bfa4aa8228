/*
 * Calls to CloudFormation as `up`, `down`, `stacks` and `outputs` make them.
 */
#pragma once

#include "base/buffer.h"
#include "client/client.h"

/* The parameters of a call, as they go. */
struct form {
	struct buffer text;
};

#define FORM_INIT                                                                                  \
	{                                                                                          \
		BUFFER_INIT                                                                        \
	}

/* NULL values are left out. */
void form_add(struct form *form, const char *name, const char *value);
/* For CLEANUP(). */
void form_clear(struct form *form);
/*
 * Refusals: -EREMOTEIO, with the API's message as the text; *ret_code (owned, may be NULL) is the
 * API's code then.
 */
int stack_call(const struct client *client, const char *action, const struct form *form,
	       struct reply **ret_reply, char **ret_code, struct error *error);

/* The <member>s right below the first element `set` of the reply's result, one after the other;
 * `member` is NULL for the first. */
const void *stack_next(const struct reply *reply, const char *set, const void *member);
/* The text of a child; "" when there is none. Borrowed. */
const char *stack_text(const void *element, const char *name);
