/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Waits with epoll(7), calls what is ready, and fires timers, in turns.
 */
#include <config.h>
#include "loop.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stddef.h>

#include "clock.h"
#include "fd.h"
#include "log.h"

#define EVENTS_A_TURN 64

int loop_init(struct loop *l)
{
	*l = (struct loop){ .epoll_fd = epoll_create1(EPOLL_CLOEXEC), .now_ms = clock_ms() };
	list_init(&l->deferred);
	return l->epoll_fd == -1 ? -1 : 0;
}

static void reclaim_all(struct loop *l)
{
	while (l->reclaimed) {
		struct watch *w = l->reclaimed;

		l->reclaimed = w->next_reclaimed;
		w->reclaim(w);
	}
}

void loop_fini(struct loop *l)
{
	reclaim_all(l);
	timer_heap_free(&l->timers);
	fd_close(&l->epoll_fd);
}

static int control(struct loop *l, int op, struct watch *w, uint32_t events)
{
	struct epoll_event e = { .events = events, .data.ptr = w };

	if (epoll_ctl(l->epoll_fd, op, w->fd, &e) == -1)
		return -1;
	w->events = events;
	return 0;
}

int loop_watch(struct loop *l, struct watch *w, uint32_t events)
{
	return control(l, EPOLL_CTL_ADD, w, events);
}

int loop_rewatch(struct loop *l, struct watch *w, uint32_t events)
{
	if (w->events == events)
		return 0;
	if (events != 0)
		return control(l, w->events == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, w, events);
	loop_unwatch(l, w);
	return 0;
}

int loop_rearm(struct loop *l, struct watch *w)
{
	return control(l, EPOLL_CTL_MOD, w, w->events);
}

void loop_unwatch(struct loop *l, struct watch *w)
{
	if (w->events != 0)
		epoll_ctl(l->epoll_fd, EPOLL_CTL_DEL, w->fd, NULL);
	w->events = 0;
}

void loop_reclaim(struct loop *l, struct watch *w, void (*reclaim)(struct watch *w))
{
	assert(!w->reclaim);
	loop_unwatch(l, w);
	w->reclaim = reclaim;
	w->next_reclaimed = l->reclaimed;
	l->reclaimed = w;
}

void loop_timer_at(struct loop *l, struct timer *t, int64_t at_ms)
{
	if (timer_set(&l->timers, t, at_ms) == -1) {
		log_err("set a timer: %m");
		l->failed = true;
		l->running = false;
	}
}

void loop_timer(struct loop *l, struct timer *t, int64_t after_ms)
{
	loop_timer_at(l, t, l->now_ms + after_ms);
}

void loop_defer(struct loop *l, struct deferred *d)
{
	if (!d->in_loop.next)
		list_init(&d->in_loop);
	if (list_empty(&d->in_loop))
		list_append(&l->deferred, &d->in_loop);
}

void loop_undefer(struct deferred *d)
{
	if (d->in_loop.next)
		list_remove(&d->in_loop);
}

/* Those that were deferred before this, which all stand before `mark`. */
static void call_deferred(struct loop *l)
{
	struct list mark;

	if (list_empty(&l->deferred))
		return;
	list_init(&mark);
	list_append(&l->deferred, &mark);
	while (l->deferred.next != &mark) {
		struct deferred *d = container_of(l->deferred.next, struct deferred, in_loop);

		list_remove(&d->in_loop);
		d->call(d);
	}
	list_remove(&mark);
}

/* Milliseconds that epoll_wait(2) may wait: until the next timer, or not at all. */
static int patience(const struct loop *l)
{
	int64_t next = timer_next(&l->timers);

	if (!list_empty(&l->deferred))
		return 0;
	if (next == CLOCK_NEVER)
		return -1;
	if (next <= l->now_ms)
		return 0;
	return next - l->now_ms > INT_MAX ? INT_MAX : (int)(next - l->now_ms);
}

int loop_run(struct loop *l)
{
	struct epoll_event events[EVENTS_A_TURN];

	for (l->running = true; l->running; reclaim_all(l)) {
		int n = epoll_wait(l->epoll_fd, events, EVENTS_A_TURN, patience(l));

		if (n == -1 && errno != EINTR) {
			log_err("epoll_wait: %m");
			return -1;
		}
		l->now_ms = clock_ms();
		if (l->woke_ms)
			atomic_store_explicit(l->woke_ms, l->now_ms, memory_order_relaxed);
		for (int i = 0; i < n; i++) {
			struct watch *w = events[i].data.ptr;

			/* Something earlier in this turn may have ended it. */
			if (w->events != 0)
				w->ready(w, events[i].events);
		}
		call_deferred(l);
		timer_run(&l->timers, l->now_ms);
	}
	return l->failed ? -1 : 0;
}

void loop_stop(struct loop *l)
{
	l->running = false;
}
