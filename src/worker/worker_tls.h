/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a worker needs for clients that speak TLS: the context of its service, and its private
 * keys or the way to them.
 */
#ifndef DROVER_WORKER_WORKER_TLS_H
#define DROVER_WORKER_WORKER_TLS_H

#include "worker.h"

/*
 * Makes both if the service has TLS. It may read files of private keys, so it must be called before
 * identity_take. 0, or -1 and it was logged why.
 */
int worker_tls_begin(struct worker *w);

/*
 * Waits until the key process has read its keys, which may take seconds, before the worker accepts:
 * other workers can serve the clients meanwhile. Not for ever, and not if the master has an order.
 */
void worker_tls_await_keys(struct worker *w);

void worker_tls_end(struct worker *w);

#endif
