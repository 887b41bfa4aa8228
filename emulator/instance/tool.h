/*
 * A tool of the machine's own (tar, rm) at work beside the daemon, which never waits for it. It has
 * a network, processes and mounts of its own, and may write below one directory and nowhere else:
 * whatever it is fed, the kernel holds it to that. It dies with the daemon.
 */
#pragma once

#include "base/error.h"
#include "base/loop.h"

struct tool;

struct tool_options {
	const char *program;	      /* absolute */
	const char *const *arguments; /* its name first; ends in NULL */
	const char *directory;	      /* absolute, there: what it may write to */
	/* Ends of lines on standard error that are not worth telling; ends in NULL, static. */
	const char *const *ignored;
};

/*
 * It has ended, and so has all that it started. `status`: 0, its exit status, or 128 + the signal.
 * `complaint`: the last line on its standard error that is worth telling, "" for none; gone with
 * the call. The tool is freed already.
 */
typedef void (*tool_end_fn)(void *context, int status, const char *complaint);

/* Starts it. Errors: a fork that fails; all that fails later is a complaint. */
int tool_start(struct loop *loop, const struct tool_options *options, tool_end_fn on_end,
	       void *context, struct tool **ret_tool, struct error *error);
/* Kills it and waits; its end is not told. NULL is fine; always NULL. */
struct tool *tool_stop(struct tool *tool);
