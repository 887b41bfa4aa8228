/*
 * What the daemon may do: it is root, and gives up for ever, first of all, what it has no use for.
 */
#pragma once

#include "base/error.h"

/*
 * Leaves the daemon, and what it starts, the capabilities of privileges_kept(), and refuses the
 * system calls of privileges_refused() with EPERM. The latter hold for instances too: to the root
 * of a user namespace the kernel refuses them anyway, so to it nothing changes. No new privileges
 * would change much (sudo, ping), and is what only helpers are held to. What this machine doesn't
 * let us give up is logged.
 */
void privileges_give_up(void);

/* Names, with ", " between them; the caller frees it. */
char *privileges_kept(void);
char *privileges_refused(void);
/* What of it we don't have, each with what it is for; NULL: nothing. The caller frees it. */
char *privileges_missing(void);

/* Refuses the calls from now on; for privileges_give_up(), the doctor's child and tests. */
int privileges_refuse(struct error *error);
