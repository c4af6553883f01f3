/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A rate that several processes share: a token bucket (bucket.h) whose only state is one word in
 * shared memory, and that is changed without a lock. It does not know what is limited. Times are
 * nanoseconds of CLOCK_MONOTONIC (clock_ns).
 */
#ifndef DROVER_SHARED_SHARED_RATE_H
#define DROVER_SHARED_SHARED_RATE_H

#include <stdatomic.h>
#include <stdint.h>

#include "bucket.h"

/* Takes a token: 0; or takes none, and returns how long until there is one. 0 if there is no limit. */
int64_t shared_rate_pay(_Atomic int64_t *paid_ns, const struct bucket_rate *rate, int64_t now_ns);

/* How long until there is a token: 0 if there is one now. Takes none. */
int64_t shared_rate_wait(_Atomic int64_t *paid_ns, const struct bucket_rate *rate, int64_t now_ns);

/* The same without writing, for a bucket whose word was read as paid_ns. */
int64_t shared_rate_wait_of(const struct bucket_rate *rate, int64_t paid_ns, int64_t now_ns);

#endif
