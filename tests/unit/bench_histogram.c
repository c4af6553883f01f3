/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Classes of durations: where they begin and end, and percentiles beside those
 * of the sorted values.
 */
#include <config.h>
#include "bench_histogram.h"

#include "unit.h"

#define VALUES 20000

static struct bench_histogram h, other;

static uint64_t random_state = 88172645463325252u;

static uint64_t next_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

/* Of all orders of magnitude. */
static uint64_t some_value(void)
{
	const uint64_t bits = next_random();

	return bits >> (next_random() % 60);
}

static int by_value(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

START_TEST(classes_follow_one_another_without_a_gap)
{
	ck_assert_uint_eq(bench_histogram_first(0), 0);
	for (unsigned i = 0; i + 1 < BENCH_HISTOGRAM_CLASSES; i++)
		ck_assert_uint_eq(bench_histogram_last(i) + 1, bench_histogram_first(i + 1));
	ck_assert_uint_eq(bench_histogram_last(BENCH_HISTOGRAM_CLASSES - 1), UINT64_MAX);
} END_TEST

START_TEST(a_value_is_within_its_class)
{
	static const uint64_t edges[] = { 0, 1, 63, 64, 127, 128, 129, 255, 256, UINT32_MAX, INT64_MAX,
	                                  UINT64_MAX - 1, UINT64_MAX };

	for (size_t i = 0; i < ARRAY_SIZE(edges) + VALUES; i++) {
		const uint64_t v = i < ARRAY_SIZE(edges) ? edges[i] : some_value();
		const unsigned class = bench_histogram_class(v);

		ck_assert_uint_lt(class, BENCH_HISTOGRAM_CLASSES);
		ck_assert_uint_ge(v, bench_histogram_first(class));
		ck_assert_uint_le(v, bench_histogram_last(class));
	}
} END_TEST

START_TEST(a_class_is_at_most_a_64th_of_its_first_value_wide)
{
	for (unsigned i = 128; i < BENCH_HISTOGRAM_CLASSES; i++)
		ck_assert_uint_le(bench_histogram_last(i) - bench_histogram_first(i) + 1, bench_histogram_first(i) / 64);
} END_TEST

static const double shares[] = { 0, .001, .1, .5, .75, .9, .99, .999, .9999, 1 };

START_TEST(percentiles_are_those_of_the_sorted_values)
{
	static uint64_t values[VALUES];
	const double rank = shares[_i] * VALUES;
	const size_t at = rank <= 1 ? 0 : (size_t)rank - ((double)(size_t)rank == rank);
	uint64_t want, got;

	for (size_t i = 0; i < VALUES; i++) {
		values[i] = some_value();
		bench_histogram_record(&h, values[i]);
	}
	qsort(values, VALUES, sizeof values[0], by_value);
	want = values[at];
	got = bench_histogram_percentile(&h, shares[_i]);
	ck_assert_msg(got >= want && got - want <= want / 64, "%g: %lu, not %lu", shares[_i],
	              (unsigned long)got, (unsigned long)want);
	ck_assert_uint_eq(h.min, values[0]);
	ck_assert_uint_eq(h.max, values[VALUES - 1]);
	ck_assert_uint_eq(bench_histogram_percentile(&h, 1), values[VALUES - 1]);
} END_TEST

START_TEST(no_percentile_is_beyond_what_was_seen)
{
	bench_histogram_record(&h, 1000001);
	ck_assert_uint_eq(bench_histogram_percentile(&h, 0), 1000001);
	ck_assert_uint_eq(bench_histogram_percentile(&h, .5), 1000001);
	ck_assert_uint_eq(bench_histogram_percentile(&h, .9999), 1000001);
	ck_assert_double_eq(bench_histogram_mean(&h), 1000001);
} END_TEST

START_TEST(an_empty_one_has_zeros)
{
	ck_assert_uint_eq(bench_histogram_percentile(&h, .5), 0);
	ck_assert_double_eq(bench_histogram_mean(&h), 0);
	bench_histogram_merge(&h, &other);
	ck_assert_uint_eq(h.count, 0);
	ck_assert_uint_eq(h.min, 0);
} END_TEST

START_TEST(two_merged_are_as_if_all_had_gone_to_one)
{
	static struct bench_histogram one;

	for (size_t i = 0; i < VALUES; i++) {
		const uint64_t v = some_value() >> 12;  /* so that sums of doubles are exact */

		bench_histogram_record(i % 3 ? &h : &other, v);
		bench_histogram_record(&one, v);
	}
	bench_histogram_merge(&h, &other);
	ck_assert_uint_eq(h.count, one.count);
	ck_assert_uint_eq(h.min, one.min);
	ck_assert_uint_eq(h.max, one.max);
	ck_assert_double_eq_tol(h.sum / one.sum, 1, 1e-12);
	ck_assert_mem_eq(h.classes, one.classes, sizeof h.classes);
} END_TEST

START_TEST(merging_into_an_empty_one_keeps_the_smallest)
{
	bench_histogram_record(&other, 5);
	bench_histogram_merge(&h, &other);
	ck_assert_uint_eq(h.min, 5);
	ck_assert_uint_eq(h.max, 5);
} END_TEST

int main(void)
{
	Suite *s = suite_create("bench_histogram");
	TCase *tc = unit_case(s, "histogram", NULL, NULL);

	tcase_add_test(tc, classes_follow_one_another_without_a_gap);
	tcase_add_test(tc, a_value_is_within_its_class);
	tcase_add_test(tc, a_class_is_at_most_a_64th_of_its_first_value_wide);
	tcase_add_loop_test(tc, percentiles_are_those_of_the_sorted_values, 0, ARRAY_SIZE(shares));
	tcase_add_test(tc, no_percentile_is_beyond_what_was_seen);
	tcase_add_test(tc, an_empty_one_has_zeros);
	tcase_add_test(tc, two_merged_are_as_if_all_had_gone_to_one);
	tcase_add_test(tc, merging_into_an_empty_one_keeps_the_smallest);
	return unit_run(s);
}
