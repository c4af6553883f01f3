/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The counts of one thread, and at the end of all threads together.
 */
#ifndef DROVER_BENCH_TALLY_H
#define DROVER_BENCH_TALLY_H

#include <stdint.h>

#include "failure.h"
#include "histogram.h"

/* All zero: empty. Times are in nanoseconds. */
struct tally {
	uint64_t operations;
	uint64_t bytes_sent, bytes_received;
	uint64_t connections_opened;    /* not those of the warm-up */
	uint64_t arrivals_unserved;     /* open-loop: due, and not begun when time was up */
	uint64_t failures[FAILURES];
	int      first_other;           /* errno of the first FAILURE_OTHER; 0: none */
	struct histogram latency, connect;
};

void tally_failure(struct tally *t, enum failure kind, int error);
uint64_t tally_failures(const struct tally *t);

/* Adds the counts of from. */
void tally_merge(struct tally *t, const struct tally *from);

#endif
