/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Timers in a binary heap. Setting one costs a few swaps. An idle time-out, which
 * begins again with each message, is not set again each time: its owner only notes the
 * time of the message, and looks at that when the timer fires.
 */
#ifndef DROVER_SYS_TIMER_H
#define DROVER_SYS_TIMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct timer {
	int64_t at_ms;                          /* CLOCK_NEVER: not set */
	size_t  position;                       /* in the heap, from 1; 0: not in it */
	void  (*fire)(struct timer *t);         /* the timer is not set any more */
};

struct timer_heap {
	struct timer **items;
	size_t         n, room;
};

/* Sets, moves or (at CLOCK_NEVER) unsets a timer. 0, or -1 with ENOMEM. */
int timer_set(struct timer_heap *h, struct timer *t, int64_t at_ms);

/* An unset timer is fine. */
void timer_unset(struct timer_heap *h, struct timer *t);

static inline bool timer_is_set(const struct timer *t)
{
	return t->position != 0;
}

/* When the next timer fires; CLOCK_NEVER if none is set. */
int64_t timer_next(const struct timer_heap *h);

/* Fires what is due at now_ms. */
void timer_run(struct timer_heap *h, int64_t now_ms);

void timer_heap_free(struct timer_heap *h);

#endif
