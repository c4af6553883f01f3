/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How much a worker may say before it counts as broken.
 */
#include <config.h>
#include "word_meter.h"

#include "unit.h"

static struct word_meter meter;
static char text[WORD_METER_TEXT];

static void begin(void)
{
	meter = (struct word_meter){ 0 };
}

static bool say_many(int n, enum leash_word word, int64_t now_ms)
{
	while (n-- > 0)
		if (!word_meter_count(&meter, word, now_ms))
			return false;
	return true;
}

START_TEST(a_burst_is_borne_and_one_word_more_is_not)
{
	ck_assert(say_many(WORD_METER_BURST, LEASH_LOOK, 7));
	ck_assert(!say_many(1, LEASH_LOOK, 7));
} END_TEST

START_TEST(a_rate_is_borne_for_ever_and_twice_that_is_not)
{
	int64_t ms = 0;

	for (; ms < 100000; ms += 1000)
		ck_assert(say_many(WORD_METER_RATE, LEASH_SLOTS, ms));
	while (ms < 200000 && say_many(2 * WORD_METER_RATE, LEASH_SLOTS, ms))
		ms += 1000;
	ck_assert_int_lt(ms, 200000);
} END_TEST

/* A clock that began a moment ago is as good as any. */
START_TEST(words_that_come_seldom_are_forgotten)
{
	for (int64_t ms = 0; ms < 1000; ms += 50)
		ck_assert(say_many(1, LEASH_LOOK, ms));
	word_meter_count(&meter, LEASH_RETIRE, 1000);
	word_meter_describe(&meter, 1500, text);
	ck_assert_str_eq(text, "1 words over the leash in 0.500 s (RETIRE 1)");
} END_TEST

START_TEST(it_tells_what_was_said)
{
	say_many(3, LEASH_LOOK, 100);
	say_many(2, LEASH_KICK, 100);
	word_meter_count(&meter, (enum leash_word)LEASH_WORDS, 100);
	word_meter_count(&meter, (enum leash_word)-1, 101);
	word_meter_describe(&meter, 101, text);
	ck_assert_str_eq(text, "7 words over the leash in 0.001 s (LOOK 3, KICK 2, ? 2)");
} END_TEST

int main(void)
{
	Suite *s = suite_create("word_meter");
	TCase *tc = unit_case(s, "word_meter", begin, NULL);

	tcase_add_test(tc, a_burst_is_borne_and_one_word_more_is_not);
	tcase_add_test(tc, a_rate_is_borne_for_ever_and_twice_that_is_not);
	tcase_add_test(tc, words_that_come_seldom_are_forgotten);
	tcase_add_test(tc, it_tells_what_was_said);
	return unit_run(s);
}
