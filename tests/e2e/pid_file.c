/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What others have put in place of the pid file, or can put there: the master does not wait
 * for it, and says what it does not take.
 */
#include <config.h>
#include "harness.h"

#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

static struct daemon d;

#define WITH_PID_FILE "pid_file = \"%s\";\n" SERVICES(SERVICE("s", "echo", "workers = 1;"))

static void put_a_fifo_at(const char *path)
{
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(mkfifo(path, 0666), 0);
}

static bool is_fifo(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISFIFO(st.st_mode);
}

START_TEST(a_stop_does_not_wait_for_a_fifo)
{
	const char *path = files_path("drover.pid");

	daemon_start(&d, WITH_PID_FILE, path);
	put_a_fifo_at(path);
	daemon_stop(&d, SIGTERM);
	ck_assert(is_fifo(path));       /* it is not ours */
} END_TEST

START_TEST(a_reload_with_another_pid_file_does_not_wait_for_a_fifo)
{
	const char *before = files_path("before.pid"), *after = files_path("after.pid");

	daemon_start(&d, WITH_PID_FILE, before);
	put_a_fifo_at(before);
	daemon_reload(&d, WITH_PID_FILE, after);
	daemon_check_echo(&d, "s");
	ck_assert(is_fifo(before));
	ck_assert_str_eq(files_read(after), files_text("%d\n", d.pid));
	daemon_stop(&d, SIGTERM);
	ck_assert(!files_exist(after));
} END_TEST

/* A reload, and an upgrade. */
START_TEST(a_fifo_gives_way_to_the_pid_file_the_next_time)
{
	const char *path = files_path("drover.pid");

	daemon_start(&d, WITH_PID_FILE, path);
	put_a_fifo_at(path);
	daemon_signal(&d, _i == 0 ? SIGHUP : SIGUSR2);
	daemon_wait_for(&d, _i == 0 ? "reload-done" : "upgrade-done");
	daemon_check_echo(&d, "s");
	ck_assert_str_eq(files_read(path), files_text("%d\n", d.pid));
} END_TEST

START_TEST(a_folder_that_others_can_write_is_refused)
{
	const char *folder = files_mkdir("pids");

	ck_assert_int_eq(chmod(folder, 0777), 0);
	daemon_config(&d, WITH_PID_FILE, files_path("pids/drover.pid"));
	ck_assert_int_eq(daemon_run_args(&d, "-c", d.config), EX_CONFIG);
	harness_contains(daemon_errors(&d), files_text("pid_file is in %s, where others could"
	                 " replace it: everybody can write to it (chmod go-w %s)",
	                 folder, folder));
} END_TEST

START_TEST(a_folder_for_the_group_of_root_is_fine)
{
	const char *folder = files_mkdir("pids");

	ck_assert_int_eq(chown(folder, 0, 0), 0);
	ck_assert_int_eq(chmod(folder, 0775), 0);
	daemon_start(&d, WITH_PID_FILE, files_path("pids/drover.pid"));
	daemon_check_echo(&d, "s");
} END_TEST

/* A check says what a start would refuse; it may be made by another user than the start. */
START_TEST(a_check_warns_of_the_folder_of_another_user)
{
	const char *folder = files_mkdir("pids");

	daemon_config(&d, WITH_PID_FILE, files_path("pids/drover.pid"));
	ck_assert_int_eq(daemon_run_args(&d, "-t", "-c", d.config), 0);
	ck_assert_ptr_null(strstr(daemon_errors(&d), "pid_file"));
	ck_assert_int_eq(chown(folder, 65534, 0), 0);
	ck_assert_int_eq(daemon_run_args(&d, "-t", "-c", d.config), 0);
	harness_contains(daemon_errors(&d), files_text(
		": warning: pid_file is in %s, which belongs to the user 65534", folder));
} END_TEST

/* As the writer does it. */
START_TEST(a_link_to_something_else_is_replaced)
{
	const char *path = files_path("drover.pid");

	ck_assert_int_eq(symlink("/dev/null", path), 0);
	daemon_start(&d, WITH_PID_FILE, path);
	ck_assert_str_eq(files_read(path), files_text("%d\n", d.pid));
} END_TEST

START_TEST(a_folder_that_others_can_write_later_does_not_stop_the_server)
{
	const char *folder = files_mkdir("pids"), *path = files_path("pids/drover.pid");

	daemon_start(&d, WITH_PID_FILE, path);
	ck_assert_int_eq(chmod(folder, 0777), 0);
	put_a_fifo_at(path);
	daemon_signal(&d, SIGHUP);
	daemon_wait_for(&d, "reload-failed reason=check");
	daemon_check_echo(&d, "s");
	daemon_stop(&d, SIGTERM);
	ck_assert(is_fifo(path));
} END_TEST

int main(void)
{
	Suite *s = suite_create("pid_file");
	TCase *tc = harness_case(s, "pid_file");

	tcase_add_test(tc, a_stop_does_not_wait_for_a_fifo);
	tcase_add_test(tc, a_reload_with_another_pid_file_does_not_wait_for_a_fifo);
	tcase_add_loop_test(tc, a_fifo_gives_way_to_the_pid_file_the_next_time, 0, 2);
	tcase_add_test(tc, a_folder_that_others_can_write_is_refused);
	tcase_add_test(tc, a_folder_that_others_can_write_later_does_not_stop_the_server);
	tcase_add_test(tc, a_link_to_something_else_is_replaced);
	harness_add_for_root(tc, a_folder_for_the_group_of_root_is_fine);
	harness_add_for_root(tc, a_check_warns_of_the_folder_of_another_user);
	return harness_run(s);
}
