/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The word says when the bucket is full again. A look that finds a time which no bucket of the rate
 * can have repairs it.
 */
#include <config.h>
#include "shared_rate.h"

#include <stdbool.h>

/*
 * A bucket that comes back later than any bucket of this rate can: the rate was lower, or the burst
 * larger, before a reload; or a broken worker wrote here. The second allows for clocks that
 * were read a moment ago.
 */
static bool is_too_late(const struct bucket_rate *rate, int64_t paid_ns, int64_t now_ns)
{
	return paid_ns > now_ns + rate->depth_ns + INT64_C(1000000000);
}

/* Such a bucket becomes an empty one, which is full again in time. */
static void repair(_Atomic int64_t *paid_ns, const struct bucket_rate *rate, int64_t now_ns)
{
	int64_t seen = atomic_load(paid_ns);

	if (is_too_late(rate, seen, now_ns))
		atomic_compare_exchange_strong(paid_ns, &seen, now_ns + rate->depth_ns);
}

int64_t shared_rate_wait_of(const struct bucket_rate *rate, int64_t paid_ns, int64_t now_ns)
{
	const int64_t latest_ns = now_ns + rate->depth_ns - rate->interval_ns;

	if (rate->interval_ns == 0 || paid_ns <= latest_ns)
		return 0;
	return is_too_late(rate, paid_ns, now_ns) ? rate->interval_ns : paid_ns - latest_ns;
}

int64_t shared_rate_wait(_Atomic int64_t *paid_ns, const struct bucket_rate *rate, int64_t now_ns)
{
	if (rate->interval_ns == 0)
		return 0;
	repair(paid_ns, rate, now_ns);
	return shared_rate_wait_of(rate, atomic_load(paid_ns), now_ns);
}

int64_t shared_rate_pay(_Atomic int64_t *paid_ns, const struct bucket_rate *rate, int64_t now_ns)
{
	int64_t seen, next;

	if (rate->interval_ns == 0)
		return 0;
	repair(paid_ns, rate, now_ns);
	seen = atomic_load(paid_ns);
	do {
		next = bucket_pay(seen, rate->interval_ns, rate->depth_ns, now_ns);
		if (next == -1)
			return shared_rate_wait_of(rate, seen, now_ns);
	} while (!atomic_compare_exchange_weak(paid_ns, &seen, next));
	return 0;
}
