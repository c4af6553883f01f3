/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How long to wait before the next try of what goes wrong again and again, and
 * how often something may be done at all. Times are in milliseconds.
 */
#ifndef DROVER_BASE_BACKOFF_H
#define DROVER_BASE_BACKOFF_H

#include <stdint.h>

/* The delay after a delay of last_ms (0: there was none): twice as long, from min to max. */
int64_t backoff_next(int64_t last_ms, int64_t min_ms, int64_t max_ms);

/* At most one each each_ms, and burst of them at once after a while without any. */
struct pace {
	int64_t each_ms;
	int64_t burst;          /* at least 1 */
	int64_t paid_ms;        /* what was done is paid for by then; 0 at the beginning */
};

/* The time until one more may be; 0: now. now_ms never goes back. */
int64_t pace_wait(const struct pace *p, int64_t now_ms);

/* It was done, or will be when its time has come. */
void pace_count(struct pace *p, int64_t now_ms);

#endif
