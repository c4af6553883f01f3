/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Runs a plan from the first connection to the last: threads, phases, gates and SIGINT.
 */
#ifndef DROVER_BENCH_BENCH_RUN_H
#define DROVER_BENCH_BENCH_RUN_H

#include "report.h"

/*
 * Runs the plan and fills the report. Returns an exit status: 0 and 1 with a
 * report; anything else has been said on standard error.
 */
int bench_run(const struct bench_plan *p, struct report *r);

#endif
