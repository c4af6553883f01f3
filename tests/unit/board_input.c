/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is left on the board of a worker that died: whom it worked for, and the
 * last bytes of that connection.
 */
#include <config.h>
#include "board.h"

#include <sys/wait.h>

#include "clock.h"
#include "unit.h"

#define SIZE 8
#define ME   1

static struct board *board;
static char got[SIZE + 1];

static void set_up(void)
{
	board = board_new(3, 5, SIZE);
	ck_assert_ptr_nonnull(board);
	board_reset(board, ME, BOARD_ACCEPTING);
}

static void tear_down(void)
{
	board_free(&board);
}

static void receive(uint64_t number, const char *bytes)
{
	board_keep_input(board_input(board, ME), SIZE, number, bytes, strlen(bytes));
}

/* What is kept of that connection, as a string. */
static const char *kept(uint64_t number)
{
	size_t n;

	memset(got, 'x', sizeof got);
	n = board_copy_input(board, ME, number, got);
	ck_assert_uint_le(n, SIZE);
	got[n] = '\0';
	return got;
}

/* ---- input -------------------------------------------------------------- */

static const struct { const char *name, *received[6], *want; } rows[] = {
	{ "nothing",                       { NULL },                             "" },
	{ "a little",                      { "abc" },                            "abc" },
	{ "piece by piece",                { "a", "bc", "d" },                   "abcd" },
	{ "just so much",                  { "abcdefgh" },                       "abcdefgh" },
	{ "just so much, and one more",    { "abcdefgh", "i" },                  "bcdefghi" },
	{ "just so much, twice",           { "abcdefgh", "ijklmnop" },           "ijklmnop" },
	{ "more than there is room for",   { "abcdefghijk" },                    "defghijk" },
	{ "that, behind a little",         { "123", "abcdefghijk" },             "defghijk" },
	{ "that, and a little",            { "abcdefghijk", "12" },              "fghijk12" },
	{ "far more than that",            { "abcdefghijklmnopqrstuvwxyz", "1" }, "tuvwxyz1" },
	{ "round and round",               { "abcde", "fghij", "klmno", "pqrst" }, "mnopqrst" },
};

START_TEST(the_last_bytes_are_kept)
{
	for (size_t i = 0; rows[_i].received[i]; i++)
		receive(7, rows[_i].received[i]);
	ck_assert_msg(strcmp(kept(7), rows[_i].want) == 0, "%s: %s", rows[_i].name, got);
	ck_assert_str_eq(kept(8), "");
} END_TEST

START_TEST(those_of_another_connection_take_their_place)
{
	receive(7, "seven");
	receive(8, "eight, and more");
	receive(7, "7");
	ck_assert_str_eq(kept(7), "7");
	ck_assert_str_eq(kept(8), "");
} END_TEST

START_TEST(a_reset_wipes_them)
{
	receive(7, "secret");
	board_reset(board, ME, BOARD_FREE);
	ck_assert_str_eq(kept(7), "");
	ck_assert_uint_eq((unsigned char)board_input(board, ME)->bytes[0], 0);
} END_TEST

START_TEST(they_survive_their_worker_and_spare_the_neighbours)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		board_enter(board, ME);
		receive(7, "the last words");
		raise(SIGKILL);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_str_eq(kept(7), "st words");
	for (size_t k = 0; k < board_connections(board); k++)
		ck_assert_uint_eq(atomic_load(&board_records(board, ME)[k].number), 0);
	for (size_t i = 0; i < 3; i += 2)
		ck_assert_uint_eq(atomic_load(&board_input(board, i)->number), 0);
} END_TEST

static const uint64_t totals[] = { UINT64_MAX, UINT64_MAX - 3, INT64_MAX, SIZE + 1, SIZE };

START_TEST(nonsense_stays_within_bounds)
{
	receive(7, "abcdefgh");
	atomic_store(&board_input(board, ME)->total, totals[_i]);
	ck_assert_uint_eq(strlen(kept(7)), SIZE);
} END_TEST

START_TEST(without_room_there_is_none)
{
	struct board *b = board_new(2, 2, 0);

	ck_assert_ptr_null(board_input(b, 0));
	ck_assert_uint_eq(board_copy_input(b, 0, 0, got), 0);
	board_free(&b);
	ck_assert_ptr_null(board_new(2, 2, SIZE_MAX));
	ck_assert_ptr_null(board_new(2, 2, SIZE_MAX - 64));
} END_TEST

/* ---- whom it worked for ------------------------------------------------- */

static void take(size_t k, uint64_t number)
{
	const struct endpoint peer = { .family = AF_INET, .port = 4711, .ip = { 192, 0, 2, 1 } };

	board_take_record(&board_records(board, ME)[k], number, clock_ms(), &peer, BOARD_PHASE_IDLE);
}

static void work_on(uint32_t mark)
{
	board_set(&board_slot(board, ME)->at_work, mark);
}

START_TEST(a_client_that_is_worked_for_is_seen)
{
	struct board_connection_view v;

	take(2, 17);
	ck_assert(!board_view_work(board, ME, &v));
	work_on(3);
	ck_assert(board_view_work(board, ME, &v));
	ck_assert_uint_eq(v.number, 17);
	ck_assert_uint_eq(v.peer.port, 4711);
	ck_assert_int_eq(v.phase, BOARD_PHASE_HANDLER);
	board_set(&board_records(board, ME)[2].program, 99);
	board_set(&board_records(board, ME)[2].phase, BOARD_PHASE_PROGRAM);
	ck_assert(board_view_work(board, ME, &v));
	ck_assert_int_eq(v.phase, BOARD_PHASE_PROGRAM);
} END_TEST

START_TEST(a_client_that_has_just_left_is_seen_as_well)
{
	struct board_connection_view v;

	take(0, 18);
	work_on(1);
	board_give_record(&board_records(board, ME)[0]);
	ck_assert(!board_view_connection(board, ME, 0, &v));
	ck_assert(board_view_work(board, ME, &v));
	ck_assert_uint_eq(v.number, 18);
	ck_assert_int_eq(v.phase, BOARD_PHASE_CLOSING);
} END_TEST

static const uint32_t marks[] = { 0, 4, 6, 7, UINT32_MAX };

START_TEST(no_worker_that_cannot_be_there_is_seen)
{
	struct board_connection_view v;

	take(0, 1);
	work_on(marks[_i]);
	ck_assert_msg(!board_view_work(board, ME, &v), "%u", marks[_i]);
} END_TEST

int main(void)
{
	Suite *s = suite_create("board_input");
	TCase *tc = unit_case(s, "input", set_up, tear_down);

	tcase_add_loop_test(tc, the_last_bytes_are_kept, 0, ARRAY_SIZE(rows));
	tcase_add_test(tc, those_of_another_connection_take_their_place);
	tcase_add_test(tc, a_reset_wipes_them);
	tcase_add_test(tc, they_survive_their_worker_and_spare_the_neighbours);
	tcase_add_loop_test(tc, nonsense_stays_within_bounds, 0, ARRAY_SIZE(totals));
	tcase_add_test(tc, without_room_there_is_none);

	tc = unit_case(s, "work", set_up, tear_down);
	tcase_add_test(tc, a_client_that_is_worked_for_is_seen);
	tcase_add_test(tc, a_client_that_has_just_left_is_seen_as_well);
	tcase_add_loop_test(tc, no_worker_that_cannot_be_there_is_seen, 0, ARRAY_SIZE(marks));
	return unit_run(s);
}
