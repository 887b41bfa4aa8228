/* Documents as trees: see node.h. */
#include "lab/node.h"

struct node *node_new(enum node_type type)
{
	struct node *node = xcalloc(1, sizeof(*node));

	node->type = type;
	return node;
}

struct node *node_text_new(const char *text)
{
	struct node *node = node_new(NODE_TEXT);

	node->text = xstrdup(text);
	return node;
}

void node_freep(struct node **pointer)
{
	struct node *node = steal(pointer);

	if (!node)
		return;
	for (size_t i = 0; i < node->count; i++)
		node_freep(&node->items[i]);
	free(node->items);
	free(node->key);
	free(node->text);
	free(node);
}

struct node *node_copy(const struct node *node)
{
	struct node *copy = node_new(node->type);

	copy->key = xstrdup_null(node->key);
	copy->text = xstrdup_null(node->text);
	copy->line = node->line;
	copy->column = node->column;
	for (size_t i = 0; i < node->count; i++)
		*array_grow(&copy->items, &copy->count) = node_copy(node->items[i]);
	return copy;
}

struct node *node_add(struct node *parent, const char *key, struct node *item)
{
	char *copy = xstrdup_null(key); /* it may be the item's own */

	free(item->key);
	item->key = copy;
	*array_grow(&parent->items, &parent->count) = item;
	return item;
}

struct node *node_get(const struct node *node, const char *key)
{
	if (!node || node->type != NODE_MAP)
		return NULL;
	for (size_t i = 0; i < node->count; i++)
		if (streq(node->items[i]->key, key))
			return node->items[i];
	return NULL;
}

const char *node_get_text(const struct node *node, const char *key)
{
	const struct node *member = node_get(node, key);

	return member && member->type == NODE_TEXT ? member->text : NULL;
}

bool node_equal(const struct node *a, const struct node *b)
{
	if (!a || !b)
		return a == b;
	if (a->type != b->type || a->count != b->count || !streq(a->text, b->text))
		return false;
	for (size_t i = 0; i < a->count; i++) {
		const struct node *other =
			a->type == NODE_MAP ? node_get(b, a->items[i]->key) : b->items[i];

		if (!other || !node_equal(a->items[i], other))
			return false;
	}
	return true;
}

/* ---- as JSON ---- */

/* What libyaml takes for a line's end or refuses, where JSON has it plain. */
static bool is_odd(const char *text)
{
	const unsigned char *bytes = (const unsigned char *)text;

	return (bytes[0] == 0xc2 && bytes[1] < 0xa0) ||
	       (bytes[0] == 0xe2 && bytes[1] == 0x80 && (bytes[2] == 0xa8 || bytes[2] == 0xa9));
}

/* The bytes taken. */
static size_t put_character(struct buffer *buffer, const char *text)
{
	const unsigned char *bytes = (const unsigned char *)text;

	if (*text == '"' || *text == '\\') {
		buffer_putc(buffer, '\\');
		buffer_putc(buffer, *text);
	} else if (*text == '\n') {
		buffer_puts(buffer, "\\n");
	} else if (*bytes < 0x20 || *bytes == 0x7f) {
		buffer_printf(buffer, "\\u%04x", *bytes);
	} else if (is_odd(text)) {
		bool two = *bytes == 0xc2;

		buffer_printf(buffer, "\\u%04x", two ? bytes[1] : 0x2000U | (bytes[2] & 0x3f));
		return two ? 2 : 3;
	} else {
		buffer_putc(buffer, *text);
	}
	return 1;
}

static void put_text(struct buffer *buffer, const char *text)
{
	buffer_putc(buffer, '"');
	while (*text)
		text += put_character(buffer, text);
	buffer_putc(buffer, '"');
}

void node_json(const struct node *node, struct buffer *ret_text)
{
	switch (node->type) {
	case NODE_NULL:
		buffer_puts(ret_text, "null");
		return;
	case NODE_TEXT:
		put_text(ret_text, node->text);
		return;
	case NODE_LIST:
	case NODE_MAP:
		break;
	}
	buffer_putc(ret_text, node->type == NODE_MAP ? '{' : '[');
	for (size_t i = 0; i < node->count; i++) {
		if (i)
			buffer_putc(ret_text, ',');
		if (node->type == NODE_MAP) {
			put_text(ret_text, node->items[i]->key);
			buffer_putc(ret_text, ':');
		}
		node_json(node->items[i], ret_text);
	}
	buffer_putc(ret_text, node->type == NODE_MAP ? '}' : ']');
}
