/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Giving up capabilities, in children that had some. Which ones root has here does not matter.
 */
#include <config.h>
#include "capabilities.h"

#include <sys/prctl.h>
#include <sys/syscall.h>

#include "unit.h"

#define NOBODY 65534
#define SETS _LINUX_CAPABILITY_U32S_3

static void get_sets(struct __user_cap_data_struct sets[SETS])
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };

	if (syscall(SYS_capget, &header, sets) == -1)
		_exit(90);
}

/* All that are permitted become effective and inheritable, and one of them ambient. */
static void fill_sets(struct __user_cap_data_struct sets[SETS])
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };

	get_sets(sets);
	for (size_t i = 0; i < SETS; i++)
		sets[i].effective = sets[i].inheritable = sets[i].permitted;
	if (syscall(SYS_capset, &header, sets) == -1 ||
	    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SETUID, 0, 0) == -1)
		_exit(91);
}

/* Exits with what is wrong: the permitted and effective ones are to be as in want. */
static _Noreturn void look(const struct __user_cap_data_struct want[SETS])
{
	struct __user_cap_data_struct now[SETS];

	get_sets(now);
	for (size_t i = 0; i < SETS; i++)
		if (now[i].inheritable != 0)
			_exit(1);
		else if (now[i].permitted != want[i].permitted || now[i].effective != want[i].effective)
			_exit(2);
	_exit(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_SETUID, 0, 0) == 0 ? 0 : 3);
}

START_TEST(root_keeps_what_it_may_and_passes_nothing_on)
{
	struct __user_cap_data_struct sets[SETS];
	const pid_t pid = fork();

	if (pid == 0) {
		fill_sets(sets);
		if (capabilities_drop() == -1 || !capabilities_have(CAP_SETUID))
			_exit(4);
		look(sets);
	}
	unit_child_succeeds(pid);
} END_TEST

START_TEST(root_gives_up_all_if_it_is_told_to)
{
	struct __user_cap_data_struct sets[SETS];
	const struct __user_cap_data_struct none[SETS] = { { 0 } };
	const pid_t pid = fork();

	if (pid == 0) {
		fill_sets(sets);
		if (capabilities_drop_all() == -1 || capabilities_have(CAP_SETUID))
			_exit(4);
		look(none);
	}
	unit_child_succeeds(pid);
} END_TEST

START_TEST(another_user_gives_up_all)
{
	struct __user_cap_data_struct sets[SETS];
	const struct __user_cap_data_struct none[SETS] = { { 0 } };
	const pid_t pid = fork();

	if (pid == 0) {
		if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == -1 || setresuid(NOBODY, NOBODY, NOBODY) == -1)
			_exit(92);
		fill_sets(sets);
		if (capabilities_drop() == -1 || capabilities_have(CAP_SETUID))
			_exit(4);
		look(none);
	}
	unit_child_succeeds(pid);
} END_TEST

START_TEST(giving_up_none_is_no_error)
{
	const pid_t pid = fork();

	if (pid == 0)
		_exit(capabilities_drop_all() == -1 || capabilities_drop_all() == -1 ||
		      capabilities_drop() == -1 || capabilities_have(CAP_SETUID));
	unit_child_succeeds(pid);
} END_TEST

static bool has_capabilities(void)
{
	return geteuid() == 0 && capabilities_have(CAP_SETUID) && capabilities_have(CAP_SETPCAP);
}

int main(void)
{
	Suite *s = suite_create("capabilities");
	TCase *tc = unit_case(s, "capabilities", NULL, NULL);

	unit_add_if(has_capabilities(), "not as root", tc, root_keeps_what_it_may_and_passes_nothing_on);
	unit_add_if(has_capabilities(), "not as root", tc, root_gives_up_all_if_it_is_told_to);
	unit_add_if(has_capabilities(), "not as root", tc, another_user_gives_up_all);
	tcase_add_test(tc, giving_up_none_is_no_error);
	return unit_run(s);
}
