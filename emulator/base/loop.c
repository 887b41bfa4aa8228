/*
 * The event loop: see loop.h. A timer is a timerfd, so both kinds of source are one code path.
 * Removed sources are freed after the round of events that may still name them.
 */
#include "base/loop.h"

#include <errno.h>
#include <sys/timerfd.h>
#include <unistd.h>

struct loop_source {
	struct loop *loop;
	struct loop_source *next, *previous;
	int fd;
	bool is_timer;
	bool dead;
	loop_fd_fn on_fd;
	loop_timer_fn on_timer;
	void *context;
};

struct loop {
	int epoll;
	bool stop;
	struct loop_source *sources;
	struct loop_source *dead;
};

int loop_new(struct loop **ret_loop, struct error *error)
{
	CLEANUP(loop_freep) struct loop *loop = xcalloc(1, sizeof(*loop));

	loop->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll < 0)
		return error_sys(error, errno, "epoll");
	*ret_loop = steal(&loop);
	return 0;
}

static void bury(struct loop *loop)
{
	while (loop->dead) {
		struct loop_source *source = loop->dead;

		loop->dead = source->next;
		free(source);
	}
}

struct loop *loop_free(struct loop *loop)
{
	if (!loop)
		return NULL;
	while (loop->sources)
		loop_remove(loop->sources);
	bury(loop);
	closep(&loop->epoll);
	free(loop);
	return NULL;
}

void loop_freep(struct loop **loop)
{
	*loop = loop_free(*loop);
}

static int add(struct loop *loop, struct loop_source *source, uint32_t events,
	       struct loop_source **ret_source, struct error *error)
{
	struct epoll_event event = { .events = events, .data.ptr = source };

	if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, source->fd, &event) < 0) {
		int sys = errno;

		if (source->is_timer)
			close(source->fd);
		free(source);
		return error_sys(error, sys, "epoll");
	}
	source->loop = loop;
	source->next = loop->sources;
	if (source->next)
		source->next->previous = source;
	loop->sources = source;
	if (ret_source)
		*ret_source = source;
	return 0;
}

int loop_add_fd(struct loop *loop, int fd, uint32_t events, loop_fd_fn callback, void *context,
		struct loop_source **ret_source, struct error *error)
{
	struct loop_source *source = xcalloc(1, sizeof(*source));

	source->fd = fd;
	source->on_fd = callback;
	source->context = context;
	return add(loop, source, events, ret_source, error);
}

static int add_timer(struct loop *loop, uint64_t milliseconds, loop_timer_fn callback,
		     void *context, struct loop_source **ret_source, struct error *error)
{
	struct loop_source *source = xcalloc(1, sizeof(*source));
	struct itimerspec when = { 0 };

	when.it_value.tv_sec = (time_t)(milliseconds / 1000);
	when.it_value.tv_nsec = (long)(milliseconds % 1000) * 1000000 + 1; /* 0 would disarm it */
	source->is_timer = true;
	source->on_timer = callback;
	source->context = context;
	source->fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (source->fd < 0 || timerfd_settime(source->fd, 0, &when, NULL) < 0) {
		int sys = errno;

		closep(&source->fd);
		free(source);
		return error_sys(error, sys, "timer");
	}
	return add(loop, source, EPOLLIN, ret_source, error);
}

#define TIMER_TRIES 3

/* What is due later often has nobody who could try it again: a moment's shortage is overcome. */
int loop_add_timer(struct loop *loop, uint64_t milliseconds, loop_timer_fn callback, void *context,
		   struct loop_source **ret_source, struct error *error)
{
	int r = -EAGAIN;

	for (int i = 0; r < 0 && i < TIMER_TRIES; i++)
		r = add_timer(loop, milliseconds, callback, context, ret_source, error);
	return r;
}

struct loop_source *loop_remove(struct loop_source *source)
{
	if (!source || source->dead)
		return NULL;
	epoll_ctl(source->loop->epoll, EPOLL_CTL_DEL, source->fd, NULL);
	if (source->is_timer)
		close(source->fd);
	if (source->previous)
		source->previous->next = source->next;
	else
		source->loop->sources = source->next;
	if (source->next)
		source->next->previous = source->previous;
	source->dead = true;
	source->next = source->loop->dead;
	source->loop->dead = source;
	return NULL;
}

static void fire(struct loop_source *source, uint32_t events)
{
	loop_timer_fn on_timer = source->on_timer;
	void *context = source->context;

	if (source->dead)
		return;
	if (!source->is_timer) {
		source->on_fd(context, events);
		return;
	}
	loop_remove(source);
	on_timer(context);
}

int loop_run(struct loop *loop, struct error *error)
{
	struct epoll_event events[64];

	loop->stop = false;
	while (!loop->stop) {
		int n = epoll_wait(loop->epoll, events, ARRAY_SIZE(events), -1);

		if (n < 0 && errno != EINTR)
			return error_sys(error, errno, "epoll_wait");
		for (int i = 0; i < n; i++)
			fire(events[i].data.ptr, events[i].events);
		bury(loop);
	}
	return 0;
}

void loop_stop(struct loop *loop)
{
	loop->stop = true;
}
