/*
 * A resource's stored fields as JSON, and back, by its descriptor.
 */
#pragma once

#include "model/model.h"

/* Returns an owned JSON text. */
char *record_encode(const struct resource *resource);
/*
 * Fills in a zeroed resource from a text of so many bytes. -EBADMSG, with the member's path, when
 * it does not fit the descriptor: what is unknown would be lost by the next save.
 */
int record_decode(const char *json, size_t length, struct resource *resource, struct error *error);
