/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Token buckets: what they give at once and after a while, at any time of the
 * clock and with the largest numbers.
 */
#include <config.h>
#include "bucket.h"

#include "unit.h"

static const struct {
	const char *name;
	int64_t rate, burst, begin_ms;
	struct { int64_t n, after_ms; bool want; } takes[6];    /* n 0: no more */
} rows[] = {
	{ "a full one gives its burst, and no more", 10, 3, 0,
	  { { 1, 0, true }, { 1, 0, true }, { 1, 0, true }, { 1, 0, false } } },
	{ "one comes back after its time, not before", 10, 3, 5000,
	  { { 3, 0, true }, { 1, 99, false }, { 1, 1, true }, { 1, 0, false } } },
	{ "all or none", 10, 3, 0,
	  { { 2, 0, true }, { 2, 0, false }, { 1, 0, true } } },
	{ "what was refused costs nothing", 10, 3, 0,
	  { { 3, 0, true }, { 3, 200, false }, { 3, 99, false }, { 3, 1, true } } },
	{ "more than the burst is never there", 10, 3, 0,
	  { { 4, 0, false }, { 4, 1000000, false }, { 3, 0, true } } },
	{ "it does not get fuller than full", 10, 3, 0,
	  { { 3, 1000000, true }, { 1, 0, false } } },
	{ "no bound", 0, 3, 0,
	  { { 3, 0, true }, { INT64_MAX, 0, true }, { 3, 0, true } } },
	{ "a clock that has just begun", 1, 1, 0,
	  { { 1, 0, true }, { 1, 999, false }, { 1, 1, true } } },
	{ "a clock of ten years", 1, 1, INT64_C(315360000000),
	  { { 1, 0, true }, { 1, 999, false }, { 1, 1, true } } },
	{ "a third of a second is rounded up", 3, 1, 0,
	  { { 1, 0, true }, { 1, 333, false }, { 1, 1, true } } },
	{ "more tokens than nanoseconds", BUCKET_MAX, BUCKET_MAX, 0,
	  { { BUCKET_MAX, 0, true }, { 1000000, 0, false }, { 1000000, 1, true } } },
	{ "the largest burst at the lowest rate", 1, BUCKET_MAX, 0,
	  { { BUCKET_MAX, 0, true }, { 1, 999, false }, { 1, 1, true } } },
};

START_TEST(a_bucket_gives_what_is_there)
{
	struct bucket b = { .rate = rows[_i].rate, .burst = rows[_i].burst };
	int64_t now_ms = rows[_i].begin_ms;

	for (size_t i = 0; i < ARRAY_SIZE(rows[_i].takes) && rows[_i].takes[i].n > 0; i++) {
		now_ms += rows[_i].takes[i].after_ms;
		ck_assert_msg(bucket_take(&b, rows[_i].takes[i].n, now_ms) == rows[_i].takes[i].want,
		              "%s: %zu", rows[_i].name, i);
	}
} END_TEST

/* Whatever is asked of it, every millisecond for ten seconds. */
START_TEST(no_more_than_the_burst_and_the_rate_in_any_time)
{
	static const int64_t sizes[] = { 1, 7, 64, 100, 999 };
	struct bucket b = { .rate = 5000, .burst = 1000 };
	int64_t sum = 0;

	for (int64_t now_ms = 0; now_ms <= 10000; now_ms++)
		for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
			if (bucket_take(&b, sizes[i], now_ms))
				sum += sizes[i];
	ck_assert_int_le(sum, b.burst + 10 * b.rate);
	ck_assert_int_gt(sum, b.burst + 10 * b.rate - 7);       /* nor less: some ask for 7 */
} END_TEST

START_TEST(two_that_share_what_is_paid_share_the_bound)
{
	const struct bucket b = { .rate = 10, .burst = 3 };
	int64_t paid_ns = 0;

	for (int i = 0; i < 3; i++) {
		paid_ns = bucket_after(&b, paid_ns, 1, 1000);
		ck_assert_int_gt(paid_ns, 0);
	}
	ck_assert_int_eq(bucket_after(&b, paid_ns, 1, 1099), -1);
	ck_assert_int_gt(bucket_after(&b, paid_ns, 1, 1100), paid_ns);
} END_TEST

/* 30/m with a burst of 2: a token costs two seconds. */
START_TEST(a_rate_of_less_than_one_a_second)
{
	const int64_t interval_ns = INT64_C(2000000000), depth_ns = 2 * interval_ns;
	const int64_t now_ns = INT64_C(5000000000000);
	int64_t paid_ns = 0;

	for (int i = 0; i < 2; i++)
		paid_ns = bucket_pay(paid_ns, interval_ns, depth_ns, now_ns);
	ck_assert_int_eq(paid_ns, now_ns + depth_ns);
	ck_assert_int_eq(bucket_pay(paid_ns, interval_ns, depth_ns, now_ns), -1);
	ck_assert_int_eq(bucket_pay(paid_ns, interval_ns, depth_ns, now_ns + interval_ns - 1), -1);
	ck_assert_int_eq(bucket_pay(paid_ns, interval_ns, depth_ns, now_ns + interval_ns),
	                 paid_ns + interval_ns);
	ck_assert_int_eq(bucket_pay(paid_ns, interval_ns, depth_ns, paid_ns + 1),
	                 paid_ns + 1 + interval_ns);
} END_TEST

int main(void)
{
	Suite *s = suite_create("bucket");
	TCase *tc = unit_case(s, "bucket", NULL, NULL);

	tcase_add_loop_test(tc, a_bucket_gives_what_is_there, 0, ARRAY_SIZE(rows));
	tcase_add_test(tc, no_more_than_the_burst_and_the_rate_in_any_time);
	tcase_add_test(tc, two_that_share_what_is_paid_share_the_bound);
	tcase_add_test(tc, a_rate_of_less_than_one_a_second);
	return unit_run(s);
}
