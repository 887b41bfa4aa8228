/* A reply of the API: see reply.h. */
#include "cli/reply.h"

#include "base/buffer.h"

#include <errno.h>
#include <libxml/parser.h>
#include <libxml/tree.h>

struct reply {
	xmlDoc *document;
};

static bool named(const xmlNode *node, const char *name)
{
	return node->type == XML_ELEMENT_NODE && streq((const char *)node->name, name);
}

/* The next node in document order; NULL at the end. Iterative: depth is the sender's choice. */
static const xmlNode *follow(const xmlNode *node)
{
	if (node->type == XML_ELEMENT_NODE && node->children)
		return node->children;
	while (node && !node->next)
		node = node->parent && node->parent->type == XML_ELEMENT_NODE ? node->parent : NULL;
	return node ? node->next : NULL;
}

static const xmlNode *find(const struct reply *reply, const char *name)
{
	const xmlNode *node = xmlDocGetRootElement(reply->document);

	while (node && !named(node, name))
		node = follow(node);
	return node;
}

static char *content(const xmlNode *node)
{
	xmlChar *text = node ? xmlNodeGetContent(node) : NULL;
	char *copy = text && *text ? xstrdup((const char *)text) : NULL;

	xmlFree(text);
	return copy;
}

int reply_parse(const char *text, size_t length, struct reply **ret_reply, struct error *error)
{
	int options = XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING;
	xmlDoc *document =
		length > INT32_MAX ? NULL : xmlReadMemory(text, (int)length, NULL, NULL, options);

	if (!document || !xmlDocGetRootElement(document)) {
		xmlFreeDoc(document);
		error_set(error, ERROR_INTERNAL, "the reply is no XML document");
		return -EBADMSG;
	}
	*ret_reply = xcalloc(1, sizeof(**ret_reply));
	(*ret_reply)->document = document;
	return 0;
}

void reply_freep(struct reply **reply)
{
	if (!*reply)
		return;
	xmlFreeDoc((*reply)->document);
	free(*reply);
	*reply = NULL;
}

char *reply_text(const struct reply *reply, const char *name)
{
	return content(find(reply, name));
}

int reply_number(const struct reply *reply, const char *name, uint64_t max, uint64_t *ret_number,
		 struct error *error)
{
	CLEANUP(freep) char *text = reply_text(reply, name);
	unsigned long long number;
	char *end;

	if (text && *text >= '0' && *text <= '9') {
		errno = 0;
		number = strtoull(text, &end, 10);
		if (errno == 0 && *end == '\0' && number <= max) {
			*ret_number = number;
			return 0;
		}
	}
	error_set(error, ERROR_INTERNAL, "the reply holds no usable <%s>", name);
	return -EBADMSG;
}

const void *reply_next(const struct reply *reply, const char *set, const void *item)
{
	const xmlNode *parent = item ? NULL : find(reply, set);
	const xmlNode *node =
		item ? ((const xmlNode *)item)->next : (parent ? parent->children : NULL);

	while (node && !named(node, "item"))
		node = node->next;
	return node;
}

static const xmlNode *child(const void *item, const char *name)
{
	const xmlNode *node = ((const xmlNode *)item)->children;

	while (node && !named(node, name))
		node = node->next;
	return node;
}

char *reply_item_text(const void *item, const char *name)
{
	return content(child(item, name));
}

char *reply_item_list(const void *item, const char *set, const char *name)
{
	const xmlNode *list = child(item, set);
	struct buffer texts = BUFFER_INIT;

	for (const xmlNode *node = list ? list->children : NULL; node; node = node->next) {
		CLEANUP(freep)
		char *text = named(node, "item") ? reply_item_text(node, name) : NULL;

		if (text)
			buffer_printf(&texts, "%s%s", texts.length ? "," : "", text);
	}
	return texts.length ? buffer_steal(&texts) : NULL;
}
