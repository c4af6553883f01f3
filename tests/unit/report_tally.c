/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who holds how many connections, by a board and a table of sources that the test writes, as
 * workers would, or as no worker should.
 */
#include <config.h>
#include "report_tally.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include "unit.h"

#define WORKERS 2
#define RECORDS 8
#define ENTRIES 64
#define NOW_NS  INT64_C(1000000000000)

static struct board *board;
static struct sources *sources;
static struct report_tally tally;
static struct hold holds[WORKERS * RECORDS];
static size_t n_holds;
static struct source_limits limits;
static uint64_t number;

static void set_up(void)
{
	board = board_new(WORKERS, RECORDS, 0);
	sources = sources_make(ENTRIES);
	ck_assert(board && sources);
}

static void tear_down(void)
{
	report_tally_free(&tally);
	board_free(&board);
	sources_free(&sources);
}

/* ---- clients ------------------------------------------------------------ */

static struct endpoint ipv4(uint8_t last)
{
	return (struct endpoint){ .family = AF_INET, .port = 4000, .ip = { 192, 0, 2, last } };
}

/* The source of an address, as it is counted. */
static struct source_id source_of(const struct endpoint *e, uid_t uid)
{
	return source_id_of(e, uid, 32, 64);
}

static struct board_connection *record(size_t worker, size_t k)
{
	return board_records(board, worker) + k;
}

/* A client in that record, which the table does not count. */
static void open_uncounted(size_t worker, size_t k, const struct endpoint *e)
{
	board_take_record(record(worker, k), ++number, 1, e, BOARD_PHASE_IDLE);
	if (atomic_load(&board_slot(board, worker)->used) <= k)
		atomic_store(&board_slot(board, worker)->used, (uint32_t)k + 1);
}

static struct hold *count(const struct source_id *source)
{
	struct hold *h = &holds[n_holds++];

	ck_assert_int_eq(sources_take(sources, sources_key(sources, source), &limits, NOW_NS, h),
	                 SOURCES_TAKEN);
	return h;
}

static struct hold *open_counted(size_t worker, size_t k, const struct endpoint *e)
{
	const struct source_id source = source_of(e, 0);
	struct hold *h = count(&source);

	open_uncounted(worker, k, e);
	board_set(&record(worker, k)->source, sources_of_hold(h));
	return h;
}

static void end(size_t worker, size_t k, struct hold *h)
{
	sources_give(sources, h);
	board_give_record(record(worker, k));
}

/* ---- the tally ---------------------------------------------------------- */

static void look(void)
{
	report_tally_see(&tally, board, 32, 64);
	report_tally_count(&tally, sources, &limits.rate, NOW_NS);
	ck_assert(!tally.failed);
}

static void expect_row(size_t i, const char *name, uint64_t counted, uint64_t open)
{
	char text[SOURCE_ID_TEXT_MAX];

	ck_assert_uint_lt(i, tally.n);
	ck_assert_str_eq(source_id_format(&tally.rows[i].source, text, sizeof text), name);
	ck_assert_uint_eq(tally.rows[i].counted, counted);
	ck_assert_uint_eq(tally.rows[i].open, open);
}

START_TEST(nothing_is_seen_where_nothing_is)
{
	look();
	ck_assert_uint_eq(tally.n, 0);
	ck_assert_uint_eq(tally.nameless, 0);
} END_TEST

START_TEST(connections_of_a_source_are_added_up_over_workers)
{
	const struct endpoint few = ipv4(1), many = ipv4(2);

	open_counted(0, 0, &few);
	open_counted(0, 1, &many);
	open_counted(1, 0, &many);
	open_counted(1, 7, &many);
	look();
	ck_assert_uint_eq(tally.n, 2);
	expect_row(0, "192.0.2.2/32", 3, 3);
	expect_row(1, "192.0.2.1/32", 1, 1);
	ck_assert_int_eq(tally.rows[0].wait_ns, 0);
	ck_assert_uint_eq(tally.nameless, 0);
} END_TEST

START_TEST(a_source_is_as_large_as_its_prefix)
{
	struct endpoint e = { .family = AF_INET6, .ip = { 0x20, 1, 0xd, 0xb8, [15] = 1 } };

	open_counted(0, 0, &e);
	e.ip[15] = 2;
	open_counted(0, 1, &e);
	e.ip[7] = 1;
	open_counted(0, 2, &e);
	look();
	ck_assert_uint_eq(tally.n, 2);
	expect_row(0, "2001:db8::/64", 2, 2);
	expect_row(1, "2001:db8:0:1::/64", 1, 1);
} END_TEST

/* The boards of two generations, of which the second counts larger sources. */
START_TEST(each_board_has_its_own_prefix)
{
	struct board *next = board;
	struct endpoint e = ipv4(1);
	const struct source_id wide = source_id_of(&e, 0, 24, 64);

	open_counted(0, 0, &e);
	report_tally_see(&tally, board, 32, 64);
	board = board_new(WORKERS, RECORDS, 0);
	count(&wide);
	count(&wide);
	open_uncounted(0, 0, &e);
	e = ipv4(2);
	open_uncounted(1, 0, &e);
	report_tally_see(&tally, board, 24, 64);
	report_tally_count(&tally, sources, &limits.rate, NOW_NS);
	ck_assert_uint_eq(tally.n, 2);
	expect_row(0, "192.0.2.0/24", 2, 2);
	expect_row(1, "192.0.2.1/32", 1, 1);
	board_free(&next);
} END_TEST

START_TEST(unix_peers_are_told_apart_by_their_users)
{
	static const uid_t users[] = { 1000, 0, 1000 };
	const struct endpoint e = { .family = AF_UNIX };

	for (size_t i = 0; i < ARRAY_SIZE(users); i++) {
		const struct source_id source = source_of(&e, users[i]);

		count(&source);
		open_uncounted(0, i, &e);
		board_set(&record(0, i)->user, 1 + users[i]);
	}
	look();
	ck_assert_uint_eq(tally.n, 2);
	expect_row(0, "uid:1000", 2, 2);
	expect_row(1, "uid:0", 1, 1);
} END_TEST

START_TEST(without_limits_the_boards_say_who_is_there)
{
	const struct endpoint few = ipv4(1), many = ipv4(2), unknown = { .family = 0 },
	                      user = { .family = AF_UNIX };

	open_uncounted(0, 0, &few);
	open_uncounted(0, 1, &many);
	open_uncounted(1, 0, &many);
	open_uncounted(1, 1, &unknown);
	open_uncounted(1, 2, &user);
	open_uncounted(1, 3, &user);
	look();
	ck_assert_uint_eq(tally.n, 3);
	expect_row(0, "unknown", 0, 3);
	expect_row(1, "192.0.2.2/32", 0, 2);
	expect_row(2, "192.0.2.1/32", 0, 1);
} END_TEST

/* ---- rates -------------------------------------------------------------- */

START_TEST(a_source_at_its_rate_is_named_by_a_connection_that_has_ended)
{
	const struct endpoint e = ipv4(1), other = ipv4(2);

	limits.rate = (struct bucket_rate){ .interval_ns = 5000, .depth_ns = 10000 };
	end(0, 0, open_counted(0, 0, &e));
	look();
	ck_assert_uint_eq(tally.n, 0);          /* its burst is not used up */
	end(0, 0, open_counted(0, 0, &e));
	open_counted(1, 0, &other);
	look();
	ck_assert_uint_eq(tally.n, 2);
	expect_row(0, "192.0.2.2/32", 1, 1);
	expect_row(1, "192.0.2.1/32", 0, 0);
	ck_assert_int_eq(tally.rows[0].wait_ns, 0);
	ck_assert_int_eq(tally.rows[1].wait_ns, 5000);
	ck_assert_int_eq(sources_wait_ns(sources, 0, &(struct bucket_rate){ 0 }, NOW_NS), 0);
} END_TEST

START_TEST(what_no_record_names_any_more_is_only_counted)
{
	const struct endpoint first = ipv4(1), second = ipv4(2), third = ipv4(3);
	const struct source_id lingers = source_of(&third, 0);

	limits.rate = (struct bucket_rate){ .interval_ns = 5000, .depth_ns = 5000 };
	end(0, 0, open_counted(0, 0, &first));
	open_counted(0, 0, &second);
	count(&lingers);
	count(&(struct source_id){ .prefix.family = AF_UNIX, .uid = 7 });
	look();
	ck_assert_uint_eq(tally.n, 1);
	expect_row(0, "192.0.2.2/32", 1, 1);
	ck_assert_uint_eq(tally.nameless, 3);
	ck_assert_uint_eq(tally.counted, 2);
} END_TEST

/* ---- the order ---------------------------------------------------------- */

START_TEST(those_with_the_most_connections_come_first_then_those_that_wait)
{
	static const struct report_tally_row rows[] = {
		{ .counted = 2, .open = 9 }, { .counted = 8 }, { .open = 8, .source.uid = 1 },
		{ .counted = 1, .wait_ns = 7 }, { .counted = 1, .wait_ns = 5 }, { .counted = 1 },
		{ .wait_ns = 9 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		for (size_t k = 0; k < ARRAY_SIZE(rows); k++) {
			const int order = report_tally_compare(&rows[i], &rows[k]);

			ck_assert_msg(i < k ? order < 0 : i > k ? order > 0 : order == 0, "%zu and %zu: %d",
			              i, k, order);
		}
} END_TEST

/* ---- nonsense ----------------------------------------------------------- */

static void scribble(void *at, size_t len, unsigned seed)
{
	unsigned char *bytes = at;

	for (size_t i = 0; i < len; i++) {
		seed = seed * 1664525 + 1013904223;
		bytes[i] = (unsigned char)(seed >> 24);
	}
}

START_TEST(nonsense_on_the_board_is_bounded)
{
	uint64_t open = 0;

	for (size_t i = 0; i < WORKERS; i++) {
		scribble(board_records(board, i), RECORDS * sizeof(struct board_connection), (unsigned)_i);
		for (size_t k = 0; k < RECORDS; k++) {
			/* So that some of it makes sense. */
			board_set(&record(i, k)->phase, (uint32_t)(k + (size_t)_i) % 9);
			if (k % 2 == 1)
				board_set(&record(i, k)->peer[0], k % 4 == 1 ? AF_INET : AF_INET6);
		}
		atomic_store(&board_slot(board, i)->used, UINT32_MAX - (uint32_t)_i);
	}
	look();
	for (size_t i = 0; i < tally.n; i++) {
		open += tally.rows[i].open;
		ck_assert_uint_eq(tally.rows[i].counted, 0);
	}
	ck_assert_uint_le(open, WORKERS * RECORDS);
	ck_assert_uint_eq(tally.nameless, 0);
} END_TEST

/* A worker can name any entry, and any address. */
START_TEST(a_record_does_not_decide_which_entry_is_whose)
{
	const struct endpoint e = ipv4(1), liar = ipv4(66);
	struct hold *h = open_counted(0, 0, &e);

	open_uncounted(1, 0, &liar);
	board_set(&record(1, 0)->source, sources_of_hold(h));
	open_uncounted(1, 1, &liar);
	board_set(&record(1, 1)->source, UINT32_MAX);
	look();
	ck_assert_uint_eq(tally.n, 2);
	expect_row(0, "192.0.2.66/32", 0, 2);
	expect_row(1, "192.0.2.1/32", 1, 1);
} END_TEST

START_TEST(nonsense_in_the_table_is_bounded)
{
	const struct endpoint e = ipv4(1);
	const size_t len = 4096;
	void *table = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, sources_fd(sources), 0);

	limits.rate = (struct bucket_rate){ .interval_ns = 5000, .depth_ns = 10000 };
	open_counted(0, 0, &e);
	ck_assert_ptr_ne(table, MAP_FAILED);
	scribble(table, len, (unsigned)_i);
	munmap(table, len);
	look();
	ck_assert_uint_eq(tally.n, 1);
	expect_row(0, "192.0.2.1/32", tally.rows[0].counted, 1);
	ck_assert_uint_le(tally.nameless, ENTRIES);
	ck_assert_uint_le(tally.counted, (uint64_t)ENTRIES * SOURCES_COUNT_MAX);
	for (uint32_t i = 0; i < ENTRIES; i++) {
		unit_require(sources_wait_ns(sources, i, &limits.rate, NOW_NS) >= 0);
		unit_require(sources_wait_ns(sources, i, &limits.rate, NOW_NS) <= 1000010000);
	}
} END_TEST

START_TEST(a_tally_needs_no_memory_for_sources_that_never_came)
{
	const struct endpoint client = ipv4(7);
	struct stat st;

	sources_free(&sources);
	sources = sources_make(SOURCES_MAX);
	open_counted(0, 0, &client);
	report_tally_count(&tally, sources, &limits.rate, NOW_NS);
	ck_assert_uint_eq(tally.nameless, 1);
	ck_assert_int_eq(fstat(sources_fd(sources), &st), 0);
	ck_assert_int_le(st.st_blocks * 512, 65536);
} END_TEST

START_TEST(many_records_make_one_row_of_each_source)
{
	struct board *wide = board_new(4, 5000, 0);

	for (size_t i = 0; i < 4; i++) {
		for (size_t k = 0; k < 5000; k++) {
			const struct endpoint e = ipv4((uint8_t)(k % 100));

			board_take_record(board_records(wide, i) + k, ++number, 1, &e, BOARD_PHASE_IDLE);
		}
		atomic_store(&board_slot(wide, i)->used, 5000);
	}
	report_tally_see(&tally, wide, 32, 64);
	report_tally_count(&tally, sources, &limits.rate, NOW_NS);
	ck_assert_uint_eq(tally.n, 100);
	expect_row(0, "192.0.2.0/32", 0, 200);
	expect_row(99, "192.0.2.99/32", 0, 200);
	board_free(&wide);
} END_TEST

int main(void)
{
	Suite *s = suite_create("report_tally");
	TCase *tc = unit_case(s, "report_tally", set_up, tear_down);

	tcase_add_test(tc, nothing_is_seen_where_nothing_is);
	tcase_add_test(tc, connections_of_a_source_are_added_up_over_workers);
	tcase_add_test(tc, a_source_is_as_large_as_its_prefix);
	tcase_add_test(tc, each_board_has_its_own_prefix);
	tcase_add_test(tc, unix_peers_are_told_apart_by_their_users);
	tcase_add_test(tc, without_limits_the_boards_say_who_is_there);
	tcase_add_test(tc, a_source_at_its_rate_is_named_by_a_connection_that_has_ended);
	tcase_add_test(tc, what_no_record_names_any_more_is_only_counted);
	tcase_add_test(tc, those_with_the_most_connections_come_first_then_those_that_wait);
	tcase_add_test(tc, many_records_make_one_row_of_each_source);
	tcase_add_test(tc, a_tally_needs_no_memory_for_sources_that_never_came);
	tc = unit_case(s, "nonsense", set_up, tear_down);
	tcase_add_loop_test(tc, nonsense_on_the_board_is_bounded, 0, 30);
	tcase_add_test(tc, a_record_does_not_decide_which_entry_is_whose);
	tcase_add_loop_test(tc, nonsense_in_the_table_is_bounded, 0, 10);
	return unit_run(s);
}
