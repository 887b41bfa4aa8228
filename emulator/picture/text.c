/* A topology as text and as JSON: see picture.h. */
#include "picture/picture.h"

#include "base/display.h"

#include <jansson.h>

/* What has a rule or a route in each of its lines. */
static bool is_list(const struct place *place)
{
	return place->kind == PLACE_TABLE || place->kind == PLACE_ACL || place->kind == PLACE_GROUP;
}

static bool has_id(const struct place *place)
{
	return place->item && !streq(place->title, place->id);
}

static void put_place(struct buffer *buffer, const struct place *place, int depth)
{
	buffer_printf(buffer, "%*s%s%s%s%s", depth * 2, "", place_kind_labels[place->kind],
		      place->title, has_id(place) ? "  " : "", has_id(place) ? place->id : "");
	for (size_t i = 0; i < place->lines.count; i++)
		if (is_list(place))
			buffer_printf(buffer, "\n%*s%s", depth * 2 + 2, "", place->lines.items[i]);
		else
			buffer_printf(buffer, "%s%s", i ? "; " : "  ", place->lines.items[i]);
	buffer_putc(buffer, '\n');
	for (size_t i = 0; i < place->child_count; i++)
		put_place(buffer, place->children[i], depth + 1);
}

void picture_text(struct topology *topology, struct buffer *buffer)
{
	const struct place *world = topology->world;

	for (size_t i = 0; i < world->child_count; i++)
		put_place(buffer, world->children[i], 0);
}

static json_t *lines_json(const struct lines *lines)
{
	json_t *array = json_array();

	for (size_t i = 0; i < lines->count; i++)
		json_array_append_new(array, json_string(lines->items[i]));
	return array;
}

static json_t *place_json(const struct place *place)
{
	json_t *object = json_object(), *children = json_array();

	json_object_set_new(object, "kind", json_string(place_kind_names[place->kind]));
	json_object_set_new(object, "id", json_string(place->id));
	json_object_set_new(object, "title", json_string(place->title));
	json_object_set_new(object, "inUse", json_boolean(!place->is_faded));
	json_object_set_new(object, "lines", lines_json(&place->lines));
	json_object_set_new(object, "details", lines_json(&place->details));
	for (size_t i = 0; i < place->child_count; i++)
		json_array_append_new(children, place_json(place->children[i]));
	json_object_set_new(object, "children", children);
	return object;
}

void picture_json(struct topology *topology, struct buffer *buffer)
{
	static const char *const kinds[] = {
		[EDGE_ROUTE] = "route", [EDGE_ATTACHED] = "attached", [EDGE_INTERNET] = "internet"
	};
	json_t *object = place_json(topology->world), *edges = json_array();
	char *text;

	for (size_t i = 0; i < topology->edge_count; i++) {
		const struct edge *edge = &topology->edges[i];
		json_t *item = json_object();

		json_object_set_new(item, "kind", json_string(kinds[edge->kind]));
		json_object_set_new(item, "from", json_string(edge->from->id));
		json_object_set_new(item, "to", json_string(edge->to->id));
		if (edge->label)
			json_object_set_new(item, "destinations", json_string(edge->label));
		json_array_append_new(edges, item);
	}
	json_object_set_new(object, "ways", edges);
	text = json_dumps(object, JSON_INDENT(2));
	display_json(buffer, text ? text : "");
	buffer_putc(buffer, '\n');
	free(text);
	json_decref(object);
}
