/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Decides whether a worker's event loop stands still: arithmetic alone. hang_monitor.c looks at
 * workers, and decides what happens to one that hangs.
 *
 * An idle loop does not turn either. So a worker whose loop has not turned lately is pinged, and
 * from then on the master counts its own looks, not the time: while the machine is paused, or the
 * master does not run, no worker is found to hang.
 */
#ifndef DROVER_MASTER_POOL_HANG_DETECTOR_H
#define DROVER_MASTER_POOL_HANG_DETECTOR_H

#include <stdbool.h>
#include <stdint.h>

struct hang_detector {                  /* of one worker; all zero when it starts */
	int64_t turn_ms;                /* its last turn, as seen at the last look */
	bool    pinged;                 /* since that turn */
	int64_t looks;                  /* since the ping, without a turn */
};

enum hang_verdict {
	HANG_NONE,
	HANG_PING,                      /* the caller has to ping it now */
	HANG_FOUND,                     /* it has stood still for hang_ms */
};

/* How long to wait between two looks. hang_ms is not 0. */
int64_t hang_detector_interval(int64_t hang_ms);

/* A look at a worker whose loop last turned at turn_ms, as the worker says. */
enum hang_verdict hang_detector_look(struct hang_detector *d, int64_t turn_ms, int64_t now_ms,
                                     int64_t hang_ms);

/*
 * Whether it does not serve, as far as is known: it has not turned since a ping, for two looks at
 * least. turn_ms is its last turn as it is now. That comes before half of hang_ms has passed.
 */
bool hang_detector_stands_still(const struct hang_detector *d, int64_t turn_ms);

/* For how long it has stood still, by the number of looks. */
int64_t hang_detector_still_ms(const struct hang_detector *d, int64_t hang_ms);

#endif
