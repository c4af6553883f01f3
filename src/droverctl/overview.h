/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Describes the server in a few lines: its state, its totals, and how fast they grow.
 */
#ifndef DROVER_DROVERCTL_OVERVIEW_H
#define DROVER_DROVERCTL_OVERVIEW_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "text.h"

#define OVERVIEW_LINES 3

enum overview_total {
	OVERVIEW_ACCEPTED, OVERVIEW_SERVED, OVERVIEW_REQUESTS, OVERVIEW_IN, OVERVIEW_OUT,
	OVERVIEW_TOTALS
};

/* All zero: it has seen no status. */
struct overview {
	bool    has_seen;
	double  pid;                            /* of the server with these totals */
	int64_t at_us;                          /* on our clock */
	double  totals[OVERVIEW_TOTALS];
	double  rates[OVERVIEW_TOTALS];         /* in a second; NaN: not known */
};

/*
 * Takes the totals of a status that came at now_us, and compares them with
 * those before. If those are of another server, there are no rates.
 */
void overview_take(struct overview *o, const json_t *status, int64_t now_us);

/* Adds one of the lines (from 0) about that status. */
void overview_line(const struct overview *o, const json_t *status, size_t line, struct text *t);

#endif
