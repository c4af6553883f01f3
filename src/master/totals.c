/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sums.
 */
#include <config.h>
#include "totals.h"

#include <stddef.h>
#include <sys/wait.h>

void totals_add_worker(struct totals *t, const struct board_worker_view *said, int status)
{
	t->accepted += said->accepted;
	t->served += said->served;
	t->bytes_in += said->bytes_in;
	t->bytes_out += said->bytes_out;
	t->requests += said->requests;
	t->answered += said->answered;
	t->replaced += said->replaced;
	if (WIFSIGNALED(status))
		t->by_signal[WTERMSIG(status)]++;
}

void totals_add(struct totals *t, const struct totals *more)
{
	t->accepted += more->accepted;
	t->served += more->served;
	t->bytes_in += more->bytes_in;
	t->bytes_out += more->bytes_out;
	t->requests += more->requests;
	t->answered += more->answered;
	t->replaced += more->replaced;
	for (size_t i = 0; i < NSIG; i++)
		t->by_signal[i] += more->by_signal[i];
}
