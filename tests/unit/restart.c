/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How soon a dead worker is replaced: deaths at times, and the delays they get.
 */
#include <config.h>
#include "restart.h"

#include "unit.h"

#define DEATHS_MAX 12
#define S          1000

static const struct conf_restart rule = {
	.burst = 3, .within = 10 * S, .delay_min = 1 * S, .delay_max = 10 * S,
};

struct death {
	int64_t at_ms, want_ms;
	bool    early;
};

#define EARLY(at, want) { at, want, true }

static const struct row {
	const char  *name;
	struct death deaths[DEATHS_MAX];        /* to the first at 0 */
} rows[] = {
	{ "the first one is replaced at once",
	  { { 100 * S, 0, false } } },
	{ "so is each of a burst",
	  { { 100 * S, 0, false }, { 101 * S, 0, false }, { 102 * S, 0, false } } },
	{ "all at one time is a burst, too",
	  { { 100 * S, 0, false }, { 100 * S, 0, false }, { 100 * S, 0, false } } },
	{ "one more than a burst waits",
	  { { 100 * S, 0, false }, { 101 * S, 0, false }, { 102 * S, 0, false },
	    { 103 * S, 1 * S, false } } },
	{ "then each waits twice as long, up to the longest",
	  { { 100 * S, 0, false }, { 101 * S, 0, false }, { 102 * S, 0, false },
	    { 103 * S, 1 * S, false }, { 104 * S, 2 * S, false }, { 105 * S, 4 * S, false },
	    { 106 * S, 8 * S, false }, { 107 * S, 10 * S, false }, { 108 * S, 10 * S, false } } },
	{ "who dies before it accepts waits at once",
	  { EARLY(100 * S, 1 * S), EARLY(101 * S, 2 * S), EARLY(103 * S, 4 * S) } },
	{ "now and then is no burst",
	  { { 100 * S, 0, false }, { 111 * S, 0, false }, { 122 * S, 0, false },
	    { 133 * S, 0, false }, { 144 * S, 0, false } } },
	{ "the burst counts from its first death",
	  { { 100 * S, 0, false }, { 104 * S, 0, false }, { 109 * S, 0, false },
	    { 110 * S, 1 * S, false } } },
	{ "and a new one begins after its time",
	  { { 100 * S, 0, false }, { 104 * S, 0, false }, { 109 * S, 0, false },
	    { 110 * S + 1, 0, false } } },
	{ "also where the machine has just started",
	  { { 9 * S, 0, false }, { 9 * S, 0, false }, { 11 * S, 0, false },
	    { 12 * S, 1 * S, false } } },
	{ "the delay is part of the calm: after both the next early death begins again",
	  { EARLY(100 * S, 1 * S), EARLY(101 * S, 2 * S), EARLY(113 * S + 1, 1 * S) } },
	{ "but not a moment sooner",
	  { EARLY(100 * S, 1 * S), EARLY(101 * S, 2 * S), EARLY(113 * S, 4 * S) } },
	{ "a worker that always dies when the longest delay is over does not speed up",
	  { EARLY(100 * S, 1 * S), EARLY(101 * S, 2 * S), EARLY(103 * S, 4 * S),
	    EARLY(107 * S, 8 * S), EARLY(115 * S, 10 * S), EARLY(125 * S, 10 * S),
	    EARLY(135 * S, 10 * S) } },
	{ "healed: after a long calm, a burst is free again",
	  { EARLY(100 * S, 1 * S), EARLY(101 * S, 2 * S), { 200 * S, 0, false },
	    { 201 * S, 0, false }, { 202 * S, 0, false }, { 203 * S, 1 * S, false } } },
	{ "a clock that has just begun",
	  { { 1, 0, false }, { 2, 0, false }, { 3, 0, false }, { 4, 1 * S, false } } },
};

START_TEST(deaths_and_their_delays)
{
	const struct row *row = &rows[_i];
	struct restart r = { 0 };

	for (const struct death *d = row->deaths; d->at_ms != 0; d++) {
		int64_t got = restart_after_death(&r, &rule, d->early, d->at_ms);

		ck_assert_msg(got == d->want_ms, "%s: death %td at %lld ms waits %lld ms", row->name,
		              d - row->deaths + 1, (long long)d->at_ms, (long long)got);
	}
} END_TEST

START_TEST(a_fixed_delay_does_not_grow)
{
	const struct conf_restart fixed = { .burst = 2, .within = S, .delay_min = 5, .delay_max = 5 };
	struct restart r = { 0 };

	for (int i = 0; i < 10; i++)
		ck_assert_int_eq(restart_after_death(&r, &fixed, true, 100 * S + i), 5);
} END_TEST

START_TEST(the_longest_delay_is_kept_however_long_it_is)
{
	const struct conf_restart vast = { .burst = 2, .within = S, .delay_min = 1,
	                                   .delay_max = INT64_MAX / 4 };
	struct restart r = { 0 };
	int64_t last = 0;

	for (int i = 0; i < 100; i++) {
		int64_t delay = restart_after_death(&r, &vast, true, 100 * S + i);

		ck_assert_int_ge(delay, last);
		ck_assert_int_le(delay, vast.delay_max);
		last = delay;
	}
	ck_assert_int_eq(last, vast.delay_max);
} END_TEST

int main(void)
{
	Suite *s = suite_create("restart");
	TCase *tc = unit_case(s, "restart", NULL, NULL);

	tcase_add_loop_test(tc, deaths_and_their_delays, 0, ARRAY_SIZE(rows));
	tcase_add_test(tc, a_fixed_delay_does_not_grow);
	tcase_add_test(tc, the_longest_delay_is_kept_however_long_it_is);
	return unit_run(s);
}
