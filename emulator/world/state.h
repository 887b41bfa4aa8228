/*
 * The state directory: whose it is, and that one process at a time has it.
 */
#pragma once

#include "base/credentials.h"
#include "base/paths.h"

/*
 * Makes the state and run directories when they are missing and takes the lock; `ret_lock` is a
 * file descriptor to keep open. A directory with somebody else's files in it is refused, untouched.
 * -EWOULDBLOCK when another process has it.
 */
int state_take(const struct paths *paths, int *ret_lock, struct error *error);
/* The same, but makes nothing: -ENOENT when there is no state directory. */
int state_take_existing(const struct paths *paths, int *ret_lock, struct error *error);
/* The pid that holds the lock; 0 when nobody does. */
int state_holder(const struct paths *paths, int *ret_pid);
/* Reads the credentials, or makes them. */
int state_credentials(const struct paths *paths, struct credentials *ret_credentials,
		      struct error *error);
/* Tells clients where the daemon listens: "URL\nREGION\n", by rename. */
int state_announce(const struct paths *paths, const char *url, const char *region,
		   struct error *error);
void state_withdraw(const struct paths *paths);
/* Removes our files, and the directories when nothing else is in them. */
int state_remove(const struct paths *paths, struct error *error);
