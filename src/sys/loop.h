/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The event loop of a process: descriptors by epoll(7), and timers. Watches and
 * timers are members of the structs that they belong to; a function that is called
 * with one finds the struct with container_of.
 */
#ifndef DROVER_SYS_LOOP_H
#define DROVER_SYS_LOOP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

#include "list.h"
#include "timer.h"

struct watch {
	int           fd;
	uint32_t      events;           /* EPOLLIN, ...; 0 while not watched */
	void        (*ready)(struct watch *w, uint32_t events);
	void        (*reclaim)(struct watch *w); /* set by loop_reclaim */
	struct watch *next_reclaimed;
};

struct deferred {                       /* a call that is to come */
	struct list   in_loop;          /* next NULL: it never was deferred */
	void        (*call)(struct deferred *d);
};

struct loop {
	int               epoll_fd;
	bool              running;
	bool              failed;
	int64_t           now_ms;       /* CLOCK_MONOTONIC, as of this turn */
	_Atomic int64_t  *woke_ms;      /* where others read now_ms, lent; or NULL */
	struct timer_heap timers;
	struct watch     *reclaimed;
	struct list       deferred;
};

/* 0, or -1 with errno. */
int loop_init(struct loop *l);
void loop_fini(struct loop *l);

/*
 * Watches w->fd for events, level-triggered unless EPOLLET is among them; the
 * second form changes what it is watched for, from or to nothing (0) as well, and
 * at no cost if nothing changes. 0, or -1 with errno.
 */
int loop_watch(struct loop *l, struct watch *w, uint32_t events);
int loop_rewatch(struct loop *l, struct watch *w, uint32_t events);

/* Makes an edge-triggered watch report again what is there already. 0, or -1 with errno. */
int loop_rearm(struct loop *l, struct watch *w);

/*
 * Ends a watch; one that is not watched is fine. It must be called before fd is closed:
 * closing does not end the watch while another process has a copy of fd, as a child of
 * vfork(2) has until the end of its execve(2), when this process already runs again.
 */
void loop_unwatch(struct loop *l, struct watch *w);

/*
 * Ends the struct that w is a member of: no event reaches w any more, and reclaim is
 * called at the end of this turn, when no caller uses the struct any more.
 */
void loop_reclaim(struct loop *l, struct watch *w, void (*reclaim)(struct watch *w));

/*
 * Sets t to fire at that time of the loop's clock (CLOCK_NEVER unsets it), or
 * that many milliseconds after the beginning of this turn. Without memory for it the
 * loop fails.
 */
void loop_timer_at(struct loop *l, struct timer *t, int64_t at_ms);
void loop_timer(struct loop *l, struct timer *t, int64_t after_ms);

/*
 * Calls d->call once, after all that is ready: in this turn, or, if it is called by another d, in the
 * next. So work that is left goes on without a descriptor that tells of it, and others have their turn.
 */
void loop_defer(struct loop *l, struct deferred *d);

/* It is not called any more. One that is not deferred is fine. */
void loop_undefer(struct deferred *d);

/* Turns until loop_stop. 0; or -1 if it could not go on, which has been logged. */
int loop_run(struct loop *l);
void loop_stop(struct loop *l);

#endif
