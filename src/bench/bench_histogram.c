/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Counts durations in log-linear classes: each of the first 128 classes holds one value,
 * and each power of two above them is divided into 64 classes.
 */
#include <config.h>
#include "bench_histogram.h"

#define PER_POWER (1u << BENCH_HISTOGRAM_BITS)

unsigned bench_histogram_class(uint64_t value)
{
	unsigned shift;

	if (value < 2 * PER_POWER)
		return (unsigned)value;
	shift = 63 - BENCH_HISTOGRAM_BITS - (unsigned)__builtin_clzll(value);
	return shift * PER_POWER + (unsigned)(value >> shift);
}

uint64_t bench_histogram_first(unsigned class)
{
	unsigned shift;

	if (class < 2 * PER_POWER)
		return class;
	shift = class / PER_POWER - 1;
	return (uint64_t)(class - shift * PER_POWER) << shift;
}

uint64_t bench_histogram_last(unsigned class)
{
	return class + 1 < BENCH_HISTOGRAM_CLASSES ? bench_histogram_first(class + 1) - 1 : UINT64_MAX;
}

void bench_histogram_record(struct bench_histogram *h, uint64_t value)
{
	if (h->count == 0 || value < h->min)
		h->min = value;
	if (value > h->max)
		h->max = value;
	h->count++;
	h->sum += (double)value;
	h->classes[bench_histogram_class(value)]++;
}

void bench_histogram_merge(struct bench_histogram *h, const struct bench_histogram *from)
{
	if (from->count == 0)
		return;
	if (h->count == 0 || from->min < h->min)
		h->min = from->min;
	if (from->max > h->max)
		h->max = from->max;
	h->count += from->count;
	h->sum += from->sum;
	for (unsigned i = 0; i < BENCH_HISTOGRAM_CLASSES; i++)
		h->classes[i] += from->classes[i];
}

static uint64_t within(uint64_t value, uint64_t min, uint64_t max)
{
	return value < min ? min : value > max ? max : value;
}

uint64_t bench_histogram_percentile(const struct bench_histogram *h, double share)
{
	uint64_t seen = 0;

	for (unsigned i = 0; i < BENCH_HISTOGRAM_CLASSES; i++) {
		seen += h->classes[i];
		if (seen > 0 && (double)seen >= share * (double)h->count)
			return within(bench_histogram_last(i), h->min, h->max);
	}
	return h->max;
}

double bench_histogram_mean(const struct bench_histogram *h)
{
	return h->count ? h->sum / (double)h->count : 0;
}
