/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a thread of drover-bench does without an event: lists, tickets, and what
 * is given up in the end. No loop runs, and nothing is connected.
 */
#include <config.h>
#include "bench_turn.h"

#include "bench_accounting.h"
#include "bench_work.h"
#include "unit.h"

enum { CLIENTS = 3 };

static struct bench_plan plan;
static struct bench_shared shared;
static struct bench_client clients[CLIENTS];
static struct bench_thread t;

static void before(void)
{
	plan = (struct bench_plan){ .mode = BENCH_CONNECT, .connections = CLIENTS, .threads = 1 };
	shared = (struct bench_shared){ .event_fd = -1 };
	t = (struct bench_thread){
		.plan = &plan, .shared = &shared, .n_clients = CLIENTS, .clients = clients,
		.now = { .phase = BENCH_PHASE_MEASURE, .end_ns = INT64_MAX }, .active = true,
		.lane = { .plan = &plan },
	};
	list_init(&t.to_open);
	list_init(&t.retrying);
	list_init(&t.ready);
	list_init(&t.idle);
	for (int i = 0; i < CLIENTS; i++) {
		clients[i] = (struct bench_client){ .fd = -1 };
		list_init(&clients[i].link);
	}
}

START_TEST(the_last_ticket_is_known_to_be_the_last)
{
	plan.count = 5;
	atomic_store(&shared.tickets, 5);
	ck_assert_uint_eq(bench_accounting_take(&t, 4), 4);
	ck_assert(!t.no_tickets);
	ck_assert_uint_eq(bench_accounting_take(&t, 1), 1);
	ck_assert(t.no_tickets);
	ck_assert_uint_eq(bench_accounting_take(&t, 1), 0);
} END_TEST

START_TEST(a_connection_that_asks_for_too_many_gets_what_there_is)
{
	plan.count = 5;
	atomic_store(&shared.tickets, 5);
	ck_assert_uint_eq(bench_accounting_take(&t, 100), 5);
	ck_assert(t.no_tickets);
} END_TEST

/* As on a unix socket whose queue is full. */
START_TEST(a_connection_that_waits_for_room_is_given_up_when_time_is_up)
{
	clients[1].busy = true;
	clients[1].retry_ns = INT64_MAX;
	t.busy = 1;
	bench_work_move(&t.retrying, &clients[1]);
	bench_turn_advance(&t);
	ck_assert(!bench_work_is_over(&t));
	bench_work_stop(&t);
	bench_turn_advance(&t);
	ck_assert(bench_work_is_over(&t));
	ck_assert_uint_eq(t.busy, 0);
	ck_assert_uint_eq(tally_failures(&t.tally), 0);
} END_TEST

int main(void)
{
	Suite *s = suite_create("bench_turn");
	TCase *tc = unit_case(s, "turn", before, NULL);

	tcase_add_test(tc, the_last_ticket_is_known_to_be_the_last);
	tcase_add_test(tc, a_connection_that_asks_for_too_many_gets_what_there_is);
	tcase_add_test(tc, a_connection_that_waits_for_room_is_given_up_when_time_is_up);
	return unit_run(s);
}
