/*
 * A resource's stored fields as JSON, and back, by its descriptor.
 */
#pragma once

#include "model/model.h"

/* Returns an owned JSON text. */
char *record_encode(const struct resource *resource);
/* Fills in a zeroed resource. -EBADMSG when the text does not fit the descriptor. */
int record_decode(const char *json, struct resource *resource, struct error *error);
