/*
 * The engine of CloudFormation: carries out what stacks and change sets (model/stack.h) say is to
 * be done, by calls of the API. All that it knows is in the model, so a daemon that was killed goes
 * on where it was: a resource's id is recorded in the very transaction that makes it.
 */
#pragma once

#include "api/api.h"
#include "base/loop.h"

struct stacks;

struct stacks_options {
	struct loop *loop;
	struct model *model; /* these outlive it */
	struct api *api;
	/* As of struct api_hooks. */
	int (*commit)(void *context, struct transaction *transaction, struct error *error);
	void *context;
};

/* Does what there is to do, until there is nothing, or nothing that can be done now, or it has
 * lasted a quarter of a second. Not from a transaction that has changed anything. */
void stacks_hurry(struct stacks *stacks);

struct stacks *stacks_open(const struct stacks_options *options);
struct stacks *stacks_close(struct stacks *stacks); /* NULL is fine; always NULL */

/* Is there something in the transaction that it waits for? */
bool stacks_concerned(const struct transaction *transaction);
/* Begins, soon, what there is to do; NULL is fine. One step of a resource is done in each turn of
 * the loop. */
void stacks_look(struct stacks *stacks);
