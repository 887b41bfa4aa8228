/* Change sets: what an update would do, before it does. */
#include "api/actions.h"
#include "api/stack_source.h"

#include <errno.h>

enum kind_of_set {
	SET_UPDATE,
	SET_CREATE,
};

static void reply_ids(struct call *call, const char *set_element, const struct change_set *set)
{
	const struct stack *stack =
		(const struct stack *)model_get(call->model, call->scope, set->stack);
	CLEANUP(freep) char *arn = change_set_arn(set);
	CLEANUP(freep) char *stack_id = stack_arn(stack);

	xml_text(call->xml, set_element, arn);
	xml_text(call->xml, "StackId", stack_id);
}

static int find_set(const struct call *call, struct change_set **ret_set, struct error *error)
{
	const char *name = call_text(call, "ChangeSetName");
	const char *stack_name = call_text(call, "StackName");
	struct stack *stack = NULL;
	int r;

	if (stack_name && *stack_name && (r = call_stack(call, stack_name, &stack, error)) < 0)
		return r;
	if (!stack && strncmp(name, "arn:", 4) != 0)
		return error_set(error, ERROR_INVALID_TEMPLATE,
				 "StackName must be specified if ChangeSetName is not specified "
				 "as an ARN.");
	*ret_set = change_set_find(call->scope, stack, name);
	if (*ret_set)
		return 0;
	return error_set(error, ERROR_CHANGE_SET_NOT_FOUND, "ChangeSet [%s] does not exist", name);
}

static int read_kind(const struct call *call, enum kind_of_set *ret_kind, struct error *error)
{
	const char *text = call_text(call, "ChangeSetType");

	*ret_kind = streq(text, "CREATE") ? SET_CREATE : SET_UPDATE;
	if (!text || !*text || streq(text, "UPDATE") || streq(text, "CREATE"))
		return 0;
	return error_set(error, ERROR_UNSUPPORTED_OPERATION,
			 "The parameter ChangeSetType is not supported with the value %s.", text);
}

/* The stack that the set is for, made when it creates one; NULL: it is refused. */
static struct stack *find_target(struct call *call, enum kind_of_set kind, struct error *error)
{
	const char *name = call_text(call, "StackName");
	struct stack *stack = stack_find(call->scope, name);

	if (kind == SET_UPDATE) {
		if (!stack)
			error_set(error, ERROR_INVALID_TEMPLATE, "Stack [%s] does not exist", name);
		return stack && stack_check_update(stack, error) == 0 ? stack : NULL;
	}
	if (stack && stack->status == STACK_REVIEW_IN_PROGRESS)
		return stack;
	if (stack) {
		error_set(error, ERROR_INVALID_TEMPLATE,
			  "Stack [%s] already exists and cannot be created again with the "
			  "changeSet [%s].",
			  name, call_text(call, "ChangeSetName"));
		return NULL;
	}
	if (stack_check_name(name, "stackName", error) < 0)
		return NULL;
	stack = stack_create(&call->transaction, call->scope, name);
	stack_set_status(&call->transaction, stack, STACK_REVIEW_IN_PROGRESS, "User Initiated");
	return stack;
}

/* What is left out, a line each. */
static char *join(const struct text_lines *lines)
{
	struct buffer text = BUFFER_INIT;

	for (size_t i = 0; i < lines->count; i++)
		buffer_printf(&text, "%s%s", i ? "\n" : "", lines->items[i]);
	return lines->count ? buffer_steal(&text) : NULL;
}

static const char *const refused[] = { "ResourceTypes.member",
				       "RollbackConfiguration.RollbackTriggers.member",
				       "RollbackConfiguration.MonitoringTimeInMinutes",
				       "ResourcesToImport.member", NULL };

static int check_set(const struct call *call, struct error *error)
{
	int r;

	if ((r = call_refuse(call, refused, error)) < 0)
		return r;
	if (call_bool(call, "IncludeNestedStacks", false) ||
	    call_bool(call, "ImportExistingResources", false))
		return error_set(error, ERROR_UNSUPPORTED_OPERATION,
				 "The parameters IncludeNestedStacks and ImportExistingResources "
				 "are not supported.");
	return stack_check_name(call_text(call, "ChangeSetName"), "changeSetName", error);
}

/* Its name can be given again: the AWS CLI names them by the second, and here two deployments fit
 * into one. */
static bool has_had_its_day(const struct change_set *set)
{
	return set->status == CHANGE_SET_FAILED || set->execution == CHANGE_SET_EXECUTE_COMPLETE ||
	       set->execution == CHANGE_SET_EXECUTE_FAILED || set->execution == CHANGE_SET_OBSOLETE;
}

int create_change_set(struct call *call, struct error *error)
{
	CLEANUP(stack_source_clear) struct stack_source source = { 0 };
	CLEANUP(text_lines_clear) struct text_lines warnings = { NULL, 0 };
	const char *name = call_text(call, "ChangeSetName");
	enum kind_of_set kind;
	struct change_set *set;
	struct stack *stack;
	int r, on_failure;

	if ((r = check_set(call, error)) < 0 || (r = read_kind(call, &kind, error)) < 0 ||
	    (r = read_on_failure(call, &on_failure, error)) < 0)
		return r;
	if (!(stack = find_target(call, kind, error)))
		return -EINVAL;
	if ((set = change_set_find(call->scope, stack, name)) && !has_had_its_day(set))
		return error_set(error, ERROR_STACK_EXISTS, "ChangeSet [%s] already exists", name);
	if ((r = call_source(call, stack->name, kind == SET_CREATE ? NULL : &stack->source, &source,
			     &warnings, error)) < 0)
		return r;
	if (set)
		transaction_delete(&call->transaction, set);
	set = change_set_create(&call->transaction, stack, name, &source);
	set->creates = kind == SET_CREATE;
	set->on_failure = on_failure;
	set->description = xstrdup_null(call_text(call, "Description"));
	set->client_token = xstrdup_null(call_text(call, "ClientToken"));
	set->role = xstrdup_null(call_text(call, "RoleARN"));
	set->reason = join(&warnings);
	call_texts(call, "NotificationARNs", &set->notifications, &set->notification_count);
	reply_ids(call, "Id", set);
	return 0;
}

/* ---- descriptions ---- */

static void reply_details(struct call *call, const struct stack_change *change)
{
	xml_open(call->xml, "Details");
	for (size_t i = 0; i < change->detail_count; i++) {
		const struct stack_change_detail *detail = &change->details[i];

		xml_open(call->xml, "member");
		xml_open(call->xml, "Target");
		xml_text(call->xml, "Attribute", "Properties");
		xml_text(call->xml, "Name", detail->property);
		xml_text(call->xml, "RequiresRecreation", detail->recreation);
		xml_close(call->xml);
		xml_text(call->xml, "Evaluation", detail->dynamic ? "Dynamic" : "Static");
		xml_text(call->xml, "ChangeSource", "DirectModification");
		xml_close(call->xml);
	}
	xml_close(call->xml);
}

static void reply_change(struct call *call, const struct stack_change *change)
{
	xml_open(call->xml, "member");
	xml_text(call->xml, "Type", "Resource");
	xml_open(call->xml, "ResourceChange");
	xml_text(call->xml, "Action", change->action);
	xml_text(call->xml, "LogicalResourceId", change->logical);
	xml_text(call->xml, "PhysicalResourceId", change->physical);
	xml_text(call->xml, "ResourceType", change->type);
	xml_text(call->xml, "Replacement", change->replacement);
	xml_open(call->xml, "Scope");
	if (streq(change->action, "Modify"))
		xml_text(call->xml, "member", "Properties");
	xml_close(call->xml);
	reply_details(call, change);
	xml_close(call->xml);
	xml_close(call->xml);
}

static void reply_status(struct call *call, const struct change_set *set)
{
	xml_time(call->xml, "CreationTime", set->create_time);
	xml_text(call->xml, "ExecutionStatus", change_set_execution_names[set->execution]);
	xml_text(call->xml, "Status", change_set_status_names[set->status]);
	xml_text(call->xml, "StatusReason", set->reason);
	xml_text(call->xml, "Description", set->description);
	xml_bool(call->xml, "IncludeNestedStacks", false);
}

int describe_change_set(struct call *call, struct error *error)
{
	struct change_set *set;
	const struct stack *stack;
	int r = find_set(call, &set, error);

	if (r < 0)
		return r;
	stack = (const struct stack *)model_get(call->model, call->scope, set->stack);
	xml_text(call->xml, "ChangeSetName", set->name);
	reply_ids(call, "ChangeSetId", set);
	xml_text(call->xml, "StackName", stack->name);
	reply_parameters(call, &set->source);
	reply_status(call, set);
	reply_texts(call, "NotificationARNs", set->notifications, set->notification_count);
	xml_open(call->xml, "RollbackConfiguration");
	xml_close(call->xml);
	reply_texts(call, "Capabilities", set->source.capabilities, set->source.capability_count);
	reply_tags(call, set->source.tags, set->source.tag_count);
	xml_open(call->xml, "Changes");
	for (size_t i = 0; i < set->change_count; i++)
		reply_change(call, &set->changes[i]);
	xml_close(call->xml);
	return 0;
}

int list_change_sets(struct call *call, struct error *error)
{
	struct stack *stack;
	int r = call_stack(call, call_text(call, "StackName"), &stack, error);

	if (r < 0)
		return r;
	xml_open(call->xml, "Summaries");
	for_each_resource (struct change_set, set, call->scope, KIND_CHANGE_SET) {
		if (!rid_equal(set->stack, stack->resource.id))
			continue;
		xml_open(call->xml, "member");
		reply_ids(call, "ChangeSetId", set);
		xml_text(call->xml, "StackName", stack->name);
		xml_text(call->xml, "ChangeSetName", set->name);
		reply_status(call, set);
		xml_close(call->xml);
	}
	xml_close(call->xml);
	return 0;
}

/* ---- what is done with them ---- */

int delete_change_set(struct call *call, struct error *error)
{
	struct change_set *set;
	int r = find_set(call, &set, error);

	if (r < 0)
		return error->code == ERROR_CHANGE_SET_NOT_FOUND ? 0 : r;
	if (set->execution == CHANGE_SET_EXECUTE_IN_PROGRESS)
		return error_set(error, ERROR_CHANGE_SET_STATUS,
				 "ChangeSet [%s] cannot be deleted while it is executed",
				 set->name);
	transaction_delete(&call->transaction, set);
	return 0;
}

/* "CloudFormation deletes all change sets associated with the stack": they are of what was. */
static void forget_others(struct call *call, const struct change_set *set)
{
	struct resource_list *list = &call->scope->lists[KIND_CHANGE_SET];

	for (size_t i = list->count; i-- > 0;) {
		struct change_set *other = (struct change_set *)list->items[i];

		if (other != set && rid_equal(other->stack, set->stack))
			transaction_delete(&call->transaction, other);
	}
}

int execute_change_set(struct call *call, struct error *error)
{
	CLEANUP(stack_source_clear) struct stack_source source = { 0 };
	CLEANUP(freep) char *arn = NULL;
	struct change_set *set;
	struct stack *stack;
	int r = find_set(call, &set, error);

	if (r < 0 || (r = check_retain_except(call, error)) < 0)
		return r;
	arn = change_set_arn(set);
	stack = (struct stack *)model_get(call->model, call->scope, set->stack);
	if (set->execution != CHANGE_SET_AVAILABLE)
		return error_set(error, ERROR_CHANGE_SET_STATUS,
				 "ChangeSet [%s] cannot be executed in its current execution "
				 "status of [%s]",
				 arn, change_set_execution_names[set->execution]);
	if (set->creates && stack->status != STACK_REVIEW_IN_PROGRESS)
		return error_set(error, ERROR_CHANGE_SET_STATUS,
				 "ChangeSet [%s] cannot be executed: its stack is in %s state", arn,
				 stack_status_names[stack->status]);
	if (!set->creates && (r = stack_check_update(stack, error)) < 0)
		return r;
	if (!set->creates && call_bool(call, "DisableRollback", false))
		return error_set(error, ERROR_UNSUPPORTED_OPERATION,
				 "The parameter DisableRollback is not supported for updates.");
	forget_others(call, set);
	transaction_edit(&call->transaction, set);
	set->execution = CHANGE_SET_EXECUTE_COMPLETE;
	transaction_edit(&call->transaction, stack);
	stack->change_set = set->resource.id;
	if (set->creates)
		stack->on_failure = call_bool(call, "DisableRollback", false)
					    ? STACK_ON_FAILURE_NOTHING
					    : set->on_failure;
	source = stack_source_copy(&set->source);
	return stack_start(call, stack,
			   set->creates ? STACK_CREATE_IN_PROGRESS : STACK_UPDATE_IN_PROGRESS,
			   &source, error);
}
