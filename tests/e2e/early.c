/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A signal in the first moments of the daemon: it is stopped at the first thing that main() does,
 * and gets TERM. If TERM were not blocked yet, it would kill the daemon; process 1 would miss it.
 */
#include <config.h>
#include "harness.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/ptrace.h>

static struct daemon d;

static void be_traced(void)
{
	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

static bool can_trace(void)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0)
			raise(SIGSTOP);
		_exit(EXIT_SUCCESS);
	}
	if (pid == -1 || waitpid(pid, &status, 0) == -1 || !WIFSTOPPED(status))
		return false;
	kill(pid, SIGKILL);
	return waitpid(pid, &status, 0) == pid;
}

/* Whether that text is at an address of the process that is traced. */
static bool has_text(pid_t pid, uint64_t address, const char *text)
{
	union { long word; char bytes[sizeof (long)]; } part;

	for (size_t i = 0; i <= strlen(text); i++) {
		if (i % sizeof part == 0)
			part.word = ptrace(PTRACE_PEEKDATA, pid, (void *)(uintptr_t)(address + i), NULL);
		if (part.bytes[i % sizeof part] != text[i])
			return false;
	}
	return true;
}

static bool opens(pid_t pid, const char *path)
{
	struct ptrace_syscall_info info;

	ck_assert_int_gt(ptrace(PTRACE_GET_SYSCALL_INFO, pid, (void *)sizeof info, &info), 0);
	return info.op == PTRACE_SYSCALL_INFO_ENTRY && info.entry.nr == SYS_openat &&
	       has_text(pid, info.entry.args[1], path);
}

static void stop_at_opening(pid_t pid, const char *path)
{
	int status;

	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(ptrace(PTRACE_SETOPTIONS, pid, NULL,
	                        (void *)(uintptr_t)(PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL)), 0);
	do {
		ck_assert_int_eq(ptrace(PTRACE_SYSCALL, pid, NULL, NULL), 0);
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		ck_assert_msg(WIFSTOPPED(status), "it ended before it opened %s", path);
	} while (WSTOPSIG(status) != (SIGTRAP | 0x80) || !opens(pid, path));
}

START_TEST(a_stop_is_heard_from_the_first_moment_on)
{
	daemon_config(&d, SERVICES(SERVICE("s", "echo", "workers = 1;")));
	d.before_exec = be_traced;
	daemon_spawn(&d);
	stop_at_opening(d.pid, "/dev/null");
	daemon_signal(&d, SIGTERM);
	ck_assert_int_eq(ptrace(PTRACE_DETACH, d.pid, NULL, NULL), 0);
	ck_assert_int_eq(daemon_join(&d), 0);
} END_TEST

static void be_told_to_end(void)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	raise(SIGTERM);
}

START_TEST(a_stop_that_was_there_before_is_heard)
{
	daemon_config(&d, SERVICES(SERVICE("s", "echo", "workers = 1;")));
	d.before_exec = be_told_to_end;
	d.may_end = true;
	daemon_spawn(&d);
	ck_assert_int_eq(daemon_join(&d), 0);
} END_TEST

int main(void)
{
	Suite *s = suite_create("early");
	TCase *tc = harness_case(s, "early");

	harness_add_if(can_trace(), "no process may be traced here", tc,
	               a_stop_is_heard_from_the_first_moment_on);
	tcase_add_test(tc, a_stop_that_was_there_before_is_heard);
	return harness_run(s);
}
