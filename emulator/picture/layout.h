/*
 * Where everything of a picture is: nested boxes that don't overlap, and the ways between them.
 *
 *	+-- Internet ------------------------------------+
 *	+--|---------------------------------------------+
 *	+--|-- region ---------------------------+
 *	|  +---------------------------+         |
 *	|    +-- VPC --------------[ gateway ]-+ |
 *	|    |  ---- channel: a lane per target ------------+   +---------+
 *	|    | g +-- zone ---+  g +-- zone ---+| |          +-> | peering |
 *	|    | u | [subnet]  |  u |           || |              +---------+
 *	|    | t | [subnet]  |  t |           || |
 *	|    |   +-----------+    +-----------+| |
 *	|    |  route tables, ACLs, groups     | |
 *	|    +---------------------------------+ |
 *	+----------------------------------------+
 *
 * A route leaves its subnet on the left into the gutter beside its zone, takes the lane of its
 * target there and in the VPC's channel, and so crosses no box but those that it is inside of and
 * those that the target is in.
 */
#pragma once

#include "picture/topology.h"

#define TITLE_SIZE 13 /* font sizes, in pixels */
#define TEXT_SIZE  11
#define LINE_STEP  15
#define BOX_PAD	   10

struct point {
	int x, y;
};

struct way {
	const struct edge *edge;
	struct point points[6];
	size_t count;
};

struct layout {
	int width, height;
	struct way *ways;
	size_t way_count;
};

/* Sets the box of every place. */
void layout_make(struct topology *topology, struct layout *ret_layout);
void layout_clear(struct layout *layout);

/* At most so many pixels wide, in any usual sans-serif font. */
int layout_text_width(const char *text, int size);
/* What stands on top of a place; the caller frees it. */
char *layout_title(const struct place *place);
/* How many of a place's lines are shown: all, or the rest is one more line that says so. */
size_t layout_lines(const struct place *place);
/* How wide a place's title may be. */
int layout_title_width(const struct place *place);
