/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Stopping the server, in one of three ways; each may follow a gentler one.
 */
#ifndef DROVER_MASTER_STOP_H
#define DROVER_MASTER_STOP_H

#include "master.h"

/* order is ORDER_STOP_DRAIN, ORDER_STOP_WAIT or ORDER_STOP_NOW. */
void stop_begin(struct master *m, enum order order);

/* Tells the service manager that the stop goes on, and how long to wait for the next message. */
void stop_extend(struct master *m);

/* Call it after a change among workers: if the server stops and none is left, ends the loop. */
void stop_check(struct master *m);

/* Call it once, when the master starts. */
void stop_init(struct master *m);

#endif
