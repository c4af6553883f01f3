/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Descriptors: which are kept, and their flags.
 */
#include <config.h>
#include "fd.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "unit.h"

#define FIRST 20                        /* ours begin here; below may be Check's */
#define MANY  12

/* FIRST to FIRST + MANY - 1. */
static void open_many(void)
{
	int null = open("/dev/null", O_RDWR);

	for (int fd = FIRST; fd < FIRST + MANY; fd++)
		ck_assert_int_eq(dup2(null, fd), fd);
	close(null);
}

/* Of this process, for good: the call fails. */
static void refuse(int call)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned int)call, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { .len = 4, .filter = code };

	ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	ck_assert_int_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

/* Without close_range(2); and then without /proc. */
static void take_away(int how_much)
{
	if (how_much > 0)
		refuse(SYS_close_range);
	if (how_much > 1)
		refuse(SYS_openat);
}

/* _i: which row, and how much is taken away. */
START_TEST(only_the_named_descriptors_are_kept)
{
	static const struct { const char *name; int keep[6]; size_t n; } rows[] = {
		{ "none", { 0 }, 0 },
		{ "one", { 23 }, 1 },
		{ "the first and the last", { 20, 31 }, 2 },
		{ "neighbours", { 24, 25, 26 }, 3 },
		{ "gaps", { 21, 24, 28 }, 3 },
		{ "not in order", { 28, 21, 24 }, 3 },
		{ "one named twice", { 24, 28, 24, 28, 24 }, 5 },
		{ "some that are not there", { -1, 22, -1, 30 }, 4 },
		{ "only what is not there", { -1, -1 }, 2 },
		{ "standard ones, which stay anyhow", { 2, 0, 25, 1 }, 4 },
		{ "one that is not open", { 25, 500 }, 2 },
	};
	int keep[6];

	const int row = _i % 11;

	take_away(_i / 11);
	memcpy(keep, rows[row].keep, sizeof keep);
	if (fd_keep_only(keep, rows[row].n) == -1)
		_exit(2);
	for (int fd = 0; fd < 600; fd++) {
		bool want = fd <= STDERR_FILENO;

		for (size_t i = 0; i < rows[row].n; i++)
			want |= fd == rows[row].keep[i] && fd < FIRST + MANY;
		if (unit_fd_is_open(fd) != want) {
			dprintf(STDERR_FILENO, "%s: %d\n", rows[row].name, fd);
			_exit(1);       /* Check's own pipe is closed, too */
		}
	}
	_exit(0);
} END_TEST

START_TEST(closing_keeps_errno_and_tells_that_it_is_closed)
{
	int fd = FIRST;

	errno = EXDEV;
	ck_assert_int_eq(fd_drop(FIRST + 1), -1);
	ck_assert_int_eq(fd_drop(FIRST + 1), -1);       /* EBADF inside */
	ck_assert_int_eq(fd_drop(-1), -1);
	fd_close(&fd);
	ck_assert_int_eq(fd, -1);
	fd_close(&fd);
	ck_assert_int_eq(errno, EXDEV);
	ck_assert(!unit_fd_is_open(FIRST));
	ck_assert(!unit_fd_is_open(FIRST + 1));
	ck_assert(unit_fd_is_open(FIRST + 2));
} END_TEST

START_TEST(blocking_mode_comes_and_goes)
{
	int ends[2];

	ck_assert_int_eq(pipe2(ends, O_NONBLOCK), 0);
	ck_assert_int_eq(fd_set_blocking(ends[1]), 0);
	ck_assert_int_eq(fcntl(ends[1], F_GETFL), O_WRONLY);
	ck_assert_int_eq(fd_set_blocking(ends[1]), 0);
	ck_assert_int_ne(fcntl(ends[0], F_GETFL) & O_NONBLOCK, 0);
	ck_assert_int_eq(fd_set_blocking(999), -1);
	ck_assert_int_eq(errno, EBADF);
} END_TEST

START_TEST(what_we_are_given_becomes_as_if_born_here)
{
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	ck_assert(!unit_fd_is_well_born(ends[0]));
	ck_assert_int_eq(fd_adopt(ends[0]), 0);
	ck_assert(unit_fd_is_well_born(ends[0]));
	ck_assert(!unit_fd_is_well_born(ends[1]));
	ck_assert_int_eq(fd_adopt(999), -1);
	ck_assert_int_eq(errno, EBADF);
} END_TEST

START_TEST(foreign_descriptors_are_not_handed_down)
{
	take_away(_i);
	ck_assert_int_eq(fd_cloexec_from(FIRST + 3), 0);
	for (int fd = FIRST; fd < FIRST + MANY; fd++)
		ck_assert_int_eq(fcntl(fd, F_GETFD), fd < FIRST + 3 ? 0 : FD_CLOEXEC);
} END_TEST

/* Where there may be millions, and nothing says which: the caller must not go on. */
START_TEST(what_cannot_be_closed_is_an_error)
{
	const struct rlimit more = { .rlim_cur = 1 << 23, .rlim_max = 1 << 23 };

	if (setrlimit(RLIMIT_NOFILE, &more) == -1)
		return;                 /* nor could a daemon have as many */
	take_away(2);
	ck_assert_int_eq(fd_cloexec_from(FIRST), -1);
	ck_assert_int_eq(errno, EMFILE);
} END_TEST

START_TEST(all_is_written_or_errno_says_why_not)
{
	static const char bytes[] = "a line\n";
	char got[sizeof bytes];
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(fd_write_all(ends[1], bytes, sizeof bytes), 0);
	ck_assert_int_eq(read(ends[0], got, sizeof got), sizeof got);
	ck_assert_mem_eq(got, bytes, sizeof bytes);
	errno = 0;
	ck_assert_int_eq(fd_write_all(ends[0], bytes, sizeof bytes), -1);
	ck_assert_int_eq(errno, EBADF);
	close(ends[0]);
	close(ends[1]);
} END_TEST

int main(void)
{
	Suite *s = suite_create("fd");
	TCase *tc = unit_case(s, "fd", open_many, NULL);

	tcase_add_loop_test(tc, only_the_named_descriptors_are_kept, 0, 3 * 11);
	tcase_add_test(tc, closing_keeps_errno_and_tells_that_it_is_closed);
	tcase_add_test(tc, blocking_mode_comes_and_goes);
	tcase_add_test(tc, what_we_are_given_becomes_as_if_born_here);
	tcase_add_loop_test(tc, foreign_descriptors_are_not_handed_down, 0, 3);
	tcase_add_test(tc, what_cannot_be_closed_is_an_error);
	tcase_add_test(tc, all_is_written_or_errno_says_why_not);
	return unit_run(s);
}
