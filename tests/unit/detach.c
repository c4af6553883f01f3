/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Leaving a terminal: what of it is left in a child.
 */
#include <config.h>
#include "detach.h"

#include <pty.h>
#include <sys/wait.h>

#include "detached.h"
#include "unit.h"

/* In a child that has a terminal for 0, 1 and 2 and as its controlling one; exits with what is wrong. */
static _Noreturn void leave_and_look(void)
{
	const pid_t leader = fork();
	int status;

	if (leader > 0)         /* the leader of the session on the terminal, which forks as a master does */
		_exit(waitpid(leader, &status, 0) == leader && WIFEXITED(status) ? WEXITSTATUS(status) : 99);
	if (open("/dev/tty", O_RDWR | O_CLOEXEC) == -1)
		_exit(1);       /* it must have one before */
	if (detach_from_terminal() == -1)
		_exit(2);
	if (what_is_not_detached())
		_exit(3);
	if (open("/dev/tty", O_RDWR | O_CLOEXEC) != -1 || errno != ENXIO)
		_exit(4);
	_exit(isatty(STDERR_FILENO) ? 0 : 5);
}

START_TEST(a_child_keeps_nothing_of_the_terminal_but_standard_error)
{
	int terminal;
	const pid_t pid = forkpty(&terminal, NULL, NULL, NULL);

	if (pid == 0)
		leave_and_look();
	unit_child_succeeds(pid);
	close(terminal);
} END_TEST

START_TEST(the_leader_of_a_session_cannot_leave_it)
{
	const pid_t pid = fork();

	if (pid == 0) {
		setsid();
		_exit(detach_from_terminal() == -1 && errno == EPERM ? 0 : 1);
	}
	unit_child_succeeds(pid);
} END_TEST

static bool has_terminals(void)
{
	int ours, theirs;
	const bool has = openpty(&ours, &theirs, NULL, NULL, NULL) == 0;

	if (has)
		close(ours), close(theirs);
	return has;
}

int main(void)
{
	Suite *s = suite_create("detach");
	TCase *tc = unit_case(s, "detach", NULL, NULL);

	unit_add_if(has_terminals(), "there are no pseudo-terminals", tc,
	            a_child_keeps_nothing_of_the_terminal_but_standard_error);
	tcase_add_test(tc, the_leader_of_a_session_cannot_leave_it);
	return unit_run(s);
}
