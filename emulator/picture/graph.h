/*
 * `minivpc graph`: the world as a picture.
 */
#pragma once

#include "base/buffer.h"
#include "client/client.h"

/* Appends the picture in the form `format` (NULL: text), of one VPC or all (NULL). */
int graph_make(const struct client *client, const char *format, const char *vpc,
	       struct buffer *ret_picture, struct error *error);
/* "text", "dot" …: is there such a form? */
bool graph_knows(const char *format);
