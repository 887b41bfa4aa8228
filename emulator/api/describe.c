/* The engine behind every Describe call: see describe.h. */
#include "api/describe.h"

#include "api/page.h"

#define FILTER_VALUES_MAX 200

struct filter {
	const char *name;
	const char **values; /* owned array of borrowed texts */
	size_t value_count;
	bool matches_nothing;
};

struct filters {
	struct filter *items;
	size_t count;
};

void rows_clear(struct rows *rows)
{
	free(rows->items);
	*rows = (struct rows){ NULL, 0 };
}

void rows_add(struct rows *rows, const struct call *call, const struct resource *resource,
	      const void *object)
{
	*array_grow(&rows->items, &rows->count) =
		(struct view){ call_model(call), resource, object };
}

/* Greedy with one point of return, so a pattern of many stars can't take exponential time. */
bool wildcard_match(const char *pattern, const char *text)
{
	const char *star = NULL, *retry = NULL;

	while (*text) {
		bool literal = *pattern == '\\' && pattern[1];
		char wanted = literal ? pattern[1] : *pattern;

		if (!literal && *pattern == '*') {
			star = ++pattern;
			retry = text;
		} else if ((!literal && *pattern == '?') || (wanted && wanted == *text)) {
			pattern += literal ? 2 : 1;
			text++;
		} else if (star) {
			pattern = star;
			text = ++retry;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}

/* ---- filters ---- */

static void filters_clear(struct filters *filters)
{
	for (size_t i = 0; i < filters->count; i++)
		free(filters->items[i].values);
	free(filters->items);
	*filters = (struct filters){ NULL, 0 };
}

/* Is `name` one of the space-separated `names`? */
static bool listed(const char *names, const char *name)
{
	while (names && *names) {
		size_t length = strcspn(names, " ");

		if (strlen(name) == length && memcmp(names, name, length) == 0)
			return true;
		names += length + (names[length] == ' ');
	}
	return false;
}

static bool knows_filter(const struct field *fields, const char *name)
{
	for (const struct field *field = fields; field->name; field++)
		if (field_is_scalar(field) ? listed(field->filter, name)
					   : knows_filter(field->fields, name))
			return true;
	return false;
}

static bool is_tag_filter(const char *name)
{
	return strncmp(name, "tag:", 4) == 0 || streq(name, "tag-key") || streq(name, "tag-value");
}

/* Rows that are no resources have none. */
static bool has_tags(const struct listing *listing)
{
	return listing->rows_are_tags || (listing->kind != KIND_NONE && !listing->no_tags);
}

static int read_filter(const struct call *call, const struct listing *listing,
		       const struct field *fields, unsigned int n, struct filter *filter)
{
	CLEANUP(freep) char *prefix = xasprintf("Filter.%u.Value", n);
	CLEANUP(freep) unsigned int *indices = NULL;
	size_t count = params_indices(call->params, prefix, &indices);
	bool is_tag;

	filter->name = params_get(call->params, "Filter.%u.Name", n);
	if (!filter->name)
		return -1;
	for (size_t i = 0; i < count; i++)
		*array_grow(&filter->values, &filter->value_count) =
			params_get(call->params, "%s.%u", prefix, indices[i]);
	if (is_tag_filter(filter->name) ? has_tags(listing) : knows_filter(fields, filter->name))
		return 0;
	filter->matches_nothing = true;
	is_tag = strncmp(filter->name, "tag:", 4) == 0;
	return listed(listing->absent, is_tag ? "tag" : filter->name) ? 0 : -1;
}

static int read_filters(const struct call *call, const struct listing *listing,
			const struct field *fields, struct filters *filters, struct error *error)
{
	CLEANUP(freep) unsigned int *indices = NULL;
	size_t count = params_indices(call->params, "Filter", &indices), values = 0;

	for (size_t i = 0; i < count; i++) {
		struct filter *filter = array_grow(&filters->items, &filters->count);

		if (read_filter(call, listing, fields, indices[i], filter) < 0)
			return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
					 "The filter '%s' is invalid",
					 filter->name ? filter->name : "null");
		if (!filter->value_count)
			return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
					 "The filter '%s' must have at least one value",
					 filter->name);
		values += filter->value_count;
	}
	if (values > FILTER_VALUES_MAX)
		return error_set(error, ERROR_FILTER_LIMIT,
				 "The maximum number of filter values on a single call is %d",
				 FILTER_VALUES_MAX);
	return 0;
}

static bool any_value(const struct filter *filter, const char *text)
{
	for (size_t i = 0; text && i < filter->value_count; i++)
		if (wildcard_match(filter->values[i], text))
			return true;
	return false;
}

static bool match_tags(const struct filter *filter, const struct tag *tags, size_t count)
{
	bool by_key = streq(filter->name, "tag-key"), by_value = streq(filter->name, "tag-value");

	for (size_t i = 0; i < count; i++)
		if (by_key ? any_value(filter, tags[i].key)
			   : (by_value || streq(tags[i].key, filter->name + 4)) &&
				     any_value(filter, tags[i].value))
			return true;
	return false;
}

static bool match_fields(const struct filter *filter, const struct field *fields,
			 const struct view *view)
{
	CLEANUP(buffer_clear) struct buffer scratch = BUFFER_INIT;
	struct view child;

	for (const struct field *field = fields; field->name; field++) {
		if (field_is_scalar(field)) {
			if (listed(field->filter, filter->name) &&
			    any_value(filter, field_text(field, view, &scratch)))
				return true;
			continue;
		}
		for (size_t i = 0; field_child(field, view, i, &child); i++)
			if (match_fields(filter, field->fields, &child))
				return true;
	}
	return false;
}

static bool match(const struct filters *filters, const struct listing *listing,
		  const struct field *fields, const struct view *view)
{
	const struct resource *resource = view->resource;

	for (size_t i = 0; i < filters->count; i++) {
		const struct filter *filter = &filters->items[i];
		bool matches;

		if (filter->matches_nothing)
			return false;
		if (!is_tag_filter(filter->name))
			matches = match_fields(filter, fields, view);
		else if (listing->rows_are_tags)
			matches = match_tags(filter, view->object, 1);
		else
			matches =
				resource && match_tags(filter, resource->tags, resource->tag_count);
		if (!matches)
			return false;
	}
	return true;
}

/* ---- pages ---- */

struct page {
	long size; /* 0: everything */
	int64_t from;
};

static int64_t row_order(const struct listing *listing, const struct rows *rows, size_t i)
{
	/* Rows that are no resources of their own (zones, tags …) are counted. */
	return listing->kind != KIND_NONE && !listing->mixed ? rows->items[i].resource->order
							     : (int64_t)i;
}

static int read_page(const struct call *call, const struct listing *listing, struct page *page,
		     struct error *error)
{
	const char *size = call_text(call, "MaxResults"), *token = call_text(call, "NextToken");
	CLEANUP(freep) unsigned int *indices = NULL;
	int r;

	*page = (struct page){ 0, 0 };
	if (size && (r = params_int(size, "MaxResults", listing->minimum, listing->maximum,
				    &page->size, error)) < 0)
		return r;
	if (size && listing->ids && params_indices(call->params, listing->ids, &indices))
		return error_set(error, ERROR_INVALID_PARAMETER_COMBINATION,
				 "The parameter %s cannot be used with the parameter MaxResults",
				 listing->ids);
	if (token && *token && page_token_read(token, &page->from) < 0)
		return error_set(error, ERROR_INVALID_NEXT_TOKEN, "The token '%s' is invalid",
				 token);
	return 0;
}

/* ---- rows ---- */

static void reply_row(struct call *call, const struct listing *listing, const struct view *view)
{
	const struct field *fields =
		listing->fields ? listing->fields : resource_type(listing->kind)->fields;

	xml_open(call->xml, "item");
	reply_fields(call, fields, view);
	if (listing->inside)
		listing->inside(call, view);
	xml_close(call->xml);
}

int describe_rows(struct call *call, const struct listing *listing, const struct rows *rows,
		  struct error *error)
{
	const struct field *fields =
		listing->fields ? listing->fields : resource_type(listing->kind)->fields;
	CLEANUP(filters_clear) struct filters filters = { NULL, 0 };
	const struct view *previous = NULL;
	struct page page;
	int64_t next = -1;
	long shown = 0;
	int r;

	if ((r = read_page(call, listing, &page, error)) < 0 ||
	    (r = read_filters(call, listing, fields, &filters, error)) < 0)
		return r;
	xml_open(call->xml, listing->list);
	for (size_t i = 0; i < rows->count && next < 0; i++) {
		const struct view *view = &rows->items[i];

		if (row_order(listing, rows, i) < page.from ||
		    !match(&filters, listing, fields, view))
			continue;
		if (page.size && shown++ == page.size) {
			next = row_order(listing, rows, i);
			continue;
		}
		if (listing->item)
			listing->item(call, view, previous, false);
		reply_row(call, listing, view);
		previous = view;
	}
	if (listing->item && previous)
		listing->item(call, NULL, previous, true);
	xml_close(call->xml);
	if (next >= 0) {
		CLEANUP(buffer_clear) struct buffer token = BUFFER_INIT;

		page_token_write(next, &token);
		xml_text(call->xml, "nextToken", token.data);
	}
	return 0;
}

static bool is_seen(const struct call *call, const struct listing *listing,
		    const struct resource *resource)
{
	return listing->sees ? listing->sees(resource, call->scope)
			     : resource->scope == call->scope;
}

/* The resources named by ids, once each, in order; every one must be there. */
static int named_rows(struct call *call, const struct listing *listing, struct rows *rows,
		      struct error *error)
{
	CLEANUP(buffer_clear) struct buffer missing = BUFFER_INIT;
	CLEANUP(freep) unsigned int *indices = NULL;
	size_t count = params_indices(call->params, listing->ids, &indices), absent = 0;
	CLEANUP(map_clear) struct map seen = { 0 };

	for (size_t i = 0; i < count; i++) {
		const char *text = params_get(call->params, "%s.%u", listing->ids, indices[i]);
		struct resource *resource;
		struct rid id;

		if (rid_parse(text, listing->kind, &id) < 0)
			return malformed(listing->kind, text, error);
		resource = model_get(call_model(call), NULL, id);
		if (!resource || !is_seen(call, listing, resource)) {
			buffer_printf(&missing, "%s%s", absent++ ? ", " : "", text);
			continue;
		}
		if (!map_put(&seen, map_key_rid(id), resource))
			rows_add(rows, call, resource, resource);
	}
	return absent ? not_found(listing->kind, missing.data, absent > 1, error) : 0;
}

static int compare_order(const void *a, const void *b)
{
	int64_t x = ((const struct view *)a)->resource->order;
	int64_t y = ((const struct view *)b)->resource->order;

	return x < y ? -1 : x > y;
}

static void all_rows(const struct call *call, const struct listing *listing, struct rows *rows)
{
	const struct model *model = call_model(call);

	for (size_t i = 0; i < model->scope_count; i++) {
		if (!listing->sees && model->scopes[i] != call->scope)
			continue;
		for_each_resource (struct resource, resource, model->scopes[i], listing->kind)
			if (is_seen(call, listing, resource))
				rows_add(rows, call, resource, resource);
	}
}

int resource_rows(struct call *call, const struct listing *listing, struct rows *rows,
		  struct error *error)
{
	CLEANUP(freep) unsigned int *indices = NULL;
	int r = 0;

	if (listing->ids && params_indices(call->params, listing->ids, &indices)) {
		r = named_rows(call, listing, rows, error);
	} else {
		all_rows(call, listing, rows);
		if (!listing->sees)
			return 0; /* in order already */
	}
	if (rows->count)
		qsort(rows->items, rows->count, sizeof(*rows->items), compare_order);
	return r;
}

int describe_resources(struct call *call, const struct listing *listing, struct error *error)
{
	CLEANUP(rows_clear) struct rows rows = { NULL, 0 };
	int r = resource_rows(call, listing, &rows, error);

	return r < 0 ? r : describe_rows(call, listing, &rows, error);
}
