/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The report of a run, for people.
 */
#ifndef DROVER_BENCH_REPORT_H
#define DROVER_BENCH_REPORT_H

#include <stdio.h>

#include "bench_plan.h"
#include "clock.h"
#include "tally.h"

struct report {
	const struct bench_plan *plan;
	char         started[CLOCK_TEXT_MAX];   /* as clock_utc_seconds writes it */
	double       seconds;           /* the measured part */
	double       client_cpu_seconds;
	struct tally tally;
};

/* The points of a distribution that all reports show, with their stable names. */
struct report_point {
	const char *name;
	double      share;
};

#define REPORT_POINTS 6
extern const struct report_point report_points[REPORT_POINTS];

double report_per_second(const struct report *r, uint64_t n);

/* Columns that out has, if it is a terminal; else 80. */
unsigned report_width(FILE *out);

/* All of it. blocks: whether the letters for drawing exist, or ASCII has to do. */
void report_print(FILE *out, const struct report *r, unsigned width, bool blocks);

#endif
