/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Counts durations by their length, in few classes whose bounds never change: so histograms of
 * several processes, or of several versions, can be added up. It does not know what took so long.
 */
#ifndef DROVER_BASE_HISTOGRAM_H
#define DROVER_BASE_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

/*
 * The longest duration of each bucket but the last, in milliseconds: about four times that of the
 * bucket before. In seconds: 0.001, 0.004, 0.016, 0.064, 0.256, 1, 4, 16, 64, 256, 1024, 4096.
 */
#define HISTOGRAM_BOUNDS(X) \
	X(1) X(4) X(16) X(64) X(256) \
	X(1000) X(4000) X(16000) X(64000) X(256000) X(1024000) X(4096000)

#define HISTOGRAM_ONE_MORE(ms) +1
#define HISTOGRAM_BUCKETS (1 HISTOGRAM_BOUNDS(HISTOGRAM_ONE_MORE))    /* the last is for all that is longer */

struct histogram {                      /* all zero: empty */
	uint64_t buckets[HISTOGRAM_BUCKETS];    /* how many durations belong to each */
	uint64_t sum_ms;                /* of all durations */
};

/* The bucket of a duration; that of 0 also for a negative one. */
size_t histogram_bucket(int64_t ms);

/* The longest duration of a bucket, which is not the last. */
int64_t histogram_bound_ms(size_t bucket);

/* How many durations there are. */
uint64_t histogram_count(const struct histogram *h);

/* Adds the durations of more. */
void histogram_add(struct histogram *h, const struct histogram *more);

#endif
