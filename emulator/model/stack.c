/* Stacks as records: see stack.h. */
#include "model/stack.h"

#include <ctype.h>
#include <stdio.h>

#include "base/hash.h"

#define FORGET_AFTER 3600 /* seconds that a deleted stack stays visible */

const char *const stack_status_names[] = {
	[STACK_CREATE_IN_PROGRESS] = "CREATE_IN_PROGRESS",
	[STACK_CREATE_FAILED] = "CREATE_FAILED",
	[STACK_CREATE_COMPLETE] = "CREATE_COMPLETE",
	[STACK_ROLLBACK_IN_PROGRESS] = "ROLLBACK_IN_PROGRESS",
	[STACK_ROLLBACK_FAILED] = "ROLLBACK_FAILED",
	[STACK_ROLLBACK_COMPLETE] = "ROLLBACK_COMPLETE",
	[STACK_DELETE_IN_PROGRESS] = "DELETE_IN_PROGRESS",
	[STACK_DELETE_FAILED] = "DELETE_FAILED",
	[STACK_DELETE_COMPLETE] = "DELETE_COMPLETE",
	[STACK_DELETE_SKIPPED] = "DELETE_SKIPPED",
	[STACK_UPDATE_IN_PROGRESS] = "UPDATE_IN_PROGRESS",
	[STACK_UPDATE_CLEANUP] = "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
	[STACK_UPDATE_COMPLETE] = "UPDATE_COMPLETE",
	[STACK_UPDATE_FAILED] = "UPDATE_FAILED",
	[STACK_UPDATE_ROLLBACK_IN_PROGRESS] = "UPDATE_ROLLBACK_IN_PROGRESS",
	[STACK_UPDATE_ROLLBACK_FAILED] = "UPDATE_ROLLBACK_FAILED",
	[STACK_UPDATE_ROLLBACK_CLEANUP] = "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
	[STACK_UPDATE_ROLLBACK_COMPLETE] = "UPDATE_ROLLBACK_COMPLETE",
	[STACK_REVIEW_IN_PROGRESS] = "REVIEW_IN_PROGRESS",
	NULL,
};

const char *const stack_on_failure_names[] = { "ROLLBACK", "DELETE", "DO_NOTHING", NULL };

const char *const change_set_status_names[] = { "CREATE_PENDING", "CREATE_IN_PROGRESS",
						"CREATE_COMPLETE", "FAILED", NULL };

const char *const change_set_execution_names[] = {
	"UNAVAILABLE", "AVAILABLE", "EXECUTE_IN_PROGRESS", "EXECUTE_COMPLETE", "EXECUTE_FAILED",
	"OBSOLETE",    NULL
};

static const char *const phase_names[] = { "none",   "make",   "settle", "change",
					   "steady", "remove", "vanish", NULL };

/* ---- what is stored ---- */

#define STORED(type_, member_, kind_) FIELD_OF(type_, member_, kind_, #member_, NULL, FIELD_STORED)
#define STORED_LIST(type_, member_, count_, fields_)                                               \
	FIELD_LIST_OF(type_, member_, count_, fields_, #member_, FIELD_STORED)

static const struct field parameter_fields[] = {
	STORED(struct stack_parameter, key, FIELD_TEXT),
	STORED(struct stack_parameter, value, FIELD_TEXT),
	STORED(struct stack_parameter, no_echo, FIELD_BOOL),
	FIELD_END,
};

static const struct field text_fields[] = {
	FIELD_OF(struct stack_text, value, FIELD_TEXT, "", NULL, FIELD_STORED),
	FIELD_END,
};

static const struct field source_fields[] = {
	STORED(struct stack_source, template, FIELD_TEXT),
	STORED_LIST(struct stack_source, parameters, parameter_count, parameter_fields),
	STORED_LIST(struct stack_source, capabilities, capability_count, text_fields),
	STORED_LIST(struct stack_source, tags, tag_count, tag_fields),
	FIELD_END,
};

static const struct field output_fields[] = {
	STORED(struct stack_output, key, FIELD_TEXT),
	STORED(struct stack_output, value, FIELD_TEXT),
	STORED(struct stack_output, description, FIELD_TEXT),
	STORED(struct stack_output, export_name, FIELD_TEXT),
	FIELD_END,
};

static const struct field stack_fields[] = {
	RESOURCE_FIELDS(struct stack),
	STORED(struct stack, name, FIELD_TEXT),
	STORED(struct stack, description, FIELD_TEXT),
	STORED(struct stack, reason, FIELD_TEXT),
	FIELD_ENUM_OF(struct stack, status, stack_status_names, "status", NULL, FIELD_STORED),
	FIELD_ENUM_OF(struct stack, on_failure, stack_on_failure_names, "on_failure", NULL,
		      FIELD_STORED),
	STORED(struct stack, protected, FIELD_BOOL),
	STORED(struct stack, generation, FIELD_INT),
	STORED(struct stack, create_time, FIELD_TIME),
	STORED(struct stack, update_time, FIELD_TIME),
	STORED(struct stack, delete_time, FIELD_TIME),
	STORED(struct stack, timeout, FIELD_INT),
	FIELD_STRUCT_OF(struct stack, source, source_fields, "source", FIELD_STORED),
	FIELD_STRUCT_OF(struct stack, previous, source_fields, "previous", FIELD_STORED),
	STORED_LIST(struct stack, outputs, output_count, output_fields),
	STORED_LIST(struct stack, imports, import_count, text_fields),
	STORED_LIST(struct stack, retained, retained_count, text_fields),
	STORED_LIST(struct stack, notifications, notification_count, text_fields),
	STORED(struct stack, client_token, FIELD_TEXT),
	STORED(struct stack, token_digest, FIELD_TEXT),
	STORED(struct stack, role, FIELD_TEXT),
	STORED(struct stack, change_set, FIELD_RID),
	FIELD_END,
};

const struct resource_type stack_type = {
	.kind = KIND_STACK,
	.size = sizeof(struct stack),
	.fields = stack_fields,
};

static const struct field resource_fields[] = {
	RESOURCE_FIELDS(struct stack_resource),
	STORED(struct stack_resource, stack, FIELD_RID),
	STORED(struct stack_resource, logical, FIELD_TEXT),
	STORED(struct stack_resource, type, FIELD_TEXT),
	STORED(struct stack_resource, physical, FIELD_TEXT),
	STORED(struct stack_resource, reason, FIELD_TEXT),
	FIELD_ENUM_OF(struct stack_resource, status, stack_status_names, "status", NULL,
		      FIELD_STORED),
	FIELD_ENUM_OF(struct stack_resource, phase, phase_names, "phase", NULL, FIELD_STORED),
	STORED(struct stack_resource, step, FIELD_INT),
	STORED(struct stack_resource, time, FIELD_TIME),
	STORED(struct stack_resource, made, FIELD_INT),
	STORED(struct stack_resource, generation, FIELD_INT),
	STORED(struct stack_resource, properties, FIELD_TEXT),
	STORED(struct stack_resource, target, FIELD_TEXT),
	STORED(struct stack_resource, before, FIELD_TEXT),
	STORED(struct stack_resource, dependencies, FIELD_TEXT),
	STORED(struct stack_resource, deletion_policy, FIELD_TEXT),
	STORED(struct stack_resource, replace_policy, FIELD_TEXT),
	STORED(struct stack_resource, superseded, FIELD_BOOL),
	STORED(struct stack_resource, doomed, FIELD_BOOL),
	STORED(struct stack_resource, signals, FIELD_INT),
	STORED(struct stack_resource, memo, FIELD_TEXT),
	FIELD_END,
};

const struct resource_type stack_resource_type = {
	.kind = KIND_STACK_RESOURCE,
	.size = sizeof(struct stack_resource),
	.fields = resource_fields,
};

static const struct field event_fields[] = {
	RESOURCE_FIELDS(struct stack_event),
	STORED(struct stack_event, stack, FIELD_RID),
	STORED(struct stack_event, logical, FIELD_TEXT),
	STORED(struct stack_event, physical, FIELD_TEXT),
	STORED(struct stack_event, type, FIELD_TEXT),
	STORED(struct stack_event, reason, FIELD_TEXT),
	STORED(struct stack_event, properties, FIELD_TEXT),
	FIELD_ENUM_OF(struct stack_event, status, stack_status_names, "status", NULL, FIELD_STORED),
	STORED(struct stack_event, time, FIELD_TIME),
	FIELD_END,
};

const struct resource_type stack_event_type = {
	.kind = KIND_STACK_EVENT,
	.size = sizeof(struct stack_event),
	.fields = event_fields,
};

static const struct field detail_fields[] = {
	STORED(struct stack_change_detail, property, FIELD_TEXT),
	STORED(struct stack_change_detail, recreation, FIELD_TEXT),
	STORED(struct stack_change_detail, dynamic, FIELD_BOOL),
	FIELD_END,
};

static const struct field change_fields[] = {
	STORED(struct stack_change, action, FIELD_TEXT),
	STORED(struct stack_change, logical, FIELD_TEXT),
	STORED(struct stack_change, physical, FIELD_TEXT),
	STORED(struct stack_change, type, FIELD_TEXT),
	STORED(struct stack_change, replacement, FIELD_TEXT),
	STORED_LIST(struct stack_change, details, detail_count, detail_fields),
	FIELD_END,
};

static const struct field set_fields[] = {
	RESOURCE_FIELDS(struct change_set),
	STORED(struct change_set, stack, FIELD_RID),
	STORED(struct change_set, name, FIELD_TEXT),
	STORED(struct change_set, description, FIELD_TEXT),
	STORED(struct change_set, reason, FIELD_TEXT),
	FIELD_ENUM_OF(struct change_set, status, change_set_status_names, "status", NULL,
		      FIELD_STORED),
	FIELD_ENUM_OF(struct change_set, execution, change_set_execution_names, "execution", NULL,
		      FIELD_STORED),
	FIELD_ENUM_OF(struct change_set, on_failure, stack_on_failure_names, "on_failure", NULL,
		      FIELD_STORED),
	STORED(struct change_set, create_time, FIELD_TIME),
	STORED(struct change_set, creates, FIELD_BOOL),
	FIELD_STRUCT_OF(struct change_set, source, source_fields, "source", FIELD_STORED),
	STORED_LIST(struct change_set, changes, change_count, change_fields),
	STORED_LIST(struct change_set, notifications, notification_count, text_fields),
	STORED(struct change_set, role, FIELD_TEXT),
	STORED(struct change_set, client_token, FIELD_TEXT),
	FIELD_END,
};

const struct resource_type change_set_type = {
	.kind = KIND_CHANGE_SET,
	.size = sizeof(struct change_set),
	.fields = set_fields,
};

/* ---- names ---- */

void stack_uuid(struct rid id, struct buffer *buffer)
{
	const uint64_t other = hash_bytes(HASH_START, (const char *)&id.n, sizeof(id.n));

	buffer_printf(buffer, "%08x-%04x-1%03x-%04x-%012llx", (unsigned int)(id.n >> 32),
		      (unsigned int)(id.n >> 16 & 0xffff), (unsigned int)(id.n >> 4 & 0xfff),
		      (unsigned int)(0x8000 | (id.n & 0xf) << 8 | (other >> 48 & 0xff)),
		      (unsigned long long)(other & 0xffffffffffff));
}

static char *arn_of(const struct resource *resource, const char *kind, const char *name)
{
	struct buffer arn = BUFFER_INIT;

	buffer_printf(&arn, "arn:aws:cloudformation:%s:%s:%s/%s/", resource->scope->region,
		      resource->scope->account, kind, name);
	stack_uuid(resource->id, &arn);
	return buffer_steal(&arn);
}

char *stack_arn(const struct stack *stack)
{
	return arn_of(&stack->resource, "stack", stack->name);
}

char *change_set_arn(const struct change_set *set)
{
	return arn_of(&set->resource, "changeSet", set->name);
}

struct stack *stack_find(const struct scope *scope, const char *name)
{
	for_each_resource (struct stack, stack, scope, KIND_STACK) {
		CLEANUP(freep) char *arn = NULL;

		if (streq(stack->name, name) && stack->status != STACK_DELETE_COMPLETE)
			return stack;
		arn = strncmp(name, "arn:", 4) == 0 ? stack_arn(stack) : NULL;
		if (arn && streq(arn, name))
			return stack;
	}
	return NULL;
}

struct change_set *change_set_find(const struct scope *scope, const struct stack *stack,
				   const char *name)
{
	for_each_resource (struct change_set, set, scope, KIND_CHANGE_SET) {
		CLEANUP(freep) char *arn = NULL;

		if (stack && rid_equal(set->stack, stack->resource.id) && streq(set->name, name))
			return set;
		arn = strncmp(name, "arn:", 4) == 0 ? change_set_arn(set) : NULL;
		if (arn && streq(arn, name))
			return set;
	}
	return NULL;
}

int stack_check_name(const char *name, const char *what, struct error *error)
{
	bool good = isalpha((unsigned char)name[0]) && strlen(name) <= STACK_NAME_MAX;

	for (const char *c = name; *c && good; c++)
		good = *c > 0 && (isalnum((unsigned char)*c) || *c == '-');
	if (good)
		return 0;
	return error_set(error, ERROR_INVALID_TEMPLATE,
			 "1 validation error detected: Value '%.200s' at '%s' failed to satisfy "
			 "constraint: Member must satisfy regular expression pattern: "
			 "[a-zA-Z][-a-zA-Z0-9]*, and have length less than or equal to %d",
			 name, what, STACK_NAME_MAX);
}

bool stack_is_busy(const struct stack *stack)
{
	switch (stack->status) {
	case STACK_CREATE_IN_PROGRESS:
	case STACK_ROLLBACK_IN_PROGRESS:
	case STACK_DELETE_IN_PROGRESS:
	case STACK_UPDATE_IN_PROGRESS:
	case STACK_UPDATE_CLEANUP:
	case STACK_UPDATE_ROLLBACK_IN_PROGRESS:
	case STACK_UPDATE_ROLLBACK_CLEANUP:
		return true;
	default:
		return false;
	}
}

/* ---- sources ---- */

void stack_source_clear(struct stack_source *source)
{
	fields_free_owned(source_fields, source);
	*source = (struct stack_source){ 0 };
}

struct stack_source stack_source_copy(const struct stack_source *source)
{
	struct stack_source copy = *source;

	fields_copy_owned(source_fields, &copy);
	return copy;
}

void stack_texts_add(struct stack_text **texts, size_t *count, const char *value)
{
	for (size_t i = 0; i < *count; i++)
		if (streq((*texts)[i].value, value))
			return;
	array_grow(texts, count)->value = xstrdup(value);
}

void stack_texts_clear(struct stack_text **texts, size_t *count)
{
	for (size_t i = 0; i < *count; i++)
		free((*texts)[i].value);
	freep(texts);
	*count = 0;
}

const struct stack_parameter *stack_parameter_find(const struct stack_source *source,
						   const char *key)
{
	for (size_t i = 0; i < source->parameter_count; i++)
		if (streq(source->parameters[i].key, key))
			return &source->parameters[i];
	return NULL;
}

/* ---- stacks ---- */

static void tell(struct transaction *transaction, const struct stack *stack,
		 const struct stack_event *event)
{
	struct stack_event *told =
		transaction_create(transaction, stack->resource.scope, KIND_STACK_EVENT);

	told->stack = stack->resource.id;
	told->logical = xstrdup(event->logical);
	told->physical = xstrdup(event->physical ? event->physical : "");
	told->type = xstrdup(event->type);
	told->reason = xstrdup_null(event->reason);
	told->properties = xstrdup_null(event->properties);
	told->status = event->status;
	told->time = transaction->now;
}

static void replace_text(char **text, const char *value)
{
	char *copy = xstrdup_null(value);

	free(*text);
	*text = copy;
}

struct stack *stack_create(struct transaction *transaction, struct scope *scope, const char *name)
{
	struct stack *stack = transaction_create(transaction, scope, KIND_STACK);

	stack->name = xstrdup(name);
	stack->status = STACK_REVIEW_IN_PROGRESS;
	stack->create_time = transaction->now;
	return stack;
}

void stack_set_status(struct transaction *transaction, struct stack *stack,
		      enum stack_status status, const char *reason)
{
	CLEANUP(freep) char *arn = stack_arn(stack);
	const struct stack_event event = { .logical = stack->name,
					   .physical = arn,
					   .type = (char[]){ "AWS::CloudFormation::Stack" },
					   .reason = xstrdup_null(reason),
					   .status = (int)status };

	transaction_edit(transaction, stack);
	stack->status = (int)status;
	replace_text(&stack->reason, event.reason);
	if (status == STACK_DELETE_COMPLETE)
		stack->delete_time = transaction->now;
	tell(transaction, stack, &event);
	free(event.reason);
}

void stack_begin(struct transaction *transaction, struct stack *stack, enum stack_status status,
		 struct stack_source *source, const char *reason)
{
	transaction_edit(transaction, stack);
	stack_source_clear(&stack->previous);
	stack->previous = stack->source;
	stack->source = *source;
	*source = (struct stack_source){ 0 };
	stack->generation++;
	if (stack->generation > 1)
		stack->update_time = transaction->now;
	stack_set_status(transaction, stack, status, reason);
}

static void forget_kind(struct transaction *transaction, const struct stack *stack, enum kind kind,
			struct rid (*owner)(const struct resource *resource))
{
	struct resource_list *list = &stack->resource.scope->lists[kind];

	for (size_t i = list->count; i-- > 0;)
		if (rid_equal(owner(list->items[i]), stack->resource.id))
			transaction_delete(transaction, list->items[i]);
}

static struct rid owner_of_resource(const struct resource *resource)
{
	return ((const struct stack_resource *)resource)->stack;
}

static struct rid owner_of_event(const struct resource *resource)
{
	return ((const struct stack_event *)resource)->stack;
}

static struct rid owner_of_set(const struct resource *resource)
{
	return ((const struct change_set *)resource)->stack;
}

void stack_forget(struct transaction *transaction, struct stack *stack)
{
	forget_kind(transaction, stack, KIND_STACK_RESOURCE, owner_of_resource);
	forget_kind(transaction, stack, KIND_STACK_EVENT, owner_of_event);
	forget_kind(transaction, stack, KIND_CHANGE_SET, owner_of_set);
	transaction_delete(transaction, stack);
}

void stacks_age(struct transaction *transaction)
{
	struct model *model = transaction->model;

	for (size_t i = 0; i < model->scope_count; i++) {
		struct resource_list *list = &model->scopes[i]->lists[KIND_STACK];

		for (size_t j = list->count; j-- > 0;) {
			struct stack *stack = (struct stack *)list->items[j];

			if (stack->status == STACK_DELETE_COMPLETE &&
			    stack->delete_time + FORGET_AFTER < transaction->now)
				stack_forget(transaction, stack);
		}
	}
}

/* ---- their resources ---- */

struct stack_resource *stack_resource_find(const struct stack *stack, const char *logical)
{
	struct stack_resource *found = NULL;

	for_each_stack_resource (resource, stack)
		if (streq(resource->logical, logical) && !resource->superseded &&
		    (!found || found->doomed || !resource->doomed))
			found = resource;
	return found;
}

struct stack_resource *stack_resource_create(struct transaction *transaction, struct stack *stack,
					     const char *logical, const char *type)
{
	struct stack_resource *resource =
		transaction_create(transaction, stack->resource.scope, KIND_STACK_RESOURCE);

	resource->stack = stack->resource.id;
	resource->logical = xstrdup(logical);
	resource->type = xstrdup(type);
	resource->made = resource->generation = stack->generation;
	resource->time = transaction->now;
	return resource;
}

struct stack *stack_of(const struct stack_resource *resource, const struct model *model)
{
	return (struct stack *)model_get(model, resource->resource.scope, resource->stack);
}

void stack_resource_set_status(struct transaction *transaction, struct stack_resource *resource,
			       enum stack_status status, const char *reason)
{
	CLEANUP(freep) char *copy = xstrdup_null(reason);
	const struct stack_event event = { .logical = resource->logical,
					   .physical = resource->physical,
					   .type = resource->type,
					   .reason = copy,
					   .properties = resource->target ? resource->target
									  : resource->properties,
					   .status = (int)status };

	transaction_edit(transaction, resource);
	resource->status = (int)status;
	resource->time = transaction->now;
	replace_text(&resource->reason, copy);
	tell(transaction, stack_of(resource, transaction->model), &event);
}

/* ---- change sets, exports ---- */

struct change_set *change_set_create(struct transaction *transaction, struct stack *stack,
				     const char *name, struct stack_source *source)
{
	struct change_set *set =
		transaction_create(transaction, stack->resource.scope, KIND_CHANGE_SET);

	set->stack = stack->resource.id;
	set->name = xstrdup(name);
	set->create_time = transaction->now;
	set->source = *source;
	*source = (struct stack_source){ 0 };
	return set;
}

const struct stack_output *stack_export_find(const struct scope *scope, const char *name,
					     const struct stack **ret_stack)
{
	for_each_resource (struct stack, stack, scope, KIND_STACK)
		for (size_t i = 0; i < stack->output_count; i++)
			if (stack->status != STACK_DELETE_COMPLETE &&
			    stack->outputs[i].export_name &&
			    streq(stack->outputs[i].export_name, name)) {
				*ret_stack = stack;
				return &stack->outputs[i];
			}
	return NULL;
}

struct stack_resource *stack_ssm_row(const struct scope *scope, const char *name)
{
	for_each_resource (struct stack_resource, resource, scope, KIND_STACK_RESOURCE)
		if (streq(resource->type, "AWS::SSM::Parameter") &&
		    streq(resource->physical, name) && resource->status != STACK_DELETE_COMPLETE)
			return resource;
	return NULL;
}

bool stack_imports(const struct stack *stack, const char *name)
{
	for (size_t i = 0; i < stack->import_count; i++)
		if (stack->status != STACK_DELETE_COMPLETE && streq(stack->imports[i].value, name))
			return true;
	return false;
}
