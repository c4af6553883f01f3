/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Says how long to wait before the next attempt of something that keeps failing, and limits
 * how often something is done. Times are in milliseconds.
 */
#ifndef DROVER_BASE_BACKOFF_H
#define DROVER_BASE_BACKOFF_H

#include <stdint.h>

/* The delay after a delay of last_ms (0: there was none): twice as long, from min to max. */
int64_t backoff_next(int64_t last_ms, int64_t min_ms, int64_t max_ms);

/*
 * The delay before a process of drover itself is replaced that has died after lived_ms (0: it could not
 * even be forked), and that had a delay of last_ms before it. None, if it has lived for 10 seconds; else
 * 100 ms, and twice as long for each one that dies young, up to 10 seconds.
 */
int64_t backoff_of_process(int64_t last_ms, int64_t lived_ms);

/* Allows one event in each_ms milliseconds, and after a pause up to burst events at once. */
struct pace {
	int64_t each_ms;
	int64_t burst;          /* at least 1 */
	int64_t paid_ms;        /* when the events so far are paid for; 0 at the beginning */
};

/* Milliseconds until one more event is allowed; 0: now. now_ms never goes back. */
int64_t pace_wait(const struct pace *p, int64_t now_ms);

/* Counts an event that has happened, or that will happen when its time has come. */
void pace_count(struct pace *p, int64_t now_ms);

#endif
