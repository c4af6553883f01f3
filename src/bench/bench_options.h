/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads the command line of drover-bench into a plan, and prints the help. It does not know how a
 * plan is run.
 */
#ifndef DROVER_BENCH_BENCH_OPTIONS_H
#define DROVER_BENCH_BENCH_OPTIONS_H

#include "bench_plan.h"

/*
 * Fills p, which the caller gives to bench_plan_free in any case. Returns -1 if there is a load to
 * run. Otherwise it has printed what was asked for (help, version) or what is wrong, and returns
 * the exit status.
 */
int bench_options_read(struct bench_plan *p, int argc, char **argv);

#endif
