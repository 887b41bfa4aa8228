/* What `ps`, `actions` and `internet list` show: see listing.h. */
#include "cli/listing.h"

#include "base/display.h"

enum field_kind {
	FIELD_TEXT,
	FIELD_NUMBER, /* in JSON too */
	FIELD_DECIMAL,
	FIELD_YES,  /* "yes" or "no" */
	FIELD_LIST, /* of what `element` names in the items of `name`; joined with commas */
};

struct listing_field {
	const char *name; /* in the reply and in JSON */
	/* NULL: not in the table; "": in the column before it, where that has nothing to show */
	const char *heading;
	enum field_kind kind;
	const char *element;
};

struct listing_type {
	const char *set;   /* the element whose items are the rows */
	const char *empty; /* instead of a table without rows; NULL: its header */
	size_t count;
	struct listing_field fields[LISTING_FIELDS];
};

const struct listing_type listing_instances = {
	.set = "instanceSet",
	.count = 10,
	.fields = {
		{ "instanceId", "INSTANCE", FIELD_TEXT, NULL },
		{ "name", "NAME", FIELD_TEXT, NULL },
		{ "state", "STATE", FIELD_TEXT, NULL },
		{ "availabilityZone", "AZ", FIELD_TEXT, NULL },
		{ "subnetId", "SUBNET", FIELD_TEXT, NULL },
		{ "vpcId", NULL, FIELD_TEXT, NULL },
		{ "privateIpAddress", "PRIVATE", FIELD_TEXT, NULL },
		{ "publicIpAddress", "PUBLIC", FIELD_TEXT, NULL },
		{ "region", NULL, FIELD_TEXT, NULL },
		{ "account", NULL, FIELD_TEXT, NULL },
	},
};

const struct listing_type listing_drops = {
	.set = "dropSet",
	.empty = "no packet was dropped",
	.count = 15,
	.fields = {
		{ "instanceId", "INSTANCE", FIELD_TEXT, NULL },
		{ "name", "NAME", FIELD_TEXT, NULL },
		{ "networkInterfaceId", NULL, FIELD_TEXT, NULL },
		{ "privateIpAddress", "PRIVATE", FIELD_TEXT, NULL },
		{ "subnetId", NULL, FIELD_TEXT, NULL },
		{ "vpcId", NULL, FIELD_TEXT, NULL },
		{ "direction", "DIRECTION", FIELD_TEXT, NULL },
		{ "packets", "PACKETS", FIELD_NUMBER, NULL },
		{ "bytes", "BYTES", FIELD_NUMBER, NULL },
		{ "reason", "REASON", FIELD_TEXT, NULL },
		{ "ruleNumber", "RULE", FIELD_TEXT, NULL },
		{ "networkAclId", "OF", FIELD_TEXT, NULL },
		{ "groupSet", "", FIELD_LIST, "groupId" },
		{ "region", NULL, FIELD_TEXT, NULL },
		{ "account", NULL, FIELD_TEXT, NULL },
	},
};

const struct listing_type listing_nat = {
	.set = "natGatewaySet",
	.empty = "there is no NAT gateway",
	.count = 14,
	.fields = {
		{ "natGatewayId", "NAT GATEWAY", FIELD_TEXT, NULL },
		{ "name", "NAME", FIELD_TEXT, NULL },
		{ "subnetId", "SUBNET", FIELD_TEXT, NULL },
		{ "vpcId", NULL, FIELD_TEXT, NULL },
		{ "privateIpAddress", "PRIVATE", FIELD_TEXT, NULL },
		{ "publicIpAddress", "PUBLIC", FIELD_TEXT, NULL },
		{ "connections", "CONNECTIONS", FIELD_NUMBER, NULL },
		{ "busiestConnections", "MOST", FIELD_NUMBER, NULL },
		{ "busiestAddress", "TO", FIELD_TEXT, NULL },
		{ "busiestProtocol", "PROTOCOL", FIELD_TEXT, NULL },
		{ "busiestPort", "PORT", FIELD_NUMBER, NULL },
		{ "portErrors", "PORT ERRORS", FIELD_NUMBER, NULL },
		{ "region", NULL, FIELD_TEXT, NULL },
		{ "account", NULL, FIELD_TEXT, NULL },
	},
};

const struct listing_type listing_actions = {
	.set = "actionSet",
	.count = 3,
	.fields = {
		{ "action", "ACTION", FIELD_TEXT, NULL },
		{ "service", "SERVICE", FIELD_TEXT, NULL },
		{ "effect", "EFFECT", FIELD_TEXT, NULL },
	},
};

const struct listing_type listing_hosts = {
	.set = "hostSet",
	.count = 3,
	.fields = {
		{ "name", "NAME", FIELD_TEXT, NULL },
		{ "address", "ADDRESS", FIELD_TEXT, NULL },
		{ "state", "STATE", FIELD_TEXT, NULL },
	},
};

const struct listing_type listing_images = {
	.set = "imageSet",
	.empty = "there is no image of one's own",
	.count = 7,
	.fields = {
		{ "imageId", "IMAGE", FIELD_TEXT, NULL },
		{ "name", "NAME", FIELD_TEXT, NULL },
		{ "state", "STATE", FIELD_TEXT, NULL },
		{ "path", "PATH", FIELD_TEXT, NULL },
		{ "reason", "REASON", FIELD_TEXT, NULL },
		{ "region", NULL, FIELD_TEXT, NULL },
		{ "account", NULL, FIELD_TEXT, NULL },
	},
};

const struct listing_type listing_accounts = {
	.set = "accountSet",
	.count = 3,
	.fields = {
		{ "account", "ACCOUNT", FIELD_TEXT, NULL },
		{ "profile", "PROFILE", FIELD_TEXT, NULL },
		{ "accessKeyId", "ACCESS KEY", FIELD_TEXT, NULL },
	},
};

const struct listing_type listing_checks = {
	.count = 5,
	.fields = {
		{ "there", "THERE", FIELD_YES, NULL },
		{ "needed", "NEEDED", FIELD_YES, NULL },
		{ "feature", "FEATURE", FIELD_TEXT, NULL },
		{ "costs", "MISSING IT COSTS", FIELD_TEXT, NULL },
		{ "detail", "DETAIL", FIELD_TEXT, NULL },
	},
};

const struct listing_type listing_faults = {
	.set = "faultSet",
	.empty = "nothing is faulty",
	.count = 10,
	.fields = {
		{ "faultId", "FAULT", FIELD_TEXT, NULL },
		{ "type", "TYPE", FIELD_TEXT, NULL },
		{ "target", "TARGET", FIELD_TEXT, NULL },
		{ "name", "NAME", FIELD_TEXT, NULL },
		{ "loss", "LOSS %", FIELD_DECIMAL, NULL },
		{ "rate", "BIT/S", FIELD_NUMBER, NULL },
		{ "delay", "DELAY MS", FIELD_DECIMAL, NULL },
		{ "since", "SINCE", FIELD_TEXT, NULL },
		{ "region", NULL, FIELD_TEXT, NULL },
		{ "account", NULL, FIELD_TEXT, NULL },
	},
};

#define DRIFT_FIELDS                                                                               \
	{ "resourceId", "RESOURCE", FIELD_TEXT, NULL }, { "name", "NAME", FIELD_TEXT, NULL },      \
		{ "difference", "DIFFERENCE", FIELD_TEXT, NULL },                                  \
		{ "wanted", "WANTED", FIELD_TEXT, NULL },                                          \
	{                                                                                          \
		"found", "FOUND", FIELD_TEXT, NULL                                                 \
	}

const struct listing_type listing_drifts = {
	.set = "differenceSet",
	.empty = "nothing differs",
	.count = 8,
	.fields = {
		DRIFT_FIELDS,
		{ "reason", NULL, FIELD_TEXT, NULL },
		{ "region", NULL, FIELD_TEXT, NULL },
		{ "account", NULL, FIELD_TEXT, NULL },
	},
};

const struct listing_type listing_mended = {
	.set = "differenceSet",
	.empty = "nothing differs",
	.count = 9,
	.fields = {
		DRIFT_FIELDS,
		{ "mended", "MENDED", FIELD_YES, NULL },
		{ "reason", "WHY NOT", FIELD_TEXT, NULL },
		{ "region", NULL, FIELD_TEXT, NULL },
		{ "account", NULL, FIELD_TEXT, NULL },
	},
};

const struct listing_type listing_labs = {
	.count = 3,
	.fields = {
		{ "number", "NO", FIELD_NUMBER, NULL },
		{ "name", "NAME", FIELD_TEXT, NULL },
		{ "title", "LESSON", FIELD_TEXT, NULL },
	},
};

const struct listing_type listing_stacks = {
	.count = 3,
	.fields = {
		{ "stack", "STACK", FIELD_TEXT, NULL },
		{ "status", "STATUS", FIELD_TEXT, NULL },
		{ "description", "DESCRIPTION", FIELD_TEXT, NULL },
	},
};

void listing_read(const struct reply *reply, const struct listing_type *type, bool all,
		  struct listing *ret_listing)
{
	struct listing listing = { type, NULL, 0 };
	const void *item = NULL;

	while ((item = reply_next(reply, type->set, item))) {
		CLEANUP(freep) char *state = reply_item_text(item, "state");
		struct listing_row *row;

		if (!all && streq(state, "terminated"))
			continue;
		row = array_grow(&listing.rows, &listing.count);
		for (size_t i = 0; i < type->count; i++) {
			const struct listing_field *field = &type->fields[i];

			row->values[i] =
				field->kind == FIELD_LIST
					? reply_item_list(item, field->name, field->element)
					: reply_item_text(item, field->name);
		}
	}
	*ret_listing = listing;
}

void listing_clear(struct listing *listing)
{
	for (size_t i = 0; i < listing->count; i++)
		for (size_t j = 0; j < LISTING_FIELDS; j++)
			free(listing->rows[i].values[j]);
	free(listing->rows);
	*listing = (struct listing){ NULL, NULL, 0 };
}

/* Returns the columns of what was put: a name tag may hold anything XML can. */
static size_t put_cell(struct buffer *buffer, const char *text)
{
	CLEANUP(buffer_clear) struct buffer line = BUFFER_INIT;

	display_line(&line, text);
	if (buffer)
		buffer_append(buffer, line.data, line.length);
	return line.length ? display_columns(line.data) : 0;
}

static bool is_column(const struct listing_field *field)
{
	return field->heading && *field->heading;
}

/* The text of a column; `row` is NULL for the header. */
static const char *cell(const struct listing_type *type, const struct listing_row *row,
			size_t field)
{
	if (!row)
		return type->fields[field].heading;
	if (!row->values[field] && field + 1 < type->count &&
	    streq(type->fields[field + 1].heading, ""))
		field++;
	return row->values[field] ? row->values[field] : "-";
}

static size_t column_width(const struct listing *listing, size_t field)
{
	size_t width = strlen(listing->type->fields[field].heading);

	for (size_t i = 0; i < listing->count; i++)
		width = MAX(width, put_cell(NULL, cell(listing->type, &listing->rows[i], field)));
	return width;
}

/* `row` is NULL for the header. The last column is not padded. */
static void put_row(struct buffer *buffer, const struct listing_type *type, const size_t *widths,
		    const struct listing_row *row)
{
	size_t padding = 0;

	for (size_t i = 0; i < type->count; i++) {
		if (!is_column(&type->fields[i]))
			continue;
		buffer_printf(buffer, "%*s", (int)padding, "");
		padding = widths[i] + 2 - put_cell(buffer, cell(type, row, i));
	}
	buffer_putc(buffer, '\n');
}

void listing_table(const struct listing *listing, struct buffer *buffer)
{
	const struct listing_type *type = listing->type;
	size_t widths[LISTING_FIELDS] = { 0 };

	if (!listing->count && type->empty) {
		buffer_printf(buffer, "%s\n", type->empty);
		return;
	}
	for (size_t i = 0; i < type->count; i++)
		if (is_column(&type->fields[i]))
			widths[i] = column_width(listing, i);
	put_row(buffer, type, widths, NULL);
	for (size_t i = 0; i < listing->count; i++)
		put_row(buffer, type, widths, &listing->rows[i]);
}

/* "a,b" as objects with that one member; absent: none. */
static json_t *list_json(const char *member, const char *texts)
{
	json_t *array = json_array();

	while (texts && *texts) {
		size_t length = strcspn(texts, ",");
		json_t *item = json_object();

		json_object_set_new(item, member, json_stringn(texts, length));
		json_array_append_new(array, item);
		texts += length + (texts[length] == ',');
	}
	return array;
}

static json_t *value_json(const struct listing_field *field, const char *value)
{
	if (field->kind == FIELD_LIST)
		return list_json(field->element, value);
	if (!value)
		return json_null();
	if (field->kind == FIELD_YES)
		return json_boolean(streq(value, "yes"));
	if (field->kind == FIELD_DECIMAL)
		return json_real(strtod(value, NULL));
	return field->kind == FIELD_NUMBER ? json_integer(strtoll(value, NULL, 10))
					   : json_string(value);
}

static json_t *row_json(const struct listing_type *type, const struct listing_row *row)
{
	json_t *object = json_object();

	for (size_t i = 0; i < type->count; i++)
		json_object_set_new(object, type->fields[i].name,
				    value_json(&type->fields[i], row->values[i]));
	return object;
}

void listing_document(json_t *json, struct buffer *buffer)
{
	char *text = json_dumps(json, JSON_INDENT(2));

	display_json(buffer, text ? text : "");
	buffer_putc(buffer, '\n');
	free(text);
	json_decref(json);
}

void listing_json(const struct listing *listing, struct buffer *buffer)
{
	json_t *array = json_array();

	for (size_t i = 0; i < listing->count; i++)
		json_array_append_new(array, row_json(listing->type, &listing->rows[i]));
	listing_document(array, buffer);
}

void listing_put(const struct listing *listing, const char *format, struct buffer *buffer)
{
	(streq(format, "json") ? listing_json : listing_table)(listing, buffer);
}

void listing_print(const struct reply *reply, const struct listing_type *type, bool all,
		   const char *format, struct buffer *buffer)
{
	CLEANUP(listing_clear) struct listing listing = { NULL, NULL, 0 };

	listing_read(reply, type, all, &listing);
	listing_put(&listing, format, buffer);
}
