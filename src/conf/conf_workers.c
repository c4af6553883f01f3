/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads the key `workers`. A bare number replaces the value before it; a group is merged with a
 * group.
 */
#include <config.h>
#include "conf_workers.h"

#include "conf_group.h"
#include "conf_value.h"

#define MAX_PER_CPU  4
#define SPARE_PART   4          /* spare_min: that part of a worker's slots */
#define SPARE_SPREAD 3          /* spare_max: this times spare_min, and a worker's slots at least */

void conf_workers_reset(struct conf_loader *ld, struct conf_workers *w)
{
	conf_group_reset(ld, &conf_keys_workers, w);
	w->ranged = false;
	w->min = 0;             /* not given */
}

void conf_workers_overlay(struct conf_loader *ld, struct conf_workers *w,
                          config_setting_t *setting)
{
	if (!setting)
		return;
	if (!config_setting_is_group(setting) && !config_setting_is_number(setting)) {
		conf_source_complain(ld, setting, "must be an integer, or a group, as in { ... },"
		                     " not %s", conf_value_kind(setting));
		return;
	}
	if (!config_setting_is_group(setting)) {
		conf_workers_reset(ld, w);
		conf_value_load(ld, &conf_keys_fixed_workers, setting, w);
		return;
	}
	if (!w->ranged)
		conf_group_reset(ld, &conf_keys_workers, w);
	w->ranged = true;
	conf_group_load(ld, &conf_keys_workers, setting, w);
}

static int larger(int a, int b)
{
	return a > b ? a : b;
}

static int smaller(int a, int b)
{
	return a < b ? a : b;
}

static void derive_spare(struct conf_workers *w, int connections)
{
	if (w->spare_min == 0) {
		w->spare_min = larger(connections / SPARE_PART, 1);
		if (w->spare_max > 0)
			w->spare_min = smaller(w->spare_min, w->spare_max);
	}
	/* With less than a worker's slots between them, a worker would start and end again and again. */
	if (w->spare_max == 0)
		w->spare_max = larger(w->spare_min * SPARE_SPREAD, connections);
}

void conf_workers_derive(struct conf_workers *w, int connections, int cpus)
{
	cpus = smaller(cpus, CONF_KEYS_WORKERS_MAX);
	if (!w->ranged && w->min == 0)
		w->min = cpus;
	if (w->max == 0)
		w->max = larger(smaller(cpus * MAX_PER_CPU, CONF_KEYS_WORKERS_MAX), w->min);
	if (w->ranged)
		derive_spare(w, connections);
}

enum workers_kind conf_workers_kind(const struct conf_workers *w)
{
	if (!w->ranged)
		return WORKERS_FIXED;
	return w->min > 0 ? WORKERS_RANGE : WORKERS_ON_DEMAND;
}

/* Where the group was written: the service's own, or that of `defaults`. */
static config_setting_t *origin(const struct conf_draft *d)
{
	config_setting_t *own = conf_source_member(d->own, "workers");

	return own ? own : conf_source_member(d->defaults, "workers");
}

/* The member, if it was written there; else the group. */
static config_setting_t *at(config_setting_t *group, const char *name)
{
	config_setting_t *member = conf_source_member(group, name);

	return member ? member : group;
}

void conf_workers_check(struct conf_loader *ld, const struct conf_draft *d)
{
	const struct conf_workers *w = &d->service->workers;
	const int64_t slots = (int64_t)w->max * d->service->connections;
	config_setting_t *group = origin(d), *own = conf_source_member(d->own, "workers");

	if (!w->ranged)
		return;
	if (own && w->min > 0)
		conf_group_refuse(ld, &conf_keys_workers, own, WORKERS_RANGE,
		                  "a pool whose min is not 0");
	if (w->min > w->max)
		conf_source_complain(ld, at(group, "min"), "is %d, but max is %d", w->min, w->max);
	if (w->spare_min > w->spare_max)
		conf_source_complain(ld, at(group, "spare_min"), "is %d, but spare_max is %d",
		                     w->spare_min, w->spare_max);
	if (w->spare_min > slots)
		conf_source_complain(ld, at(group, "spare_min"), "is %d, but %d workers with %d"
		                     " connections each have only %lld slots", w->spare_min, w->max,
		                     d->service->connections, (long long)slots);
}
