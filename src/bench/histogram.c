/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Counts durations in log-linear classes: each of the first 128 classes holds one value,
 * and each power of two above them is divided into 64 classes.
 */
#include <config.h>
#include "histogram.h"

#define PER_POWER (1u << HISTOGRAM_BITS)

unsigned histogram_class(uint64_t value)
{
	unsigned shift;

	if (value < 2 * PER_POWER)
		return (unsigned)value;
	shift = 63 - HISTOGRAM_BITS - (unsigned)__builtin_clzll(value);
	return shift * PER_POWER + (unsigned)(value >> shift);
}

uint64_t histogram_first(unsigned class)
{
	unsigned shift;

	if (class < 2 * PER_POWER)
		return class;
	shift = class / PER_POWER - 1;
	return (uint64_t)(class - shift * PER_POWER) << shift;
}

uint64_t histogram_last(unsigned class)
{
	return class + 1 < HISTOGRAM_CLASSES ? histogram_first(class + 1) - 1 : UINT64_MAX;
}

void histogram_record(struct histogram *h, uint64_t value)
{
	if (h->count == 0 || value < h->min)
		h->min = value;
	if (value > h->max)
		h->max = value;
	h->count++;
	h->sum += (double)value;
	h->classes[histogram_class(value)]++;
}

void histogram_merge(struct histogram *h, const struct histogram *from)
{
	if (from->count == 0)
		return;
	if (h->count == 0 || from->min < h->min)
		h->min = from->min;
	if (from->max > h->max)
		h->max = from->max;
	h->count += from->count;
	h->sum += from->sum;
	for (unsigned i = 0; i < HISTOGRAM_CLASSES; i++)
		h->classes[i] += from->classes[i];
}

static uint64_t within(uint64_t value, uint64_t min, uint64_t max)
{
	return value < min ? min : value > max ? max : value;
}

uint64_t histogram_percentile(const struct histogram *h, double share)
{
	uint64_t seen = 0;

	for (unsigned i = 0; i < HISTOGRAM_CLASSES; i++) {
		seen += h->classes[i];
		if (seen > 0 && (double)seen >= share * (double)h->count)
			return within(histogram_last(i), h->min, h->max);
	}
	return h->max;
}

double histogram_mean(const struct histogram *h)
{
	return h->count ? h->sum / (double)h->count : 0;
}
