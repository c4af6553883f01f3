/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A line on the terminal that shows the progress of a run.
 */
#ifndef DROVER_BENCH_PROGRESS_H
#define DROVER_BENCH_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct progress {
	FILE    *out;
	unsigned width;
	bool     blocks;                /* the terminal has characters for drawing */
	bool     shown;
	uint64_t last_operations;
	int64_t  last_ns;
};

struct progress_now {
	const char *phase;
	uint64_t    operations, errors;
	int64_t     now_ns, start_ns;
	int64_t     end_ns;             /* INT64_MAX: no end in time */
	uint64_t    count;              /* 0: no end in number */
};

/* Draws the line again. */
void progress_show(struct progress *p, const struct progress_now *n);

/* Removes the line, if it is there. */
void progress_clear(struct progress *p);

#endif
