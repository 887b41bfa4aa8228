/*
 * How inits end. A parent is told by the status; a daemon that isn't the parent, or comes later,
 * reads the note that an init leaves in a file of all inits when it ends in order.
 */
#pragma once

#include "instance/instance.h"

#include <signal.h>

/* What a child of ours that is reaped was. */
enum instance_end end_of_status(const siginfo_t *info);

/* For init: its last words, into a file opened to append. System calls only; returns the status to
 * exit with. */
int end_leave_note(int notes, const char *name, enum instance_end end);
/* What the init of the instance `name` that began at `start_time` left: INSTANCE_CRASHED when there
 * is no note. */
enum instance_end end_read_note(int notes, const char *name, uint64_t start_time);
