/* What a declaration's properties may be: see type_check(). */
#include "lab/type_table.h"

#include <strings.h>

const struct property *property_find(const struct property *rows, const char *name)
{
	for (; rows && rows->name; rows++)
		if (streq(rows->name, name))
			return rows;
	return NULL;
}

struct check {
	const struct type *type;
	bool evaluated;		     /* no functions are left */
	struct text_lines *warnings; /* NULL: what we lack is an error */
	struct error *error;
};

static int check_members(const struct check *check, const char *path, const struct property *rows,
			 struct node *map);

/* "Resources.Web.Properties.SubnetId (line 41)" */
static char *place(const char *path, const struct node *node)
{
	return node && node->line ? xasprintf("%s (line %u)", path, node->line) : xstrdup(path);
}

static int fail(const struct check *check, const char *path, const struct node *node,
		const char *text)
{
	CLEANUP(freep) char *where = place(path, node);

	return error_set(check->error, ERROR_INVALID_TEMPLATE, "%s: %s", where, text);
}

static bool is_function(const struct node *node)
{
	return node->type == NODE_MAP && node->count == 1 &&
	       (streq(node->items[0]->key, "Ref") ||
		strncmp(node->items[0]->key, "Fn::", strlen("Fn::")) == 0);
}

static bool is_number(const char *text)
{
	const char *digits = text + (*text == '-');

	return *digits && strspn(digits, "0123456789") == strlen(digits);
}

static int check_text(const struct check *check, const char *path, const struct property *row,
		      const struct node *value)
{
	if (value->type != NODE_TEXT)
		return fail(check, path, value, "a text is expected");
	if (row->shape == SHAPE_FLAG && strcasecmp(value->text, "true") != 0 &&
	    strcasecmp(value->text, "false") != 0)
		return fail(check, path, value, "true or false is expected");
	if (row->shape == SHAPE_NUMBER && !is_number(value->text))
		return fail(check, path, value, "a number is expected");
	return 0;
}

static int check_value(const struct check *check, const char *path, const struct property *row,
		       struct node *value);

/* Both of its values, where it is { "Fn::If": [condition, one, other] }. */
static int check_choice(const struct check *check, const char *path, const struct property *row,
			struct node *function)
{
	struct node *list = node_get(function, "Fn::If");
	int r = 0;

	if (!list || list->type != NODE_LIST || list->count != 3)
		return 0;
	for (size_t i = 1; i < list->count && r == 0; i++)
		r = check_value(check, path, row, list->items[i]);
	return r;
}

static int check_list(const struct check *check, const char *path, const struct property *row,
		      struct node *list)
{
	static const struct property text = { .name = "" };
	static const struct property tag_members[] = {
		{ "Key", SHAPE_TEXT, .required = true },
		{ "Value", SHAPE_TEXT, .required = true },
		{ .name = NULL },
	};
	const struct property item = {
		.name = row->name,
		.shape = SHAPE_STRUCTURE,
		.members = row->shape == SHAPE_TAGS && !row->members ? tag_members : row->members,
	};
	int r = 0;

	if (list->type != NODE_LIST)
		return fail(check, path, list, "a list is expected");
	for (size_t i = 0; i < list->count && r == 0; i++) {
		CLEANUP(freep) char *below = xasprintf("%s.%zu", path, i);

		r = check_value(check, below, row->shape == SHAPE_LIST ? &text : &item,
				list->items[i]);
	}
	return r;
}

static int check_value(const struct check *check, const char *path, const struct property *row,
		       struct node *value)
{
	if (!check->evaluated && is_function(value))
		return check_choice(check, path, row, value);
	switch (row->shape) {
	case SHAPE_LIST:
	case SHAPE_STRUCTURES:
	case SHAPE_TAGS:
		return check_list(check, path, row, value);
	case SHAPE_STRUCTURE:
		if (value->type != NODE_MAP)
			return fail(check, path, value, "a map is expected");
		return check_members(check, path, row->members, value);
	case SHAPE_TEXTS:
		return value->type == NODE_MAP ? 0 : fail(check, path, value, "a map is expected");
	case SHAPE_JSON:
	case SHAPE_EMPTY:
		return 0;
	case SHAPE_TEXT:
	case SHAPE_BYTES:
	case SHAPE_FLAG:
	case SHAPE_NUMBER:
		break;
	}
	return check_text(check, path, row, value);
}

static bool is_word_of(const char *words, const char *text)
{
	size_t length = strlen(text);

	for (; *words; words += strspn(words, " ")) {
		size_t word = strcspn(words, " ");

		if (word == length && strncasecmp(words, text, length) == 0)
			return true;
		words += word;
	}
	return false;
}

/* What is said against the member; NULL: nothing. */
static char *objection(const struct check *check, const struct property *row,
		       const struct node *value)
{
	if (!row)
		return xasprintf("%s has no property %s", check->type->name, value->key);
	if (!row->lacks)
		return NULL;
	if (!*row->lacks)
		return xstrdup("minivpc does not support this property");
	/* What a function will give is looked at when it has. */
	if (value->type != NODE_TEXT || is_word_of(row->lacks, value->text))
		return NULL;
	return xasprintf("minivpc does not support the value %s of this property", value->text);
}

static void drop(struct node *map, size_t at)
{
	node_freep(&map->items[at]);
	array_remove(map->items, &map->count, at);
}

static int check_known(const struct check *check, const char *path, const struct property *rows,
		       struct node *map)
{
	int r;

	for (size_t i = 0; i < map->count;) {
		struct node *value = map->items[i];
		const struct property *row = property_find(rows, value->key);
		CLEANUP(freep)
		char *below = xasprintf("%s%s%s", path, *path ? "." : "", value->key);
		CLEANUP(freep) char *against = objection(check, row, value);

		/* Without what must be there it would be nothing. */
		if (against && (!check->warnings || (row && row->required)))
			return fail(check, below, value, against);
		if (against) {
			CLEANUP(freep) char *where = place(below, value);

			text_lines_add(check->warnings, "%s: %s", where, against);
			drop(map, i);
			continue;
		}
		if (row && (r = check_value(check, below, row, value)) < 0)
			return r;
		i++;
	}
	return 0;
}

static int check_members(const struct check *check, const char *path, const struct property *rows,
			 struct node *map)
{
	int r = check_known(check, path, rows, map);

	for (; r == 0 && rows && rows->name; rows++)
		if (rows->required && !node_get(map, rows->name)) {
			CLEANUP(freep)
			char *text = xasprintf("the property %s is missing", rows->name);

			r = fail(check, *path ? path : check->type->name, map, text);
		}
	return r;
}

/* `set` ends at ';' or with the text. */
static bool has_one(const struct node *map, const char *set)
{
	size_t end = strcspn(set, ";");

	for (const char *word = set; word < set + end; word += strspn(word, " ")) {
		size_t length = strcspn(word, " ;");
		CLEANUP(freep) char *name = xasprintf("%.*s", (int)length, word);

		if (node_get(map, name))
			return true;
		word += length;
	}
	return false;
}

static int check_sets(const struct check *check, const char *path, const struct node *map)
{
	for (const char *set = check->type->one_of; set && *set;) {
		size_t length = strcspn(set, ";");

		if (!has_one(map, set)) {
			CLEANUP(freep)
			char *text = xasprintf("one of the properties %.*s is missing", (int)length,
					       set);

			return fail(check, *path ? path : check->type->name, map, text);
		}
		set += length + (set[length] == ';');
	}
	return 0;
}

static int check_all(const struct check *check, const char *path, struct node *properties)
{
	struct node none = { .type = NODE_MAP };
	int r;

	if (!properties)
		properties = &none;
	if (properties->type != NODE_MAP)
		return fail(check, path, properties, "a map is expected");
	if ((r = check_members(check, path, check->type->properties, properties)) < 0)
		return r;
	return check_sets(check, path, properties);
}

int type_check(const struct type *type, const char *path, struct node *properties,
	       struct text_lines *ret_warnings, struct error *error)
{
	const struct check check = { .type = type, .warnings = ret_warnings, .error = error };

	return check_all(&check, path ? path : "", properties);
}

int type_check_values(const struct type *type, const struct node *properties, struct error *error)
{
	const struct check check = { .type = type, .evaluated = true, .error = error };
	/* Without warnings to write nothing is removed; a copy keeps that a fact. */
	CLEANUP(node_freep) struct node *copy = properties ? node_copy(properties) : NULL;

	return check_all(&check, "", copy);
}
