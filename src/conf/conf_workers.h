/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The number of workers of a service: one number, or a group with the range in which it changes
 * by itself.
 */
#ifndef DROVER_CONF_CONF_WORKERS_H
#define DROVER_CONF_CONF_WORKERS_H

#include "conf_check.h"
#include "conf_keys.h"

/* Nothing is given yet. */
void conf_workers_reset(struct conf_loader *ld, struct conf_workers *w);

/* What a layer (`defaults`, or the service itself) says; NULL: nothing. */
void conf_workers_overlay(struct conf_loader *ld, struct conf_workers *w,
                          config_setting_t *setting);

/* Fills in what was not given. */
void conf_workers_derive(struct conf_workers *w, int connections, int cpus);

/* Complains about what contradicts itself. */
void conf_workers_check(struct conf_loader *ld, const struct conf_draft *d);

enum workers_kind conf_workers_kind(const struct conf_workers *w);

#endif
