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
#include <string.h>
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

/* It waits for droverd to read it. */
static void send_ttin(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTTIN);
	sigprocmask(SIG_BLOCK, &set, NULL);
	raise(SIGTTIN);
}

START_TEST(ttin_before_there_is_a_configuration_is_not_lost)
{
	d.before_exec = send_ttin;
	daemon_start(&d, WORKERS("1"));
	daemon_wait_for(&d, "scaled service=s workers=2");
	for (int i = 0; i < 2; i++)
		daemon_next_worker(&d, "s");
} END_TEST

START_TEST(ttou_leaves_one_worker)
{
	daemon_start(&d, WORKERS("1"));
	for (int i = 0; i < 3; i++)
		daemon_signal(&d, SIGTTOU);
	daemon_barrier(&d);
	daemon_check_echo(&d, "s");
	ck_assert_uint_eq(daemon_saw(&d, "worker-drain"), 0);
	ck_assert_uint_eq(daemon_saw(&d, "worker-end"), 0);
} END_TEST

START_TEST(a_worker_that_ttou_takes_away_finishes_first)
{
	int fds[16];

	daemon_start(&d, WORKERS("2"));
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = daemon_connect_echo(&d, "s");
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
	old = daemon_connect_echo(&d, "s");
	daemon_signal(&d, SIGWINCH);
	daemon_wait_for(&d, "resting");
	/* The one without a connection goes, the other has turned its loop. */
	daemon_wait_for(&d, "worker-end how=exit value=0");
	for (int i = 0; i < 2; i++)
		client_echo(old);

	new = daemon_connect(&d, "s");          /* no worker is there to accept it, but it is queued */
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
	daemon_stop(&d, SIGTERM);
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
	fd = daemon_connect_echo(&d, "s");
	ck_assert_int_eq(kill(worker, SIGINT), 0);
	client_expect_gone(fd);
	daemon_wait_for(&d, "worker-end pid=%d how=exit value=0", worker);
	close(fd);
	daemon_check_echo(&d, "s");
} END_TEST

static const int gentle[] = { SIGTERM, SIGQUIT };

START_TEST(a_worker_that_is_told_to_go_finishes_and_is_replaced)
{
	pid_t worker;
	int fd;

	daemon_start(&d, WORKERS("1"));
	worker = daemon_next_worker(&d, "s");
	fd = daemon_connect_echo(&d, "s");
	ck_assert_int_eq(kill(worker, gentle[_i]), 0);
	ck_assert_int_ne(daemon_next_worker(&d, "s"), worker);  /* before it is gone */
	for (int i = 0; i < 3; i++)
		client_echo(fd);
	ck_assert_uint_eq(daemon_saw(&d, "worker-end"), 0);
	close(fd);
	daemon_wait_for(&d, "worker-end pid=%d how=exit value=0", worker);
	ck_assert_uint_eq(daemon_saw(&d, "worker-delayed"), 0);
	daemon_check_echo(&d, "s");
} END_TEST

START_TEST(a_worker_that_is_told_to_go_takes_no_longer_than_shutdown_timeout)
{
	const struct event *end;
	pid_t worker;
	int fd;

	daemon_start(&d, "shutdown_timeout = \"200ms\";" WORKERS("1"));
	worker = daemon_next_worker(&d, "s");
	fd = daemon_connect_echo(&d, "s");
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
	fd = daemon_connect_echo(&d, "s");
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		ck_assert_int_eq(kill(worker, signals[i]), 0);
	client_echo(fd);
	close(fd);
	fd = daemon_connect_echo(&d, "s");
	ck_assert_int_eq(event_number(daemon_accepted(&d, fd), "pid"), worker);
	close(fd);
	ck_assert_uint_eq(daemon_saw(&d, "worker-end"), 0);
} END_TEST

/* ---- From the terminal ---- */

static int terminal = -1;               /* our side of it */

/* A session of its own, on the other side of the terminal, which is also its input and output. */
static void take_terminal(void)
{
	int ours;

	setsid();
	ours = open(ptsname(terminal), O_RDWR | O_CLOEXEC);
	if (ours == -1 || ioctl(ours, TIOCSCTTY, 0) == -1 || dup2(ours, STDIN_FILENO) == -1 ||
	    dup2(ours, STDOUT_FILENO) == -1)
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

/* Of /proc/PID/stat, numbered as in proc_pid_stat(5), from 4 on. */
static long stat_number(pid_t pid, int nr)
{
	const char *at = strrchr(process_file(files_text("/proc/%d/stat", pid)), ')');

	ck_assert_ptr_nonnull(at);
	for (int i = 2; i < nr; i++)
		at = strchr(at + 1, ' ');
	return strtol(at, NULL, 10);
}

static void check_has_no_terminal(pid_t pid)
{
	ck_assert_int_eq(stat_number(pid, 6), pid);     /* its session */
	ck_assert_int_eq(stat_number(pid, 7), 0);       /* no controlling terminal */
	for (int fd = 0; fd <= 2; fd++)
		ck_assert_ptr_null(strstr(process_link(pid, files_text("fd/%d", fd)), "/dev/pts/"));
}

static void check_input_and_output_go_nowhere(pid_t pid)
{
	ck_assert_str_eq(process_link(pid, "fd/0"), "/dev/null");
	ck_assert_str_eq(process_link(pid, "fd/1"), "/dev/null");
}

#define SAYS_ITS_PID(handler) "type = \"" handler "\"; argv = [ \"/bin/sh\", \"-c\"," \
	" \"read -r line; echo $$; read -r line\" ];"

/* A program of each kind that is started for a client. */
static const char *const kinds_of_programs[] = {
	SAYS_ITS_PID("exec"), SAYS_ITS_PID("exec") " warm = 1;",
	SAYS_ITS_PID("filter") " framing = \"line\";",
};

START_TEST(a_worker_has_nothing_of_the_terminal)
{
	start_on_terminal(take_terminal);
	ck_assert_int_ne(stat_number(d.pid, 7), 0);
	for (int i = 0; i < 3; i++) {
		const pid_t worker = daemon_next_worker(&d, "s");

		check_has_no_terminal(worker);
		check_input_and_output_go_nowhere(worker);
		/* The next one is of a reload, the last one of an upgrade. */
		if (i < 2)
			daemon_signal(&d, i == 0 ? SIGHUP : SIGUSR2);
	}
	daemon_wait_for(&d, "upgrade-done");
} END_TEST

START_TEST(a_program_has_nothing_of_the_terminal)
{
	int fd;

	ck_assert(open_terminal());
	d.before_exec = take_terminal;
	daemon_start(&d, SERVICES(" s = { listen = \"127.0.0.1:0\"; workers = 1; handler = { %s }; };"),
	             kinds_of_programs[_i]);
	check_has_no_terminal(daemon_next_worker(&d, "s"));
	fd = daemon_connect(&d, "s");
	client_say(fd, "x\n");
	check_has_no_terminal((pid_t)strtol(client_read_line(fd), NULL, 10));
	close(fd);
} END_TEST

/* The workers do not hear it: the master ends them. */
START_TEST(an_interrupt_from_the_terminal_stops_all_at_once)
{
	int fd;

	start_on_terminal(take_terminal);
	fd = daemon_connect_echo(&d, "s");
	d.may_end = true;
	ck_assert_int_eq(write(terminal, "\003", 1), 1);
	daemon_wait_for(&d, "stopping mode=now");
	ck_assert_int_eq(daemon_join(&d), 0);
	ck_assert_uint_eq(daemon_saw(&d, "worker-end how=exit value=0"), 1);
	close(fd);
} END_TEST

START_TEST(a_terminal_that_changes_its_size_means_nothing)
{
	const struct winsize size = { .ws_row = 50, .ws_col = 132 };
	int fd;

	start_on_terminal(take_terminal);
	fd = daemon_connect_echo(&d, "s");
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
	fd = daemon_connect_echo(&d, "s");
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
	fd = daemon_connect_echo(&d, "s");
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
	tcase_add_test(tc, ttin_before_there_is_a_configuration_is_not_lost);
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
		tcase_add_test(tc, a_worker_has_nothing_of_the_terminal);
		tcase_add_loop_test(tc, a_program_has_nothing_of_the_terminal, 0,
		                    (int)ARRAY_SIZE(kinds_of_programs));
		tcase_add_test(tc, an_interrupt_from_the_terminal_stops_all_at_once);
		tcase_add_test(tc, a_terminal_that_changes_its_size_means_nothing);
		tcase_add_test(tc, a_terminal_that_hangs_up_stops_the_server);
		tcase_add_loop_test(tc, a_server_under_nohup_outlives_its_terminal, 0, 2);
	} else {
		harness_skip("terminal", "there are no pseudo-terminals");
	}
	return harness_run(s);
}
