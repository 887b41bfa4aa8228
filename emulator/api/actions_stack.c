/*
 * Stacks. A call writes down what is to be done; stack/ does it, and the descriptions tell how far
 * it has got. AWS CloudFormation API reference.
 */
#include "api/actions.h"
#include "api/stack_source.h"
#include "model/tags.h"

/* What there is nothing to do with; see call_refuse(). */
static const char *const refused[] = { "ResourceTypes.member",
				       "RollbackConfiguration.RollbackTriggers.member",
				       "RollbackConfiguration.MonitoringTimeInMinutes",
				       "StackPolicyBody",
				       "StackPolicyURL",
				       "StackPolicyDuringUpdateBody",
				       "StackPolicyDuringUpdateURL",
				       NULL };

int read_on_failure(const struct call *call, int *ret_on_failure, struct error *error)
{
	const char *text =
		call_text(call, call_text(call, "OnStackFailure") ? "OnStackFailure" : "OnFailure");
	const bool disabled = call_bool(call, "DisableRollback", false);

	*ret_on_failure = disabled ? STACK_ON_FAILURE_NOTHING : STACK_ON_FAILURE_ROLLBACK;
	if (!text || !*text)
		return 0;
	if (disabled)
		return error_set(error, ERROR_INVALID_TEMPLATE,
				 "You can specify either DisableRollback or OnFailure, but not "
				 "both.");
	for (int i = 0; stack_on_failure_names[i]; i++)
		if (streq(text, stack_on_failure_names[i])) {
			*ret_on_failure = i;
			return 0;
		}
	return error_set(error, ERROR_INVALID_TEMPLATE,
			 "1 validation error detected: Value '%s' at 'onFailure' failed to satisfy "
			 "constraint: Member must satisfy enum value set: [ROLLBACK, DELETE, "
			 "DO_NOTHING]",
			 text);
}

int check_retain_except(const struct call *call, struct error *error)
{
	if (call_bool(call, "RetainExceptOnCreate", false))
		return error_set(error, ERROR_UNSUPPORTED_OPERATION,
				 "The parameter RetainExceptOnCreate is not supported. The "
				 "DeletionPolicy of that name is.");
	return 0;
}

static int check_asked(const struct call *call, struct error *error)
{
	int r = call_refuse(call, refused, error);

	return r < 0 ? r : check_retain_except(call, error);
}

static void reply_id(struct call *call, const struct stack *stack)
{
	CLEANUP(freep) char *arn = stack_arn(stack);

	xml_text(call->xml, "StackId", arn);
}

/* The tags of the stack itself; checked here, for whatever gets them later. */
static int tag_stack(struct call *call, struct stack *stack, const struct stack_source *source,
		     struct error *error)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < source->tag_count; i++)
		r = tag_set(&call->transaction, &stack->resource, source->tags[i].key,
			    source->tags[i].value, error);
	return r;
}

static int describe_source(struct call *call, struct stack *stack, struct stack_source *source,
			   struct error *error)
{
	CLEANUP(template_freep) struct template *template = NULL;
	struct text_lines warnings = { NULL, 0 };
	const char *description;
	int r;

	if ((r = stack_template(source, &template, &warnings, error)) < 0)
		return r;
	text_lines_clear(&warnings);
	description = template_description(template);
	free(stack->description);
	stack->description = xstrdup_null(description);
	return tag_stack(call, stack, source, error);
}

int stack_start(struct call *call, struct stack *stack, enum stack_status status,
		struct stack_source *source, struct error *error)
{
	int r;

	transaction_edit(&call->transaction, stack);
	if ((r = describe_source(call, stack, source, error)) < 0)
		return r;
	stack_begin(&call->transaction, stack, status, source, "User Initiated");
	return 0;
}

/* The same call again, by its token. */
static int find_repeated(struct call *call, const char *token, const char *digest, bool *ret_found,
			 struct error *error)
{
	for_each_resource (struct stack, stack, call->scope, KIND_STACK) {
		if (!token || !streq(stack->client_token, token))
			continue;
		if (!streq(stack->token_digest, digest))
			return idempotent_mismatch(error);
		reply_id(call, stack);
		*ret_found = true;
	}
	return 0;
}

static int make_stack(struct call *call, const char *name, struct stack_source *source,
		      struct error *error)
{
	const char *timeout = call_text(call, "TimeoutInMinutes");
	struct stack *stack;
	long minutes = 0;
	int r;

	if (timeout && *timeout &&
	    (r = params_int(timeout, "TimeoutInMinutes", 1, 43200, &minutes, error)) < 0)
		return r;
	stack = stack_create(&call->transaction, call->scope, name);
	stack->timeout = minutes;
	stack->protected = call_bool(call, "EnableTerminationProtection", false);
	stack->role = xstrdup_null(call_text(call, "RoleARN"));
	stack->client_token = xstrdup_null(call_text(call, "ClientRequestToken"));
	stack->token_digest = call_digest(call);
	call_texts(call, "NotificationARNs", &stack->notifications, &stack->notification_count);
	if ((r = read_on_failure(call, &stack->on_failure, error)) < 0 ||
	    (r = stack_start(call, stack, STACK_CREATE_IN_PROGRESS, source, error)) < 0)
		return r;
	reply_id(call, stack);
	return 0;
}

int create_stack(struct call *call, struct error *error)
{
	CLEANUP(stack_source_clear) struct stack_source source = { 0 };
	CLEANUP(text_lines_clear) struct text_lines warnings = { NULL, 0 };
	CLEANUP(freep) char *digest = call_digest(call);
	const char *name = call_text(call, "StackName");
	bool repeated = false;
	int r;

	if ((r = check_asked(call, error)) < 0 ||
	    (r = stack_check_name(name, "stackName", error)) < 0 ||
	    (r = find_repeated(call, call_text(call, "ClientRequestToken"), digest, &repeated,
			       error)) < 0 ||
	    repeated)
		return r;
	if (stack_find(call->scope, name))
		return error_set(error, ERROR_STACK_EXISTS, "Stack [%s] already exists", name);
	if ((r = call_source(call, name, NULL, &source, &warnings, error)) < 0)
		return r;
	return make_stack(call, name, &source, error);
}

int stack_check_update(const struct stack *stack, struct error *error)
{
	CLEANUP(freep) char *arn = stack_arn(stack);

	switch (stack->status) {
	case STACK_CREATE_COMPLETE:
	case STACK_UPDATE_COMPLETE:
	case STACK_UPDATE_ROLLBACK_COMPLETE:
		return 0;
	default:
		return error_set(error, ERROR_INVALID_TEMPLATE,
				 "Stack:%s is in %s state and can not be updated.", arn,
				 stack_status_names[stack->status]);
	}
}

int update_stack(struct call *call, struct error *error)
{
	CLEANUP(stack_source_clear) struct stack_source source = { 0 };
	CLEANUP(text_lines_clear) struct text_lines warnings = { NULL, 0 };
	const char *name = call_text(call, "StackName");
	struct stack *stack = stack_find(call->scope, name);
	int r;

	if (!stack)
		return error_set(error, ERROR_INVALID_TEMPLATE, "Stack [%s] does not exist", name);
	if ((r = check_asked(call, error)) < 0)
		return r;
	if (call_bool(call, "DisableRollback", false))
		return error_set(error, ERROR_UNSUPPORTED_OPERATION,
				 "The parameter DisableRollback is not supported for updates.");
	if ((r = stack_check_update(stack, error)) < 0 ||
	    (r = call_source(call, name, &stack->source, &source, &warnings, error)) < 0)
		return r;
	if (source_equal(&stack->source, &source))
		return error_set(error, ERROR_INVALID_TEMPLATE, "No updates are to be performed.");
	if ((r = stack_start(call, stack, STACK_UPDATE_IN_PROGRESS, &source, error)) < 0)
		return r;
	reply_id(call, stack);
	return 0;
}

static void begin_deletion(struct call *call, struct stack *stack)
{
	transaction_edit(&call->transaction, stack);
	stack->generation++;
	stack_texts_clear(&stack->retained, &stack->retained_count);
	call_texts(call, "RetainResources", &stack->retained, &stack->retained_count);
	stack_set_status(&call->transaction, stack, STACK_DELETE_IN_PROGRESS, "User Initiated");
	for_each_stack_resource (row, stack) {
		transaction_edit(&call->transaction, row);
		row->doomed = true;
	}
}

/* One that was made for a change set and has none left; nothing is in it. */
static bool is_unused(const struct call *call, const struct stack *stack)
{
	for_each_resource (struct change_set, set, call->scope, KIND_CHANGE_SET)
		if (rid_equal(set->stack, stack->resource.id))
			return false;
	return stack->status == STACK_REVIEW_IN_PROGRESS;
}

/* What `up` leaves when it comes to nothing: another may use the same name by now. */
static void delete_unused(struct call *call, struct stack *stack)
{
	if (!is_unused(call, stack))
		return;
	transaction_edit(&call->transaction, stack);
	stack_set_status(&call->transaction, stack, STACK_DELETE_COMPLETE, NULL);
}

int delete_stack(struct call *call, struct error *error)
{
	const char *of_ours = "MINIVPC_UNUSED";
	struct stack *stack = stack_find(call->scope, call_text(call, "StackName"));
	const char *mode = call_text(call, "DeletionMode");

	if (mode && *mode && !streq(mode, "STANDARD") && !streq(mode, of_ours))
		return error_set(error, ERROR_UNSUPPORTED_OPERATION,
				 "The parameter DeletionMode is not supported with the value %s.",
				 mode);
	if (!stack || stack->status == STACK_DELETE_COMPLETE ||
	    stack->status == STACK_DELETE_IN_PROGRESS)
		return 0;
	if (streq(mode, of_ours)) {
		delete_unused(call, stack);
		return 0;
	}
	if (stack->protected)
		return error_set(error, ERROR_INVALID_TEMPLATE,
				 "Stack [%s] cannot be deleted while TerminationProtection is "
				 "enabled",
				 stack->name);
	if (params_get(call->params, "RetainResources.member.1") &&
	    stack->status != STACK_DELETE_FAILED)
		return error_set(error, ERROR_INVALID_TEMPLATE,
				 "Invalid operation on stack [%s]. Specifying resources to retain "
				 "is only allowed when the stack is in DELETE_FAILED state.",
				 stack->name);
	begin_deletion(call, stack);
	return 0;
}

int update_termination_protection(struct call *call, struct error *error)
{
	struct stack *stack;
	int r = call_stack(call, call_text(call, "StackName"), &stack, error);

	if (r < 0)
		return r;
	transaction_edit(&call->transaction, stack);
	stack->protected = call_bool(call, "EnableTerminationProtection", false);
	reply_id(call, stack);
	return 0;
}

/* ---- descriptions ---- */

static void reply_outputs(struct call *call, const struct stack *stack)
{
	xml_open(call->xml, "Outputs");
	for (size_t i = 0; i < stack->output_count; i++) {
		xml_open(call->xml, "member");
		xml_text(call->xml, "OutputKey", stack->outputs[i].key);
		xml_text(call->xml, "OutputValue", stack->outputs[i].value);
		xml_text(call->xml, "Description", stack->outputs[i].description);
		xml_text(call->xml, "ExportName", stack->outputs[i].export_name);
		xml_close(call->xml);
	}
	xml_close(call->xml);
}

void reply_drift(struct call *call, const char *name)
{
	xml_open(call->xml, "DriftInformation");
	xml_text(call->xml, name, "NOT_CHECKED");
	xml_close(call->xml);
}

static void reply_stack(struct call *call, const struct stack *stack)
{
	const struct change_set *set =
		(const struct change_set *)model_get(call->model, NULL, stack->change_set);
	CLEANUP(freep) char *set_arn = set ? change_set_arn(set) : NULL;

	xml_open(call->xml, "member");
	reply_id(call, stack);
	xml_text(call->xml, "StackName", stack->name);
	xml_text(call->xml, "ChangeSetId", set_arn);
	xml_text(call->xml, "Description", stack->description);
	reply_parameters(call, &stack->source);
	xml_time(call->xml, "CreationTime", stack->create_time);
	xml_time(call->xml, "DeletionTime", stack->delete_time);
	xml_time(call->xml, "LastUpdatedTime", stack->update_time);
	xml_open(call->xml, "RollbackConfiguration");
	xml_close(call->xml);
	xml_text(call->xml, "StackStatus", stack_status_names[stack->status]);
	xml_text(call->xml, "StackStatusReason", stack->reason);
	xml_bool(call->xml, "DisableRollback", stack->on_failure == STACK_ON_FAILURE_NOTHING);
	reply_texts(call, "NotificationARNs", stack->notifications, stack->notification_count);
	if (stack->timeout)
		xml_int(call->xml, "TimeoutInMinutes", stack->timeout);
	reply_texts(call, "Capabilities", stack->source.capabilities,
		    stack->source.capability_count);
	reply_outputs(call, stack);
	xml_text(call->xml, "RoleARN", stack->role);
	reply_tags(call, stack->source.tags, stack->source.tag_count);
	xml_bool(call->xml, "EnableTerminationProtection", stack->protected);
	reply_drift(call, "StackDriftStatus");
	xml_close(call->xml);
}

int describe_stacks(struct call *call, struct error *error)
{
	const char *name = call_text(call, "StackName");
	struct stack *one = NULL;
	int r;

	if (name && *name && (r = call_stack(call, name, &one, error)) < 0)
		return r;
	if (one && stack_is_busy(one)) { /* the AWS CLI's waiters look every 30 s */
		call->hooks->hurry(call->hooks->context);
		if ((r = call_stack(call, name, &one, error)) < 0)
			return r;
	}
	xml_open(call->xml, "Stacks");
	for_each_resource (struct stack, stack, call->scope, KIND_STACK)
		if (one ? stack == one : stack->status != STACK_DELETE_COMPLETE)
			reply_stack(call, stack);
	xml_close(call->xml);
	return 0;
}

static bool is_asked_for(const struct call *call, const unsigned int *indices, size_t count,
			 const struct stack *stack)
{
	for (size_t i = 0; i < count; i++)
		if (streq(params_get(call->params, "StackStatusFilter.member.%u", indices[i]),
			  stack_status_names[stack->status]))
			return true;
	return !count;
}

/* The newest first, deleted ones too. */
int list_stacks(struct call *call, struct error *error)
{
	CLEANUP(freep) unsigned int *indices = NULL;
	const size_t count = params_indices(call->params, "StackStatusFilter.member", &indices);
	const struct resource_list *list = &call->scope->lists[KIND_STACK];

	(void)error;
	xml_open(call->xml, "StackSummaries");
	for (size_t i = list->count; i-- > 0;) {
		const struct stack *stack = (const struct stack *)list->items[i];

		if (!is_asked_for(call, indices, count, stack))
			continue;
		xml_open(call->xml, "member");
		reply_id(call, stack);
		xml_text(call->xml, "StackName", stack->name);
		xml_text(call->xml, "TemplateDescription", stack->description);
		xml_time(call->xml, "CreationTime", stack->create_time);
		xml_time(call->xml, "LastUpdatedTime", stack->update_time);
		xml_time(call->xml, "DeletionTime", stack->delete_time);
		xml_text(call->xml, "StackStatus", stack_status_names[stack->status]);
		xml_text(call->xml, "StackStatusReason", stack->reason);
		reply_drift(call, "StackDriftStatus");
		xml_close(call->xml);
	}
	xml_close(call->xml);
	return 0;
}

/* ---- exports ---- */

int list_exports(struct call *call, struct error *error)
{
	(void)error;
	xml_open(call->xml, "Exports");
	for_each_resource (struct stack, stack, call->scope, KIND_STACK) {
		CLEANUP(freep) char *arn = stack_arn(stack);

		for (size_t i = 0; i < stack->output_count; i++) {
			if (!stack->outputs[i].export_name ||
			    stack->status == STACK_DELETE_COMPLETE)
				continue;
			xml_open(call->xml, "member");
			xml_text(call->xml, "ExportingStackId", arn);
			xml_text(call->xml, "Name", stack->outputs[i].export_name);
			xml_text(call->xml, "Value", stack->outputs[i].value);
			xml_close(call->xml);
		}
	}
	xml_close(call->xml);
	return 0;
}

int list_imports(struct call *call, struct error *error)
{
	const char *name = call_text(call, "ExportName");
	bool any = false;

	xml_open(call->xml, "Imports");
	for_each_resource (struct stack, stack, call->scope, KIND_STACK)
		if (stack_imports(stack, name)) {
			xml_text(call->xml, "member", stack->name);
			any = true;
		}
	xml_close(call->xml);
	if (any)
		return 0;
	return error_set(error, ERROR_INVALID_TEMPLATE, "Export '%s' is not imported by any stack.",
			 name);
}
