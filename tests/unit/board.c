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

#define PEERS_MAX 5
#define MANY      5000                  /* slots of each */

static const struct {
	const char *name;
	uint32_t    slots, mine;
	size_t      n;
	struct { enum board_state state; uint32_t open; } others[PEERS_MAX];
	bool        want;
} rows[] = {
	{ "alone, it is never ahead",          MANY, 1000, 0, { { F, 0 } }, false },
	{ "nobody has any",                    MANY, 0,    1, { { A, 0 } }, false },
	{ "the first connections are fair",    MANY, 2,    1, { { A, 0 } }, false },
	{ "but not all of them",               MANY, 3,    1, { { A, 0 } }, true },
	{ "even",                              MANY, 9,    1, { { A, 9 } }, false },
	{ "two more is still even",            MANY, 11,   1, { { A, 9 } }, false },
	{ "three more is not",                 MANY, 12,   1, { { A, 9 } }, true },
	{ "behind",                            MANY, 2,    1, { { A, 9 } }, false },
	{ "of many, a sixteenth more is even", MANY, 1064, 1, { { A, 1000 } }, false },
	{ "and more than that is not",         MANY, 1065, 1, { { A, 1000 } }, true },
	{ "ahead of one of a few",             MANY, 8,    3, { { A, 0 }, { A, 6 }, { A, 9 } }, true },
	{ "ahead of one of five",              MANY, 9,    5,
	  { { A, 0 }, { A, 7 }, { A, 8 }, { A, 9 }, { A, 9 } }, false },
	{ "ahead of two of five",              MANY, 9,    5,
	  { { A, 0 }, { A, 6 }, { A, 8 }, { A, 9 }, { A, 9 } }, true },
	{ "who drains does not count",         MANY, 9,    1, { { D, 0 } }, false },
	{ "nor who is not born yet",           MANY, 9,    2, { { N, 0 }, { F, 0 } }, false },
	{ "nor what the drained one has left", MANY, 9,    2, { { D, 900 }, { A, 1 } }, true },
	{ "nor who is full: it takes none",    4,    4,    1, { { A, 4 } }, false },
	{ "however far behind it is",          4,    9,    2, { { A, 4 }, { A, 5 } }, false },
	{ "who has one slot left does count",  4,    9,    1, { { A, 3 } }, true },
	{ "nonsense of a broken one is borne", MANY, 5,    2, { { A, UINT32_MAX }, { A, 0 } }, true },
	{ "even if all are broken",            MANY, 5,    2, { { A, UINT32_MAX }, { 77, 0 } }, false },
	{ "and our own",                       MANY, UINT32_MAX, 2, { { A, 0 }, { A, 1 } }, true },
	{ "nothing overflows",                 UINT32_MAX, UINT32_MAX - 1, 4,
	  { { A, UINT32_MAX - 1 }, { A, UINT32_MAX - 1 }, { A, UINT32_MAX - 1 },
	    { A, UINT32_MAX - 1 } }, false },
};

START_TEST(who_is_ahead)
{
	const size_t me = rows[_i].n;   /* the last, so that the sample goes round */
	struct board *b = board_new(rows[_i].n + 1, 1);
	uint64_t done;

	for (size_t i = 0; i < rows[_i].n; i++) {
		board_reset(b, i, rows[_i].others[i].state);
		atomic_store(&board_slot(b, i)->open, rows[_i].others[i].open);
	}
	board_reset(b, me, BOARD_ACCEPTING);
	atomic_store(&board_slot(b, me)->open, rows[_i].mine);
	ck_assert_msg(board_is_ahead(b, me, rows[_i].slots, &done) == rows[_i].want, "%s",
	              rows[_i].name);
	board_free(&b);
} END_TEST

START_TEST(no_more_than_a_sample_is_looked_at_and_it_goes_round)
{
	struct board *b = board_new(2 * BOARD_SAMPLE, 1);
	size_t last = 2 * BOARD_SAMPLE - 1;
	uint64_t done;

	for (size_t i = 0; i <= last; i++)
		board_reset(b, i, BOARD_ACCEPTING);
	/* The sample of the last begins anew at the first slot; a quarter but one is behind. */
	for (size_t i = 0; i <= BOARD_SAMPLE * 3 / 4; i++)
		atomic_store(&board_slot(b, i)->open, 3);
	atomic_store(&board_slot(b, last)->open, 3);
	ck_assert(!board_is_ahead(b, last, MANY, &done));
	atomic_store(&board_slot(b, 0)->open, 0);
	ck_assert(board_is_ahead(b, last, MANY, &done));
	board_free(&b);
} END_TEST

START_TEST(workers_that_lie_far_apart_are_compared)
{
	struct board *b = board_new(4 * BOARD_SAMPLE, 1);
	uint64_t done;

	board_reset(b, 0, BOARD_ACCEPTING);
	board_reset(b, 7, BOARD_ACCEPTING);
	atomic_store(&board_slot(b, 7)->open, 3);
	ck_assert(board_is_ahead(b, 7, MANY, &done));   /* all behind it on the board are free */
	board_free(&b);
} END_TEST

START_TEST(what_those_behind_get_done_is_seen)
{
	struct board *b = board_new(3, 1);
	uint64_t before, after;

	for (size_t i = 0; i < 3; i++)
		board_reset(b, i, BOARD_ACCEPTING);
	atomic_store(&board_slot(b, 0)->open, 9);
	ck_assert(board_is_ahead(b, 0, MANY, &before));
	atomic_store(&board_slot(b, 1)->open, 1);
	ck_assert(board_is_ahead(b, 0, MANY, &after));
	ck_assert_uint_ne(after, before);
	before = after;
	atomic_store(&board_slot(b, 2)->served, 1);
	ck_assert(board_is_ahead(b, 0, MANY, &after));
	ck_assert_uint_ne(after, before);
	before = after;
	atomic_store(&board_slot(b, 0)->served, 5);     /* its own is nothing to them */
	ck_assert(board_is_ahead(b, 0, MANY, &after));
	ck_assert_uint_eq(after, before);
	board_free(&b);
} END_TEST

START_TEST(a_new_board_is_empty_and_a_reset_slot_is_too)
{
	struct board *b = board_new(3, 1);
	struct board_slot *slot = board_slot(b, 1);

	for (size_t i = 0; i < 3; i++)
		ck_assert_uint_eq(atomic_load(&board_slot(b, i)->state), BOARD_FREE);
	atomic_store(&slot->open, 5);
	atomic_store(&slot->served, 7);
	board_reset(b, 1, BOARD_STARTING);
	ck_assert_uint_eq(atomic_load(&slot->state), BOARD_STARTING);
	ck_assert_uint_eq(atomic_load(&slot->open), 0);
	ck_assert_uint_eq(atomic_load(&slot->served), 0);
	board_free(&b);
	ck_assert_ptr_null(b);
	board_free(&b);
} END_TEST

START_TEST(no_two_workers_write_in_one_cache_line)
{
	struct board *b = board_new(4, 1);

	for (size_t i = 0; i < 4; i++) {
		ck_assert_uint_eq((uintptr_t)board_slot(b, i) % BOARD_LINE, 0);
		ck_assert(i == 0 || (char *)board_slot(b, i) - (char *)board_slot(b, i - 1) >= BOARD_LINE);
	}
	board_free(&b);
} END_TEST

START_TEST(what_a_worker_writes_the_master_reads)
{
	struct board *b = board_new(1, 1);
	int status;
	pid_t child = fork();

	if (child == 0) {
		atomic_store(&board_slot(b, 0)->open, 42);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_uint_eq(atomic_load(&board_slot(b, 0)->open), 42);
	board_free(&b);
} END_TEST

int main(void)
{
	Suite *s = suite_create("board");
	TCase *tc = unit_case(s, "board", NULL, NULL);

	tcase_add_loop_test(tc, who_is_ahead, 0, ARRAY_SIZE(rows));
	tcase_add_test(tc, no_more_than_a_sample_is_looked_at_and_it_goes_round);
	tcase_add_test(tc, workers_that_lie_far_apart_are_compared);
	tcase_add_test(tc, what_those_behind_get_done_is_seen);
	tcase_add_test(tc, a_new_board_is_empty_and_a_reset_slot_is_too);
	tcase_add_test(tc, no_two_workers_write_in_one_cache_line);
	tcase_add_test(tc, what_a_worker_writes_the_master_reads);
	return unit_run(s);
}
