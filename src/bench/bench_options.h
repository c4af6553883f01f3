/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The command line of drover-bench.
 */
#ifndef DROVER_BENCH_BENCH_OPTIONS_H
#define DROVER_BENCH_BENCH_OPTIONS_H

#include "bench_plan.h"

/*
 * Fills p, to be freed by bench_plan_free in any case. -1: there is a load to
 * run. Otherwise what there was to say has been said (help, version, what is
 * wrong), and this is the exit status.
 */
int bench_options_read(struct bench_plan *p, int argc, char **argv);

#endif
