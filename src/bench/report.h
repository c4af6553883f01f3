/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The report of a run as text, for people. report_json.h has the one for programs.
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

/* Handshakes of TLS in the measured part; -1: connections are plain, or are opened before it. */
double report_handshakes_per_second(const struct report *r);

/* The columns of out, if it is a terminal; otherwise 80. */
unsigned report_width(FILE *out);

/* Prints all of it. blocks: there are characters for drawing; otherwise ASCII is used. */
void report_print(FILE *out, const struct report *r, unsigned width, bool blocks);

#endif
