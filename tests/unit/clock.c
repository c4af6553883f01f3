/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Deadlines, and times as people read them.
 */
#include <config.h>
#include "clock.h"

#include <ctype.h>

#include "unit.h"

static const struct { const char *name; int64_t now, after, want; } deadlines[] = {
	{ "a second from now",          5000, 1000, 6000 },
	{ "the beginning of time",      0, 1, 1 },
	{ "0 is never",                 5000, 0, CLOCK_NEVER },
	{ "never from now is never",    5000, CLOCK_NEVER, CLOCK_NEVER },
	{ "what does not fit is never", 5000, CLOCK_NEVER - 4999, CLOCK_NEVER },
	{ "what just fits",             5000, CLOCK_NEVER - 5001, CLOCK_NEVER - 1 },
};

START_TEST(a_deadline_is_so_many_milliseconds_from_now)
{
	ck_assert_msg(clock_deadline(deadlines[_i].now, deadlines[_i].after) == deadlines[_i].want,
	              "%s: %lld", deadlines[_i].name,
	              (long long)clock_deadline(deadlines[_i].now, deadlines[_i].after));
} END_TEST

static const struct { struct timespec t; int64_t ms; struct timespec want; } befores[] = {
	{ { 100, 5 },         0,     { 100, 5 } },
	{ { 100, 5 },         2000,  { 98, 5 } },
	{ { 100, 5 },         1,     { 99, 999000005 } },
	{ { 100, 999000000 }, 1999,  { 99, 0 } },
	{ { 100, 5 },         -1500, { 101, 500000005 } },
	{ { 100, 999000000 }, -1,    { 101, 0 } },
};

START_TEST(a_time_before_another_one_is_found)
{
	const struct timespec got = clock_before(&befores[_i].t, befores[_i].ms);

	ck_assert_int_eq(got.tv_sec, befores[_i].want.tv_sec);
	ck_assert_int_eq(got.tv_nsec, befores[_i].want.tv_nsec);
} END_TEST

int __real_clock_gettime(clockid_t clock, struct timespec *t);
int __wrap_clock_gettime(clockid_t clock, struct timespec *t);

static bool has_just_begun;

int __wrap_clock_gettime(clockid_t clock, struct timespec *t)
{
	if (!has_just_begun)
		return __real_clock_gettime(clock, t);
	*t = (struct timespec){ .tv_nsec = 999 };
	return 0;
}

START_TEST(in_its_first_millisecond_the_clock_is_not_at_zero)
{
	int64_t ms, ns;

	has_just_begun = true;          /* for us, not for Check */
	ms = clock_ms();
	ns = clock_ns();
	has_just_begun = false;
	ck_assert_int_eq(ms, 1);
	ck_assert_int_eq(ns, 999);
} END_TEST

START_TEST(the_clock_only_goes_forward_and_both_units_agree)
{
	int64_t ms = clock_ms(), us = clock_us();

	ck_assert_int_gt(ms, 0);
	ck_assert_int_le(ms, us / 1000);
	ck_assert_int_le(us, clock_us());
} END_TEST

/* 'd' is a digit; all else stands for itself. */
static bool looks_like(const char *text, const char *pattern)
{
	for (; *text && *pattern; text++, pattern++)
		if (*pattern == 'd' ? !isdigit((unsigned char)*text) : *text != *pattern)
			return false;
	return *text == *pattern;
}

static const struct { const char *zone, *pattern; } zones[] = {
	{ "UTC0",       "dddd-dd-ddTdd:dd:dd.ddd+00:00" },
	{ "CET-1",      "dddd-dd-ddTdd:dd:dd.ddd+01:00" },
	{ "NST3:30",    "dddd-dd-ddTdd:dd:dd.ddd-03:30" },
	{ "NPT-5:45",   "dddd-dd-ddTdd:dd:dd.ddd+05:45" },
	{ "ODD0:30",    "dddd-dd-ddTdd:dd:dd.ddd-00:30" },
	{ "LAST-14",    "dddd-dd-ddTdd:dd:dd.ddd+14:00" },
};

START_TEST(times_are_written_as_in_rfc_3339)
{
	char buf[CLOCK_TEXT_MAX];

	setenv("TZ", zones[_i].zone, 1);
	tzset();
	ck_assert_ptr_eq(clock_text(buf, sizeof buf), buf);
	ck_assert_msg(looks_like(buf, zones[_i].pattern), "%s: %s", zones[_i].zone, buf);
} END_TEST

START_TEST(times_in_utc_know_no_zone)
{
	const struct timespec when = { .tv_sec = 1795365001, .tv_nsec = 123999999 };
	char buf[CLOCK_TEXT_MAX];

	setenv("TZ", "CET-1", 1);
	tzset();
	ck_assert_ptr_eq(clock_utc(&when, buf), buf);
	ck_assert_str_eq(buf, "2026-11-22T16:30:01.123Z");
	ck_assert_ptr_eq(clock_utc_seconds(when.tv_sec, buf), buf);
	ck_assert_str_eq(buf, "2026-11-22T16:30:01Z");
} END_TEST

int main(void)
{
	Suite *s = suite_create("clock");
	TCase *tc = unit_case(s, "clock", NULL, NULL);

	tcase_add_loop_test(tc, a_deadline_is_so_many_milliseconds_from_now, 0, ARRAY_SIZE(deadlines));
	tcase_add_loop_test(tc, a_time_before_another_one_is_found, 0, ARRAY_SIZE(befores));
	tcase_add_test(tc, in_its_first_millisecond_the_clock_is_not_at_zero);
	tcase_add_test(tc, the_clock_only_goes_forward_and_both_units_agree);
	tcase_add_loop_test(tc, times_are_written_as_in_rfc_3339, 0, ARRAY_SIZE(zones));
	tcase_add_test(tc, times_in_utc_know_no_zone);
	return unit_run(s);
}
