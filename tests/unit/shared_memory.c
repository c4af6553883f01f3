/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Memory that processes share: who may change its size, what is adopted, and what is refused.
 */
#include <config.h>
#include "shared_memory.h"

#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "unit.h"

static size_t page(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

START_TEST(sizes_are_rounded_up_to_pages)
{
	size_t len;

	ck_assert(shared_memory_pages(&len, 0, 1, 1));
	ck_assert_uint_eq(len, page());
	ck_assert(shared_memory_pages(&len, page(), 3, page() / 3));
	ck_assert_uint_eq(len, 2 * page());
	ck_assert(shared_memory_pages(&len, page(), 1, 1));
	ck_assert_uint_eq(len, 2 * page());
	ck_assert(!shared_memory_pages(&len, 0, SIZE_MAX / 2, 3));
	ck_assert(!shared_memory_pages(&len, SIZE_MAX, 1, 1));
	ck_assert(!shared_memory_pages(&len, 0, PTRDIFF_MAX, 1));
} END_TEST

START_TEST(what_one_process_writes_another_one_reads)
{
	struct shared_memory m;
	pid_t child;

	ck_assert_int_eq(shared_memory_make(&m, "drover-test", page()), 0);
	ck_assert_uint_eq((unsigned char)m.at[0], 0);
	child = fork();
	if (child == 0) {
		m.at[page() - 1] = 7;
		_exit(0);
	}
	unit_child_succeeds(child);
	ck_assert_int_eq(m.at[page() - 1], 7);
	shared_memory_close(&m);
	ck_assert_int_eq(m.fd, -1);
} END_TEST

START_TEST(nobody_can_change_its_size)
{
	struct shared_memory m;

	ck_assert_int_eq(shared_memory_make(&m, "drover-test", page()), 0);
	ck_assert_int_eq(ftruncate(m.fd, 0), -1);
	ck_assert_int_eq(ftruncate(m.fd, (off_t)(2 * page())), -1);
	ck_assert_int_eq(fcntl(m.fd, F_ADD_SEALS, F_SEAL_WRITE), -1);
	ck_assert(fcntl(m.fd, F_GETFD) & FD_CLOEXEC);
	shared_memory_close(&m);
} END_TEST

START_TEST(adopted_memory_is_the_same_memory)
{
	struct shared_memory made, adopted;

	ck_assert_int_eq(shared_memory_make(&made, "drover-test", page()), 0);
	ck_assert_int_eq(shared_memory_adopt(&adopted, fcntl(made.fd, F_DUPFD_CLOEXEC, 0), page()), 0);
	made.at[5] = 3;
	ck_assert_int_eq(adopted.at[5], 3);
	shared_memory_close(&made);
	ck_assert_int_eq(adopted.at[5], 3);
	shared_memory_close(&adopted);
} END_TEST

/* Each is refused with EINVAL, or what fstat(2) says, and the descriptor stays open. */
START_TEST(what_is_not_such_memory_is_refused)
{
	struct shared_memory made, adopted;
	const int unsealed = memfd_create("drover-test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	const int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	ck_assert_int_eq(shared_memory_make(&made, "drover-test", page()), 0);
	ck_assert_int_eq(ftruncate(unsealed, (off_t)page()), 0);
	ck_assert_int_eq(shared_memory_adopt(&adopted, made.fd, 2 * page()), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_int_eq(shared_memory_adopt(&adopted, unsealed, page()), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_int_eq(shared_memory_adopt(&adopted, null, page()), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_int_eq(shared_memory_adopt(&adopted, -1, page()), -1);
	ck_assert_int_eq(errno, EBADF);
	ck_assert(unit_fd_is_open(unsealed) && unit_fd_is_open(null) && unit_fd_is_open(made.fd));
	close(unsealed);
	close(null);
	shared_memory_close(&made);
} END_TEST

static blkcnt_t blocks_of(const struct shared_memory *m)
{
	struct stat st;

	ck_assert_int_eq(fstat(m->fd, &st), 0);
	return st.st_blocks;
}

START_TEST(what_is_emptied_is_zero_and_given_back)
{
	struct shared_memory m;

	ck_assert_int_eq(shared_memory_make(&m, "drover-test", 8 * page()), 0);
	ck_assert_int_eq(blocks_of(&m), 0);
	memset(m.at, 1, m.len);
	shared_memory_empty(m.at + page(), 7 * page());
	ck_assert_int_eq(m.at[0], 1);
	ck_assert_int_le(blocks_of(&m), (blkcnt_t)page() / 512);
	ck_assert_int_eq(m.at[page()] | m.at[8 * page() - 1], 0);
	shared_memory_close(&m);
} END_TEST

START_TEST(what_fails_leaves_no_descriptor)
{
	struct shared_memory m;
	const int before = unit_count_fds();

	ck_assert_int_eq(shared_memory_make(&m, "drover-test", PTRDIFF_MAX / page() * page()), -1);
	ck_assert_int_eq(unit_count_fds(), before);
} END_TEST

int main(void)
{
	Suite *s = suite_create("shared_memory");
	TCase *tc = unit_case(s, "memory", NULL, NULL);

	tcase_add_test(tc, sizes_are_rounded_up_to_pages);
	tcase_add_test(tc, what_one_process_writes_another_one_reads);
	tcase_add_test(tc, nobody_can_change_its_size);
	tcase_add_test(tc, adopted_memory_is_the_same_memory);
	tcase_add_test(tc, what_is_not_such_memory_is_refused);
	tcase_add_test(tc, what_is_emptied_is_zero_and_given_back);
	tcase_add_test(tc, what_fails_leaves_no_descriptor);
	return unit_run(s);
}
