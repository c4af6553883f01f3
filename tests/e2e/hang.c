/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Children of the master that hang from their first moment. Here ptrace(2)
 * holds them; in life it may be a directory on a server that does not answer.
 */
#include <config.h>
#include "harness.h"

#include <poll.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHECK_TIMEOUT_S 120             /* the master's own patience with a check is not configurable */

static struct daemon d;

#define START_IN_TIME SERVICES(SERVICE("s", "echo", "workers = 1; timeouts = { start = \"300ms\"; };"))

/* From now on the master stops when it forks. */
static void watch_forks(void)
{
	ck_assert_msg(ptrace(PTRACE_SEIZE, d.pid, NULL, PTRACE_O_TRACEFORK) == 0, "ptrace: %m");
}

/* The master's next child, which is stopped. The master is stopped, too. */
static pid_t next_child(void)
{
	unsigned long child;
	int status;

	ck_assert_int_eq(waitpid(d.pid, &status, __WALL), d.pid);
	ck_assert_int_eq(status >> 8, SIGTRAP | PTRACE_EVENT_FORK << 8);
	ck_assert_int_eq(ptrace(PTRACE_GETEVENTMSG, d.pid, NULL, &child), 0);
	/* It has to arrive at its own stop before anything can be asked of it. */
	ck_assert_int_eq(waitpid((pid_t)child, &status, __WALL), (pid_t)child);
	ck_assert(WIFSTOPPED(status));
	return (pid_t)child;
}

static void let_go(pid_t pid)
{
	ck_assert_msg(ptrace(PTRACE_DETACH, pid, NULL, NULL) == 0, "ptrace: %m");
}

/* The same for a child that the test does not need: it and the master continue. */
static void pass_by(void)
{
	pid_t child = next_child();

	ck_assert_int_eq(ptrace(PTRACE_CONT, d.pid, NULL, NULL), 0);
	let_go(child);
}

/* Waits until a child that we hold is killed; only then does the master hear of it. */
static void expect_killed(pid_t pid)
{
	int pidfd = process_watch(pid);
	int status;

	turn_until_ready(pidfd, POLLIN);
	close(pidfd);
	ck_assert_int_eq(waitpid(pid, &status, __WALL), pid);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

START_TEST(a_worker_that_does_not_start_in_time_is_killed_and_replaced)
{
	pid_t hanging;

	daemon_start(&d, START_IN_TIME);
	watch_forks();
	ck_assert_int_eq(kill(daemon_next_worker(&d, "s"), SIGKILL), 0);
	pass_by();                              /* it writes a crash report */
	hanging = next_child();
	let_go(d.pid);
	expect_killed(hanging);
	daemon_wait_for(&d, "worker-end pid=%d how=signal value=%d", hanging, SIGKILL);
	daemon_wait_for(&d, "worker-delayed service=s");        /* it counts as a failure */
	daemon_next_worker(&d, "s");
	daemon_check_echo(&d, "s");
} END_TEST

START_TEST(a_generation_that_does_not_start_in_time_is_rolled_back)
{
	pid_t old, hanging;

	daemon_start(&d, START_IN_TIME);
	old = daemon_next_worker(&d, "s");
	watch_forks();
	daemon_signal(&d, SIGHUP);
	pass_by();                              /* it checks the configuration */
	hanging = next_child();
	let_go(d.pid);
	expect_killed(hanging);
	daemon_wait_for(&d, "reload-failed reason=start");
	daemon_check_echo(&d, "s");
	ck_assert_uint_eq(daemon_saw(&d, "worker-drain pid=%d", old), 0);
} END_TEST

START_TEST(a_check_that_hangs_is_refused_and_no_client_waits_for_it)
{
	pid_t check;
	int fd;

	daemon_start(&d, START_IN_TIME);
	watch_forks();
	daemon_signal(&d, SIGHUP);
	check = next_child();
	let_go(d.pid);
	fd = daemon_connect_echo(&d, "s");
	daemon_barrier(&d);
	ck_assert_uint_eq(daemon_saw(&d, "reload-failed"), 0);
	expect_killed(check);
	daemon_wait_for(&d, "reload-failed reason=check");
	client_echo(fd);
	close(fd);
} END_TEST

START_TEST(a_check_that_hangs_does_not_keep_the_server_from_stopping)
{
	pid_t check;

	daemon_start(&d, START_IN_TIME);
	watch_forks();
	daemon_signal(&d, SIGHUP);
	check = next_child();
	let_go(d.pid);
	daemon_signal(&d, SIGTERM);
	expect_killed(check);
	ck_assert_int_eq(daemon_join(&d), 0);
} END_TEST

int main(void)
{
	Suite *s = suite_create("hang");
	TCase *tc = harness_case(s, "worker");

	tcase_add_test(tc, a_worker_that_does_not_start_in_time_is_killed_and_replaced);
	tcase_add_test(tc, a_generation_that_does_not_start_in_time_is_rolled_back);

	tc = harness_case(s, "check");
	tcase_set_timeout(tc, CHECK_TIMEOUT_S);
	tcase_add_test(tc, a_check_that_hangs_is_refused_and_no_client_waits_for_it);
	tcase_add_test(tc, a_check_that_hangs_does_not_keep_the_server_from_stopping);
	return harness_run(s);
}
