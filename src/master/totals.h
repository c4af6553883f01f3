/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What workers that have ended had done, by their own account, and how they
 * ended: so that the counters of a service never go back.
 */
#ifndef DROVER_MASTER_TOTALS_H
#define DROVER_MASTER_TOTALS_H

#include <signal.h>
#include <stdint.h>

#include "board.h"

struct totals {
	uint64_t accepted, served, bytes_in, bytes_out, requests;
	uint64_t answered, replaced;    /* by filters; filters */
	uint64_t by_signal[NSIG];       /* workers that it ended */
};

/* One more has ended; status as from waitpid(2). */
void totals_add_worker(struct totals *t, const struct board_worker_view *said, int status);

void totals_add(struct totals *t, const struct totals *more);

#endif
