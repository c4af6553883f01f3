/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What workers have done, as they have counted it, and how ended workers have ended. Counters of
 * ended workers are kept, so that the counters of a service never go back.
 */
#ifndef DROVER_MASTER_POOL_TOTALS_H
#define DROVER_MASTER_POOL_TOTALS_H

#include <signal.h>
#include <stdint.h>

#include "board.h"

/*
 * All sums: what workers count on the board, and what the master counts when they end.
 * lost: connections that ended with their worker, and so are neither served nor open.
 */
#define TOTALS(X) \
	BOARD_COUNTERS(X) \
	X(lost)

struct totals {
#define X(name) uint64_t name;
	TOTALS(X)
#undef X
#define X(name) struct histogram name;
	BOARD_HISTOGRAMS(X)
#undef X
	uint64_t by_signal[NSIG];       /* how many workers each signal has ended */
};

/* Adds what a worker has counted so far. */
void totals_add_counters(struct totals *t, const struct board_worker_view *said);

/* Adds what a worker that has ended has counted, and how it ended; status as from waitpid(2). */
void totals_add_worker(struct totals *t, const struct board_worker_view *said, int status);

void totals_add(struct totals *t, const struct totals *more);

#endif
