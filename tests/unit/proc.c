/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the kernel says of processes whose state is known.
 */
#include <config.h>
#include "proc.h"

#include <sys/prctl.h>
#include <sys/wait.h>

#include "unit.h"

static char text[PROC_TEXT_MAX];

static pid_t child_that(void (*does)(void))
{
	pid_t pid = fork();

	if (pid == 0) {
		does();
		_exit(0);
	}
	return pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

/* A name that looks like the rest of the line. */
static void stop(void)
{
	prctl(PR_SET_NAME, "x) R 1 (y");
	raise(SIGSTOP);
}

static void leave(void)
{
}

START_TEST(a_stopped_process_is_stopped)
{
	pid_t pid = child_that(stop);
	int status;

	ck_assert_int_eq(waitpid(pid, &status, WUNTRACED), pid);
	ck_assert(WIFSTOPPED(status));
	ck_assert_str_eq(proc_describe(pid, text), "stopped");
	end(pid);
} END_TEST

START_TEST(a_process_that_was_not_waited_for_is_dead)
{
	pid_t pid = child_that(leave);
	siginfo_t si;

	ck_assert_int_eq(waitid(P_PID, (id_t)pid, &si, WEXITED | WNOWAIT), 0);
	ck_assert_str_eq(proc_describe(pid, text), "dead");
	end(pid);
} END_TEST

START_TEST(one_that_is_not_there_is_unknown)
{
	pid_t pid = child_that(leave);

	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	ck_assert_str_eq(proc_describe(pid, text), "unknown");
} END_TEST

START_TEST(we_run_ourselves)
{
	ck_assert_str_eq(proc_describe(getpid(), text), "running");
} END_TEST

int main(void)
{
	Suite *s = suite_create("proc");
	TCase *tc = unit_case(s, "proc", NULL, NULL);

	tcase_add_test(tc, a_stopped_process_is_stopped);
	tcase_add_test(tc, a_process_that_was_not_waited_for_is_dead);
	tcase_add_test(tc, one_that_is_not_there_is_unknown);
	tcase_add_test(tc, we_run_ourselves);
	return unit_run(s);
}
