/*
 * A topology as a picture: see picture.h. Every text in it is a stranger's: all of it goes through
 * put_text() or display_escape(), and none of it into the style or the script.
 */
#include "base/display.h"
#include "picture/layout.h"
#include "picture/picture.h"

/* Colours stand in rules, not in variables, which some viewers of SVG don't know. */
static const char style[] =
	"svg{font-family:\"DejaVu Sans\",Verdana,\"Segoe UI\",Helvetica,Arial,sans-serif;"
	"background:#fff}\n"
	"text{fill:#1f2328;font-size:11px}\n"
	"text.title{font-weight:bold;font-size:13px}\n"
	"rect{fill:#fff;stroke:#8c959f;stroke-width:1}\n"
	".internet rect{fill:#eef1f4;stroke:#57606a}\n"
	".region rect{fill:#f6f8fa;stroke-dasharray:2 3}\n"
	".vpc rect{stroke:#8250df;stroke-width:2}\n"
	".zone rect{fill:none;stroke:#0969da;stroke-dasharray:6 4}\n"
	".zone text{fill:#0969da}\n"
	".subnet rect{fill:#ddf4ff;stroke:#54aeff}\n"
	".subnet.public rect{fill:#dafbe1;stroke:#4ac26b}\n"
	".instance rect{stroke:#bc4c00}\n"
	".interface rect{stroke:#bf3989}\n"
	".nat rect,.gateway rect,.peering rect{fill:#fbefff;stroke:#8250df}\n"
	".table rect,.acl rect,.group rect{fill:#f6f8fa;stroke:#afb8c1}\n"
	".faded rect{stroke-dasharray:3 3}\n"
	".faded text{fill:#656d76}\n"
	"path{fill:none;stroke-width:1.5;stroke:#57606a}\n"
	"marker path{stroke:none;fill:#57606a}\n"
	".to-gateway path{stroke:#1a7f37}\n"
	"#to-gateway path{fill:#1a7f37}\n"
	".to-nat path{stroke:#bc4c00}\n"
	"#to-nat path{fill:#bc4c00}\n"
	".to-peering path{stroke:#8250df}\n"
	"#to-peering path{fill:#8250df}\n"
	".to-interface path{stroke:#bf3989}\n"
	"#to-interface path{fill:#bf3989}\n"
	".attached path{stroke-dasharray:2 3}\n"
	"@media(prefers-color-scheme:dark){\n"
	"svg{background:#0d1117}\n"
	"text{fill:#e6edf3}\n"
	"rect{fill:#0d1117;stroke:#6e7681}\n"
	".internet rect{fill:#21262d;stroke:#8b949e}\n"
	".region rect{fill:#161b22}\n"
	".vpc rect{stroke:#a371f7}\n"
	".zone rect{stroke:#4493f8}\n"
	".zone text{fill:#79c0ff}\n"
	".subnet rect{fill:#0c2d6b;stroke:#388bfd}\n"
	".subnet.public rect{fill:#033a16;stroke:#2ea043}\n"
	".instance rect{fill:#161b22;stroke:#f0883e}\n"
	".interface rect{fill:#161b22;stroke:#f778ba}\n"
	".nat rect,.gateway rect,.peering rect{fill:#271052;stroke:#a371f7}\n"
	".table rect,.acl rect,.group rect{fill:#161b22;stroke:#484f58}\n"
	".faded text{fill:#9ea7b3}\n"
	"path{stroke:#9ea7b3}\n"
	"marker path{fill:#9ea7b3}\n"
	".to-gateway path{stroke:#3fb950}\n"
	"#to-gateway path{fill:#3fb950}\n"
	".to-nat path{stroke:#f0883e}\n"
	"#to-nat path{fill:#f0883e}\n"
	".to-peering path{stroke:#bc8cff}\n"
	"#to-peering path{fill:#bc8cff}\n"
	".to-interface path{stroke:#f778ba}\n"
	"#to-interface path{fill:#f778ba}\n"
	"}\n";

static const char *const ways[PLACE_KINDS] = {
	[PLACE_INTERNET] = "to-internet",
	[PLACE_GATEWAY] = "to-gateway",
	[PLACE_NAT] = "to-nat",
	[PLACE_PEERING] = "to-peering",
	[PLACE_INSTANCE] = "to-interface",
	[PLACE_INTERFACE] = "to-interface",
};

/* How many bytes of the text fit, with what says that there is more. */
static size_t fitting(const char *text, int size, int width)
{
	size_t fits = 0, at = 0, length;

	while (text[at]) {
		CLEANUP(freep) char *start = NULL;

		display_character(text + at, &length);
		start = xasprintf("%.*s…", (int)(at + length), text);
		if (layout_text_width(start, size) > width)
			break;
		fits = at += length;
	}
	return fits;
}

static void put_text(struct buffer *buffer, const char *text, const char *class, int size, int x,
		     int y, int width)
{
	CLEANUP(freep) char *shown = xstrdup(text);

	if (layout_text_width(text, size) > width) {
		free(shown);
		shown = xasprintf("%.*s…", (int)fitting(text, size, width), text);
	}
	buffer_printf(buffer, "<text%s x=\"%d\" y=\"%d\">", class, x, y);
	display_escape(buffer, shown);
	buffer_puts(buffer, "</text>");
}

static void put_attribute(struct buffer *buffer, const char *name, const char *value)
{
	buffer_printf(buffer, " %s=\"", name);
	display_escape(buffer, value);
	buffer_putc(buffer, '"');
}

/* All there is to say, for who points at it. */
static void put_details(struct buffer *buffer, const struct place *place)
{
	buffer_printf(buffer, "<title>%s", place_kind_labels[place->kind]);
	display_escape(buffer, place->title);
	for (size_t i = 0; i < place->details.count; i++) {
		buffer_putc(buffer, '\n');
		display_escape(buffer, place->details.items[i]);
	}
	for (size_t i = 0; i < place->lines.count; i++) {
		buffer_putc(buffer, '\n');
		display_escape(buffer, place->lines.items[i]);
	}
	buffer_puts(buffer, "</title>");
}

/* As AWS has it: its routes lead to an internet gateway. */
static bool is_public(const struct topology *topology, const struct place *subnet)
{
	for (size_t i = 0; i < topology->edge_count; i++)
		if (topology->edges[i].from == subnet && topology->edges[i].kind == EDGE_ROUTE &&
		    topology->edges[i].to->kind == PLACE_GATEWAY)
			return true;
	return false;
}

static void put_place(struct buffer *buffer, const struct topology *topology,
		      const struct place *place)
{
	CLEANUP(freep) char *title = layout_title(place);
	int x = place->box.x + BOX_PAD, y = place->box.y + 18, width = layout_title_width(place);
	size_t shown = layout_lines(place);

	if (place->kind == PLACE_REGION)
		x += 34 - BOX_PAD; /* beside the way to the Internet */
	buffer_printf(buffer, "<g class=\"place %s%s%s\"", place_kind_names[place->kind],
		      place->is_faded ? " faded" : "", is_public(topology, place) ? " public" : "");
	put_attribute(buffer, "data-id", place->id);
	put_attribute(buffer, "data-in", place->parent->id);
	buffer_putc(buffer, '>');
	put_details(buffer, place);
	buffer_printf(buffer, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"%d\"/>",
		      place->box.x, place->box.y, place->box.width, place->box.height,
		      place->kind == PLACE_GATEWAY || place->kind == PLACE_PEERING ? 10 : 4);
	put_text(buffer, title, " class=\"title\"", TITLE_SIZE, x, y, width);
	for (size_t i = 0; i < shown; i++)
		put_text(buffer, place->lines.items[i], "", TEXT_SIZE, x, y += LINE_STEP, width);
	if (shown < place->lines.count) {
		CLEANUP(freep) char *rest = xasprintf("… and %zu more", place->lines.count - shown);

		put_text(buffer, rest, "", TEXT_SIZE, x, y + LINE_STEP, width);
	}
	buffer_puts(buffer, "</g>\n");
	for (size_t i = 0; i < place->child_count; i++)
		put_place(buffer, topology, place->children[i]);
}

static void put_way(struct buffer *buffer, const struct way *way)
{
	const struct edge *edge = way->edge;
	const char *class = ways[edge->to->kind];

	buffer_printf(buffer, "<g class=\"way %s%s\"", class,
		      edge->kind == EDGE_ATTACHED ? " attached" : "");
	put_attribute(buffer, "data-from", edge->from->id);
	put_attribute(buffer, "data-to", edge->to->id);
	buffer_puts(buffer, "><title>");
	if (edge->label) {
		display_escape(buffer, edge->label);
		buffer_puts(buffer, "\n");
	}
	buffer_puts(buffer, "from ");
	display_escape(buffer, edge->from->title);
	buffer_puts(buffer, " to ");
	display_escape(buffer, edge->to->title);
	buffer_puts(buffer, "</title><path d=\"");
	for (size_t i = 0; i < way->count; i++)
		buffer_printf(buffer, "%c%d %d", i ? 'L' : 'M', way->points[i].x, way->points[i].y);
	buffer_putc(buffer, '"');
	if (edge->kind == EDGE_ROUTE)
		buffer_printf(buffer, " marker-end=\"url(#%s)\"", class);
	buffer_puts(buffer, "/></g>\n");
}

static void put_markers(struct buffer *buffer)
{
	buffer_puts(buffer, "<defs>");
	for (size_t i = 0; i < PLACE_KINDS; i++)
		if (ways[i] && (i == 0 || i != PLACE_INTERFACE))
			buffer_printf(buffer,
				      "<marker id=\"%s\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" "
				      "markerWidth=\"8\" markerHeight=\"8\" orient=\"auto\" "
				      "markerUnits=\"userSpaceOnUse\"><path d=\"M0 0L8 4L0 8z\"/>"
				      "</marker>",
				      ways[i]);
	buffer_puts(buffer, "</defs>\n");
}

void picture_svg(struct topology *topology, struct buffer *buffer)
{
	CLEANUP(layout_clear) struct layout layout = { 0 };
	const struct place *world = topology->world;

	layout_make(topology, &layout);
	buffer_printf(buffer,
		      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
		      "viewBox=\"0 0 %d %d\" data-id=\"world\">\n<style>\n%s</style>\n",
		      layout.width, layout.height, layout.width, layout.height, style);
	put_markers(buffer);
	for (size_t i = 0; i < world->child_count; i++)
		put_place(buffer, topology, world->children[i]);
	for (size_t i = 0; i < layout.way_count; i++)
		put_way(buffer, &layout.ways[i]);
	buffer_puts(buffer, "</svg>\n");
}

/* ---- a page ---- */

static const char head[] =
	"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
	"style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n"
	"<title>minivpc</title>\n<style>\n"
	"body{margin:0;background:#fff;color:#1f2328;"
	"font:13px/1.45 \"DejaVu Sans\",Verdana,\"Segoe UI\",Helvetica,Arial,sans-serif}\n"
	"#panel{position:fixed;right:12px;bottom:12px;max-width:36em;max-height:60vh;"
	"overflow:auto;padding:10px 14px;border:1px solid #8c959f;border-radius:6px;"
	"background:#fffffff2;white-space:pre-wrap;overflow-wrap:anywhere;pointer-events:none}\n"
	".place,.way{cursor:default}\n"
	".way path{pointer-events:stroke}\n"
	"svg.lit .way{opacity:.12}\n"
	"svg.lit .way.on{opacity:1}\n"
	"svg.lit .way.on path{stroke-width:3}\n"
	".place.on>rect{stroke-width:3}\n"
	"@media(prefers-color-scheme:dark){body{background:#0d1117;color:#e6edf3}"
	"#panel{background:#161b22f2;border-color:#6e7681}}\n"
	"</style>\n</head>\n<body>\n";

/* Text is only ever textContent: names can't become markup. */
static const char tail[] =
	"<div id=\"panel\">Point at a thing: all there is to know of it, and its ways.</div>\n"
	"<script>\n"
	"const svg = document.querySelector('svg'), panel = document.getElementById('panel');\n"
	"const ways = [...svg.querySelectorAll('.way')], places = "
	"[...svg.querySelectorAll('.place')];\n"
	"for (const g of [...ways, ...places]) {\n"
	"  const title = g.querySelector('title'), text = title.textContent;\n"
	"  title.remove();\n"
	"  g.addEventListener('mouseenter', () => {\n"
	"    const id = g.dataset.id;\n"
	"    const on = ways.filter(w => w === g || (id && (w.dataset.from === id || w.dataset.to "
	"=== id)));\n"
	"    const ends = new Set(on.flatMap(w => [w.dataset.from, w.dataset.to]));\n"
	"    panel.textContent = text;\n"
	"    svg.classList.toggle('lit', on.length > 0);\n"
	"    ways.forEach(w => w.classList.toggle('on', on.includes(w)));\n"
	"    places.forEach(p => p.classList.toggle('on', p === g || ends.has(p.dataset.id)));\n"
	"  });\n"
	"}\n"
	"svg.addEventListener('mouseleave', () => svg.classList.remove('lit'));\n"
	"</script>\n</body>\n</html>\n";

void picture_html(struct topology *topology, struct buffer *buffer)
{
	buffer_puts(buffer, head);
	picture_svg(topology, buffer);
	buffer_puts(buffer, tail);
}
