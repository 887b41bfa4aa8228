/* The caller's terminal and the one of a command in an instance: process_exec()'s, see exec.c. */
#pragma once

#include "base/util.h"

#include <poll.h>
#include <termios.h>

struct terminal {
	int master;	      /* the command's terminal; -1: none, or it hung up */
	struct termios modes; /* what the caller's were before */
	bool is_raw;
	char typed[1024]; /* not yet taken by the command */
	size_t typed_length;
};

/*
 * In the instance's mount namespace: makes a terminal there, with the caller's modes and window
 * size. Both ends are close-on-exec. Returns 0 or a negative errno.
 */
int terminal_make(int *ret_master, int *ret_slave);
/* In the command, leader of a new session: `slave` becomes its controlling terminal and its
 * standard streams, but standard error only if that was a terminal before. Returns 0 or a negative
 * errno. */
int terminal_take(int slave);

/* Takes `master` over (-1: nothing happens, here and below) and makes the caller's terminal raw. */
void terminal_open(struct terminal *terminal, int master);
/* Copies what the command wrote last, and gives the caller's terminal its modes back. */
void terminal_close(struct terminal *terminal);

/* Tells the command of the caller's window size. */
void terminal_resize(const struct terminal *terminal);
/* What to poll for, and what to do about it. A side that hangs up ends the copying; the command
 * is then told by SIGHUP, as a terminal does. */
void terminal_poll(const struct terminal *terminal, struct pollfd fds[2]);
void terminal_copy(struct terminal *terminal, const struct pollfd fds[2]);
