/*
 * --output table: sections of rows, one below the other, all as wide as the widest; where that is
 * wider than the terminal, a section of one row stands upright. The AWS CLI colours it on a
 * terminal; this doesn't.
 */
#include "aws/output.h"

#include "aws/json.h"

#include <math.h>

#define PADDING 4 /* of a column */

struct row {
	char **cells;
	size_t count;
};

struct section {
	const char *title; /* "" for none */
	size_t depth;
	struct row headers; /* of no cells for none */
	struct row *rows;
	size_t row_count;
	size_t *widths; /* of the columns, in characters */
	size_t columns;
};

struct table {
	struct section *sections;
	size_t count;
};

/* In columns of a terminal: what is East Asian is wider, and isn't told here. */
static size_t width_of(const char *text)
{
	size_t width = 0;

	for (; *text; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

static void clear_row(struct row *row)
{
	for (size_t i = 0; i < row->count; i++)
		free(row->cells[i]);
	free(row->cells);
	*row = (struct row){ 0 };
}

static void clear_section(struct section *section)
{
	for (size_t i = 0; i < section->row_count; i++)
		clear_row(&section->rows[i]);
	clear_row(&section->headers);
	free(section->rows);
	free(section->widths);
}

static void add_cell(struct row *row, const char *text)
{
	*array_grow(&row->cells, &row->count) = xstrdup(text);
}

static void add_value(struct row *row, const json_t *json)
{
	CLEANUP(buffer_clear) struct buffer text = BUFFER_INIT;

	if (json)
		aws_json_python(json, false, &text);
	add_cell(row, text.data ? text.data : "");
}

static void measure(struct section *section, const struct row *row)
{
	for (size_t i = 0; i < row->count; i++) {
		if (i == section->columns)
			array_grow(&section->widths, &section->columns);
		section->widths[i] = MAX(section->widths[i], width_of(row->cells[i]));
	}
}

static struct section *last(struct table *table)
{
	return &table->sections[table->count - 1];
}

/* Hands the row over. */
static void add_row(struct table *table, struct row row)
{
	struct section *section = last(table);

	measure(section, &row);
	*array_grow(&section->rows, &section->row_count) = row;
}

static void set_headers(struct table *table, const char *const *names, size_t count)
{
	struct section *section = last(table);

	for (size_t i = 0; i < count; i++)
		add_cell(&section->headers, names[i]);
	measure(section, &section->headers);
}

static void new_section(struct table *table, const char *title, size_t depth)
{
	*array_grow(&table->sections, &table->count) =
		(struct section){ .title = title, .depth = depth };
}

static void build(struct table *table, const char *title, const json_t *json, size_t depth);

static void build_object(struct table *table, const json_t *json, size_t depth)
{
	const char **names = NULL, **more = NULL;
	size_t count = 0, more_count = 0;
	struct row row = { 0 };

	aws_output_names(json, true, &names, &count);
	aws_output_names(json, false, &more, &more_count);
	if (count == 1)
		add_cell(&row, names[0]);
	else if (count)
		set_headers(table, names, count);
	for (size_t i = 0; i < count; i++)
		add_value(&row, json_object_get(json, names[i]));
	if (count)
		add_row(table, row);
	for (size_t i = 0; i < more_count; i++)
		build(table, more[i], json_object_get(json, more[i]), depth + 1);
	free(names);
	free(more);
}

/* A list of structures: a row each; where more is in them, a section each. */
static void build_objects(struct table *table, const char *title, const json_t *json, size_t depth)
{
	const char **names = NULL, **more = NULL;
	size_t i, count = 0, more_count = 0;
	json_t *item;

	json_array_foreach(json, i, item)
	{
		aws_output_names(item, true, &names, &count);
		aws_output_names(item, false, &more, &more_count);
	}
	set_headers(table, names, count);
	json_array_foreach(json, i, item)
	{
		struct row row = { 0 };

		if (i && more_count) {
			new_section(table, title, depth);
			set_headers(table, names, count);
		}
		for (size_t j = 0; j < count; j++)
			add_value(&row, json_object_get(item, names[j]));
		add_row(table, row);
		for (size_t j = 0; j < more_count; j++)
			if (json_object_get(item, more[j]))
				build(table, more[j], json_object_get(item, more[j]), depth + 1);
	}
	free(names);
	free(more);
}

static bool is_scalar(const json_t *json)
{
	return !json_is_object(json) && !json_is_array(json);
}

static bool is_row(const json_t *json)
{
	json_t *item;
	size_t i;

	json_array_foreach(json, i, item)
	{
		if (!is_scalar(item))
			return false;
	}
	return json_is_array(json);
}

static void build_list(struct table *table, const json_t *json)
{
	json_t *item, *cell;
	size_t i, j;

	json_array_foreach(json, i, item)
	{
		struct row row = { 0 };

		if (is_scalar(item))
			add_value(&row, item);
		json_array_foreach(item, j, cell)
		{
			if (is_row(item))
				add_value(&row, cell);
		}
		if (is_scalar(item) || is_row(item))
			add_row(table, row);
		else
			build(table, NULL, item, 0);
	}
}

static void build(struct table *table, const char *title, const json_t *json, size_t depth)
{
	const bool objects = json_is_object(json_array_get(json, 0));

	if (json_is_null(json) || json_is_false(json) ||
	    (json_is_array(json) && !json_array_size(json)) ||
	    (json_is_object(json) && !json_object_size(json)))
		return;
	if (title)
		new_section(table, title, depth);
	if (objects)
		build_objects(table, title ? title : "", json, depth);
	else if (json_is_array(json))
		build_list(table, json);
	else if (json_is_object(json))
		build_object(table, json, depth);
}

/* --- printing -------------------------------------------------------------------------------- */

static size_t section_width(const struct section *section)
{
	size_t width = 2 + 2 * section->depth;

	for (size_t i = 0; i < section->columns; i++)
		width += section->widths[i] + PADDING;
	return MAX(width, width_of(section->title) + 2 + 2 * section->depth);
}

static size_t table_width(const struct table *table)
{
	size_t width = 0;

	for (size_t i = 0; i < table->count; i++)
		width = MAX(width, section_width(&table->sections[i]));
	return width;
}

/* A section of one row stands upright: a row for each column. */
static void turn(struct section *section)
{
	struct section upright = { .title = section->title, .depth = section->depth };
	struct table table = { &upright, 1 };

	if (section->row_count != 1 || !section->headers.count)
		return;
	for (size_t i = 0; i < section->headers.count; i++) {
		struct row row = { 0 };

		add_cell(&row, section->headers.cells[i]);
		add_cell(&row, section->rows[0].cells[i]);
		add_row(&table, row);
	}
	clear_section(section);
	*section = upright;
}

/* The columns' widths, stretched so that they are `width` together: as Python rounds. */
static size_t *stretch(const struct section *section, size_t width)
{
	size_t *widths = xcalloc(section->columns + 1, sizeof(*widths));
	double sum = 0;
	long off = -(long)width;

	for (size_t i = 0; i < section->columns; i++)
		sum += (double)(section->widths[i] + PADDING);
	for (size_t i = 0; i < section->columns; i++) {
		widths[i] =
			(size_t)rint((double)width / sum * (double)(section->widths[i] + PADDING));
		off += (long)widths[i];
	}
	if (!section->columns)
		return widths;
	for (size_t i = 0; off; i = (i + 1) % section->columns) {
		if (off > 0) {
			widths[i]--;
			off--;
		} else {
			widths[section->columns - 1 - i]++;
			off++;
		}
	}
	return widths;
}

static void put_times(struct buffer *text, char c, size_t count)
{
	while (count-- > 0)
		buffer_putc(text, c);
}

/* A line of a section, between the bars of those around it; without its newline. */
static void put_line(struct buffer *text, const struct section *section, const struct buffer *line)
{
	put_times(text, '|', section->depth);
	buffer_append(text, line->data, line->length);
	put_times(text, '|', section->depth);
	buffer_putc(text, '\n');
}

/* A number of spaces that may be asked for as less than none. */
static void put_spaces(struct buffer *text, long count)
{
	put_times(text, ' ', (size_t)MAX(count, 0L));
}

static void put_centred(struct buffer *line, const char *word, size_t width, bool left_edge)
{
	const long length = (long)width, size = (long)width_of(word), edge = left_edge;
	const long start = length / 2 - size / 2 - 1;

	buffer_puts(line, left_edge ? "|" : "");
	put_spaces(line, start);
	buffer_puts(line, word);
	put_spaces(line, length - 1 - (edge + start + size));
	buffer_putc(line, '|');
}

static void put_cell(struct buffer *line, const char *word, size_t width, bool left_edge)
{
	const long length = (long)width, size = (long)width_of(word), edge = left_edge;
	const long padding = length - (size + 2 + edge + 1) >= 0 ? 2 : 0;

	buffer_puts(line, left_edge ? "|" : "");
	put_spaces(line, padding);
	buffer_puts(line, word);
	put_spaces(line, length - (edge + padding + size) - 1);
	buffer_putc(line, '|');
}

static void put_break(struct buffer *text, const struct section *section, const size_t *widths)
{
	CLEANUP(buffer_clear) struct buffer line = BUFFER_INIT;

	for (size_t i = 0; i < section->columns; i++) {
		buffer_puts(&line, i ? "" : "+");
		put_times(&line, '-', widths[i] - (i ? 1 : 2));
		buffer_putc(&line, '+');
	}
	put_line(text, section, &line);
}

static void put_row(struct buffer *text, const struct section *section, const struct row *row,
		    const size_t *widths, bool centred)
{
	CLEANUP(buffer_clear) struct buffer line = BUFFER_INIT;

	for (size_t i = 0; i < row->count; i++) {
		if (centred)
			put_centred(&line, row->cells[i], widths[i], i == 0);
		else
			put_cell(&line, row->cells[i], widths[i], i == 0);
	}
	put_line(text, section, &line);
}

static void put_title(struct buffer *text, const struct section *section, size_t width)
{
	CLEANUP(buffer_clear) struct buffer line = BUFFER_INIT;

	if (!*section->title)
		return;
	put_centred(&line, section->title, width, true);
	put_line(text, section, &line);
	if (section->headers.count || section->row_count)
		return;
	buffer_clear(&line);
	buffer_putc(&line, '+');
	put_times(&line, '-', width - 2);
	buffer_putc(&line, '+');
	put_line(text, section, &line);
}

static void put_section(struct buffer *text, const struct section *section, size_t width)
{
	CLEANUP(freep) size_t *widths = stretch(section, width);

	put_title(text, section, width);
	if (section->headers.count) {
		put_break(text, section, widths);
		put_row(text, section, &section->headers, widths, true);
	}
	if (!section->row_count || !section->columns)
		return;
	put_break(text, section, widths);
	for (size_t i = 0; i < section->row_count; i++)
		put_row(text, section, &section->rows[i], widths, false);
	put_break(text, section, widths);
}

void aws_output_table(const char *title, const json_t *json, size_t width, struct buffer *text)
{
	struct table table = { 0 };
	size_t full;

	build(&table, title, json, 0);
	full = table_width(&table);
	for (size_t i = 0; full > width && i < table.count; i++)
		turn(&table.sections[i]);
	full = table_width(&table);
	if (table.count) {
		put_times(text, '-', full);
		buffer_putc(text, '\n');
	}
	for (size_t i = 0; i < table.count; i++) {
		put_section(text, &table.sections[i], full - 2 * table.sections[i].depth);
		clear_section(&table.sections[i]);
	}
	free(table.sections);
}
