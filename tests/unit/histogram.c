/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Histograms of durations: to which bucket a duration belongs, and sums.
 */
#include <config.h>
#include "histogram.h"

#include "unit.h"

static const struct { int64_t ms; size_t bucket; } rows[] = {
	{ INT64_MIN, 0 }, { -1, 0 }, { 0, 0 }, { 1, 0 },
	{ 2, 1 }, { 4, 1 }, { 5, 2 }, { 16, 2 }, { 17, 3 }, { 64, 3 }, { 65, 4 }, { 256, 4 },
	{ 257, 5 }, { 1000, 5 }, { 1001, 6 }, { 4000, 6 }, { 16000, 7 }, { 64000, 8 },
	{ 256000, 9 }, { 1024000, 10 }, { 4096000, 11 }, { 4096001, 12 }, { INT64_MAX, 12 },
};

START_TEST(a_duration_belongs_to_the_first_bucket_that_is_long_enough)
{
	ck_assert_uint_eq(histogram_bucket(rows[_i].ms), rows[_i].bucket);
} END_TEST

START_TEST(each_bound_is_about_four_times_the_one_before)
{
	ck_assert_uint_eq(HISTOGRAM_BUCKETS, 13);
	ck_assert_int_eq(histogram_bound_ms(0), 1);
	for (size_t i = 1; i < HISTOGRAM_BUCKETS - 1; i++) {
		const int64_t times_ten = histogram_bound_ms(i) * 10 / histogram_bound_ms(i - 1);

		ck_assert_int_ge(times_ten, 39);
		ck_assert_int_le(times_ten, 40);
		ck_assert_uint_eq(histogram_bucket(histogram_bound_ms(i)), i);
	}
} END_TEST

START_TEST(histograms_are_added_up_bucket_by_bucket)
{
	struct histogram h = { { [0] = 1, [3] = 2 }, 100 };
	const struct histogram more = { { [3] = 5, [12] = 7 }, 50000000 }, empty = { { 0 }, 0 };

	ck_assert_uint_eq(histogram_count(&empty), 0);
	ck_assert_uint_eq(histogram_count(&h), 3);
	histogram_add(&h, &more);
	histogram_add(&h, &empty);
	ck_assert_uint_eq(h.buckets[0], 1);
	ck_assert_uint_eq(h.buckets[3], 7);
	ck_assert_uint_eq(h.buckets[12], 7);
	ck_assert_uint_eq(histogram_count(&h), 15);
	ck_assert_uint_eq(h.sum_ms, 50000100);
} END_TEST

int main(void)
{
	Suite *s = suite_create("histogram");
	TCase *tc = unit_case(s, "histogram", NULL, NULL);

	tcase_add_loop_test(tc, a_duration_belongs_to_the_first_bucket_that_is_long_enough, 0,
	                    ARRAY_SIZE(rows));
	tcase_add_test(tc, each_bound_is_about_four_times_the_one_before);
	tcase_add_test(tc, histograms_are_added_up_bucket_by_bucket);
	return unit_run(s);
}
