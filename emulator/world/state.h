/*
 * The state directory: whose it is, and that one process at a time has it.
 */
#pragma once

#include "base/credentials.h"
#include "base/paths.h"

/* What is held while a state directory is ours. */
struct state {
	int lock;   /* -1: not held */
	bool made;  /* the directory is our making */
	bool fresh; /* there was no world in it */
};
#define STATE_INIT                                                                                 \
	{                                                                                          \
		-1, false, false                                                                   \
	}

/*
 * Makes the state and run directories when they are missing and takes the lock. A directory of
 * another user's, or with somebody else's files in it, is refused, untouched. -EWOULDBLOCK when
 * another process has it.
 */
int state_take(const struct paths *paths, struct state *ret_state, struct error *error);
/* Lets go; when nothing came of it (`undo`) what was made for it is removed. */
void state_release(const struct paths *paths, struct state *state, bool undo);
/* The same, but makes nothing: -ENOENT when there is no state directory. */
int state_take_existing(const struct paths *paths, int *ret_lock, struct error *error);
/* The pid that holds the lock; 0 when nobody does. */
int state_holder(const struct paths *paths, int *ret_pid);
/* Reads the credentials, or makes the first. */
int state_credentials(const struct paths *paths, struct credentials_list *ret_credentials,
		      struct error *error);
/* Tells clients where the daemon listens: "URL\nREGION\n", by rename. */
int state_announce(const struct paths *paths, const char *url, const char *region,
		   struct error *error);
void state_withdraw(const struct paths *paths);
/* Removes our files, images among them, and the directories when nothing else is in them. */
int state_remove(const struct paths *paths, struct error *error);
