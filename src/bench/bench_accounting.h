/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What counts, and when it is over. Only what happens within the measured part
 * is counted; what is under way when that ends is neither done nor failed.
 */
#ifndef DROVER_BENCH_BENCH_ACCOUNTING_H
#define DROVER_BENCH_BENCH_ACCOUNTING_H

#include "bench_thread.h"

/* New operations may begin; warming up they are the same, but do not count. */
static inline bool bench_accounting_is_running(const struct bench_thread *t)
{
	return t->active && !t->stopping &&
	       (t->now.phase == BENCH_PHASE_WARM_UP || t->now.phase == BENCH_PHASE_MEASURE);
}

static inline bool bench_accounting_is_opening(const struct bench_thread *t)
{
	return t->active && !t->stopping && t->now.phase == BENCH_PHASE_OPEN;
}

static inline bool bench_accounting_is_counting(const struct bench_thread *t)
{
	return t->now.phase == BENCH_PHASE_MEASURE && bench_accounting_is_running(t);
}

/* Looks at the clock: what follows happens then. */
void bench_accounting_look(struct bench_thread *t);

/*
 * From now on nothing is begun, and nothing more is counted. What is under way
 * has as long as --timeout, but at most three seconds.
 */
void bench_accounting_stop(struct bench_thread *t, int64_t at_ns);

/* Stops the phase if its time is up. True if it is stopped, for whatever reason. */
bool bench_accounting_time_is_up(struct bench_thread *t);

/* The right to n operations, of those that --count allows: how many of them. */
uint64_t bench_accounting_take(struct bench_thread *t, uint64_t n);

/* Takes the right to one, if it may begin now. */
bool bench_accounting_may_begin(struct bench_thread *t);

void bench_accounting_operations(struct bench_thread *t, uint64_t n);

/* Counts before the measured part, too: a connection that could not be opened is missing in it. */
void bench_accounting_failure(struct bench_thread *t, const struct bench_client *c);

#endif
