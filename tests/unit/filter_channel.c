/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The way to a process of a filter: what each end is like, and that none is left.
 */
#include <config.h>
#include "filter_channel.h"

#include <sys/resource.h>

#include "unit.h"

static bool is_blocking(int fd)
{
	return !(fcntl(fd, F_GETFL) & O_NONBLOCK);
}

static void close_all(struct filter_channel *c)
{
	filter_channel_close_theirs(c);
	close(c->to);
	close(c->from);
}

/* What is said at one end is heard at the other. */
static void expect_way(int from, int to)
{
	char heard[8] = "";

	ck_assert_int_eq(write(from, "word\n", 5), 5);
	ck_assert_int_eq(read(to, heard, sizeof heard), 5);
	ck_assert_str_eq(heard, "word\n");
}

START_TEST(our_ends_never_block_and_theirs_always_do)
{
	struct filter_channel c;

	ck_assert_int_eq(filter_channel_open(&c, _i), 0);
	ck_assert(unit_fd_is_well_born(c.to) && unit_fd_is_well_born(c.from));
	ck_assert(is_blocking(c.in) && is_blocking(c.out));
	ck_assert(fcntl(c.in, F_GETFD) & FD_CLOEXEC);
	ck_assert(fcntl(c.out, F_GETFD) & FD_CLOEXEC);
	ck_assert_int_eq(isatty(c.in), _i);
	ck_assert_int_eq(isatty(c.out), _i);
	expect_way(c.to, c.in);
	expect_way(c.out, c.from);
	close_all(&c);
} END_TEST

START_TEST(closing_theirs_leaves_ours)
{
	const int before = unit_count_fds();
	struct filter_channel c;

	ck_assert_int_eq(filter_channel_open(&c, _i), 0);
	errno = EXDEV;
	filter_channel_close_theirs(&c);
	ck_assert_int_eq(errno, EXDEV);
	ck_assert_int_eq(c.in, -1);
	ck_assert_int_eq(c.out, -1);
	ck_assert_int_eq(unit_count_fds(), before + 2);
	close_all(&c);
	ck_assert_int_eq(unit_count_fds(), before);
} END_TEST

/* The lowest descriptor that is free. */
static int next_fd(void)
{
	int fd = dup(STDERR_FILENO);

	close(fd);
	return fd;
}

START_TEST(whatever_fails_nothing_stays_open)
{
	const int before = unit_count_fds(), needed = _i ? 3 : 4;
	struct rlimit all, few;
	struct filter_channel c;
	int rc = -1;

	getrlimit(RLIMIT_NOFILE, &all);
	for (int n = 0; n <= needed; n++) {
		few = (struct rlimit){ (rlim_t)(next_fd() + n), all.rlim_max };
		ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
		errno = 0;
		rc = filter_channel_open(&c, _i);
		setrlimit(RLIMIT_NOFILE, &all);
		ck_assert_int_eq(rc, n < needed ? -1 : 0);
		ck_assert_int_eq(errno, n < needed ? EMFILE : 0);
		ck_assert_int_eq(unit_count_fds(), before + (n < needed ? 0 : needed));
	}
	close_all(&c);
} END_TEST

START_TEST(a_pipe_tells_what_was_not_read_and_a_terminal_does_not)
{
	struct filter_channel c;
	char byte;

	ck_assert_int_eq(filter_channel_open(&c, _i), 0);
	ck_assert_int_eq(write(c.to, "12345\n", 6), 6);
	ck_assert_int_eq(read(c.in, &byte, 1), 1);
	ck_assert_int_eq(write(c.out, "out\n", 4), 4);
	ck_assert_uint_eq(filter_channel_unread(c.to, _i), _i ? 0 : 5);
	ck_assert_uint_eq(filter_channel_unread(-1, _i), 0);
	close_all(&c);
} END_TEST

int main(void)
{
	Suite *s = suite_create("filter_channel");
	TCase *tc = unit_case(s, "pipes and terminals", NULL, NULL);

	tcase_add_loop_test(tc, our_ends_never_block_and_theirs_always_do, 0, 2);
	tcase_add_loop_test(tc, closing_theirs_leaves_ours, 0, 2);
	tcase_add_loop_test(tc, whatever_fails_nothing_stays_open, 0, 2);
	tcase_add_loop_test(tc, a_pipe_tells_what_was_not_read_and_a_terminal_does_not, 0, 2);
	return unit_run(s);
}
