/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The children that write crash reports: how many there are, and what is said
 * of each.
 */
#include <config.h>
#include "crash_reports.h"

#include <sys/stat.h>
#include <sys/wait.h>

#include "log.h"
#include "log_sink.h"
#include "unit.h"

static struct log_sink *sink;
static struct crash_reports reports;
static struct evidence evidence;

static void set_up(void)
{
	unit_enter_folder();
	sink = log_sink_open(LOG_TARGET_FILE, "log", LOG_FORMAT_TEXT);
	log_use(sink, LOG_LEVEL_INFO);
	reports = (struct crash_reports){ 0 };
	evidence = (struct evidence){ .service = "echo", .pid = 812, .status = SIGSEGV };
}

static void tear_down(void)
{
	log_use(NULL, LOG_LEVEL_INFO);
	log_sink_close(&sink);
	unit_leave_folder();
}

static void keep(const char *state_dir)
{
	crash_reports_keep(&reports, state_dir, &evidence);
	evidence.pid++;                 /* another one has another name */
}

/* Waits for so many children. */
static void reap(int n)
{
	int status;

	for (int i = 0; i < n; i++) {
		pid_t pid = wait(&status);

		ck_assert_int_gt(pid, 0);
		ck_assert(crash_reports_reaped(&reports, pid, status));
		ck_assert(!crash_reports_reaped(&reports, pid, status));
	}
	ck_assert_int_eq(wait(&status), -1);
}

static size_t said(const char *part)
{
	size_t n = 0;

	for (const char *at = unit_read_file("log"); (at = strstr(at, part)); at++)
		n++;
	return n;
}

START_TEST(so_many_are_written_at_once_and_no_more)
{
	ck_assert_int_eq(mkdir("state", 0700), 0);
	for (int i = 0; i < CRASH_REPORTS_AT_ONCE + 2; i++)
		keep("state");
	ck_assert_uint_eq(said("echo: keep a crash report in state: too many at once"), 2);
	reap(CRASH_REPORTS_AT_ONCE);
	ck_assert_uint_eq(said("echo: crash report 2"), CRASH_REPORTS_AT_ONCE);
	keep("state");                  /* there is room again */
	reap(1);
	ck_assert_uint_eq(said("echo: crash report 2"), CRASH_REPORTS_AT_ONCE + 1);
} END_TEST

START_TEST(a_folder_that_is_not_there_is_told_once)
{
	for (int i = 0; i < 3; i++) {
		keep("nowhere");
		reap(1);
	}
	ck_assert_uint_eq(said("info "), 1);
	ck_assert_uint_eq(said("crash reports are not kept: there is no directory nowhere\n"), 1);
	keep("elsewhere");
	reap(1);
	ck_assert_uint_eq(said("there is no directory elsewhere\n"), 1);
	ck_assert_uint_eq(said("\n"), 2);
} END_TEST

START_TEST(why_it_failed_is_said_in_a_line)
{
	int status;

	ck_assert_int_eq(close(creat("file", 0600)), 0);
	keep("file");
	reap(1);
	ck_assert_uint_eq(said("echo: keep a crash report in file: Not a directory\n"), 1);
	ck_assert_uint_eq(said("\n"), 1);
	ck_assert(!crash_reports_reaped(&reports, 1, 0));
	ck_assert_int_eq(wait(&status), -1);
} END_TEST

/* A folder that is descriptor 0 to us must be none to the writer. */
START_TEST(a_writer_has_left_the_terminal)
{
	siginfo_t end = { 0 };

	ck_assert_int_eq(dup2(open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), STDIN_FILENO), STDIN_FILENO);
	keep("/proc/self/fd/0");
	ck_assert_int_eq(waitid(P_ALL, 0, &end, WEXITED | WNOWAIT), 0);
	ck_assert_int_eq(getsid(end.si_pid), end.si_pid);
	reap(1);
	ck_assert_uint_eq(said("keep a crash report in /proc/self/fd/0: Not a directory\n"), 1);
} END_TEST

START_TEST(a_writer_that_dies_is_told)
{
	/* As the kernel would report them: nobody waits ten seconds for that here. */
	reports.writing[0] = (struct crash_writing){ .pid = 4711, .service = "a", .state_dir = "s" };
	reports.writing[1] = (struct crash_writing){ .pid = 4712, .service = "b", .state_dir = "s" };
	ck_assert(crash_reports_reaped(&reports, 4711, SIGALRM));
	ck_assert(crash_reports_reaped(&reports, 4712, SIGKILL));
	ck_assert_uint_eq(said("a: keep a crash report in s: it takes too long"), 1);
	ck_assert_uint_eq(said("b: keep a crash report in s: the process that writes it died"), 1);
} END_TEST

int main(void)
{
	Suite *s = suite_create("crash_reports");
	TCase *tc = unit_case(s, "crash_reports", set_up, tear_down);

	tcase_add_test(tc, so_many_are_written_at_once_and_no_more);
	tcase_add_test(tc, a_folder_that_is_not_there_is_told_once);
	tcase_add_test(tc, why_it_failed_is_said_in_a_line);
	tcase_add_test(tc, a_writer_that_dies_is_told);
	tcase_add_test(tc, a_writer_has_left_the_terminal);
	return unit_run(s);
}
