/* Resources as a template declares them ("Resources"): see internal.h. */
#include "lab/internal.h"

#include <errno.h>

/* ---- declarations ---- */

static const char *const attributes[] = {
	"Condition",  "CreationPolicy", "DeletionPolicy", "DependsOn",		 "Metadata",
	"Properties", "Type",		"UpdatePolicy",	  "UpdateReplacePolicy", NULL,
};

static int read_policy(struct checker *checker, const struct node *node, const char *attribute,
		       const char **ret_policy)
{
	static const char *const policies[] = { "Delete", "Retain", "Snapshot",
						"RetainExceptOnCreate" };
	const bool is_update = streq(attribute, "UpdateReplacePolicy");
	const struct node *policy = node_get(node, attribute);

	*ret_policy = "Delete";
	if (!policy)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(policies) - is_update; i++)
		if (streq(policy->text, policies[i])) {
			*ret_policy = policies[i];
			return 0;
		}
	place_enter(&checker->place, attribute, 0);
	return place_fail(&checker->place, policy,
			  "Template error: Unrecognized %s %.*s for resource %s", attribute,
			  NAME_LENGTH, policy->text ? policy->text : "", node->key);
}

static int read_condition(struct checker *checker, const struct node *node)
{
	const struct node *condition = node_get(node, "Condition");
	size_t before;
	int result;

	if (!condition)
		return 0;
	before = place_enter(&checker->place, "Condition", 0);
	if (condition->type != NODE_TEXT)
		return place_fail(
			&checker->place, condition,
			"Template format error: Every Condition member must be a string.");
	result = check_condition_name(checker, condition, condition->text);
	place_leave(&checker->place, before);
	return result;
}

/* Every declaration has properties, if none. */
static int read_properties(struct checker *checker, struct node *node)
{
	struct node *properties = node_get(node, "Properties");

	if (!properties) {
		properties = node_add(node, "Properties", node_new(NODE_MAP));
		properties->line = node->line;
		properties->column = node->column;
	}
	if (properties->type == NODE_MAP &&
	    (!intrinsic_is(properties, WHERE_VALUES) || !intrinsic_find(properties->items[0]->key)))
		return 0;
	place_enter(&checker->place, "Properties", 0);
	return place_fail(&checker->place, properties,
			  "Template format error: Properties must be an object, and no function");
}

static int read_declaration(struct checker *checker, struct resource *resource, struct node *node)
{
	struct template_resource *shown = &resource->shown;
	int result = check_name(checker, node, "Resource");

	if (result == 0 && parameter_find(checker->template, node->key))
		return place_fail(&checker->place, node,
				  "Template format error: %s is a parameter and a resource",
				  node->key);
	if (result == 0)
		result = check_members(checker, node, attributes, "resource");
	if (result < 0)
		return result;
	*shown = (struct template_resource){ .name = node->key, .node = node };
	resource->node = node;
	shown->type = node_get_text(node, "Type");
	if (!shown->type)
		return place_fail(&checker->place, node,
				  "Template format error: [/Resources/%s] Every Resources object "
				  "must contain a Type member.",
				  node->key);
	result = read_condition(checker, node);
	if (result == 0)
		result = read_policy(checker, node, "DeletionPolicy", &shown->deletion_policy);
	if (result == 0)
		result = read_policy(checker, node, "UpdateReplacePolicy",
				     &shown->update_replace_policy);
	return result < 0 ? result : read_properties(checker, node);
}

static int read_declarations(struct checker *checker, struct node *node)
{
	struct template *template = checker->template;
	int result = 0;

	template->resources = xcalloc(node->count + 1, sizeof(*template->resources));
	for (size_t i = 0; i < node->count && result == 0; i++) {
		const size_t before = place_enter(&checker->place, node->items[i]->key, 0);
		struct resource *resource = &template->resources[template->declared_count++];

		result = read_declaration(checker, resource, node->items[i]);
		if (result == 0)
			resource->type = type_find(resource->shown.type);
		place_leave(&checker->place, before);
	}
	template->resource_count = template->declared_count;
	return result;
}

/* ---- types ---- */

/* With lines what we lack is taken out, and listed; else it is an error. */
static int check_type(const struct resource *resource, struct node *properties,
		      struct text_lines *lines, struct error *error)
{
	CLEANUP(freep) char *path = xasprintf("Resources.%s.Properties", resource->shown.name);

	return type_check(resource->type, path, properties, lines, error);
}

/* All that is lacking, for whoever is told of the first alone. */
static void list_lacks(struct checker *checker)
{
	const struct template *template = checker->template;

	for (size_t i = 0; i < template->declared_count; i++) {
		const struct resource *resource = &template->resources[i];
		CLEANUP(node_freep) struct node *copy = NULL;
		struct error error = ERROR_INIT;

		if (!resource->type) {
			text_lines_add(checker->warnings,
				       "Resources.%s (line %u): minivpc does not support %s",
				       resource->shown.name, resource->node->line,
				       resource->shown.type);
			continue;
		}
		copy = node_copy(node_get(resource->node, "Properties"));
		if (check_type(resource, copy, checker->warnings, &error) < 0)
			text_lines_add(checker->warnings, "%s", error.text);
	}
}

static int fail_types(struct checker *checker)
{
	const struct template *template = checker->template;
	CLEANUP(buffer_clear) struct buffer names = BUFFER_INIT;
	const struct resource *first = NULL;

	for (size_t i = 0; i < template->declared_count; i++) {
		const struct resource *resource = &template->resources[i];

		if (resource->type)
			continue;
		buffer_printf(&names, "%s%s", first ? ", " : "", resource->shown.type);
		first = first ? first : resource;
	}
	if (!first)
		return 0;
	place_enter(&checker->place, first->shown.name, 0);
	return place_fail(&checker->place, node_get(first->node, "Type"),
			  "Template format error: Unrecognized resource types: [%s]", names.data);
}

/* What is not supported is an error … */
static int check_types(struct checker *checker)
{
	const struct template *template = checker->template;
	int result = fail_types(checker);

	for (size_t i = 0; i < template->declared_count && result == 0; i++) {
		const struct resource *resource = &template->resources[i];

		result = check_type(resource, node_get(resource->node, "Properties"), NULL,
				    checker->place.error);
	}
	if (result < 0)
		list_lacks(checker);
	return result;
}

/* … or left out. */
static int skip_types(struct checker *checker)
{
	const struct template *template = checker->template;
	int result = 0;

	for (size_t i = 0; i < template->declared_count && result == 0; i++) {
		struct resource *resource = &template->resources[i];

		resource->left_out = !resource->type;
		if (resource->left_out)
			text_lines_add(checker->warnings,
				       "Resources.%s (line %u): minivpc does not support %s",
				       resource->shown.name, resource->node->line,
				       resource->shown.type);
		else
			result = check_type(resource, node_get(resource->node, "Properties"),
					    checker->warnings, checker->place.error);
	}
	return result;
}

/* ---- references ---- */

static int check_depends_on(struct checker *checker, const struct node *node)
{
	const bool is_list = node->type == NODE_LIST;
	int result = 0;

	for (size_t i = 0; i < (is_list ? node->count : 1) && result == 0; i++) {
		const struct node *name = is_list ? node->items[i] : node;

		if (name->type != NODE_TEXT)
			return place_fail(&checker->place, name,
					  "Template format error: DependsOn must be a string or a "
					  "list of strings.");
		if (!resource_find(checker->template, name->text))
			return place_fail(&checker->place, name,
					  "Template format error: Unresolved resource dependencies "
					  "[%.*s] in the Resources block of the template",
					  NAME_LENGTH, name->text);
		result = check_reference(checker, name, name->text, NULL);
		checker->lost[0] = '\0'; /* what is left out needn't be waited for */
	}
	return result;
}

static int check_references(struct checker *checker, struct resource *resource)
{
	static const char *const valued[] = { "Properties", "CreationPolicy", "UpdatePolicy",
					      "Metadata" };
	struct node *depends_on = node_get(resource->node, "DependsOn");
	int result = 0;
	size_t before;

	checker->resource = resource;
	resource->shown.dependency_count = 0;
	free(resource->dependencies);
	resource->dependencies = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(valued) && result == 0; i++) {
		struct node *value = node_get(resource->node, valued[i]);

		before = place_enter(&checker->place, valued[i], 0);
		result = value ? check_value(checker, value) : 0;
		if (result == 0 && *checker->lost)
			check_forget(checker, value); /* a function in place of all of it */
		place_leave(&checker->place, before);
	}
	before = place_enter(&checker->place, "DependsOn", 0);
	if (result == 0 && depends_on)
		result = check_depends_on(checker, depends_on);
	place_leave(&checker->place, before);
	resource->shown.dependencies = resource->dependencies;
	checker->resource = NULL;
	return result;
}

static bool depends_on(const struct resource *resource, const struct resource *other)
{
	for (size_t i = 0; i < resource->shown.dependency_count; i++)
		if (streq(resource->dependencies[i], other->shown.name))
			return true;
	return false;
}

/* What has lost a property that it needs goes too; those who refer to it are looked at again. */
static bool give_up(struct checker *checker, struct resource *resource, bool *again)
{
	const struct template *template = checker->template;
	CLEANUP(text_lines_clear) struct text_lines ignored = { NULL, 0 };
	struct error error = ERROR_INIT;

	if (!resource->has_lost)
		return false;
	resource->has_lost = false;
	if (check_type(resource, node_get(resource->node, "Properties"), &ignored, &error) == 0)
		return false;
	resource->left_out = true;
	text_lines_add(checker->warnings, "Resources.%s (line %u): %s", resource->shown.name,
		       resource->node->line, error.text);
	for (size_t i = 0; i < template->declared_count; i++)
		again[i] = again[i] || depends_on(&template->resources[i], resource);
	return true;
}

static int resolve_references(struct checker *checker)
{
	const struct template *template = checker->template;
	const size_t count = template->declared_count;
	CLEANUP(freep) bool *again = xcalloc(count + 1, sizeof(*again));
	bool more = true;

	memset(again, true, count);
	checker->where = WHERE_VALUES;
	checker->may_lose = checker->options->skip_unsupported;
	while (more) {
		more = false;
		for (size_t i = 0; i < count; i++) {
			struct resource *resource = &template->resources[i];
			size_t before;
			int result;

			if (!again[i] || resource->left_out)
				continue;
			again[i] = false;
			before = place_enter(&checker->place, resource->shown.name, 0);
			result = check_references(checker, resource);
			place_leave(&checker->place, before);
			if (result < 0)
				return result;
			more = give_up(checker, resource, again) || more;
		}
	}
	return 0;
}

/* ---- what is kept, and its order ---- */

/* Those that are left out go behind the others. */
static void keep_others(struct template *template)
{
	const size_t count = template->declared_count;
	struct resource *resources = xcalloc(count + 1, sizeof(*resources));
	size_t kept = 0, gone = count;

	for (size_t i = 0; i < count; i++)
		if (template->resources[i].left_out)
			resources[--gone] = template->resources[i];
		else
			resources[kept++] = template->resources[i];
	free(template->resources);
	template->resources = resources;
	template->resource_count = kept;
}

static int fail_circle(struct checker *checker, const size_t *circle, size_t count)
{
	const struct resource *resources = checker->template->resources;
	CLEANUP(buffer_clear) struct buffer names = BUFFER_INIT;

	for (size_t i = 0; i < count; i++)
		buffer_printf(&names, "%s%s", i ? ", " : "", resources[circle[i]].shown.name);
	place_enter(&checker->place, resources[circle[0]].shown.name, 0);
	return place_fail(&checker->place, resources[circle[0]].node,
			  "Circular dependency between resources: [%s]", names.data);
}

static int check_circles(struct checker *checker)
{
	const struct template *template = checker->template;
	const size_t count = template->resource_count;
	CLEANUP(freep) size_t *order = xcalloc(count + 1, sizeof(*order));
	struct edges edges = { NULL, 0 };
	size_t circle;
	bool good;

	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < template->resources[i].shown.dependency_count; j++)
			*array_grow(&edges.items, &edges.count) = (struct edge){
				i, (size_t)(resource_find(template,
							  template->resources[i].dependencies[j]) -
					    template->resources)
			};
	good = order_find(count, &edges, order, &circle);
	free(edges.items);
	return good ? 0 : fail_circle(checker, order, circle);
}

int resources_read(struct checker *checker, struct node *node)
{
	int result = node ? check_is_map(checker, node) : 0;

	if (result < 0)
		return result;
	if (!node || !node->count)
		return error_set(checker->place.error, ERROR_INVALID_TEMPLATE,
				 "Template format error: At least one Resources member must be "
				 "defined.");
	result = read_declarations(checker, node);
	if (result == 0)
		result = checker->options->skip_unsupported ? skip_types(checker)
							    : check_types(checker);
	if (result == 0)
		result = resolve_references(checker);
	if (result < 0)
		return result;
	keep_others(checker->template);
	return check_circles(checker);
}

struct resource *resource_find(const struct template *template, const char *name)
{
	for (size_t i = 0; i < template->declared_count; i++)
		if (streq(template->resources[i].shown.name, name))
			return &template->resources[i];
	return NULL;
}
