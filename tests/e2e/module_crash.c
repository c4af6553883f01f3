/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A module crashes or fails in each of its callbacks: what ends with it, what goes on, and which
 * reports name it.
 */
#include <config.h>
#include "module_harness.h"

#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "control_harness.h"
#include "operator.h"

#define CONTROLLED "control = { socket = \"%s\"; };\n%s"

static void no_core(void)
{
	setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
}

static void start(const char *options, const char *rest)
{
	d.before_exec = no_core;
	files_mkdir("state");
	daemon_start(&d, CONTROLLED, control_path(), module_probe_at(module_built("probe"), options, rest));
}

/* In which callback, what the client says to bring it about, and whether its end does. */
static const struct { const char *callback, *options, *say; bool ends; } crashes[] = {
	{ "open",    "",                    "",               false },
	{ "data",    "",                    "echo x\n",       false },
	{ "request", "framing = \"line\";", "echo x\n",       false },
	{ "ended",   "",                    "",               true },
	{ "taken",   "",                    "lend 8000000\n", false },
	{ "timer",   "",                    "later x\n",      false },
	{ "close",   "",                    "",               true },
	{ "fire",    "",                    "fire x\n",       false },
	{ "ready",   "",                    "pipe x\n",       false },
};

/* Reads everything, which `taken` waits for. */
static void provoke(int i, int fd)
{
	client_say(fd, crashes[i].say);
	if (crashes[i].ends)
		client_end(fd);
	client_expect_gone(fd);
}

START_TEST(a_crash_in_a_callback_is_one_of_the_module_and_the_service_goes_on)
{
	const struct event *report;
	pid_t worker, next;
	int fd;

	start(files_text("crash = \"%s\"; %s", crashes[_i].callback, crashes[_i].options), "");
	worker = daemon_next_worker(&d, "s");
	fd = daemon_connect(&d, "s");
	provoke(_i, fd);
	close(fd);
	daemon_wait_for(&d, "worker-end service=s pid=%d how=signal value=%d", worker, SIGABRT);
	report = daemon_wait_for(&d, "crash-report service=s");
	next = daemon_next_worker(&d, "s");
	ck_assert_int_ne(next, worker);
	harness_contains(daemon_errors(&d), "module probe 1, ");
	ck_assert_int_eq(operator_run_args(control_path(), "--json", "crashes", event_word(report, "name")), 0);
	harness_contains(operator_output(), "\"module\":{\"name\":\"probe\",\"version\":\"1\",\"path\":\"");
	ck_assert_int_eq(operator_run_args(control_path(), "crashes", event_word(report, "name")), 0);
	harness_contains(operator_output(), "probe");
} END_TEST

/* These are called for the worker, and not for a client. */
static const char *const of_the_worker[] = { "worker_drain", "worker_stop" };

START_TEST(a_crash_in_a_callback_of_the_worker_does_not_keep_the_daemon_from_its_end)
{
	start(files_text("crash = \"%s\";", of_the_worker[_i]), "");
	daemon_next_worker(&d, "s");
	daemon_signal(&d, SIGTERM);
	daemon_wait_for(&d, "worker-end service=s how=signal value=%d", SIGABRT);
	daemon_join(&d);
} END_TEST

START_TEST(a_crash_in_worker_start_delays_the_next_worker)
{
	d.before_exec = no_core;
	daemon_start(&d, SERVICES(SERVICE("other", "echo", ONE_WORKER) MODULE("s", "crash = \"worker_start\";",
	             ONE_WORKER "restart = { delay_min = \"20ms\"; };")), module_built("probe"));
	daemon_wait_for(&d, "worker-end service=s how=signal value=%d", SIGABRT);
	daemon_wait_for(&d, "worker-delayed service=s");
	daemon_check_echo(&d, "other");
} END_TEST

START_TEST(a_crash_ends_the_connections_of_its_worker_and_no_others)
{
	int others[3], fd;
	pid_t worker;

	start("", "");
	worker = daemon_next_worker(&d, "s");
	for (int i = 0; i < 3; i++) {
		others[i] = module_say("echo x\n");
		client_expect(others[i], "x\n");
	}
	fd = module_say("crash\n");
	client_expect_gone(fd);
	for (int i = 0; i < 3; i++) {
		client_expect_gone(others[i]);
		close(others[i]);
	}
	ck_assert_int_eq(event_number(daemon_wait_for(&d, "worker-end pid=%d", worker), "open"), 4);
	close(fd);
	fd = module_say("version\n");
	client_expect(fd, "1\n");
	close(fd);
} END_TEST

/* ---- failures --------------------------------------------------------------- */

START_TEST(a_callback_that_fails_ends_its_connection_and_no_other)
{
	static const char *const callbacks[] = { "open", "data", "request", "ended", "taken", "timer" };
	const char *callback = callbacks[_i];
	int fd;

	ck_assert_str_eq(callback, crashes[_i].callback);
	start(files_text("fail = \"%s\"; %s", callback, crashes[_i].options), "");
	fd = daemon_connect(&d, "s");
	provoke(_i, fd);
	module_wait_for("close reason=7");
	ck_assert_uint_eq(daemon_saw(&d, "worker-end"), 0);
	close(fd);
	fd = daemon_connect(&d, "s");
	daemon_accepted(&d, fd);
	close(fd);
} END_TEST

int main(void)
{
	Suite *s = suite_create("module_crash");
	TCase *tc = harness_case(s, "module_crash");

	tcase_add_loop_test(tc, a_crash_in_a_callback_is_one_of_the_module_and_the_service_goes_on, 0,
	                    ARRAY_SIZE(crashes));
	tcase_add_loop_test(tc, a_crash_in_a_callback_of_the_worker_does_not_keep_the_daemon_from_its_end, 0,
	                    ARRAY_SIZE(of_the_worker));
	tcase_add_test(tc, a_crash_in_worker_start_delays_the_next_worker);
	tcase_add_test(tc, a_crash_ends_the_connections_of_its_worker_and_no_others);
	tcase_add_loop_test(tc, a_callback_that_fails_ends_its_connection_and_no_other, 0, 6);
	return harness_run(s);
}
