/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is left of a worker that crashed: the log, a report, and which users may
 * see it.
 */
#include <config.h>
#include "harness.h"

#include <grp.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "operator.h"

static struct daemon d;

#define CRASHY "tests/e2e/crashy"
#define CONTROL "control = { socket = \"%s\"; %s };\n"
#define ONE(rest) CONTROL SERVICES(SERVICE("s", "echo", "workers = 1; " rest))

static const char *control_path(void)
{
	return files_path("control.sock");
}

static void no_core(void)
{
	setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
}

static void prepare(void)
{
	d.program = CRASHY;
	d.before_exec = no_core;
}

static const char *folder(void)
{
	return files_path("state/crashes");
}

/* The path of a report. */
static const char *file_of(const char *name)
{
	return files_text("%s/%s.json", folder(), name);
}

/* Has the worker crash; returns the name of the report. */
static const char *crash(int fd, pid_t worker)
{
	const struct event *report;

	client_say(fd, "crash\n");
	client_expect_gone(fd);
	daemon_wait_for(&d, "worker-end service=s pid=%d how=signal value=%d", worker, SIGSEGV);
	report = daemon_wait_for(&d, "crash-report service=s");
	return event_word(report, "name");
}

static const char *told(const char *part)
{
	ck_assert_msg(strstr(operator_output(), part) != NULL, "%s is not in:\n%s", part,
	              operator_output());
	return operator_output();
}

START_TEST(a_crash_in_a_request_is_told_with_peer_and_bytes)
{
	const char *name, *peer;
	pid_t worker;
	int fd;

	prepare();
	files_mkdir("state");
	daemon_start(&d, ONE("crash_capture = \"1k\";"), control_path(), "");
	worker = daemon_next_worker(&d, "s");
	fd = daemon_connect(&d, "s");
	peer = client_name(fd);
	client_echo(fd);
	client_say(fd, "secret ");
	client_expect(fd, "secret ");
	name = crash(fd, worker);
	ck_assert_uint_eq(files_mode(folder()) & 07777, 0700);
	ck_assert_uint_eq(files_mode(file_of(name)) & 07777, 0600);

	ck_assert_int_eq(operator_run_args(control_path(), "crashes"), 0);
	told(name), told(peer), told("SIGSEGV"), told("handler");
	ck_assert_ptr_null(strstr(operator_output(), "secret"));
	ck_assert_int_eq(operator_run_args(control_path(), "crashes", name), 0);
	told(files_text("%d-1", worker)), told(peer), told("handler"), told("63 72 61 73 68 0a  ");
	told("ecret crash.");
	ck_assert_int_eq(operator_run_args(control_path(), "--json", "crashes", name), 0);
	told("\"signal\":\"SIGSEGV\""), told(files_text("\"worker\":%d", worker));
	told("\"requests\":3"), told("\"hang\":null"), told("7365637265742063726173680a\"");
	ck_assert_int_eq(operator_run_args(control_path(), "--json", "status"), 0);
	told("\"deaths\":{\"SIGSEGV\":1}");

	ck_assert_msg(strstr(daemon_errors(&d), "3 requests; it was at work for ") &&
	              strstr(daemon_errors(&d), files_text("%s, handler, connection %d-1 open for", peer,
	                                                   worker)), "%s", daemon_errors(&d));
	close(fd);
} END_TEST

START_TEST(only_the_last_bytes_of_that_connection_are_kept)
{
	const char *name;
	pid_t worker;
	int fd, other;

	prepare();
	files_mkdir("state");
	daemon_start(&d, ONE("crash_capture = 12;"), control_path(), "");
	worker = daemon_next_worker(&d, "s");
	fd = daemon_connect(&d, "s");
	other = daemon_connect_echo(&d, "s");
	client_say(fd, "a long request, ");
	client_expect(fd, "a long request, ");
	name = crash(fd, worker);
	ck_assert_int_eq(operator_run_args(control_path(), "--json", "crashes", name), 0);
	told("\"captured\":12"), told("\"input\":\"756573742c2063726173680a\"");    /* uest, crash */
	close(fd);
	close(other);
} END_TEST

START_TEST(nothing_is_kept_unless_it_is_asked_for)
{
	const char *name;
	pid_t worker;
	int fd;

	prepare();
	files_mkdir("state");
	daemon_start(&d, ONE(""), control_path(), "");
	worker = daemon_next_worker(&d, "s");
	fd = daemon_connect(&d, "s");
	name = crash(fd, worker);
	ck_assert_int_eq(operator_run_args(control_path(), "--json", "crashes", name), 0);
	told("\"captured\":0"), told("\"input\":\"\"");
	ck_assert_ptr_null(strstr(files_read(file_of(name)), "63726173680a"));
	close(fd);
} END_TEST

START_TEST(a_worker_that_was_idle_leaves_a_report_as_well)
{
	const char *name;
	pid_t worker;
	int fd;

	prepare();
	files_mkdir("state");
	daemon_start(&d, ONE("crash_capture = 100;"), control_path(), "");
	worker = daemon_next_worker(&d, "s");
	fd = daemon_connect_echo(&d, "s");
	daemon_settle_worker(&d, worker);
	ck_assert_int_eq(kill(worker, SIGKILL), 0);
	name = event_word(daemon_wait_for(&d, "crash-report service=s"), "name");
	ck_assert_int_eq(operator_run_args(control_path(), "--json", "crashes", name), 0);
	told("\"connection\":null"), told("\"captured\":0"), told("\"open\":1"), told("\"SIGKILL\"");
	client_expect_gone(fd);
	close(fd);
} END_TEST

START_TEST(a_report_of_a_hang_says_so)
{
	const char *name;
	int fd;

	prepare();
	files_mkdir("state");
	daemon_start(&d, ONE("crash_capture = 100; hang_timeout = \"200ms\";"), control_path(), "");
	fd = daemon_connect(&d, "s");
	client_say(fd, "please loop\n");
	name = event_word(daemon_wait_for(&d, "crash-report service=s"), "name");
	ck_assert_int_eq(operator_run_args(control_path(), "crashes", name), 0);
	told("SIGABRT"), told("kernel said        running"), told("please loop.");
	client_expect_gone(fd);
	close(fd);
} END_TEST

START_TEST(without_a_folder_there_is_a_line_in_the_log)
{
	pid_t worker;
	int fd;

	prepare();
	daemon_start(&d, ONE("crash_capture = 100;"), control_path(), "");
	worker = daemon_next_worker(&d, "s");
	fd = daemon_connect(&d, "s");
	client_say(fd, "crash\n");
	client_expect_gone(fd);
	close(fd);
	daemon_wait_for(&d, "worker-end service=s pid=%d how=signal value=%d", worker, SIGSEGV);
	daemon_wait_for(&d, "crash-report-failed service=s");
	ck_assert_uint_eq(files_count(daemon_errors(&d), "crash reports are not kept: there is no directory "), 1);
	daemon_check_echo(&d, "s");
	ck_assert_int_eq(operator_run_args(control_path(), "--json", "crashes"), 0);
	ck_assert_str_eq(operator_output(), "{\"crashes\":[]}\n");
} END_TEST

START_TEST(names_lead_nowhere_else)
{
	static const char *const names[] = { "../secret", "/etc/passwd", "..", ".", "", "a/b", "a b" };

	prepare();
	files_mkdir("state");
	files_mkdir("state/crashes");
	files_write("state/secret.json", "{\"input\":\"00\"}");
	daemon_start(&d, ONE(""), control_path(), "");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		ck_assert_int_eq(operator_run_args(control_path(), "crashes", names[i]), 70);
		ck_assert_str_eq(operator_errors(), "droverctl: crash must be the name of a report\n");
	}
	ck_assert_int_eq(operator_run_args(control_path(), "crashes", "secret"), 1);
	ck_assert_str_eq(operator_errors(), "droverctl: there is no such crash report\n");
} END_TEST

#define LOOKERS 4242

static void become_looker(void)
{
	const gid_t group = LOOKERS;

	if (setgroups(1, &group) == -1 || setgid(group) == -1 || setuid(7777) == -1)
		_exit(99);
}

START_TEST(a_client_that_may_only_look_does_not_see_the_bytes)
{
	const char *name;
	pid_t worker;
	int fd;

	prepare();
	files_mkdir("state");
	daemon_start(&d, ONE("crash_capture = 100;"), control_path(),
	             "mode = \"0666\"; group = \"4242\";");
	worker = daemon_next_worker(&d, "s");
	fd = daemon_connect(&d, "s");
	name = crash(fd, worker);
	operator_before_exec = become_looker;
	ck_assert_int_eq(operator_run_args(control_path(), "crashes"), 0);
	told(name);
	ck_assert_int_eq(operator_run_args(control_path(), "crashes", name), 77);
	ck_assert_str_eq(operator_output(), "");
	close(fd);
} END_TEST

int main(void)
{
	Suite *s = suite_create("evidence");
	TCase *tc = harness_case(s, "crash");

	tcase_add_test(tc, a_crash_in_a_request_is_told_with_peer_and_bytes);
	tcase_add_test(tc, only_the_last_bytes_of_that_connection_are_kept);
	tcase_add_test(tc, nothing_is_kept_unless_it_is_asked_for);
	tcase_add_test(tc, a_worker_that_was_idle_leaves_a_report_as_well);
	tcase_add_test(tc, a_report_of_a_hang_says_so);
	tcase_add_test(tc, without_a_folder_there_is_a_line_in_the_log);
	tcase_add_test(tc, names_lead_nowhere_else);
	harness_add_for_root(tc, a_client_that_may_only_look_does_not_see_the_bytes);
	return harness_run(s);
}
