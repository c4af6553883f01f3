/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which sources are blocked for which crashes: crashes, orders and ends at times, and the blocks
 * that follow.
 */
#include <config.h>
#include "poison.h"

#include "clock.h"
#include "unit.h"

#define STEPS_MAX 24
#define S         INT64_C(1000)

static const struct conf_poison rule = {
	.on = true, .crashes = 3, .within = 60 * S, .block = 90 * S, .block_max = 600 * S,
};

enum what { CRASH, EXEMPT, LIFT };

/* Something happens at a time. Blocks that are over by then have been ended before. */
struct step {
	int64_t             at_ms;
	enum what           what;
	char                source;             /* 'a', 'b', ... */
	enum poison_verdict want;               /* of a crash */
	int64_t             block_ms;           /* BLOCKED: how long; else not looked at */
};

#define NOTED(at, who)          { (at) * S, CRASH, who, POISON_NOTED, 0 }
#define BLOCKED(at, who, block) { (at) * S, CRASH, who, POISON_BLOCKED, (block) * S }
#define SPREAD(at, who)         { (at) * S, CRASH, who, POISON_IS_SPREAD, 0 }
#define EXEMPTED(at, who)       { (at) * S, EXEMPT, who, POISON_NOTED, 0 }
#define LIFTED(at, who)         { (at) * S, LIFT, who, POISON_NOTED, 0 }

static const struct row {
	const char *name;
	struct step steps[STEPS_MAX];           /* to the first at 0 */
} rows[] = {
	{ "one crash is an accident", { NOTED(100, 'a') } },
	{ "so are two", { NOTED(100, 'a'), NOTED(101, 'a') } },
	{ "the third one blocks", { NOTED(100, 'a'), NOTED(101, 'a'), BLOCKED(102, 'a', 90) } },
	{ "also all at once", { NOTED(100, 'a'), NOTED(100, 'a'), BLOCKED(100, 'a', 90) } },
	{ "within the time, to its end", { NOTED(100, 'a'), NOTED(101, 'a'), BLOCKED(160, 'a', 90) } },
	{ "and not later", { NOTED(100, 'a'), NOTED(101, 'a'), NOTED(161, 'a'), NOTED(162, 'a') } },
	{ "the time is that of the last three",
	  { NOTED(100, 'a'), NOTED(150, 'a'), NOTED(165, 'a'), NOTED(211, 'a'), BLOCKED(220, 'a', 90) } },
	{ "each source has its own count",
	  { NOTED(100, 'a'), NOTED(101, 'b'), NOTED(102, 'a'), NOTED(103, 'b'), BLOCKED(104, 'b', 90),
	    BLOCKED(105, 'a', 90) } },
	{ "crashes of a source that is blocked change nothing",
	  { NOTED(100, 'a'), NOTED(101, 'a'), BLOCKED(102, 'a', 90), NOTED(103, 'a'), NOTED(104, 'a'),
	    NOTED(105, 'a') } },
	{ "nor do they count when its block is over",
	  { NOTED(100, 'a'), NOTED(101, 'a'), BLOCKED(102, 'a', 90), NOTED(190, 'a'), NOTED(191, 'a'),
	    NOTED(192, 'a'), NOTED(193, 'a'), BLOCKED(194, 'a', 180) } },
	{ "after a block it begins with no crashes, and the next one is twice as long",
	  { NOTED(100, 'a'), NOTED(101, 'a'), BLOCKED(102, 'a', 90), NOTED(192, 'a'), NOTED(193, 'a'),
	    BLOCKED(194, 'a', 180) } },
	{ "up to the longest",
	  { NOTED(100, 'a'), NOTED(100, 'a'), BLOCKED(100, 'a', 90),
	    NOTED(190, 'a'), NOTED(190, 'a'), BLOCKED(190, 'a', 180),
	    NOTED(370, 'a'), NOTED(370, 'a'), BLOCKED(370, 'a', 360),
	    NOTED(730, 'a'), NOTED(730, 'a'), BLOCKED(730, 'a', 600),
	    NOTED(1330, 'a'), NOTED(1330, 'a'), BLOCKED(1330, 'a', 600) } },
	{ "block_max after its end, it is still twice as long",
	  { NOTED(100, 'a'), NOTED(100, 'a'), BLOCKED(100, 'a', 90),
	    NOTED(790, 'a'), NOTED(790, 'a'), BLOCKED(790, 'a', 180) } },
	{ "later, that is forgotten",
	  { NOTED(100, 'a'), NOTED(100, 'a'), BLOCKED(100, 'a', 90),
	    NOTED(790, 'a'), NOTED(791, 'a'), BLOCKED(791, 'a', 90) } },
	{ "an order lifts a block: it begins with no crashes",
	  { NOTED(100, 'a'), NOTED(100, 'a'), BLOCKED(100, 'a', 90), LIFTED(110, 'a'), NOTED(111, 'a'),
	    NOTED(112, 'a'), BLOCKED(113, 'a', 180) } },
	{ "and the time until it is forgotten counts from the order",
	  { NOTED(100, 'a'), NOTED(100, 'a'), BLOCKED(100, 'a', 90), LIFTED(110, 'a'), NOTED(700, 'a'),
	    NOTED(711, 'a'), BLOCKED(711, 'a', 90) } },
	{ "crashes from three sources block nobody",
	  { NOTED(100, 'a'), NOTED(101, 'b'), NOTED(102, 'c'), NOTED(103, 'a'), SPREAD(104, 'a'),
	    NOTED(105, 'b'), NOTED(106, 'b'), NOTED(107, 'c'), NOTED(108, 'a') } },
	{ "from two, they do",
	  { NOTED(100, 'a'), NOTED(101, 'b'), NOTED(103, 'a'), BLOCKED(104, 'a', 90) } },
	{ "a source whose crashes are too old is none of the three",
	  { NOTED(100, 'c'), NOTED(130, 'a'), NOTED(131, 'b'), NOTED(132, 'a'), BLOCKED(161, 'a', 90) } },
	{ "to the moment",
	  { NOTED(100, 'c'), NOTED(130, 'a'), NOTED(131, 'b'), NOTED(132, 'a'), SPREAD(160, 'a') } },
	{ "a source that is blocked is one of the three, and stays blocked",
	  { NOTED(100, 'a'), NOTED(100, 'a'), BLOCKED(100, 'a', 90), NOTED(101, 'b'), NOTED(101, 'c'),
	    NOTED(101, 'b'), SPREAD(101, 'b'), NOTED(102, 'a'), NOTED(170, 'b'), NOTED(171, 'b'),
	    BLOCKED(172, 'b', 90) } },
	{ "one whose block was lifted is not",
	  { NOTED(100, 'a'), NOTED(100, 'a'), BLOCKED(100, 'a', 90), LIFTED(101, 'a'), NOTED(101, 'b'),
	    NOTED(101, 'c'), NOTED(101, 'b'), BLOCKED(101, 'b', 90) } },
	{ "that it is spread is said again when there was a pause",
	  { NOTED(100, 'a'), NOTED(100, 'b'), NOTED(100, 'c'), NOTED(101, 'a'), SPREAD(102, 'a'),
	    NOTED(103, 'a'), NOTED(163, 'a'), NOTED(200, 'a'), NOTED(200, 'b'), NOTED(200, 'c'),
	    SPREAD(201, 'a') } },
	{ "an exempt source is never blocked",
	  { EXEMPTED(100, 'a'), EXEMPTED(100, 'a'), EXEMPTED(100, 'a'), EXEMPTED(100, 'a') } },
	{ "but is one of the three",
	  { EXEMPTED(100, 'a'), NOTED(100, 'b'), NOTED(100, 'c'), NOTED(100, 'c'), SPREAD(100, 'c') } },
	{ "a clock that has just begun",
	  { { 1, CRASH, 'a', POISON_NOTED, 0 }, { 2, CRASH, 'a', POISON_NOTED, 0 },
	    { 3, CRASH, 'a', POISON_BLOCKED, 90 * S } } },
};

static struct poison poison;

static struct source_id source_of(unsigned n)
{
	const struct endpoint e = { .family = AF_INET, .ip = { 10, (uint8_t)(n >> 8), (uint8_t)n, 1 } };

	return source_id_of(&e, 0, 32, 64);
}

static size_t crash_at(unsigned source, int64_t now_ms, bool is_exempt, enum poison_verdict *got)
{
	const struct source_id id = source_of(source);
	size_t place;

	*got = poison_note(&poison, &rule, &id, is_exempt, now_ms, &place);
	return place;
}

static size_t place_of(unsigned source)
{
	const struct source_id id = source_of(source);

	for (size_t i = 0; i < POISON_SOURCES; i++)
		if (source_id_equal(&poison.sources[i].source, &id))
			return i;
	ck_abort_msg("source %u is not there", source);
}

static void end_blocks(int64_t now_ms)
{
	size_t place;

	while ((place = poison_find_ended(&poison, now_ms)) != POISON_SOURCES)
		poison_end(&poison, place, poison.sources[place].until_ms);
}

static void set_up(void)
{
	poison = (struct poison){ .spread_ms = 0 };
}

static void check_crash(const struct row *row, const struct step *s)
{
	enum poison_verdict got;
	const size_t place = crash_at((unsigned)s->source, s->at_ms, s->what == EXEMPT, &got);
	const struct poison_source *of = &poison.sources[place];

	ck_assert_msg(got == s->want, "%s: step %td gives %d", row->name, s - row->steps + 1, got);
	if (got == POISON_BLOCKED)
		ck_assert_msg(of->since_ms == s->at_ms && of->until_ms == s->at_ms + s->block_ms,
		              "%s: step %td blocks for %lld ms", row->name, s - row->steps + 1,
		              (long long)(of->until_ms - of->since_ms));
}

START_TEST(crashes_and_the_blocks_that_follow)
{
	const struct row *row = &rows[_i];

	for (const struct step *s = row->steps; s->at_ms != 0; s++) {
		end_blocks(s->at_ms);
		if (s->what == LIFT)
			poison_end(&poison, place_of((unsigned)s->source), s->at_ms);
		else
			check_crash(row, s);
	}
} END_TEST

static void block(unsigned source, int64_t now_ms)
{
	enum poison_verdict got = POISON_NOTED;

	for (int i = 0; i < rule.crashes; i++)
		crash_at(source, now_ms, false, &got);
	ck_assert_int_eq(got, POISON_BLOCKED);
}

START_TEST(the_crashes_of_a_block_are_those_within_the_time_and_those_since)
{
	enum poison_verdict got;

	crash_at('a', 10 * S, false, &got);
	block('a', 100 * S);
	ck_assert_int_eq(poison.sources[place_of('a')].counted, 3);
	crash_at('a', 101 * S, false, &got);
	ck_assert_int_eq(poison.sources[place_of('a')].counted, 4);
	poison_end(&poison, place_of('a'), 110 * S);
	ck_assert_int_eq(poison.sources[place_of('a')].counted, 0);
} END_TEST

START_TEST(the_next_end_is_that_of_the_first_block)
{
	ck_assert_int_eq(poison_next_ms(&poison), CLOCK_NEVER);
	block('a', 100 * S);
	block('b', 101 * S);
	ck_assert_int_eq(poison_next_ms(&poison), 190 * S);
	ck_assert_uint_eq(poison_find_ended(&poison, 190 * S - 1), POISON_SOURCES);
	ck_assert_uint_eq(poison_find_ended(&poison, 190 * S), place_of('a'));
	poison_end(&poison, place_of('a'), 190 * S);
	ck_assert_int_eq(poison_next_ms(&poison), 191 * S);
	ck_assert_uint_eq(poison_find_ended(&poison, 190 * S), POISON_SOURCES);
} END_TEST

START_TEST(the_source_that_was_quiet_for_the_longest_time_is_forgotten)
{
	const struct source_id gone = source_of(2);
	enum poison_verdict got;

	block(0, S);
	for (unsigned i = 1; i < POISON_SOURCES; i++)
		crash_at(i, (10 + i) * S, false, &got);
	crash_at(1, 500 * S, false, &got);              /* now 2 is the oldest that is not blocked */
	crash_at(1000, 501 * S, false, &got);
	ck_assert(poison_is_blocked(&poison.sources[place_of(0)]));
	place_of(1), place_of(3), place_of(1000);
	for (size_t i = 0; i < POISON_SOURCES; i++)
		ck_assert(!source_id_equal(&poison.sources[i].source, &gone));
} END_TEST

START_TEST(a_crash_is_not_noted_where_all_are_blocked)
{
	enum poison_verdict got;

	for (unsigned i = 0; i < POISON_SOURCES; i++)
		block(i, i * 61 * S + S);               /* as if block_max were longer */
	ck_assert_uint_eq(crash_at(1000, 10000 * S, false, &got), POISON_SOURCES);
	ck_assert_int_eq(got, POISON_NOTED);
	poison_end(&poison, 7, 10000 * S);
	ck_assert_uint_eq(crash_at(1000, 10000 * S, false, &got), 7);
} END_TEST

START_TEST(the_longest_block_is_kept_however_long_it_is)
{
	const struct conf_poison vast = { .crashes = 1, .within = 1, .block = 1, .block_max = INT64_MAX / 4 };
	const struct source_id id = source_of(1);
	int64_t last = 0;
	size_t place;

	for (int i = 0; i < 100; i++) {
		const struct poison_source *s;

		ck_assert_int_eq(poison_note(&poison, &vast, &id, false, 100 * S, &place), POISON_BLOCKED);
		s = &poison.sources[place];
		ck_assert_int_ge(s->block_ms, last);
		ck_assert_int_le(s->block_ms, vast.block_max);
		last = s->block_ms;
		poison_end(&poison, place, 100 * S);
	}
	ck_assert_int_eq(last, vast.block_max);
} END_TEST

START_TEST(a_history_is_restored_and_nonsense_is_not)
{
	struct poison_source good, bad;
	struct poison next = { .spread_ms = 0 };
	size_t place;
	enum poison_verdict got;

	block('a', 100 * S);
	crash_at('b', 101 * S, false, &got);
	good = poison.sources[place_of('a')];
	ck_assert(poison_restore(&next, 7, &good));
	ck_assert(!poison_restore(&next, 8, &good));                    /* it is there already */
	ck_assert(!poison_restore(&next, 7, &poison.sources[place_of('b')]));   /* the place is taken */
	ck_assert(!poison_restore(&next, POISON_SOURCES, &poison.sources[place_of('b')]));
	ck_assert(poison_restore(&next, 8, &poison.sources[place_of('b')]));
	bad = good, bad.source = source_of('c'), bad.n_crashes = CONF_POISON_CRASHES_MAX + 1;
	ck_assert(!poison_restore(&next, 9, &bad));
	bad.n_crashes = -1;
	ck_assert(!poison_restore(&next, 9, &bad));
	bad.n_crashes = 2, bad.crashes_ms[1] = bad.crashes_ms[0] + 1;
	ck_assert(!poison_restore(&next, 9, &bad));
	bad.n_crashes = 0, bad.block_ms = 0;
	ck_assert(!poison_restore(&next, 9, &bad));
	bad.block_ms = 1, bad.since_ms = bad.until_ms + 1;
	ck_assert(!poison_restore(&next, 9, &bad));
	ck_assert(!poison_restore(&next, 9, &(struct poison_source){ .n_crashes = 1 }));
	ck_assert_int_eq(poison_next_ms(&next), 190 * S);
	poison_end(&next, 7, 190 * S);
	/* The next block is twice as long there, too. */
	for (int i = 0; i < rule.crashes; i++)
		got = poison_note(&next, &rule, &good.source, false, 200 * S, &place);
	ck_assert_int_eq(got, POISON_BLOCKED);
	ck_assert_int_eq(next.sources[place].block_ms, 180 * S);
} END_TEST

int main(void)
{
	Suite *s = suite_create("poison");
	TCase *tc = unit_case(s, "poison", set_up, NULL);

	tcase_add_loop_test(tc, crashes_and_the_blocks_that_follow, 0, ARRAY_SIZE(rows));
	tcase_add_test(tc, the_crashes_of_a_block_are_those_within_the_time_and_those_since);
	tcase_add_test(tc, the_next_end_is_that_of_the_first_block);
	tcase_add_test(tc, the_source_that_was_quiet_for_the_longest_time_is_forgotten);
	tcase_add_test(tc, a_crash_is_not_noted_where_all_are_blocked);
	tcase_add_test(tc, the_longest_block_is_kept_however_long_it_is);
	tcase_add_test(tc, a_history_is_restored_and_nonsense_is_not);
	return unit_run(s);
}
