/*
 * One resource of a stack, from nothing to what its template says and back: each step is one call
 * of the API, whose transaction has the resource's record in it.
 */
#include "stack/internal.h"

#include <ctype.h>
#include <stdio.h>

#include "api/errors.h"
#include "model/tags.h"

#define RETRY_SECONDS  120 /* what may pass by itself */
#define SETTLE_SECONDS 600

struct node *node_of(const char *json)
{
	struct node *node = NULL;
	struct error ignored = ERROR_INIT;

	if (!json || node_parse(json, strlen(json), &node, &ignored) < 0)
		return node_new(NODE_MAP);
	return node;
}

char *json_of(const struct node *node)
{
	struct buffer text = BUFFER_INIT;

	node_json(node, &text);
	return buffer_steal(&text);
}

bool row_is_gone(const struct stack_resource *row)
{
	return row->status == STACK_DELETE_COMPLETE || row->status == STACK_DELETE_SKIPPED;
}

/* ---- what comes of a phase ---- */

static bool is_going(const struct stack_resource *row)
{
	return row->phase == STACK_PHASE_REMOVE || row->phase == STACK_PHASE_VANISH;
}

static bool is_changing(const struct stack_resource *row)
{
	return row->phase == STACK_PHASE_CHANGE || row->phase == STACK_PHASE_STEADY;
}

void row_fail(struct stacks *stacks, struct stack_resource *row, const char *reason)
{
	struct transaction transaction = stacks_begin(stacks);
	const enum stack_status status = is_going(row)	    ? STACK_DELETE_FAILED
					 : is_changing(row) ? STACK_UPDATE_FAILED
							    : STACK_CREATE_FAILED;

	transaction_edit(&transaction, row);
	row->phase = STACK_PHASE_NONE;
	row->generation = stack_of(row, transaction.model)->generation;
	stack_resource_set_status(&transaction, row, status, reason);
	stacks_commit(stacks, &transaction);
}

/* "Resource handler returned message …", as AWS has it. */
static void fail_of(struct stacks *stacks, struct stack_resource *row, const char *service,
		    const struct error *error)
{
	const struct error_reply reply = error_reply(error);
	CLEANUP(freep) char *name = xstrdup(service);
	CLEANUP(freep) char *reason = NULL;

	name[0] = (char)toupper((unsigned char)name[0]);
	reason = xasprintf("%s (Service: %s, Status Code: %u, Error Code: %s)", error->text, name,
			   reply.status, reply.code);
	row_fail(stacks, row, reason);
}

void row_settle_change(struct stack_resource *row, bool back)
{
	if (back) {
		set_text(&row->before, NULL);
	} else if (!row->before) {
		row->before = row->properties;
		row->properties = NULL;
	}
	set_text(&row->properties, row->target);
	row->target = NULL;
}

/* The last call of the phase is made; `waits`: until its state says so. */
static void finish_calls(struct transaction *transaction, struct stack_resource *row, bool waits)
{
	const struct stack *stack = stack_of(row, transaction->model);

	row->step = 0;
	row->time = transaction->now;
	switch (row->phase) {
	case STACK_PHASE_MAKE:
		row->phase = waits ? STACK_PHASE_SETTLE : STACK_PHASE_NONE;
		if (!waits)
			stack_resource_set_status(transaction, row, STACK_CREATE_COMPLETE, NULL);
		break;
	case STACK_PHASE_CHANGE:
		row_settle_change(row, stack->status == STACK_UPDATE_ROLLBACK_IN_PROGRESS);
		row->phase = waits ? STACK_PHASE_STEADY : STACK_PHASE_NONE;
		if (!waits)
			stack_resource_set_status(transaction, row, STACK_UPDATE_COMPLETE, NULL);
		break;
	default:
		row->phase = waits ? STACK_PHASE_VANISH : STACK_PHASE_NONE;
		if (!waits)
			stack_resource_set_status(transaction, row, STACK_DELETE_COMPLETE, NULL);
	}
}

static void finish_wait(struct stacks *stacks, struct stack_resource *row)
{
	struct transaction transaction = stacks_begin(stacks);

	transaction_edit(&transaction, row);
	if (row->phase == STACK_PHASE_SETTLE)
		stack_resource_set_status(&transaction, row, STACK_CREATE_COMPLETE, NULL);
	else if (row->phase == STACK_PHASE_STEADY)
		stack_resource_set_status(&transaction, row, STACK_UPDATE_COMPLETE, NULL);
	else
		stack_resource_set_status(&transaction, row, STACK_DELETE_COMPLETE, NULL);
	row->phase = STACK_PHASE_NONE;
	stacks_commit(stacks, &transaction);
}

/* ---- calls ---- */

struct step {
	struct stack_resource *row;
	const struct type_call *call;
	bool is_last, waits;
};

/* As AWS does: which stack a resource is of, and the stack's own tags. */
void row_tag(struct transaction *transaction, const struct stack_resource *row,
	     const char *physical)
{
	const struct stack *stack = stack_of(row, transaction->model);
	CLEANUP(freep) char *arn = stack_arn(stack);
	const struct resource_type *type;
	struct error ignored = ERROR_INIT;
	struct resource *made;
	struct rid id;

	if (rid_parse_any(physical, &id) < 0 ||
	    !(made = model_get(transaction->model, stack->resource.scope, id)))
		return;
	type = resource_type(id.kind);
	if (!type || !type->tag_type)
		return;
	tag_set_own(transaction, made, "aws:cloudformation:stack-name", stack->name);
	tag_set_own(transaction, made, "aws:cloudformation:stack-id", arn);
	tag_set_own(transaction, made, "aws:cloudformation:logical-id", row->logical);
	for (size_t i = 0; i < stack->source.tag_count; i++)
		if (!resource_tag(made, stack->source.tags[i].key))
			tag_set(transaction, made, stack->source.tags[i].key,
				stack->source.tags[i].value, &ignored);
}

static const char *tag_value(const struct tag *tags, size_t count, const char *key)
{
	for (size_t i = 0; i < count; i++)
		if (streq(tags[i].key, key))
			return tags[i].value;
	return NULL;
}

/* A tag that its own properties give it is no business of the stack's. */
static bool is_its_own(const struct stack_resource *row, const char *key)
{
	CLEANUP(node_freep) struct node *properties = node_of(row->properties);
	const struct node *tags = node_get(properties, "Tags");

	for (size_t i = 0; tags && i < tags->count; i++)
		if (streq(node_get_text(tags->items[i], "Key"), key))
			return true;
	return false;
}

void row_retag(struct transaction *transaction, const struct stack_resource *row)
{
	const struct stack *stack = stack_of(row, transaction->model);
	const struct stack_source *before = &stack->previous, *after = &stack->source;
	const struct resource_type *type;
	struct resource *made;
	struct rid id;

	if (!row->physical || rid_parse_any(row->physical, &id) < 0 ||
	    !(made = model_get(transaction->model, stack->resource.scope, id)))
		return;
	type = resource_type(id.kind);
	for (size_t i = 0; type && type->tag_type && i < before->tag_count; i++) {
		const struct tag *tag = &before->tags[i];

		if (!streq(tag_value(after->tags, after->tag_count, tag->key), tag->value) &&
		    !is_its_own(row, tag->key))
			tag_remove(transaction, made, tag->key, tag->value);
	}
	row_tag(transaction, row, row->physical);
}

static int no_yield(const struct type_call *call, const struct node *reply, const char *what,
		    struct error *error)
{
	CLEANUP(node_freep)
	struct node *message = type_reply_find(reply, "unsuccessful/item/error/message", "");

	if (message && message->text)
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE, "%s", message->text);
	return error_set(error, ERROR_INTERNAL, "The reply of %s has no %s", call->action, what);
}

/* Keeps what later calls of the same phase want of the reply. */
static int keep(struct stack_resource *row, const struct type_call *call, const struct node *reply,
		struct error *error)
{
	CLEANUP(node_freep) struct node *before = node_of(row->step > 1 ? row->memo : NULL);
	CLEANUP(node_freep) struct node *kept = NULL;
	CLEANUP(node_freep) struct node *value = NULL;

	if (!call->keep)
		return 0;
	value = type_reply_find(reply, call->keep_path, row->physical ? row->physical : "");
	if (!value || !value->text)
		return no_yield(call, reply, call->keep_path, error);
	kept = node_new(NODE_MAP);
	node_add(kept, call->keep, steal(&value));
	for (size_t i = 0; i < before->count; i++)
		if (!streq(before->items[i]->key, call->keep))
			node_add(kept, before->items[i]->key, node_copy(before->items[i]));
	set_text(&row->memo, json_of(kept));
	return 0;
}

static int take_id(struct stack_resource *row, const struct type_call *call,
		   const struct node *reply, struct error *error)
{
	CLEANUP(node_freep) struct node *kept = node_of(row->memo);
	CLEANUP(node_freep) struct node *found = NULL;

	if (!call->yields)
		return 0;
	if (call->yields[0] == '=') {
		set_text(&row->physical, stacks_fill(call->yields + 1, call, row->physical, kept));
		return 0;
	}
	found = strchr(call->yields, '/')
			? type_reply_find(reply, call->yields, row->physical ? row->physical : "")
			: type_reply_first(reply, call->yields);
	if (!found || !found->text || !*found->text)
		return no_yield(call, reply, call->yields, error);
	set_text(&row->physical, xstrdup(found->text));
	return 0;
}

/* In the transaction of the call: what it made is known when it is there. */
static int on_reply(void *context, struct transaction *transaction, const struct node *reply,
		    struct error *error)
{
	const struct step *step = context;
	struct stack_resource *row = transaction_edit(transaction, step->row);
	const bool had_id = row->physical != NULL;
	int r;

	row->step++;
	if ((r = keep(row, step->call, reply, error)) < 0)
		return r;
	if (row->phase != STACK_PHASE_REMOVE && (r = take_id(row, step->call, reply, error)) < 0)
		return r;
	if (row->phase == STACK_PHASE_MAKE && row->physical && !had_id) {
		row_tag(transaction, row, row->physical);
		stack_resource_set_status(transaction, row, STACK_CREATE_IN_PROGRESS,
					  "Resource creation Initiated");
	}
	if (step->is_last)
		finish_calls(transaction, row, step->waits);
	return 0;
}

/* An error that means the same as success. */
static void pass_over(struct stacks *stacks, const struct step *step)
{
	struct transaction transaction = stacks_begin(stacks);
	struct stack_resource *row = transaction_edit(&transaction, step->row);

	row->step++;
	if (step->is_last)
		finish_calls(&transaction, row, step->waits);
	stacks_commit(stacks, &transaction);
}

static bool make_call(struct stacks *stacks, struct stack_resource *row,
		      const struct type_calls *calls, bool waits)
{
	struct step step = { .row = row, .waits = waits };
	struct stack_call call = {
		.id = row->physical, .kept = row->memo, .amend = on_reply, .context = &step
	};
	struct error error = ERROR_INIT;

	step.is_last = (size_t)row->step + 1 >= calls->count;
	if ((size_t)row->step >= calls->count) { /* there are none */
		pass_over(stacks, &step);
		return true;
	}
	call.call = step.call = &calls->items[row->step];
	if (stacks_call(stacks, row->resource.scope, &call, NULL, &error) == 0)
		return true;
	if (error_among(&error, step.call->tolerates)) {
		pass_over(stacks, &step);
		return true;
	}
	if (error_among(&error, step.call->retries) && row->time + RETRY_SECONDS > stacks_now())
		return false;
	fail_of(stacks, row, step.call->service, &error);
	return true;
}

/* ---- phases ---- */

/* Names what has a name and was given none: see type_create(). */
char *row_token(const struct stacks *stacks, const struct stack_resource *row)
{
	const struct stack *stack = stack_of(row, stacks->options.model);

	return xasprintf("%.24s-%.24s-%013llX", stack->name, row->logical,
			 (unsigned long long)(row->resource.id.n & 0xfffffffffffff));
}

static bool make(struct stacks *stacks, struct stack_resource *row)
{
	const struct type *type = type_find(row->type);
	CLEANUP(type_calls_clear) struct type_calls calls = { NULL, 0 };
	CLEANUP(node_freep) struct node *properties = node_of(row->properties);
	CLEANUP(freep) char *token = row_token(stacks, row);
	struct error error = ERROR_INIT;

	if (type_is_played(type))
		return played_make(stacks, row);
	if (type_create(type, properties, token, &calls, &error) < 0) {
		row_fail(stacks, row, error.text);
		return true;
	}
	return make_call(stacks, row, &calls, type_states(type)->path != NULL);
}

static bool change(struct stacks *stacks, struct stack_resource *row)
{
	const struct type *type = type_find(row->type);
	CLEANUP(type_calls_clear) struct type_calls calls = { NULL, 0 };
	CLEANUP(node_freep) struct node *before = node_of(row->properties);
	CLEANUP(node_freep) struct node *after = node_of(row->target);
	struct error error = ERROR_INIT;

	if (type_is_played(type))
		return played_change(stacks, row);
	if (type_update(type, row->physical, before, after, &calls, &error) < 0) {
		row_fail(stacks, row, error.text);
		return true;
	}
	return make_call(stacks, row, &calls, calls.count && type_states(type)->path);
}

static bool remove_row(struct stacks *stacks, struct stack_resource *row)
{
	const struct type *type = type_find(row->type);
	const struct type_states *states = type ? type_states(type) : NULL;
	CLEANUP(type_calls_clear) struct type_calls calls = { NULL, 0 };
	CLEANUP(node_freep) struct node *properties = node_of(row->properties);
	struct error error = ERROR_INIT;

	if (type && type_is_played(type))
		return played_remove(stacks, row);
	if (type && row->physical &&
	    type_delete(type, row->physical, properties, &calls, &error) < 0) {
		row_fail(stacks, row, error.text);
		return true;
	}
	return make_call(stacks, row, &calls,
			 calls.count && states && states->path && states->gone);
}

/*
 * An instance is recorded before it runs: one whose daemon was killed in between is forgotten (see
 * world/commit.c), and made again.
 */
static bool was_lost(const struct stacks *stacks, const struct stack_resource *row)
{
	return row->phase == STACK_PHASE_SETTLE && row->time <= stacks->opened;
}

static void make_again(struct stacks *stacks, struct stack_resource *row)
{
	struct transaction transaction = stacks_begin(stacks);

	transaction_edit(&transaction, row);
	set_text(&row->physical, NULL);
	row->phase = STACK_PHASE_MAKE;
	row->step = 0;
	row->time = transaction.now;
	stacks_commit(stacks, &transaction);
}

/* Until it is ready, or gone. */
static bool await(struct stacks *stacks, struct stack_resource *row)
{
	const bool going = row->phase == STACK_PHASE_VANISH;
	CLEANUP(freep) char *reason = NULL;
	struct error error = ERROR_INIT;
	enum row_state state;

	if (row_state(stacks, row, &state, &reason, &error) < 0)
		row_fail(stacks, row, error.text);
	else if (state == (going ? ROW_GONE : ROW_READY))
		finish_wait(stacks, row);
	else if (!going && state == ROW_FAILED)
		row_fail(stacks, row, reason ? reason : "Resource creation failed");
	else if (state == ROW_GONE && was_lost(stacks, row))
		make_again(stacks, row);
	else if (!going && state == ROW_GONE)
		row_fail(stacks, row, "The resource was deleted meanwhile");
	else if (row->time + SETTLE_SECONDS < stacks_now())
		row_fail(stacks, row,
			 going ? "Exceeded attempts to wait" : "Resource failed to stabilize");
	else
		return false;
	return true;
}

bool row_advance(struct stacks *stacks, struct stack_resource *row)
{
	switch (row->phase) {
	case STACK_PHASE_MAKE:
		return make(stacks, row);
	case STACK_PHASE_CHANGE:
		return change(stacks, row);
	case STACK_PHASE_REMOVE:
		return remove_row(stacks, row);
	case STACK_PHASE_SETTLE:
	case STACK_PHASE_STEADY:
	case STACK_PHASE_VANISH:
		return await(stacks, row);
	default:
		return false;
	}
}
