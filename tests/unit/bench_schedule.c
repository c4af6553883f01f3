/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * When arrivals are due, and from which addresses they come.
 */
#include <config.h>
#include "schedule.h"

#include <math.h>

#include "address_range.h"
#include "unit.h"

#define START INT64_C(1000000000000)

START_TEST(even_arrivals_of_all_threads_are_evenly_spaced)
{
	struct schedule s[4];

	for (unsigned i = 0; i < 4; i++)
		s[i] = schedule_from(START, 1000, i, 4, false);
	for (int64_t k = 0; k < 1000; k++) {
		ck_assert_int_eq(schedule_at(&s[k % 4]), START + k * 1000000);
		schedule_advance(&s[k % 4]);
	}
} END_TEST

START_TEST(an_even_schedule_does_not_drift)
{
	struct schedule s = schedule_from(START, 30000, 0, 1, false);

	for (int i = 0; i < 3000000; i++)
		schedule_advance(&s);
	ck_assert_int_le(llabs(schedule_at(&s) - (START + INT64_C(100000000000))), 1000);
} END_TEST

/* The gaps of a Poisson process: mean and standard deviation are the same. */
START_TEST(poisson_arrivals_have_exponential_gaps)
{
	struct schedule s = schedule_from(START, 1000, 1, 2, true);
	const int n = 100000;
	double sum = 0, squares = 0;

	for (int i = 0; i < n; i++) {
		const int64_t before = schedule_at(&s);
		double gap;

		schedule_advance(&s);
		gap = (double)(schedule_at(&s) - before);
		ck_assert_double_ge(gap, 0);
		sum += gap;
		squares += gap * gap;
	}
	ck_assert_double_eq_tol(sum / n / 2e6, 1, .02);
	ck_assert_double_eq_tol(sqrt(squares / n - sum / n * sum / n) / 2e6, 1, .02);
} END_TEST

START_TEST(what_is_due_and_has_not_begun_can_be_counted)
{
	struct schedule s = schedule_from(START, 1000, 0, 1, false);

	schedule_advance(&s);
	ck_assert_uint_eq(schedule_skip(&s, START + 5000000), 4);
	ck_assert_int_eq(schedule_at(&s), START + 5000000);
	ck_assert_uint_eq(schedule_skip(&s, START + 5000000), 0);
} END_TEST

START_TEST(of_what_was_missed_only_so_much_is_made_up_for)
{
	struct schedule s = schedule_from(START, 1000, 0, 1, false);

	schedule_forgive(&s, START + 3000000, 10000000);
	ck_assert_int_eq(schedule_at(&s), START);
	schedule_forgive(&s, START + 50000000, 10000000);
	ck_assert_int_eq(schedule_at(&s), START + 40000000);
} END_TEST

/* ---- addresses ---------------------------------------------------------- */

static const struct { const char *text; uint32_t count; const char *first, *last; } ranges[] = {
	{ "127.0.0.1", 1, "127.0.0.1", "127.0.0.1" },
	{ "127.0.0.1/32", 1, "127.0.0.1", "127.0.0.1" },
	{ "10.1.2.3/31", 2, "10.1.2.2", "10.1.2.3" },
	{ "10.1.2.3/30", 2, "10.1.2.1", "10.1.2.2" },
	{ "10.1.2.3/24", 254, "10.1.2.1", "10.1.2.254" },
	{ "127.0.0.0/8", 16777214, "127.0.0.1", "127.255.255.254" },
	{ "::1", 1, "::1", "::1" },
	{ "fd00::7/127", 2, "fd00::6", "fd00::7" },
	{ "fd00::/120", 255, "fd00::1", "fd00::ff" },
};

static const char *ip_text(const struct address *a, char *buf)
{
	const struct endpoint e = endpoint_of(&a->u.sa, a->len);

	return endpoint_ip(&e, buf, ADDRESS_TEXT_MAX);
}

START_TEST(a_network_is_its_hosts_in_turn)
{
	struct address_range r;
	struct address a;
	char buf[ADDRESS_TEXT_MAX];

	ck_assert_int_eq(address_range_parse(ranges[_i].text, &r), 0);
	ck_assert_uint_eq(r.count, ranges[_i].count);
	a = address_range_at(&r, 0);
	ck_assert_str_eq(ip_text(&a, buf), ranges[_i].first);
	a = address_range_at(&r, r.count - 1);
	ck_assert_str_eq(ip_text(&a, buf), ranges[_i].last);
	a = address_range_at(&r, 3 * (uint64_t)r.count);
	ck_assert_str_eq(ip_text(&a, buf), ranges[_i].first);
} END_TEST

static const char *const no_networks[] = { "", "localhost", "127.0.0.1/", "127.0.0.1/33", "127.0.0.1/x",
                                           "127.0.0.1/-1", "::1/129", "1.2.3", "127.0.0.1/0008" };

START_TEST(what_is_no_network_is_refused)
{
	struct address_range r;

	ck_assert_msg(address_range_parse(no_networks[_i], &r) == -1, "\"%s\"", no_networks[_i]);
} END_TEST

int main(void)
{
	Suite *s = suite_create("bench_schedule");
	TCase *tc = unit_case(s, "schedule", NULL, NULL);

	tcase_add_test(tc, even_arrivals_of_all_threads_are_evenly_spaced);
	tcase_add_test(tc, an_even_schedule_does_not_drift);
	tcase_add_test(tc, poisson_arrivals_have_exponential_gaps);
	tcase_add_test(tc, what_is_due_and_has_not_begun_can_be_counted);
	tcase_add_test(tc, of_what_was_missed_only_so_much_is_made_up_for);
	tc = unit_case(s, "addresses", NULL, NULL);
	tcase_add_loop_test(tc, a_network_is_its_hosts_in_turn, 0, ARRAY_SIZE(ranges));
	tcase_add_loop_test(tc, what_is_no_network_is_refused, 0, ARRAY_SIZE(no_networks));
	return unit_run(s);
}
