/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Uses one token bucket for all workers of a service, which is on their board. A worker that
 * writes nonsense there silences only the programs of its own service.
 */
#include <config.h>
#include "stderr_rate.h"

#include <stdatomic.h>
#include <string.h>

#include "list.h"
#include "log.h"
#include "units.h"

static void tell_dropped(struct stderr_rate *r)
{
	log_about(LOG_LEVEL_WARNING, LOG_ABOUT(.event = LOG_EVENT_OUTPUT_DROPPED),
	          "%s: dropped %llu lines (%llu bytes) that programs wrote to standard error", r->service,
	          (unsigned long long)r->lines, (unsigned long long)r->bytes);
	r->lines = r->bytes = 0;
}

static void on_calm(struct timer *t)
{
	struct stderr_rate *r = container_of(t, struct stderr_rate, calm);

	if (r->last_ms + STDERR_RATE_CALM_MS > r->loop->now_ms)
		loop_timer_at(r->loop, t, r->last_ms + STDERR_RATE_CALM_MS);
	else
		tell_dropped(r);
}

void stderr_rate_init(struct stderr_rate *r, struct loop *l, const char *service, int64_t rate,
                      _Atomic int64_t *paid_ns)
{
	const int64_t burst = rate * STDERR_RATE_BURST;

	/* However low the rate is, the longest line must fit into the bucket. */
	*r = (struct stderr_rate){
		.loop = l, .service = service, .paid_ns = paid_ns, .calm.fire = on_calm,
		.bucket = { .rate = rate, .burst = burst > 2 * LOG_LINE_MAX ? burst : 2 * LOG_LINE_MAX },
	};
}

/* Other workers may take from the bucket at the same time. */
static bool take_from_bucket(const struct stderr_rate *r, int64_t n)
{
	int64_t before = atomic_load_explicit(r->paid_ns, memory_order_relaxed), after;

	do {
		after = bucket_after(&r->bucket, before, n, r->loop->now_ms);
		if (after == -1)
			return false;
	} while (!atomic_compare_exchange_weak(r->paid_ns, &before, after));
	return true;
}

static void begin_dropping(struct stderr_rate *r, const char *program)
{
	char rate[UNITS_TEXT_MAX];

	log_about(LOG_LEVEL_WARNING, LOG_ABOUT(.event = LOG_EVENT_OUTPUT_DROPPED),
	          "%s: programs write more than %s a second to standard error; dropping the rest,"
	          " first of %s", r->service, units_format_size(r->bucket.rate, rate), program);
	loop_timer(r->loop, &r->calm, STDERR_RATE_CALM_MS);
}

bool stderr_rate_takes(struct stderr_rate *r, const char *program, size_t len)
{
	if (r->bucket.rate == 0 || take_from_bucket(r, (int64_t)(STDERR_RATE_HEAD + strlen(program) + len)))
		return true;
	if (r->lines == 0)
		begin_dropping(r, program);
	r->lines++;
	r->bytes += len;
	r->last_ms = r->loop->now_ms;
	return false;
}

void stderr_rate_fini(struct stderr_rate *r)
{
	timer_unset(&r->loop->timers, &r->calm);
	if (r->lines > 0)
		tell_dropped(r);
}
