/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sources that have connections, by boards that the test writes, as workers would, or as no worker
 * should.
 */
#include <config.h>
#include "source_census.h"

#include <sys/socket.h>

#include "unit.h"

#define WORKERS 2
#define RECORDS 8
#define ENTRIES 20

static struct board *board;

static void set_up(void)
{
	board = board_new(WORKERS, RECORDS, 0);
	ck_assert_ptr_nonnull(board);
}

static void tear_down(void)
{
	board_free(&board);
}

/* source: 1 + the entry, as the board has it. */
static void open_connection(size_t worker, size_t k, uint32_t source)
{
	static const struct endpoint client = { .family = AF_INET, .port = 4000, .ip = { 192, 0, 2, 1 } };
	struct board_connection *r = board_records(board, worker) + k;

	board_take_record(r, k + 1, 1, &client, BOARD_PHASE_IDLE);
	board_set(&r->source, source);
	if (atomic_load(&board_slot(board, worker)->used) <= k)
		board_set(&board_slot(board, worker)->used, (uint32_t)k + 1);
}

static size_t count(size_t n_entries)
{
	struct source_census c;

	source_census_begin(&c, n_entries);
	for (size_t i = 0; i < WORKERS; i++)
		source_census_see(&c, board, i);
	return source_census_end(&c);
}

START_TEST(a_source_counts_once_whatever_worker_has_it)
{
	ck_assert_uint_eq(count(ENTRIES), 0);
	open_connection(0, 0, 1);
	open_connection(0, 1, 1);
	open_connection(0, 5, ENTRIES);
	open_connection(1, 0, 1);
	open_connection(1, 1, 9);
	ck_assert_uint_eq(count(ENTRIES), 3);
	board_give_record(board_records(board, 1) + 1);
	ck_assert_uint_eq(count(ENTRIES), 2);
} END_TEST

START_TEST(connections_without_a_source_and_nonsense_do_not_count)
{
	open_connection(0, 0, 0);
	open_connection(0, 1, ENTRIES + 1);
	open_connection(1, 2, UINT32_MAX);
	ck_assert_uint_eq(count(ENTRIES), 0);
} END_TEST

int main(void)
{
	Suite *s = suite_create("source_census");
	TCase *tc = unit_case(s, "source_census", set_up, tear_down);

	tcase_add_test(tc, a_source_counts_once_whatever_worker_has_it);
	tcase_add_test(tc, connections_without_a_source_and_nonsense_do_not_count);
	return unit_run(s);
}
