/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The places and the rate of the service as a whole: two words in the header of the memory of sources.
 * It does not know sources.
 */
#include <config.h>
#include "sources_private.h"

#include "shared_rate.h"

/* Adds a place, unless `limit` are taken. */
static bool add_to_service(struct sources *s, uint32_t limit)
{
	uint64_t seen = atomic_load(&s->header->count);

	do {
		if (service_count_in(seen) >= (limit > 0 ? limit : UINT32_MAX))
			return false;
	} while (!atomic_compare_exchange_weak(&s->header->count, &seen,
	                                       service_changed(seen, service_count_in(seen) + 1)));
	return true;
}

void sources_reclaim_service(struct sources *s, uint32_t n)
{
	uint64_t seen = atomic_load(&s->header->count);
	uint32_t count;

	do {
		count = service_count_in(seen);
	} while (!atomic_compare_exchange_weak(&s->header->count, &seen,
	                                       service_changed(seen, count > n ? count - n : 0)));
}

bool sources_take_service(struct sources *s, struct service_hold *h, uint32_t limit)
{
	struct service_hold_view now = service_hold_get(h);
	bool taken;

	/* At the limit nothing is written: the others need the cache line. */
	if (service_count_in(atomic_load_explicit(&s->header->count, memory_order_relaxed)) >=
	    (limit > 0 ? limit : UINT32_MAX))
		return false;
	now.intent = true;
	service_hold_set(h, now);
	taken = add_to_service(s, limit);
	service_hold_set(h, (struct service_hold_view){ .held = now.held + taken });
	return taken;
}

void sources_give_service(struct sources *s, struct service_hold *h)
{
	struct service_hold_view now = service_hold_get(h);

	if (now.held == 0)
		return;
	/* What may have been given back is not among the places held: in doubt, the count is too high. */
	service_hold_set(h, (struct service_hold_view){ .held = now.held - 1, .intent = true });
	sources_reclaim_service(s, 1);
	service_hold_set(h, (struct service_hold_view){ .held = now.held - 1 });
}

uint32_t sources_service_count(const struct sources *s)
{
	return service_count_in(atomic_load_explicit(&s->header->count, memory_order_relaxed));
}

int64_t sources_service_wait_ns(struct sources *s, const struct bucket_rate *rate, int64_t now_ns)
{
	return shared_rate_wait(&s->header->paid_ns, rate, now_ns);
}

int64_t sources_service_pay(struct sources *s, const struct bucket_rate *rate, int64_t now_ns)
{
	return shared_rate_pay(&s->header->paid_ns, rate, now_ns);
}

void sources_service_refund(struct sources *s, const struct bucket_rate *rate)
{
	atomic_fetch_sub(&s->header->paid_ns, rate->interval_ns);
}

/* ---- for the audit ------------------------------------------------------ */

struct sources_count sources_look_at_service(const struct sources *s)
{
	return (struct sources_count){ atomic_load(&s->header->count) };
}

uint32_t sources_service_count_of(struct sources_count c)
{
	return service_count_in(c.word);
}

bool sources_correct_service(struct sources *s, struct sources_count seen, uint32_t count)
{
	return atomic_compare_exchange_strong(&s->header->count, &seen.word,
	                                      service_changed(seen.word, count));
}
