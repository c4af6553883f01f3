/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the clients of a thread do when, and what of it counts. Called by the
 * loop of the thread (bench_thread.c), and knows nothing of it.
 */
#ifndef DROVER_BENCH_BENCH_WORK_H
#define DROVER_BENCH_BENCH_WORK_H

#include "bench_thread.h"

/* Begins the phase t->now. */
void bench_work_begin(struct bench_thread *t);

/* The socket of a client is ready. */
void bench_work_step(struct bench_thread *t, struct bench_client *c, uint32_t events);

/* Once a turn: all that is not the direct consequence of an event. */
void bench_work_advance(struct bench_thread *t);

/* When that has something to do though there is no event; INT64_MAX: never. */
int64_t bench_work_due(const struct bench_thread *t);

/* Looks at the clock, and ends what has taken too long. */
void bench_work_look(struct bench_thread *t);

/* Begins nothing more in this phase. */
void bench_work_stop(struct bench_thread *t);

/* True once: when the phase is over. */
bool bench_work_is_over(struct bench_thread *t);

#endif
