/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which paths the systemd unit hides, and what is said about them.
 */
#include <config.h>
#include "sandbox_paths.h"

#include <string.h>

#include "unit.h"

static const struct {
	const char *path, *folder, *drop_in;    /* NULL: not hidden */
} rows[] = {
	{ "/home", "/home", "home.conf" },
	{ "/home/git/serve", "/home", "home.conf" },
	{ "//home//git", "/home", "home.conf" },
	{ "/root/bin/serve", "/root", "home.conf" },
	{ "/run/user/1000/x", "/run/user", "home.conf" },
	{ "/run//user/1000", "/run/user", "home.conf" },
	{ "/tmp/x", "/tmp", "tmp.conf" },
	{ "/var/tmp/x", "/var/tmp", "tmp.conf" },
	{ "/homes/x", NULL, NULL },
	{ "/run/users", NULL, NULL },
	{ "/hom", NULL, NULL },
	{ "/srv/home/x", NULL, NULL },
	{ "/", NULL, NULL },
	{ "", NULL, NULL },
	{ "home", NULL, NULL },
	{ NULL, NULL, NULL },
};

START_TEST(a_path_below_a_hidden_folder_is_found)
{
	const struct sandbox_path *row = sandbox_paths_find(rows[_i].path);

	if (!rows[_i].folder) {
		ck_assert_msg(!row, "%s is found", rows[_i].path);
		return;
	}
	ck_assert_msg(row != NULL, "%s is not found", rows[_i].path);
	ck_assert_str_eq(row->folder, rows[_i].folder);
	ck_assert_str_eq(row->drop_in, rows[_i].drop_in);
} END_TEST

START_TEST(the_hint_names_setting_folder_and_drop_in)
{
	char buf[SANDBOX_PATHS_HINT_MAX];

	ck_assert_str_eq(sandbox_paths_hint("/root/x", buf), " (ProtectHome= of the systemd unit hides"
	                 " /root; the example drop-in home.conf shows it)");
	unit_contains(sandbox_paths_hint("/var/tmp/x", buf), "PrivateTmp=");
	ck_assert_str_eq(sandbox_paths_hint("/srv/x", buf), "");
} END_TEST

int main(void)
{
	Suite *s = suite_create("sandbox_paths");
	TCase *tc = unit_case(s, "paths", NULL, NULL);

	tcase_add_loop_test(tc, a_path_below_a_hidden_folder_is_found, 0, ARRAY_SIZE(rows));
	tcase_add_test(tc, the_hint_names_setting_folder_and_drop_in);
	return unit_run(s);
}
