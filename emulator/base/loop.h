/*
 * The event loop: file descriptors and timers on one epoll instance, one thread.
 *
 * A source may be removed at any time, from its own callback too. Callbacks never block.
 */
#pragma once

#include "base/error.h"

#include <sys/epoll.h>

struct loop;
struct loop_source;

typedef void (*loop_fd_fn)(void *context, uint32_t events); /* EPOLLIN … */
typedef void (*loop_timer_fn)(void *context);

int loop_new(struct loop **ret_loop, struct error *error);
struct loop *loop_free(struct loop *loop); /* frees the sources left; always NULL */
void loop_freep(struct loop **loop);

/* Watches `fd` (kept by the caller, who closes it after loop_remove()). */
int loop_add_fd(struct loop *loop, int fd, uint32_t events, loop_fd_fn callback, void *context,
		struct loop_source **ret_source, struct error *error);
/* Fires once after `milliseconds`, then removes itself. */
int loop_add_timer(struct loop *loop, uint64_t milliseconds, loop_timer_fn callback, void *context,
		   struct loop_source **ret_source, struct error *error);
/* NULL is fine; always returns NULL. */
struct loop_source *loop_remove(struct loop_source *source);

/* Runs until loop_stop(). */
int loop_run(struct loop *loop, struct error *error);
void loop_stop(struct loop *loop);
