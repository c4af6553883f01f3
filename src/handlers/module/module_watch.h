/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Timers and descriptors of a module that belong to the worker: functions of struct drover_server.
 */
#ifndef DROVER_HANDLERS_MODULE_MODULE_WATCH_H
#define DROVER_HANDLERS_MODULE_MODULE_WATCH_H

#include <drover/module.h>

/* No timer is set for longer, so that no sum overflows. */
/*
 * What a timer is set to: at least 1 ms, because one that is due now would fire in the turn in which it is
 * set, and again, if it sets itself; and not beyond what a time can be.
 */
static inline int64_t module_timer_ms(int64_t ms)
{
	return ms < 1 ? 1 : ms < INT64_MAX / 2 ? ms : INT64_MAX / 2;
}

struct drover_timer *module_timer_new(struct drover_worker *w, void (*fire)(void *arg), void *arg);
int  module_timer_set(struct drover_timer *t, int64_t ms);
void module_timer_free(struct drover_timer *t);

struct drover_watch *module_watch_new(struct drover_worker *w, int fd, uint32_t events,
                                      void (*ready)(void *arg, uint32_t events), void *arg);
int  module_watch_set(struct drover_watch *watch, uint32_t events);
void module_watch_free(struct drover_watch *watch);

#endif
