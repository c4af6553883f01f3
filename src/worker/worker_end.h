/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The ways in which a worker comes to its end: with its last connection, after a time
 * limit, or at once.
 */
#ifndef DROVER_WORKER_WORKER_END_H
#define DROVER_WORKER_WORKER_END_H

#include "worker.h"

/*
 * Takes the connections that already wait at the listeners, and no more; ends with its last
 * connection. A bit in `removed` stands for a listener at which no other worker accepts:
 * acceptor_drain. Called again, the last `removed` counts.
 */
void worker_end_drain(struct worker *w, uint64_t removed);

/*
 * Closes the listeners at once, whatever waits there, and ends with its last connection.
 * worker_check_end is the caller's to call.
 */
void worker_end_drop_listeners(struct worker *w);

/* Ends all connections at once; their programs have PROGRAM_KILL_MS to go. */
void worker_end_now(struct worker *w);

/* After shutdown_timeout, if there is one, what is still there is ended at once; or not any more. */
void worker_end_limit(struct worker *w);
void worker_end_unlimit(struct worker *w);

#endif
