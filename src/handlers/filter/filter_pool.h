/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Keeps the processes of a worker's filter, and the queue of requests that wait for one. A
 * connection has at most one request here, and the oldest request is served first: so a client
 * that asks a lot gets no more turns than one that asks little.
 */
#ifndef DROVER_HANDLERS_FILTER_FILTER_POOL_H
#define DROVER_HANDLERS_FILTER_FILTER_POOL_H

#include "filter_process.h"

struct worker;
struct filter_pool;

/* What becomes of requests. Neither is called from within a function below that the asker calls. */
struct filter_asker {
	void (*answered)(struct filter_request *r, const struct filter_answer *a);
	/*
	 * There will be no answer. With share = "connection", this is also called if there is no
	 * request, when the process of the connection is gone.
	 */
	void (*failed)(struct filter_request *r);
};

/* Makes a pool and starts its processes. If some cannot be started, that is tried again. NULL with errno. */
struct filter_pool *filter_pool_new(struct worker *w, const struct filter_asker *asker);

/* All processes must have ended. NULL is fine. */
void filter_pool_free(struct filter_pool *pool);

/* No more requests will come: ends the processes. May be called more than once. */
void filter_pool_release(struct filter_pool *pool);

/* A connection begins; it may need a process of its own. */
void filter_pool_open(struct filter_pool *pool, struct filter_request *r);
/* r has been filled in: puts it into the queue. */
void filter_pool_ask(struct filter_pool *pool, struct filter_request *r);
/* The connection ends, also if r still waits for its turn or its answer. */
void filter_pool_close(struct filter_pool *pool, struct filter_request *r);

#endif
