/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The connections that have been open longest: a few, chosen while all are looked at, so that the
 * others need no memory and no time. It does not know what is shown of them.
 */
#ifndef DROVER_MASTER_REPORT_REPORT_LONGEST_H
#define DROVER_MASTER_REPORT_REPORT_LONGEST_H

#include <stddef.h>

#include "board.h"

#define REPORT_LONGEST_MAX 20

struct report_longest_row {
	size_t                       worker;    /* an index of the caller's */
	struct board_connection_view connection;
};

struct report_longest {                 /* all zero at first */
	size_t                    n;
	struct report_longest_row rows[REPORT_LONGEST_MAX];     /* the longest first */
};

/* One more connection. Of two that are as old as each other, the first offered one is first. */
void report_longest_offer(struct report_longest *l, size_t worker, const struct board_connection_view *v);

#endif
