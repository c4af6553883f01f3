/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Decides what happens to the requests of a lost process, and computes the delay before the next
 * process. It knows neither processes nor requests, only their numbers and times.
 */
#include <config.h>
#include "filter_policy.h"

#include "backoff.h"
#include "clock.h"

bool filter_policy_backs_off(const struct filter_death *d)
{
	return d->answered == 0 && d->n == d->n_unread;
}

bool filter_policy_gives_on(const struct filter_death *d, size_t i)
{
	/* If the process has not even read in time, the time of the first request is used up. */
	if (d->why == FILTER_END_TIMEOUT && i == 0)
		return false;
	return i >= d->n - d->n_unread;
}

void filter_policy_add_trouble(struct filter_trouble *t, const struct conf_restart *rule,
                               int64_t now_ms)
{
	t->delay_ms = backoff_next(t->delay_ms, rule->delay_min, rule->delay_max);
	if (t->since_ms == 0)
		t->since_ms = now_ms;
}

int64_t filter_policy_patience_ms(const struct filter_trouble *t, const struct conf_filter *conf)
{
	return t->since_ms == 0 ? CLOCK_NEVER : clock_deadline(t->since_ms, conf->timeout);
}
