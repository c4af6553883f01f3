/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A worker may write any time on its board: that makes it immortal, or kills
 * it, and concerns nobody else.
 */
#include <config.h>
#include "watchdog.h"

#define LOOKS_A_HANG    8               /* so it is noticed at most a quarter too late */
#define INTERVAL_MS_MIN 10
#define INTERVAL_MS_MAX 5000

int64_t watchdog_interval(int64_t hang_ms)
{
	const int64_t ms = hang_ms / LOOKS_A_HANG;

	return ms < INTERVAL_MS_MIN ? INTERVAL_MS_MIN : ms > INTERVAL_MS_MAX ? INTERVAL_MS_MAX : ms;
}

int64_t watchdog_still_ms(const struct watchdog *w, int64_t hang_ms)
{
	return w->looks * watchdog_interval(hang_ms);
}

enum watchdog_verdict watchdog_look(struct watchdog *w, int64_t turn_ms, int64_t now_ms,
                                    int64_t hang_ms)
{
	if (turn_ms != w->turn_ms)
		*w = (struct watchdog){ .turn_ms = turn_ms };
	if (w->pinged) {
		w->looks++;
		return watchdog_still_ms(w, hang_ms) < hang_ms ? WATCHDOG_FINE : WATCHDOG_HANGS;
	}
	/* Half: it looks older than it is if this look is late. And a turn in the
	 * millisecond of the last one would not be seen. */
	if (now_ms - turn_ms < watchdog_interval(hang_ms) / 2)
		return WATCHDOG_FINE;
	w->pinged = true;
	return WATCHDOG_PING;
}
