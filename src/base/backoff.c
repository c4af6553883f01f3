/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Computes delays and paces. A pace is the generic cell rate algorithm (ITU-T I.371): one
 * number, paid_ms, is the time until which the events so far use up the rate.
 */
#include <config.h>
#include "backoff.h"

#define PROCESS_MIN_MS   100
#define PROCESS_MAX_MS   10000
#define PROCESS_YOUNG_MS 10000

int64_t backoff_next(int64_t last_ms, int64_t min_ms, int64_t max_ms)
{
	if (last_ms == 0)
		return min_ms;
	return last_ms > max_ms / 2 ? max_ms : last_ms * 2;
}

int64_t backoff_of_process(int64_t last_ms, int64_t lived_ms)
{
	return lived_ms < PROCESS_YOUNG_MS ? backoff_next(last_ms, PROCESS_MIN_MS, PROCESS_MAX_MS) : 0;
}

int64_t pace_wait(const struct pace *p, int64_t now_ms)
{
	const int64_t wait_ms = p->paid_ms - now_ms - (p->burst - 1) * p->each_ms;

	return wait_ms > 0 ? wait_ms : 0;
}

void pace_count(struct pace *p, int64_t now_ms)
{
	p->paid_ms = (p->paid_ms > now_ms ? p->paid_ms : now_ms) + p->each_ms;
}
