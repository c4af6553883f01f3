/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Keeps rows in order. Most connections are younger than all rows once these are full: for them one
 * comparison is enough.
 */
#include <config.h>
#include "report_longest.h"

#include <string.h>

void report_longest_offer(struct report_longest *l, size_t worker, const struct board_connection_view *v)
{
	size_t at = l->n;

	while (at > 0 && l->rows[at - 1].connection.since_ms > v->since_ms)
		at--;
	if (at == REPORT_LONGEST_MAX)
		return;
	if (l->n < REPORT_LONGEST_MAX)
		l->n++;
	memmove(&l->rows[at + 1], &l->rows[at], (l->n - 1 - at) * sizeof l->rows[0]);
	l->rows[at] = (struct report_longest_row){ worker, *v };
}
