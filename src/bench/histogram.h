/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Counts how often each duration was seen, in classes that grow with the duration. Each class is
 * 1/64 of a power of two wide, so that each result is exact to 1.6 %. Recording one takes a few
 * instructions.
 */
#ifndef DROVER_BENCH_HISTOGRAM_H
#define DROVER_BENCH_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_BITS    6
#define HISTOGRAM_CLASSES ((65 - HISTOGRAM_BITS) << HISTOGRAM_BITS)

/* All zero: empty. */
struct histogram {
	uint64_t count;
	uint64_t min, max;              /* exact; 0 if empty */
	double   sum;
	uint64_t classes[HISTOGRAM_CLASSES];
};

void histogram_record(struct histogram *h, uint64_t value);

/* Adds the values of from. */
void histogram_merge(struct histogram *h, const struct histogram *from);

/*
 * The value that this share (0 to 1) of all values does not exceed: the upper
 * end of its class, but never beyond min and max. 0 if empty.
 */
uint64_t histogram_percentile(const struct histogram *h, double share);
double histogram_mean(const struct histogram *h);

/* The class of a value, and its first and last value. */
unsigned histogram_class(uint64_t value);
uint64_t histogram_first(unsigned class);
uint64_t histogram_last(unsigned class);

#endif
