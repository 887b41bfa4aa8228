/*
 * ssh in an instance: its init listens at port 22 and starts an sshd for each who comes, so that
 * nothing runs until then. The host key is made for the first of them, and stays on the disk. For
 * init: system calls and string functions only.
 */
#pragma once

#include "base/util.h"

#include <sys/types.h>

/*
 * The listening socket; -1: the disk has no sshd, or the port is taken. What its sshd goes by is
 * `/etc/ssh/sshd_config` if that was written in the instance; this machine's own isn't for it.
 */
int ssh_listen(void);
/* Somebody has come. `script`: what boots, or has booted, with this disk, 0 for nothing; it begins
 * with the keys that let somebody in. */
void ssh_answer(int listener, pid_t script);
