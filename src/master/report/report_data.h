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

#include "master.h"

struct report_counts {
	uint64_t      workers;          /* that live */
#define X(name) uint64_t name;
	BOARD_GAUGES(X)                 /* of these workers */
#undef X
	struct totals totals;           /* also of those that have ended */
};

struct report_service {
	const struct service *service;  /* of the current generation */
	const char          *state;
	char                 reason[BOARD_REASON_TEXT];     /* why it fails; "": not known, or it does not */
	struct children_census   census;    /* draining: of earlier generations, too */
	struct report_counts counts;
	uint64_t             slots, open;       /* of the workers that accept: all, and those in use */
	uint64_t             limit, free;       /* connections that it can have, and more than it has */
	bool                 has_queue; /* it listens to TCP */
	int64_t              queue, queue_limit;        /* connections that wait to be accepted */
};

struct report_data {
	const struct master  *master;
	int64_t               now_ms;
	struct report_counts  counts;   /* also of services that do not exist any more */
	size_t                n;
	struct report_service services[];
};

/* Never NULL: without memory the process ends. arg is the struct master. */
void *report_gather(void *arg);

#endif
