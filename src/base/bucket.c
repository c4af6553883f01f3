/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The generic cell rate algorithm (ITU-T I.371), in nanoseconds: one number says
 * when everything that was taken will have come back.
 */
#include <config.h>
#include "bucket.h"

#define SECOND_NS INT64_C(1000000000)
#define MS_NS     INT64_C(1000000)

/* Rounded up: at a high rate, a cost rounded down to 0 would be no bound. n is at most BUCKET_MAX. */
static int64_t cost_ns(const struct bucket *b, int64_t n)
{
	return n / b->rate * SECOND_NS + (n % b->rate * SECOND_NS + b->rate - 1) / b->rate;
}

int64_t bucket_pay(int64_t paid_ns, int64_t cost_ns, int64_t depth_ns, int64_t now_ns)
{
	const int64_t owed_ns = paid_ns > now_ns ? paid_ns - now_ns : 0;

	return owed_ns > depth_ns - cost_ns ? -1 : now_ns + owed_ns + cost_ns;
}

int64_t bucket_after(const struct bucket *b, int64_t paid_ns, int64_t n, int64_t now_ms)
{
	if (b->rate == 0)
		return paid_ns;
	if (n > b->burst)
		return -1;
	return bucket_pay(paid_ns, cost_ns(b, n), cost_ns(b, b->burst), now_ms * MS_NS);
}

bool bucket_take(struct bucket *b, int64_t n, int64_t now_ms)
{
	const int64_t paid_ns = bucket_after(b, b->paid_ns, n, now_ms);

	if (paid_ns == -1)
		return false;
	b->paid_ns = paid_ns;
	return true;
}
