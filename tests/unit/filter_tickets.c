/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The requests that a process of a filter has, and those that it has not read.
 */
#include <config.h>
#include "filter_tickets.h"

#include "filter_process.h"
#include "unit.h"

#define ROOM 3

static struct filter_tickets tickets;
static struct filter_request requests[ROOM];

static void set_up(void)
{
	ck_assert_int_eq(filter_tickets_init(&tickets, ROOM), 0);
}

static void tear_down(void)
{
	filter_tickets_fini(&tickets);
}

START_TEST(the_oldest_comes_first_however_often_the_ring_goes_round)
{
	filter_tickets_put(&tickets, &requests[0], 1, 100);
	for (int i = 0; i < 3 * ROOM; i++) {
		filter_tickets_put(&tickets, &requests[(i + 1) % ROOM], 1, 101 + i);
		ck_assert_int_eq(filter_tickets_put_ms(&tickets), 100 + i);
		ck_assert_uint_eq(tickets.n, 2);
		ck_assert_ptr_eq(filter_tickets_take(&tickets), &requests[i % ROOM]);
	}
	ck_assert_uint_eq(tickets.n, 1);
} END_TEST

START_TEST(a_request_that_is_forgotten_leaves_a_ticket_without_a_name)
{
	for (int i = 0; i < ROOM; i++)
		filter_tickets_put(&tickets, &requests[i], 1, 0);
	filter_tickets_forget(&tickets, &requests[1]);
	ck_assert_uint_eq(tickets.n, ROOM);
	ck_assert_ptr_eq(filter_tickets_take(&tickets), &requests[0]);
	ck_assert_ptr_null(filter_tickets_take(&tickets));
	ck_assert_ptr_eq(filter_tickets_take(&tickets), &requests[2]);
	ck_assert_uint_eq(tickets.n, 0);
} END_TEST

static const struct { const char *name; size_t sizes[ROOM], n, unread, want; } unread[] = {
	{ "nothing there",          { 0 },             0, 0,  0 },
	{ "all was read",           { 5, 5 },          2, 0,  0 },
	{ "the last one was not",   { 5, 7 },          2, 7,  1 },
	{ "half of it was",         { 5, 7 },          2, 6,  0 },
	{ "half of the first was",  { 5, 7 },          2, 10, 1 },
	{ "none was",               { 5, 7, 1 },       3, 13, 3 },
	{ "there is more",          { 5, 7, 1 },       3, 99, 3 },
};

START_TEST(unread_requests_are_whole_ones_at_the_end)
{
	/* From any place in the ring. */
	for (size_t first = 0; first < ROOM; first++) {
		tickets.first = first;
		tickets.n = 0;
		for (size_t i = 0; i < unread[_i].n; i++)
			filter_tickets_put(&tickets, &requests[i], unread[_i].sizes[i], 0);
		ck_assert_msg(filter_tickets_count_unread(&tickets, unread[_i].unread) ==
		              unread[_i].want, "%s, from %zu", unread[_i].name, first);
	}
} END_TEST

int main(void)
{
	Suite *s = suite_create("filter_tickets");
	TCase *tc = unit_case(s, "tickets", set_up, tear_down);

	tcase_add_test(tc, the_oldest_comes_first_however_often_the_ring_goes_round);
	tcase_add_test(tc, a_request_that_is_forgotten_leaves_a_ticket_without_a_name);
	tcase_add_loop_test(tc, unread_requests_are_whole_ones_at_the_end, 0, (int)ARRAY_SIZE(unread));
	return unit_run(s);
}
