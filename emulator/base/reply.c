/* A reply of the API: see reply.h. Expat reads it, and elements are all that is kept. */
#include "base/reply.h"

#include "base/buffer.h"

#include <errno.h>
#include <expat.h>

/* One element. In an array, in document order: what is inside comes right after it. */
struct element {
	char *name;
	struct buffer text;
	size_t depth, parent;
	size_t size; /* of it and all that is inside, in elements */
};

struct reply {
	struct element *elements; /* ends in one without a name */
	size_t count;
};

struct reading {
	struct reply *reply;
	size_t depth, innermost; /* of the open ones */
};

static void XMLCALL on_start(void *context, const XML_Char *name, const XML_Char **attributes)
{
	struct reading *reading = context;

	(void)attributes;
	*array_grow(&reading->reply->elements, &reading->reply->count) = (struct element){
		.name = xstrdup(name), .depth = reading->depth++, .parent = reading->innermost
	};
	reading->innermost = reading->reply->count - 1;
}

static void XMLCALL on_end(void *context, const XML_Char *name)
{
	struct reading *reading = context;

	struct element *element = &reading->reply->elements[reading->innermost];

	(void)name;
	element->size = reading->reply->count - reading->innermost;
	reading->depth--;
	reading->innermost = element->parent;
}

static void XMLCALL on_text(void *context, const XML_Char *text, int length)
{
	struct reading *reading = context;

	buffer_append(&reading->reply->elements[reading->innermost].text, text, (size_t)length);
}

int reply_parse(const char *text, size_t length, struct reply **ret_reply, struct error *error)
{
	CLEANUP(reply_freep) struct reply *reply = xcalloc(1, sizeof(*reply));
	struct reading reading = { reply, 0, 0 };
	XML_Parser parser = XML_ParserCreate(NULL);
	enum XML_Status status = XML_STATUS_ERROR;

	if (!parser)
		abort();
	XML_SetUserData(parser, &reading);
	XML_SetElementHandler(parser, on_start, on_end);
	XML_SetCharacterDataHandler(parser, on_text);
	if (length <= INT32_MAX)
		status = XML_Parse(parser, text, (int)length, XML_TRUE);
	XML_ParserFree(parser);
	*array_grow(&reply->elements, &reply->count) = (struct element){ 0 };
	if (status != XML_STATUS_OK) {
		error_set(error, ERROR_INTERNAL, "the reply is no XML document");
		return -EBADMSG;
	}
	*ret_reply = steal(&reply);
	return 0;
}

void reply_freep(struct reply **reply)
{
	if (!*reply)
		return;
	for (size_t i = 0; i < (*reply)->count; i++) {
		free((*reply)->elements[i].name);
		buffer_clear(&(*reply)->elements[i].text);
	}
	free((*reply)->elements);
	free(*reply);
	*reply = NULL;
}

static const struct element *find(const struct reply *reply, const char *name)
{
	const struct element *element = reply->elements;

	while (element->name && !streq(element->name, name))
		element++;
	return element->name ? element : NULL;
}

/* The first of that name from `element` on that is at `depth`, before one that is outside. */
static const struct element *seek(const struct element *element, const char *name, size_t depth)
{
	while (element->name && element->depth >= depth &&
	       !(element->depth == depth && streq(element->name, name)))
		element++;
	return element->name && element->depth == depth ? element : NULL;
}

static const struct element *child(const struct element *element, const char *name)
{
	return seek(element + 1, name, element->depth + 1);
}

static char *content(const struct element *element)
{
	return element && element->text.length ? xstrdup(element->text.data) : NULL;
}

char *reply_text(const struct reply *reply, const char *name)
{
	return content(find(reply, name));
}

const char *reply_name(const void *element)
{
	return ((const struct element *)element)->name;
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
	const struct element *parent = item ? NULL : find(reply, set), *last = item;

	if (last)
		return seek(last + 1, "item", last->depth);
	return parent ? child(parent, "item") : NULL;
}

char *reply_item_text(const void *item, const char *name)
{
	return content(child(item, name));
}

/* What the names of `path`, with '/' between them, lead to; NULL when it is not there. */
static const struct element *descend(const struct element *element, const char *path)
{
	while (element && *path) {
		size_t length = strcspn(path, "/");
		CLEANUP(freep) char *name = xasprintf("%.*s", (int)length, path);

		element = child(element, name);
		path += length + (path[length] == '/');
	}
	return element;
}

const char *reply_item_value(const void *item, const char *path)
{
	const struct element *element = descend(item, path);

	return element && element->text.length ? element->text.data : NULL;
}

const void *reply_item_next(const void *item, const char *path, const void *previous)
{
	const struct element *parent = previous ? NULL : descend(item, path), *last = previous;

	if (last)
		return seek(last + 1, "item", last->depth);
	return parent ? child(parent, "item") : NULL;
}

char *reply_item_list(const void *item, const char *set, const char *name)
{
	const struct element *list = child(item, set);
	const struct element *element = list ? child(list, "item") : NULL;
	struct buffer texts = BUFFER_INIT;

	for (; element; element = seek(element + 1, "item", element->depth)) {
		CLEANUP(freep) char *text = reply_item_text(element, name);

		if (text)
			buffer_printf(&texts, "%s%s", texts.length ? "," : "", text);
	}
	return texts.length ? buffer_steal(&texts) : NULL;
}

const void *reply_root(const struct reply *reply)
{
	return reply->elements;
}

const void *reply_child(const void *element)
{
	const struct element *parent = element;

	return parent->size > 1 ? parent + 1 : NULL;
}

const void *reply_sibling(const void *element)
{
	const struct element *last = element, *next = last + last->size;

	return next->name && next->depth == last->depth ? next : NULL;
}

const void *reply_child_named(const void *element, const char *name)
{
	const struct element *found = reply_child(element);

	while (found && !streq(found->name, name))
		found = reply_sibling(found);
	return found;
}

const char *reply_content(const void *element)
{
	const struct element *found = element;

	return found->text.length ? found->text.data : "";
}
