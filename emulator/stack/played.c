/*
 * Types that no call makes: wait conditions, which are signals that came, and parameters of Systems
 * Manager, which are the record itself.
 */
#include "stack/internal.h"

#define WAIT_CONDITION "AWS::CloudFormation::WaitCondition"
#define WAIT_HANDLE    "AWS::CloudFormation::WaitConditionHandle"
#define SSM_PARAMETER  "AWS::SSM::Parameter"

bool played_complete(struct stacks *stacks, struct transaction *transaction,
		     struct stack_resource *row, enum stack_status status)
{
	row->phase = STACK_PHASE_NONE;
	row->step = 0;
	stack_resource_set_status(transaction, row, status, NULL);
	return stacks_commit(stacks, transaction) == 0;
}

static void name(const struct stacks *stacks, struct stack_resource *row, const char *given)
{
	const struct stack *stack = stack_of(row, stacks->options.model);
	CLEANUP(freep) char *arn = stack_arn(stack);
	CLEANUP(buffer_clear) struct buffer text = BUFFER_INIT;

	if (given) {
		buffer_puts(&text, given);
	} else if (streq(row->type, WAIT_HANDLE)) {
		buffer_printf(&text, "https://cloudformation-waitcondition-%s.s3.amazonaws.com/",
			      stack->resource.scope->region);
		buffer_escape(&text, arn, strlen(arn), "");
		buffer_printf(&text, "/%s", row->logical);
	} else if (streq(row->type, SSM_PARAMETER)) {
		buffer_printf(&text, "CFN-%s-%012llx", row->logical,
			      (unsigned long long)(row->resource.id.n & 0xffffffffffff));
	} else if (streq(row->type, SCALING_CONFIGURATION)) {
		buffer_printf(&text, "%s-%s-%012llX", stack->name, row->logical,
			      (unsigned long long)(row->resource.id.n & 0xffffffffffff));
	} else {
		buffer_printf(&text, "%s/%s", arn, row->logical);
	}
	set_text(&row->physical, buffer_steal(&text));
}

/* ---- wait conditions ---- */

static int64_t number(const struct node *properties, const char *member, int64_t fallback)
{
	const char *text = node_get_text(properties, member);

	return text ? strtoll(text, NULL, 10) : fallback;
}

/* Told to the condition itself, or to its handle. */
static int64_t signals_of(const struct stacks *stacks, const struct stack_resource *row,
			  const char *handle)
{
	const struct stack *stack = stack_of(row, stacks->options.model);
	int64_t signals = row->signals;

	for_each_stack_resource (other, stack)
		if (other != row && handle && streq(other->physical, handle))
			signals += other->signals;
	return signals;
}

static bool await_signals(struct stacks *stacks, struct stack_resource *row,
			  const struct node *properties)
{
	const int64_t wanted = number(properties, "Count", 1);
	const int64_t signals = signals_of(stacks, row, node_get_text(properties, "Handle"));
	struct transaction transaction;

	if (signals >= wanted) {
		transaction = stacks_begin(stacks);
		transaction_edit(&transaction, row);
		name(stacks, row, NULL);
		return played_complete(stacks, &transaction, row, STACK_CREATE_COMPLETE);
	}
	if (row->time + number(properties, "Timeout", 0) <= stacks_now()) {
		CLEANUP(freep)
		char *reason = xasprintf("WaitCondition timed out. Received %lld conditions when "
					 "expecting %lld",
					 (long long)signals, (long long)wanted);

		row_fail(stacks, row, reason);
		return true;
	}
	return false;
}

/* ---- all ---- */

static bool is_taken(const struct stack_resource *row, const char *wanted)
{
	return wanted && stack_ssm_row(row->resource.scope, wanted) != NULL;
}

bool played_make(struct stacks *stacks, struct stack_resource *row)
{
	CLEANUP(node_freep) struct node *properties = node_of(row->properties);
	const char *given = NULL;
	struct transaction transaction;

	if (streq(row->type, SCALING_GROUP))
		return scaling_make(stacks, row);
	if (streq(row->type, WAIT_CONDITION) && node_get(properties, "Handle"))
		return await_signals(stacks, row, properties);
	if (streq(row->type, SSM_PARAMETER)) {
		given = node_get_text(properties, "Name");
		if (is_taken(row, given)) {
			row_fail(stacks, row, "The parameter already exists.");
			return true;
		}
	}
	if (streq(row->type, SCALING_CONFIGURATION))
		given = node_get_text(properties, "LaunchConfigurationName");
	transaction = stacks_begin(stacks);
	transaction_edit(&transaction, row);
	name(stacks, row, given);
	if (streq(row->type, SSM_PARAMETER))
		set_text(&row->memo, xstrdup_null(node_get_text(properties, "Value")));
	return played_complete(stacks, &transaction, row, STACK_CREATE_COMPLETE);
}

bool played_change(struct stacks *stacks, struct stack_resource *row)
{
	const bool back =
		stack_of(row, stacks->options.model)->status == STACK_UPDATE_ROLLBACK_IN_PROGRESS;
	CLEANUP(node_freep) struct node *target = node_of(row->target);
	struct transaction transaction;

	if (streq(row->type, SCALING_GROUP))
		return scaling_change(stacks, row);
	transaction = stacks_begin(stacks);
	transaction_edit(&transaction, row);
	if (streq(row->type, SSM_PARAMETER))
		set_text(&row->memo, xstrdup_null(node_get_text(target, "Value")));
	row_settle_change(row, back);
	return played_complete(stacks, &transaction, row, STACK_UPDATE_COMPLETE);
}

bool played_remove(struct stacks *stacks, struct stack_resource *row)
{
	struct transaction transaction;

	if (streq(row->type, SCALING_GROUP))
		return scaling_remove(stacks, row);
	transaction = stacks_begin(stacks);
	transaction_edit(&transaction, row);
	return played_complete(stacks, &transaction, row, STACK_DELETE_COMPLETE);
}

struct node *played_attribute(const struct stack_resource *row, const char *attribute)
{
	CLEANUP(node_freep) struct node *properties = node_of(row->properties);

	if (!attribute)
		return node_text_new(row->physical);
	if (streq(row->type, WAIT_CONDITION) && streq(attribute, "Data"))
		return node_text_new("{}");
	if (streq(row->type, SSM_PARAMETER) && streq(attribute, "Value"))
		return node_text_new(row->memo);
	if (node_get_text(properties, attribute))
		return node_text_new(node_get_text(properties, attribute));
	return NULL;
}
