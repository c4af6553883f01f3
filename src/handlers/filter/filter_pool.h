/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The processes of a worker's filter, and the queue of requests that wait for
 * one. A connection has at most one request here, and the queue is first come,
 * first served: a client that asks a lot gets no more turns than one that asks little.
 */
#ifndef DROVER_HANDLERS_FILTER_FILTER_POOL_H
#define DROVER_HANDLERS_FILTER_FILTER_POOL_H

#include "filter_process.h"

struct worker;
struct filter_pool;

/* What becomes of requests. Both are called from outside of the asker's functions. */
struct filter_asker {
	void (*answered)(struct filter_request *r, const struct filter_answer *a);
	/*
	 * There will be no answer. With share = "connection" also if there was no
	 * request: its process is gone.
	 */
	void (*failed)(struct filter_request *r);
};

/* With its processes started, as far as they start. NULL with errno. */
struct filter_pool *filter_pool_new(struct worker *w, const struct filter_asker *asker);

/* All processes must have ended. NULL is fine. */
void filter_pool_free(struct filter_pool *pool);

/* No more requests will come: lets go of the processes. */
void filter_pool_release(struct filter_pool *pool);

/* A connection begins; it may need a process of its own. */
void filter_pool_open(struct filter_pool *pool, struct filter_request *r);
/* r has been filled in, and waits its turn. */
void filter_pool_ask(struct filter_pool *pool, struct filter_request *r);
/* The connection ends, whatever r waits for. */
void filter_pool_close(struct filter_pool *pool, struct filter_request *r);

#endif
