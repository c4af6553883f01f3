/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Counts operations and failures, and notices the end of the measured part, by time or by
 * number.
 */
#include <config.h>
#include "bench_accounting.h"

#include <sys/eventfd.h>

#include "clock.h"

#define GRACE_NS        INT64_C(3000000000)
#define TICKETS_AT_ONCE 64

void bench_accounting_look(struct bench_thread *t)
{
	t->lane.now_ns = clock_ns();
}

static void close_accounting(struct bench_thread *t, int64_t at_ns)
{
	t->ended_ns = at_ns < t->now.end_ns ? at_ns : t->now.end_ns;
	t->tally.bytes_sent = t->lane.bytes_sent - t->sent_before;
	t->tally.bytes_received = t->lane.bytes_received - t->received_before;
	if (t->plan->mode == BENCH_OPEN_LOOP && !t->no_tickets)
		t->tally.arrivals_unserved = schedule_skip(&t->arrivals, t->ended_ns);
	t->accounting_closed = true;
}

void bench_accounting_stop(struct bench_thread *t, int64_t at_ns)
{
	const int64_t timeout_ns = t->plan->timeout_ns;

	if (t->stopping)
		return;
	if (bench_accounting_is_counting(t))
		close_accounting(t, at_ns);
	t->stopping = true;
	t->grace_ns = at_ns + (timeout_ns < GRACE_NS ? timeout_ns : GRACE_NS);
}

bool bench_accounting_time_is_up(struct bench_thread *t)
{
	if (t->lane.now_ns >= t->now.end_ns)
		bench_accounting_stop(t, t->lane.now_ns);
	return t->stopping;
}

/* Moves a reasonable number of the shared tickets to t: n or more, if that many are left. */
static void draw_tickets(struct bench_thread *t, uint64_t n)
{
	atomic_uint_least64_t *tickets = &t->shared->tickets;
	uint64_t left = atomic_load_explicit(tickets, memory_order_relaxed), want;

	do {
		/* Near the end the portions are small, so that all threads end together. */
		want = left / (2 * t->plan->threads) + 1;
		want = want > TICKETS_AT_ONCE ? TICKETS_AT_ONCE : want;
		want = want < n ? n : want;
		want = want > left ? left : want;
	} while (!atomic_compare_exchange_weak_explicit(tickets, &left, left - want,
	                                                memory_order_relaxed, memory_order_relaxed));
	t->tickets += want;
}

uint64_t bench_accounting_take(struct bench_thread *t, uint64_t n)
{
	if (t->plan->count == 0 || t->now.phase != BENCH_PHASE_MEASURE)
		return n;
	if (t->tickets < n)
		draw_tickets(t, n - t->tickets);
	if (t->tickets < n) {
		t->no_tickets = true;
		n = t->tickets;
	}
	t->tickets -= n;
	if (t->tickets == 0 &&
	    atomic_load_explicit(&t->shared->tickets, memory_order_relaxed) == 0)
		t->no_tickets = true;
	return n;
}

bool bench_accounting_may_begin(struct bench_thread *t)
{
	return bench_accounting_is_running(t) && !bench_accounting_time_is_up(t) &&
	       bench_accounting_take(t, 1);
}

void bench_accounting_operations(struct bench_thread *t, uint64_t n)
{
	t->tally.operations += n;
	t->last_ns = t->lane.now_ns;
	atomic_store_explicit(&t->operations, t->tally.operations, memory_order_relaxed);
}

void bench_accounting_failure(struct bench_thread *t, const struct bench_client *c)
{
	if (t->accounting_closed || t->now.phase == BENCH_PHASE_WARM_UP)
		return;
	tally_failure(&t->tally, c->failure, c->error, c->reason);
	t->last_ns = t->lane.now_ns;
	if (atomic_fetch_add_explicit(&t->shared->errors, 1, memory_order_relaxed) + 1 ==
	    t->plan->max_errors)
		eventfd_write(t->shared->event_fd, 1);
}
