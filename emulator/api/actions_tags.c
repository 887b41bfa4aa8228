/* CreateTags, DeleteTags, DescribeTags: any resource that takes tags. */
#include "api/actions.h"

#include <errno.h>

#include "model/common.h"
#include "model/peering.h"
#include "model/tags.h"

/* A peering connection that the caller is asked for, from another account or region. */
static struct resource *accepted(const struct call *call, struct rid id)
{
	struct peering *peering = peering_get(call_model(call), id);

	return peering && peering_is_of(peering, call->scope) ? &peering->resource : NULL;
}

/* To either side it shows, and takes, that side's own tags. */
static bool turn(struct call *call, struct resource *resource)
{
	if (resource->scope == call->scope)
		return false;
	peering_swap_tags(transaction_edit(&call->transaction, resource));
	return true;
}

static int taggable(const struct call *call, const char *text, struct resource **ret_resource,
		    struct error *error)
{
	struct rid id;
	struct resource *resource;

	if (rid_parse_any(text, &id) < 0)
		return error_subject(error, ERROR_INVALID_ID, NULL, "The ID '%s' is not valid",
				     text);
	resource = model_get(call_model(call), call->scope, id);
	if (!resource)
		resource = accepted(call, id);
	if (resource && resource_type(id.kind)->tag_type) {
		*ret_resource = resource;
		return 0;
	}
	if (!resource_type(id.kind))
		return error_set(error, ERROR_INVALID_ID, "The ID '%s' is not valid", text);
	not_found(id.kind, text, false, error);
	return -EINVAL;
}

/* Calls `change` for every pair of resource and tag. */
static int for_each_tag(struct call *call,
			int (*change)(struct call *, struct resource *, const char *, const char *,
				      struct error *),
			struct error *error)
{
	CLEANUP(freep) unsigned int *resources = NULL;
	CLEANUP(freep) unsigned int *tags = NULL;
	size_t resource_count = params_indices(call->params, "ResourceId", &resources);
	size_t tag_count = params_indices(call->params, "Tag", &tags);
	int r;

	for (size_t i = 0; i < resource_count; i++) {
		struct resource *resource = NULL;

		if ((r = taggable(call, params_get(call->params, "ResourceId.%u", resources[i]),
				  &resource, error)) < 0)
			return r;
		if (tag_count == 0 && (r = change(call, resource, NULL, NULL, error)) < 0)
			return r;
		for (size_t j = 0; j < tag_count; j++) {
			const char *key = params_get(call->params, "Tag.%u.Key", tags[j]);
			const char *value = params_get(call->params, "Tag.%u.Value", tags[j]);

			if ((r = change(call, resource, key ? key : "", value, error)) < 0)
				return r;
		}
	}
	return reply_true(call);
}

static int create_one(struct call *call, struct resource *resource, const char *key,
		      const char *value, struct error *error)
{
	const bool turned = turn(call, resource);
	int r = tag_set(&call->transaction, resource, key, value ? value : "", error);

	if (turned)
		turn(call, resource);
	return r;
}

/* Without any tag named: all of them. */
static int delete_one(struct call *call, struct resource *resource, const char *key,
		      const char *value, struct error *error)
{
	const bool turned = turn(call, resource);

	(void)error;
	if (key)
		tag_remove(&call->transaction, resource, key, value);
	while (!key && resource->tag_count)
		tag_remove(&call->transaction, resource, resource->tags[0].key, NULL);
	if (turned)
		turn(call, resource);
	return 0;
}

int create_tags(struct call *call, struct error *error)
{
	return for_each_tag(call, create_one, error);
}

int delete_tags(struct call *call, struct error *error)
{
	return for_each_tag(call, delete_one, error);
}

static const char *get_type(const struct view *view, struct buffer *scratch)
{
	(void)scratch;
	return resource_type(view->resource->id.kind)->tag_type;
}

static void add_accepted(const struct call *call, struct rows *rows)
{
	const struct model *model = call_model(call);

	for (size_t i = 0; i < model->scope_count; i++) {
		for_each_resource (struct peering, peering, model->scopes[i], KIND_VPC_PEERING) {
			if (peering->resource.scope == call->scope ||
			    !peering_is_of(peering, call->scope))
				continue;
			for (size_t j = 0; j < peering->accepter_tag_count; j++)
				rows_add(rows, call, &peering->resource,
					 &peering->accepter_tags[j]);
		}
	}
}

int describe_tags(struct call *call, struct error *error)
{
	static const struct field fields[] = {
		FIELD_OF(struct tag, key, FIELD_TEXT, "key", "key", FIELD_SHOWN),
		FIELD_GET_OF(get_id, "resourceId", "resource-id"),
		FIELD_GET_OF(get_type, "resourceType", "resource-type"),
		FIELD_OF(struct tag, value, FIELD_TEXT, "value", "value", FIELD_SHOWN),
		FIELD_END,
	};
	static const struct listing listing = {
		.list = "tagSet",
		.rows_are_tags = true,
		.fields = fields,
		.minimum = 5,
		.maximum = 1000,
	};
	CLEANUP(rows_clear) struct rows rows = { NULL, 0 };

	for (enum kind kind = KIND_NONE + 1; kind < KIND_MAX; kind++) {
		for_each_resource (struct resource, resource, call->scope, kind)
			for (size_t i = 0; i < resource->tag_count; i++)
				rows_add(&rows, call, resource, &resource->tags[i]);
	}
	add_accepted(call, &rows);
	return describe_rows(call, &listing, &rows, error);
}
