/* The instances as `ps` shows them: see listing.h. */
#include "cli/listing.h"

#include <jansson.h>

static const struct {
	const char *name;    /* in the reply and in JSON */
	const char *heading; /* NULL: not in the table */
} fields[] = {
	{ "instanceId", "INSTANCE" },
	{ "name", "NAME" },
	{ "state", "STATE" },
	{ "availabilityZone", "AZ" },
	{ "subnetId", "SUBNET" },
	{ "vpcId", NULL },
	{ "privateIpAddress", "PRIVATE" },
	{ "publicIpAddress", "PUBLIC" },
	{ "region", NULL },
	{ "account", NULL },
};
static_assert(ARRAY_SIZE(fields) == LISTING_FIELDS, "one value per field");

#define LAST_COLUMN 7 /* PUBLIC: not padded */

void listing_read(const struct reply *reply, bool all, struct listing *ret_listing)
{
	struct listing listing = { NULL, 0 };
	const void *item = NULL;

	while ((item = reply_next(reply, "instanceSet", item))) {
		CLEANUP(freep) char *state = reply_item_text(item, "state");
		struct listing_row *row;

		if (!all && streq(state, "terminated"))
			continue;
		row = array_grow(&listing.rows, &listing.count);
		for (size_t i = 0; i < LISTING_FIELDS; i++)
			row->values[i] = reply_item_text(item, fields[i].name);
	}
	*ret_listing = listing;
}

void listing_clear(struct listing *listing)
{
	for (size_t i = 0; i < listing->count; i++)
		for (size_t j = 0; j < LISTING_FIELDS; j++)
			free(listing->rows[i].values[j]);
	free(listing->rows);
	*listing = (struct listing){ NULL, 0 };
}

/*
 * A name tag may hold anything XML can: control characters, C1 (U+0080 to U+009F, two bytes in
 * UTF-8) among them, must not reach a terminal. Returns the characters put.
 */
static size_t put_cell(struct buffer *buffer, const char *text)
{
	const unsigned char *c = (const unsigned char *)text;
	size_t width = 0;

	for (; *c; c++) {
		bool c1 = c[0] == 0xc2 && c[1] >= 0x80 && c[1] <= 0x9f;

		if (buffer)
			buffer_putc(buffer, c1 || *c < 0x20 || *c == 0x7f ? '?' : (char)*c);
		width += (*c & 0xc0) != 0x80;
		c += c1;
	}
	return width;
}

static const char *cell(const struct listing_row *row, size_t field)
{
	return row->values[field] ? row->values[field] : "-";
}

static size_t column_width(const struct listing *listing, size_t field)
{
	size_t width = strlen(fields[field].heading);

	for (size_t i = 0; i < listing->count; i++)
		width = MAX(width, put_cell(NULL, cell(&listing->rows[i], field)));
	return width;
}

/* `row` is NULL for the header. */
static void put_row(struct buffer *buffer, const size_t *widths, const struct listing_row *row)
{
	for (size_t i = 0; i < LISTING_FIELDS; i++) {
		size_t width;

		if (!fields[i].heading)
			continue;
		width = put_cell(buffer, row ? cell(row, i) : fields[i].heading);
		if (i != LAST_COLUMN)
			buffer_printf(buffer, "%*s", (int)(widths[i] - width + 2), "");
	}
	buffer_putc(buffer, '\n');
}

void listing_table(const struct listing *listing, struct buffer *buffer)
{
	size_t widths[LISTING_FIELDS] = { 0 };

	for (size_t i = 0; i < LISTING_FIELDS; i++)
		if (fields[i].heading)
			widths[i] = column_width(listing, i);
	put_row(buffer, widths, NULL);
	for (size_t i = 0; i < listing->count; i++)
		put_row(buffer, widths, &listing->rows[i]);
}

static json_t *row_json(const struct listing_row *row)
{
	json_t *object = json_object();

	for (size_t i = 0; i < LISTING_FIELDS; i++)
		json_object_set_new(object, fields[i].name,
				    row->values[i] ? json_string(row->values[i]) : json_null());
	return object;
}

void listing_json(const struct listing *listing, struct buffer *buffer)
{
	json_t *array = json_array();
	char *text;

	for (size_t i = 0; i < listing->count; i++)
		json_array_append_new(array, row_json(&listing->rows[i]));
	text = json_dumps(array, JSON_INDENT(2));
	buffer_printf(buffer, "%s\n", text ? text : "");
	free(text);
	json_decref(array);
}
