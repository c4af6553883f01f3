/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The members of a pool: for pool.c, which changes them, and pool_view.c, which describes them. No
 * other file includes this header.
 */
#ifndef DROVER_MASTER_POOL_POOL_PRIVATE_H
#define DROVER_MASTER_POOL_POOL_PRIVATE_H

#include "children.h"
#include "hang_monitor.h"
#include "pool.h"
#include "pool_memory.h"
#include "program_watch.h"
#include "scaler.h"
#include "service_state.h"

struct pool {
	struct pool_context       *context;
	const struct conf_service *service;
	unsigned int               generation;
	int64_t                    shutdown_timeout_ms;
	struct log_sink           *access_log;  /* of the service, or a pipe to it; NULL: none */
	struct log_pipes          *log_pipes;   /* for new workers; NULL: none */
	struct key_holder         *key_holder;  /* new workers are connected with it; NULL: none */
	int                        module;      /* the file of its module, open; -1: it has none */
	size_t                     key_service; /* and it knows our service by that index */
	int                        listeners[CONF_LISTEN_MAX];
	size_t                     listens[CONF_LISTEN_MAX]; /* for each, the index in service->listen */
	size_t                     n_listeners;
	struct scaler              scaler;      /* how many workers are wanted */
	int64_t                    low_free, low_open; /* what workers were last told to watch for */
	bool                       crowded;     /* a worker is wanted for which there is no place */
	bool                       failed;      /* a worker could not start; until all wanted accept */
	struct restart             restart;
	struct timer               delayed;     /* while it is set, no worker starts */
	struct totals              totals;      /* of workers that have ended */
	struct pool_memory         memory;      /* shared with all workers */
	struct service_state      *state_of_service; /* of all pools of the service */
	struct service_member      member;      /* of that: what our workers hold */
	struct children            children;
	struct hang_monitor        hang_monitor; /* over the children */
	struct program_watch       programs;    /* over the programs that they run */
	bool                       adopted;     /* its workers are of another program: it starts none */
	struct timer               leaving;     /* while it is set, the pool works until it fires */
	bool                       serves;      /* if adopted: its workers were not told to drain */
	struct pool_state          state;       /* if adopted: for the pool that continues it */
};

#endif
