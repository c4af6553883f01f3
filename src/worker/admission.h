/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Decides which of the clients that a worker accepts are served: each one passes here on its
 * way from a listener to a connection.
 */
#ifndef DROVER_WORKER_ADMISSION_H
#define DROVER_WORKER_ADMISSION_H

#include "refusals.h"
#include "worker.h"

/*
 * Begins: w->acceptor accepts clients while there is room for them, and admission_decide is
 * called for each one. After about max_accepts of them, the master is asked to replace the
 * worker. 0, or -1 with errno.
 */
int admission_open(struct worker *w);

/* Closes the listeners that are still open. */
void admission_close(struct worker *w);

/*
 * Takes fd, a client that was accepted from the listener of that index. REFUSAL_NONE: it has a slot
 * and a connection. Else it is refused, which has been noted (refusal.h), and closed.
 */
enum refusal admission_decide(struct worker *w, int fd, size_t listener, const struct endpoint *peer);

#endif
