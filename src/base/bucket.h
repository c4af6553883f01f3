/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A token bucket: a burst at once, and a rate per second after that. For rates
 * that are too high for struct pace (backoff.h), whose unit is a millisecond.
 * Pure arithmetic: the time is an argument.
 */
#ifndef DROVER_BASE_BUCKET_H
#define DROVER_BASE_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

#define BUCKET_MAX INT64_C(4000000000)  /* the most that burst may be */

struct bucket {
	int64_t rate;           /* tokens a second; 0: no bound */
	int64_t burst;          /* tokens in a full bucket: 1 to BUCKET_MAX */
	int64_t paid_ns;        /* when the bucket is full again; 0 at the beginning */
};

/*
 * Takes n tokens; or takes none and returns false if there are fewer than n. A bucket never
 * holds more than burst. now_ms is of a clock that does not go back.
 */
bool bucket_take(struct bucket *b, int64_t n, int64_t now_ms);

/*
 * The same on a paid_ns that the caller keeps, e.g. one that several processes
 * share: returns what it becomes, or -1 if there are fewer than n.
 */
int64_t bucket_after(const struct bucket *b, int64_t paid_ns, int64_t n, int64_t now_ms);

/* A rate in the form that is used without a division, also one of less than a token a second. */
struct bucket_rate {
	int64_t interval_ns;    /* a token costs that much; 0: no bound */
	int64_t depth_ns;       /* and so much a full bucket: at least interval_ns */
};

/*
 * The same in times: takes cost_ns from a bucket of depth_ns, and returns what paid_ns becomes; or
 * -1 if that is more than there is.
 */
int64_t bucket_pay(int64_t paid_ns, int64_t cost_ns, int64_t depth_ns, int64_t now_ns);

#endif
