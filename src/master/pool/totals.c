/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Adds up the counters of a service over its workers, living and ended. It does not know the
 * service, nor what the sums are for.
 */
#include <config.h>
#include "totals.h"

#include <stddef.h>
#include <sys/wait.h>

void totals_add_counters(struct totals *t, const struct board_worker_view *said)
{
#define X(name) t->name += said->name;
	BOARD_COUNTERS(X)
#undef X
#define X(name) histogram_add(&t->name, &said->name);
	BOARD_HISTOGRAMS(X)
#undef X
}

void totals_add_worker(struct totals *t, const struct board_worker_view *said, int status)
{
	totals_add_counters(t, said);
	t->lost += said->accepted > said->served ? said->accepted - said->served : 0;
	if (WIFSIGNALED(status))
		t->by_signal[WTERMSIG(status)]++;
}

void totals_add(struct totals *t, const struct totals *more)
{
#define X(name) t->name += more->name;
	TOTALS(X)
#undef X
#define X(name) histogram_add(&t->name, &more->name);
	BOARD_HISTOGRAMS(X)
#undef X
	for (size_t i = 0; i < NSIG; i++)
		t->by_signal[i] += more->by_signal[i];
}
