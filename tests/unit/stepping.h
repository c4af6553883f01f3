/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A child that does one thing, one instruction at a time (ptrace(2)): a test can look at what it
 * shares with others after each instruction, or have something happen in between.
 */
#ifndef DROVER_TESTS_STEPPING_H
#define DROVER_TESTS_STEPPING_H

#include <sys/ptrace.h>

#include "unit.h"

/* A child that stands before its first instruction of act(arg), which returns its exit status. */
static inline pid_t stepping_begin(int (*act)(void *), void *arg)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == -1)
			_exit(77);
		raise(SIGSTOP);
		_exit(act(arg));
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	if (!WIFSTOPPED(status))
		ck_abort_msg("the child has status %x", (unsigned)status);
	return pid;
}

/*
 * Lets it run until it stops itself, with raise(SIGSTOP): past what is not to be stepped through. Where
 * memory is filled, one instruction can stop as often as there are bytes, with some processors.
 */
static inline void stepping_skip(pid_t pid)
{
	int status;

	if (ptrace(PTRACE_CONT, pid, NULL, NULL) == -1 || waitpid(pid, &status, 0) != pid ||
	    !WIFSTOPPED(status))
		ck_abort_msg("the child does not stop: %s", strerror(errno));
}

/* One instruction more. It must not be its last one. */
static inline void stepping_step(pid_t pid)
{
	int status;

	if (ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL) == -1 || waitpid(pid, &status, 0) != pid ||
	    !WIFSTOPPED(status))
		ck_abort_msg("the child is at its end: %s", strerror(errno));
}

/* One instruction more; false if that was its last one, and it is gone. */
static inline bool stepping_goes_on(pid_t pid)
{
	int status;

	unit_require(ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL) == 0);
	unit_require(waitpid(pid, &status, 0) == pid);
	return WIFSTOPPED(status);
}

/* Lets it run to its end, and returns its exit status. */
static inline int stepping_finish(pid_t pid)
{
	int status;

	if (ptrace(PTRACE_CONT, pid, NULL, NULL) == -1 || waitpid(pid, &status, 0) != pid)
		ck_abort_msg("continue: %s", strerror(errno));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 99;
}

#define STEPPING_MAX 20000

/*
 * How many instructions lie between two stops, if each stop is in a child of its own. One, but with
 * sanitizers there are too many of them: then about STEPPING_MAX steps of all children together.
 */
static inline int stepping_stride(int (*act)(void *), void *arg)
{
	const pid_t child = stepping_begin(act, arg);
	int64_t n = 0;

	while (stepping_goes_on(child))
		n++;
	return (int)(n * n / 2 / STEPPING_MAX) + 1;
}

/* Some sandboxes refuse ptrace(2). */
static inline bool stepping_is_possible(void)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(ptrace(PTRACE_TRACEME, 0, NULL, NULL) == -1);
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

#endif
