/* Mappings, conditions and outputs as a template declares them: see internal.h. */
#include "lab/internal.h"

#include <errno.h>

/* ---- mappings ---- */

static int check_mapped(struct checker *checker, const struct node *value)
{
	bool good = value->type == NODE_TEXT || value->type == NODE_LIST;

	for (size_t i = 0; i < value->count; i++)
		good = good && value->items[i]->type == NODE_TEXT;
	if (good)
		return 0;
	return place_fail(&checker->place, value,
			  "Template format error: Every Mappings attribute must be a String or a "
			  "List.");
}

/* A mapping has keys, of attributes, of values. */
static int read_mapping(struct checker *checker, const struct node *node, unsigned int level)
{
	int result = check_is_map(checker, node);

	if (result == 0 && node->count > MAPPINGS_MAX)
		return place_fail(&checker->place, node,
				  "Template format error: Number of mapping attributes, %zu, is "
				  "greater than maximum allowed, %d",
				  node->count, MAPPINGS_MAX);
	for (size_t i = 0; i < node->count && result == 0; i++) {
		const size_t before = place_enter(&checker->place, node->items[i]->key, 0);

		result = level < 2 ? read_mapping(checker, node->items[i], level + 1)
				   : check_mapped(checker, node->items[i]);
		place_leave(&checker->place, before);
	}
	return result;
}

int mappings_read(struct checker *checker, struct node *node)
{
	checker->template->mappings = node;
	return node ? read_mapping(checker, node, 0) : 0;
}

/* ---- conditions ---- */

ssize_t condition_find(const struct template *template, const char *name)
{
	for (size_t i = 0; i < template->condition_count; i++)
		if (streq(template->conditions[i]->key, name))
			return (ssize_t)i;
	return -1;
}

/* An edge to every condition that is named below. */
static void add_edges(const struct template *template, size_t from, const struct node *node,
		      struct edges *edges)
{
	const bool names = node->type == NODE_MAP && node->count == 1 &&
			   streq(node->items[0]->key, "Condition");

	if (names)
		*array_grow(&edges->items, &edges->count) =
			(struct edge){ from,
				       (size_t)condition_find(template, node->items[0]->text) };
	for (size_t i = 0; i < node->count && !names; i++)
		add_edges(template, from, node->items[i], edges);
}

static int fail_circle(struct checker *checker, const size_t *circle, size_t count)
{
	struct node *const *conditions = checker->template->conditions;
	CLEANUP(buffer_clear) struct buffer names = BUFFER_INIT;

	for (size_t i = 0; i < count; i++)
		buffer_printf(&names, "%s%s", i ? ", " : "", conditions[circle[i]]->key);
	return place_fail(&checker->place, conditions[circle[0]],
			  "Template format error: Circular dependency between conditions: [%s]",
			  names.data);
}

static int order_conditions(struct checker *checker)
{
	struct template *template = checker->template;
	const size_t count = template->condition_count;
	CLEANUP(freep) size_t *order = xcalloc(count + 1, sizeof(*order));
	struct edges edges = { NULL, 0 };
	struct node **ordered;
	size_t circle;
	bool good;

	for (size_t i = 0; i < count; i++)
		add_edges(template, i, template->conditions[i], &edges);
	good = order_find(count, &edges, order, &circle);
	free(edges.items);
	if (!good)
		return fail_circle(checker, order, circle);
	ordered = xcalloc(count + 1, sizeof(*ordered));
	for (size_t i = 0; i < count; i++)
		ordered[i] = template->conditions[order[i]];
	free(template->conditions);
	template->conditions = ordered;
	return 0;
}

int conditions_read(struct checker *checker, struct node *node)
{
	struct template *template = checker->template;
	int result = node ? check_is_map(checker, node) : 0;

	if (result < 0 || !node)
		return result;
	checker->where = WHERE_CONDITIONS;
	template->conditions = xcalloc(node->count + 1, sizeof(*template->conditions));
	for (size_t i = 0; i < node->count; i++)
		template->conditions[template->condition_count++] = node->items[i];
	for (size_t i = 0; i < node->count && result == 0; i++) {
		const size_t before = place_enter(&checker->place, node->items[i]->key, 0);

		result = check_boolean(checker, node->items[i]);
		place_leave(&checker->place, before);
	}
	return result < 0 ? result : order_conditions(checker);
}

/* ---- outputs ---- */

static int check_output(struct checker *checker, struct node *node)
{
	static const char *const members[] = { "Condition", "Description", "Export", "Value",
					       NULL };
	static const char *const export_members[] = { "Name", NULL };
	const struct node *condition = node_get(node, "Condition");
	const struct node *description = node_get(node, "Description");
	struct node *export = node_get(node, "Export"), *value = node_get(node, "Value");
	int result = check_name(checker, node, "Output");

	if (result == 0)
		result = check_members(checker, node, members, "output");
	if (result == 0 && export)
		result = check_members(checker, export, export_members, "export");
	if (result < 0)
		return result;
	if (!value || (export && !node_get(export, "Name")))
		return place_fail(&checker->place, node,
				  "Template format error: Every %s member must contain a %s object",
				  value ? "Export" : "Outputs", value ? "Name" : "Value");
	if ((description && description->type != NODE_TEXT) ||
	    (condition && condition->type != NODE_TEXT))
		return place_fail(&checker->place, node,
				  "Template format error: Every Description and Condition member "
				  "must be a string.");
	if (condition)
		result = check_condition_name(checker, condition, condition->text);
	if (result == 0)
		result = check_value(checker, value);
	if (result == 0 && export)
		result = check_value(checker, export->items[0]);
	return result;
}

int outputs_read(struct checker *checker, struct node *node)
{
	int result = node ? check_is_map(checker, node) : 0;

	checker->where = WHERE_VALUES;
	checker->may_lose = checker->options->skip_unsupported;
	checker->inside = 1; /* what refers to what is left out is the output */
	for (size_t i = 0; node && i < node->count && result == 0; i++) {
		const size_t before = place_enter(&checker->place, node->items[i]->key, 0);

		result = check_output(checker, node->items[i]);
		if (result == 0 && *checker->lost) {
			check_forget(checker, node->items[i]);
			node_freep(&node->items[i]);
			array_remove(node->items, &node->count, i--);
		}
		place_leave(&checker->place, before);
	}
	checker->inside = 0;
	checker->template->outputs = node;
	return result;
}
