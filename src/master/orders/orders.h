/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a signal or a client can order, in one function for each order. This header is for
 * signals, changes.h for the clients of the control socket.
 */
#ifndef DROVER_MASTER_ORDERS_H
#define DROVER_MASTER_ORDERS_H

#include "master.h"

/* Carries out an order that lifecycle_order has returned for a signal. */
void orders_obey(struct master *m, enum order order);

/* Carries out orders that had to wait, if they are permitted by now. */
void orders_catch_up(struct master *m);

#endif
