/* One stack's view of its template: see template.h. */
#include "lab/internal.h"

#include <errno.h>

void evaluation_freep(struct evaluation **pointer)
{
	struct evaluation *evaluation = steal(pointer);

	if (!evaluation)
		return;
	for (size_t i = 0; i < evaluation->template->parameter_count; i++)
		node_freep(&evaluation->parameters[i]);
	free(evaluation->parameters);
	free(evaluation->truths);
	free(evaluation);
}

static const char *given_value(const struct template_values *values, const char *name)
{
	for (size_t i = 0; i < values->count; i++)
		if (streq(values->items[i].name, name))
			return values->items[i].value;
	return NULL;
}

int evaluation_begin(const struct template *template, const struct template_values *values,
		     const struct template_answers *answers, struct evaluation **ret_evaluation,
		     struct error *error)
{
	CLEANUP(evaluation_freep) struct evaluation *evaluation = xcalloc(1, sizeof(*evaluation));

	evaluation->template = template;
	evaluation->answers = answers;
	evaluation->parameters = xcalloc(template->parameter_count + 1, sizeof(struct node *));
	evaluation->truths = xcalloc(template->condition_count + 1, sizeof(bool));
	for (size_t i = 0; i < template->parameter_count; i++) {
		const struct template_parameter *parameter = &template->parameters[i];
		const char *value = given_value(values, parameter->name);
		int result;

		if (!value)
			return error_set(error, ERROR_INVALID_TEMPLATE,
					 "Parameters: [%s] must have values", parameter->name);
		result = parameter_value(parameter, value, answers, &evaluation->parameters[i],
					 error);
		if (result < 0)
			return result;
	}
	*ret_evaluation = steal(&evaluation);
	return 0;
}

int evaluation_open(const struct template *template, const struct template_values *values,
		    const struct template_answers *answers, struct evaluation **ret_evaluation,
		    struct error *error)
{
	CLEANUP(evaluation_freep) struct evaluation *evaluation = NULL;
	int result = evaluation_begin(template, values, answers, &evaluation, error);

	for (size_t i = 0; result == 0 && i < template->condition_count; i++) {
		struct walker walker = {
			.place = { BUFFER_INIT, "Conditions", error },
			.evaluation = evaluation,
		};

		place_enter(&walker.place, "Conditions", 0);
		place_enter(&walker.place, template->conditions[i]->key, 0);
		result = evaluate_boolean(&walker, template->conditions[i], &evaluation->truths[i]);
		buffer_clear(&walker.place.path);
	}
	if (result < 0)
		return result;
	*ret_evaluation = steal(&evaluation);
	return 0;
}

bool evaluation_has(const struct evaluation *evaluation, const struct node *declaration)
{
	const char *name = node_get_text(declaration, "Condition");
	ssize_t at = name ? condition_find(evaluation->template, name) : -1;

	return !name || (at >= 0 && evaluation->truths[at]);
}

/* Dynamic references in what has its values. */
static int resolve_all(struct walker *walker, struct node *node)
{
	int result = node->type == NODE_TEXT ? dynamic_resolve(walker, node) : 0;

	for (size_t i = 0; i < node->count && result == 0; i++) {
		const size_t before = place_enter(&walker->place, node->items[i]->key, i);

		result = resolve_all(walker, node->items[i]);
		place_leave(&walker->place, before);
	}
	return result;
}

int evaluation_attribute(const struct evaluation *evaluation,
			 const struct template_resource *resource, const char *attribute,
			 struct node **ret_value, struct error *error)
{
	const struct node *value = node_get(resource->node, attribute);
	CLEANUP(node_freep) struct node *node = NULL;
	struct walker walker = {
		.place = { BUFFER_INIT, "Resources", error },
		.evaluation = evaluation,
	};
	int result = 0;

	place_enter(&walker.place, "Resources", 0);
	place_enter(&walker.place, resource->name, 0);
	place_enter(&walker.place, attribute, 0);
	if (value)
		result = evaluate_value(&walker, value, &node);
	if (node)
		result = resolve_all(&walker, node);
	buffer_clear(&walker.place.path);
	if (result < 0)
		return result;
	*ret_value = steal(&node);
	return 0;
}

int evaluation_properties(const struct evaluation *evaluation,
			  const struct template_resource *resource, struct node **ret_properties,
			  struct error *error)
{
	return evaluation_attribute(evaluation, resource, "Properties", ret_properties, error);
}

/* ---- outputs ---- */

#define OUTPUT_USAGE "The Value field of every Outputs member must evaluate to a String."
#define EXPORT_USAGE "The Name field of every Export member must evaluate to a String."

static int evaluate_output(struct walker *walker, const struct node *declaration,
			   struct template_output *output)
{
	const struct node *name = node_get(node_get(declaration, "Export"), "Name");
	size_t before = place_enter(&walker->place, "Value", 0);
	int result =
		evaluate_text(walker, node_get(declaration, "Value"), OUTPUT_USAGE, &output->value);

	place_leave(&walker->place, before);
	if (result < 0 || !name)
		return result;
	place_enter(&walker->place, "Export.Name", 0);
	result = evaluate_text(walker, name, EXPORT_USAGE, &output->export_name);
	place_leave(&walker->place, before);
	return result;
}

int evaluation_outputs(const struct evaluation *evaluation, struct template_outputs *ret_outputs,
		       struct error *error)
{
	CLEANUP(template_outputs_clear) struct template_outputs outputs = { NULL, 0 };
	const struct node *section = evaluation->template->outputs;
	int result = 0;

	for (size_t i = 0; section && i < section->count && result == 0; i++) {
		const struct node *declaration = section->items[i];
		struct template_output *output;
		struct walker walker = {
			.place = { BUFFER_INIT, "Outputs", error },
			.evaluation = evaluation,
		};

		if (!evaluation_has(evaluation, declaration))
			continue;
		output = array_grow(&outputs.items, &outputs.count);
		output->name = declaration->key;
		output->description = xstrdup_null(node_get_text(declaration, "Description"));
		place_enter(&walker.place, "Outputs", 0);
		place_enter(&walker.place, declaration->key, 0);
		result = evaluate_output(&walker, declaration, output);
		buffer_clear(&walker.place.path);
	}
	if (result < 0)
		return result;
	*ret_outputs = outputs;
	outputs = (struct template_outputs){ NULL, 0 };
	return 0;
}
