/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Watches listeners that no worker accepts from, for the next arrival. The client is left in the
 * queue, for a worker that is then started.
 */
#ifndef DROVER_MASTER_POOL_DEMAND_WATCH_H
#define DROVER_MASTER_POOL_DEMAND_WATCH_H

#include <stddef.h>

#include "conf.h"
#include "loop.h"

struct demand_watch;

struct demand_listener {                /* of one listener */
	struct watch     watch;
	struct demand_watch *owner;
};

struct demand_watch {
	struct loop            *loop;
	void                  (*arrived)(struct demand_watch *d); /* once; the watch has stopped by then */
	size_t                  n;      /* 0: it does not watch */
	struct demand_listener  listeners[CONF_LISTEN_MAX];
};

/* loop and arrived must be set. A client that waits already counts as an arrival. -1 with errno. */
int demand_watch_start(struct demand_watch *d, const int *fds, size_t n);

/* Does nothing if it does not watch. */
void demand_watch_stop(struct demand_watch *d);

#endif
