/* Where everything of a picture is: see layout.h. */
#include "picture/layout.h"

#include "base/display.h"

#define MARGIN	     16
#define GAP	     12
#define LANE	     8 /* between ways side by side */
#define LEAF_MIN     130
#define LEAF_MAX     260
#define CARD_MAX     420 /* a route table's, an ACL's or a group's */
#define CARD_LINES   14
#define CARDS_MIN    900 /* how far they go before the next row, in a narrow VPC */
#define REGION_LEFT  34	 /* the way to the Internet is there */
#define HEADER	     24	 /* of a title alone */
#define GATEWAY_RISE 22	 /* how far a gateway is outside its VPC */

struct drawing {
	struct topology *topology;
	struct layout layout;
	int regions_right;
};

/* ---- text ---- */

/* In hundredths of the font's size, of DejaVu Sans Bold, which is wider than most. */
static int character_width(uint32_t c, size_t columns)
{
	if (columns != 1)
		return columns ? 125 : 0;
	if (c < 0x80 && strchr("fijlrtI.,:;'|!()[]{} -/\\", (int)c))
		return 48;
	if (c < 0x80 && strchr("mwMW@%", (int)c))
		return 112;
	return (c >= 'A' && c <= 'Z') || c >= 0x80 || strchr("&+<=>#~", (int)c) ? 86 : 72;
}

int layout_text_width(const char *text, int size)
{
	size_t length;
	int width = 0;

	for (; *text; text += length) {
		uint32_t c = display_character(text, &length);
		char one[8] = "";

		memcpy(one, text, length);
		width += character_width(c, display_columns(one));
	}
	return (width * size + 99) / 100;
}

static bool is_card(const struct place *place)
{
	return place->kind == PLACE_TABLE || place->kind == PLACE_ACL || place->kind == PLACE_GROUP;
}

size_t layout_lines(const struct place *place)
{
	size_t count = place->lines.count;

	return is_card(place) && count > CARD_LINES ? CARD_LINES - 1 : count;
}

char *layout_title(const struct place *place)
{
	return xasprintf("%s%s",
			 is_card(place) || place->kind == PLACE_VPC ? place_kind_labels[place->kind]
								    : "",
			 place->title);
}

static int text_height(const struct place *place)
{
	size_t shown = layout_lines(place);

	return HEADER + LINE_STEP * (int)(shown + (shown < place->lines.count));
}

static int text_width(const struct place *place)
{
	CLEANUP(freep) char *title = layout_title(place);
	int width = layout_text_width(title, TITLE_SIZE);

	for (size_t i = 0; i < layout_lines(place); i++)
		width = MAX(width, layout_text_width(place->lines.items[i], TEXT_SIZE));
	return width + 2 * BOX_PAD;
}

/* ---- sizes, from the inside out ---- */

static void size_leaf(struct place *place)
{
	int limit = is_card(place) ? CARD_MAX : LEAF_MAX;

	place->box.width = MAX(LEAF_MIN, MIN(limit, text_width(place)));
	place->box.height = text_height(place) + 6;
}

/* What ways lead into stands at the left, one below the other, where nothing is in the way. */
static bool leads(const struct place *place)
{
	return place->kind == PLACE_NAT || place->is_target;
}

struct grid {
	int columns, rows, width, height; /* of a cell */
};

static struct grid grid_of(const struct place *subnet)
{
	struct grid grid = { 0, 0, LEAF_MIN, 0 };
	int count = 0;

	for (size_t i = 0; i < subnet->child_count; i++) {
		const struct place *child = subnet->children[i];

		grid.width = MAX(grid.width, child->box.width);
		grid.height = MAX(grid.height, child->box.height);
		count += !leads(child);
	}
	/* Three cells are as high as one is wide. */
	while (count && grid.columns * grid.columns * 3 < count)
		grid.columns++;
	grid.rows = count ? (count + grid.columns - 1) / grid.columns : 0;
	return grid;
}

static int span(int count, int each)
{
	return count ? count * (each + GAP) - GAP : 0;
}

static void size_subnet(struct place *subnet)
{
	struct grid grid;
	int leading = 0;

	for (size_t i = 0; i < subnet->child_count; i++) {
		size_leaf(subnet->children[i]);
		leading += leads(subnet->children[i]);
	}
	grid = grid_of(subnet);
	subnet->box.width = MAX(MIN(text_width(subnet), LEAF_MAX + 2 * GAP),
				span(MAX(grid.columns, 1), grid.width) + 2 * GAP);
	subnet->box.height = text_height(subnet) + GAP;
	if (subnet->child_count)
		subnet->box.height += span(leading + grid.rows, grid.height) + GAP - 4;
}

static void size_zone(struct place *zone)
{
	struct box box = { 0, 0, layout_text_width(zone->title, TITLE_SIZE) + 2 * GAP, HEADER + 4 };

	for (size_t i = 0; i < zone->child_count; i++) {
		size_subnet(zone->children[i]);
		box.width = MAX(box.width, zone->children[i]->box.width + 2 * GAP);
		box.height += zone->children[i]->box.height + GAP;
	}
	zone->box = box;
}

static const struct place *vpc_of(const struct place *place)
{
	while (place && place->kind != PLACE_VPC)
		place = place->parent;
	return place;
}

/* The lane of a target among those of the VPC, from 0 on; of NULL, how many there are. */
static int lane_of(const struct topology *topology, const struct place *vpc,
		   const struct place *target)
{
	int lane = 0;

	for (size_t i = 0; i < topology->edge_count; i++) {
		const struct edge *edge = &topology->edges[i];
		size_t j = 0;

		if (edge->kind != EDGE_ROUTE || vpc_of(edge->from) != vpc)
			continue;
		if (edge->to == target)
			return lane;
		/* Is it the first one to that target? */
		while (j < i && !(topology->edges[j].kind == EDGE_ROUTE &&
				  topology->edges[j].to == edge->to &&
				  vpc_of(topology->edges[j].from) == vpc))
			j++;
		lane += j == i;
	}
	return lane;
}

static int gutter_of(const struct drawing *drawing, const struct place *vpc)
{
	return GAP + LANE * lane_of(drawing->topology, vpc, NULL);
}

/* The cards in rows, from x = 0 and y = 0 on; returns their height, 0 for none. */
static int flow_cards(struct place *vpc, int width)
{
	int x = 0, y = 0, row = 0;

	for (size_t i = 0; i < vpc->child_count; i++) {
		struct place *card = vpc->children[i];

		if (!is_card(card))
			continue;
		if (x && x + card->box.width > width) {
			y += row + GAP;
			x = row = 0;
		}
		card->box.x = x;
		card->box.y = y;
		x += card->box.width + GAP;
		row = MAX(row, card->box.height);
	}
	return row ? y + row : 0;
}

struct inside {
	int zones_width, zones_height, cards_width, gateways_width, channel;
};

static struct inside look_inside(const struct drawing *drawing, const struct place *vpc)
{
	int gutter = gutter_of(drawing, vpc);
	struct inside inside = { 0, 0, 0, 0, gutter - GAP };

	for (size_t i = 0; i < vpc->child_count; i++) {
		const struct place *child = vpc->children[i];

		if (child->kind == PLACE_ZONE) {
			inside.zones_width += gutter + child->box.width;
			inside.zones_height = MAX(inside.zones_height, child->box.height);
		} else if (child->kind == PLACE_GATEWAY) {
			inside.gateways_width += child->box.width + GAP;
		} else {
			inside.cards_width += child->box.width + GAP;
		}
	}
	return inside;
}

static void size_vpc(struct drawing *drawing, struct place *vpc)
{
	struct inside inside;
	int width, cards;

	for (size_t i = 0; i < vpc->child_count; i++)
		if (vpc->children[i]->kind == PLACE_ZONE)
			size_zone(vpc->children[i]);
		else
			size_leaf(vpc->children[i]);
	inside = look_inside(drawing, vpc);
	width = MAX(inside.zones_width + GAP,
		    MIN(text_width(vpc), 2 * LEAF_MAX) + inside.gateways_width + GAP);
	width = MAX(width, MIN(inside.cards_width, CARDS_MIN) + GAP);
	cards = flow_cards(vpc, width - 2 * GAP);
	vpc->box.width = width;
	vpc->box.height = text_height(vpc) + 8 + inside.channel +
			  (inside.zones_height ? inside.zones_height + GAP : 0) +
			  (cards ? cards + GAP : 0);
	if (inside.gateways_width)
		vpc->box.height = MAX(vpc->box.height, 60);
}

/* How much is left free above a VPC: a gateway's upper half, and its way. */
static int space_above(const struct place *vpc)
{
	for (size_t i = 0; i < vpc->child_count; i++)
		if (vpc->children[i]->kind == PLACE_GATEWAY)
			return GATEWAY_RISE + 2 * GAP;
	return GAP;
}

static void size_region(struct drawing *drawing, struct place *region)
{
	struct box box = { 0, 0, REGION_LEFT + text_width(region), text_height(region) + 6 };
	int row = 0, width = REGION_LEFT;

	for (size_t i = 0; i < region->child_count; i++) {
		struct place *child = region->children[i];

		if (child->kind == PLACE_VPC) {
			size_vpc(drawing, child);
			box.width = MAX(box.width, REGION_LEFT + child->box.width + GAP);
			box.height += space_above(child) + child->box.height;
			continue;
		}
		size_leaf(child);
		width += child->box.width + GAP;
		row = MAX(row, child->box.height + GAP);
	}
	box.width = MAX(box.width, width);
	box.height += row + GAP;
	region->box = box;
}

/* ---- places, from the outside in ---- */

static void put_subnet(struct place *subnet)
{
	struct grid grid = grid_of(subnet);
	int y = subnet->box.y + text_height(subnet) + GAP - 4, x = subnet->box.x + GAP, n = 0;

	for (size_t i = 0; i < subnet->child_count; i++) {
		struct place *child = subnet->children[i];

		if (!leads(child))
			continue;
		child->box = (struct box){ x, y, grid.width, grid.height };
		y += grid.height + GAP;
	}
	for (size_t i = 0; i < subnet->child_count; i++) {
		struct place *child = subnet->children[i];

		if (leads(child))
			continue;
		child->box = (struct box){ x + n % grid.columns * (grid.width + GAP),
					   y + n / grid.columns * (grid.height + GAP), grid.width,
					   grid.height };
		n++;
	}
}

static void put_zone(struct place *zone, int x, int y, int height)
{
	zone->box.x = x;
	zone->box.y = y;
	zone->box.height = height;
	y += HEADER + 4;
	for (size_t i = 0; i < zone->child_count; i++) {
		struct place *subnet = zone->children[i];

		subnet->box =
			(struct box){ x + GAP, y, zone->box.width - 2 * GAP, subnet->box.height };
		put_subnet(subnet);
		y += subnet->box.height + GAP;
	}
}

static void put_vpc(const struct drawing *drawing, struct place *vpc, int x, int y)
{
	struct inside inside = look_inside(drawing, vpc);
	int gutter = gutter_of(drawing, vpc), right = x + vpc->box.width - GAP;
	int zones = y + text_height(vpc) + 8 + inside.channel;
	int cards = zones + (inside.zones_height ? inside.zones_height + GAP : 0);

	vpc->box.x = x;
	vpc->box.y = y;
	for (size_t i = 0; i < vpc->child_count; i++) {
		struct place *child = vpc->children[i];

		if (child->kind == PLACE_ZONE) {
			put_zone(child, x + gutter, zones, inside.zones_height);
			x += gutter + child->box.width;
		} else if (child->kind == PLACE_GATEWAY) {
			child->box.x = right - child->box.width;
			child->box.y = y - GATEWAY_RISE;
			right -= child->box.width + GAP;
		} else {
			child->box.x += vpc->box.x + GAP;
			child->box.y += cards;
		}
	}
}

static void put_region(const struct drawing *drawing, struct place *region, int x, int y, int width)
{
	int gateways = x + REGION_LEFT, row = 0;

	region->box.x = x;
	region->box.y = y;
	region->box.width = width;
	y += text_height(region) + 6;
	for (size_t i = 0; i < region->child_count; i++) {
		struct place *child = region->children[i];

		if (child->kind == PLACE_VPC) {
			y += space_above(child);
			put_vpc(drawing, child, x + REGION_LEFT, y);
			y += child->box.height;
			continue;
		}
		/* Gateways that are attached to nothing; they come after the VPCs. */
		child->box.x = gateways;
		child->box.y = y + GAP;
		gateways += child->box.width + GAP;
		row = MAX(row, child->box.height);
	}
}

/* Hosts side by side, in rows; returns where the box ends. */
static int put_internet(struct place *internet, int x, int y, int width)
{
	int left = x + BOX_PAD, row = 0, at = y + HEADER + 4;

	internet->box = (struct box){ x, y, width, 0 };
	for (size_t i = 0; i < internet->child_count; i++) {
		struct place *host = internet->children[i];

		if (left > x + BOX_PAD && left + host->box.width > x + width - BOX_PAD) {
			left = x + BOX_PAD;
			at += row + GAP;
			row = 0;
		}
		host->box.x = left;
		host->box.y = at;
		left += host->box.width + GAP;
		row = MAX(row, host->box.height);
	}
	internet->box.height = at + row + BOX_PAD - y;
	return y + internet->box.height;
}

static int middle(const struct box *box)
{
	return box->y + box->height / 2;
}

/* Beside the VPCs it connects, below the one before it; returns where it ends. */
static int put_peering(struct drawing *drawing, struct place *peering, int x, int y)
{
	const struct topology *topology = drawing->topology;
	int sum = 0, count = 0;

	for (size_t i = 0; i < topology->edge_count; i++)
		if (topology->edges[i].kind == EDGE_ATTACHED && topology->edges[i].to == peering) {
			sum += middle(&topology->edges[i].from->box);
			count++;
		}
	peering->box.x = x;
	peering->box.y = MAX(y, count ? sum / count - peering->box.height / 2 : y);
	return peering->box.y + peering->box.height;
}

static void put_world(struct drawing *drawing)
{
	struct place *world = drawing->topology->world;
	int width = 360, y = MARGIN, peerings = 0, below, right;

	for (size_t i = 0; i < world->child_count; i++) {
		struct place *place = world->children[i];

		peerings += place->kind == PLACE_PEERING;
		if (place->kind == PLACE_REGION)
			size_region(drawing, place);
		else if (place->kind == PLACE_PEERING)
			size_leaf(place);
		for (size_t j = 0; place->kind == PLACE_INTERNET && j < place->child_count; j++)
			size_leaf(place->children[j]);
		width = MAX(width, place->box.width);
	}
	drawing->regions_right = right = MARGIN + width;
	for (size_t i = 0; i < world->child_count; i++) {
		struct place *place = world->children[i];

		if (place->kind == PLACE_INTERNET) {
			y = put_internet(place, MARGIN, y, width) + 2 * GAP;
		} else if (place->kind == PLACE_REGION) {
			put_region(drawing, place, MARGIN, y, width);
			y += place->box.height + GAP;
		}
	}
	below = MARGIN;
	for (size_t i = 0; i < world->child_count; i++) {
		struct place *place = world->children[i];
		int x = drawing->regions_right + 2 * GAP + LANE * peerings;

		if (place->kind != PLACE_PEERING)
			continue;
		below = put_peering(drawing, place, x, below) + GAP;
		right = MAX(right, x + place->box.width);
	}
	drawing->layout.width = right + MARGIN;
	drawing->layout.height = MAX(y, below) + MARGIN - GAP;
	world->box = (struct box){ 0, 0, drawing->layout.width, drawing->layout.height };
}

/* ---- ways ---- */

static void add_point(struct way *way, int x, int y)
{
	way->points[way->count++] = (struct point){ x, y };
}

/* The x of a peering connection's lane, right of all regions. */
static int peering_lane(const struct drawing *drawing, const struct place *peering)
{
	int lane = 0;

	for (size_t i = 0; drawing->topology->world->children[i] != peering; i++)
		lane += drawing->topology->world->children[i]->kind == PLACE_PEERING;
	return drawing->regions_right + GAP + LANE * lane;
}

/* The number of the route among those of its subnet, so that they leave side by side. */
static int turn_of(const struct topology *topology, const struct edge *edge)
{
	int turn = 0;

	for (const struct edge *other = topology->edges; other < edge; other++)
		turn += other->kind == EDGE_ROUTE && other->from == edge->from;
	return turn;
}

static void go_to_peering(const struct drawing *drawing, struct way *way, int y)
{
	const struct place *peering = way->edge->to;
	int x = peering_lane(drawing, peering);

	add_point(way, x, y);
	add_point(way, x, middle(&peering->box));
	add_point(way, peering->box.x, middle(&peering->box));
}

/* `vpc`: where it begins. */
static void make_route(const struct drawing *drawing, const struct place *vpc, struct way *way)
{
	const struct place *from = way->edge->from, *to = way->edge->to;
	int lane = LANE * lane_of(drawing->topology, vpc, to) + LANE;
	int channel = vpc->box.y + text_height(vpc) + lane;
	int gutter = gutter_of(drawing, vpc);
	/* Both in one zone: the gutter beside it is enough. */
	bool is_near = from->parent == (to->parent ? to->parent->parent : NULL);

	if (from->kind == PLACE_SUBNET) {
		int y = from->box.y + 12 + LANE * (turn_of(drawing->topology, way->edge) % 6);
		int x = from->parent->box.x - gutter + lane;

		add_point(way, from->box.x, y);
		add_point(way, x, y);
		if (!is_near)
			add_point(way, x, channel);
	} else {
		int x = from->box.x + from->box.width / 3;

		add_point(way, x, from->box.y + from->box.height);
		add_point(way, x, channel);
	}
	if (to->kind == PLACE_PEERING) {
		go_to_peering(drawing, way, channel);
	} else if (to->kind == PLACE_GATEWAY) {
		add_point(way, to->box.x + to->box.width / 2, channel);
		add_point(way, to->box.x + to->box.width / 2, to->box.y + to->box.height);
	} else {
		int x = to->parent->parent->box.x - gutter + lane;

		if (!is_near)
			add_point(way, x, channel);
		add_point(way, x, middle(&to->box));
		add_point(way, to->box.x, middle(&to->box));
	}
}

static void make_internet(struct way *way)
{
	const struct box *from = &way->edge->from->box, *to = &way->edge->to->box;
	int x = from->x + from->width / 2, bus = MARGIN + REGION_LEFT / 2;

	add_point(way, x, from->y);
	add_point(way, x, from->y - GAP);
	add_point(way, bus, from->y - GAP);
	add_point(way, bus, to->y + to->height);
}

/* Does a route of the VPC lead to the peering connection? Then that is the way. */
static bool is_routed(const struct topology *topology, const struct edge *attached)
{
	for (size_t i = 0; i < topology->edge_count; i++)
		if (topology->edges[i].kind == EDGE_ROUTE &&
		    topology->edges[i].to == attached->to &&
		    vpc_of(topology->edges[i].from) == attached->from)
			return true;
	return false;
}

static void make_ways(struct drawing *drawing)
{
	const struct topology *topology = drawing->topology;

	for (size_t i = 0; i < topology->edge_count; i++) {
		const struct edge *edge = &topology->edges[i];
		const struct place *vpc = vpc_of(edge->from);
		const struct box *box = &edge->from->box;
		struct way *way;

		if (edge->kind == EDGE_ATTACHED && is_routed(topology, edge))
			continue;
		if (!vpc || (edge->kind == EDGE_ROUTE && edge->to->kind != PLACE_PEERING &&
			     vpc_of(edge->to) != vpc))
			continue;
		way = array_grow(&drawing->layout.ways, &drawing->layout.way_count);
		way->edge = edge;
		if (edge->kind == EDGE_ROUTE) {
			make_route(drawing, vpc, way);
		} else if (edge->kind == EDGE_INTERNET) {
			make_internet(way);
		} else {
			add_point(way, box->x + box->width, box->y + 16);
			go_to_peering(drawing, way, box->y + 16);
		}
	}
}

int layout_title_width(const struct place *place)
{
	int right = place->box.x + place->box.width;

	/* Gateways stand in the way of their VPC's. */
	for (size_t i = 0; place->kind == PLACE_VPC && i < place->child_count; i++)
		if (place->children[i]->kind == PLACE_GATEWAY)
			right = MIN(right, place->children[i]->box.x);
	if (place->kind == PLACE_REGION)
		right -= REGION_LEFT - BOX_PAD;
	return right - place->box.x - 2 * BOX_PAD;
}

void layout_make(struct topology *topology, struct layout *ret_layout)
{
	struct drawing drawing = { .topology = topology };

	put_world(&drawing);
	make_ways(&drawing);
	*ret_layout = drawing.layout;
}

void layout_clear(struct layout *layout)
{
	free(layout->ways);
	*layout = (struct layout){ 0 };
}
