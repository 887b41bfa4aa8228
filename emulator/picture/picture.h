/*
 * A topology in the forms that `minivpc graph -o` names.
 */
#pragma once

#include "picture/topology.h"

/* An indented tree, for a terminal. */
void picture_text(struct topology *topology, struct buffer *buffer);
/* The same things and ways as one object. */
void picture_json(struct topology *topology, struct buffer *buffer);
/* For Graphviz: boxes are clusters. */
void picture_dot(struct topology *topology, struct buffer *buffer);
/* A flowchart of Mermaid, as Markdown viewers draw it. */
void picture_mermaid(struct topology *topology, struct buffer *buffer);
/* A picture that needs nothing else; what there is no room for is told when pointed at. */
void picture_svg(struct topology *topology, struct buffer *buffer);
/* The same in a page of its own, which lights up the ways of what is pointed at. */
void picture_html(struct topology *topology, struct buffer *buffer);
