/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a pool is made of: for pool.c, which changes it, and pool_view.c, which describes it. No
 * other file includes it.
 */
#ifndef DROVER_MASTER_POOL_POOL_PRIVATE_H
#define DROVER_MASTER_POOL_POOL_PRIVATE_H

#include "children.h"
#include "hang_monitor.h"
#include "pool.h"
#include "pool_memory.h"
#include "program_watch.h"
#include "scaler.h"

struct pool {
	struct pool_context       *context;
	const struct conf_service *service;
	unsigned int               generation;
	int64_t                    shutdown_timeout_ms;
	struct log_pipes          *log_pipes;   /* for new workers; NULL: none */
	int                        listeners[CONF_LISTEN_MAX];
	size_t                     n_listeners;
	struct scaler              scaler;      /* how many are wanted */
	int64_t                    low_free, low_open; /* what workers were last told to watch for */
	bool                       crowded;     /* one is wanted for which there is no place */
	bool                       failed;      /* one could not start; until all that are wanted accept */
	struct restart             restart;
	struct timer               delayed;     /* set: no births until then */
	struct totals              totals;      /* of those that have ended */
	struct pool_memory         memory;      /* shared with all workers */
	struct children            children;
	struct hang_monitor        hang_monitor; /* over them */
	struct program_watch       programs;    /* and over what they run */
	bool                       adopted;     /* workers of another program: it has none of its own */
	struct pool_state          state;       /* then: for the pool that goes on */
};

#endif
