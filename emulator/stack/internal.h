/*
 * What the files of this room share.
 */
#pragma once

#include "lab/type.h"
#include "model/stack.h"
#include "stack/stack.h"

/* What is known of a stack's operation besides its records: made anew whenever it is needed. */
struct work {
	struct stacks *stacks;
	struct rid stack;
	int64_t generation;
	char *arn;
	struct template *template;
	struct template_values values;
	struct template_answers answers;
	struct evaluation *evaluation;
	struct stack_text *imports; /* names of exports that were asked for */
	size_t import_count;
	/* Of a change set: the logical ids whose values aren't known yet; and whether one was asked
	 * for. */
	const struct change_set *set;
	bool unknown;
};

struct stacks {
	struct stacks_options options;
	struct loop_source *timer;
	int64_t opened; /* seconds since 1970 */
	uint64_t delay; /* milliseconds until the next turn, when nothing happens */
	size_t turn;	/* whose it is */
	struct work **works;
	size_t work_count;
};

int64_t stacks_now(void);
/* One transaction of records; logged when it fails. */
struct transaction stacks_begin(const struct stacks *stacks);
int stacks_commit(const struct stacks *stacks, struct transaction *transaction);

/* Takes `value` over in place of what was there. */
static inline void set_text(char **text, char *value)
{
	free(*text);
	*text = value;
}

/* ---- works.c ---- */

/* The template and values of what the stack is to be, or of a change set (`set` not NULL). The
 * caller frees it with work_freep(). */
int work_open(struct stacks *stacks, const struct stack *stack, const struct change_set *set,
	      struct work **ret_work, struct error *error);
void work_freep(struct work **work);
/* The same of a stack, kept while its operation goes on. */
int work_get(struct stacks *stacks, const struct stack *stack, struct work **ret_work,
	     struct error *error);
void work_forget(struct stacks *stacks, struct rid stack);
struct stack *work_stack(const struct work *work);
/* Logical ids that must be there before: of the template, and what it can't do without. Owned. */
char *work_dependencies(const struct work *work, const struct template_resource *resource);
bool list_has(const char *words, const char *word);
/* Is it in the template, by its conditions? NULL: no. */
const struct template_resource *work_resource(const struct work *work, const char *logical);

/* ---- calls.c ---- */

/* One call of the API in the name of the stack's account; see api_invoke(). The reply as a tree. */
struct stack_call {
	const struct type_call *call;
	const char *id;	  /* of the resource; NULL: none yet */
	const char *kept; /* a JSON map of what earlier replies told; NULL */
	int (*amend)(void *context, struct transaction *transaction, const struct node *reply,
		     struct error *error);
	void *context;
};
int stacks_call(struct stacks *stacks, const struct scope *scope, const struct stack_call *call,
		struct node **ret_reply, struct error *error);
/* "{name}" in `text` replaced by what `id` and `kept` say. Owned. */
char *stacks_fill(const char *text, const struct type_call *call, const char *id,
		  const struct node *kept);
bool error_among(const struct error *error, const char *const *codes);
/* An attribute of a resource that is made, or its Ref (`attribute` NULL). */
int row_attribute(struct stacks *stacks, const struct stack_resource *row, const char *attribute,
		  struct node **ret_value, struct error *error);
enum row_state {
	ROW_WAITING,
	ROW_READY,
	ROW_FAILED,
	ROW_GONE,
};
/* What its own reply says it is; ret_reason is owned, NULL when there is none. */
int row_state(struct stacks *stacks, const struct stack_resource *row, enum row_state *ret_state,
	      char **ret_reason, struct error *error);

/* ---- rows.c ---- */

struct node *node_of(const char *json); /* an empty map for NULL */
char *json_of(const struct node *node);
/* Does the next thing for a resource that something is being done with; whether anything was. */
bool row_advance(struct stacks *stacks, struct stack_resource *row);
bool row_is_gone(const struct stack_resource *row);
void row_fail(struct stacks *stacks, struct stack_resource *row, const char *reason);

/* Gives what it has made the tags of its stack. */
void row_tag(struct transaction *transaction, const struct stack_resource *row,
	     const char *physical);
/* The same when the stack's tags have changed. */
void row_retag(struct transaction *transaction, const struct stack_resource *row);
/* A name for what was given none: see type_create(). Owned. */
char *row_token(const struct stacks *stacks, const struct stack_resource *row);
/* What it was to be is what it is, in place or `back` to what was before the update. */
void row_settle_change(struct stack_resource *row, bool back);

/* ---- forward.c, removal.c: one step of a stack; whether there was one to do ---- */

bool stack_forward(struct stacks *stacks, struct stack *stack);
bool stack_back(struct stacks *stacks, struct stack *stack);
bool stack_removal(struct stacks *stacks, struct stack *stack);
/* Logical ids with commas between them; owned. */
char *failed_names(const struct stack *stack);

/* ---- played.c: types with no calls ---- */

/* One step of making, changing and deleting; the same contract as row_advance()'s. */
bool played_make(struct stacks *stacks, struct stack_resource *row);
bool played_change(struct stacks *stacks, struct stack_resource *row);
bool played_remove(struct stacks *stacks, struct stack_resource *row);
/* The end of its phase, committed. */
bool played_complete(struct stacks *stacks, struct transaction *transaction,
		     struct stack_resource *row, enum stack_status status);
/* NULL: it has no such attribute. */
struct node *played_attribute(const struct stack_resource *row, const char *attribute);

/* ---- scaling.c: groups of instances; the same contract ---- */

#define SCALING_GROUP	      "AWS::AutoScaling::AutoScalingGroup"
#define SCALING_CONFIGURATION "AWS::AutoScaling::LaunchConfiguration"

bool scaling_make(struct stacks *stacks, struct stack_resource *row);
bool scaling_change(struct stacks *stacks, struct stack_resource *row);
bool scaling_remove(struct stacks *stacks, struct stack_resource *row);
/* Replaces one instance of a group that doesn't run any more; whether there was one. */
bool scaling_mend(struct stacks *stacks);

/* ---- changes.c ---- */

/* What a change set would do: fills it in, or says why not. */
void changes_make(struct stacks *stacks, struct change_set *set);
