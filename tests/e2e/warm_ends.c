/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Warm programs that do not wait: they end, crash, grow old, or cannot be started.
 * Clients are served all the same.
 */
#include <config.h>
#include "harness.h"
#include "warm_harness.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"

static struct daemon d;

/* Ends when it is told, with status 0. */
#define LEAVES_AT_TERM "trap 'exit 0' TERM; read -r line; echo \"$line\""

/* Waits longer than a test takes. */
#define LONG_DELAY "restart = { delay_min = \"1h\"; delay_max = \"1h\"; };"

/* Signals a waiting program, and comes back when it has ended. */
static void end_with(pid_t pid, int signal)
{
	int watch = process_watch(pid);

	ck_assert_int_eq(kill(pid, signal), 0);
	process_wait_end(watch);
}

/* ---- by themselves ------------------------------------------------------ */

START_TEST(a_program_that_leaves_is_replaced_quietly)
{
	const struct warm_fifo up = warm_fifo("up");
	pid_t pid, next;

	warm_start_script(&d, files_text("trap 'exit 0' TERM; echo >%s; read -r line", up.path), 1, "", "");
	pid = warm_next(&d);
	warm_hear(&up);
	end_with(pid, SIGTERM);
	daemon_wait_for(&d, "warm-end program=%d reason=exit how=exit value=0", pid);
	next = warm_next(&d);
	ck_assert_int_ne(next, pid);
	warm_check_figures(1, 0, 0, 0);
	ck_assert_uint_eq(daemon_saw(&d, "warm-delayed"), 0);
} END_TEST

/* Those that wait, in the order of their start. */
struct queue {
	pid_t  pids[3];
	size_t n;
};

static pid_t first_of(struct queue *q)
{
	pid_t pid = q->n > 0 ? q->pids[0] : warm_next(&d);

	if (q->n > 0)
		memmove(q->pids, q->pids + 1, --q->n * sizeof *q->pids);
	return pid;
}

/* Whether a client finds another one, one that was just started, or none. */
START_TEST(no_client_is_joined_to_one_that_has_left)
{
	struct queue q = { .n = 0 };

	warm_start(&d, WARM_CAT, ARRAY_SIZE(q.pids), "",
	           "restart = { delay_min = \"1ms\"; delay_max = \"5ms\"; };");
	for (int round = 0; round < 30; round++) {
		const struct event *opened;
		int fd;

		while (q.n < ARRAY_SIZE(q.pids))
			q.pids[q.n++] = warm_next(&d);
		for (int i = 0; i < _i; i++)
			end_with(first_of(&q), SIGKILL);
		fd = daemon_connect(&d, "s");
		opened = daemon_accepted(&d, fd);
		client_echo(fd);
		if (daemon_saw(&d, "warm-join id=%s", event_word(opened, "id")) > 0)
			ck_assert_int_eq(warm_joined(&d, opened), first_of(&q));
		else
			ck_assert_uint_eq(q.n, 0);
		close(fd);
	}
	for (int i = 0; i < 30 * _i; i++)
		daemon_wait_for(&d, "warm-end reason=crash how=signal value=%d", SIGKILL);
} END_TEST

/* One a second, once all have been replaced. */
START_TEST(a_program_that_never_waits_is_not_started_without_pause)
{
	const int64_t began_ms = clock_ms();

	warm_start(&d, "\"/bin/true\"", 2, "", "");
	for (int i = 0; i < 6; i++)
		daemon_wait_for(&d, "warm-end reason=exit how=exit value=0");
	ck_assert_int_ge(clock_ms() - began_ms, 1000);
	daemon_stop(&d, SIGTERM);
	ck_assert_uint_eq(files_count(daemon_errors(&d), "does it wait for its client?"), 1);
} END_TEST

START_TEST(a_program_that_never_waits_serves_all_the_same)
{
	warm_start(&d, "[ \"/bin/echo\", \"hello\" ]", 2, "", "");
	for (int i = 0; i < 4; i++)
		daemon_wait_for(&d, "warm-end reason=exit how=exit value=0");
	for (int i = 0; i < 10; i++)
		ck_assert_str_eq(client_ask(daemon_address(&d, "s", 0)), "hello\n");
} END_TEST

/* ---- crashes ------------------------------------------------------------ */

static const struct { const char *script, *how; int value; } crashes[] = {
	{ "exit 3",        "exit",   3 },
	{ "kill -SEGV $$", "signal", SIGSEGV },
	{ "kill -TERM $$", "signal", SIGTERM },
};

START_TEST(a_crash_is_told_and_counted)
{
	const struct warm_orders orders = warm_start_orders(&d, 1, LONG_DELAY);
	pid_t pid;
	int fd;

	pid = warm_next(&d);
	warm_order(&orders, pid, crashes[_i].script);
	daemon_wait_for(&d, "warm-end program=%d reason=crash how=%s value=%d", pid, crashes[_i].how,
	                crashes[_i].value);
	daemon_wait_for(&d, "warm-delayed after=3600000");
	fd = daemon_connect(&d, "s");
	warm_order(&orders, warm_cold(&d, daemon_accepted(&d, fd)), ":");
	client_echo(fd);
	warm_check_figures(0, 0, 1, 1);
	close(fd);
	daemon_stop(&d, SIGTERM);
	harness_contains(daemon_errors(&d), " warning ");
	harness_contains(daemon_errors(&d), files_text("%d", pid));
	ck_assert_uint_eq(daemon_saw(&d, "worker-end how=signal"), 0);
} END_TEST

/* The next one is told to crash as soon as it is there. */
static void crash_and_wait(const struct warm_orders *orders, int after)
{
	pid_t pid = warm_next(&d);

	warm_order(orders, pid, "exit 3");
	daemon_wait_for(&d, "warm-end program=%d reason=crash", pid);
	daemon_wait_for(&d, "warm-delayed after=%d", after);
}

START_TEST(crashes_delay_the_next_until_one_is_of_use)
{
	const struct warm_orders orders = warm_start_orders(&d, 1,
		"restart = { delay_min = \"20ms\"; delay_max = \"150ms\"; };");
	const struct event *opened;
	pid_t pid;
	int fd;

	crash_and_wait(&orders, 20);
	crash_and_wait(&orders, 40);
	crash_and_wait(&orders, 80);
	crash_and_wait(&orders, 150);
	crash_and_wait(&orders, 150);
	pid = warm_next(&d);
	warm_order(&orders, pid, ":");       /* the next one, which also listens, is not to hear it */
	fd = daemon_connect(&d, "s");
	opened = daemon_accepted(&d, fd);
	ck_assert_int_eq(warm_joined(&d, opened), pid);
	client_echo(fd);
	crash_and_wait(&orders, 20);
	warm_order(&orders, warm_next(&d), "exit 0");
	close(fd);
} END_TEST

START_TEST(only_its_own_service_backs_off)
{
	int fd;

	daemon_start(&d, SERVICES(EXEC("s", "argv = [ \"/bin/sh\", \"-c\", \"exit 1\" ]; warm = 3;",
	             "workers = 1; " LONG_DELAY)
	             EXEC("e", "argv = \"/bin/cat\"; warm = 3;", "workers = 1;")));
	daemon_wait_for(&d, "warm-delayed service=s");
	for (int i = 0; i < 10; i++) {
		daemon_wait_for(&d, "warm-start service=e");
		fd = daemon_connect_echo(&d, "e");
		warm_joined(&d, daemon_accepted(&d, fd));
		close(fd);
	}
	ck_assert_uint_eq(daemon_saw(&d, "warm-delayed service=e"), 0);
	ck_assert_uint_le(daemon_saw(&d, "warm-start service=s"), 3);
	ck_assert_uint_eq(daemon_saw(&d, "worker-end"), 0);
} END_TEST

/* ---- cannot be started -------------------------------------------------- */

START_TEST(a_program_that_cannot_be_started_any_more)
{
	const char *program = files_path("cat");
	int fds[2], fd;

	ck_assert_int_eq(symlink("/bin/cat", program), 0);
	warm_start(&d, files_text("\"%s\"", program), ARRAY_SIZE(fds), "",
	           "restart = { delay_min = \"10ms\"; };");
	ck_assert_int_eq(unlink(program), 0);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = daemon_connect_echo(&d, "s");
		warm_joined(&d, daemon_accepted(&d, fds[i]));
	}
	fd = daemon_connect(&d, "s");
	client_expect_gone(fd);
	ck_assert_str_eq(event_word(daemon_ended(&d, daemon_accepted(&d, fd)), "how"), "failed");
	close(fd);
	daemon_wait_for(&d, "accept-paused reason=program");
	harness_contains(daemon_errors(&d), strerror(ENOENT));
	harness_contains(daemon_errors(&d), program);

	ck_assert_int_eq(symlink("/bin/cat", program), 0);
	daemon_check_echo(&d, "s");
	daemon_wait_for(&d, "accept-resumed");
	for (int i = 0; i < 4; i++)
		warm_next(&d);          /* as many as there are to be wait again */
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		client_echo(fds[i]);
		close(fds[i]);
	}
	ck_assert_uint_eq(daemon_saw(&d, "worker-end"), 0);
} END_TEST

/* ---- old ---------------------------------------------------------------- */

START_TEST(a_program_that_has_waited_too_long_is_replaced)
{
	const int64_t began_ms = clock_ms();
	pid_t pids[3];

	warm_start(&d, WARM_CAT, 1, "warm_max_age = \"300ms\";", "");
	for (size_t i = 0; i < ARRAY_SIZE(pids); i++) {
		pids[i] = warm_next(&d);
		daemon_wait_for(&d, "warm-end program=%d reason=age how=exit value=0", pids[i]);
	}
	ck_assert_int_ge(clock_ms() - began_ms, 3 * 270);
	ck_assert_int_ne(pids[0], pids[1]);
	ck_assert_uint_eq(daemon_saw(&d, "warm-end reason=exit"), 0);
	ck_assert_uint_eq(daemon_saw(&d, "warm-delayed"), 0);
	daemon_check_echo(&d, "s");
} END_TEST

START_TEST(a_program_that_waits_beside_one_that_has_crashed_grows_old_all_the_same)
{
	warm_start(&d, WARM_CAT, 5, "warm_max_age = \"1s\";", LONG_DELAY);
	kill(warm_next(&d), SIGKILL);
	daemon_wait_for(&d, "warm-end reason=crash");
	for (int i = 0; i < 4; i++)
		daemon_wait_for(&d, "warm-end reason=age");
} END_TEST

/* Its greeting was not read: that is the end of its input, and no error. */
START_TEST(a_program_that_has_spoken_sees_the_end_of_file_as_well)
{
	const struct warm_fifo up = warm_fifo("up");
	pid_t pid;

	warm_start_script(&d, files_text("echo 220 ready; echo >%s; exec cat", up.path), 1,
	                  "warm_max_age = \"1s\";", "");
	pid = warm_next(&d);
	warm_hear(&up);
	ck_assert_int_eq(event_number(daemon_wait_for(&d, "warm-end program=%d reason=age how=exit", pid),
	                              "value"), 0);
	ck_assert_ptr_null(strstr(daemon_errors(&d), " cat: "));
} END_TEST

/* It is its age as one that waits. */
START_TEST(a_program_that_has_a_client_does_not_grow_old)
{
	int fd;

	warm_start(&d, WARM_CAT, 1, "warm_max_age = \"100ms\";", "");
	fd = daemon_connect_echo(&d, "s");
	for (int i = 0; i < 5; i++)
		daemon_wait_for(&d, "warm-end reason=age");
	client_echo(fd);
	ck_assert_uint_eq(daemon_saw(&d, "program-end"), 0);
	close(fd);
} END_TEST

/* Each waits for something else than its client. */
static const struct { const char *script, *how; int value; } stubborn[] = {
	{ "trap 'exit 7' TERM",  "exit",   7 },
	{ ":",                   "signal", SIGTERM },
	{ "trap '' TERM",        "signal", SIGKILL },
};

START_TEST(a_program_that_does_not_hear_the_end_is_told_otherwise)
{
	const struct warm_fifo never = warm_fifo("never");
	pid_t pid;

	warm_start_script(&d, files_text("%s; read -r line <%s", stubborn[_i].script, never.path), 1,
	                  "warm_max_age = \"1s\";", "");
	pid = warm_next(&d);
	daemon_wait_for(&d, "warm-end program=%d reason=age how=%s value=%d", pid, stubborn[_i].how,
	                stubborn[_i].value);
	daemon_stop(&d, SIGINT);
} END_TEST

int main(void)
{
	Suite *s = suite_create("warm_ends");
	TCase *tc = harness_case(s, "exit");

	tcase_add_test(tc, a_program_that_leaves_is_replaced_quietly);
	tcase_add_loop_test(tc, no_client_is_joined_to_one_that_has_left, 1, 4);
	tcase_add_test(tc, a_program_that_never_waits_is_not_started_without_pause);
	tcase_add_test(tc, a_program_that_never_waits_serves_all_the_same);

	tc = harness_case(s, "crash");
	tcase_add_loop_test(tc, a_crash_is_told_and_counted, 0, (int)ARRAY_SIZE(crashes));
	tcase_add_test(tc, crashes_delay_the_next_until_one_is_of_use);
	tcase_add_test(tc, only_its_own_service_backs_off);

	tc = harness_case(s, "start");
	tcase_add_test(tc, a_program_that_cannot_be_started_any_more);

	tc = harness_case(s, "age");
	tcase_add_test(tc, a_program_that_has_waited_too_long_is_replaced);
	tcase_add_test(tc, a_program_that_waits_beside_one_that_has_crashed_grows_old_all_the_same);
	tcase_add_test(tc, a_program_that_has_spoken_sees_the_end_of_file_as_well);
	tcase_add_test(tc, a_program_that_has_a_client_does_not_grow_old);
	tcase_add_loop_test(tc, a_program_that_does_not_hear_the_end_is_told_otherwise, 0, (int)ARRAY_SIZE(stubborn));
	return harness_run(s);
}
