/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Signals other than those that reload and stop: to the master, to a worker,
 * and from the terminal.
 */
#include <config.h>
#include "harness.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

static struct daemon d;

#define WORKERS(n) SERVICES(SERVICE("s", "echo", "workers = " n ";"))

static void scale(int signal, int expected)
{
	daemon_signal(&d, signal);
	daemon_wait_for(&d, "scaled service=s workers=%d", expected);
}

START_TEST(ttin_adds_a_worker_and_ttou_takes_one_away)
{
	daemon_start(&d, WORKERS("2"));
	for (int i = 0; i < 2; i++)
		daemon_next_worker(&d, "s");
	scale(SIGTTIN, 3);
	daemon_next_worker(&d, "s");
	scale(SIGTTOU, 2);
	daemon_wait_for(&d, "worker-end how=exit value=0");
	scale(SIGTTOU, 1);
	daemon_wait_for(&d, "worker-end how=exit value=0");
	ck_assert_uint_eq(daemon_saw(&d, "worker-drain"), 2);
} END_TEST

START_TEST(ttou_leaves_one_worker)
{
	int fd;

	daemon_start(&d, WORKERS("1"));
	for (int i = 0; i < 3; i++)
		daemon_signal(&d, SIGTTOU);
	daemon_barrier(&d);
	fd = daemon_connect(&d, "s");
	client_echo(fd);
	close(fd);
	ck_assert_uint_eq(daemon_saw(&d, "worker-drain"), 0);
	ck_assert_uint_eq(daemon_saw(&d, "worker-end"), 0);
} END_TEST

START_TEST(a_worker_that_ttou_takes_away_finishes_first)
{
	int fds[16];

	daemon_start(&d, WORKERS("2"));
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = daemon_connect(&d, "s");
		client_echo(fds[i]);
	}
	scale(SIGTTOU, 1);
	daemon_wait_for(&d, "worker-drain");
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		client_echo(fds[i]);
		close(fds[i]);
	}
	daemon_wait_for(&d, "worker-end how=exit value=0");
} END_TEST

START_TEST(a_reload_undoes_ttin)
{
	daemon_start(&d, WORKERS("1"));
	scale(SIGTTIN, 2);
	daemon_wait_for(&d, "worker-ready generation=%lld",
	                event_number(daemon_wait_for(&d, "worker-ready"), "generation"));

	long long generation = daemon_reload(&d, WORKERS("1"));

	daemon_barrier(&d);
	ck_assert_uint_eq(daemon_saw(&d, "worker-ready generation=%lld", generation), 1);
} END_TEST

START_TEST(winch_sends_the_workers_home_and_hup_brings_them_back)
{
	int old, new;

	daemon_start(&d, WORKERS("2"));
	old = daemon_connect(&d, "s");
	client_echo(old);
	daemon_signal(&d, SIGWINCH);
	daemon_wait_for(&d, "resting");
	/* The one without a connection goes, the other has turned its loop. */
	daemon_wait_for(&d, "worker-end how=exit value=0");
	for (int i = 0; i < 2; i++)
		client_echo(old);

	new = daemon_connect(&d, "s");          /* nobody is there to accept it, but it is queued */
	client_say(new, "I can wait");
	client_echo(old);
	close(old);
	daemon_wait_for(&d, "worker-end how=exit value=0");
	ck_assert_uint_eq(daemon_saw(&d, "connection-open"), 1);
	daemon_reload(&d, WORKERS("2"));
	client_expect(new, "I can wait");
	close(new);
} END_TEST

START_TEST(a_server_at_rest_can_be_stopped)
{
	daemon_start(&d, WORKERS("2"));
	daemon_signal(&d, SIGWINCH);
	for (int i = 0; i < 2; i++)
		daemon_wait_for(&d, "worker-end how=exit value=0");
	daemon_signal(&d, SIGTERM);
	ck_assert_int_eq(daemon_join(&d), 0);
} END_TEST

START_TEST(signals_that_mean_nothing_yet_do_nothing)
{
	int fd;

	daemon_start(&d, WORKERS("1"));
	fd = daemon_connect(&d, "s");
	daemon_signal(&d, SIGPIPE);
	daemon_signal(&d, SIGALRM);
	daemon_signal(&d, SIGTSTP);
	daemon_barrier(&d);
	client_echo(fd);
	close(fd);
} END_TEST

/* ---- To a worker ---- */

START_TEST(a_worker_that_gets_int_ends_at_once_and_is_replaced)
{
	pid_t worker;
	int fd;

	daemon_start(&d, WORKERS("1"));
	worker = daemon_next_worker(&d, "s");
	fd = daemon_connect(&d, "s");
	client_echo(fd);
	ck_assert_int_eq(kill(worker, SIGINT), 0);
	client_expect_gone(fd);
	daemon_wait_for(&d, "worker-end pid=%d how=exit value=0", worker);
	close(fd);
	fd = daemon_connect(&d, "s");
	client_echo(fd);
	close(fd);
} END_TEST

static const int gentle[] = { SIGTERM, SIGQUIT };

START_TEST(a_worker_that_is_told_to_go_finishes_and_is_replaced)
{
	pid_t worker;
	int fd, other;

	daemon_start(&d, WORKERS("1"));
	worker = daemon_next_worker(&d, "s");
	fd = daemon_connect(&d, "s");
	client_echo(fd);
	ck_assert_int_eq(kill(worker, gentle[_i]), 0);
	ck_assert_int_ne(daemon_next_worker(&d, "s"), worker);  /* before it is gone */
	for (int i = 0; i < 3; i++)
		client_echo(fd);
	ck_assert_uint_eq(daemon_saw(&d, "worker-end"), 0);
	close(fd);
	daemon_wait_for(&d, "worker-end pid=%d how=exit value=0", worker);
	ck_assert_uint_eq(daemon_saw(&d, "worker-delayed"), 0);
	other = daemon_connect(&d, "s");
	client_echo(other);
	close(other);
} END_TEST

START_TEST(a_worker_that_is_told_to_go_takes_no_longer_than_shutdown_timeout)
{
	const struct event *end;
	pid_t worker;
	int fd;

	daemon_start(&d, "shutdown_timeout = \"200ms\";" WORKERS("1"));
	worker = daemon_next_worker(&d, "s");
	fd = daemon_connect(&d, "s");
	client_echo(fd);
	ck_assert_int_eq(kill(worker, gentle[_i]), 0);
	end = daemon_ended(&d, daemon_accepted(&d, fd));
	ck_assert_str_eq(event_word(end, "how"), "stop");
	client_expect_gone(fd);
	daemon_wait_for(&d, "worker-end pid=%d how=exit value=0", worker);
	close(fd);
} END_TEST

START_TEST(a_worker_ignores_the_masters_other_signals)
{
	const int signals[] = { SIGHUP, SIGUSR1, SIGUSR2, SIGWINCH, SIGTTIN, SIGTTOU, SIGPIPE };
	pid_t worker;
	int fd;

	daemon_start(&d, WORKERS("1"));
	worker = daemon_next_worker(&d, "s");
	fd = daemon_connect(&d, "s");
	client_echo(fd);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		ck_assert_int_eq(kill(worker, signals[i]), 0);
	client_echo(fd);
	close(fd);
	fd = daemon_connect(&d, "s");
	client_echo(fd);
	ck_assert_int_eq(event_number(daemon_accepted(&d, fd), "pid"), worker);
	close(fd);
	ck_assert_uint_eq(daemon_saw(&d, "worker-end"), 0);
} END_TEST

/* ---- From the terminal ---- */

static int terminal = -1;               /* our side of it */

/* A session of its own, on the other side of the terminal. */
static void take_terminal(void)
{
	int ours;

	setsid();
	ours = open(ptsname(terminal), O_RDWR | O_CLOEXEC);
	if (ours == -1 || ioctl(ours, TIOCSCTTY, 0) == -1)
		_exit(EXIT_FAILURE);
}

static bool open_terminal(void)
{
	terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	return terminal != -1 && grantpt(terminal) == 0 && unlockpt(terminal) == 0;
}

static void take_terminal_as_nohup_does(void)
{
	take_terminal();
	signal(SIGHUP, SIG_IGN);
}

static void start_on_terminal(void (*take)(void))
{
	ck_assert(open_terminal());
	d.before_exec = take;
	daemon_start(&d, WORKERS("1"));
}

START_TEST(a_terminal_that_changes_its_size_means_nothing)
{
	const struct winsize size = { .ws_row = 50, .ws_col = 132 };
	int fd;

	start_on_terminal(take_terminal);
	fd = daemon_connect(&d, "s");
	client_echo(fd);
	ck_assert_int_eq(ioctl(terminal, TIOCSWINSZ, &size), 0);
	daemon_barrier(&d);
	client_echo(fd);
	ck_assert_uint_eq(daemon_saw(&d, "resting"), 0);
	ck_assert_uint_eq(daemon_saw(&d, "worker-drain"), 0);
	close(fd);
} END_TEST

START_TEST(a_terminal_that_hangs_up_stops_the_server)
{
	int fd;

	start_on_terminal(take_terminal);
	fd = daemon_connect(&d, "s");
	client_echo(fd);
	d.may_end = true;
	close(terminal);
	daemon_wait_for(&d, "stopping mode=drain");
	client_echo(fd);
	close(fd);
	ck_assert_int_eq(daemon_join(&d), 0);
} END_TEST

/* The second time, an upgrade before the terminal hangs up. */
START_TEST(a_server_under_nohup_outlives_its_terminal)
{
	int fd;

	start_on_terminal(take_terminal_as_nohup_does);
	if (_i == 1) {
		daemon_signal(&d, SIGUSR2);
		daemon_wait_for(&d, "upgrade-done");
	}
	fd = daemon_connect(&d, "s");
	client_echo(fd);
	close(terminal);
	daemon_barrier(&d);
	client_echo(fd);
	ck_assert_uint_eq(daemon_saw(&d, "stopping"), 0);
	ck_assert_uint_eq(daemon_saw(&d, "reload-begin"), 0);
	daemon_signal(&d, SIGHUP);
	daemon_wait_for(&d, "reload-done");
	close(fd);
} END_TEST

int main(void)
{
	Suite *s = suite_create("signals");
	TCase *tc = harness_case(s, "master");

	tcase_add_test(tc, ttin_adds_a_worker_and_ttou_takes_one_away);
	tcase_add_test(tc, ttou_leaves_one_worker);
	tcase_add_test(tc, a_worker_that_ttou_takes_away_finishes_first);
	tcase_add_test(tc, a_reload_undoes_ttin);
	tcase_add_test(tc, winch_sends_the_workers_home_and_hup_brings_them_back);
	tcase_add_test(tc, a_server_at_rest_can_be_stopped);
	tcase_add_test(tc, signals_that_mean_nothing_yet_do_nothing);

	tc = harness_case(s, "worker");
	tcase_add_test(tc, a_worker_that_gets_int_ends_at_once_and_is_replaced);
	tcase_add_loop_test(tc, a_worker_that_is_told_to_go_finishes_and_is_replaced, 0, 2);
	tcase_add_loop_test(tc, a_worker_that_is_told_to_go_takes_no_longer_than_shutdown_timeout, 0, 2);
	tcase_add_test(tc, a_worker_ignores_the_masters_other_signals);

	tc = harness_case(s, "terminal");
	if (open_terminal()) {
		close(terminal);
		tcase_add_test(tc, a_terminal_that_changes_its_size_means_nothing);
		tcase_add_test(tc, a_terminal_that_hangs_up_stops_the_server);
		tcase_add_loop_test(tc, a_server_under_nohup_outlives_its_terminal, 0, 2);
	} else {
		harness_skip("terminal", "there are no pseudo-terminals");
	}
	return harness_run(s);
}
