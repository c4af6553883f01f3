/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The memory of a pool is handed over from one program to another: what both can read
 * is the same memory, and what only one of them can read is kept for it.
 */
#include <config.h>
#include "pool_memory.h"

#include <sys/stat.h>
#include <sys/wait.h>

#include "sources.h"
#include "unit.h"

static const struct pool_memory_size size = { .workers = 3, .connections = 4, .input = 64 };
static struct pool_memory made, adopted;
static struct pool_memory_past past;

static void set_up(void)
{
	ck_assert_int_eq(pool_memory_make(&made, &size), 0);
	past = pool_memory_past(&made);
}

static void tear_down(void)
{
	pool_memory_free(&adopted);
	pool_memory_free(&made);
}

/* As in another program, which has descriptors of its own. */
static void adopt(int board_version, int holds_version)
{
	past.board = (struct pool_memory_part){ fcntl(past.board.fd, F_DUPFD_CLOEXEC, 0), board_version };
	past.holds = (struct pool_memory_part){ fcntl(past.holds.fd, F_DUPFD_CLOEXEC, 0), holds_version };
	ck_assert_int_eq(pool_memory_adopt(&adopted, &size, &past), 0);
}

static uint64_t served_on(const struct pool_memory *m, size_t worker)
{
	struct board_worker_view v;

	board_view(m->board, worker, &v);
	return v.served;
}

static uint32_t held_on(const struct pool_memory *m, size_t worker)
{
	return service_hold_get(holds_service_of(m->holds, worker)).held;
}

static void write_to(const struct pool_memory *m)
{
	board_add(&board_slot(m->board, 2)->served, 3);
	service_hold_set(holds_service_of(m->holds, 2), (struct service_hold_view){ .held = 5 });
}

static ino_t file_of(int fd)
{
	struct stat st;

	ck_assert_int_eq(fstat(fd, &st), 0);
	return st.st_ino;
}

START_TEST(parts_of_our_version_are_the_same_memory)
{
	adopt(BOARD_VERSION, SOURCES_VERSION);
	write_to(&made);
	ck_assert_uint_eq(served_on(&adopted, 2), 3);
	ck_assert_uint_eq(held_on(&adopted, 2), 5);
	ck_assert(!adopted.has_foreign_board && !adopted.has_foreign_holds);
} END_TEST

START_TEST(parts_of_another_version_are_kept_and_not_read)
{
	adopt(BOARD_VERSION + 1, SOURCES_VERSION + 1);
	write_to(&made);
	ck_assert_uint_eq(served_on(&adopted, 2), 0);
	ck_assert_uint_eq(held_on(&adopted, 2), 0);
	ck_assert_uint_eq(board_slots(adopted.board), size.workers);
	ck_assert(adopted.has_foreign_board && adopted.has_foreign_holds);
} END_TEST

START_TEST(what_was_adopted_is_left_to_the_next_program)
{
	struct pool_memory_past next;

	adopt(BOARD_VERSION + _i, SOURCES_VERSION + _i);
	next = pool_memory_past(&adopted);
	ck_assert_int_eq(next.board.version, BOARD_VERSION + _i);
	ck_assert_int_eq(next.holds.version, SOURCES_VERSION + _i);
	ck_assert_uint_eq(file_of(next.board.fd), file_of(board_fd(made.board)));
	ck_assert_uint_eq(file_of(next.holds.fd), file_of(holds_fd(made.holds)));
} END_TEST

START_TEST(a_program_before_that_had_no_holds_left_none)
{
	past.board.fd = fcntl(past.board.fd, F_DUPFD_CLOEXEC, 0);
	past.holds.fd = -1;
	ck_assert_int_eq(pool_memory_adopt(&adopted, &size, &past), 0);
	ck_assert(!adopted.has_foreign_holds);
	ck_assert_uint_eq(holds_workers(adopted.holds), size.workers);
} END_TEST

START_TEST(what_was_adopted_is_closed)
{
	struct pool_memory_past taken;

	adopt(BOARD_VERSION + _i, SOURCES_VERSION + _i);
	ck_assert(!unit_fd_is_open(past.board.fd) && !unit_fd_is_open(past.holds.fd));
	taken = pool_memory_past(&adopted);
	pool_memory_free(&adopted);
	ck_assert(!unit_fd_is_open(taken.board.fd) && !unit_fd_is_open(taken.holds.fd));
	ck_assert(unit_fd_is_open(pool_memory_past(&made).board.fd));
} END_TEST

START_TEST(what_cannot_be_adopted_stays_with_the_caller)
{
	const struct pool_memory_size more = { .workers = 300, .connections = 4, .input = 64 };

	ck_assert_int_eq(pool_memory_adopt(&adopted, &more, &past), -1);
	ck_assert(unit_fd_is_open(past.board.fd) && unit_fd_is_open(past.holds.fd));
	pool_memory_free(&adopted);
	ck_assert(unit_fd_is_open(past.board.fd) && unit_fd_is_open(past.holds.fd));
} END_TEST

START_TEST(a_worker_keeps_no_descriptor)
{
	const pid_t worker = fork();
	int status;

	if (worker == 0)
		_exit(pool_memory_enter(&made, 1) == 0 && !unit_fd_is_open(past.board.fd) &&
		      !unit_fd_is_open(past.holds.fd) ? 0 : 1);
	ck_assert_int_eq(waitpid(worker, &status, 0), worker);
	ck_assert_int_eq(status, 0);
	ck_assert(unit_fd_is_open(past.board.fd));
} END_TEST

int main(void)
{
	Suite *s = suite_create("pool_memory");
	TCase *tc = unit_case(s, "pool_memory", set_up, tear_down);

	tcase_add_test(tc, parts_of_our_version_are_the_same_memory);
	tcase_add_test(tc, parts_of_another_version_are_kept_and_not_read);
	tcase_add_loop_test(tc, what_was_adopted_is_left_to_the_next_program, 0, 2);
	tcase_add_test(tc, a_program_before_that_had_no_holds_left_none);
	tcase_add_loop_test(tc, what_was_adopted_is_closed, 0, 2);
	tcase_add_test(tc, what_cannot_be_adopted_stays_with_the_caller);
	tcase_add_test(tc, a_worker_keeps_no_descriptor);
	return unit_run(s);
}
