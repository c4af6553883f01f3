/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Computes points in time, one after the other. It does not read the clock.
 */
#include <config.h>
#include "schedule.h"

#include <math.h>

/* Uniform in (0, 1]: xorshift64. */
static double draw(struct schedule *s)
{
	s->random ^= s->random << 13;
	s->random ^= s->random >> 7;
	s->random ^= s->random << 17;
	return (double)((s->random >> 11) + 1) / (double)(UINT64_C(1) << 53);
}

static double gap(struct schedule *s)
{
	return s->poisson ? -log(draw(s)) * s->interval_ns : s->interval_ns;
}

struct schedule schedule_from(int64_t start_ns, double rate, unsigned index, unsigned n, bool poisson)
{
	struct schedule s = {
		.interval_ns = 1e9 * n / rate, .start_ns = start_ns, .poisson = poisson,
		.random = UINT64_C(0x9e3779b97f4a7c15) * (index + 1),
	};

	s.at_ns = poisson ? gap(&s) : 1e9 * index / rate;
	return s;
}

int64_t schedule_at(const struct schedule *s)
{
	return s->start_ns + (int64_t)s->at_ns;
}

void schedule_advance(struct schedule *s)
{
	s->at_ns += gap(s);
}

void schedule_forgive(struct schedule *s, int64_t now_ns, int64_t at_most_ns)
{
	const double earliest = (double)(now_ns - at_most_ns - s->start_ns);

	if (s->at_ns < earliest)
		s->at_ns = earliest;
}

uint64_t schedule_skip(struct schedule *s, int64_t end_ns)
{
	uint64_t n = 0;

	for (; schedule_at(s) < end_ns; schedule_advance(s))
		n++;
	return n;
}
