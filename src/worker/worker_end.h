/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The ways in which a worker ends: with its last connection, after a time limit, or at once.
 */
#ifndef DROVER_WORKER_WORKER_END_H
#define DROVER_WORKER_WORKER_END_H

#include "worker.h"

/*
 * Accepts the clients that already wait at the listeners, and no more; the worker ends with its
 * last connection. A bit that is set in `removed` is a listener at which no other worker accepts:
 * acceptor_drain. Called again, the last `removed` counts.
 */
void worker_end_drain(struct worker *w, uint64_t removed);

/*
 * Closes the listeners at once, even if clients wait there; the worker ends with its last
 * connection. The caller must call worker_check_end.
 */
void worker_end_drop_listeners(struct worker *w);

/* Ends all connections at once; their programs have PROGRAM_KILL_MS to end. */
void worker_end_now(struct worker *w);

/* If there is a shutdown_timeout, calls worker_end_now when it is over; the second cancels that. */
void worker_end_limit(struct worker *w);
void worker_end_unlimit(struct worker *w);

#endif
