/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Event loops that stand still, and those that only seem to. A second daemon tells
 * how much time has passed: a worker of it is stopped, and is found to hang after a
 * longer time than the workers of the first daemon may stand still.
 */
#include <config.h>
#include "harness.h"

#include <signal.h>
#include <string.h>
#include <sys/resource.h>

static struct daemon d, clock_daemon;

#define CRASHY "tests/e2e/crashy"
#define HANG_AFTER_MS 200
#define ONE(rest) SERVICES(SERVICE("s", "echo", "workers = 1; " rest))
#define WATCHED "hang_timeout = \"200ms\"; "

/* Several times as long as the others may stand still. */
#define CLOCK SERVICES(SERVICE("clock", "echo", "workers = 1; hang_timeout = \"1s\";" \
                               " restart = { burst = 100; };"))

static void no_core(void)
{
	setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
}

static void start(const char *services)
{
	d.program = CRASHY;
	d.before_exec = no_core;
	daemon_start(&d, "%s", services);
}

static void start_clock(void)
{
	clock_daemon.before_exec = no_core;
	daemon_start(&clock_daemon, CLOCK);
}

/* Waits for more than a second, as the master of the second daemon counts it. */
static void let_time_pass(void)
{
	pid_t worker = daemon_next_worker(&clock_daemon, "clock");

	ck_assert_int_eq(kill(worker, SIGSTOP), 0);
	daemon_wait_for(&clock_daemon, "worker-hang service=clock pid=%d", worker);
}

/* What is in the log, in one line that has this in it. */
static const char *log_line(const char *part)
{
	const char *at = strstr(daemon_errors(&d), part);
	size_t len;

	ck_assert_msg(at != NULL, "%s is not in:\n%s", part, daemon_errors(&d));
	len = strcspn(at, "\n");
	return files_text("%.*s", (int)len, at);
}

static const struct { const char *name, *word, *state; } misdeeds[] = {
	{ "an endless loop",  "loop\n",  "the kernel says: running" },
	{ "a blocking call",  "block\n", "the kernel says: sleeping" },
};

START_TEST(a_handler_that_does_not_return_is_aborted_and_replaced)
{
	const struct event *hang;
	const char *line;
	pid_t worker;
	int fd;

	start(ONE(WATCHED));
	worker = daemon_next_worker(&d, "s");
	fd = daemon_connect(&d, "s");
	client_say(fd, misdeeds[_i].word);
	hang = daemon_wait_for(&d, "worker-hang service=s pid=%d", worker);
	ck_assert_int_ge(event_number(hang, "still_ms"), HANG_AFTER_MS);
	daemon_wait_for(&d, "worker-end service=s pid=%d how=signal value=%d open=1", worker, SIGABRT);
	ck_assert_int_ne(daemon_next_worker(&d, "s"), worker);
	daemon_check_echo(&d, "s");
	client_expect_gone(fd);
	line = log_line(files_text("s: worker (pid %d) hangs: its loop has stood still for 0.", worker));
	ck_assert_msg(strstr(line, files_text("at work for %s, handler, connection %d-1 open for",
	                                      client_name(fd), worker)) &&
	              strstr(line, files_text("%zu bytes in, 0 out", strlen(misdeeds[_i].word))) &&
	              strstr(line, misdeeds[_i].state), "%s: %s", misdeeds[_i].name, line);
	close(fd);
} END_TEST

START_TEST(a_stopped_worker_is_killed_and_replaced)
{
	pid_t worker;

	start(ONE(WATCHED));
	worker = daemon_next_worker(&d, "s");
	ck_assert_int_eq(kill(worker, SIGSTOP), 0);
	daemon_wait_for(&d, "worker-hang service=s pid=%d", worker);
	daemon_next_worker(&d, "s");            /* already before the old one is gone */
	daemon_check_echo(&d, "s");
	daemon_wait_for(&d, "worker-end service=s pid=%d how=signal value=%d", worker, SIGKILL);
	harness_contains(log_line("hangs: "), "not at work for any connection; the kernel says: stopped");
	log_line(files_text("s: worker (pid %d) did not end on ABRT; killing it", worker));
} END_TEST

START_TEST(a_worker_that_drains_is_watched_as_well)
{
	pid_t worker;
	int fd;

	start(ONE(WATCHED));
	worker = daemon_next_worker(&d, "s");
	fd = daemon_connect_echo(&d, "s");
	daemon_reload(&d, ONE(WATCHED));
	client_say(fd, "loop\n");
	daemon_wait_for(&d, "worker-hang service=s pid=%d", worker);
	daemon_wait_for(&d, "generation-gone generation=1");
	daemon_check_echo(&d, "s");
	client_expect_gone(fd);
	close(fd);
} END_TEST

/* ---- Those that do not hang ---- */

START_TEST(a_worker_that_waits_does_not_hang)
{
	pid_t worker;
	int fd;

	start_clock();
	start(ONE(WATCHED "connections = 1;"));
	worker = daemon_next_worker(&d, "s");
	let_time_pass();                        /* no client is there */
	fd = daemon_connect(&d, "s");
	let_time_pass();                        /* the client says nothing */
	client_say(fd, "half a request");
	client_expect(fd, "half a request");
	let_time_pass();
	client_echo(fd);
	ck_assert_uint_eq(daemon_saw(&d, "worker-hang"), 0);
	ck_assert_int_eq(event_number(daemon_accepted(&d, fd), "pid"), worker);
	close(fd);
} END_TEST

START_TEST(while_the_machine_is_paused_no_worker_hangs)
{
	pid_t worker;

	start_clock();
	start(ONE(WATCHED));
	worker = daemon_next_worker(&d, "s");
	daemon_check_echo(&d, "s");
	for (int i = 0; i < 3; i++) {
		daemon_signal(&d, SIGSTOP);
		ck_assert_int_eq(kill(worker, SIGSTOP), 0);
		let_time_pass();
		daemon_signal(&d, SIGCONT);     /* the master first: it is to have a look */
		ck_assert_int_eq(kill(worker, SIGCONT), 0);
		daemon_check_echo(&d, "s");
	}
	let_time_pass();
	ck_assert_uint_eq(daemon_saw(&d, "worker-hang"), 0);
	ck_assert_uint_eq(daemon_saw(&d, "worker-end"), 0);
} END_TEST

START_TEST(without_a_time_no_worker_hangs)
{
	pid_t worker;

	start_clock();
	start(ONE("hang_timeout = 0;"));
	worker = daemon_next_worker(&d, "s");
	ck_assert_int_eq(kill(worker, SIGSTOP), 0);
	let_time_pass();
	ck_assert_int_eq(kill(worker, SIGCONT), 0);
	daemon_check_echo(&d, "s");
	ck_assert_uint_eq(daemon_saw(&d, "worker-hang"), 0);
} END_TEST

int main(void)
{
	Suite *s = suite_create("hang_detector");
	TCase *tc = harness_case(s, "hang");

	tcase_add_loop_test(tc, a_handler_that_does_not_return_is_aborted_and_replaced, 0,
	                    ARRAY_SIZE(misdeeds));
	tcase_add_test(tc, a_stopped_worker_is_killed_and_replaced);
	tcase_add_test(tc, a_worker_that_drains_is_watched_as_well);

	tc = harness_case(s, "no_hang");
	tcase_add_test(tc, a_worker_that_waits_does_not_hang);
	tcase_add_test(tc, while_the_machine_is_paused_no_worker_hangs);
	tcase_add_test(tc, without_a_time_no_worker_hangs);
	return harness_run(s);
}
