/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Delays that double, and how often something may be done.
 */
#include <config.h>
#include "backoff.h"

#include "unit.h"

static const struct { const char *name; int64_t last, min, max, want; } delays[] = {
	{ "the first",                         0,     100,  60000, 100 },
	{ "the second is twice as long",       100,   100,  60000, 200 },
	{ "half the longest",                  30000, 100,  60000, 60000 },
	{ "more than half the longest",        30001, 100,  60000, 60000 },
	{ "the longest stays",                 60000, 100,  60000, 60000 },
	{ "an odd longest one",                3,     1,    7,     6 },
	{ "it is not passed",                  6,     1,    7,     7 },
	{ "always the same",                   500,   500,  500,   500 },
	{ "the first of always the same",      0,     500,  500,   500 },
	{ "the longest was made shorter",      60000, 100,  1000,  1000 },
	{ "as long as can be",                 INT64_MAX / 2 + 1, 1, INT64_MAX, INT64_MAX },
};

START_TEST(a_delay_doubles_up_to_the_longest)
{
	ck_assert_msg(backoff_next(delays[_i].last, delays[_i].min, delays[_i].max) == delays[_i].want,
	              "%s", delays[_i].name);
} END_TEST

/* Of one process that was replaced after another: how long each lived, and the delay after it. */
START_TEST(a_process_that_dies_young_is_replaced_later_each_time)
{
	static const struct { int64_t lived_ms, delay_ms; } lives[] = {
		{ 10000, 0 },                           /* old enough: at once */
		{ 9999, 100 }, { 5, 200 }, { 0, 400 },  /* young, or not even forked */
		{ 1, 800 }, { 1, 1600 }, { 1, 3200 }, { 1, 6400 }, { 1, 10000 }, { 9999, 10000 },
		{ INT64_MAX, 0 },                       /* what was before is forgotten */
		{ 0, 100 },
	};
	int64_t last_ms = 0;

	for (size_t i = 0; i < ARRAY_SIZE(lives); i++) {
		last_ms = backoff_of_process(last_ms, lives[i].lived_ms);
		ck_assert_msg(last_ms == lives[i].delay_ms, "life %zu: a delay of %lld ms", i,
		              (long long)last_ms);
	}
} END_TEST

/* ---- pace --------------------------------------------------------------- */

#define DONE_MAX 4000

static int64_t done_ms[DONE_MAX];
static size_t n_done;

static const struct { int64_t each, burst; size_t pause; } paces[] = {
	{ 5, 1, 3 }, { 5, 4, 3 }, { 5, 4, 100 }, { 1000, 1, 700 }, { 1000, 3, 700 }, { 1, 2, 2 },
	{ 7, 64, 30 },
};

static void note(int64_t at_ms)
{
	ck_assert_uint_lt(n_done, DONE_MAX);
	done_ms[n_done++] = at_ms;
}

/* However the window is chosen that begins with one and ends with another. */
static void check_windows(int64_t each, int64_t burst)
{
	ck_assert_uint_gt(n_done, (size_t)burst);
	for (size_t from = 0; from < n_done; from++)
		for (size_t to = from; to < n_done && to < from + 300; to++)
			if ((int64_t)(to - from) + 1 > burst + (done_ms[to] - done_ms[from]) / each)
				ck_abort_msg("too many from %zu to %zu", from, to);
}

/* Random pauses; at each time as many are done as may be. */
START_TEST(no_more_than_a_burst_and_the_pace_in_any_time)
{
	struct pace p = { .each_ms = paces[_i].each, .burst = paces[_i].burst };
	int64_t now_ms = 1000000;

	srandom(7);
	while (n_done < 1000) {
		now_ms += random() % (long)paces[_i].pause;
		for (long n = random() % 200; n > 0 && pace_wait(&p, now_ms) == 0; n--) {
			pace_count(&p, now_ms);
			note(now_ms);
		}
	}
	check_windows(p.each_ms, p.burst);
} END_TEST

/* Who counts first and waits then, keeps to it as well. */
START_TEST(what_is_counted_before_its_time_takes_its_place)
{
	struct pace p = { .each_ms = paces[_i].each, .burst = paces[_i].burst };
	int64_t now_ms = 0, last_ms = 0;

	srandom(11);
	while (n_done < 1000) {
		now_ms += random() % (long)paces[_i].pause;
		ck_assert_int_ge(now_ms + pace_wait(&p, now_ms), last_ms);
		last_ms = now_ms + pace_wait(&p, now_ms);
		note(last_ms);
		pace_count(&p, now_ms);
	}
	check_windows(p.each_ms, p.burst);
} END_TEST

/* It is not more patient than it has to be. */
START_TEST(the_wait_is_exact)
{
	struct pace p = { .each_ms = 10, .burst = 3 };

	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(pace_wait(&p, 500), 0);
		pace_count(&p, 500);
	}
	ck_assert_int_eq(pace_wait(&p, 500), 10);
	ck_assert_int_eq(pace_wait(&p, 509), 1);
	ck_assert_int_eq(pace_wait(&p, 510), 0);
	pace_count(&p, 510);
	ck_assert_int_eq(pace_wait(&p, 510), 10);
	ck_assert_int_eq(pace_wait(&p, 530), 0);
	pace_count(&p, 530);
	ck_assert_int_eq(pace_wait(&p, 530), 0);        /* two had been due */
	pace_count(&p, 530);
	ck_assert_int_eq(pace_wait(&p, 530), 10);
} END_TEST

/* Time without any is not saved up. */
START_TEST(after_a_long_rest_there_is_one_burst)
{
	struct pace p = { .each_ms = 10, .burst = 3 };
	int n = 0;

	for (int64_t now_ms = 0; now_ms < 1000; now_ms += 10)
		if (pace_wait(&p, now_ms) == 0)
			pace_count(&p, now_ms);
	for (; pace_wait(&p, 100000) == 0; n++)
		pace_count(&p, 100000);
	ck_assert_int_eq(n, 3);
} END_TEST

int main(void)
{
	Suite *s = suite_create("backoff");
	TCase *tc = unit_case(s, "backoff", NULL, NULL);

	tcase_add_loop_test(tc, a_delay_doubles_up_to_the_longest, 0, (int)ARRAY_SIZE(delays));
	tcase_add_test(tc, a_process_that_dies_young_is_replaced_later_each_time);
	tc = unit_case(s, "pace", NULL, NULL);
	tcase_add_loop_test(tc, no_more_than_a_burst_and_the_pace_in_any_time, 0,
	                    (int)ARRAY_SIZE(paces));
	tcase_add_loop_test(tc, what_is_counted_before_its_time_takes_its_place, 0,
	                    (int)ARRAY_SIZE(paces));
	tcase_add_test(tc, the_wait_is_exact);
	tcase_add_test(tc, after_a_long_rest_there_is_one_burst);
	return unit_run(s);
}
