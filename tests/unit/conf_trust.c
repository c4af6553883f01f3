/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Warnings of files of the configuration that others can write.
 */
#include <config.h>
#include "conf_trust.h"

#include <sys/stat.h>

#include "unit.h"

static char said[1024];

static void hear(void *arg, enum conf_weight weight, const char *line)
{
	const size_t len = strlen(said);

	(void)arg;
	ck_assert_int_eq(weight, CONF_WARNING);
	snprintf(said + len, sizeof said - len, "%s\n", line);
}

/* What is said of the files conf/a and conf/b. */
static const char *said_of(mode_t folder, mode_t file)
{
	struct conf_loader ld = { .report = { .complain = hear } };
	const char *const files[] = { "conf/a", "conf/b" };
	struct stat st;

	said[0] = '\0';
	ck_assert_int_eq(chmod("conf", folder), 0);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		ck_assert_int_eq(chmod(files[i], file), 0);
		ck_assert_int_eq(stat(files[i], &st), 0);
		conf_trust_warn(&ld, files[i], &st);
	}
	ck_assert_uint_eq(ld.report.count, 0);
	conf_report_flush(&ld.report);
	return said;
}

static void set_up(void)
{
	unit_enter_folder();
	ck_assert_int_eq(mkdir("conf", 0700), 0);
	unit_write_file("conf/a", "");
	unit_write_file("conf/b", "");
}

START_TEST(files_that_only_we_can_write_are_fine)
{
	ck_assert_str_eq(said_of(0755, 0644), "");
	ck_assert_str_eq(said_of(0700, 0400), "");
	ck_assert_str_eq(said_of(01777, 0600), "");
} END_TEST

START_TEST(each_file_that_others_can_write_is_told)
{
	ck_assert_str_eq(said_of(0755, 0664),
		"conf/a:1: warning: others can change this file: its group can write to it\n"
		"conf/b:1: warning: others can change this file: its group can write to it\n");
} END_TEST

START_TEST(a_folder_that_others_can_write_is_told_once)
{
	ck_assert_str_eq(said_of(0777, 0644), "conf:1: warning: others can replace files of the"
	                 " configuration in this directory: everybody can write to it\n");
} END_TEST

START_TEST(a_file_of_another_user_is_told)
{
	ck_assert_int_eq(chown("conf/b", 65534, 0), 0);
	ck_assert_str_eq(said_of(0755, 0644),
		"conf/b:1: warning: others can change this file: it belongs to another user\n");
} END_TEST

int main(void)
{
	Suite *s = suite_create("conf_trust");
	TCase *tc = unit_case(s, "conf_trust", set_up, unit_leave_folder);

	tcase_add_test(tc, files_that_only_we_can_write_are_fine);
	tcase_add_test(tc, each_file_that_others_can_write_is_told);
	tcase_add_test(tc, a_folder_that_others_can_write_is_told_once);
	unit_add_if(geteuid() == 0, "only root can do that", tc, a_file_of_another_user_is_told);
	return unit_run(s);
}
