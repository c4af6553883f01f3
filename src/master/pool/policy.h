/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Computes how many workers a pool should have: pure arithmetic, with time as an argument. It
 * knows no processes; scaler.c and pool.c count, and start and end workers.
 */
#ifndef DROVER_MASTER_POOL_POLICY_H
#define DROVER_MASTER_POOL_POLICY_H

#include <stdbool.h>
#include <stdint.h>

struct policy_rule {
	int     min, max;               /* workers; min 0: on demand */
	int     slots;                  /* connections in each */
	int     spare_min, spare_max;   /* free slots; 1 <= spare_min <= spare_max */
	int64_t calm_ms;                /* a surplus must last so long before a worker ends; at least 1 */
	int64_t idle_ms;                /* on demand: the last worker ends when idle that long; 0: never */
};

struct policy_census {
	int64_t  now_ms;                /* not 0 */
	int      wanted;                /* workers, as of the last decision: min to max, or 0 */
	int      accepting;
	int64_t  open;                  /* connections of those that accept */
	int64_t  queue;                 /* connections that wait at the listeners */
	uint64_t done;                  /* changes with each connection that comes or goes */
	bool     arrival;               /* a client has come while no worker was wanted */
};

/* What is kept from one decision to the next; all 0 at first. */
struct policy_memory {
	int      step;                  /* how many were added last; 0: no demand since */
	int64_t  surplus_ms;            /* since when there is a surplus; 0: there is none */
	int64_t  idle_ms;               /* since when no client is connected; 0: one is */
	uint64_t done;                  /* the census's, at that time */
	bool     exhausted;
	int64_t  relief_ms;             /* exhausted, but slots have been free since then; 0: none is */
};

enum policy_reason {
	POLICY_NONE,                    /* it stays as it is */
	POLICY_DEMAND,                  /* too few slots are free */
	POLICY_ARRIVAL,                 /* on demand, and a client has come */
	POLICY_CALM,                    /* more than enough were free for some time */
	POLICY_IDLE,                    /* on demand, and no client has come for some time */
	POLICY_SET,                     /* by an order; policy_decide never gives it */
};

struct policy_decision {
	int                wanted;
	enum policy_reason reason;
	bool               exhausted;   /* at max without a free slot, now or a short time ago */
	/* When to decide again: */
	int64_t            low_free;    /* if fewer than that many slots are free; 0: no limit */
	int64_t            low_open;    /* if fewer than that many connections are open; 0: no limit */
	int64_t            again_ms;    /* after that time at the latest; 0: no time limit */
};

struct policy_decision policy_decide(const struct policy_rule *r, const struct policy_census *c,
                                     struct policy_memory *m);

/* "demand", "arrival", ... */
const char *policy_reason_name(enum policy_reason reason);

#endif
