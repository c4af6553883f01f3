/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Decides what a client does next when something has happened, and when the phases of a thread
 * begin and end. It knows nothing of the loop that calls it (bench_thread.c).
 */
#ifndef DROVER_BENCH_BENCH_WORK_H
#define DROVER_BENCH_BENCH_WORK_H

#include "bench_thread.h"

/* Begins the phase t->now. */
void bench_work_begin(struct bench_thread *t);

/* Handles events of a client's socket. */
void bench_work_step(struct bench_thread *t, struct bench_client *c, uint32_t events);

/* Connects a closed client. It is busy if this is a new attempt, after the server had no room. */
void bench_work_connect(struct bench_thread *t, struct bench_client *c);

/* Begins an exchange on an open client. since_ns, when the operation began, is set already. */
void bench_work_talk(struct bench_thread *t, struct bench_client *c);

/* Gives the next work to a client that has nothing to do: an open one, or in mode connect a closed one. */
void bench_work_go_on(struct bench_thread *t, struct bench_client *c);

/* Ends what a busy client does: neither done nor failed. Closes it, except a stream, which stands still. */
void bench_work_give_up(struct bench_thread *t, struct bench_client *c);

/* Moves a client from any list to the end of this one. */
void bench_work_move(struct list *to, struct bench_client *c);

/* Reads the clock, and ends what has taken too long. */
void bench_work_look(struct bench_thread *t);

/* From now on nothing new begins in this phase. */
void bench_work_stop(struct bench_thread *t);

/* True once in each phase: when it is over. */
bool bench_work_is_over(struct bench_thread *t);

#endif
