/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Puts timers and watches of a module into the loop of its worker. What is freed in its own call is
 * not used after that call, because it is freed at once and looked at no more.
 */
#include <config.h>
#include "module_watch.h"

#include <errno.h>
#include <stdlib.h>

#include "module_worker.h"

struct drover_timer {
	struct timer timer;
	struct loop *loop;
	void       (*fire)(void *arg);
	void        *arg;
};

struct drover_watch {
	struct watch watch;
	struct loop *loop;
	void       (*ready)(void *arg, uint32_t events);
	void        *arg;
};

static struct loop *loop_of(struct drover_worker *w)
{
	return &((struct module_worker *)(void *)w)->worker->loop;
}

/* ---- timers ---------------------------------------------------------------- */

static void on_module_timer(struct timer *t)
{
	const struct drover_timer *of = container_of(t, struct drover_timer, timer);

	of->fire(of->arg);
}

struct drover_timer *module_timer_new(struct drover_worker *w, void (*fire)(void *arg), void *arg)
{
	struct drover_timer *t = calloc(1, sizeof *t);

	if (!t)
		return NULL;
	*t = (struct drover_timer){ .timer.fire = on_module_timer, .loop = loop_of(w), .fire = fire, .arg = arg };
	return t;
}

int module_timer_set(struct drover_timer *t, int64_t ms)
{
	if (ms < 0)
		timer_unset(&t->loop->timers, &t->timer);
	else
		loop_timer(t->loop, &t->timer, module_timer_ms(ms));
	return 0;
}

void module_timer_free(struct drover_timer *t)
{
	if (!t)
		return;
	timer_unset(&t->loop->timers, &t->timer);
	free(t);
}

/* ---- descriptors ------------------------------------------------------------ */

static void on_module_ready(struct watch *w, uint32_t events)
{
	const struct drover_watch *of = container_of(w, struct drover_watch, watch);

	of->ready(of->arg, events);
}

struct drover_watch *module_watch_new(struct drover_worker *w, int fd, uint32_t events,
                                      void (*ready)(void *arg, uint32_t events), void *arg)
{
	struct drover_watch *watch = calloc(1, sizeof *watch);

	if (!watch)
		return NULL;
	*watch = (struct drover_watch){ .watch = { .fd = fd, .ready = on_module_ready },
	                                .loop = loop_of(w), .ready = ready, .arg = arg };
	if (events == 0 || loop_watch(watch->loop, &watch->watch, events) == 0)
		return watch;
	free(watch);
	return NULL;
}

int module_watch_set(struct drover_watch *watch, uint32_t events)
{
	return loop_rewatch(watch->loop, &watch->watch, events);
}

static void reclaim(struct watch *w)
{
	free(container_of(w, struct drover_watch, watch));
}

void module_watch_free(struct drover_watch *watch)
{
	if (watch)
		loop_reclaim(watch->loop, &watch->watch, reclaim);
}
