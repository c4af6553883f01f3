/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The pid file is complete or not there, and never that of another process.
 */
#include <config.h>
#include "pid_file.h"

#include <dirent.h>
#include <limits.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "unit.h"

static size_t n_entries(const char *folder)
{
	DIR *d = opendir(folder);
	size_t n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n - 2;
}

static void expect_our_pid(const char *path)
{
	char want[16];

	snprintf(want, sizeof want, "%d\n", (int)getpid());
	ck_assert_str_eq(unit_read_file(path), want);
}

START_TEST(our_pid_is_written_and_removed)
{
	struct stat st;

	umask(022);
	ck_assert_int_eq(pid_file_write("pid"), 0);
	expect_our_pid("pid");
	ck_assert_int_eq(lstat("pid", &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0644);
	ck_assert_uint_eq(n_entries("."), 1);           /* no temporary name is left */
	pid_file_remove("pid");
	ck_assert_uint_eq(n_entries("."), 0);
	pid_file_remove("pid");
	pid_file_remove(NULL);
} END_TEST

START_TEST(an_old_file_is_replaced)
{
	char temporary[64];

	snprintf(temporary, sizeof temporary, "pid.%d", (int)getpid());
	unit_write_file("pid", "123456789\nand much more");
	unit_write_file(temporary, "left by a crash");
	ck_assert_int_eq(pid_file_write("pid"), 0);
	expect_our_pid("pid");
	ck_assert_uint_eq(n_entries("."), 1);
} END_TEST

START_TEST(links_are_replaced_and_not_followed)
{
	char temporary[64];

	snprintf(temporary, sizeof temporary, "pid.%d", (int)getpid());
	unit_write_file("precious", "data");
	ck_assert_int_eq(symlink("precious", "pid"), 0);
	ck_assert_int_eq(symlink("precious", temporary), 0);
	ck_assert_int_eq(pid_file_write("pid"), 0);
	ck_assert_str_eq(unit_read_file("precious"), "data");
	expect_our_pid("pid");
} END_TEST

static const char *const others[] = { "1\n", "", "nonsense", "0\n", "-1\n" };

START_TEST(a_file_that_is_not_ours_any_more_stays)
{
	unit_write_file("pid", others[_i]);
	pid_file_remove("pid");
	ck_assert_msg(n_entries(".") == 1, "%s", others[_i]);
} END_TEST

START_TEST(nor_is_one_whose_pid_begins_as_ours)
{
	char text[32];

	snprintf(text, sizeof text, "%d0\n", (int)getpid());
	unit_write_file("pid", text);
	pid_file_remove("pid");
	ck_assert_uint_eq(n_entries("."), 1);
} END_TEST

static char longest[PATH_MAX + 10];
static const struct { const char *path; int want; } bad_paths[] = {
	{ "no/folder", ENOENT },
	{ "folder", EISDIR },
	{ longest, ENAMETOOLONG },
};

START_TEST(what_cannot_be_written_gives_errno_and_leaves_nothing)
{
	ck_assert_int_eq(mkdir("folder", 0700), 0);
	memset(longest, 'x', sizeof longest - 1);
	ck_assert_int_eq(pid_file_write(bad_paths[_i].path), -1);
	ck_assert_msg(errno == bad_paths[_i].want, "%s: %m", bad_paths[_i].path);
	ck_assert_uint_eq(n_entries("."), 1);
} END_TEST

START_TEST(a_folder_of_another_user_is_not_trusted)
{
	ck_assert_int_eq(mkdir("theirs", 0777), 0);
	ck_assert_int_eq(chown("theirs", 65534, 65534), 0);
	ck_assert_int_eq(pid_file_write("theirs/pid"), -1);
	ck_assert_int_eq(errno, PID_FILE_EXPOSED);
	ck_assert_uint_eq(n_entries("theirs"), 0);
} END_TEST

START_TEST(a_folder_of_root_or_our_own_is)
{
	ck_assert_int_eq(mkdir("roots", 0777), 0);
	ck_assert_int_eq(chmod("roots", 01777), 0);     /* like /tmp */
	ck_assert_int_eq(mkdir("ours", 0700), 0);
	ck_assert_int_eq(chown("ours", 65534, 65534), 0);
	ck_assert_int_eq(chmod(".", 0755), 0);
	ck_assert_int_eq(seteuid(65534), 0);
	ck_assert_int_eq(pid_file_write("roots/pid"), 0);
	ck_assert_int_eq(pid_file_write("ours/pid"), 0);
	ck_assert_int_eq(seteuid(0), 0);
} END_TEST

static const mode_t exposed[] = { 0777, 0703, 02777 };

START_TEST(a_folder_that_others_can_write_is_not_trusted)
{
	ck_assert_int_eq(mkdir("folder", 0700), 0);
	ck_assert_int_eq(chmod("folder", exposed[_i]), 0);
	ck_assert_int_eq(pid_file_write("folder/pid"), -1);
	ck_assert_msg(errno == PID_FILE_EXPOSED, "%o: %m", exposed[_i]);
	ck_assert_uint_eq(n_entries("folder"), 0);
} END_TEST

/* As RuntimeDirectoryMode=0775 of systemd gives one. */
START_TEST(a_folder_for_our_group_or_that_of_root_is_trusted)
{
	ck_assert_int_eq(mkdir("folder", 0700), 0);
	ck_assert_int_eq(chown("folder", (uid_t)-1, getegid()), 0);
	ck_assert_int_eq(chmod("folder", 0775), 0);
	ck_assert_int_eq(pid_file_write("folder/pid"), 0);
	expect_our_pid("folder/pid");
} END_TEST

START_TEST(a_folder_for_another_group_is_not_trusted)
{
	ck_assert_int_eq(mkdir("folder", 0700), 0);
	ck_assert_int_eq(chown("folder", 0, 54321), 0);
	ck_assert_int_eq(chmod("folder", 0775), 0);
	ck_assert_int_eq(pid_file_write("folder/pid"), -1);
	ck_assert_int_eq(errno, PID_FILE_EXPOSED);
} END_TEST

/* The folder can be trusted: then the message must not speak of it. */
START_TEST(the_file_of_another_user_in_a_folder_like_tmp_has_its_own_error)
{
	const char *text;

	unit_write_file("pid", "1\n");
	ck_assert_int_eq(chmod(".", 01777), 0);
	ck_assert_int_eq(seteuid(65534), 0);
	ck_assert_int_eq(pid_file_write("pid"), -1);
	ck_assert_int_eq(errno, EPERM);
	ck_assert_int_eq(seteuid(0), 0);
	text = pid_file_error(EPERM);
	unit_contains(text, "a file of another user");
	unit_contains(pid_file_error(PID_FILE_EXPOSED), "others could replace it");
} END_TEST

START_TEST(a_fifo_is_replaced_and_never_waited_for)
{
	struct stat st;

	ck_assert_int_eq(mkfifo("pid", 0666), 0);
	pid_file_remove("pid");
	ck_assert_int_eq(lstat("pid", &st), 0);
	ck_assert(S_ISFIFO(st.st_mode));
	ck_assert_int_eq(pid_file_write("pid"), 0);
	expect_our_pid("pid");
} END_TEST

START_TEST(a_socket_stays)
{
	const struct sockaddr_un a = { AF_UNIX, "pid" };
	const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct stat st;

	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&a, sizeof a), 0);
	ck_assert_int_eq(pid_file_write("pid"), -1);
	ck_assert_int_eq(errno, EEXIST);
	pid_file_remove("pid");
	ck_assert_int_eq(lstat("pid", &st), 0);
	ck_assert(S_ISSOCK(st.st_mode));
	close(fd);
} END_TEST

int main(void)
{
	Suite *s = suite_create("pid_file");
	TCase *tc = unit_case(s, "pid_file", unit_enter_folder, unit_leave_folder);

	tcase_add_test(tc, our_pid_is_written_and_removed);
	tcase_add_test(tc, an_old_file_is_replaced);
	tcase_add_test(tc, links_are_replaced_and_not_followed);
	tcase_add_loop_test(tc, a_file_that_is_not_ours_any_more_stays, 0, ARRAY_SIZE(others));
	tcase_add_test(tc, nor_is_one_whose_pid_begins_as_ours);
	tcase_add_loop_test(tc, what_cannot_be_written_gives_errno_and_leaves_nothing, 0,
	                    ARRAY_SIZE(bad_paths));
	tcase_add_loop_test(tc, a_folder_that_others_can_write_is_not_trusted, 0, ARRAY_SIZE(exposed));
	tcase_add_test(tc, a_folder_for_our_group_or_that_of_root_is_trusted);
	tcase_add_test(tc, a_fifo_is_replaced_and_never_waited_for);
	tcase_add_test(tc, a_socket_stays);
	unit_add_if(geteuid() == 0, "only root can do that", tc,
	            a_folder_of_another_user_is_not_trusted);
	unit_add_if(geteuid() == 0, "only root can do that", tc, a_folder_of_root_or_our_own_is);
	unit_add_if(geteuid() == 0, "only root can do that", tc, a_folder_for_another_group_is_not_trusted);
	unit_add_if(geteuid() == 0, "only root can do that", tc,
	            the_file_of_another_user_in_a_folder_like_tmp_has_its_own_error);
	return unit_run(s);
}
