/* The intrinsic functions' values: see functions.h. */
#include "lab/functions.h"

#include "base/base64.h"

#include <errno.h>

static const char *usage_of(const struct node *argument)
{
	return intrinsic_find(argument->key)->usage;
}

/* Takes `text` over. */
static struct node *text_node(char *text)
{
	struct node *node = node_new(NODE_TEXT);

	node->text = text;
	return node;
}

static struct node *truth_node(bool truth)
{
	return node_text_new(truth ? "true" : "false");
}

static int text_at(struct walker *walker, const struct node *argument, size_t at, char **ret_text)
{
	return evaluate_text(walker, argument->items[at], usage_of(argument), ret_text);
}

static int list_at(struct walker *walker, const struct node *argument, size_t at,
		   struct node **ret_list)
{
	return evaluate_list(walker, argument->items[at], usage_of(argument), ret_list);
}

/* ---- references ---- */

int function_ref(struct walker *walker, const struct node *argument, struct node **ret_value)
{
	return evaluate_reference(walker, argument, argument->text, NULL, ret_value);
}

int function_get_att(struct walker *walker, const struct node *argument, struct node **ret_value)
{
	CLEANUP(freep) char *name = NULL, *attribute = NULL;
	int result = 0;

	if (argument->type == NODE_TEXT) {
		char *rest = name = xstrdup(argument->text);

		strsep(&rest, ".");
		attribute = xstrdup(rest ? rest : "");
	} else {
		name = xstrdup(argument->items[0]->text);
		result = text_at(walker, argument, 1, &attribute);
	}
	if (result < 0)
		return result;
	return evaluate_reference(walker, argument, name, attribute, ret_value);
}

int function_import_value(struct walker *walker, const struct node *argument,
			  struct node **ret_value)
{
	const struct template_answers *answers = walker->evaluation->answers;
	CLEANUP(freep) char *name = NULL;
	char *value;
	int result = evaluate_text(walker, argument, usage_of(argument), &name);

	if (result < 0)
		return result;
	result = answers->import(answers->context, name, &value, walker->place.error);
	if (result < 0)
		return place_wrap(&walker->place, argument, result);
	*ret_value = text_node(value);
	return evaluate_spend(walker, argument, strlen(value));
}

int function_get_azs(struct walker *walker, const struct node *argument, struct node **ret_value)
{
	const struct template_answers *answers = walker->evaluation->answers;
	CLEANUP(freep) char *region = NULL;
	int result = evaluate_text(walker, argument, usage_of(argument), &region);

	if (result < 0)
		return result;
	result = answers->zones(answers->context, *region ? region : answers->region, ret_value,
				walker->place.error);
	if (result < 0)
		return place_wrap(&walker->place, argument, result);
	return evaluate_spend(walker, argument, (*ret_value)->count * sizeof(struct node));
}

int function_find_in_map(struct walker *walker, const struct node *argument,
			 struct node **ret_value)
{
	CLEANUP(freep) char *map = NULL, *key = NULL, *attribute = NULL;
	const struct node *found = walker->evaluation->template->mappings;
	int result = text_at(walker, argument, 0, &map);

	if (result == 0)
		result = text_at(walker, argument, 1, &key);
	if (result == 0)
		result = text_at(walker, argument, 2, &attribute);
	if (result < 0)
		return result;
	found = node_get(node_get(node_get(found, map), key), attribute);
	if (!found)
		return place_fail(&walker->place, argument,
				  "Template error: Unable to get mapping for %.*s::%.*s::%.*s",
				  NAME_LENGTH, map, NAME_LENGTH, key, NAME_LENGTH, attribute);
	return evaluate_value(walker, found, ret_value);
}

/* ---- texts ---- */

int function_base64(struct walker *walker, const struct node *argument, struct node **ret_value)
{
	CLEANUP(node_freep) struct node *node = NULL;
	CLEANUP(buffer_clear) struct buffer encoded = BUFFER_INIT;
	int result = evaluate_value(walker, argument, &node);

	if (result < 0)
		return result;
	if (!node || node->type != NODE_TEXT)
		return place_fail(&walker->place, argument, "Template error: %s",
				  usage_of(argument));
	/* Nobody finds what refers to a parameter in there afterwards. */
	result = dynamic_resolve(walker, node);
	if (result < 0)
		return result;
	base64_write(node->text, strlen(node->text), 0, &encoded);
	*ret_value = text_node(buffer_steal(&encoded));
	return 0;
}

int function_join(struct walker *walker, const struct node *argument, struct node **ret_value)
{
	const char *delimiter = argument->items[0]->text;
	CLEANUP(node_freep) struct node *list = NULL;
	CLEANUP(buffer_clear) struct buffer joined = BUFFER_INIT;
	int result = list_at(walker, argument, 1, &list);

	for (size_t i = 0; result == 0 && i < list->count; i++) {
		const struct node *item = list->items[i];

		if (item->type != NODE_TEXT)
			return place_fail(&walker->place, argument, "Template error: %s",
					  usage_of(argument));
		result = evaluate_spend(walker, argument, strlen(delimiter) + strlen(item->text));
		buffer_puts(&joined, i ? delimiter : "");
		buffer_puts(&joined, item->text);
	}
	if (result < 0)
		return result;
	*ret_value = text_node(buffer_steal(&joined));
	return 0;
}

int function_split(struct walker *walker, const struct node *argument, struct node **ret_value)
{
	const char *delimiter = argument->items[0]->text, *end;
	CLEANUP(node_freep) struct node *list = node_new(NODE_LIST);
	CLEANUP(freep) char *text = NULL;
	int result = text_at(walker, argument, 1, &text);

	for (const char *at = text; result == 0 && at; at = end) {
		end = *delimiter ? strstr(at, delimiter) : NULL;
		result = evaluate_spend(walker, argument, 0);
		node_add(list, NULL,
			 text_node(end ? xasprintf("%.*s", (int)(end - at), at) : xstrdup(at)));
		end = end ? end + strlen(delimiter) : NULL;
	}
	if (result < 0)
		return result;
	*ret_value = steal(&list);
	return 0;
}

int function_select(struct walker *walker, const struct node *argument, struct node **ret_value)
{
	CLEANUP(node_freep) struct node *list = NULL;
	CLEANUP(freep) char *index = NULL;
	int result = text_at(walker, argument, 0, &index);
	size_t at;

	if (result == 0)
		result = list_at(walker, argument, 1, &list);
	if (result != 0)
		return result;
	if (!*index || strspn(index, "0123456789") != strlen(index))
		return place_fail(&walker->place, argument, "Template error: %s",
				  usage_of(argument));
	at = strlen(index) > 9 ? SIZE_MAX : strtoul(index, NULL, 10);
	if (at >= list->count)
		return place_fail(&walker->place, argument,
				  "Template error: Fn::Select  cannot select nonexistent value at "
				  "index %.20s",
				  index);
	*ret_value = steal(&list->items[at]);
	return 0;
}

/* ---- Fn::Sub ---- */

static int append_variable(struct walker *walker, const struct node *text,
			   const struct node *variables, char *name, struct buffer *all)
{
	const struct node *variable = node_get(variables, name);
	CLEANUP(node_freep) struct node *value = NULL;
	char *dot = strchr(name, '.');
	int result;

	if (variable) {
		result = evaluate_value(walker, variable, &value);
	} else {
		if (dot)
			*dot++ = '\0';
		result = evaluate_reference(walker, text, name, dot, &value);
	}
	if (result < 0)
		return result;
	if (!value || value->type != NODE_TEXT)
		return place_fail(&walker->place, text,
				  "Template error: variable %.*s in Fn::Sub expression does not "
				  "resolve to a string",
				  NAME_LENGTH, name);
	buffer_puts(all, value->text);
	return evaluate_spend(walker, text, strlen(value->text));
}

int function_sub(struct walker *walker, const struct node *argument, struct node **ret_value)
{
	const bool has_map = argument->type == NODE_LIST;
	const struct node *text = has_map ? argument->items[0] : argument;
	const struct node *map = has_map ? argument->items[1] : NULL;
	CLEANUP(buffer_clear) struct buffer all = BUFFER_INIT;
	const char *at = text->text;
	struct sub_piece piece;
	int result = 0;

	while (result == 0 && sub_next(&at, &piece)) {
		CLEANUP(freep) char *name = xasprintf("%.*s", (int)piece.length, piece.text);

		if (piece.is_name) {
			result = append_variable(walker, text, map, name, &all);
			continue;
		}
		buffer_puts(&all, name);
		result = evaluate_spend(walker, text, piece.length);
	}
	if (result < 0)
		return result;
	*ret_value = text_node(buffer_steal(&all));
	return 0;
}

/* ---- conditions ---- */

static bool truth_of(const struct walker *walker, const char *name)
{
	ssize_t at = condition_find(walker->evaluation->template, name);

	return at >= 0 && walker->evaluation->truths[at];
}

int function_condition(struct walker *walker, const struct node *argument, struct node **ret_value)
{
	*ret_value = truth_node(truth_of(walker, argument->text));
	return 0;
}

int function_if(struct walker *walker, const struct node *argument, struct node **ret_value)
{
	const bool truth = truth_of(walker, argument->items[0]->text);

	return evaluate_value(walker, argument->items[truth ? 1 : 2], ret_value);
}

/* Until one is `end`. */
static int fold(struct walker *walker, const struct node *argument, bool end,
		struct node **ret_value)
{
	bool truth = !end;

	for (size_t i = 0; i < argument->count && truth != end; i++) {
		int result = evaluate_boolean(walker, argument->items[i], &truth);

		if (result < 0)
			return result;
	}
	*ret_value = truth_node(truth);
	return 0;
}

int function_and(struct walker *walker, const struct node *argument, struct node **ret_value)
{
	return fold(walker, argument, false, ret_value);
}

int function_or(struct walker *walker, const struct node *argument, struct node **ret_value)
{
	return fold(walker, argument, true, ret_value);
}

int function_not(struct walker *walker, const struct node *argument, struct node **ret_value)
{
	bool truth;
	int result = evaluate_boolean(walker, argument->items[0], &truth);

	if (result == 0)
		*ret_value = truth_node(!truth);
	return result;
}

int function_equals(struct walker *walker, const struct node *argument, struct node **ret_value)
{
	CLEANUP(freep) char *one = NULL, *other = NULL;
	int result = text_at(walker, argument, 0, &one);

	if (result == 0)
		result = text_at(walker, argument, 1, &other);
	if (result == 0)
		*ret_value = truth_node(streq(one, other));
	return result;
}

/* ---- of rules ---- */

static bool list_has(const struct node *list, const char *text)
{
	for (size_t i = 0; i < list->count; i++)
		if (streq(list->items[i]->text, text))
			return true;
	return false;
}

int function_contains(struct walker *walker, const struct node *argument, struct node **ret_value)
{
	CLEANUP(node_freep) struct node *list = NULL;
	CLEANUP(freep) char *text = NULL;
	int result = list_at(walker, argument, 0, &list);

	if (result == 0)
		result = text_at(walker, argument, 1, &text);
	if (result == 0)
		*ret_value = truth_node(list_has(list, text));
	return result;
}

int function_each_member_equals(struct walker *walker, const struct node *argument,
				struct node **ret_value)
{
	CLEANUP(node_freep) struct node *list = NULL;
	CLEANUP(freep) char *text = NULL;
	bool truth = true;
	int result = list_at(walker, argument, 0, &list);

	if (result == 0)
		result = text_at(walker, argument, 1, &text);
	if (result < 0)
		return result;
	for (size_t i = 0; i < list->count; i++)
		truth = truth && streq(list->items[i]->text, text);
	*ret_value = truth_node(truth);
	return 0;
}

int function_each_member_in(struct walker *walker, const struct node *argument,
			    struct node **ret_value)
{
	CLEANUP(node_freep) struct node *list = NULL, *all = NULL;
	bool truth = true;
	int result = list_at(walker, argument, 0, &list);

	if (result == 0)
		result = list_at(walker, argument, 1, &all);
	for (size_t i = 0; result == 0 && i < list->count; i++) {
		truth = truth && list_has(all, list->items[i]->text);
		result = evaluate_spend(walker, argument, all->count);
	}
	if (result == 0)
		*ret_value = truth_node(truth);
	return result;
}
