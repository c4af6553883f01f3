/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Signals as events. Each test is a process of its own: what it does to its
 * dispositions and masks ends with it.
 */
#include <config.h>
#include "signals.h"

#include <signal.h>
#include <sys/wait.h>

#include "unit.h"

static bool is_blocked(int signal)
{
	sigset_t now;

	sigprocmask(SIG_SETMASK, NULL, &now);
	return sigismember(&now, signal);
}

START_TEST(ignored_signals_are_not_ignored_any_more)
{
	const int inherited[] = { SIGHUP, SIGCHLD, SIGPIPE, SIGINT, SIGQUIT, SIGRTMIN + 1 };

	for (size_t i = 0; i < ARRAY_SIZE(inherited); i++)
		ck_assert(signal(inherited[i], SIG_IGN) != SIG_ERR);
	signals_take_over();
	for (size_t i = 0; i < ARRAY_SIZE(inherited); i++) {
		struct sigaction now;

		ck_assert_int_eq(sigaction(inherited[i], NULL, &now), 0);
		ck_assert_msg(now.sa_handler == SIG_DFL, "%d", inherited[i]);
	}
} END_TEST

START_TEST(all_is_blocked_but_what_reports_a_crash)
{
	static const int crashes[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT };

	signals_take_over();
	for (int s = 1; s < NSIG; s++) {
		bool want = s != SIGKILL && s != SIGSTOP && s != 32 && s != 33; /* the C library's */

		for (size_t i = 0; i < ARRAY_SIZE(crashes); i++)
			want &= s != crashes[i];
		ck_assert_msg(is_blocked(s) == want, "%d", s);
	}
	signals_unblock();
	for (int s = 1; s < NSIG; s++)
		ck_assert_int_le(is_blocked(s), 0);
} END_TEST

START_TEST(a_signal_that_came_first_waits)
{
	static const int ours[] = { SIGTERM };
	struct signalfd_siginfo info[SIGNALS_AT_ONCE];
	sigset_t was;

	signals_block(&was);
	ck_assert(!sigismember(&was, SIGTERM));
	kill(getpid(), SIGTERM);
	signals_take_over();
	ck_assert_uint_eq(signals_read(signals_open(ours, 1), info), 1);
	ck_assert_uint_eq(info[0].ssi_signo, SIGTERM);
} END_TEST

START_TEST(what_waits_goes_on_waiting_when_it_is_ignored)
{
	static const int ours[] = { SIGHUP };
	struct signalfd_siginfo info[SIGNALS_AT_ONCE];

	signals_take_over();
	ck_assert(!signals_is_ignored(SIGHUP));
	kill(getpid(), SIGHUP);
	signals_set_ignored(SIGHUP, true);
	ck_assert(signals_is_ignored(SIGHUP));
	signals_take_over();
	ck_assert(!signals_is_ignored(SIGHUP));
	ck_assert_uint_eq(signals_read(signals_open(ours, 1), info), 1);
} END_TEST

START_TEST(signals_are_read_with_their_sender)
{
	static const int ours[] = { SIGTERM, SIGUSR1 };
	struct signalfd_siginfo info[SIGNALS_AT_ONCE];
	int fd;

	signals_take_over();
	fd = signals_open(ours, ARRAY_SIZE(ours));
	ck_assert(unit_fd_is_well_born(fd));
	ck_assert_uint_eq(signals_read(fd, info), 0);
	kill(getpid(), SIGUSR2);                /* not ours */
	kill(getpid(), SIGTERM);
	kill(getpid(), SIGUSR1);
	ck_assert_uint_eq(signals_read(fd, info), 2);
	ck_assert_uint_eq(info[0].ssi_signo, SIGUSR1);  /* the lower number first */
	ck_assert_uint_eq(info[1].ssi_signo, SIGTERM);
	ck_assert_uint_eq(info[0].ssi_pid, (uint32_t)getpid());
	ck_assert_int_eq(info[0].ssi_code, SI_USER);
	ck_assert_uint_eq(signals_read(fd, info), 0);
	close(fd);
} END_TEST

START_TEST(more_signals_than_are_read_at_once_stay)
{
	int ours[SIGNALS_AT_ONCE + 1];
	struct signalfd_siginfo info[SIGNALS_AT_ONCE];
	int fd;

	signals_take_over();
	for (int i = 0; i <= SIGNALS_AT_ONCE; i++)
		ours[i] = SIGRTMIN + i;
	fd = signals_open(ours, ARRAY_SIZE(ours));
	for (int i = 0; i <= SIGNALS_AT_ONCE; i++)
		kill(getpid(), ours[i]);
	ck_assert_uint_eq(signals_read(fd, info), SIGNALS_AT_ONCE);
	ck_assert_uint_eq(signals_read(fd, info), 1);
	ck_assert_uint_eq(info[0].ssi_signo, (uint32_t)ours[SIGNALS_AT_ONCE]);
	close(fd);
} END_TEST

/* nohup(1) and some supervisors ignore CHLD: then there would be nothing to wait for. */
START_TEST(a_dead_child_is_told_and_waits_for_us)
{
	static const int ours[] = { SIGCHLD };
	struct signalfd_siginfo info[SIGNALS_AT_ONCE];
	struct pollfd p = { .events = POLLIN };
	pid_t child;
	int status;

	signal(SIGCHLD, SIG_IGN);
	signals_take_over();
	p.fd = signals_open(ours, 1);
	child = fork();
	if (child == 0)
		_exit(7);
	ck_assert_int_eq(poll(&p, 1, 10000), 1);
	ck_assert_uint_eq(signals_read(p.fd, info), 1);
	ck_assert_uint_eq(info[0].ssi_signo, SIGCHLD);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(WEXITSTATUS(status), 7);
	close(p.fd);
} END_TEST

START_TEST(signals_have_names)
{
	ck_assert_str_eq(signals_name(SIGHUP), "HUP");
	ck_assert_str_eq(signals_name(SIGKILL), "KILL");
	ck_assert_str_eq(signals_name(0), "?");
	ck_assert_str_eq(signals_name(-1), "?");
	ck_assert_str_eq(signals_name(9999), "?");
} END_TEST

/* Statuses as wait(2) gives them: W_EXITCODE of <bits/waitstatus.h>. */
static const struct { int status; const char *want; } ends[] = {
	{ W_EXITCODE(0, 0),                     "exited with status 0" },
	{ W_EXITCODE(78, 0),                    "exited with status 78" },
	{ W_EXITCODE(0, SIGKILL),               "was ended by signal KILL" },
	{ W_EXITCODE(0, SIGSEGV) | WCOREFLAG,   "was ended by signal SEGV (core dumped)" },
	{ W_EXITCODE(0, 100) | WCOREFLAG,       "was ended by signal ? (core dumped)" },
};

START_TEST(the_end_of_a_process_is_described)
{
	char text[SIGNALS_END_TEXT];

	ck_assert_str_eq(signals_describe_end(ends[_i].status, text), ends[_i].want);
} END_TEST

int main(void)
{
	Suite *s = suite_create("signals");
	TCase *tc = unit_case(s, "signals", NULL, NULL);

	tcase_add_test(tc, ignored_signals_are_not_ignored_any_more);
	tcase_add_test(tc, all_is_blocked_but_what_reports_a_crash);
	tcase_add_test(tc, a_signal_that_came_first_waits);
	tcase_add_test(tc, what_waits_goes_on_waiting_when_it_is_ignored);
	tcase_add_test(tc, signals_are_read_with_their_sender);
	tcase_add_test(tc, more_signals_than_are_read_at_once_stay);
	tcase_add_test(tc, a_dead_child_is_told_and_waits_for_us);
	tcase_add_test(tc, signals_have_names);
	tcase_add_loop_test(tc, the_end_of_a_process_is_described, 0, ARRAY_SIZE(ends));
	return unit_run(s);
}
