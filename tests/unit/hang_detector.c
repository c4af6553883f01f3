/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Looks at a worker, one after the other, and what each comes to. Time is what
 * the test says it is.
 */
#include <config.h>
#include "hang_detector.h"

#include "unit.h"

#define HANG_MS  8000
#define STEP_MS  1000                   /* hang_detector_interval(HANG_MS) */

/*
 * In each look: '.' fine, 'p' a ping, '!' it hangs, and then the row is over.
 * turns says what the worker does between the look before and this one: '-'
 * nothing, 't' it turns, 'a' it answers if it was pinged, 'P' the same after a
 * pause of an hour, in which no process ran.
 */
static const struct { const char *name, *turns, *verdicts; } rows[] = {
	{ "a busy loop is left alone",              "tttttttttttt",   "............" },
	{ "an idle one is pinged, and answers",     "aaaaaaaaaaaa",   "pppppppppppp" },
	{ "one that stands still hangs in time",    "----------",     "p.......!" },
	{ "one that stands still after it turned",  "ttt----------",  "...p.......!" },
	{ "an answer just in time is one",          "--------t---",   "p........p.." },
	{ "a pause counts as one look",             "aPaPaPaPaPaP",   "pppppppppppp" },
	{ "a pause before a slow answer",           "aP---------",    "pp.......!" },
};

static enum hang_verdict verdict_of(char c)
{
	return c == 'p' ? HANG_PING : c == '!' ? HANG_FOUND : HANG_NONE;
}

START_TEST(looks_come_to_verdicts)
{
	struct hang_detector d = { 0 };
	int64_t now_ms = 100000, turn_ms = 0;
	enum hang_verdict v = HANG_NONE;

	for (int i = 0; rows[_i].turns[i] && v != HANG_FOUND; i++) {
		const char turn = rows[_i].turns[i];
		const char want = rows[_i].verdicts[i];

		if (v == HANG_PING && (turn == 'a' || turn == 'P'))
			turn_ms = now_ms + 1;
		now_ms += turn == 'P' ? 3600 * 1000 : STEP_MS;
		if (turn == 't')
			turn_ms = now_ms - STEP_MS / 10;
		v = hang_detector_look(&d, turn_ms, now_ms, HANG_MS);
		ck_assert_msg(v == verdict_of(want), "%s: look %d is %d", rows[_i].name, i, v);
	}
	if (v == HANG_FOUND)
		ck_assert_int_eq(hang_detector_still_ms(&d, HANG_MS), HANG_MS);
} END_TEST

static const int64_t times[] = { 1, 9, 10, 79, 80, 81, 200, 999, 30000, 39999, 40001, 3600000 };

/* From a ping to the verdict it is never less than hang_timeout, and at most one look more. */
START_TEST(whatever_the_time_it_is_kept)
{
	const int64_t step = hang_detector_interval(times[_i]);
	struct hang_detector d = { 0 };
	int64_t waited = 0;

	ck_assert(step >= 10 && step <= 5000);
	ck_assert_int_eq(hang_detector_look(&d, 5, 50000, times[_i]), HANG_PING);
	do
		waited += step;
	while (hang_detector_look(&d, 5, 50000 + waited, times[_i]) != HANG_FOUND);
	ck_assert_int_ge(waited, times[_i]);
	ck_assert_int_lt(waited, times[_i] + step);
	ck_assert_int_eq(waited, hang_detector_still_ms(&d, times[_i]));
} END_TEST

START_TEST(it_stands_still_before_it_hangs)
{
	struct hang_detector d = { 0 };

	ck_assert(!hang_detector_stands_still(&d, 0));
	ck_assert_int_eq(hang_detector_look(&d, 5, 50000, HANG_MS), HANG_PING);
	ck_assert(!hang_detector_stands_still(&d, 5));
	hang_detector_look(&d, 5, 50000 + STEP_MS, HANG_MS);
	ck_assert(!hang_detector_stands_still(&d, 5));
	hang_detector_look(&d, 5, 50000 + 2 * STEP_MS, HANG_MS);
	ck_assert(hang_detector_stands_still(&d, 5));
	ck_assert(!hang_detector_stands_still(&d, 52100));      /* it has turned since that look */
	hang_detector_look(&d, 52100, 50000 + 3 * STEP_MS, HANG_MS);
	ck_assert(!hang_detector_stands_still(&d, 52100));
} END_TEST

static const int64_t lies[] = { 0, -1, INT64_MIN + 200000, 100000, INT64_MAX };

/* What stands on the board is the worker's word. */
START_TEST(a_worker_that_lies_hurts_only_itself)
{
	struct hang_detector d = { 0 };
	enum hang_verdict v = HANG_NONE;

	for (int64_t now_ms = 100000; now_ms < 200000; now_ms += STEP_MS)
		v = hang_detector_look(&d, lies[_i], now_ms, HANG_MS);
	ck_assert_int_eq(v, lies[_i] == INT64_MAX ? HANG_NONE : HANG_FOUND);
} END_TEST

int main(void)
{
	Suite *s = suite_create("hang_detector");
	TCase *tc = unit_case(s, "hang_detector", NULL, NULL);

	tcase_add_loop_test(tc, looks_come_to_verdicts, 0, ARRAY_SIZE(rows));
	tcase_add_loop_test(tc, whatever_the_time_it_is_kept, 0, ARRAY_SIZE(times));
	tcase_add_test(tc, it_stands_still_before_it_hangs);
	tcase_add_loop_test(tc, a_worker_that_lies_hurts_only_itself, 0, ARRAY_SIZE(lies));
	return unit_run(s);
}
