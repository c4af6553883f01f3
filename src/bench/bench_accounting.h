/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Decides what is counted, and when a phase is over. Only operations of the measured part are
 * counted; what is under way when it ends counts neither as done nor as failed.
 */
#ifndef DROVER_BENCH_BENCH_ACCOUNTING_H
#define DROVER_BENCH_BENCH_ACCOUNTING_H

#include "bench_thread.h"

/* True if new operations may begin. In the warm-up they are the same, but are not counted. */
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

/* Reads the clock. What follows is taken to happen at this time. */
void bench_accounting_look(struct bench_thread *t);

/*
 * From now on nothing new is begun, and nothing more is counted. What is under way may take as
 * long as --timeout, but at most 3 seconds.
 */
void bench_accounting_stop(struct bench_thread *t, int64_t at_ns);

/* Stops the phase if its time is up. True if it is stopped, for any reason. */
bool bench_accounting_time_is_up(struct bench_thread *t);

/* Takes the right to n of the operations that --count allows. Returns how many it could take. */
uint64_t bench_accounting_take(struct bench_thread *t, uint64_t n);

/* True if an operation may begin now. Then the right to it has been taken. */
bool bench_accounting_may_begin(struct bench_thread *t);

void bench_accounting_operations(struct bench_thread *t, uint64_t n);

/* Also counts before the measured part: a connection that could not be opened is missing in it. */
void bench_accounting_failure(struct bench_thread *t, const struct bench_client *c);

#endif
