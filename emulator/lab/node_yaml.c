/*
 * Documents read, by libyaml's events: see node.h. Of YAML 1.1 we take what CloudFormation does,
 * and merge keys; of tags its short forms, and YAML's own for texts, numbers, maps and lists.
 */
#include "lab/reader.h"

#include "base/text.h"

#include <errno.h>
#include <yaml.h>

#define ANCHORS_MAX 256
#define YAML_TAG    "tag:yaml.org,2002:"

struct anchor {
	char *name;
	struct node *node; /* owned; NULL while it is read */
};

struct reader {
	yaml_parser_t parser;
	const char *text;
	struct reader_use use;
	struct anchor *anchors;
	size_t anchor_count;
	size_t offset; /* of what failed */
	struct error *error;
};

/* ---- what fails ---- */

static int fail_at(struct reader *reader, yaml_mark_t mark, const char *reason)
{
	reader->offset = mark.index;
	return error_set(reader->error, ERROR_INVALID_TEMPLATE,
			 "YAML not well-formed. (line %zu, column %zu): %s", mark.line + 1,
			 mark.column + 1, reason);
}

/* What the parser says; broken UTF-8 it tells by its offset alone. */
static int fail_parser(struct reader *reader)
{
	const yaml_parser_t *parser = &reader->parser;
	yaml_mark_t mark = parser->problem_mark;

	if (parser->error == YAML_READER_ERROR) {
		mark = (yaml_mark_t){ .index = parser->problem_offset };
		for (size_t i = 0; i < mark.index; i++) {
			mark.column = reader->text[i] == '\n' ? 0 : mark.column + 1;
			mark.line += reader->text[i] == '\n';
		}
	}
	return fail_at(reader, mark, parser->problem ? parser->problem : "it can't be read");
}

static int spend(struct reader *reader, yaml_mark_t mark, size_t bytes, size_t depth)
{
	const char *reason;

	if (reader_spend(&reader->use, bytes, depth, &reason) < 0)
		return fail_at(reader, mark, reason);
	return 0;
}

/* A copy of what was read, paid for as such. */
static int copy_node(struct reader *reader, const struct node *node, yaml_mark_t mark, size_t depth,
		     struct node **ret_copy)
{
	CLEANUP(node_freep) struct node *copy = node_new(node->type);
	int result = spend(reader, mark, node->text ? strlen(node->text) : 0, depth);

	copy->text = xstrdup_null(node->text);
	copy->line = node->line;
	copy->column = node->column;
	for (size_t i = 0; i < node->count && result == 0; i++) {
		struct node *item = NULL;

		result = copy_node(reader, node->items[i], mark, depth + 1, &item);
		if (result == 0)
			node_add(copy, node->items[i]->key, item);
	}
	if (result < 0)
		return result;
	*ret_copy = steal(&copy);
	return 0;
}

/* ---- anchors ---- */

static struct anchor *find_anchor(struct reader *reader, const char *name)
{
	for (size_t i = 0; i < reader->anchor_count; i++)
		if (streq(reader->anchors[i].name, name))
			return &reader->anchors[i];
	return NULL;
}

static int open_anchor(struct reader *reader, const char *name, yaml_mark_t mark)
{
	struct anchor *anchor = find_anchor(reader, name);

	if (anchor) {
		node_freep(&anchor->node);
		return 0;
	}
	if (reader->anchor_count == ANCHORS_MAX)
		return fail_at(reader, mark, "too many anchors");
	anchor = array_grow(&reader->anchors, &reader->anchor_count);
	anchor->name = xstrdup(name);
	return 0;
}

/* The anchor keeps a copy: a merge takes the node itself apart. */
static int close_anchor(struct reader *reader, const char *name, const struct node *node,
			yaml_mark_t mark)
{
	struct anchor *anchor = find_anchor(reader, name);

	node_freep(&anchor->node); /* one inside had the same name */
	return copy_node(reader, node, mark, 0, &anchor->node);
}

static int read_alias(struct reader *reader, const yaml_event_t *event, size_t depth,
		      struct node **ret_node)
{
	const char *name = (const char *)event->data.alias.anchor;
	const struct anchor *anchor = find_anchor(reader, name);

	if (!anchor)
		return fail_at(reader, event->start_mark, "an alias without its anchor");
	if (!anchor->node)
		return fail_at(reader, event->start_mark, "an alias inside of its anchor");
	return copy_node(reader, anchor->node, event->start_mark, depth, ret_node);
}

/* ---- tags ---- */

/* What the short tags stand for: "Fn::" and the name, or the name alone. */
static const struct {
	const char *tag;
	bool bare;
} short_tags[] = {
	{ "Ref", true },
	{ "Condition", true },
	{ "And", false },
	{ "Base64", false },
	{ "Cidr", false },
	{ "Contains", false },
	{ "EachMemberEquals", false },
	{ "EachMemberIn", false },
	{ "Equals", false },
	{ "FindInMap", false },
	{ "GetAZs", false },
	{ "GetAtt", false },
	{ "If", false },
	{ "ImportValue", false },
	{ "Join", false },
	{ "Length", false },
	{ "Not", false },
	{ "Or", false },
	{ "RefAll", false },
	{ "Select", false },
	{ "Split", false },
	{ "Sub", false },
	{ "ToJsonString", false },
	{ "Transform", false },
	{ "ValueOf", false },
	{ "ValueOfAll", false },
};

/* The tag of an event that begins a node; NULL: none that says anything. */
static const char *tag_of(const yaml_event_t *event)
{
	const char *tag = (const char *)(event->type == YAML_SCALAR_EVENT ? event->data.scalar.tag
					 : event->type == YAML_SEQUENCE_START_EVENT
						 ? event->data.sequence_start.tag
						 : event->data.mapping_start.tag);

	return streq(tag, "!") ? NULL : tag;
}

static const char *anchor_of(const yaml_event_t *event)
{
	return (const char *)(event->type == YAML_SCALAR_EVENT ? event->data.scalar.anchor
			      : event->type == YAML_SEQUENCE_START_EVENT
				      ? event->data.sequence_start.anchor
				      : event->data.mapping_start.anchor);
}

static bool is_plain_tag(const yaml_event_t *event, const char *tag)
{
	static const char *const scalars[] = { "str", "int", "float", "bool", "null", "timestamp" };

	if (strncmp(tag, YAML_TAG, strlen(YAML_TAG)) != 0)
		return false;
	tag += strlen(YAML_TAG);
	if (event->type == YAML_SEQUENCE_START_EVENT)
		return streq(tag, "seq");
	if (event->type == YAML_MAPPING_START_EVENT)
		return streq(tag, "map");
	for (size_t i = 0; i < ARRAY_SIZE(scalars); i++)
		if (streq(tag, scalars[i]))
			return true;
	return false;
}

/* "A.B.C" is [A, B.C]. */
static void split_attribute(struct node *node)
{
	char *dot = node->type == NODE_TEXT ? strchr(node->text, '.') : NULL;
	const struct node place = *node;

	if (!dot)
		return;
	*dot = '\0';
	for (unsigned int i = 0; i < 2; i++) {
		struct node *part = node_add(node, NULL, node_text_new(i ? dot + 1 : node->text));

		part->line = place.line;
		part->column = place.column;
	}
	free(steal(&node->text));
	node->type = NODE_LIST;
}

/* { "Fn::NAME": node } */
static void wrap_node(struct node **node, const char *name, bool bare)
{
	struct node *function = node_new(NODE_MAP);
	CLEANUP(freep) char *key = xasprintf("%s%s", bare ? "" : "Fn::", name);

	function->line = (*node)->line;
	function->column = (*node)->column;
	if (streq(name, "GetAtt"))
		split_attribute(*node);
	node_add(function, key, *node);
	*node = function;
}

static int apply_tag(struct reader *reader, const yaml_event_t *event, struct node **node)
{
	const char *tag = tag_of(event);
	CLEANUP(freep) char *reason = NULL;

	if (!tag || is_plain_tag(event, tag))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(short_tags) && *tag == '!'; i++)
		if (streq(tag + 1, short_tags[i].tag)) {
			wrap_node(node, short_tags[i].tag, short_tags[i].bare);
			return 0;
		}
	reason = xasprintf("the tag %.100s is not known", tag);
	return fail_at(reader, event->start_mark, reason);
}

/* ---- nodes ---- */

static void free_event(yaml_event_t *event)
{
	yaml_event_delete(event);
}

/* The caller deletes the event, also after a failure. */
static int next_event(struct reader *reader, yaml_event_t *ret_event)
{
	memset(ret_event, 0, sizeof(*ret_event));
	return yaml_parser_parse(&reader->parser, ret_event) ? 0 : fail_parser(reader);
}

static int read_node(struct reader *reader, const yaml_event_t *event, size_t depth,
		     struct node **ret_node);

static bool is_null(const yaml_event_t *event)
{
	static const char *const nulls[] = { "", "~", "null", "Null", "NULL" };
	const char *tag = (const char *)event->data.scalar.tag;

	if (streq(tag, YAML_TAG "null"))
		return true;
	if (tag || event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(nulls); i++)
		if (streq((const char *)event->data.scalar.value, nulls[i]))
			return true;
	return false;
}

/* What XML doesn't have either would come out of every reply. */
static int check_scalar(struct reader *reader, const yaml_event_t *event)
{
	const char *text = (const char *)event->data.scalar.value;

	if (strlen(text) != event->data.scalar.length || !text_is_valid(text))
		return fail_at(reader, event->start_mark, "a character that no text can have");
	return 0;
}

static int read_scalar(struct reader *reader, const yaml_event_t *event, struct node *node)
{
	int result = check_scalar(reader, event);

	if (result < 0 || is_null(event))
		return result;
	node->type = NODE_TEXT;
	node->text = xstrdup((const char *)event->data.scalar.value);
	return 0;
}

static int read_list(struct reader *reader, size_t depth, struct node *node)
{
	int result = 0;

	node->type = NODE_LIST;
	while (result == 0) {
		CLEANUP(free_event) yaml_event_t event;
		struct node *item = NULL;

		result = next_event(reader, &event);
		if (result == 0 && event.type == YAML_SEQUENCE_END_EVENT)
			return 0;
		if (result == 0)
			result = read_node(reader, &event, depth + 1, &item);
		if (result == 0)
			node_add(node, NULL, item);
	}
	return result;
}

/* A merge key's value: a map, or a list of maps of which the first wins. */
static int check_merge(struct reader *reader, const struct node *value, yaml_mark_t mark)
{
	bool good = value->type == NODE_MAP || value->type == NODE_LIST;

	for (size_t i = 0; i < value->count && value->type == NODE_LIST; i++)
		good = good && value->items[i]->type == NODE_MAP;
	return good ? 0 : fail_at(reader, mark, "<< needs a map or a list of maps");
}

static void take_members(struct node *node, struct node *from)
{
	for (size_t i = 0; i < from->count; i++) {
		struct node *member = steal(&from->items[i]);

		if (from->type == NODE_LIST) {
			take_members(node, member);
			node_freep(&member);
		} else {
			node_add(node, member->key, member);
		}
	}
	from->count = 0;
}

static int read_member(struct reader *reader, const yaml_event_t *key, size_t depth,
		       struct node *node, struct node *merged)
{
	const char *name = (const char *)key->data.scalar.value;
	CLEANUP(free_event) yaml_event_t event = { .type = YAML_NO_EVENT };
	struct node *value = NULL;
	int result;

	if (key->type != YAML_SCALAR_EVENT)
		return fail_at(reader, key->start_mark, "a key must be a text");
	result = check_scalar(reader, key);
	if (result == 0)
		result = spend(reader, key->start_mark, key->data.scalar.length, depth);
	if (result == 0)
		result = next_event(reader, &event);
	if (result == 0)
		result = read_node(reader, &event, depth + 1, &value);
	if (result < 0)
		return result;
	if (streq(name, "<<") && key->data.scalar.style == YAML_PLAIN_SCALAR_STYLE) {
		node_add(merged, NULL, value);
		return check_merge(reader, value, key->start_mark);
	}
	/* A person looks for the key: a value may begin lines later. */
	value->line = (unsigned int)key->start_mark.line + 1;
	value->column = (unsigned int)key->start_mark.column + 1;
	node_add(node, name, value);
	return 0;
}

static int read_map(struct reader *reader, const yaml_event_t *start, size_t depth,
		    struct node *node)
{
	CLEANUP(node_freep) struct node *merged = node_new(NODE_LIST);
	CLEANUP(freep) char *reason = NULL;
	const struct node *twice;
	yaml_mark_t mark = start->start_mark;
	size_t own;

	node->type = NODE_MAP;
	while (true) {
		CLEANUP(free_event) yaml_event_t event;
		int result = next_event(reader, &event);

		if (result == 0 && event.type == YAML_MAPPING_END_EVENT)
			break;
		if (result == 0)
			result = read_member(reader, &event, depth, node, merged);
		if (result < 0)
			return result;
	}
	own = node->count;
	take_members(node, merged);
	twice = reader_settle(node, own);
	if (!twice)
		return 0;
	reason = xasprintf("the key %.200s is given twice", twice->key);
	mark.index = reader->parser.mark.index;
	mark.line = twice->line - 1;
	mark.column = twice->column - 1;
	return fail_at(reader, mark, reason);
}

static int read_content(struct reader *reader, const yaml_event_t *event, size_t depth,
			struct node **ret_node)
{
	CLEANUP(node_freep) struct node *node = node_new(NODE_NULL);
	const char *anchor = anchor_of(event);
	int result = spend(reader, event->start_mark,
			   event->type == YAML_SCALAR_EVENT ? event->data.scalar.length : 0, depth);

	if (result == 0 && anchor)
		result = open_anchor(reader, anchor, event->start_mark);
	if (result < 0)
		return result;
	node->line = (unsigned int)event->start_mark.line + 1;
	node->column = (unsigned int)event->start_mark.column + 1;
	if (event->type == YAML_SCALAR_EVENT)
		result = read_scalar(reader, event, node);
	else if (event->type == YAML_SEQUENCE_START_EVENT)
		result = read_list(reader, depth, node);
	else
		result = read_map(reader, event, depth, node);
	if (result == 0)
		result = apply_tag(reader, event, &node);
	if (result == 0 && anchor)
		result = close_anchor(reader, anchor, node, event->start_mark);
	if (result < 0)
		return result;
	*ret_node = steal(&node);
	return 0;
}

static int read_node(struct reader *reader, const yaml_event_t *event, size_t depth,
		     struct node **ret_node)
{
	if (event->type == YAML_ALIAS_EVENT)
		return read_alias(reader, event, depth, ret_node);
	return read_content(reader, event, depth, ret_node);
}

/* ---- documents ---- */

static int expect_event(struct reader *reader, yaml_event_type_t type, const char *reason)
{
	CLEANUP(free_event) yaml_event_t event;
	int result = next_event(reader, &event);

	if (result == 0 && event.type != type)
		return fail_at(reader, event.start_mark, reason);
	return result;
}

static int read_document(struct reader *reader, struct node **ret_node)
{
	CLEANUP(node_freep) struct node *node = NULL;
	CLEANUP(free_event) yaml_event_t event = { .type = YAML_NO_EVENT };
	int result = expect_event(reader, YAML_STREAM_START_EVENT, "it can't be read");

	if (result == 0)
		result = expect_event(reader, YAML_DOCUMENT_START_EVENT, "there is no document");
	if (result == 0)
		result = next_event(reader, &event);
	if (result == 0)
		result = read_node(reader, &event, 0, &node);
	if (result == 0)
		result = expect_event(reader, YAML_DOCUMENT_END_EVENT, "it does not end here");
	if (result == 0)
		result = expect_event(reader, YAML_STREAM_END_EVENT,
				      "there is more than one document");
	if (result < 0)
		return result;
	*ret_node = steal(&node);
	return 0;
}

static int read_yaml(const char *text, size_t length, struct node **ret_node, size_t *ret_offset,
		     struct error *error)
{
	struct reader reader = { .text = text, .error = error };
	int result;

	if (!yaml_parser_initialize(&reader.parser))
		abort(); /* out of memory */
	yaml_parser_set_input_string(&reader.parser, (const unsigned char *)text, length);
	result = read_document(&reader, ret_node);
	*ret_offset = reader.offset;
	for (size_t i = 0; i < reader.anchor_count; i++) {
		free(reader.anchors[i].name);
		node_freep(&reader.anchors[i].node);
	}
	free(reader.anchors);
	yaml_parser_delete(&reader.parser);
	return result;
}

int node_parse(const char *text, size_t length, struct node **ret_node, struct error *error)
{
	struct error other = ERROR_INIT;
	size_t blank = 0, offset, other_offset;

	if (length > DOCUMENT_SIZE_MAX)
		return error_set(error, ERROR_INVALID_TEMPLATE, "it is larger than %zu bytes: %zu",
				 DOCUMENT_SIZE_MAX, length);
	if (read_yaml(text, length, ret_node, &offset, error) == 0)
		return 0;
	while (blank < length && strchr(" \t\r\n", text[blank]) && text[blank])
		blank++;
	if (blank == length || text[blank] != '{')
		return -EINVAL;
	if (reader_json(text, length, ret_node, &other_offset, &other) == 0)
		return 0;
	/* Who came farther stopped at what is no document at all. */
	if (!other_offset || other_offset > offset)
		*error = other;
	return -EINVAL;
}
