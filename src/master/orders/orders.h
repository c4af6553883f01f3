/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a signal or a client can order, in one function for each order. This header is for
 * signals, changes.h for the clients of the control socket.
 */
#ifndef DROVER_MASTER_ORDERS_H
#define DROVER_MASTER_ORDERS_H

#include "master.h"

/* Does what a signal orders; lifecycle_order has said that it means something now. */
void orders_obey(struct master *m, enum order order);

/* The server may serve by now: does what was ordered when it could not be done. */
void orders_catch_up(struct master *m);

#endif
