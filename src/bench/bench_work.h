/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a client does next when something has happened, and the phases of a
 * thread's work. Knows nothing of the loop that tells it (bench_thread.c).
 */
#ifndef DROVER_BENCH_BENCH_WORK_H
#define DROVER_BENCH_BENCH_WORK_H

#include "bench_thread.h"

/* Begins the phase t->now. */
void bench_work_begin(struct bench_thread *t);

/* The socket of a client is ready. */
void bench_work_step(struct bench_thread *t, struct bench_client *c, uint32_t events);

/* Connects a client that is closed; one that the server had no room for is busy, and tries again. */
void bench_work_connect(struct bench_thread *t, struct bench_client *c);

/* An exchange on one that is open. When the operation began, since_ns, is set already. */
void bench_work_talk(struct bench_thread *t, struct bench_client *c);

/* What one does that has nothing to do: open, or in connect mode closed. */
void bench_work_go_on(struct bench_thread *t, struct bench_client *c);

/* What one that is busy was doing is neither done nor failed. A stream just stands still. */
void bench_work_give_up(struct bench_thread *t, struct bench_client *c);

/* From whatever list it is in to the end of this one. */
void bench_work_move(struct list *to, struct bench_client *c);

/* Looks at the clock, and ends what has taken too long. */
void bench_work_look(struct bench_thread *t);

/* Begins nothing more in this phase. */
void bench_work_stop(struct bench_thread *t);

/* True once: when the phase is over. */
bool bench_work_is_over(struct bench_thread *t);

#endif
