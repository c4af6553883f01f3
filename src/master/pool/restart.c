/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Computes the delay of the next start with the back-off of backoff.h.
 */
#include <config.h>
#include "restart.h"

#include "backoff.h"

int64_t restart_after_death(struct restart *r, const struct conf_restart *rule, bool early,
                            int64_t now_ms)
{
	/* While starts are delayed, workers cannot die often: so the time without a death has to be
	 * longer by the delay. */
	if (r->deaths > 0 && now_ms - r->last_ms > rule->within + r->delay_ms)
		*r = (struct restart){ 0 };
	if (r->deaths == 0 || now_ms - r->window_ms > rule->within) {
		r->window_ms = now_ms;
		r->deaths = 0;
	}
	r->deaths++;
	r->last_ms = now_ms;
	if (!early && r->deaths <= rule->burst)
		return 0;
	r->delay_ms = backoff_next(r->delay_ms, rule->delay_min, rule->delay_max);
	return r->delay_ms;
}
