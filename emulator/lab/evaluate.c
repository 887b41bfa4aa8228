/* Values of a template, once somebody answers: see template.h and internal.h. */
#include "lab/internal.h"

#include <errno.h>

#define SIZE_LIMIT  ((size_t)8 << 20) /* of all that one resource's values take on the way */
#define DEPTH_LIMIT 400

/* ---- bounds ---- */

int evaluate_spend(struct walker *walker, const struct node *node, size_t size)
{
	walker->spent += size + sizeof(struct node);
	if (walker->spent <= SIZE_LIMIT)
		return 0;
	return place_fail(&walker->place, node, "the values are larger than %zu MB",
			  SIZE_LIMIT >> 20);
}

static size_t node_size(const struct node *node)
{
	size_t size = sizeof(*node) + (node->text ? strlen(node->text) : 0);

	for (size_t i = 0; i < node->count; i++)
		size += node_size(node->items[i]);
	return size;
}

/* ---- references ---- */

/* False: it is none. */
static bool pseudo_value(const struct template_answers *answers, const char *name,
			 struct node **ret_value)
{
	const struct {
		const char *name, *value;
	} texts[] = {
		{ "AWS::AccountId", answers->account },
		{ "AWS::Partition", answers->partition },
		{ "AWS::Region", answers->region },
		{ "AWS::StackId", answers->stack_id },
		{ "AWS::StackName", answers->stack_name },
		{ "AWS::URLSuffix", answers->url_suffix },
	};

	if (strncmp(name, "AWS::", 5) != 0)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (streq(name, texts[i].name)) {
			*ret_value = node_text_new(texts[i].value ? texts[i].value : "");
			return true;
		}
	/* A stack has no topics; AWS::NoValue is nothing at all. */
	*ret_value = streq(name, "AWS::NotificationARNs") ? node_new(NODE_LIST) : NULL;
	return true;
}

static int resource_value(struct walker *walker, const struct node *node, const char *name,
			  const char *attribute, struct node **ret_value)
{
	const struct evaluation *evaluation = walker->evaluation;
	const struct resource *resource = resource_find(evaluation->template, name);
	int result;

	if (!resource || !evaluation_has(evaluation, resource->node))
		return place_fail(&walker->place, node,
				  "Template format error: Unresolved resource dependencies [%s] in "
				  "the %s block of the template",
				  name, walker->place.block);
	if (attribute && !type_has_attribute(resource->type, attribute))
		return place_fail(&walker->place, node,
				  "Template error: resource %s does not support attribute type "
				  "%.*s in Fn::GetAtt",
				  name, NAME_LENGTH, attribute);
	result = evaluation->answers->resource(evaluation->answers->context, name, attribute,
					       ret_value, walker->place.error);
	return result < 0 ? place_wrap(&walker->place, node, result) : 0;
}

int evaluate_reference(struct walker *walker, const struct node *node, const char *name,
		       const char *attribute, struct node **ret_value)
{
	const struct evaluation *evaluation = walker->evaluation;
	const struct template_parameter *parameter =
		attribute ? NULL : parameter_find(evaluation->template, name);
	CLEANUP(node_freep) struct node *value = NULL;
	int result = 0;

	if (parameter)
		value = node_copy(
			evaluation->parameters[parameter - evaluation->template->parameters]);
	else if (attribute || !pseudo_value(evaluation->answers, name, &value))
		result = resource_value(walker, node, name, attribute, &value);
	if (result == 0 && value)
		result = evaluate_spend(walker, node, node_size(value));
	if (result == 0)
		*ret_value = steal(&value);
	return result;
}

/* ---- values ---- */

static int evaluate_items(struct walker *walker, const struct node *node, struct node **ret_value)
{
	CLEANUP(node_freep) struct node *value = node_new(node->type);

	for (size_t i = 0; i < node->count; i++) {
		const char *key = node->items[i]->key;
		const size_t before = place_enter(&walker->place, key, i);
		struct node *item = NULL;
		int result = evaluate_value(walker, node->items[i], &item);

		place_leave(&walker->place, before);
		if (result < 0)
			return result;
		if (item)
			node_add(value, key, item);
	}
	*ret_value = steal(&value);
	return 0;
}

static int evaluate_node(struct walker *walker, const struct node *value, struct node **ret_value)
{
	const struct intrinsic *intrinsic = NULL;
	int result;

	/* A condition's own functions are asked for by evaluate_boolean(). */
	if (intrinsic_is(value, WHERE_VALUES))
		intrinsic = intrinsic_find(value->items[0]->key);
	if (intrinsic)
		return intrinsic->evaluate(walker, value->items[0], ret_value);
	result = evaluate_spend(walker, value, value->text ? strlen(value->text) : 0);
	if (result < 0)
		return result;
	if (value->type != NODE_TEXT)
		return evaluate_items(walker, value, ret_value);
	*ret_value = node_text_new(value->text);
	return 0;
}

int evaluate_value(struct walker *walker, const struct node *value, struct node **ret_value)
{
	CLEANUP(node_freep) struct node *node = NULL;
	int result;

	if (walker->depth == DEPTH_LIMIT)
		return place_fail(&walker->place, value, "the values are nested too deeply");
	walker->depth++;
	result = evaluate_node(walker, value, &node);
	walker->depth--;
	if (result < 0)
		return result;
	if (node) {
		node->line = value->line;
		node->column = value->column;
	}
	*ret_value = steal(&node);
	return 0;
}

int evaluate_text(struct walker *walker, const struct node *value, const char *usage,
		  char **ret_text)
{
	CLEANUP(node_freep) struct node *node = NULL;
	int result = evaluate_value(walker, value, &node);

	if (result < 0)
		return result;
	if (!node || node->type != NODE_TEXT)
		return place_fail(&walker->place, value, "Template error: %s", usage);
	*ret_text = steal(&node->text);
	return 0;
}

int evaluate_list(struct walker *walker, const struct node *value, const char *usage,
		  struct node **ret_list)
{
	CLEANUP(node_freep) struct node *list = NULL;
	int result = 0;

	if (value->type != NODE_LIST) {
		result = evaluate_value(walker, value, &list);
		if (result == 0 && (!list || list->type != NODE_LIST))
			return place_fail(&walker->place, value, "Template error: %s", usage);
	} else {
		list = node_new(NODE_LIST);
	}
	for (size_t i = 0; value->type == NODE_LIST && i < value->count && result == 0; i++) {
		struct node *item = NULL;

		result = evaluate_value(walker, value->items[i], &item);
		if (item)
			node_add(list, NULL, item);
	}
	if (result < 0)
		return result;
	*ret_list = steal(&list);
	return 0;
}

int evaluate_boolean(struct walker *walker, const struct node *value, bool *ret_truth)
{
	CLEANUP(node_freep) struct node *node = NULL;
	const struct node *function = value->items[0];
	int result;

	if (walker->depth == DEPTH_LIMIT)
		return place_fail(&walker->place, value, "the values are nested too deeply");
	walker->depth++;
	result = intrinsic_find(function->key)->evaluate(walker, function, &node);
	walker->depth--;
	if (result == 0)
		*ret_truth = streq(node->text, "true");
	return result;
}
