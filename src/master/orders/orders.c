/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Calls the function that carries out an order. That function asks master_permit whether it may do
 * so now, and notes the order if it must wait; orders_catch_up carries it out later.
 */
#include <config.h>
#include "orders.h"

#include "drain.h"
#include "reload.h"
#include "reopen_logs.h"
#include "scale.h"
#include "stop.h"
#include "upgrade.h"

void orders_obey(struct master *m, enum order order)
{
	switch (order) {
	case ORDER_NONE:
	case ORDER_REAP:                /* run.c */
	case ORDER_SCALE:               /* these come from clients of the control socket alone: changes.c */
	case ORDER_DRAIN:
	case ORDER_RESUME:
	case ORDER_KICK:
	case ORDER_UNBLOCK:
		break;
	case ORDER_RELOAD:
		reload_begin(m);
		break;
	case ORDER_STOP_DRAIN:
	case ORDER_STOP_WAIT:
	case ORDER_STOP_NOW:
		stop_begin(m, order);
		break;
	case ORDER_REOPEN_LOGS:
		reopen_logs(m);
		break;
	case ORDER_UPGRADE:
		upgrade_begin(m);
		break;
	case ORDER_SUSPEND:
		drain_all(m);
		break;
	case ORDER_MORE:
		scale_all(m, 1);
		break;
	case ORDER_FEWER:
		scale_all(m, -1);
		break;
	}
}

void orders_catch_up(struct master *m)
{
	scale_catch_up(m);
	if (m->reload_again && master_permit(m, ORDER_RELOAD) == PERMIT_NOW)
		reload_begin(m);
	if (m->upgrade.again && master_permit(m, ORDER_UPGRADE) == PERMIT_NOW)
		upgrade_begin(m);
}
