/*
 * What an instance's processes may do: the privileges of its init and of every command run in it.
 *
 * The capabilities are Docker's default ones and CAP_NET_ADMIN (it is their own network), without
 * CAP_MKNOD. User namespaces will change what these mean, not where they are taken.
 */
#pragma once

/* Narrows the bounding set of the caller, for itself and all that it forks; the capabilities it
 * holds stay. 0 or a negative errno. */
int confine_bound(void);

/* Gives up everything but those capabilities, for ever; after confine_bound(). Leaves the session
 * keyring behind for a new one. 0 or a negative errno. */
int confine_enter(void);
