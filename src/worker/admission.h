/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The one gate between the listeners of a worker and its connections.
 */
#ifndef DROVER_WORKER_ADMISSION_H
#define DROVER_WORKER_ADMISSION_H

#include "worker.h"

/* What is decided about a client that was accepted. */
enum admission {
	ADMISSION_ADMITTED,     /* it has a slot and a connection */
	ADMISSION_NO_MEMORY,    /* it is refused: there is no memory for a connection */
};

/*
 * Opens the gate: w->acceptor accepts clients while there is room for them, and each one is
 * decided about. After about max_accepts of them the master is told to replace the worker.
 * -1 with errno.
 */
int admission_open(struct worker *w);

/* Closes the listeners that are still open. */
void admission_close(struct worker *w);

/* Takes fd, a client that was accepted. The reason for which one is refused is logged. */
enum admission admission_decide(struct worker *w, int fd, const struct endpoint *peer);

#endif
