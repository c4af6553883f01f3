/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Watches the event loops of a pool's workers, and aborts those that stand
 * still for hang_timeout.
 */
#ifndef DROVER_MASTER_POOL_VIGIL_H
#define DROVER_MASTER_POOL_VIGIL_H

#include "children.h"
#include "conf.h"
#include "loop.h"
#include "notify.h"

struct vigil {                          /* all but timer is lent, and set before vigil_begin */
	const struct conf_service *service;
	struct children           *children;
	struct loop               *loop;
	struct notify             *events;
	struct timer               timer;
	void                     (*aborted)(struct vigil *v);   /* one or more were */
};

/* There is a worker: looks from now on, until there is none. Again is fine. */
void vigil_begin(struct vigil *v);

void vigil_end(struct vigil *v);

#endif
