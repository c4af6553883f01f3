/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Judges the times that a worker has written on its board. A worker may write any time there: at
 * worst its hang is not found, or it is killed. That does not affect other workers.
 */
#include <config.h>
#include "hang_detector.h"

#define LOOKS_A_HANG    8               /* so a hang is noticed at most a quarter of hang_ms too late */
#define LOOKS_STILL     2               /* one alone may follow the ping too closely on a busy machine */
#define INTERVAL_MS_MIN 10
#define INTERVAL_MS_MAX 5000

int64_t hang_detector_interval(int64_t hang_ms)
{
	const int64_t ms = hang_ms / LOOKS_A_HANG;

	return ms < INTERVAL_MS_MIN ? INTERVAL_MS_MIN : ms > INTERVAL_MS_MAX ? INTERVAL_MS_MAX : ms;
}

bool hang_detector_stands_still(const struct hang_detector *d, int64_t turn_ms)
{
	return d->pinged && d->looks >= LOOKS_STILL && turn_ms == d->turn_ms;
}

int64_t hang_detector_still_ms(const struct hang_detector *d, int64_t hang_ms)
{
	return d->looks * hang_detector_interval(hang_ms);
}

enum hang_verdict hang_detector_look(struct hang_detector *d, int64_t turn_ms, int64_t now_ms,
                                     int64_t hang_ms)
{
	if (turn_ms != d->turn_ms)
		*d = (struct hang_detector){ .turn_ms = turn_ms };
	if (d->pinged) {
		d->looks++;
		return hang_detector_still_ms(d, hang_ms) < hang_ms ? HANG_NONE : HANG_FOUND;
	}
	/* Half of the interval, because the turn looks older than it is if this look is late. And not
	 * at once: another turn in the same millisecond would not be seen. */
	if (now_ms - turn_ms < hang_detector_interval(hang_ms) / 2)
		return HANG_NONE;
	d->pinged = true;
	return HANG_PING;
}
