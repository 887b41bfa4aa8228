/*
 * Stacks from the command line: `up`, `down STACK`, `stacks` and `outputs`. Each returns 0 and an
 * exit status, or a negative errno with the line for the user.
 */
#pragma once

#include "base/buffer.h"
#include "cli/tokens.h"
#include "client/client.h"

int stacks_up(const struct client *client, const struct request *request, int *ret_status,
	      struct error *error);
int stacks_down(const struct client *client, const char *name, int *ret_status,
		struct error *error);
int stacks_list(const struct client *client, const struct request *request, int *ret_status,
		struct error *error);
int stacks_outputs(const struct client *client, const struct request *request, int *ret_status,
		   struct error *error);

/* ---- stacks_watch.c ---- */

/* What became of an operation. */
struct outcome {
	char *status;		/* "CREATE_COMPLETE", owned */
	char *id;		/* of the stack, owned */
	struct buffer failures; /* a line for each resource that failed */
	size_t made, changed, deleted;
};
void outcome_clear(struct outcome *outcome); /* for CLEANUP() */
/* The newest event of the stack, owned; NULL: none. What comes after it is the operation's. */
char *stacks_last_event(const struct client *client, const char *name);
/* Until the stack's operation is over; tells of what happens on standard error unless `quiet`. */
int stacks_watch(const struct client *client, const char *name, const char *after, bool quiet,
		 struct outcome *ret_outcome, struct error *error);
/* The stack as DescribeStacks has it; *ret_stack is in the reply. */
int stacks_describe(const struct client *client, const char *name, struct reply **ret_reply,
		    const void **ret_stack, struct error *error);
