/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Timers and descriptors of a module that belong to the worker: functions of struct drover_server.
 */
#ifndef DROVER_HANDLERS_MODULE_MODULE_WATCH_H
#define DROVER_HANDLERS_MODULE_MODULE_WATCH_H

#include <drover/module.h>

/* No timer is set for longer, so that no sum overflows. */
#define MODULE_TIMER_MAX (INT64_MAX / 2)

struct drover_timer *module_timer_new(struct drover_worker *w, void (*fire)(void *arg), void *arg);
int  module_timer_set(struct drover_timer *t, int64_t ms);
void module_timer_free(struct drover_timer *t);

struct drover_watch *module_watch_new(struct drover_worker *w, int fd, uint32_t events,
                                      void (*ready)(void *arg, uint32_t events), void *arg);
int  module_watch_set(struct drover_watch *watch, uint32_t events);
void module_watch_free(struct drover_watch *watch);

#endif
