/* What stacks have and did: their resources, events and templates. */
#include "api/actions.h"
#include "api/page.h"
#include "api/stack_source.h"

#include <errno.h>

#define EVENTS_PAGE 100

static int find_stack(const struct call *call, struct stack **ret_stack, struct error *error)
{
	const char *name = call_text(call, "StackName");

	*ret_stack = name ? stack_find(call->scope, name) : NULL;
	if (*ret_stack)
		return 0;
	return error_set(error, ERROR_INVALID_TEMPLATE, "Stack '%s' does not exist",
			 name ? name : "");
}

/* Of StackName and LogicalResourceId. */
static int find_row(const struct call *call, struct stack **ret_stack,
		    struct stack_resource **ret_row, struct error *error)
{
	const char *logical = call_text(call, "LogicalResourceId");
	int r = find_stack(call, ret_stack, error);

	if (r < 0)
		return r;
	*ret_row = stack_resource_find(*ret_stack, logical);
	return *ret_row ? 0
			: error_set(error, ERROR_INVALID_TEMPLATE,
				    "Resource %s does not exist for stack %s", logical,
				    (*ret_stack)->name);
}

static void reply_row(struct call *call, const struct stack_resource *row, const char *time)
{
	xml_text(call->xml, "LogicalResourceId", row->logical);
	xml_text(call->xml, "PhysicalResourceId", row->physical);
	xml_text(call->xml, "ResourceType", row->type);
	xml_time(call->xml, time, row->time);
	xml_text(call->xml, "ResourceStatus", stack_status_names[row->status]);
	xml_text(call->xml, "ResourceStatusReason", row->reason);
	reply_drift(call, "StackResourceDriftStatus");
}

static void reply_owner(struct call *call, const struct stack *stack)
{
	CLEANUP(freep) char *arn = stack_arn(stack);

	xml_text(call->xml, "StackName", stack->name);
	xml_text(call->xml, "StackId", arn);
}

/* The one that stands for its logical id. */
static bool is_shown(const struct stack *stack, const struct stack_resource *row)
{
	return stack_resource_find(stack, row->logical) == row;
}

/* Of PhysicalResourceId. */
static int find_owner(const struct call *call, const char *physical, struct stack **ret_stack,
		      struct error *error)
{
	for_each_resource (struct stack_resource, row, call->scope, KIND_STACK_RESOURCE)
		if (streq(row->physical, physical) && row->status != STACK_DELETE_COMPLETE) {
			*ret_stack = stack_of(row, call->model);
			return 0;
		}
	return error_set(error, ERROR_INVALID_TEMPLATE, "Stack for %s does not exist", physical);
}

int describe_stack_resources(struct call *call, struct error *error)
{
	const char *physical = call_text(call, "PhysicalResourceId");
	const char *logical = call_text(call, "LogicalResourceId");
	struct stack *stack;
	int r = physical ? find_owner(call, physical, &stack, error)
			 : find_stack(call, &stack, error);

	if (r < 0)
		return r;
	xml_open(call->xml, "StackResources");
	for_each_stack_resource (row, stack) {
		if (!is_shown(stack, row) || (logical && !streq(logical, row->logical)))
			continue;
		xml_open(call->xml, "member");
		reply_owner(call, stack);
		reply_row(call, row, "Timestamp");
		xml_close(call->xml);
	}
	xml_close(call->xml);
	return 0;
}

int describe_stack_resource(struct call *call, struct error *error)
{
	struct stack_resource *row;
	struct stack *stack;
	int r = find_row(call, &stack, &row, error);

	if (r < 0)
		return r;
	xml_open(call->xml, "StackResourceDetail");
	reply_owner(call, stack);
	reply_row(call, row, "LastUpdatedTimestamp");
	xml_close(call->xml);
	return 0;
}

int list_stack_resources(struct call *call, struct error *error)
{
	struct stack *stack;
	int r = call_stack(call, call_text(call, "StackName"), &stack, error);

	if (r < 0)
		return r;
	xml_open(call->xml, "StackResourceSummaries");
	for_each_stack_resource (row, stack) {
		if (!is_shown(stack, row))
			continue;
		xml_open(call->xml, "member");
		reply_row(call, row, "LastUpdatedTimestamp");
		xml_close(call->xml);
	}
	xml_close(call->xml);
	return 0;
}

static void reply_event(struct call *call, const struct stack *stack,
			const struct stack_event *event)
{
	CLEANUP(buffer_clear) struct buffer id = BUFFER_INIT;

	stack_uuid(event->resource.id, &id);
	xml_open(call->xml, "member");
	reply_owner(call, stack);
	xml_text(call->xml, "EventId", id.data);
	xml_text(call->xml, "LogicalResourceId", event->logical);
	xml_text(call->xml, "PhysicalResourceId", event->physical);
	xml_text(call->xml, "ResourceType", event->type);
	xml_time(call->xml, "Timestamp", event->time);
	xml_text(call->xml, "ResourceStatus", stack_status_names[event->status]);
	xml_text(call->xml, "ResourceStatusReason", event->reason);
	xml_text(call->xml, "ResourceProperties", event->properties);
	xml_close(call->xml);
}

/* A page of those up to `from`, the newest first. */
static void reply_events(struct call *call, const struct stack *stack, int64_t from)
{
	const struct resource_list *list = &call->scope->lists[KIND_STACK_EVENT];
	CLEANUP(buffer_clear) struct buffer token = BUFFER_INIT;
	size_t shown = 0;

	xml_open(call->xml, "StackEvents");
	for (size_t i = list->count; i-- > 0 && !token.length;) {
		const struct stack_event *event = (const struct stack_event *)list->items[i];

		if (event->resource.order > from || !rid_equal(event->stack, stack->resource.id))
			continue;
		if (shown++ < EVENTS_PAGE)
			reply_event(call, stack, event);
		else
			page_token_write(event->resource.order, &token);
	}
	xml_close(call->xml);
	xml_text(call->xml, "NextToken", token.data);
}

int describe_stack_events(struct call *call, struct error *error)
{
	const char *token = call_text(call, "NextToken");
	int64_t from = INT64_MAX;
	struct stack *stack;
	int r = call_text(call, "StackName") ? 0 : -EINVAL;

	r = r < 0 ? error_set(error, ERROR_INVALID_TEMPLATE, "The stack name must be specified")
		  : find_stack(call, &stack, error);
	if (r < 0)
		return r;
	if (token && page_token_read(token, &from) < 0)
		return error_set(error, ERROR_INVALID_TEMPLATE, "The token '%s' is invalid", token);
	reply_events(call, stack, from);
	return 0;
}

/* Counts for conditions that wait, and for their handles. */
int signal_resource(struct call *call, struct error *error)
{
	const char *status = call_text(call, "Status");
	struct stack_resource *row;
	struct stack *stack;
	int r = find_row(call, &stack, &row, error);

	if (r < 0)
		return r;
	transaction_edit(&call->transaction, row);
	if (streq(status, "SUCCESS")) {
		row->signals++;
		return 0;
	}
	if (!streq(status, "FAILURE"))
		return error_set(error, ERROR_INVALID_TEMPLATE,
				 "1 validation error detected: Value '%s' at 'status' failed to "
				 "satisfy constraint: Member must satisfy enum value set: "
				 "[FAILURE, SUCCESS]",
				 status);
	if (row->phase == STACK_PHASE_NONE)
		return 0;
	row->phase = STACK_PHASE_NONE;
	stack_resource_set_status(&call->transaction, row, STACK_CREATE_FAILED,
				  "Failed to receive 1 resource signal(s): it said FAILURE");
	return 0;
}

/* ---- templates ---- */

static const struct stack_source *source_asked_for(const struct call *call, struct stack *stack,
						   struct error *error)
{
	const char *name = call_text(call, "ChangeSetName");
	const struct change_set *set;

	if (!name || !*name)
		return &stack->source;
	set = change_set_find(call->scope, stack, name);
	if (set)
		return &set->source;
	error_set(error, ERROR_CHANGE_SET_NOT_FOUND, "ChangeSet [%s] does not exist", name);
	return NULL;
}

/* It is under review: only its change sets have one. */
static int no_template(const struct stack *stack, struct error *error)
{
	return error_set(error, ERROR_INVALID_TEMPLATE, "Stack %s has no template yet",
			 stack->name);
}

int get_template(struct call *call, struct error *error)
{
	const struct stack_source *source;
	struct stack *stack;
	int r = call_stack(call, call_text(call, "StackName"), &stack, error);

	if (r < 0)
		return r;
	if (!(source = source_asked_for(call, stack, error)))
		return -EINVAL;
	if (!source->template)
		return no_template(stack, error);
	xml_text(call->xml, "TemplateBody", source->template);
	xml_open(call->xml, "StagesAvailable");
	xml_text(call->xml, "member", "Original");
	xml_text(call->xml, "member", "Processed");
	xml_close(call->xml);
	return 0;
}

/* The template that is asked about, in the call or of a stack. */
static int read_template(struct call *call, struct template **ret_template,
			 struct text_lines *ret_warnings, struct error *error)
{
	const char *body = call_text(call, "TemplateBody"), *name = call_text(call, "StackName");
	CLEANUP(freep) char *copy = xstrdup(body ? body : "");
	struct stack_source source = { .template = copy };
	struct stack *stack;
	int r;

	if (call_text(call, "TemplateURL"))
		return error_set(error, ERROR_UNSUPPORTED_OPERATION,
				 "The parameter TemplateURL is not supported: there is no S3 here. "
				 "Send the template as TemplateBody.");
	if (!body && name) {
		if ((r = call_stack(call, name, &stack, error)) < 0)
			return r;
		if (!stack->source.template)
			return no_template(stack, error);
		return stack_template(&stack->source, ret_template, ret_warnings, error);
	}
	if (!body)
		return error_set(error, ERROR_INVALID_TEMPLATE,
				 "Either Template URL or Template Body must be specified.");
	return stack_template(&source, ret_template, ret_warnings, error);
}

static void reply_constraints(struct call *call, const struct template_parameter *parameter)
{
	const struct node *values = node_get(parameter->node, "AllowedValues");

	xml_open(call->xml, "ParameterConstraints");
	xml_open(call->xml, "AllowedValues");
	for (size_t i = 0; values && i < values->count; i++)
		xml_text(call->xml, "member", values->items[i]->text);
	xml_close(call->xml);
	xml_close(call->xml);
}

static void reply_declared(struct call *call, const struct template *template, bool summary)
{
	xml_open(call->xml, "Parameters");
	for (size_t i = 0; i < template_parameter_count(template); i++) {
		const struct template_parameter *parameter = template_parameter_at(template, i);

		xml_open(call->xml, "member");
		xml_text(call->xml, "ParameterKey", parameter->name);
		xml_text(call->xml, "DefaultValue", parameter->fallback);
		if (summary)
			xml_text(call->xml, "ParameterType", parameter->type);
		xml_bool(call->xml, "NoEcho", parameter->no_echo);
		xml_text(call->xml, "Description", parameter->description);
		if (summary)
			reply_constraints(call, parameter);
		xml_close(call->xml);
	}
	xml_close(call->xml);
	xml_text(call->xml, "Description", template_description(template));
	xml_open(call->xml, "Capabilities");
	xml_close(call->xml);
}

int validate_template(struct call *call, struct error *error)
{
	CLEANUP(template_freep) struct template *template = NULL;
	CLEANUP(text_lines_clear) struct text_lines warnings = { NULL, 0 };
	int r = read_template(call, &template, &warnings, error);

	if (r < 0)
		return r;
	reply_declared(call, template, false);
	return 0;
}

int get_template_summary(struct call *call, struct error *error)
{
	CLEANUP(template_freep) struct template *template = NULL;
	CLEANUP(text_lines_clear) struct text_lines warnings = { NULL, 0 };
	int r = read_template(call, &template, &warnings, error);

	if (r < 0)
		return r;
	reply_declared(call, template, true);
	xml_open(call->xml, "ResourceTypes");
	for (size_t i = 0; i < template_resource_count(template); i++) {
		const char *type = template_resource_at(template, i)->type;
		bool seen = false;

		for (size_t j = 0; j < i; j++)
			seen = seen || streq(template_resource_at(template, j)->type, type);
		if (!seen)
			xml_text(call->xml, "member", type);
	}
	xml_close(call->xml);
	xml_text(call->xml, "Version", "2010-09-09");
	return 0;
}
