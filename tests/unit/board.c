/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The scoreboard: who holds more than its share, and memory that is shared.
 */
#include <config.h>
#include "board.h"

#include <sys/wait.h>

#include "unit.h"

#define A BOARD_ACCEPTING
#define D BOARD_DRAINING
#define F BOARD_FREE
#define N BOARD_STARTING

#define SLOTS_MAX 4

static const struct {
	const char *name;
	size_t      n;
	struct { enum board_state state; uint32_t open; } slots[SLOTS_MAX];     /* the first asks */
	bool        want;
} rows[] = {
	{ "alone, it is never ahead",          1, { { A, 1000 } }, false },
	{ "nobody has any",                    2, { { A, 0 }, { A, 0 } }, false },
	{ "the first connection is fair",      2, { { A, 1 }, { A, 0 } }, false },
	{ "a second before the other's first", 2, { { A, 2 }, { A, 0 } }, true },
	{ "even",                              2, { { A, 9 }, { A, 9 } }, false },
	{ "one more is still even",            2, { { A, 10 }, { A, 9 } }, false },
	{ "two more is not",                   2, { { A, 11 }, { A, 9 } }, true },
	{ "behind",                            2, { { A, 2 }, { A, 9 } }, false },
	{ "of many, a sixteenth more is even", 2, { { A, 1063 }, { A, 1000 } }, false },
	{ "and more than that is not",         2, { { A, 1064 }, { A, 1000 } }, true },
	{ "compared with the average",         4, { { A, 6 }, { A, 0 }, { A, 6 }, { A, 9 } }, false },
	{ "above the average",                 4, { { A, 7 }, { A, 0 }, { A, 6 }, { A, 9 } }, true },
	{ "who drains does not count",         2, { { A, 9 }, { D, 0 } }, false },
	{ "nor who is not born yet",           3, { { A, 9 }, { N, 0 }, { F, 0 } }, false },
	{ "nor what the drained one has left", 3, { { A, 9 }, { D, 900 }, { A, 1 } }, true },
	{ "nonsense of a broken one is borne", 2, { { A, 5 }, { A, UINT32_MAX } }, false },
	{ "and of ourselves",                  2, { { A, UINT32_MAX }, { A, 0 } }, true },
};

START_TEST(who_is_ahead)
{
	struct board *b = board_new(rows[_i].n);

	for (size_t i = 0; i < rows[_i].n; i++) {
		board_reset(b, i, rows[_i].slots[i].state);
		atomic_store(&board_slot(b, i)->open, rows[_i].slots[i].open);
	}
	ck_assert_msg(board_is_ahead(b, 0) == rows[_i].want, "%s", rows[_i].name);
	board_close(&b);
} END_TEST

START_TEST(no_more_than_a_sample_is_looked_at_and_it_goes_round)
{
	struct board *b = board_new(2 * BOARD_SAMPLE);
	size_t last = 2 * BOARD_SAMPLE - 1;

	for (size_t i = 0; i <= last; i++)
		board_reset(b, i, BOARD_ACCEPTING);
	atomic_store(&board_slot(b, last)->open, 2);
	ck_assert(board_is_ahead(b, last));
	/* Its sample begins anew at the first slot, and ends before this one: */
	atomic_store(&board_slot(b, BOARD_SAMPLE)->open, 10000);
	ck_assert(board_is_ahead(b, last));
	atomic_store(&board_slot(b, BOARD_SAMPLE - 1)->open, 10000);
	ck_assert(!board_is_ahead(b, last));
	board_close(&b);
} END_TEST

START_TEST(a_new_board_is_empty_and_a_reset_slot_is_too)
{
	struct board *b = board_new(3);
	struct board_slot *slot = board_slot(b, 1);

	ck_assert_uint_eq(board_size(b), 3);
	for (size_t i = 0; i < 3; i++)
		ck_assert_uint_eq(atomic_load(&board_slot(b, i)->state), BOARD_FREE);
	atomic_store(&slot->open, 5);
	atomic_store(&slot->served, 7);
	board_reset(b, 1, BOARD_STARTING);
	ck_assert_uint_eq(atomic_load(&slot->state), BOARD_STARTING);
	ck_assert_uint_eq(atomic_load(&slot->open), 0);
	ck_assert_uint_eq(atomic_load(&slot->served), 0);
	board_close(&b);
	ck_assert_ptr_null(b);
	board_close(&b);
} END_TEST

START_TEST(no_two_workers_write_in_one_cache_line)
{
	struct board *b = board_new(4);

	for (size_t i = 0; i < 4; i++) {
		ck_assert_uint_eq((uintptr_t)board_slot(b, i) % BOARD_LINE, 0);
		ck_assert(i == 0 || (char *)board_slot(b, i) - (char *)board_slot(b, i - 1) >= BOARD_LINE);
	}
	board_close(&b);
} END_TEST

START_TEST(what_a_worker_writes_the_master_reads)
{
	struct board *b = board_new(1);
	int status;
	pid_t child = fork();

	if (child == 0) {
		atomic_store(&board_slot(b, 0)->open, 42);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_uint_eq(atomic_load(&board_slot(b, 0)->open), 42);
	board_close(&b);
} END_TEST

int main(void)
{
	Suite *s = suite_create("board");
	TCase *tc = unit_case(s, "board", NULL, NULL);

	tcase_add_loop_test(tc, who_is_ahead, 0, ARRAY_SIZE(rows));
	tcase_add_test(tc, no_more_than_a_sample_is_looked_at_and_it_goes_round);
	tcase_add_test(tc, a_new_board_is_empty_and_a_reset_slot_is_too);
	tcase_add_test(tc, no_two_workers_write_in_one_cache_line);
	tcase_add_test(tc, what_a_worker_writes_the_master_reads);
	return unit_run(s);
}
