/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Quantities from text and back, and the nearest name.
 */
#include <config.h>
#include "units.h"

#include <check.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "suggest.h"

#define LENGTH(a) (sizeof (a) / sizeof (a)[0])

struct row {
	const char *text;
	int64_t     want;       /* or -1 and */
	int         err;
};

static const struct row durations[] = {
	{ "250ms", 250, 0 },    { "30s", 30000, 0 },    { "5m", 300000, 0 },
	{ "1h", 3600000, 0 },   { "1d", 86400000, 0 },  { "30", 30000, 0 },
	{ "0", 0, 0 },          { "0ms", 0, 0 },
	{ "", -1, EINVAL },     { "s", -1, EINVAL },    { "-1s", -1, EINVAL },
	{ "+1s", -1, EINVAL },  { " 1s", -1, EINVAL },  { "1 s", -1, EINVAL },
	{ "1S", -1, EINVAL },   { "1s ", -1, EINVAL },  { "1m30s", -1, EINVAL },
	{ "1.5s", -1, EINVAL }, { "0x1s", -1, EINVAL }, { "1w", -1, EINVAL },
	{ "9223372036854775807ms", INT64_MAX, 0 },
	{ "9223372036854775808ms", -1, ERANGE },
	{ "9223372036854775807s", -1, ERANGE },
	{ "99999999999999999999999d", -1, ERANGE },
};

static const struct row sizes[] = {
	{ "0", 0, 0 },         { "512", 512, 0 },       { "64k", 65536, 0 },
	{ "64K", 65536, 0 },   { "16M", 16 << 20, 0 },  { "16m", 16 << 20, 0 },
	{ "1G", 1 << 30, 0 },  { "2T", INT64_C(2) << 40, 0 },
	{ "", -1, EINVAL },    { "k", -1, EINVAL },     { "1kB", -1, EINVAL },
	{ "1.5M", -1, EINVAL }, { "-1k", -1, EINVAL },  { "16MM", -1, EINVAL },
	{ "9223372036854775807", INT64_MAX, 0 },
	{ "9223372036854775807k", -1, ERANGE },
	{ "00000000000000000000000000000000000001", -1, EINVAL },
};

static const struct row modes[] = {
	{ "0660", 0660, 0 }, { "660", 0660, 0 },    { "027", 027, 0 }, { "0", 0, 0 },
	{ "7777", 07777, 0 }, { "00000777", 0777, 0 },
	{ "", -1, EINVAL },  { "0680", -1, EINVAL }, { "rw", -1, EINVAL },
	{ "-1", -1, EINVAL }, { "10000", -1, ERANGE },
};

static const struct { const char *text; int64_t count, per_ms; const char *back; int err; } rates[] = {
	{ "100/s", 100, 1000, "100/s", 0 },      { "30/m", 30, 60000, "30/m", 0 },
	{ "7/h", 7, 3600000, "7/h", 0 },         { "1/d", 1, 86400000, "1/d", 0 },
	{ "100", 100, 1000, "100/s", 0 },        { "0", 0, 1000, "0/s", 0 },
	{ "", -1, -1, NULL, EINVAL },            { "/s", -1, -1, NULL, EINVAL },
	{ "1/", -1, -1, NULL, EINVAL },          { "1/ms", -1, -1, NULL, EINVAL },
	{ "1 /s", -1, -1, NULL, EINVAL },        { "-1/s", -1, -1, NULL, EINVAL },
	{ "1.5/s", -1, -1, NULL, EINVAL },       { "1/s ", -1, -1, NULL, EINVAL },
	{ "99999999999999999999/s", -1, -1, NULL, ERANGE },
};

static int parse_mode(const char *text, int64_t *value)
{
	int mode, rc = units_parse_mode(text, &mode);

	if (rc == 0)
		*value = mode;
	return rc;
}

static int parse_up_to_999(const char *text, int64_t *n)
{
	return units_parse_whole(text, 999, n);
}

static void check_rows(const struct row *rows, size_t n, int (*parse)(const char *, int64_t *))
{
	for (size_t i = 0; i < n; i++) {
		int64_t value = -1;

		errno = 0;
		ck_assert_msg(parse(rows[i].text, &value) == (rows[i].err ? -1 : 0),
		              "\"%s\"", rows[i].text);
		ck_assert_msg(value == rows[i].want, "\"%s\" is %lld", rows[i].text,
		              (long long)value);
		ck_assert_msg(errno == rows[i].err, "\"%s\" fails with %d", rows[i].text, errno);
	}
}

START_TEST(durations_have_units_and_are_seconds_without)
{
	check_rows(durations, LENGTH(durations), units_parse_duration);
} END_TEST

START_TEST(sizes_have_units_and_are_bytes_without)
{
	check_rows(sizes, LENGTH(sizes), units_parse_size);
} END_TEST

START_TEST(rates_have_units_and_are_a_second_without)
{
	char buf[UNITS_TEXT_MAX];

	for (size_t i = 0; i < LENGTH(rates); i++) {
		struct units_rate rate = { -1, -1 };

		errno = 0;
		ck_assert_msg(units_parse_rate(rates[i].text, &rate) == (rates[i].err ? -1 : 0),
		              "\"%s\"", rates[i].text);
		ck_assert_int_eq(errno, rates[i].err);
		ck_assert_int_eq(rate.count, rates[i].count);
		ck_assert_int_eq(rate.per_ms, rates[i].per_ms);
		if (rates[i].back)
			ck_assert_str_eq(units_format_rate(&rate, buf), rates[i].back);
	}
} END_TEST

START_TEST(whole_numbers_are_digits_alone)
{
	static const struct row rows[] = {
		{ "0", 0, 0 }, { "17", 17, 0 }, { "0017", 17, 0 }, { "999", 999, 0 },
		{ "1000", -1, ERANGE }, { "99999999999999999999", -1, ERANGE },
		{ "", -1, EINVAL }, { "-1", -1, EINVAL }, { "+1", -1, EINVAL }, { " 1", -1, EINVAL },
		{ "1 ", -1, EINVAL }, { "1k", -1, EINVAL }, { "9999x", -1, EINVAL }, { "0x1", -1, EINVAL },
	};

	check_rows(rows, LENGTH(rows), parse_up_to_999);
} END_TEST

START_TEST(modes_are_octal)
{
	check_rows(modes, LENGTH(modes), parse_mode);
} END_TEST

START_TEST(fractions_of_a_second_are_rounded_but_never_to_never)
{
	static const struct { double seconds; int64_t want; } rows[] = {
		{ 0.0, 0 },    { 0.25, 250 },   { 1.5, 1500 },   { 0.0006, 1 }, { 29.9999, 30000 },
		{ 0.0001, -1 }, { -0.5, -1 },   { 1e300, -1 },   { NAN, -1 },   { INFINITY, -1 },
	};

	for (size_t i = 0; i < LENGTH(rows); i++) {
		int64_t ms = -1;

		units_duration_of_fraction(rows[i].seconds, &ms);
		ck_assert_int_eq(ms, rows[i].want);
	}
} END_TEST

START_TEST(whole_seconds_do_not_overflow)
{
	int64_t ms = -1;

	ck_assert_int_eq(units_duration_of_seconds(INT64_MAX, &ms), -1);
	ck_assert_int_eq(errno, ERANGE);
	ck_assert_int_eq(units_duration_of_seconds(-1, &ms), -1);
	ck_assert_int_eq(units_duration_of_seconds(90, &ms), 0);
	ck_assert_int_eq(ms, 90000);
} END_TEST

START_TEST(the_largest_exact_unit_is_printed)
{
	static const struct { int64_t ms; const char *want; } rows[] = {
		{ 0, "0" },          { 1, "1ms" },      { 999, "999ms" },  { 1000, "1s" },
		{ 90000, "90s" },    { 60000, "1m" },   { 3600000, "1h" }, { 86400000, "1d" },
		{ 1500, "1500ms" },  { INT64_MAX, "9223372036854775807ms" },
	};
	char buf[UNITS_TEXT_MAX];

	for (size_t i = 0; i < LENGTH(rows); i++)
		ck_assert_str_eq(units_format_duration(rows[i].ms, buf), rows[i].want);
	ck_assert_str_eq(units_format_size(65536, buf), "64k");
	ck_assert_str_eq(units_format_size(1000, buf), "1000");
	ck_assert_str_eq(units_format_size(INT64_C(1) << 40, buf), "1T");
	ck_assert_str_eq(units_format_mode(0660, buf), "0660");
	ck_assert_str_eq(units_format_mode(0, buf), "0000");
} END_TEST

START_TEST(cpu_lists_have_ranges)
{
	static const char *const junk[] = {
		"", ",", "1,", ",1", "1-", "-1", "3-1", "a", "0-3 ", "1--2", "0;1", "1024",
		"99999999999999999999",
	};
	cpu_set_t set;

	ck_assert_int_eq(units_parse_cpus("0-3,6", &set), 0);
	ck_assert_int_eq(CPU_COUNT(&set), 5);
	ck_assert(CPU_ISSET(0, &set) && CPU_ISSET(3, &set) && CPU_ISSET(6, &set));
	for (size_t i = 0; i < LENGTH(junk); i++)
		ck_assert_msg(units_parse_cpus(junk[i], &set) == -1, "\"%s\"", junk[i]);
	ck_assert_int_eq(CPU_COUNT(&set), 5);
} END_TEST

START_TEST(the_nearest_name_is_suggested)
{
	static const char *const names[] = { "user", "group", "listen", "timeouts", "warning" };
	static const struct { const char *word, *want; } rows[] = {
		{ "uzer", "user" },   { "suer", "user" },     { "lisen", "listen" },
		{ "LISTEN", "listen" }, { "timeout", "timeouts" }, { "warn", "warning" },
		{ "grp", "group" },   { "x", NULL },           { "banana", NULL },
		{ "usr", "user" },    { "ues", NULL },          { "grr", NULL },
		{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", NULL },
	};

	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct suggest s = suggest_for(rows[i].word);

		for (size_t j = 0; j < LENGTH(names); j++)
			suggest_offer(&s, names[j]);
		ck_assert_pstr_eq(s.best, rows[i].want);
	}
} END_TEST

int main(void)
{
	Suite *suite = suite_create("units");
	TCase *tc = tcase_create("units");
	SRunner *sr = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tc);
	tcase_add_test(tc, durations_have_units_and_are_seconds_without);
	tcase_add_test(tc, sizes_have_units_and_are_bytes_without);
	tcase_add_test(tc, rates_have_units_and_are_a_second_without);
	tcase_add_test(tc, whole_numbers_are_digits_alone);
	tcase_add_test(tc, modes_are_octal);
	tcase_add_test(tc, fractions_of_a_second_are_rounded_but_never_to_never);
	tcase_add_test(tc, whole_seconds_do_not_overflow);
	tcase_add_test(tc, the_largest_exact_unit_is_printed);
	tcase_add_test(tc, cpu_lists_have_ranges);
	tcase_add_test(tc, the_nearest_name_is_suggested);
	srunner_set_tap(sr, "-");
	srunner_run_all(sr, CK_SILENT);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
