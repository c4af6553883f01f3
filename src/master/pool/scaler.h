/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Decides how many workers a pool wants, and when to decide again. It brings together what the
 * pool counts, the queues of its listeners, orders, and what policy.c computes from these. It
 * does not know the workers.
 */
#ifndef DROVER_MASTER_POOL_SCALER_H
#define DROVER_MASTER_POOL_SCALER_H

#include <stdbool.h>

#include "board.h"
#include "conf.h"
#include "demand_watch.h"
#include "exhaustion.h"
#include "loop.h"
#include "notify.h"
#include "policy.h"

struct scaler {
	/* Set by the pool; all lent. */
	const struct conf_service *service;
	struct loop               *loop;
	struct notify             *events;
	const int                 *listeners;
	size_t                     n_listeners;
	void                     (*look)(struct scaler *s);     /* it is time for scaler_review */

	/* For the pool to read. */
	int                        wanted;      /* workers */
	int64_t                    low_free, low_open; /* workers say when there are fewer: leash.h */

	bool                       works;       /* between scaler_start and scaler_end */
	bool                       arrival;
	int                        floor;       /* the minimum: as configured, or as ordered */
	struct policy_memory       memory;
	struct demand_watch        demand;
	struct exhaustion          exhaustion;
	struct timer               again;
};

struct scaler_counts {
	int      accepting;
	int64_t  open;                  /* connections of those that accept */
	uint64_t done;                  /* changes with each connection that comes or goes */
	const struct board *board;      /* where those connections are described; lent */
};

/* Wants the number of workers that the configuration says; wants none any more. */
void scaler_start(struct scaler *s);
void scaler_end(struct scaler *s, const struct scaler_counts *counts);

/*
 * Obeys an order for n workers: n is the minimum from now on (as_least), or, if `workers` is a
 * range, only a step up or down. False if n is not within 1 and workers.max, or changes nothing.
 */
bool scaler_set(struct scaler *s, int n, bool as_least);

/* Decides how many workers are wanted now. True if something has changed that others may wait for. */
bool scaler_review(struct scaler *s, const struct scaler_counts *counts);

/* Has look() called at the end of this turn of the loop. */
void scaler_look_soon(struct scaler *s);

/* True if the pool is on demand, and wants no worker until a client comes. */
bool scaler_is_asleep(const struct scaler *s);

#endif
