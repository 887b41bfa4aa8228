/* The template of a stack with its values: what is to be. */
#include "stack/internal.h"

#include "api/stack_source.h"
#include "model/region.h"

#define UNKNOWN "{{changeSet:KNOWN_AFTER_APPLY}}"

struct stack *work_stack(const struct work *work)
{
	return (struct stack *)model_get(work->stacks->options.model, NULL, work->stack);
}

/* ---- answers ---- */

/* In a change set: is it to be made, or made anew? */
static bool is_unknown(const struct work *work, const char *logical)
{
	const struct stack_resource *row = stack_resource_find(work_stack(work), logical);

	if (!work->set)
		return false;
	for (size_t i = 0; i < work->set->change_count; i++)
		if (streq(work->set->changes[i].logical, logical) &&
		    work->set->changes[i].replacement &&
		    !streq(work->set->changes[i].replacement, "False"))
			return true;
	return !row || row_is_gone(row);
}

static int answer_resource(void *context, const char *name, const char *attribute,
			   struct node **ret_value, struct error *error)
{
	struct work *work = context;
	const struct stack_resource *row = stack_resource_find(work_stack(work), name);

	if (is_unknown(work, name)) {
		work->unknown = true;
		*ret_value = node_text_new(UNKNOWN);
		return 0;
	}
	if (!row || !row->physical)
		return error_set(error, ERROR_INVALID_TEMPLATE, "%s is not made", name);
	return row_attribute(work->stacks, row, attribute, ret_value, error);
}

static int answer_import(void *context, const char *name, char **ret_value, struct error *error)
{
	struct work *work = context;
	const struct stack *stack = work_stack(work), *exporter;
	const struct stack_output *output =
		stack_export_find(stack->resource.scope, name, &exporter);

	if (!output)
		return error_set(error, ERROR_INVALID_TEMPLATE, "No export named %s found.", name);
	stack_texts_add(&work->imports, &work->import_count, name);
	*ret_value = xstrdup(output->value);
	return 0;
}

static int answer_zones(void *context, const char *name, struct node **ret_zones,
			struct error *error)
{
	const struct work *work = context;
	const struct region *region =
		region_find(*name ? name : work_stack(work)->resource.scope->region);
	struct node *zones;

	if (!region)
		return error_set(error, ERROR_INVALID_TEMPLATE, "There is no region %s", name);
	zones = node_new(NODE_LIST);
	for (size_t i = 0; region->zones[i]; i++)
		node_add(zones, NULL, node_text_new(zone_name(region, i).text));
	*ret_zones = zones;
	return 0;
}

static int answer_parameter(void *context, const char *name, char **ret_value, struct error *error)
{
	const struct work *work = context;

	return stack_ssm_value(work_stack(work)->resource.scope, name, ret_value, error);
}

/* ---- opening ---- */

void work_freep(struct work **work)
{
	if (!*work)
		return;
	evaluation_freep(&(*work)->evaluation);
	template_values_clear(&(*work)->values);
	template_freep(&(*work)->template);
	stack_texts_clear(&(*work)->imports, &(*work)->import_count);
	free((*work)->arn);
	free(*work);
	*work = NULL;
}

static int read_values(struct work *work, const struct stack_source *source, struct error *error)
{
	struct template_value *given = xcalloc(source->parameter_count + 1, sizeof(*given));
	int r;

	for (size_t i = 0; i < source->parameter_count; i++)
		given[i] = (struct template_value){ source->parameters[i].key,
						    source->parameters[i].value };
	r = template_check_values(work->template, &work->answers, given, source->parameter_count,
				  &work->values, error);
	free(given);
	return r;
}

int work_open(struct stacks *stacks, const struct stack *stack, const struct change_set *set,
	      struct work **ret_work, struct error *error)
{
	const struct stack_source *source = set ? &set->source : &stack->source;
	CLEANUP(work_freep) struct work *work = xcalloc(1, sizeof(*work));
	struct text_lines warnings = { NULL, 0 };
	int r;

	work->stacks = stacks;
	work->stack = stack->resource.id;
	work->generation = stack->generation;
	work->arn = stack_arn(stack);
	work->set = set;
	work->answers = (struct template_answers){
		.context = work,
		.account = stack->resource.scope->account,
		.region = stack->resource.scope->region,
		.partition = "aws",
		.url_suffix = "amazonaws.com",
		.stack_name = stack->name,
		.stack_id = work->arn,
		.resource = answer_resource,
		.import = answer_import,
		.zones = answer_zones,
		.parameter = answer_parameter,
	};
	r = stack_template(source, &work->template, &warnings, error);
	text_lines_clear(&warnings);
	if (r < 0 || (r = read_values(work, source, error)) < 0 ||
	    (r = evaluation_open(work->template, &work->values, &work->answers, &work->evaluation,
				 error)) < 0)
		return r;
	*ret_work = steal(&work);
	return 0;
}

int work_get(struct stacks *stacks, const struct stack *stack, struct work **ret_work,
	     struct error *error)
{
	struct work *work;
	int r;

	for (size_t i = 0; i < stacks->work_count; i++)
		if (rid_equal(stacks->works[i]->stack, stack->resource.id) &&
		    stacks->works[i]->generation == stack->generation) {
			*ret_work = stacks->works[i];
			return 0;
		}
	work_forget(stacks, stack->resource.id);
	if ((r = work_open(stacks, stack, NULL, &work, error)) < 0)
		return r;
	*array_grow(&stacks->works, &stacks->work_count) = work;
	*ret_work = work;
	return 0;
}

void work_forget(struct stacks *stacks, struct rid stack)
{
	for (size_t i = stacks->work_count; i-- > 0;)
		if (rid_equal(stacks->works[i]->stack, stack)) {
			work_freep(&stacks->works[i]);
			array_remove(stacks->works, &stacks->work_count, i);
		}
}

/* ---- what comes before what ---- */

const struct template_resource *work_resource(const struct work *work, const char *logical)
{
	for (size_t i = 0; i < template_resource_count(work->template); i++) {
		const struct template_resource *resource = template_resource_at(work->template, i);

		if (streq(resource->name, logical))
			return evaluation_has(work->evaluation, resource->node) ? resource : NULL;
	}
	return NULL;
}

bool list_has(const char *words, const char *word)
{
	const size_t length = strlen(word);

	for (const char *at = words ? words : ""; *at;) {
		const size_t here = strcspn(at, " ");

		if (here == length && strncmp(at, word, length) == 0)
			return true;
		at += here + (at[here] == ' ');
	}
	return false;
}

/* Does `resource` come before `logical`, by what the template says? */
static bool precedes(const struct work *work, const char *logical,
		     const struct template_resource *resource, unsigned int depth)
{
	for (size_t i = 0; depth < 64 && i < resource->dependency_count; i++) {
		const struct template_resource *other =
			work_resource(work, resource->dependencies[i]);

		if (streq(resource->dependencies[i], logical) ||
		    (other && precedes(work, logical, other, depth + 1)))
			return true;
	}
	return false;
}

/*
 * What needs the VPC's gateway can't be made before it is attached, and the gateway can't leave
 * while it is there. CloudFormation leaves it to DependsOn ("DependsOn attribute", "When a
 * DependsOn attribute is required"); here nobody has to remember.
 */
static bool needs_attachment(const char *type)
{
	static const char *const types[] = {
		"AWS::EC2::EIP",      "AWS::EC2::EIPAssociation",
		"AWS::EC2::Instance", "AWS::EC2::NatGateway",
		"AWS::EC2::Route",    "AWS::AutoScaling::AutoScalingGroup"
	};

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (streq(types[i], type))
			return true;
	return false;
}

char *work_dependencies(const struct work *work, const struct template_resource *resource)
{
	struct buffer words = BUFFER_INIT;

	for (size_t i = 0; i < resource->dependency_count; i++)
		buffer_printf(&words, "%s%s", words.length ? " " : "", resource->dependencies[i]);
	for (size_t i = 0;
	     needs_attachment(resource->type) && i < template_resource_count(work->template); i++) {
		const struct template_resource *other = template_resource_at(work->template, i);

		if (streq(other->type, "AWS::EC2::VPCGatewayAttachment") &&
		    !list_has(words.data, other->name) && !precedes(work, resource->name, other, 0))
			buffer_printf(&words, "%s%s", words.length ? " " : "", other->name);
	}
	return buffer_steal(&words);
}
