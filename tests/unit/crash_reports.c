/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The helpers that write crash reports: how many there are, and what is said
 * of each.
 */
#include <config.h>
#include "crash_reports.h"

#include <sys/stat.h>
#include <sysexits.h>

#include "helper_harness.h"
#include "log.h"
#include "log_sink.h"

int __real_crash_files_write(const char *state_dir, const char *name, const json_t *report);
int __wrap_crash_files_write(const char *state_dir, const char *name, const json_t *report);

static struct log_sink *sink;
static struct crash_reports reports;
static struct evidence evidence;

/* A disk that is slow, where it has that name. */
int __wrap_crash_files_write(const char *state_dir, const char *name, const json_t *report)
{
	while (strcmp(state_dir, "slow") == 0)
		pause();
	return strcmp(state_dir, "unfit") == 0 ? EX_OSERR : __real_crash_files_write(state_dir, name, report);
}

static void set_up(void)
{
	unit_enter_folder();
	open_helpers();
	sink = log_sink_open(LOG_TARGET_FILE, "log", LOG_FORMAT_TEXT);
	log_use(sink, LOG_LEVEL_INFO);
	reports = (struct crash_reports){ .helpers = &helpers };
	evidence = (struct evidence){ .service = "echo", .pid = 812, .status = SIGSEGV };
}

static void tear_down(void)
{
	log_use(NULL, LOG_LEVEL_INFO);
	log_sink_close(&sink);
	close_helpers();
	unit_leave_folder();
}

static void keep(const char *state_dir)
{
	crash_reports_keep(&reports, state_dir, &evidence);
	evidence.pid++;                 /* another one has another name */
}

/* Waits for n helpers, and there are no more. */
static void reap(int n)
{
	int status;

	for (int i = 0; i < n; i++) {
		pid_t pid = wait(&status);

		ck_assert_int_gt(pid, 0);
		ck_assert(helpers_reaped(&helpers, pid, status));
	}
	ck_assert_int_eq(wait(&status), -1);
	ck_assert(list_empty(&helpers.all));
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
	ck_assert_int_eq(close(creat("file", 0600)), 0);
	keep("file");
	reap(1);
	ck_assert_uint_eq(said("echo: keep a crash report in file: Not a directory\n"), 1);
	ck_assert_uint_eq(said("\n"), 1);
} END_TEST

START_TEST(a_writer_that_dies_is_told)
{
	keep("slow");
	ck_assert_int_eq(kill(helper_pid(reports.writing[0].helper), SIGKILL), 0);
	reap(1);
	ck_assert_uint_eq(said("echo: keep a crash report in slow: the process that writes it died"), 1);
	keep("unfit");
	reap(1);
	ck_assert_uint_eq(said("in unfit: the process that writes it could not start"), 1);
} END_TEST

START_TEST(a_writer_that_takes_too_long_is_told)
{
	keep("slow");
	timer_run(&loop.timers, timer_next(&loop.timers));
	reap(1);
	ck_assert_uint_eq(said("echo: keep a crash report in slow: it takes too long"), 1);
} END_TEST

START_TEST(a_writer_that_is_left_goes_on)
{
	int status;
	pid_t pid;

	ck_assert_int_eq(mkdir("state", 0700), 0);
	keep("state");
	crash_reports_leave(&reports);
	ck_assert(list_empty(&helpers.all));
	pid = wait(&status);
	ck_assert_int_gt(pid, 0);
	ck_assert_int_eq(status, 0);
	ck_assert(!helpers_reaped(&helpers, pid, status));
	ck_assert_uint_eq(said("\n"), 0);
} END_TEST

int main(void)
{
	Suite *s = suite_create("crash_reports");
	TCase *tc = unit_case(s, "crash_reports", set_up, tear_down);

	tcase_add_test(tc, so_many_are_written_at_once_and_no_more);
	tcase_add_test(tc, a_folder_that_is_not_there_is_told_once);
	tcase_add_test(tc, why_it_failed_is_said_in_a_line);
	tcase_add_test(tc, a_writer_that_dies_is_told);
	tcase_add_test(tc, a_writer_that_takes_too_long_is_told);
	tcase_add_test(tc, a_writer_that_is_left_goes_on);
	return unit_run(s);
}
