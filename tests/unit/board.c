/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The scoreboard: who holds more than its share, and memory that is shared. How
 * it is read is in board_view.c.
 */
#include <config.h>
#include "board.h"

#include <sys/mman.h>
#include <sys/stat.h>
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
	{ "no worker has any",                 MANY, 0,    1, { { A, 0 } }, false },
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

START_TEST(a_worker_that_is_ahead)
{
	const size_t me = rows[_i].n;   /* the last, so that the sample goes round */
	struct board *b = board_new(rows[_i].n + 1, 1, 0);
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
	struct board *b = board_new(2 * BOARD_SAMPLE, 1, 0);
	size_t last = 2 * BOARD_SAMPLE - 1;
	uint64_t done;

	for (size_t i = 0; i <= last; i++)
		board_reset(b, i, BOARD_ACCEPTING);
	/* The sample of the last begins again at the first slot; a quarter but one is behind. */
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
	struct board *b = board_new(4 * BOARD_SAMPLE, 1, 0);
	uint64_t done;

	board_reset(b, 0, BOARD_ACCEPTING);
	board_reset(b, 7, BOARD_ACCEPTING);
	atomic_store(&board_slot(b, 7)->open, 3);
	ck_assert(board_is_ahead(b, 7, MANY, &done));   /* all behind it on the board are free */
	board_free(&b);
} END_TEST

START_TEST(what_those_behind_get_done_is_seen)
{
	struct board *b = board_new(3, 1, 0);
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

START_TEST(those_that_accept_are_added_up)
{
	static const struct { enum board_state state; uint32_t open; } said[] = {
		{ A, 3 }, { D, 4 }, { F, 0 }, { A, 10 }, { N, 0 }, { A, 77 }, { A, 1 },
	};
	struct board *b = board_new(ARRAY_SIZE(said), 1, 0);
	struct board_sum sum;

	for (size_t i = 0; i < ARRAY_SIZE(said); i++) {
		board_reset(b, i, said[i].state);
		atomic_store(&board_slot(b, i)->open, said[i].open);
	}
	sum = board_sum(b, 10, UINT64_MAX);
	ck_assert_uint_eq(sum.open, 3 + 10 + 77 + 1);
	ck_assert_uint_eq(sum.free, 7 + 9);     /* a broken one has none free, not fewer */
	sum = board_sum(b, 10, 6);
	ck_assert_uint_eq(sum.free, 7);
	ck_assert_uint_eq(sum.open, 3);         /* enough was seen */
	board_free(&b);
} END_TEST

/* ---- memory ------------------------------------------------------------- */

static uint64_t bytes_taken(const struct board *b)
{
	struct stat st;

	ck_assert_int_eq(fstat(board_fd(b), &st), 0);
	return (uint64_t)st.st_blocks * 512;
}

/* As a worker of that slot that has seen everything. */
static void fill(const struct board *b, size_t i)
{
	struct board_slot *slot = board_slot(b, i);
	const struct endpoint peer = { .family = AF_UNIX };

	memset(slot, 1, sizeof *slot);
	board_set(&slot->at_work, 1);
	for (size_t k = 0; k < board_connections(b); k++)
		board_take_record(board_records(b, i) + k, k, 1, &peer, BOARD_PHASE_IDLE);
}

static void expect_empty(const struct board *b, size_t i)
{
	const struct board_connection *records = board_records(b, i);
	struct board_worker_view v;

	board_view(b, i, &v);
	ck_assert_int_eq(v.pid, 0);
	ck_assert_uint_eq(v.open + v.filters + v.queued + v.warm, 0);
	/* In the slot itself: the view takes none of what fill() puts there. */
#define X(name) ck_assert_uint_eq(atomic_load(&board_slot(b, i)->name), 0);
	BOARD_COUNTERS(X)
#undef X
#define X(name) \
	for (size_t k = 0; k < HISTOGRAM_BUCKETS; k++) \
		ck_assert_uint_eq(atomic_load(&board_slot(b, i)->name.buckets[k]), 0); \
	ck_assert_uint_eq(atomic_load(&board_slot(b, i)->name.sum_ms), 0);
	BOARD_HISTOGRAMS(X)
#undef X
	ck_assert_int_eq(v.born_ms + v.turn_ms, 0);
	ck_assert(!v.at_work);
	ck_assert_uint_eq(atomic_load(&board_slot(b, i)->used), 0);
	for (size_t k = 0; k < board_connections(b); k++)
		ck_assert_uint_eq(atomic_load(&records[k].phase), BOARD_PHASE_NONE);
}

START_TEST(a_new_board_is_empty_and_a_reset_slot_is_too)
{
	struct board *b = board_new(3, 100, 0);

	ck_assert_uint_eq(board_slots(b), 3);
	ck_assert_uint_eq(board_connections(b), 100);
	for (size_t i = 0; i < 3; i++)
		expect_empty(b, i);
	for (size_t i = 0; i < 3; i++)
		fill(b, i);
	board_reset(b, 1, BOARD_STARTING);
	ck_assert_uint_eq(atomic_load(&board_slot(b, 1)->state), BOARD_STARTING);
	expect_empty(b, 1);
	for (size_t i = 0; i < 3; i += 2) {     /* its neighbours are as they were */
		ck_assert_uint_eq(atomic_load(&board_slot(b, i)->open), 0x01010101);
		for (size_t k = 0; k < 100; k++)
			ck_assert_uint_eq(atomic_load(&board_records(b, i)[k].number), k);
	}
	board_free(&b);
	ck_assert_ptr_null(b);
	board_free(&b);
} END_TEST

START_TEST(no_two_workers_write_in_one_cache_line)
{
	struct board *b = board_new(4, 3, 0);

	for (size_t i = 0; i < 4; i++) {
		ck_assert_uint_eq((uintptr_t)board_slot(b, i) % BOARD_LINE, 0);
		ck_assert_uint_eq((uintptr_t)board_records(b, i) % BOARD_LINE, 0);
		ck_assert(i == 0 || board_slot(b, i) - board_slot(b, i - 1) == 1);
		ck_assert(i == 0 || board_records(b, i) - board_records(b, i - 1) >= 3);
	}
	ck_assert((void *)board_records(b, 0) >= (void *)(board_slot(b, 3) + 1));
	board_free(&b);
} END_TEST

START_TEST(what_a_worker_writes_the_master_reads)
{
	struct board *b = board_new(3, 70, 0);
	int status;
	pid_t child = fork();

	if (child == 0) {
		board_enter(b, 1);
		atomic_store(&board_slot(b, 1)->open, 42);
		atomic_store(&board_slot(b, 2)->open, 43);      /* it sees its siblings' */
		atomic_store(&board_records(b, 1)[69].number, 44);
		_exit(board_fd(b) == -1 ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	ck_assert_uint_eq(atomic_load(&board_slot(b, 1)->open), 42);
	ck_assert_uint_eq(atomic_load(&board_slot(b, 2)->open), 43);
	ck_assert_uint_eq(atomic_load(&board_records(b, 1)[69].number), 44);
	board_free(&b);
} END_TEST

static bool is_mapped(const void *p)
{
	const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);

	return msync((void *)((uintptr_t)p / page * page), 1, MS_ASYNC) == 0;
}

START_TEST(a_worker_keeps_its_own_records_only)
{
	for (size_t me = 0; me < 3; me++) {
		struct board *b = board_new(3, 70, 0);
		int status;
		pid_t child = fork();

		if (child == 0) {
			int fd = board_fd(b);

			board_enter(b, me);
			for (size_t i = 0; i < 3; i++)
				if (is_mapped(board_records(b, i)) != (i == me) ||
				    is_mapped(board_records(b, i) + 69) != (i == me) ||
				    !is_mapped(board_slot(b, i)))
					_exit(1);
			_exit(unit_fd_is_open(fd) ? 2 : 0);
		}
		ck_assert_int_eq(waitpid(child, &status, 0), child);
		ck_assert_int_eq(status, 0);
		board_free(&b);
	}
} END_TEST

START_TEST(no_worker_can_truncate_the_memory)
{
	struct board *b = board_new(2, 2, 0);
	struct stat st;

	ck_assert_int_eq(fcntl(board_fd(b), F_GET_SEALS) & (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL),
	                 F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
	ck_assert_int_eq(fstat(board_fd(b), &st), 0);
	ck_assert_int_eq(ftruncate(board_fd(b), 0), -1);
	ck_assert_int_eq(ftruncate(board_fd(b), st.st_size * 2), -1);
	ck_assert(fcntl(board_fd(b), F_GETFD) & FD_CLOEXEC);
	board_free(&b);
} END_TEST

START_TEST(memory_is_taken_when_used_and_given_back)
{
	struct board *b = board_new(8, 100000, 0);
	uint64_t empty = bytes_taken(b);

	ck_assert_uint_le(empty, 65536);        /* the header, in one page, whatever its size */
	fill(b, 2);                             /* its slot is in that page, too */
	ck_assert_uint_ge(bytes_taken(b), 100000 * sizeof(struct board_connection));
	board_reset(b, 2, BOARD_FREE);
	ck_assert_uint_eq(bytes_taken(b), empty);
	board_free(&b);
} END_TEST

START_TEST(a_board_ends_with_its_descriptor)
{
	int before = unit_count_fds();
	struct board *b = board_new(2, 2, 0);

	ck_assert_int_eq(unit_count_fds(), before + 1);
	board_free(&b);
	ck_assert_int_eq(unit_count_fds(), before);
} END_TEST

static const struct { size_t n_slots, n_connections; } too_much[] = {
	{ SIZE_MAX, 1 }, { 1, SIZE_MAX }, { SIZE_MAX / 64, SIZE_MAX / 64 },
	{ 2, SIZE_MAX / 128 }, { (size_t)1 << 31, (size_t)1 << 31 }, { 1, UINT32_MAX },
};

START_TEST(what_is_too_much_is_refused)
{
	int before = unit_count_fds();

	errno = 0;
	ck_assert_ptr_null(board_new(too_much[_i].n_slots, too_much[_i].n_connections, 0));
	ck_assert_int_ne(errno, 0);
	ck_assert_int_eq(unit_count_fds(), before);
} END_TEST

int main(void)
{
	Suite *s = suite_create("board");
	TCase *tc = unit_case(s, "board", NULL, NULL);

	tcase_add_loop_test(tc, a_worker_that_is_ahead, 0, ARRAY_SIZE(rows));
	tcase_add_test(tc, no_more_than_a_sample_is_looked_at_and_it_goes_round);
	tcase_add_test(tc, workers_that_lie_far_apart_are_compared);
	tcase_add_test(tc, what_those_behind_get_done_is_seen);
	tcase_add_test(tc, those_that_accept_are_added_up);
	tcase_add_test(tc, a_new_board_is_empty_and_a_reset_slot_is_too);
	tcase_add_test(tc, no_two_workers_write_in_one_cache_line);
	tcase_add_test(tc, what_a_worker_writes_the_master_reads);
	tcase_add_test(tc, a_worker_keeps_its_own_records_only);
	tcase_add_test(tc, no_worker_can_truncate_the_memory);
	tcase_add_test(tc, memory_is_taken_when_used_and_given_back);
	tcase_add_test(tc, a_board_ends_with_its_descriptor);
	tcase_add_loop_test(tc, what_is_too_much_is_refused, 0, ARRAY_SIZE(too_much));
	return unit_run(s);
}
