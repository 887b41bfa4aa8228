/*
 * Privileges. Root in an instance has all of them over what belongs to its user namespace, and none
 * over anything else; here is what that alone doesn't give.
 */
#pragma once

#define CONFINE_PROCESSES 2048 /* that an instance may have at once, threads among them */

/*
 * For the launcher, when all is staged: leaves the keyring, limits the user namespaces that it
 * makes, and gives up, for ever, what it doesn't need. Above all CAP_MKNOD: the overlays that it
 * mounts do their work with its privileges, and must not make a device on an instance's disk
 * because one was found below and changed. 0 or a negative errno.
 */
int confine_launcher(void);

/*
 * When the machine runs out of memory the kernel is to look for it in instances first: for who is
 * in them or is to go there, and what comes from it. Nobody in there can take it back, where the
 * caller has CAP_SYS_RESOURCE. Outside, while there is a /proc. 0 or a negative errno.
 */
int confine_memory(void);

/*
 * Leaves the session keyring, which is inherited, for one that gives nobody any right. Outside, as
 * root: a user may have 200 keys, and the instances' roots are one user to the kernel. Whoever
 * wants keys inside joins a keyring of his own. 0 or a negative errno.
 */
int confine_keyring(void);
/* In the instance's user namespace: takes the instance's limits. 0 or a negative errno. */
int confine_enter(void);
