/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is logged of programs that end one after the other, and what is counted.
 * Time is turned by hand.
 */
#include <config.h>
#include "stderr_repeat.h"

#include <stdio.h>

#include "log.h"
#include "log_sink.h"
#include "text.h"
#include "unit.h"

static struct stderr_repeat repeat;
static struct stderr_words words, others;
static struct log_sink *sink;
static int64_t now_ms;
static char logged[64 * 1024];          /* since it was looked at last */

static void note(void *arg, const char *line, size_t len)
{
	const size_t before = strlen(logged);

	ck_assert_ptr_eq(arg, &repeat);
	snprintf(logged + before, sizeof logged - before, "%.*s\n", (int)len, line);
}

static void set_up(void)
{
	unit_enter_folder();
	sink = log_sink_open(LOG_TARGET_FILE, "log", LOG_FORMAT_TEXT);
	log_use(sink, LOG_LEVEL_INFO);
	repeat = (struct stderr_repeat){ .service = "test" };
	words = others = (struct stderr_words){ .log = note, .arg = &repeat };
	logged[0] = '\0';
	now_ms = 5;
}

static void tear_down(void)
{
	stderr_words_pass(&words);
	stderr_words_pass(&others);
	stderr_repeat_fini(&repeat);
	log_use(NULL, LOG_LEVEL_ERROR);
	log_sink_close(&sink);
	unit_leave_folder();
}

static void expect(const char *text)
{
	ck_assert_str_eq(logged, text);
	logged[0] = '\0';
}

static void say(struct stderr_words *w, const char *line)
{
	stderr_words_add(w, &repeat, line, strlen(line));
}

static void say_lines(struct stderr_words *w, const char *lines)
{
	for (const char *lf; (lf = strchr(lines, '\n')); lines = lf + 1)
		stderr_words_add(w, &repeat, lines, (size_t)(lf - lines));
}

/* One that says this and ends. */
static void die(const char *lines)
{
	stderr_words_begin(&words);
	say_lines(&words, lines);
	stderr_words_end(&words, &repeat, now_ms);
}

/* How often it was logged that there were n more. */
static size_t told(int n)
{
	char line[128];
	size_t sum = 0;

	snprintf(line, sizeof line, "test: programs that ended with the same words on standard error: %d more\n", n);
	for (const char *p = unit_read_file("log"); (p = strstr(p, line)); p++)
		sum++;
	return sum;
}

#define TRACEBACK "Traceback\n  line 1\nImportError\n"

START_TEST(the_first_is_logged_and_the_others_are_counted)
{
	die(TRACEBACK);
	expect(TRACEBACK);
	for (int i = 0; i < 9; i++)
		die(TRACEBACK);
	expect("");
	for (int n = 1; n < 10; n++)
		ck_assert_uint_eq(told(n), n == 1 || n == 2 || n == 4 || n == 8);
	stderr_repeat_fini(&repeat);
	ck_assert_uint_eq(told(9), 1);
} END_TEST

START_TEST(it_is_logged_in_full_again_later_and_later)
{
	int64_t delay_ms = STDERR_REPEAT_FULL_MS;

	die(TRACEBACK);
	expect(TRACEBACK);
	for (int i = 0; i < 10; i++) {
		now_ms += delay_ms - 1;
		die(TRACEBACK);
		expect("");
		now_ms++;
		die(TRACEBACK);
		expect(TRACEBACK);
		delay_ms = 2 * delay_ms < STDERR_REPEAT_FULL_MAX_MS ? 2 * delay_ms : STDERR_REPEAT_FULL_MAX_MS;
	}
} END_TEST

static const struct { const char *name, *says; } different[] = {
	{ "from its first line on",          "Fatal\n  line 1\nImportError\n" },
	{ "in its last line",                "Traceback\n  line 1\nKeyError\n" },
	{ "as it stops earlier",             "Traceback\n  line 1\n" },
	{ "as it goes on",                   TRACEBACK "and more\n" },
	{ "as a line is longer",             "Traceback\n  line 12\nImportError\n" },
	{ "as two lines are one",            "Traceback  line 1\nImportError\n" },
	{ "and has an empty line",           "Traceback\n\n" },
};

START_TEST(what_differs_is_logged_in_full_and_is_the_new_one)
{
	die(TRACEBACK);
	die(TRACEBACK);
	die(TRACEBACK);
	die(TRACEBACK);
	expect(TRACEBACK);
	die(different[_i].says);
	expect(different[_i].says);
	ck_assert_uint_eq(told(3), 1);
	die(different[_i].says);
	expect("");
	die(TRACEBACK);
	expect(TRACEBACK);
} END_TEST

/* It shows at once, not when the program ends. */
START_TEST(lines_are_held_back_until_one_differs)
{
	die(TRACEBACK);
	expect(TRACEBACK);
	stderr_words_begin(&words);
	say_lines(&words, "Traceback\n  line 1\n");
	expect("");
	say(&words, "KeyError");
	expect("Traceback\n  line 1\nKeyError\n");
	say(&words, "and more");
	expect("and more\n");
} END_TEST

START_TEST(one_that_is_of_use_says_all_that_it_has_said)
{
	die(TRACEBACK);
	expect(TRACEBACK);
	stderr_words_begin(&words);
	say_lines(&words, "Traceback\n  line 1\n");
	stderr_words_pass(&words);
	expect("Traceback\n  line 1\n");
	say(&words, "ImportError");
	expect("ImportError\n");
	stderr_words_end(&words, &repeat, now_ms);
	expect("");
	die(TRACEBACK);                 /* which is compared with the one that was of no use */
	expect("");
} END_TEST

START_TEST(one_that_is_not_on_trial_is_logged_and_compared_with_nothing)
{
	say_lines(&words, TRACEBACK);
	expect(TRACEBACK);
	stderr_words_end(&words, &repeat, now_ms);
	die(TRACEBACK);
	expect(TRACEBACK);
} END_TEST

START_TEST(one_that_ends_without_a_word_changes_nothing)
{
	die(TRACEBACK);
	die("");
	die(TRACEBACK);
	expect(TRACEBACK);
	ck_assert_uint_eq(told(1), 1);
} END_TEST

/* What the second is compared with changes while it speaks. */
START_TEST(another_may_end_meanwhile)
{
	die(TRACEBACK);
	expect(TRACEBACK);
	stderr_words_begin(&others);
	say(&others, "Traceback");
	die("Fatal\n");
	expect("Fatal\n");
	say(&others, "  line 1");
	expect("Traceback\n  line 1\n");
	stderr_words_end(&others, &repeat, now_ms);
	die("Traceback\n  line 1\n");
	expect("");
} END_TEST

START_TEST(what_is_too_long_to_be_compared_is_logged_each_time)
{
	char line[1001];
	int n = 0;

	memset(line, 'x', 1000);
	line[1000] = '\0';
	for (int i = 0; i < 3; i++) {
		stderr_words_begin(&words);
		for (n = 0; n * 1000 <= STDERR_REPEAT_MAX; n++)
			say(&words, line);
		stderr_words_end(&words, &repeat, now_ms);
		ck_assert_uint_eq(strlen(logged), (size_t)n * 1001);
		logged[0] = '\0';
	}
} END_TEST

int main(void)
{
	Suite *s = suite_create("stderr_repeat");
	TCase *tc = unit_case(s, "repeat", set_up, tear_down);

	tcase_add_test(tc, the_first_is_logged_and_the_others_are_counted);
	tcase_add_test(tc, it_is_logged_in_full_again_later_and_later);
	tcase_add_loop_test(tc, what_differs_is_logged_in_full_and_is_the_new_one, 0, ARRAY_SIZE(different));
	tcase_add_test(tc, lines_are_held_back_until_one_differs);
	tcase_add_test(tc, one_that_is_of_use_says_all_that_it_has_said);
	tcase_add_test(tc, one_that_is_not_on_trial_is_logged_and_compared_with_nothing);
	tcase_add_test(tc, one_that_ends_without_a_word_changes_nothing);
	tcase_add_test(tc, another_may_end_meanwhile);
	tcase_add_test(tc, what_is_too_long_to_be_compared_is_logged_each_time);
	return unit_run(s);
}
