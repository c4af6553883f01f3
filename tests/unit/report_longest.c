/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which connections are among the longest.
 */
#include <config.h>
#include "report_longest.h"

#include "unit.h"

#define MANY 1000

static struct report_longest longest;

static void offer(size_t worker, int64_t since_ms)
{
	report_longest_offer(&longest, worker, &(struct board_connection_view){ .since_ms = since_ms });
}

static void expect(size_t n, const int64_t *since_ms)
{
	ck_assert_uint_eq(longest.n, n);
	for (size_t i = 0; i < n; i++)
		ck_assert_int_eq(longest.rows[i].connection.since_ms, since_ms[i]);
}

START_TEST(a_few_are_put_in_order)
{
	expect(0, NULL);
	offer(0, 30);
	offer(0, 10);
	offer(0, 20);
	expect(3, (const int64_t[]){ 10, 20, 30 });
} END_TEST

START_TEST(of_many_the_longest_are_kept_in_whatever_order_they_come)
{
	int64_t want[REPORT_LONGEST_MAX];

	/* 389 and 1000 have no common divisor: each time from 0 to 999 comes once. */
	for (int i = 0; i < MANY; i++)
		offer(0, _i == 0 ? i : _i == 1 ? MANY - 1 - i : i * 389 % MANY);
	for (int i = 0; i < REPORT_LONGEST_MAX; i++)
		want[i] = i;
	expect(REPORT_LONGEST_MAX, want);
} END_TEST

START_TEST(of_equals_the_first_come_first)
{
	for (size_t i = 0; i < 2 * REPORT_LONGEST_MAX; i++)
		offer(i, 5);
	for (size_t i = 0; i < REPORT_LONGEST_MAX; i++)
		ck_assert_uint_eq(longest.rows[i].worker, i);
	offer(99, 4);
	ck_assert_uint_eq(longest.rows[0].worker, 99);
	ck_assert_uint_eq(longest.rows[REPORT_LONGEST_MAX - 1].worker, REPORT_LONGEST_MAX - 2);
} END_TEST

int main(void)
{
	Suite *s = suite_create("report_longest");
	TCase *tc = unit_case(s, "report_longest", NULL, NULL);

	tcase_add_test(tc, a_few_are_put_in_order);
	tcase_add_loop_test(tc, of_many_the_longest_are_kept_in_whatever_order_they_come, 0, 3);
	tcase_add_test(tc, of_equals_the_first_come_first);
	return unit_run(s);
}
