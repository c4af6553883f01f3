/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which numbers a map of users has.
 */
#include <config.h>
#include "user_namespace.h"

#include <unistd.h>

#include "unit.h"

static const struct { const char *name, *map; unsigned id; bool has; } rows[] = {
	{ "the first namespace has all", "         0          0 4294967295\n", 4294967294, true },
	{ "only root",                   "         0       1000          1\n", 0, true },
	{ "nobody beside root",          "         0       1000          1\n", 65534, false },
	{ "below the first one",         "     54321       1000          1\n", 54320, false },
	{ "a second line",               "0 1000 1\n1 100000 65535\n",         65535, true },
	{ "behind the last one",         "0 1000 1\n1 100000 65535\n",         65536, false },
	{ "an empty map",                "",                                   0, false },
};

START_TEST(a_number_is_in_the_map)
{
	unit_write_file("map", rows[_i].map);
	ck_assert_msg(user_namespace_maps("map", rows[_i].id) == rows[_i].has, "%s", rows[_i].name);
} END_TEST

START_TEST(without_proc_all_are_there)
{
	ck_assert(user_namespace_maps("no-map", 4711));
} END_TEST

START_TEST(we_are_there)
{
	ck_assert(user_namespace_has_user(geteuid()));
	ck_assert(user_namespace_has_group(getegid()));
} END_TEST

int main(void)
{
	Suite *s = suite_create("user_namespace");
	TCase *tc = unit_case(s, "user namespace", unit_enter_folder, unit_leave_folder);

	tcase_add_loop_test(tc, a_number_is_in_the_map, 0, ARRAY_SIZE(rows));
	tcase_add_test(tc, without_proc_all_are_there);
	tcase_add_test(tc, we_are_there);
	return unit_run(s);
}
