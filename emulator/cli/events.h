/* `minivpc events`: what changes, as lines of JSON. */
#pragma once

#include "client/client.h"

/* Prints what the daemon still knows of; goes on with what comes while `follow`, until standard
 * output is closed or the daemon ends. */
int events_run(const struct client *client, bool follow, struct error *error);
