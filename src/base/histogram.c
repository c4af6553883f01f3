/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Finds the bucket of a duration, and adds up histograms.
 */
#include <config.h>
#include "histogram.h"

#include <assert.h>

static const int64_t bounds_ms[] = {
#define X(ms) ms,
	HISTOGRAM_BOUNDS(X)
#undef X
};

#define LAST (HISTOGRAM_BUCKETS - 1)

size_t histogram_bucket(int64_t ms)
{
	size_t i = 0;

	while (i < LAST && ms > bounds_ms[i])   /* most durations are short */
		i++;
	return i;
}

int64_t histogram_bound_ms(size_t bucket)
{
	assert(bucket < LAST);
	return bounds_ms[bucket];
}

uint64_t histogram_count(const struct histogram *h)
{
	uint64_t n = 0;

	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
		n += h->buckets[i];
	return n;
}

void histogram_add(struct histogram *h, const struct histogram *more)
{
	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
		h->buckets[i] += more->buckets[i];
	h->sum_ms += more->sum_ms;
}
