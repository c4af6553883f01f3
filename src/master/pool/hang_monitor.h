/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Watches the event loops of a pool's workers, and aborts those that stand
 * still for hang_timeout.
 */
#ifndef DROVER_MASTER_POOL_HANG_MONITOR_H
#define DROVER_MASTER_POOL_HANG_MONITOR_H

#include "children.h"
#include "conf.h"
#include "loop.h"
#include "notify.h"

struct hang_monitor {                   /* all but timer is lent, and set before hang_monitor_start */
	const struct conf_service *service;
	struct children           *children;
	struct loop               *loop;
	struct notify             *events;
	struct timer               timer;
	void                     (*aborted)(struct hang_monitor *h); /* one or more workers were aborted */
};

/* Looks from now on, until there is no worker any more. Does nothing if it looks already. */
void hang_monitor_start(struct hang_monitor *h);

void hang_monitor_stop(struct hang_monitor *h);

#endif
