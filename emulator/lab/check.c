/* Values of a template before there are any: functions' shapes and references. See internal.h. */
#include "lab/internal.h"

#include <errno.h>
#include <stdio.h>

/* ---- what is left out ---- */

int check_lack(struct checker *checker, const struct node *node, const char *format, ...)
{
	char reason[sizeof(checker->lost)];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(reason, sizeof(reason), format, arguments);
	va_end(arguments);
	if (!checker->may_lose)
		return place_fail(&checker->place, node, "%s", reason);
	if (!*checker->lost)
		memcpy(checker->lost, reason, sizeof(reason));
	return 0;
}

void check_forget(struct checker *checker, const struct node *node)
{
	text_lines_add(checker->warnings, "%s (line %u): %s", checker->place.path.data, node->line,
		       checker->lost);
	if (checker->resource)
		checker->resource->has_lost = true;
	checker->lost[0] = '\0';
}

/* ---- members ---- */

int check_is_map(struct checker *checker, const struct node *node)
{
	if (node->type == NODE_MAP)
		return 0;
	return place_fail(&checker->place, node, "Template format error: this must be an object");
}

int check_members(struct checker *checker, const struct node *map, const char *const *known,
		  const char *what)
{
	int result = check_is_map(checker, map);

	if (result < 0)
		return result;
	for (size_t i = 0; i < map->count; i++) {
		const char *const *name = known;

		while (*name && !streq(*name, map->items[i]->key))
			name++;
		if (!*name)
			return place_fail(&checker->place, map->items[i],
					  "Invalid template %s property '%s'", what,
					  map->items[i]->key);
	}
	return 0;
}

int check_name(struct checker *checker, const struct node *node, const char *what)
{
	static const char alphanumeric[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
					   "abcdefghijklmnopqrstuvwxyz";
	const size_t length = strlen(node->key);

	if (!length || strspn(node->key, alphanumeric) != length)
		return place_fail(&checker->place, node,
				  "Template format error: %s name {%.*s} is non alphanumeric.",
				  what, NAME_LENGTH, node->key);
	if (length > NAME_LENGTH)
		return place_fail(&checker->place, node,
				  "Template format error: %s name has more than %d characters",
				  what, NAME_LENGTH);
	return 0;
}

/* ---- references ---- */

static const char *const pseudo_parameters[] = {
	"AWS::AccountId", "AWS::NoValue", "AWS::NotificationARNs", "AWS::Partition",
	"AWS::Region",	  "AWS::StackId", "AWS::StackName",	   "AWS::URLSuffix",
};

static int fail_unresolved(struct checker *checker, const struct node *node, const char *name)
{
	if (checker->where == WHERE_VALUES)
		return place_fail(&checker->place, node,
				  "Template format error: Unresolved resource dependencies [%s] in "
				  "the %s block of the template",
				  name, checker->place.block);
	return place_fail(&checker->place, node,
			  "Template format error: Unresolved dependencies [%s]. Cannot reference "
			  "resources in the %s block of the template",
			  name, checker->place.block);
}

static void add_dependency(struct checker *checker, const struct resource *target)
{
	struct resource *resource = checker->resource;
	size_t *count;

	if (!resource)
		return;
	count = &resource->shown.dependency_count;
	for (size_t i = 0; i < *count; i++)
		if (streq(resource->dependencies[i], target->shown.name))
			return;
	*array_grow(&resource->dependencies, count) = target->shown.name;
}

static int check_attribute(struct checker *checker, const struct node *node,
			   const struct resource *target, const char *attribute)
{
	if (!attribute || !*attribute || type_has_attribute(target->type, attribute))
		return 0;
	return check_lack(checker, node,
			  "Template error: resource %s does not support attribute type %s in "
			  "Fn::GetAtt",
			  target->shown.name, attribute);
}

int check_reference(struct checker *checker, const struct node *node, const char *name,
		    const char *attribute)
{
	const struct resource *target;

	for (size_t i = 0; i < ARRAY_SIZE(pseudo_parameters) && !attribute; i++)
		if (streq(name, pseudo_parameters[i]))
			return 0;
	if (!attribute && parameter_find(checker->template, name))
		return 0;
	target = checker->where == WHERE_VALUES ? resource_find(checker->template, name) : NULL;
	if (!target && attribute && checker->where == WHERE_VALUES)
		return place_fail(&checker->place, node,
				  "Template error: instance of Fn::GetAtt references undefined "
				  "resource %s",
				  name);
	if (!target)
		return fail_unresolved(checker, node, name);
	if (target->left_out)
		return check_lack(checker, node, "%s is left out", name);
	add_dependency(checker, target);
	return check_attribute(checker, node, target, attribute);
}

int check_condition_name(struct checker *checker, const struct node *node, const char *name)
{
	if (condition_find(checker->template, name) >= 0)
		return 0;
	return place_fail(&checker->place, node,
			  "Template format error: Unresolved condition dependency %s in the %s "
			  "block of the template",
			  name, checker->place.block);
}

/* ---- functions ---- */

static bool is_function_key(const char *key)
{
	return strncmp(key, "Fn::", 4) == 0;
}

bool intrinsic_is(const struct node *value, enum where where)
{
	const char *key = value->type == NODE_MAP && value->count == 1 ? value->items[0]->key : "";

	return streq(key, "Ref") || is_function_key(key) ||
	       (streq(key, "Condition") && where != WHERE_VALUES);
}

static int fail_usage(struct checker *checker, const struct node *node,
		      const struct intrinsic *intrinsic)
{
	return place_fail(&checker->place, node, "Template error: %s", intrinsic->usage);
}

/* Is it of the kind, as far as one can know? A function's value may be anything. */
static bool fits(const struct checker *checker, char kind, const struct node *node)
{
	const struct intrinsic *function =
		intrinsic_is(node, checker->where) ? intrinsic_find(node->items[0]->key) : NULL;

	if (kind == 'b')
		return function && intrinsic_is_boolean(function);
	if (function)
		return kind != 'n' && !intrinsic_is_boolean(function);
	if (intrinsic_is(node, checker->where)) /* told when its turn comes */
		return kind != 'n';
	return kind == 'v' || node->type == (kind == 'l' ? NODE_LIST : NODE_TEXT);
}

static int check_argument(struct checker *checker, const struct intrinsic *intrinsic, char kind,
			  struct node *node)
{
	int result = 0;

	if (!fits(checker, kind, node))
		return fail_usage(checker, node, intrinsic);
	if (kind != 'l' || node->type != NODE_LIST)
		return check_value(checker, node);
	for (size_t i = 0; i < node->count && result == 0; i++)
		result = check_value(checker, node->items[i]);
	return result;
}

static int check_arguments(struct checker *checker, const struct intrinsic *intrinsic,
			   struct node *node)
{
	const char *kinds = intrinsic->arguments;
	const bool more = kinds[0] && kinds[strlen(kinds) - 1] == '+';
	const size_t least = strlen(kinds) - more;
	int result = 0;

	if (kinds[0] == '=')
		return check_argument(checker, intrinsic, kinds[1], node);
	if (node->type != NODE_LIST || node->count < least || node->count > (more ? 10 : least))
		return fail_usage(checker, node, intrinsic);
	for (size_t i = 0; i < node->count && result == 0; i++)
		result = check_argument(checker, intrinsic, kinds[MIN(i, least - 1)],
					node->items[i]);
	return result;
}

static int fail_unknown(struct checker *checker, const struct node *node)
{
	CLEANUP(buffer_clear) struct buffer names = BUFFER_INIT;

	/* Where it may be left out, a short reason. */
	if (checker->may_lose)
		return check_lack(checker, node, "%s is not supported", node->key);
	for (size_t i = 0; intrinsic_at(i); i++)
		buffer_printf(&names, "%s%s", i ? ", " : "", intrinsic_at(i)->name);
	return place_fail(&checker->place, node,
			  "Template format error: Encountered unsupported function: %.*s Supported "
			  "functions are: [%s]",
			  NAME_LENGTH, node->key, names.data);
}

static int check_function(struct checker *checker, struct node *node)
{
	const struct intrinsic *intrinsic = intrinsic_find(node->key);
	int result;

	if (!intrinsic)
		return fail_unknown(checker, node);
	if (!(intrinsic->where & checker->where))
		return place_fail(&checker->place, node, "Template error: Cannot use %s in %s.",
				  intrinsic->name, checker->place.block);
	checker->inside++;
	result = intrinsic->arguments ? check_arguments(checker, intrinsic, node) : 0;
	if (result == 0 && intrinsic->check)
		result = intrinsic->check(checker, node);
	checker->inside--;
	return result;
}

/* ---- values ---- */

/* Members and items; what refers to what is left out goes. */
static int check_items(struct checker *checker, struct node *node)
{
	for (size_t i = 0; i < node->count; i++) {
		const bool is_map = node->type == NODE_MAP;
		struct node *item = node->items[i];
		size_t before;
		int result;

		if (is_map && is_function_key(item->key))
			return place_fail(&checker->place, item,
					  "Template format error: %.*s must stand alone in its "
					  "object",
					  NAME_LENGTH, item->key);
		before = place_enter(&checker->place, is_map ? item->key : NULL, i);
		result = check_value(checker, item);
		if (result == 0 && *checker->lost && !checker->inside) {
			check_forget(checker, item);
			node_freep(&item);
			array_remove(node->items, &node->count, i--);
		}
		place_leave(&checker->place, before);
		if (result < 0)
			return result;
	}
	return 0;
}

int check_value(struct checker *checker, struct node *value)
{
	switch (value->type) {
	case NODE_NULL:
		break; /* there are none: template_parse() */
	case NODE_TEXT:
		return checker->where == WHERE_VALUES ? dynamic_check(checker, value) : 0;
	case NODE_LIST:
		return check_items(checker, value);
	case NODE_MAP:
		return intrinsic_is(value, checker->where)
			       ? check_function(checker, value->items[0])
			       : check_items(checker, value);
	}
	return 0;
}

int check_boolean(struct checker *checker, struct node *value)
{
	if (!fits(checker, 'b', value) &&
	    !(intrinsic_is(value, checker->where) && !intrinsic_find(value->items[0]->key)))
		return place_fail(&checker->place, value,
				  "Template format error: %s can only be boolean operations on "
				  "parameters and other conditions",
				  checker->place.block);
	return check_value(checker, value);
}
