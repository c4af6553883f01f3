/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A binary heap of timers; each timer knows its place in it.
 */
#include <config.h>
#include "timer.h"

#include <stdlib.h>

#include "clock.h"

static void put_timer(struct timer_heap *h, size_t position, struct timer *t)
{
	h->items[position - 1] = t;
	t->position = position;
}

static struct timer *at(const struct timer_heap *h, size_t position)
{
	return h->items[position - 1];
}

static void sift_up(struct timer_heap *h, struct timer *t, size_t position)
{
	while (position > 1 && at(h, position / 2)->at_ms > t->at_ms) {
		put_timer(h, position, at(h, position / 2));
		position /= 2;
	}
	put_timer(h, position, t);
}

static void sift_down(struct timer_heap *h, struct timer *t, size_t position)
{
	for (size_t child = position * 2; child <= h->n; child = position * 2) {
		if (child < h->n && at(h, child + 1)->at_ms < at(h, child)->at_ms)
			child++;
		if (at(h, child)->at_ms >= t->at_ms)
			break;
		put_timer(h, position, at(h, child));
		position = child;
	}
	put_timer(h, position, t);
}

static int make_room(struct timer_heap *h)
{
	size_t room = h->room ? h->room * 2 : 16;
	struct timer **items;

	if (h->n < h->room)
		return 0;
	items = reallocarray(h->items, room, sizeof *items);
	if (!items)
		return -1;
	h->items = items;
	h->room = room;
	return 0;
}

int timer_set(struct timer_heap *h, struct timer *t, int64_t at_ms)
{
	if (at_ms == CLOCK_NEVER) {
		timer_unset(h, t);
		return 0;
	}
	if (t->position == 0) {
		if (make_room(h) == -1)
			return -1;
		t->at_ms = at_ms;
		sift_up(h, t, ++h->n);
	} else if (at_ms < t->at_ms) {
		t->at_ms = at_ms;
		sift_up(h, t, t->position);
	} else {
		t->at_ms = at_ms;
		sift_down(h, t, t->position);
	}
	return 0;
}

void timer_unset(struct timer_heap *h, struct timer *t)
{
	size_t position = t->position;
	struct timer *last;

	t->at_ms = CLOCK_NEVER;
	t->position = 0;
	if (position == 0)
		return;
	last = at(h, h->n--);
	if (last == t)
		return;
	if (position > 1 && at(h, position / 2)->at_ms > last->at_ms)
		sift_up(h, last, position);
	else
		sift_down(h, last, position);
}

int64_t timer_next(const struct timer_heap *h)
{
	return h->n ? at(h, 1)->at_ms : CLOCK_NEVER;
}

void timer_run(struct timer_heap *h, int64_t now_ms)
{
	while (timer_next(h) <= now_ms) {
		struct timer *t = at(h, 1);

		timer_unset(h, t);
		t->fire(t);
	}
}

void timer_heap_free(struct timer_heap *h)
{
	free(h->items);
	*h = (struct timer_heap){ 0 };
}
