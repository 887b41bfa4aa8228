/* The words of a call as its parameters: see type_table.h. */
#include "base/base64.h"
#include "lab/type_table.h"

#include <ctype.h>

/* ---- calls ---- */

void type_calls_clear(struct type_calls *calls)
{
	for (size_t i = 0; i < calls->count; i++) {
		struct type_call *call = &calls->items[i];

		for (size_t j = 0; j < call->parameter_count; j++) {
			free(call->parameters[j].name);
			free(call->parameters[j].value);
		}
		free(call->parameters);
		free(call->keep_path);
	}
	free(calls->items);
	*calls = (struct type_calls){ NULL, 0 };
}

/* What a user wrote is none of our "{id}". */
static void put_plain(struct buffer *text, const char *value)
{
	for (; *value; value++)
		buffer_puts(text, (const char[]){ *value, *value == '{' ? '{' : '\0', '\0' });
}

/* Takes both over. */
static void add_parameter(struct plan *plan, char *name, char *value)
{
	struct type_call *call = &plan->calls->items[plan->calls->count - 1];

	*array_grow(&call->parameters, &call->parameter_count) =
		(struct template_value){ name, value };
}

void plan_parameter(struct plan *plan, const char *value, const char *format, ...)
{
	struct buffer text = BUFFER_INIT;
	va_list arguments;
	char *name;

	va_start(arguments, format);
	name = xvasprintf(format, arguments);
	va_end(arguments);
	put_plain(&text, value);
	add_parameter(plan, name, buffer_steal(&text));
}

/* A value as parameters: `name` is the whole of the parameter's name so far. */
static void put(struct plan *plan, const char *name, const struct property *row,
		const struct node *value);

static void put_members(struct plan *plan, const char *name, const struct property *rows,
			const struct node *map)
{
	for (; rows && rows->name; rows++) {
		const struct node *value = node_get(map, rows->name);
		const char *own = rows->parameter ? rows->parameter : rows->name;
		CLEANUP(freep) char *whole = xasprintf("%s%s%s", name, *name ? "." : "", own);

		if (value && *own)
			put(plan, whole, rows, value);
	}
}

void plan_tags(struct plan *plan, const char *name, const struct node *tags)
{
	for (size_t i = 0; i < tags->count; i++) {
		const char *value = node_get_text(tags->items[i], "Value");

		plan_parameter(plan, node_get_text(tags->items[i], "Key"), "%s.%zu.Key", name,
			       i + 1);
		plan_parameter(plan, value, "%s.%zu.Value", name, i + 1);
	}
}

static void put_items(struct plan *plan, const char *name, const struct property *row,
		      const struct node *list)
{
	for (size_t i = 0; i < list->count; i++) {
		CLEANUP(freep) char *whole = xasprintf("%s.%zu", name, i + 1);

		if (row->shape == SHAPE_LIST)
			plan_parameter(plan, list->items[i]->text, "%s", whole);
		else
			put_members(plan, whole, row->members, list->items[i]);
	}
}

static void put_json(struct plan *plan, const char *name, const struct node *value)
{
	CLEANUP(buffer_clear) struct buffer text = BUFFER_INIT;

	if (value->type == NODE_TEXT)
		buffer_puts(&text, value->text);
	else
		node_json(value, &text);
	plan_parameter(plan, text.data ? text.data : "", "%s", name);
}

static void put_bytes(struct plan *plan, const char *name, const struct node *value)
{
	CLEANUP(buffer_clear) struct buffer text = BUFFER_INIT;

	base64_write(value->text, strlen(value->text), 0, &text);
	plan_parameter(plan, text.data ? text.data : "", "%s", name);
}

static void put(struct plan *plan, const char *name, const struct property *row,
		const struct node *value)
{
	switch (row->shape) {
	case SHAPE_BYTES:
		put_bytes(plan, name, value);
		break;
	case SHAPE_TEXT:
	case SHAPE_FLAG:
	case SHAPE_NUMBER:
		plan_parameter(plan, value->text, "%s", name);
		break;
	case SHAPE_LIST:
	case SHAPE_STRUCTURES:
		put_items(plan, name, row, value);
		break;
	case SHAPE_STRUCTURE:
		put_members(plan, name, row->members, value);
		break;
	case SHAPE_TAGS:
		if (!value->count || !plan->type->tags)
			break;
		plan_parameter(plan, plan->type->tags, "TagSpecification.1.ResourceType");
		plan_tags(plan, "TagSpecification.1.Tag", value);
		break;
	case SHAPE_JSON:
		put_json(plan, name, value);
		break;
	case SHAPE_EMPTY:
		plan_parameter(plan, "", "%s", name);
		break;
	case SHAPE_TEXTS:
		break;
	}
}

/* ---- words ---- */

static bool expand(const struct plan *plan, const struct node *scope, const char *text,
		   struct buffer *ret_text);

/* Adds what "{…}" is, `text` being what is in the braces; false: it isn't there. */
static bool fill(const struct plan *plan, const struct node *scope, const char *text,
		 struct buffer *ret_text)
{
	size_t length = strcspn(text, "|");
	CLEANUP(freep) char *name = xasprintf("%.*s", (int)length, text);
	const char *found =
		*name == '-' ? node_get_text(plan->before, name + 1) : node_get_text(scope, name);

	if (streq(name, "token"))
		found = plan->token ? plan->token : "";
	else if (streq(name, "id") && plan->id)
		found = plan->id;
	else if (islower((unsigned char)*name)) /* whoever makes the call knows it */
		return buffer_printf(ret_text, "{%s}", name), true;
	if (!found && text[length] == '|')
		return expand(plan, scope, text + length + 1, ret_text);
	if (found)
		put_plain(ret_text, found);
	return found;
}

/* How long it is up to the brace that closes it. */
static size_t length_inside(const char *text)
{
	size_t length = 0, open = 0;

	for (; text[length] && (text[length] != '}' || open); length++)
		open += text[length] == '{' ? 1 : text[length] == '}' ? (size_t)-1 : 0;
	return length;
}

/* The text with what is in braces filled in; false: something isn't there. */
static bool expand(const struct plan *plan, const struct node *scope, const char *text,
		   struct buffer *ret_text)
{
	while (*text) {
		size_t plain = strcspn(text, "{");

		buffer_append(ret_text, text, plain);
		text += plain;
		if (*text) {
			size_t inside = length_inside(++text);
			CLEANUP(freep) char *braces = xasprintf("%.*s", (int)inside, text);

			if (!fill(plan, scope, braces, ret_text))
				return false;
			text += inside + (text[inside] == '}');
		}
	}
	return true;
}

static void put_word(struct plan *plan, char *word, const struct property *property,
		     const struct node *self)
{
	const struct node *scope = self && self->type == NODE_MAP ? self : plan->after;
	CLEANUP(buffer_clear) struct buffer value = BUFFER_INIT;
	char *equals = strchr(word, '=');

	if (streq(word, "*")) {
		put_members(plan, "", plan->type->properties, plan->after);
	} else if (!equals) {
		const struct property *row = property_find(plan->type->properties, word);
		const struct node *given = node_get(plan->after, word);

		if (row && given)
			put(plan, row->parameter ? row->parameter : row->name, row, given);
	} else if (*equals = '\0', streq(equals + 1, ".")) {
		if (property)
			put(plan, word, property, self);
	} else if (expand(plan, scope, equals + 1, &value)) {
		add_parameter(plan, xstrdup(word), buffer_steal(&value));
	}
}

void plan_words(struct plan *plan, const char *words, const struct property *property,
		const struct node *self)
{
	CLEANUP(freep) char *copy = xstrdup(words ? words : "");
	char *rest = NULL;

	for (char *word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
		put_word(plan, word, property, self);
}

struct type_call *plan_call(struct plan *plan, struct wording call, const struct property *property,
			    const struct node *self)
{
	struct type_call *made = array_grow(&plan->calls->items, &plan->calls->count);

	made->service = "ec2";
	made->action = call.action;
	plan_words(plan, call.words, property, self);
	return made;
}

struct type_call *plan_plain(struct plan *plan, const char *action, const char *words)
{
	return plan_call(plan, (struct wording){ action, words }, NULL, NULL);
}

void plan_step(struct plan *plan, const struct step *step)
{
	CLEANUP(buffer_clear) struct buffer path = BUFFER_INIT;
	struct type_call *call;

	if (step->when && !node_get(plan->after, step->when))
		return;
	call = plan_call(plan, step->call, NULL, NULL);
	call->yields = step->yields;
	call->tolerates = step->tolerates;
	call->retries = step->retries;
	call->keep = step->keep;
	if (step->keep && expand(plan, plan->after, step->keep_path, &path))
		call->keep_path = buffer_steal(&path);
	if (step->yields)
		plan->id = NULL; /* from here on what it yields */
}

void plan_steps(struct plan *plan, const struct step *steps)
{
	for (; steps->call.action; steps++)
		plan_step(plan, steps);
}
