/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A master that is root without the capability KILL, as in some containers, and
 * workers of another user: all processes end as they should, and a signal that
 * cannot be sent is logged.
 */
#include <config.h>
#include "control_harness.h"

#include <linux/capability.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "operator.h"

static struct daemon d;

/* Workers of nobody. */
#define NOBODY(top, rest) \
	CONTROL top SERVICES(SERVICE("s", "echo", "workers = 1; user = \"nobody\"; " rest))

static void drop_kill(void)
{
	if (process_give_up(CAP_KILL) == -1)
		_exit(EXIT_FAILURE);
}

#define start(format) do { \
		d.before_exec = drop_kill; \
		daemon_start(&d, format, control_path()); \
		check_log("without the capability CAP_KILL its workers"); \
	} while (0)

static void check_log(const char *part)
{
	ck_assert_msg(strstr(daemon_errors(&d), part), "%s is not in:\n%s", part, daemon_errors(&d));
}

static void expect_cut(int fd)
{
	client_expect_gone(fd);
	close(fd);
	daemon_wait_for(&d, "worker-end service=s how=exit value=0");
}

static void term_twice(void)
{
	daemon_signal(&d, SIGTERM);
	daemon_wait_for(&d, "stopping mode=drain");
	daemon_signal(&d, SIGTERM);
}

static void interrupt(void)
{
	daemon_signal(&d, SIGINT);
}

static void stop_now(void)
{
	d.may_end = true;
	ck_assert_int_eq(operator_run_args(control_path(), "stop", "--now"), 0);
}

static void (*const stops[])(void) = { term_twice, interrupt, stop_now };

START_TEST(a_stop_at_once_ends_what_is_open)
{
	int fd;

	start(NOBODY("shutdown_timeout = 0;", ""));
	fd = daemon_connect_echo(&d, "s");
	stops[_i]();
	expect_cut(fd);
	ck_assert_int_eq(daemon_join(&d), 0);
	check_log("Operation not permitted (the worker has another user, and droverd lacks the"
	          " capability CAP_KILL)");
} END_TEST

START_TEST(a_stop_takes_no_longer_than_shutdown_timeout)
{
	int fd;

	start(NOBODY("shutdown_timeout = \"200ms\";", ""));
	fd = daemon_connect_echo(&d, "s");
	daemon_signal(&d, SIGTERM);
	expect_cut(fd);
	ck_assert_int_eq(daemon_join(&d), 0);
} END_TEST

START_TEST(draining_takes_no_longer_than_its_time_out)
{
	int fd;

	start(NOBODY("", "timeouts = { drain = \"200ms\"; };"));
	fd = daemon_connect_echo(&d, "s");
	daemon_signal(&d, SIGHUP);
	daemon_wait_for(&d, "reload-done");
	expect_cut(fd);
} END_TEST

/* It cannot be aborted, but it is replaced, and it ends if its loop goes on. */
START_TEST(a_worker_that_hangs_is_replaced_and_ends_when_it_goes_on)
{
	pid_t worker;
	int fd;

	start(NOBODY("", "hang_timeout = \"200ms\";"));
	worker = daemon_next_worker(&d, "s");
	fd = daemon_connect_echo(&d, "s");
	ck_assert_int_eq(kill(worker, SIGSTOP), 0);
	daemon_wait_for(&d, "signal-refused service=s pid=%d signal=%d", worker, SIGABRT);
	check_log(files_text("send ABRT to worker %d: Operation not permitted", worker));
	ck_assert_int_ne(daemon_next_worker(&d, "s"), worker);
	ck_assert_int_eq(kill(worker, SIGCONT), 0);
	expect_cut(fd);
	daemon_check_echo(&d, "s");
} END_TEST

START_TEST(the_check_warns_too)
{
	d.before_exec = drop_kill;
	daemon_config(&d, NOBODY("", ""), control_path());
	ck_assert_int_eq(daemon_run_args(&d, "-t", "-c", d.config), 0);
	check_log("warning: service s: without the capability CAP_KILL its workers can be told to"
	          " end, but not be killed when they hang or do not obey");
	d.before_exec = NULL;
	ck_assert_int_eq(daemon_run_args(&d, "-t", "-c", d.config), 0);
	ck_assert_ptr_null(strstr(daemon_errors(&d), "CAP_KILL"));
} END_TEST

/* Whether the test can run here: it needs root with that capability, to give it up. */
static bool is_root_with_kill(void)
{
	return harness_is_root() && prctl(PR_CAPBSET_READ, CAP_KILL, 0, 0, 0) == 1;
}

int main(void)
{
	Suite *s = suite_create("cap_kill");
	TCase *tc = harness_case(s, "cap_kill");

	if (is_root_with_kill()) {
		tcase_add_loop_test(tc, a_stop_at_once_ends_what_is_open, 0, ARRAY_SIZE(stops));
		tcase_add_test(tc, a_stop_takes_no_longer_than_shutdown_timeout);
		tcase_add_test(tc, draining_takes_no_longer_than_its_time_out);
		tcase_add_test(tc, a_worker_that_hangs_is_replaced_and_ends_when_it_goes_on);
		tcase_add_test(tc, the_check_warns_too);
	} else {
		harness_skip("cap_kill", "only root with the capability KILL can be without it");
	}
	return harness_run(s);
}
