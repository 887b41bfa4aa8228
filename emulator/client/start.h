/*
 * The daemon as its clients see it: does one run, and if not, start it.
 */
#pragma once

#include "client/client.h"

/*
 * Returns once a daemon serves the world: at once when one does, else one is started (this program
 * again, detached, its messages appended to RUN/daemon.log) and awaited for 10 seconds. Any number
 * of clients may do so together. Not root and none runs: -EPERM.
 */
int start_daemon(const struct paths *paths, struct client *ret_client, struct error *error);
