/*
 * A topology for Graphviz and for Mermaid: see picture.h. Neither draws an arrow from a box to what
 * is inside of it, and Graphviz none from a box at all; so each subnet has a node for its routes,
 * where they begin, and what else ways lead to and is a box has an anchor.
 */
#include "picture/picture.h"

#include <ctype.h>

static bool is_box(const struct place *place)
{
	return place->kind == PLACE_INTERNET || place->kind == PLACE_REGION ||
	       place->kind == PLACE_VPC || place->kind == PLACE_ZONE || place->kind == PLACE_SUBNET;
}

/* ---- Graphviz ---- */

static void put_quoted(struct buffer *buffer, const char *text)
{
	for (; *text; text++)
		if (*text == '"' || *text == '\\')
			buffer_printf(buffer, "\\%c", *text);
		else if (*text == '&') /* it reads HTML's entities */
			buffer_puts(buffer, "&amp;");
		else
			buffer_putc(buffer, *text);
}

static void put_label(struct buffer *buffer, const struct place *place)
{
	buffer_printf(buffer, "label=\"%s", place_kind_labels[place->kind]);
	put_quoted(buffer, place->title);
	if (place->item && !streq(place->title, place->id)) {
		buffer_puts(buffer, "\\n");
		put_quoted(buffer, place->id);
	}
	for (size_t i = 0; i < place->lines.count; i++) {
		buffer_puts(buffer, "\\n");
		put_quoted(buffer, place->lines.items[i]);
	}
	buffer_puts(buffer, "\", tooltip=\"");
	for (size_t i = 0; i < place->details.count; i++) {
		buffer_puts(buffer, i ? "\\n" : "");
		put_quoted(buffer, place->details.items[i]);
	}
	buffer_putc(buffer, '"');
}

static void dot_place(struct buffer *buffer, const struct place *place, int depth)
{
	static const char *const shapes[PLACE_KINDS] = {
		[PLACE_HOST] = "oval",	[PLACE_PEERING] = "hexagon", [PLACE_GATEWAY] = "house",
		[PLACE_NAT] = "house",	[PLACE_TABLE] = "note",	     [PLACE_ACL] = "note",
		[PLACE_GROUP] = "note", [PLACE_INSTANCE] = "box",    [PLACE_INTERFACE] = "cds",
	};

	if (!is_box(place)) {
		buffer_printf(buffer, "%*s\"", depth, "");
		put_quoted(buffer, place->id);
		buffer_printf(buffer, "\" [shape=%s%s, ", shapes[place->kind],
			      place->is_faded ? ", style=dashed" : "");
		put_label(buffer, place);
		buffer_puts(buffer, "];\n");
		return;
	}
	buffer_printf(buffer, "%*ssubgraph \"cluster ", depth, "");
	put_quoted(buffer, place->id);
	buffer_printf(buffer, "\" {\n%*s graph [style=\"rounded%s\", ", depth, "",
		      place->is_faded || place->kind == PLACE_ZONE ? ",dashed" : "");
	put_label(buffer, place);
	buffer_printf(buffer, "];\n%*s \"", depth, "");
	put_quoted(buffer, place->id);
	buffer_printf(buffer, "\" [%s];\n",
		      place->table ? "shape=plaintext, label=\"routes\""
				   : "shape=point, style=invis, label=\"\"");
	for (size_t i = 0; i < place->child_count; i++)
		dot_place(buffer, place->children[i], depth + 1);
	buffer_printf(buffer, "%*s}\n", depth, "");
}

static void dot_end(struct buffer *buffer, const char *attribute, const struct place *place)
{
	if (!is_box(place) || place->table)
		return;
	buffer_printf(buffer, ", %s=\"cluster ", attribute);
	put_quoted(buffer, place->id);
	buffer_putc(buffer, '"');
}

static void dot_edge(struct buffer *buffer, const struct edge *edge)
{
	static const char *const styles[] = { [EDGE_ROUTE] = "style=solid",
					      [EDGE_ATTACHED] = "dir=none, style=dotted",
					      [EDGE_INTERNET] = "dir=both, style=bold" };

	buffer_puts(buffer, " \"");
	put_quoted(buffer, edge->from->id);
	buffer_puts(buffer, "\" -> \"");
	put_quoted(buffer, edge->to->id);
	buffer_printf(buffer, "\" [%s", styles[edge->kind]);
	dot_end(buffer, "ltail", edge->from);
	dot_end(buffer, "lhead", edge->to);
	if (edge->label) {
		buffer_puts(buffer, ", label=\"");
		put_quoted(buffer, edge->label);
		buffer_putc(buffer, '"');
	}
	buffer_puts(buffer, "];\n");
}

void picture_dot(struct topology *topology, struct buffer *buffer)
{
	buffer_puts(buffer, "digraph minivpc {\n"
			    " graph [compound=true, rankdir=BT, labelloc=b, "
			    "fontname=\"Helvetica,sans-serif\"];\n"
			    " node [fontname=\"Helvetica,sans-serif\", fontsize=11];\n"
			    " edge [fontname=\"Helvetica,sans-serif\", fontsize=10];\n");
	for (size_t i = 0; i < topology->world->child_count; i++)
		dot_place(buffer, topology->world->children[i], 1);
	for (size_t i = 0; i < topology->edge_count; i++)
		dot_edge(buffer, &topology->edges[i]);
	buffer_puts(buffer, "}\n");
}

/* ---- Mermaid ---- */

/* Its texts are HTML and Markdown, with codes of its own: what might mean something is a number. */
static void put_coded(struct buffer *buffer, const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c >= 0x80 || isalnum(c) || strchr(" .,:/-()", c))
			buffer_putc(buffer, *text);
		else
			buffer_printf(buffer, "#%d;", c);
	}
}

static void put_node(struct buffer *buffer, const struct place *place)
{
	for (const char *c = place->id; *c; c++)
		buffer_putc(buffer, isalnum((unsigned char)*c) ? *c : '_');
}

static void put_coded_label(struct buffer *buffer, const struct place *place, const char *separator)
{
	buffer_printf(buffer, "\"%s", place_kind_labels[place->kind]);
	put_coded(buffer, place->title);
	if (place->item && !streq(place->title, place->id)) {
		buffer_puts(buffer, separator);
		put_coded(buffer, place->id);
	}
	for (size_t i = 0; i < place->lines.count; i++) {
		buffer_puts(buffer, separator);
		put_coded(buffer, place->lines.items[i]);
	}
	buffer_putc(buffer, '"');
}

static void mermaid_place(struct buffer *buffer, const struct place *place, int depth)
{
	buffer_printf(buffer, "%*s%s", depth, "", is_box(place) ? "subgraph " : "");
	put_node(buffer, place);
	buffer_putc(buffer, '[');
	put_coded_label(buffer, place, is_box(place) ? " " : "<br/>");
	buffer_puts(buffer, "]\n");
	if (!is_box(place))
		return;
	if (place->table || !place->child_count) {
		buffer_printf(buffer, "%*s", depth + 1, "");
		put_node(buffer, place);
		buffer_printf(buffer, "_inside(%s)\n", place->table ? "routes" : "\" \"");
	}
	for (size_t i = 0; i < place->child_count; i++)
		mermaid_place(buffer, place->children[i], depth + 1);
	buffer_printf(buffer, "%*send\n", depth, "");
}

static void mermaid_edge(struct buffer *buffer, const struct edge *edge)
{
	static const char *const arrows[] = {
		[EDGE_ROUTE] = "-->", [EDGE_ATTACHED] = "-.-", [EDGE_INTERNET] = "<-->"
	};

	buffer_putc(buffer, ' ');
	put_node(buffer, edge->from);
	buffer_printf(buffer, "%s %s", edge->from->table ? "_inside" : "", arrows[edge->kind]);
	if (edge->label) {
		buffer_puts(buffer, "|\"");
		put_coded(buffer, edge->label);
		buffer_puts(buffer, "\"|");
	}
	buffer_putc(buffer, ' ');
	put_node(buffer, edge->to);
	buffer_putc(buffer, '\n');
}

void picture_mermaid(struct topology *topology, struct buffer *buffer)
{
	buffer_puts(buffer, "flowchart BT\n");
	for (size_t i = 0; i < topology->world->child_count; i++)
		mermaid_place(buffer, topology->world->children[i], 1);
	for (size_t i = 0; i < topology->edge_count; i++)
		mermaid_edge(buffer, &topology->edges[i]);
}
