/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Lists of limits. Each test is a process of its own, so that they end with it.
 */
#include <config.h>
#include "rlimits.h"

#include "unit.h"

static struct rlimit now(int resource)
{
	struct rlimit r;

	ck_assert_int_eq(getrlimit((__rlimit_resource_t)resource, &r), 0);
	return r;
}

START_TEST(each_limit_is_there_once_with_its_last_value)
{
	struct rlimit_list l = { 0 };

	rlimits_set(&l, RLIMIT_NOFILE, 100, 200);
	rlimits_set(&l, RLIMIT_CORE, 0, 0);
	rlimits_set(&l, RLIMIT_NOFILE, 50, 60);
	ck_assert_uint_eq(l.n, 2);
	ck_assert_int_eq(l.items[0].resource, RLIMIT_NOFILE);
	ck_assert_uint_eq(l.items[0].value.rlim_cur, 50);
	ck_assert_uint_eq(l.items[0].value.rlim_max, 60);
	ck_assert_int_eq(l.items[1].resource, RLIMIT_CORE);
} END_TEST

START_TEST(a_list_is_applied_in_one_go)
{
	struct rlimit_list l = { 0 };

	rlimits_set(&l, RLIMIT_NOFILE, 50, 60);
	rlimits_set(&l, RLIMIT_CORE, 0, 0);
	ck_assert_int_eq(rlimits_apply(&l), 0);
	ck_assert_uint_eq(now(RLIMIT_NOFILE).rlim_cur, 50);
	ck_assert_uint_eq(now(RLIMIT_NOFILE).rlim_max, 60);
	ck_assert_uint_eq(now(RLIMIT_CORE).rlim_max, 0);
	ck_assert_int_eq(rlimits_apply(&(struct rlimit_list){ 0 }), 0);
} END_TEST

START_TEST(a_limit_that_cannot_be_gives_errno)
{
	struct rlimit_list l = { 0 };

	rlimits_set(&l, RLIMIT_NOFILE, 60, 50);         /* soft above hard */
	ck_assert_int_eq(rlimits_apply(&l), -1);
	ck_assert_int_eq(errno, EINVAL);
} END_TEST

START_TEST(what_holds_already_is_left_out)
{
	struct rlimit_list l = { 0 };
	struct rlimit core = now(RLIMIT_CORE), files = now(RLIMIT_NOFILE);

	rlimits_set(&l, RLIMIT_CORE, core.rlim_cur, core.rlim_max);
	rlimits_set(&l, RLIMIT_NOFILE, files.rlim_cur - 1, files.rlim_max);
	rlimits_set(&l, RLIMIT_CPU, now(RLIMIT_CPU).rlim_cur, now(RLIMIT_CPU).rlim_max);
	rlimits_prune(&l);
	ck_assert_uint_eq(l.n, 1);
	ck_assert_int_eq(l.items[0].resource, RLIMIT_NOFILE);
	ck_assert_uint_eq(l.items[0].value.rlim_cur, files.rlim_cur - 1);
} END_TEST

START_TEST(descriptors_are_raised_but_never_lowered)
{
	static const struct { const char *name; rlim_t soft, hard, want, get; } rows[] = {
		{ "enough", 100, 200, 50, 100 },
		{ "just enough", 100, 200, 100, 100 },
		{ "below the hard limit", 100, 200, 150, 150 },
		{ "up to the hard limit", 100, 200, 200, 200 },
	};
	struct rlimit r = { rows[_i].soft, rows[_i].hard };

	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &r), 0);
	ck_assert_msg(rlimits_want_descriptors(rows[_i].want) == rows[_i].get, "%s", rows[_i].name);
	ck_assert_uint_eq(now(RLIMIT_NOFILE).rlim_cur, rows[_i].get);
	ck_assert_uint_eq(now(RLIMIT_NOFILE).rlim_max, rows[_i].hard);
} END_TEST

START_TEST(an_ordinary_user_gets_what_the_hard_limit_allows)
{
	struct rlimit r = { 100, 200 };

	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &r), 0);
	if (geteuid() == 0)
		ck_assert_int_eq(setresuid(65534, 65534, 65534), 0);
	ck_assert_uint_eq(rlimits_want_descriptors(300), 200);
	ck_assert_uint_eq(now(RLIMIT_NOFILE).rlim_cur, 200);
} END_TEST

/* A container's root may lack it. */
static bool may_raise_limits(void)
{
	const char *line = strstr(unit_read_file("/proc/self/status"), "CapEff:");

	return line && strtoull(line + 7, NULL, 16) >> 24 & 1;         /* CAP_SYS_RESOURCE */
}

START_TEST(root_raises_the_hard_limit_too)
{
	struct rlimit r = { 100, 200 };

	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &r), 0);
	ck_assert_uint_eq(rlimits_want_descriptors(300), 300);
	ck_assert_uint_eq(now(RLIMIT_NOFILE).rlim_max, 300);
} END_TEST

int main(void)
{
	Suite *s = suite_create("rlimits");
	TCase *tc = unit_case(s, "rlimits", NULL, NULL);

	tcase_add_test(tc, each_limit_is_there_once_with_its_last_value);
	tcase_add_test(tc, a_list_is_applied_in_one_go);
	tcase_add_test(tc, a_limit_that_cannot_be_gives_errno);
	tcase_add_test(tc, what_holds_already_is_left_out);
	tcase_add_loop_test(tc, descriptors_are_raised_but_never_lowered, 0, 4);
	tcase_add_test(tc, an_ordinary_user_gets_what_the_hard_limit_allows);
	unit_add_if(may_raise_limits(), "needs CAP_SYS_RESOURCE", tc, root_raises_the_hard_limit_too);
	return unit_run(s);
}
