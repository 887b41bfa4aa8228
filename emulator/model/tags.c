/* Tags: see tags.h. */
#include "model/tags.h"

#include "model/instance.h"

#define TAG_KEY_MAX   128
#define TAG_VALUE_MAX 256

/* AWS counts Unicode characters: everything but UTF-8's continuation bytes. */
static size_t characters(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += (*text & 0xc0) != 0x80;
	return n;
}

static int check(const char *key, const char *value, struct error *error)
{
	if (!*key)
		return error_set(error, ERROR_TAG_KEY_MALFORMED, "Tag key cannot be empty.");
	if (strncasecmp(key, "aws:", 4) == 0)
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "Tag keys starting with 'aws:' are reserved for internal use");
	if (characters(key) > TAG_KEY_MAX)
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "Tag key exceeds the maximum length of %d characters",
				 TAG_KEY_MAX);
	if (characters(value) > TAG_VALUE_MAX)
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "Tag value exceeds the maximum length of %d characters",
				 TAG_VALUE_MAX);
	return 0;
}

static struct tag *find(const struct resource *resource, const char *key)
{
	for (size_t i = 0; i < resource->tag_count; i++)
		if (streq(resource->tags[i].key, key))
			return &resource->tags[i];
	return NULL;
}

int tag_set(struct transaction *transaction, struct resource *resource, const char *key,
	    const char *value, struct error *error)
{
	struct tag *tag;
	int r;

	if ((r = check(key, value, error)) < 0 ||
	    (resource->id.kind == KIND_INSTANCE &&
	     (r = instance_check_tag_key((const struct instance *)resource, key, error)) < 0))
		return r;
	transaction_edit(transaction, resource);
	tag = find(resource, key);
	if (!tag) {
		if ((int64_t)resource->tag_count >= quota_of(transaction->model, QUOTA_TAGS))
			return error_set(
				error, ERROR_TAG_LIMIT,
				"The maximum number of Tags for a resource has been reached.");
		tag = array_grow(&resource->tags, &resource->tag_count);
		tag->key = xstrdup(key);
	}
	free(tag->value);
	tag->value = xstrdup(value);
	return 0;
}

void tag_set_own(struct transaction *transaction, struct resource *resource, const char *key,
		 const char *value)
{
	struct tag *tag = find(resource, key);

	transaction_edit(transaction, resource); /* in place: `tag` is still it */
	if (!tag) {
		tag = array_grow(&resource->tags, &resource->tag_count);
		tag->key = xstrdup(key);
	}
	free(tag->value);
	tag->value = xstrdup(value);
}

void tag_remove(struct transaction *transaction, struct resource *resource, const char *key,
		const char *value)
{
	struct tag *tag = find(resource, key);

	if (!tag || (value && !streq(tag->value, value)))
		return;
	transaction_edit(transaction, resource); /* in place: `tag` is still it */
	free(tag->key);
	free(tag->value);
	array_remove(resource->tags, &resource->tag_count, (size_t)(tag - resource->tags));
}

enum kind tag_kind(const char *word)
{
	for (enum kind kind = KIND_NONE + 1; kind < KIND_MAX; kind++) {
		const struct resource_type *type = resource_type(kind);

		if (type && streq(type->tag_type, word))
			return kind;
	}
	return KIND_NONE;
}
