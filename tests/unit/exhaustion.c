/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Episodes without a free slot: the two lines in the log, and when they are
 * written.
 */
#include <config.h>
#include "exhaustion.h"

#include "log.h"
#include "log_sink.h"
#include "unit.h"

#define LOG    "log"
#define NOW_MS 10000000                 /* later than the oldest connection, whenever the machine started */

static struct log_sink *sink;
static struct board *board;
static struct conf_service service;
static struct exhaustion e;
static struct exhaustion_facts facts;

/* The board calls nonsense what is later than this. */
int64_t __wrap_clock_ms(void);

int64_t __wrap_clock_ms(void)
{
	return NOW_MS;
}

static void set_up(void)
{
	unit_enter_folder();
	sink = log_sink_open(LOG_TARGET_FILE, LOG, LOG_FORMAT_TEXT);
	log_use(sink, LOG_LEVEL_INFO);
	board = board_new(3, 4, 0);
	e = (struct exhaustion){ .lasts = false };
	service = (struct conf_service){ .name = "echo" };
	facts = (struct exhaustion_facts){ .service = &service, .now_ms = NOW_MS, .workers = 2,
	                                   .busy = 8, .slots = 8, .board = board };
}

static void tear_down(void)
{
	log_use(NULL, LOG_LEVEL_INFO);
	log_sink_close(&sink);
	board_free(&board);
	unit_leave_folder();
}

/* Worker i has pid 100 * i + 100, and one more connection, open for so long. */
static void add_connection(size_t i, uint64_t number, int64_t age_ms)
{
	const struct endpoint peer = { .family = AF_INET, .port = (in_port_t)(4000 + number),
	                               .ip = { 192, 0, 2, (uint8_t)i } };
	struct board_slot *slot = board_slot(board, i);
	const uint32_t used = atomic_load(&slot->used);

	atomic_store(&slot->pid, 100 * (uint32_t)i + 100);
	atomic_store(&slot->state, BOARD_ACCEPTING);
	atomic_store(&slot->used, used + 1);
	atomic_store(&slot->open, used + 1);
	board_take_record(board_records(board, i) + used, number, NOW_MS - age_ms, &peer,
	                  BOARD_PHASE_IDLE);
}

/* The log has one line, which ends in this. */
static void expect_line(const char *level, const char *text)
{
	const char *log = unit_read_file(LOG);
	char want[1024];
	size_t len = (size_t)snprintf(want, sizeof want, " %s %d %s\n", level, (int)getpid(), text);

	ck_assert_ptr_eq(strchr(log, '\n'), log + strlen(log) - 1);
	ck_assert_msg(strlen(log) > len && strcmp(log + strlen(log) - len, want) == 0,
	              "%sis not:\n%s", log, want);
	ck_assert_int_eq(truncate(LOG, 0), 0);
}

static bool note(bool exhausted)
{
	return exhaustion_note(&e, exhausted, facts.now_ms, &facts, NULL);
}

START_TEST(the_line_names_the_three_that_are_open_for_longest)
{
	add_connection(0, 1, 5000);
	add_connection(0, 2, 95000);
	add_connection(0, 3, 1000);
	add_connection(2, 1, 7200999);
	add_connection(2, 9, 94999);
	facts.queue = 17;
	facts.queue_limit = 4096;
	ck_assert(note(true));
	expect_line("warning", "echo: pool exhausted: 8 of 8 slots of 2 workers are busy, 17 of at most"
	            " 4096 connections wait; open for longest: 300-1 from 192.0.2.2:4001 for 7200 s,"
	            " 100-2 from 192.0.2.0:4002 for 95 s, 300-9 from 192.0.2.2:4009 for 94 s"
	            " (more workers or connections would help)");
} END_TEST

START_TEST(fewer_than_three_are_named_as_they_are)
{
	add_connection(1, 7, 2500);
	service.workers.ranged = true;
	ck_assert(note(true));
	expect_line("warning", "echo: pool exhausted: 8 of 8 slots of 2 workers are busy; open for"
	            " longest: 200-7 from 192.0.2.1:4007 for 2 s"
	            " (more workers.max or connections would help)");
} END_TEST

START_TEST(without_connections_no_client_is_named)
{
	ck_assert(note(true));
	expect_line("warning", "echo: pool exhausted: 8 of 8 slots of 2 workers are busy"
	            " (more workers or connections would help)");
} END_TEST

START_TEST(an_episode_is_told_at_its_beginning_and_its_end)
{
	ck_assert(!note(false));
	ck_assert_str_eq(unit_read_file(LOG), "");
	facts.queue_limit = 128;
	facts.queue = 3;
	ck_assert(note(true));
	ck_assert_int_eq(truncate(LOG, 0), 0);
	facts.queue = 90;
	facts.now_ms += 1000;
	ck_assert(!note(true));
	facts.queue = 2;
	ck_assert(!note(true));
	ck_assert_str_eq(unit_read_file(LOG), "");
	facts.queue = 0;
	facts.busy = 5;
	facts.now_ms += 4000;
	ck_assert(exhaustion_note(&e, false, NOW_MS + 3007, &facts, NULL));
	expect_line("info", "echo: pool relieved: exhausted for 3.007 s, at most 90 of 128 connections"
	            " waited; now 5 of 8 slots are busy");
	ck_assert(!note(false));
	ck_assert(note(true));                  /* another episode: its queue counts again */
	ck_assert_int_eq(e.longest_queue, 0);
} END_TEST

START_TEST(where_the_queue_is_not_known_it_is_not_told)
{
	ck_assert(note(true));
	ck_assert_int_eq(truncate(LOG, 0), 0);
	ck_assert(exhaustion_note(&e, false, NOW_MS + 12, &facts, NULL));
	expect_line("info", "echo: pool relieved: exhausted for 0.012 s; now 8 of 8 slots are busy");
} END_TEST

int main(void)
{
	Suite *s = suite_create("exhaustion");
	TCase *tc = unit_case(s, "exhaustion", set_up, tear_down);

	tcase_add_test(tc, the_line_names_the_three_that_are_open_for_longest);
	tcase_add_test(tc, fewer_than_three_are_named_as_they_are);
	tcase_add_test(tc, without_connections_no_client_is_named);
	tcase_add_test(tc, an_episode_is_told_at_its_beginning_and_its_end);
	tcase_add_test(tc, where_the_queue_is_not_known_it_is_not_told);
	return unit_run(s);
}
