/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Descriptors 0, 1 and 2, in children: the test itself needs its own.
 */
#include <config.h>
#include "standard_fds.h"

#include "detached.h"
#include "unit.h"

/* Exits with what is wrong; which has a bit for each descriptor that is closed at first. */
static _Noreturn void ensure_and_look(int which)
{
	const int n = unit_count_fds();
	int closed = 0;

	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		if (which & 1 << fd)
			closed += close(fd) == 0;
	standard_fds_ensure();
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		if (which & 1 << fd && !is_null(fd))
			_exit(1 + fd);
	_exit(closed == __builtin_popcount((unsigned)which) && unit_count_fds() == n ? 0 : 9);
}

static _Noreturn void leave_and_look(void)
{
	const int n = unit_count_fds();

	if (standard_fds_leave_in_out() == -1 || !is_null(STDIN_FILENO) || !is_null(STDOUT_FILENO))
		_exit(1);
	if (is_null(STDERR_FILENO))
		_exit(2);
	standard_fds_leave_err();
	_exit(is_null(STDERR_FILENO) && unit_count_fds() == n ? 0 : 3);
}

START_TEST(what_is_closed_is_opened_and_nothing_else)
{
	const pid_t pid = fork();

	if (pid == 0)
		ensure_and_look(_i);
	unit_child_succeeds(pid);
} END_TEST

START_TEST(they_are_left_for_dev_null)
{
	const pid_t pid = fork();

	if (pid == 0) {
		for (int fd = 0; fd <= STDERR_FILENO; fd++)
			dup2(fileno(tmpfile()), fd);
		leave_and_look();
	}
	unit_child_succeeds(pid);
} END_TEST

int main(void)
{
	Suite *s = suite_create("standard_fds");
	TCase *tc = unit_case(s, "standard_fds", NULL, NULL);

	standard_fds_ensure();
	tcase_add_loop_test(tc, what_is_closed_is_opened_and_nothing_else, 0, 8);
	tcase_add_test(tc, they_are_left_for_dev_null);
	return unit_run(s);
}
