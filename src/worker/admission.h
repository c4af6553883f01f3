/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Decides which of the clients that a worker accepts are served: each one passes here on its
 * way from a listener to a connection.
 */
#ifndef DROVER_WORKER_ADMISSION_H
#define DROVER_WORKER_ADMISSION_H

#include "worker.h"

/* The decision about a client that was accepted. */
enum admission {
	ADMISSION_ADMITTED,     /* it has a slot and a connection */
	ADMISSION_NO_MEMORY,    /* it is refused: there is no memory for a connection */
	ADMISSION_NO_PROXY,     /* it is refused: it may not send the PROXY header that must come first */
};

/*
 * Begins: w->acceptor accepts clients while there is room for them, and admission_decide is
 * called for each one. After about max_accepts of them, the master is asked to replace the
 * worker. 0, or -1 with errno.
 */
int admission_open(struct worker *w);

/* Closes the listeners that are still open. */
void admission_close(struct worker *w);

/*
 * Takes fd, a client that was accepted from the listener of that index. If it is refused, the
 * reason is logged.
 */
enum admission admission_decide(struct worker *w, int fd, size_t listener, const struct endpoint *peer);

#endif
