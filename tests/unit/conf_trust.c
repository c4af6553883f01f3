/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Warnings of files of the configuration that others can write.
 */
#include <config.h>
#include "conf_trust.h"

#include <limits.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "private_group.h"
#include "unit.h"

static char said[1024];

static void hear(void *arg, enum conf_weight weight, const char *line)
{
	const size_t len = strlen(said);

	(void)arg;
	ck_assert_int_eq(weight, CONF_WARNING);
	snprintf(said + len, sizeof said - len, "%s\n", line);
}

static const char *said_of_files(const char *const *files, size_t n)
{
	struct conf_loader ld = { .errors = { .complain = hear, .main = "conf/a" } };
	struct stat st;

	said[0] = '\0';
	for (size_t i = 0; i < n; i++) {
		ck_assert_int_eq(stat(files[i], &st), 0);
		conf_trust_warn(&ld, files[i], &st);
	}
	ck_assert_uint_eq(ld.errors.count, 0);
	conf_errors_flush(&ld.errors);
	return said;
}

/* What is said of the files conf/a and conf/b, with these modes. */
static const char *said_of(mode_t folder, mode_t file)
{
	static const char *const files[] = { "conf/a", "conf/b" };

	ck_assert_int_eq(chmod("conf", folder), 0);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		ck_assert_int_eq(chmod(files[i], file), 0);
	return said_of_files(files, ARRAY_SIZE(files));
}

/* "conf/a:1: warning: ..." of a folder for everybody. */
static const char *warning_of(const char *folder)
{
	static char text[PATH_MAX + 256];
	char real[PATH_MAX];

	ck_assert_ptr_nonnull(realpath(folder, real));
	snprintf(text, sizeof text, "conf/a:1: warning: others can replace files of the configuration in"
	         " the directory %s: everybody can write to it\n", real);
	return text;
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

/* Of a group of others: root can give the files such a one. */
START_TEST(each_file_that_others_can_write_is_told)
{
	ck_assert_int_eq(chown("conf/a", 0, 54321), 0);
	ck_assert_int_eq(chown("conf/b", 0, 54321), 0);
	ck_assert_str_eq(said_of(0755, 0664),
		"conf/a:1: warning: others can change this file: its group can write to it\n"
		"conf/b:1: warning: others can change this file: its group can write to it\n");
} END_TEST

START_TEST(the_group_of_root_is_no_other)
{
	ck_assert_int_eq(chown("conf", 0, 0), 0);
	ck_assert_int_eq(chown("conf/a", 0, 0), 0);
	ck_assert_int_eq(chown("conf/b", 0, 0), 0);
	ck_assert_str_eq(said_of(0775, 0664), "");
} END_TEST

START_TEST(a_private_group_has_the_name_of_its_user)
{
	ck_assert(private_group_is_of(0, 0));
	ck_assert(!private_group_is_of(54321, 0));
	ck_assert(!private_group_is_of(0, 54321));
} END_TEST

START_TEST(a_folder_that_others_can_write_is_told_once)
{
	ck_assert_str_eq(said_of(0777, 0644), warning_of("conf"));
} END_TEST

START_TEST(the_folder_that_a_link_leads_to_is_told)
{
	static const char *const files[] = { "conf/a" };

	ck_assert_int_eq(chmod("conf/a", 0644), 0);
	ck_assert_int_eq(mkdir("open", 0700), 0);
	ck_assert_int_eq(rename("conf/a", "open/a"), 0);
	ck_assert_int_eq(symlink("../open/a", "conf/a"), 0);
	ck_assert_int_eq(chmod("open", 0777), 0);
	ck_assert_str_eq(said_of_files(files, 1), warning_of("open"));
	ck_assert_int_eq(chmod("open", 0755), 0);
	ck_assert_int_eq(chmod("conf", 0777), 0);
	ck_assert_str_eq(said_of_files(files, 1), warning_of("conf"));
} END_TEST

/* In a namespace of its own, if it can have one; 77: it cannot. */
static _Noreturn void look_at_a_read_only_folder(void)
{
	if (unshare(CLONE_NEWNS) == -1 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1 ||
	    mount("conf", "conf", NULL, MS_BIND, NULL) == -1)
		_exit(77);
	said_of(0777, 0644);
	if (mount(NULL, "conf", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) == -1)
		_exit(77);
	_exit(said_of_files((const char *const[]){ "conf/a" }, 1)[0] != '\0');
}

START_TEST(a_folder_on_a_mount_for_reading_only_is_fine)
{
	int status;
	const pid_t pid = fork();

	if (pid == 0)
		look_at_a_read_only_folder();
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		printf("# skipped: no namespace of mounts can be made\n");
	else
		ck_assert_int_eq(WEXITSTATUS(status), 0);
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
	tcase_add_test(tc, a_private_group_has_the_name_of_its_user);
	tcase_add_test(tc, the_folder_that_a_link_leads_to_is_told);
	tcase_add_test(tc, a_folder_that_others_can_write_is_told_once);
	unit_add_if(geteuid() == 0, "only root can do that", tc, each_file_that_others_can_write_is_told);
	unit_add_if(geteuid() == 0, "only root can do that", tc, the_group_of_root_is_no_other);
	unit_add_if(geteuid() == 0, "only root can do that", tc, a_file_of_another_user_is_told);
	unit_add_if(geteuid() == 0, "only root can do that", tc, a_folder_on_a_mount_for_reading_only_is_fine);
	return unit_run(s);
}
