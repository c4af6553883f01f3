/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Says when things are due by the clock, independent of everything else: arrivals in open-loop
 * mode, and connects whose rate is limited.
 *
 * There is no queue: what is due and has not begun is what lies between
 * schedule_at and now.
 */
#ifndef DROVER_BENCH_SCHEDULE_H
#define DROVER_BENCH_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

struct schedule {
	double   interval_ns;           /* on average */
	double   at_ns;                 /* of the next, since start_ns */
	int64_t  start_ns;
	bool     poisson;
	uint64_t random;
};

/*
 * `rate` a second in all, of which every n-th belongs to this schedule; index, below n, says
 * which. Poisson: gaps are random (but the same in every run), else even.
 */
struct schedule schedule_from(int64_t start_ns, double rate, unsigned index, unsigned n, bool poisson);

/* When the next one is due. schedule_advance goes on to the one after it. */
int64_t schedule_at(const struct schedule *s);
void schedule_advance(struct schedule *s);

/*
 * If the next one has been due for longer than at_most_ns, puts it off until it has been due for
 * just that long: the time before is not made up for.
 */
void schedule_forgive(struct schedule *s, int64_t now_ns, int64_t at_most_ns);

/* How many are due before end_ns; goes on to the first that is not. */
uint64_t schedule_skip(struct schedule *s, int64_t end_ns);

#endif
