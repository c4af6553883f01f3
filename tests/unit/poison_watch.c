/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What follows from crashes for a service: entries in the table of its workers, lines in the log, and
 * the ends of blocks.
 */
#include <config.h>
#include "poison_watch.h"

#include <signal.h>

#include "endpoint_harness.h"
#include "log.h"
#include "log_sink.h"
#include "unit.h"

static struct loop loop;
static struct log_sink *sink;
static struct poison_watches watches;
static struct conf_service conf;
static struct poison_watch *watch;

static void set_up(void)
{
	unit_enter_folder();
	ck_assert_int_eq(loop_init(&loop), 0);
	loop.now_ms = 1000000;
	sink = log_sink_open(LOG_TARGET_FILE, "log", LOG_FORMAT_TEXT);
	log_use(sink, LOG_LEVEL_INFO);
	poison_watches_init(&watches, &loop, NULL);
	conf = (struct conf_service){ .name = "s", .poison = { .on = true, .crashes = 2, .within = 60000,
	                              .block = 90000, .block_max = 3600000 },
	                              .limits.source_prefix = CONF_SOURCE_PREFIX };
	watch = poison_watch_use(&watches, "s");
	ck_assert(watch && poison_watch_prepare(watch, &conf) == 0);
}

static void tear_down(void)
{
	poison_watch_release(&watch);
	ck_assert(list_empty(&watches.all));
	log_use(NULL, LOG_LEVEL_INFO);
	log_sink_close(&sink);
	loop_fini(&loop);
	unit_leave_folder();
}

static struct evidence evidence_of(const char *ip)
{
	struct evidence e = { .service = "s", .status = SIGSEGV, .at_work = true, .work.peer = endpoint(ip) };

	evidence_name_source(&e, &conf);
	return e;
}

static void crash(const char *ip, int times)
{
	const struct evidence e = evidence_of(ip);

	for (int i = 0; i < times; i++)
		poison_watch_note(watch, &conf, &e);
}

static bool is_refused(const char *ip)
{
	const struct endpoint e = endpoint(ip);

	return blocks_refuse(watch->blocks, &e, 0, loop.now_ms);
}

static void pass(int64_t ms)
{
	loop.now_ms += ms;
	timer_run(&loop.timers, loop.now_ms);
}

static size_t said(const char *part)
{
	size_t n = 0;

	for (const char *at = unit_read_file("log"); (at = strstr(at, part)); at++)
		n++;
	return n;
}

static struct source_id source(const char *text)
{
	struct source_id s;

	ck_assert_int_eq(source_id_parse(text, &s), CIDR_OK);
	return s;
}

static size_t lift(const char *text)
{
	const struct source_id named = source(text);
	size_t n = 0;

	for (size_t i = 0; i < POISON_SOURCES; i++)
		if (poison_watch_means(watch, i, &named)) {
			poison_watch_lift(watch, i);
			n++;
		}
	return n;
}

START_TEST(a_block_begins_and_ends_with_a_line_each)
{
	crash("192.0.2.7", 1);
	ck_assert(!is_refused("192.0.2.7"));
	ck_assert_uint_eq(said("\n"), 0);
	crash("192.0.2.7", 1);
	ck_assert(is_refused("192.0.2.7") && !is_refused("192.0.2.8"));
	ck_assert_uint_eq(said(" s: blocking 192.0.2.7/32 for 90s, until 20"), 1);
	ck_assert_uint_eq(said("Z: 2 workers have crashed at its requests within 1m"
	                       " (to lift the block: droverctl unblock 192.0.2.7/32)\n"), 1);
	pass(89999);
	ck_assert(is_refused("192.0.2.7"));
	pass(1);
	ck_assert(blocks_is_empty(watch->blocks));
	ck_assert_uint_eq(said(" s: 192.0.2.7/32 is not blocked any more: the time is over;"
	                       " clients that were refused: 2\n"), 1);
	ck_assert_uint_eq(said("\n"), 2);
} END_TEST

START_TEST(blocks_end_in_their_order)
{
	crash("192.0.2.7", 2);
	pass(10000);
	crash("192.0.2.8", 2);
	pass(80000);
	ck_assert(!is_refused("192.0.2.7") && is_refused("192.0.2.8"));
	pass(10000);
	ck_assert(blocks_is_empty(watch->blocks));
} END_TEST

START_TEST(an_order_lifts_what_it_names)
{
	crash("192.0.2.7", 2);
	crash("198.51.100.1", 2);
	ck_assert_uint_eq(lift("192.0.2.8"), 0);
	ck_assert_uint_eq(lift("192.0.2.0/24"), 1);
	ck_assert(!is_refused("192.0.2.7") && is_refused("198.51.100.1"));
	ck_assert_uint_eq(lift("192.0.2.7"), 0);
	ck_assert_uint_eq(lift("0.0.0.0/0"), 1);
	ck_assert_uint_eq(said("a client of the control socket has lifted the block"), 2);
	pass(100000);
	ck_assert_uint_eq(said("\n"), 4);
} END_TEST

START_TEST(an_address_names_the_prefix_in_which_it_lies)
{
	struct evidence e;

	conf.limits.source_prefix.ipv4 = 24;
	e = evidence_of("192.0.2.7");
	poison_watch_note(watch, &conf, &e);
	poison_watch_note(watch, &conf, &e);
	ck_assert(is_refused("192.0.2.99"));
	ck_assert_uint_eq(lift("192.0.3.1"), 0);
	ck_assert_uint_eq(lift("192.0.2.99"), 1);
} END_TEST

START_TEST(what_is_no_crash_of_a_client_counts_for_nobody)
{
	struct evidence e = evidence_of("192.0.2.7");

	e.is_ours = true;
	for (int i = 0; i < 5; i++)
		poison_watch_note(watch, &conf, &e);
	e = (struct evidence){ .service = "s", .status = SIGSEGV };
	evidence_name_source(&e, &conf);
	for (int i = 0; i < 5; i++)
		poison_watch_note(watch, &conf, &e);
	ck_assert(blocks_is_empty(watch->blocks));
	conf.poison.on = false;
	crash("192.0.2.7", 5);
	conf.poison.on = true;
	crash("192.0.2.7", 1);
	ck_assert(blocks_is_empty(watch->blocks));
} END_TEST

START_TEST(a_configuration_without_poison_lifts_all)
{
	crash("192.0.2.7", 2);
	poison_watch_configure(watch, &conf);
	ck_assert(is_refused("192.0.2.7"));
	conf.poison.on = false;
	poison_watch_configure(watch, &conf);
	ck_assert(blocks_is_empty(watch->blocks));
	ck_assert_uint_eq(said("192.0.2.7/32 is not blocked any more: poison is switched off;"), 1);
	conf.poison.on = true;
	crash("192.0.2.7", 2);
	poison_watch_configure(watch, NULL);
	ck_assert(blocks_is_empty(watch->blocks));
} END_TEST

START_TEST(pools_of_a_service_share_its_watch)
{
	struct poison_watch *other = poison_watch_use(&watches, "s"), *another = poison_watch_use(&watches, "t");

	ck_assert(other == watch && another != watch);
	ck_assert_ptr_eq(poison_watch_find(&watches, "t"), another);
	ck_assert_ptr_null(another->blocks);
	crash("192.0.2.7", 2);
	poison_watch_release(&other);
	poison_watch_release(&another);
	ck_assert_ptr_null(another);
	ck_assert(is_refused("192.0.2.7"));
} END_TEST

START_TEST(a_worker_keeps_only_the_table_of_its_service)
{
	struct poison_watch *other = poison_watch_use(&watches, "t");

	ck_assert_int_eq(poison_watch_prepare(other, &conf), 0);
	poison_watches_forget(&watches, watch);
	ck_assert(watch->blocks && !other->blocks);
	poison_watch_release(&other);
} END_TEST

/* ---- the next program --------------------------------------------------- */

/* As another program with descriptors of its own has them. */
static struct poison_watch *hand_over(int fd, int version, struct poison_watches *to)
{
	struct poison_watch *next;

	poison_watches_init(to, &loop, NULL);
	next = poison_watch_adopt(to, "s", fd, version, &watch->history);
	ck_assert_ptr_nonnull(next);
	return next;
}

START_TEST(a_watch_that_is_handed_over_goes_on)
{
	const int fd = fcntl(blocks_fd(watch->blocks), F_DUPFD_CLOEXEC, 0);
	struct poison_watches others;
	struct poison_watch *next;

	crash("192.0.2.7", 2);
	ck_assert(is_refused("192.0.2.7"));
	next = hand_over(fd, BLOCKS_VERSION, &others);
	ck_assert_uint_eq(blocks_refused(next->blocks, 0), 1);
	timer_unset(&loop.timers, &watch->next_end);
	pass(90000);
	ck_assert(!is_refused("192.0.2.7"));    /* the same memory */
	ck_assert_uint_eq(said("clients that were refused: 1\n"), 1);
	poison_watch_release(&next);
	ck_assert(!unit_fd_is_open(fd));
} END_TEST

START_TEST(a_table_of_another_version_is_made_anew)
{
	const int fd = fcntl(blocks_fd(watch->blocks), F_DUPFD_CLOEXEC, 0);
	struct poison_watches others;
	struct poison_watch *next;
	const struct endpoint client = endpoint("192.0.2.7");

	crash("192.0.2.7", 2);
	next = hand_over(fd, BLOCKS_VERSION + 1, &others);
	ck_assert(!unit_fd_is_open(fd));
	ck_assert(blocks_refuse(next->blocks, &client, 0, loop.now_ms));
	ck_assert_uint_eq(blocks_refused(watch->blocks, 0), 0);
	poison_watch_release(&next);
} END_TEST

START_TEST(without_a_table_there_may_be_none)
{
	struct poison_watches others;
	struct poison_watch *next = hand_over(-1, 0, &others);

	ck_assert_ptr_null(next->blocks);
	poison_watch_release(&next);
	crash("192.0.2.7", 2);
	next = hand_over(-1, 0, &others);
	ck_assert_ptr_nonnull(next->blocks);
	poison_watch_release(&next);
} END_TEST

/* An entry that the history does not know would never end. */
START_TEST(entries_without_a_history_are_emptied)
{
	const int fd = fcntl(blocks_fd(watch->blocks), F_DUPFD_CLOEXEC, 0);
	struct poison_watches others;
	struct poison_watch *next;

	crash("192.0.2.7", 2);
	watch->history.sources[0].n_crashes = -1;
	next = hand_over(fd, BLOCKS_VERSION, &others);
	ck_assert(blocks_is_empty(next->blocks));
	poison_watch_release(&next);
} END_TEST

START_TEST(what_cannot_be_adopted_stays_with_the_caller)
{
	const int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct poison_watches others;

	poison_watches_init(&others, &loop, NULL);
	ck_assert_ptr_null(poison_watch_adopt(&others, "s", fd, BLOCKS_VERSION, &watch->history));
	ck_assert(list_empty(&others.all) && unit_fd_is_open(fd));
	close(fd);
} END_TEST

int main(void)
{
	Suite *s = suite_create("poison_watch");
	TCase *tc = unit_case(s, "poison_watch", set_up, tear_down);

	tcase_add_test(tc, a_block_begins_and_ends_with_a_line_each);
	tcase_add_test(tc, blocks_end_in_their_order);
	tcase_add_test(tc, an_order_lifts_what_it_names);
	tcase_add_test(tc, an_address_names_the_prefix_in_which_it_lies);
	tcase_add_test(tc, what_is_no_crash_of_a_client_counts_for_nobody);
	tcase_add_test(tc, a_configuration_without_poison_lifts_all);
	tcase_add_test(tc, pools_of_a_service_share_its_watch);
	tcase_add_test(tc, a_worker_keeps_only_the_table_of_its_service);

	tc = unit_case(s, "handover", set_up, tear_down);
	tcase_add_test(tc, a_watch_that_is_handed_over_goes_on);
	tcase_add_test(tc, a_table_of_another_version_is_made_anew);
	tcase_add_test(tc, without_a_table_there_may_be_none);
	tcase_add_test(tc, entries_without_a_history_are_emptied);
	tcase_add_test(tc, what_cannot_be_adopted_stays_with_the_caller);
	return unit_run(s);
}
