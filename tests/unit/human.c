/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Numbers for people.
 */
#include <config.h>
#include "human.h"

#include <math.h>

#include "unit.h"

struct row {
	double      n;
	const char *says;
};

static const struct row ages[] = {
	{ 0, "0s" }, { 0.0004, "0s" }, { 0.001, "1ms" }, { 0.25, "250ms" }, { 0.9999, "999ms" },
	{ 1, "1s" }, { 59.9, "59s" }, { 60, "1m" }, { 192.3, "3m12s" }, { 3599, "59m59s" },
	{ 3600, "1h" }, { 3659, "1h" }, { 3660, "1h1m" }, { 86399, "23h59m" }, { 86400, "1d" },
	{ 3 * 86400 + 4 * 3600 + 59 * 60, "3d4h" }, { 400.0 * 86400, "400d" },
	{ -1, "-" }, { NAN, "-" }, { INFINITY, "-" },
};

static const struct row sizes[] = {
	{ 0, "0" }, { 7, "7" }, { 1023, "1023" }, { 1024, "1.0k" }, { 1258291, "1.2M" },
	{ 9.94 * 1024, "9.9k" }, { 9.96 * 1024, "10k" }, { 999.4 * 1024, "999k" },
	{ 999.6 * 1024, "1.0M" }, { 1024.0 * 1024 * 1024, "1.0G" }, { 0x1p40, "1.0T" },
	{ 0x1p50, "1.0P" }, { 999e15, "887P" },
	{ -1, "-" }, { NAN, "-" }, { 1e30, "-" },
};

static const struct row counts[] = {
	{ 0, "0" }, { 1234567, "1234567" }, { 0x1p53, "9007199254740992" }, { -1, "-" }, { NAN, "-" },
};

static const struct row rates[] = {
	{ 0, "0" }, { 0.04, "0.0" }, { 0.3, "0.3" }, { 9.94, "9.9" }, { 9.96, "10" }, { 1234.5, "1234" },
	{ -1, "-" }, { NAN, "-" },
};

static void check(const struct row *rows, size_t n, const char *format(double n, char *buf))
{
	for (size_t i = 0; i < n; i++) {
		char buf[HUMAN_TEXT_MAX];

		ck_assert_str_eq(format(rows[i].n, buf), rows[i].says);
	}
}

START_TEST(numbers_are_short)
{
	check(ages, ARRAY_SIZE(ages), human_age);
	check(sizes, ARRAY_SIZE(sizes), human_size);
	check(counts, ARRAY_SIZE(counts), human_count);
	check(rates, ARRAY_SIZE(rates), human_rate);
} END_TEST

static const struct { double part, whole; const char *says; } shares[] = {
	{ 0, 256, "0%" }, { 1, 256, "0.4%" }, { 12, 1024, "1%" }, { 256, 256, "100%" },
	{ 300, 256, "117%" }, { 1, 0, "-" }, { NAN, 256, "-" }, { 1, NAN, "-" },
};

START_TEST(shares_are_percent)
{
	char buf[HUMAN_TEXT_MAX];

	ck_assert_str_eq(human_share(shares[_i].part, shares[_i].whole, buf), shares[_i].says);
} END_TEST

int main(void)
{
	Suite *s = suite_create("human");
	TCase *tc = unit_case(s, "human", NULL, NULL);

	tcase_add_test(tc, numbers_are_short);
	tcase_add_loop_test(tc, shares_are_percent, 0, ARRAY_SIZE(shares));
	return unit_run(s);
}
