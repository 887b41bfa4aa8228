/* What paths find in replies: see type_attribute(). */
#include "lab/type.h"

struct search {
	const char *id;
	struct node *found; /* a list of texts */
	bool all;
};

/* "subnetId={id}": does the item have such a child? `length` of it. */
static bool fits(const struct node *item, const char *condition, size_t length, const char *id)
{
	CLEANUP(freep) char *name = xasprintf("%.*s", (int)length, condition);
	char *value = strchr(name, '=');

	if (!value)
		return false;
	*value++ = '\0';
	return streq(node_get_text(item, name), streq(value, "{id}") ? id : value);
}

/* The text of a leaf, or of two of an item's children: "hostedZoneId:dnsName". */
static char *leaf(const struct node *parent, const struct node *node, const char *step)
{
	const char *colon = strchr(step, ':');
	size_t length = colon ? strcspn(colon + 1, "#") : 0;
	CLEANUP(freep) char *other = colon ? xasprintf("%.*s", (int)length, colon + 1) : NULL;
	const char *text = node->type == NODE_TEXT ? node->text : "";

	if (!colon)
		return xstrdup(text);
	return xasprintf("%s:%s", text, other ? node_get_text(parent, other) : "");
}

static void walk(struct search *search, const struct node *node, const char *path)
{
	size_t name = strcspn(path, "[/#:?");
	size_t condition = path[name] == '[' ? strcspn(path + name + 1, "]") : 0;
	size_t step = name + condition + strcspn(path + name + condition, "/");

	if (node->type != NODE_MAP)
		return;
	for (size_t i = 0; i < node->count && (search->all || !search->found->count); i++) {
		const struct node *item = node->items[i];

		if (strlen(item->key) != name || strncmp(item->key, path, name) != 0 ||
		    (condition && !fits(item, path + name + 1, condition, search->id)))
			continue;
		if (path[step] == '/') {
			walk(search, item, path + step + 1);
		} else {
			CLEANUP(freep) char *text = leaf(node, item, path);

			node_add(search->found, NULL, node_text_new(text));
		}
	}
}

struct node *type_reply_find(const struct node *reply, const char *path, const char *id)
{
	CLEANUP(node_freep) struct node *found = node_new(NODE_LIST);
	struct search search = { .id = id,
				 .found = found,
				 .all = *path && path[strlen(path) - 1] == '#' };

	walk(&search, reply, path);
	if (search.all)
		return steal(&found);
	if (!found->count && strchr(path, '?'))
		return node_text_new("");
	return found->count ? node_copy(found->items[0]) : NULL;
}

struct node *type_reply_first(const struct node *reply, const char *name)
{
	if (reply->type != NODE_MAP)
		return NULL;
	for (size_t i = 0; i < reply->count; i++) {
		const struct node *item = reply->items[i];
		struct node *found;

		if (streq(item->key, name))
			return node_copy(item);
		if ((found = type_reply_first(item, name)))
			return found;
	}
	return NULL;
}
