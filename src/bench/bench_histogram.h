/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Counts how often each duration was seen, in classes that grow with the duration. Each class is
 * 1/64 of a power of two wide, so that each result is exact to 1.6 %. Recording one takes a few
 * instructions.
 */
#ifndef DROVER_BENCH_BENCH_HISTOGRAM_H
#define DROVER_BENCH_BENCH_HISTOGRAM_H

#include <stdint.h>

#define BENCH_HISTOGRAM_BITS    6
#define BENCH_HISTOGRAM_CLASSES ((65 - BENCH_HISTOGRAM_BITS) << BENCH_HISTOGRAM_BITS)

/* All zero: empty. */
struct bench_histogram {
	uint64_t count;
	uint64_t min, max;              /* exact; 0 if empty */
	double   sum;
	uint64_t classes[BENCH_HISTOGRAM_CLASSES];
};

void bench_histogram_record(struct bench_histogram *h, uint64_t value);

/* Adds the values of from. */
void bench_histogram_merge(struct bench_histogram *h, const struct bench_histogram *from);

/*
 * The value that this share (0 to 1) of all values does not exceed: the upper
 * end of its class, but never beyond min and max. 0 if empty.
 */
uint64_t bench_histogram_percentile(const struct bench_histogram *h, double share);
double bench_histogram_mean(const struct bench_histogram *h);

/* The class of a value, and its first and last value. */
unsigned bench_histogram_class(uint64_t value);
uint64_t bench_histogram_first(unsigned class);
uint64_t bench_histogram_last(unsigned class);

#endif
