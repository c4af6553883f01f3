/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Has a worker obey the master's orders, and signals.
 */
#ifndef DROVER_WORKER_WORKER_ORDERS_H
#define DROVER_WORKER_WORKER_ORDERS_H

#include "worker.h"

/* Watches the leash and the signals, and obeys them from now on. -1 with errno. */
int worker_orders_watch(struct worker *w);

#endif
