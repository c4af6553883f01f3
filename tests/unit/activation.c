/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The variables of sd_listen_fds(3). What is said of wrong ones is also tested with the daemon,
 * in tests/e2e/activation.c.
 */
#include <config.h>
#include "activation.h"

#include "unit.h"

static void set(const char *variable, const char *value)
{
	if (value)
		setenv(variable, value, 1);
	else
		unsetenv(variable);
}

#define OTHER INT32_MAX         /* no process has such a high id */

static const struct {
	const char *name, *pid, *n;     /* NULL: not set; "own": our process */
	const char *why;                /* how the complaint begins; NULL: there is none */
	size_t      passed;             /* to the process that LISTEN_PID should name */
} rows[] = {
	{ "nothing is set",             NULL,  NULL, NULL, 0 },
	{ "only how many",              NULL,  "1",  NULL, 0 },
	{ "only whose",                 "own", NULL, NULL, 0 },
	{ "none",                       "own", "0",  NULL, 0 },
	{ "one that is not open",       "own", "999", "LISTEN_FDS=\"999\" in the environment says", 999 },
	{ "another process's",          "99999999",   "1",  NULL, 0 },
	{ "another process's, wrong",   "99999999",   "x",  NULL, 0 },
	{ "a process that is none",     "me",  "1",  "LISTEN_PID=\"me\" in the environment is not", 0 },
	{ "a process that is empty",    "",    "1",  "LISTEN_PID=\"\" in the environment is not", 0 },
	{ "a process out of range",     "2147483648", "1", "LISTEN_PID=\"2147483648\" in", 0 },
	{ "a number that is none",      "own", "1x", "LISTEN_FDS=\"1x\" in the environment is not", 0 },
	{ "a negative number",          "own", "-1", "LISTEN_FDS=\"-1\" in the environment is not", 0 },
	{ "a number out of range",      "own", "2147483647", "LISTEN_FDS=\"2147483647\" in", 0 },
};

static void set_row(int i, pid_t own)
{
	char pid[32];

	snprintf(pid, sizeof pid, "%d", (int)own);
	set("LISTEN_PID", rows[i].pid && strcmp(rows[i].pid, "own") == 0 ? pid : rows[i].pid);
	set("LISTEN_FDS", rows[i].n);
	unsetenv("LISTEN_FDNAMES");
}

START_TEST(they_are_believed_or_it_is_said_why_not)
{
	char why[256] = "";
	bool good;

	set_row(_i, getpid());
	good = activation_judge(why, sizeof why);
	ck_assert_msg(good == !rows[_i].why, "%s: %s", rows[_i].name, why);
	if (rows[_i].why)
		ck_assert_msg(strncmp(why, rows[_i].why, strlen(rows[_i].why)) == 0,
		              "%s: %s", rows[_i].name, why);
} END_TEST

START_TEST(a_child_takes_what_its_parent_was_given)
{
	char before[32], own[32];

	set_row(_i, OTHER);
	snprintf(before, sizeof before, "%s", getenv("LISTEN_PID") ? getenv("LISTEN_PID") : "");
	snprintf(own, sizeof own, "%d", (int)getpid());
	ck_assert_msg(activation_take(OTHER) == rows[_i].passed, "%s", rows[_i].name);
	if (getenv("LISTEN_PID"))
		ck_assert_str_eq(getenv("LISTEN_PID"), rows[_i].passed > 0 ? own : before);
} END_TEST

START_TEST(numbers_are_of_digits_alone)
{
	static const struct { const char *value; int known; long n; } numbers[] = {
		{ NULL, 0, 0 }, { "0", 1, 0 }, { "17", 1, 17 }, { "100", 1, 100 }, { "101", -1, 0 },
		{ "", -1, 0 }, { "+1", -1, 0 }, { " 1", -1, 0 }, { "99999999999999999999", -1, 0 },
	};
	long n;

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		set("DROVER_NUMBER", numbers[i].value);
		ck_assert_msg(activation_number("DROVER_NUMBER", 100, &n) == numbers[i].known, "row %zu", i);
		if (numbers[i].known == 1)
			ck_assert_int_eq(n, numbers[i].n);
	}
} END_TEST

int main(void)
{
	Suite *s = suite_create("activation");
	TCase *tc = unit_case(s, "activation", NULL, NULL);

	tcase_add_loop_test(tc, they_are_believed_or_it_is_said_why_not, 0, ARRAY_SIZE(rows));
	tcase_add_loop_test(tc, a_child_takes_what_its_parent_was_given, 0, ARRAY_SIZE(rows));
	tcase_add_test(tc, numbers_are_of_digits_alone);
	return unit_run(s);
}
