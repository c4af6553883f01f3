/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Does once in each turn of the loop what was put off, or what is due by the clock.
 */
#ifndef DROVER_BENCH_BENCH_TURN_H
#define DROVER_BENCH_BENCH_TURN_H

#include "bench_thread.h"

void bench_turn_advance(struct bench_thread *t);

/* When bench_turn_advance has something to do without an event, on our clock; INT64_MAX: never. */
int64_t bench_turn_due(const struct bench_thread *t);

#endif
