/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who holds how many connections: the sources of the clients of a service, as far as they can be
 * named. The table of sources counts them and does not know who they are; the boards have the
 * addresses. Both are shared with workers and not trusted: a source is given the count of an entry
 * only if its key has the entry's tag. It does not know what limits there are.
 */
#ifndef DROVER_MASTER_REPORT_REPORT_TALLY_H
#define DROVER_MASTER_REPORT_REPORT_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "board.h"
#include "bucket.h"
#include "source_id.h"
#include "sources.h"

struct report_tally_row {
	struct source_id source;        /* not known: those whose clients cannot be told apart */
	uint64_t         tag;           /* in the table of sources; 0: it cannot be there */
	uint64_t         counted;       /* connections, by the table */
	uint64_t         open;          /* connections that hold a slot, by the boards */
	int64_t          wait_ns;       /* until its rate lets another one in; 0: now */
};

/* All zero: nothing was seen. */
struct report_tally {
	struct report_tally_row *rows;
	size_t                   n, room;
	uint64_t                 nameless;      /* sources in the table that no record names any more, */
	uint64_t                 counted;       /* and what it counts of them */
	bool                     failed;        /* there was no memory: rows are missing */
};

/*
 * Adds what a board says: a row for each record. Sources that have no connection any more are named
 * by records that no other connection has used since.
 */
void report_tally_see(struct report_tally *t, const struct board *b, int ipv4_len, int ipv6_len);

/*
 * Makes one row of all of a source, with what the table says of it under that rate. Rows that say
 * nothing are left out; the others are in their order: the source with the most connections is the
 * first one. Call it once, after report_tally_see.
 */
void report_tally_count(struct report_tally *t, const struct sources *s,
                        const struct bucket_rate *rate, int64_t now_ns);

/* The connections of a source, whichever of the two counts finds more. */
uint64_t report_tally_connections(const struct report_tally_row *row);

/* The order of the rows, for qsort(3). */
int report_tally_compare(const void *a, const void *b);

void report_tally_free(struct report_tally *t);

#endif
