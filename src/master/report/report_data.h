/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a reporter knows about the server: figures of all generations, added up by service. They
 * are gathered in the child, from the master's memory as it was at the fork and from the boards as
 * they are now.
 */
#ifndef DROVER_MASTER_REPORT_REPORT_DATA_H
#define DROVER_MASTER_REPORT_REPORT_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "master.h"

struct report_data;

struct report_counts {
	uint64_t      workers;          /* that live */
#define X(name) uint64_t name;
	BOARD_GAUGES(X)                 /* of these workers */
#undef X
	struct totals totals;           /* also of those that have ended */
};

struct report_service {
	const struct report_data *data; /* of which it is a part */
	const struct service *service;  /* of the current generation */
	const char          *state;
	char                 reason[BOARD_REASON_TEXT];     /* why it fails; "": not known, or it does not */
	struct children_census   census;    /* draining: of earlier generations, too */
	struct report_counts counts;
	uint64_t             slots, open;       /* of the workers that accept: all, and those in use */
	uint64_t             still, lame;       /* workers that stand still, and their free slots */
	bool                 stands_still;      /* all that accept do: no client is served */
	uint64_t             limit, free;       /* connections that it can have, and more than it has */
	bool                 has_queue; /* it listens to TCP */
	int64_t              queue, queue_limit;        /* connections that wait to be accepted */
};

struct report_worker {                  /* that lives */
	const struct generation *generation;
	const struct service    *service;
	size_t                   place; /* in its pool, and on the board */
	struct pool_worker       worker;
};

struct report_data {
	const struct master  *master;
	int64_t               now_ms;
	struct timespec       now;      /* the same moment, by the wall clock */
	const char           *phase;    /* of the server, as droverctl(8) calls it */
	struct report_counts  counts;   /* also of services that do not exist any more */
	struct report_worker *workers;  /* of all generations; what is said of services is the sum of these */
	size_t                n_workers;
	size_t                n;
	struct report_service services[];
};

/* How long ago ms was. 0 if it is later than now_ms: workers write on while figures are gathered. */
int64_t report_ago_ms(const struct report_data *d, int64_t ms);

/* Never NULL: without memory the process ends. arg is the struct master. */
void *report_gather(void *arg);

#endif
