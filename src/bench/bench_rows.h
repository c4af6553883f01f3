/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The table of options, each of which is read by itself. bench_options.c knows what they mean
 * together, and bench_check.c checks whether they fit together.
 */
#ifndef DROVER_BENCH_BENCH_ROWS_H
#define DROVER_BENCH_BENCH_ROWS_H

#include "bench_check.h"
#include "bench_plan.h"

/* The command line, as far as it was read. */
struct bench_reading {
	struct bench_plan *plan;
	struct bench_wish  wish;
};

struct bench_row {
	const char *name;
	const char *value;              /* what the help calls it; NULL: it takes none */
	/* Takes a value; returns NULL, or what would be right. For help and version there is no function. */
	const char *(*take)(struct bench_reading *r, const char *value);
	char        letter;             /* 0: none */
	const char *help;
};

const struct bench_row *bench_rows(size_t *n);

#endif
