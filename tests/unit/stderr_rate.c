/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How much of standard error goes to the log, and what is said of the rest. Time
 * is turned by hand.
 */
#include <config.h>
#include "stderr_rate.h"

#include "log.h"
#include "log_sink.h"
#include "unit.h"

#define RATE 1024
#define BURST (STDERR_RATE_BURST * RATE)

static struct loop loop;
static struct stderr_rate rate, sibling;
static _Atomic int64_t paid_ns;
static struct log_sink *sink;

static void set_up(void)
{
	unit_enter_folder();
	sink = log_sink_open(LOG_TARGET_FILE, "log", LOG_FORMAT_TEXT);
	log_use(sink, LOG_LEVEL_INFO);
	ck_assert_int_eq(loop_init(&loop), 0);
	loop.now_ms = 0;                /* the clock has just begun */
	paid_ns = 0;
	stderr_rate_init(&rate, &loop, "test", RATE, &paid_ns);
	stderr_rate_init(&sibling, &loop, "test", RATE, &paid_ns);
}

static void tear_down(void)
{
	stderr_rate_fini(&rate);
	stderr_rate_fini(&sibling);
	ck_assert_uint_eq(loop.timers.n, 0);
	loop_fini(&loop);
	log_use(NULL, LOG_LEVEL_ERROR);
	log_sink_close(&sink);
	unit_leave_folder();
}

static void skip(int64_t ms)
{
	const int64_t end_ms = loop.now_ms + ms;

	while (timer_next(&loop.timers) <= end_ms) {
		loop.now_ms = timer_next(&loop.timers);
		timer_run(&loop.timers, loop.now_ms);
	}
	loop.now_ms = end_ms;
}

/* Bytes of log that it lets through of n lines. */
static int64_t taken(struct stderr_rate *r, int lines)
{
	int64_t sum = 0;

	for (int i = 0; i < lines; i++)
		if (stderr_rate_takes(r, "test 7", 10))
			sum += STDERR_RATE_HEAD + 6 + 10;
	return sum;
}

static size_t count(const char *part)
{
	size_t n = 0;

	for (const char *p = unit_read_file("log"); (p = strstr(p, part)); p++)
		n++;
	return n;
}

START_TEST(a_burst_and_then_the_rate_go_through)
{
	int64_t sum = taken(&rate, 1000);

	ck_assert_int_le(sum, BURST);
	ck_assert_int_gt(sum, BURST - 64);
	for (int i = 0; i < 100; i++) {
		skip(100);
		sum += taken(&rate, 1000);
	}
	ck_assert_int_le(sum, BURST + 10 * RATE);
	ck_assert_int_gt(sum, BURST + 10 * RATE - 64);
} END_TEST

START_TEST(workers_of_a_service_share_it)
{
	const int64_t first = taken(&rate, 100), second = taken(&sibling, 1000);

	ck_assert_int_eq(first, 100 * 64);
	ck_assert_int_le(first + second, BURST);
	ck_assert_int_eq(taken(&rate, 10), 0);
} END_TEST

START_TEST(what_is_dropped_is_told_when_it_begins_and_when_it_is_over)
{
	taken(&rate, BURST / 64);
	ck_assert_int_eq(count("standard error"), 0);
	taken(&rate, 3);
	ck_assert_int_eq(count("test: programs write more than 1k a second to standard error;"
	                       " dropping the rest, first of test 7\n"), 1);
	skip(STDERR_RATE_CALM_MS - 1);
	taken(&rate, 1000);             /* and it goes on: some of these, too */
	skip(STDERR_RATE_CALM_MS - 1);
	ck_assert_int_eq(count("standard error"), 1);
	skip(1);
	ck_assert_int_eq(count("standard error"), 2);
	ck_assert_int_eq(count(" lines ("), 1);
	taken(&rate, 1000);
	ck_assert_int_eq(count("dropping the rest"), 2);
} END_TEST

START_TEST(all_that_was_dropped_is_counted)
{
	taken(&rate, BURST / 64 + 12);
	stderr_rate_fini(&rate);
	ck_assert_int_eq(count("test: dropped 12 lines (120 bytes) that programs wrote to standard error\n"), 1);
	stderr_rate_fini(&rate);
	ck_assert_int_eq(count(": dropped"), 1);
} END_TEST

START_TEST(without_a_rate_there_is_no_bound)
{
	stderr_rate_init(&rate, &loop, "test", 0, &paid_ns);
	ck_assert_int_eq(taken(&rate, 100000), 100000 * 64);
} END_TEST

START_TEST(the_longest_line_goes_through_at_the_lowest_rate)
{
	stderr_rate_init(&rate, &loop, "test", 1, &paid_ns);
	ck_assert(stderr_rate_takes(&rate, "test 7", LOG_LINE_MAX));
	ck_assert(!stderr_rate_takes(&rate, "test 7", LOG_LINE_MAX));
} END_TEST

START_TEST(nonsense_from_another_worker_is_only_silence)
{
	paid_ns = INT64_MAX;
	ck_assert_int_eq(taken(&rate, 10), 0);
	paid_ns = INT64_MIN;
	ck_assert_int_eq(taken(&rate, 10), 10 * 64);
} END_TEST

int main(void)
{
	Suite *s = suite_create("stderr_rate");
	TCase *tc = unit_case(s, "stderr_rate", set_up, tear_down);

	tcase_add_test(tc, a_burst_and_then_the_rate_go_through);
	tcase_add_test(tc, workers_of_a_service_share_it);
	tcase_add_test(tc, what_is_dropped_is_told_when_it_begins_and_when_it_is_over);
	tcase_add_test(tc, all_that_was_dropped_is_counted);
	tcase_add_test(tc, without_a_rate_there_is_no_bound);
	tcase_add_test(tc, the_longest_line_goes_through_at_the_lowest_rate);
	tcase_add_test(tc, nonsense_from_another_worker_is_only_silence);
	return unit_run(s);
}
