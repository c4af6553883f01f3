/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who may look and who may change things.
 */
#include <config.h>
#include "control_access.h"

#include <grp.h>
#include <sys/wait.h>

#include "unit.h"

#define NOBODY ((gid_t)-1)

static const struct {
	const char         *name;
	struct ucred        peer;
	gid_t               groups[3];
	size_t              n_groups;
	struct control_rule rule;
	enum control_access want;
} rows[] = {
	{ "root", { .uid = 0, .gid = 9 }, { 0 }, 0, { NOBODY, NOBODY }, CONTROL_CHANGE },
	{ "the master's own user", { .uid = 500, .gid = 9 }, { 0 }, 0, { NOBODY, NOBODY },
	  CONTROL_CHANGE },
	{ "another one", { .uid = 501, .gid = 9 }, { 0 }, 0, { NOBODY, NOBODY }, CONTROL_NOTHING },
	{ "root's group is nothing special", { .uid = 501, .gid = 0 }, { 0 }, 1, { 7, 8 },
	  CONTROL_NOTHING },
	{ "may look, by the first group", { .uid = 501, .gid = 7 }, { 0 }, 0, { 7, 8 },
	  CONTROL_LOOK },
	{ "may look, by another one", { .uid = 501, .gid = 9 }, { 1, 2, 7 }, 3, { 7, 8 },
	  CONTROL_LOOK },
	{ "only the groups that count", { .uid = 501, .gid = 9 }, { 1, 2, 7 }, 2, { 7, 8 },
	  CONTROL_NOTHING },
	{ "may change, by the first group", { .uid = 501, .gid = 8 }, { 0 }, 0, { 7, 8 },
	  CONTROL_CHANGE },
	{ "may change, by another one", { .uid = 501, .gid = 9 }, { 7, 8 }, 2, { 7, 8 },
	  CONTROL_CHANGE },
	{ "one group for both", { .uid = 501, .gid = 9 }, { 7 }, 1, { 7, 7 }, CONTROL_CHANGE },
	{ "nobody is no group", { .uid = 501, .gid = NOBODY }, { NOBODY }, 1, { NOBODY, NOBODY },
	  CONTROL_NOTHING },
	{ "unknown", { .uid = (uid_t)-1, .gid = 8 }, { 7 }, 1, { 7, 8 }, CONTROL_NOTHING },
};

START_TEST(users_and_groups_decide)
{
	ck_assert_msg(control_access_judge(&rows[_i].peer, rows[_i].groups, rows[_i].n_groups, 500,
	                                   &rows[_i].rule) == rows[_i].want, "%s", rows[_i].name);
} END_TEST

START_TEST(we_ourselves_may_change_things)
{
	const struct control_rule rule = { NOBODY, NOBODY };
	struct ucred peer;
	int pair[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	ck_assert_int_eq(control_access_of(pair[0], &rule, &peer), CONTROL_CHANGE);
	ck_assert_uint_eq(peer.uid, geteuid());
	ck_assert_int_eq(peer.pid, getpid());
	close(pair[0]);
	close(pair[1]);
} END_TEST

START_TEST(what_has_no_peer_may_nothing)
{
	const struct control_rule rule = { NOBODY, NOBODY };
	struct ucred peer;

	ck_assert_int_eq(control_access_of(-1, &rule, &peer), CONTROL_NOTHING);
	ck_assert_uint_eq(peer.uid, (uid_t)-1);
} END_TEST

/* In a process that has n groups, 1000 and up: a socket made there has them for good. */
static enum control_access access_with_groups(size_t n, gid_t admin_group)
{
	const struct control_rule rule = { NOBODY, admin_group };
	gid_t groups[1000];
	struct ucred peer;
	int pair[2], status;
	pid_t pid = fork();

	ck_assert_int_ne(pid, -1);
	if (pid == 0) {
		for (size_t i = 0; i < n; i++)
			groups[i] = 1000 + (gid_t)i;
		if (setgroups(n, groups) == -1 || setgid(99) == -1 || seteuid(99) == -1 ||
		    socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == -1 || seteuid(0) == -1)
			_exit(100);
		_exit((int)control_access_of(pair[0], &rule, &peer));
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	return (enum control_access)WEXITSTATUS(status);
}

static const size_t numbers[] = { 0, 1, 63, 64, 65, 1000 };

START_TEST(any_number_of_groups_is_looked_through)
{
	const size_t n = numbers[_i];
	const gid_t last = 999 + (gid_t)n;

	ck_assert_int_eq(access_with_groups(n, last), n > 0 ? CONTROL_CHANGE : CONTROL_NOTHING);
	ck_assert_int_eq(access_with_groups(n, last + 1), CONTROL_NOTHING);
} END_TEST

int main(void)
{
	Suite *s = suite_create("control_access");
	TCase *tc = unit_case(s, "control_access", NULL, NULL);

	tcase_add_loop_test(tc, users_and_groups_decide, 0, ARRAY_SIZE(rows));
	tcase_add_test(tc, we_ourselves_may_change_things);
	tcase_add_test(tc, what_has_no_peer_may_nothing);
	unit_add_rows_if(geteuid() == 0, "only root can have any groups", tc,
	                 any_number_of_groups_is_looked_through, ARRAY_SIZE(numbers));
	return unit_run(s);
}
