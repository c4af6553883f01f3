/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Questions of the status process, with the test in place of the master: which are asked, when, and who
 * gets the answers. The clock is the test's.
 */
#include <config.h>
#include "facts.h"

#include <sys/socket.h>

#include "turned_loop.h"

#define WAITS 6

static struct leash master, ours;
static struct facts *facts;
static int answers;                     /* the master's end; -1: closed */
static int n_orphaned, fds_before;

/* One that waits; how often it has got an answer, and what it says of "n", or the text: -1 without an answer. */
static struct wait {
	struct fact_wait wait;
	int n_told;
	json_int_t n;
	char text[64];
} waits[WAITS];

static void on_told(struct fact_wait *w, const json_t *result)
{
	struct wait *me = container_of(w, struct wait, wait);

	me->n_told++;
	if (json_is_string(result)) {
		me->n = atoi(json_string_value(result));
		snprintf(me->text, sizeof me->text, "%s", json_string_value(result));
		return;
	}
	me->n = result ? json_integer_value(json_object_get(result, "n")) : -1;
}

static void on_orphaned(void *arg)
{
	ck_assert_ptr_eq(arg, &loop);
	n_orphaned++;
}

/* Returns the end that facts get. */
static int open_answers(void)
{
	int ends[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
	answers = ends[0];
	return ends[1];
}

static void lose_master(void)
{
	close(answers);
	answers = -1;
	turn();
}

static void set_up(void)
{
	unit_block_sigpipe();
	fds_before = unit_count_fds();
	open_turned_loop();
	n_orphaned = 0;
	memset(waits, 0, sizeof waits);
	for (size_t i = 0; i < WAITS; i++)
		waits[i].wait.ready = on_told;
	ck_assert_int_eq(leash_open(&master, &ours), 0);
	facts = facts_new(&loop, &ours, open_answers(), on_orphaned, &loop);
	ck_assert_ptr_nonnull(facts);
	turn();
}

static void tear_down(void)
{
	facts_free(&facts);
	ck_assert_ptr_null(facts);
	ck_assert_int_eq(timer_next(&loop.timers), CLOCK_NEVER);
	leash_close(&master);
	leash_close(&ours);
	loop_fini(&loop);
	if (answers != -1)
		close(answers);
	ck_assert_int_eq(unit_count_fds(), fds_before);
}

static void ask(size_t i, enum fact what)
{
	facts_ask(facts, what, &waits[i].wait);
}

/* The next question; -1: there is none. */
static int question(void)
{
	struct leash_message m;
	const enum leash_result result = leash_hear(&master, &m);

	if (result == LEASH_EMPTY)
		return -1;
	ck_assert_int_eq(result, LEASH_OK);
	ck_assert_int_eq(m.word, LEASH_FACTS);
	return (int)m.number;
}

static void say(const char *text)
{
	ck_assert_int_eq(send(answers, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
	turn();
}

static void answer(int n)
{
	char text[64];

	snprintf(text, sizeof text, "{\"ok\":true,\"result\":{\"n\":%d}}\n", n);
	say(text);
}

static void answer_text(int n)
{
	char text[64];

	snprintf(text, sizeof text, "%d", n);
	snprintf(text, sizeof text, "%zu\n%d", strlen(text), n);
	say(text);
}

static void expect_told(size_t i, int n_told, json_int_t n)
{
	ck_assert_int_eq(waits[i].n_told, n_told);
	if (n_told > 0)
		ck_assert_int_eq(waits[i].n, n);
}

/* ---- one kind ----------------------------------------------------------- */

START_TEST(those_who_ask_at_the_same_time_share_an_answer)
{
	for (size_t i = 0; i < 3; i++)
		ask(i, FACT_STATUS);
	ck_assert_int_eq(question(), FACT_STATUS);
	ck_assert_int_eq(question(), -1);
	expect_told(0, 0, 0);
	answer(7);
	for (size_t i = 0; i < 3; i++)
		expect_told(i, 1, 7);
	ck_assert_int_eq(question(), -1);
} END_TEST

START_TEST(an_answer_is_used_again_while_it_is_fresh_and_not_longer)
{
	ask(0, FACT_STATUS);
	question();
	answer(7);
	pass(FACTS_FRESH_MS - 1);
	ask(1, FACT_STATUS);
	expect_told(1, 1, 7);
	ck_assert_int_eq(question(), -1);
	now_ms++;
	loop.now_ms = now_ms;           /* before the loop has forgotten it */
	ask(2, FACT_STATUS);
	expect_told(2, 0, 0);
	ck_assert_int_eq(question(), FACT_STATUS);
	answer(8);
	expect_told(2, 1, 8);
} END_TEST

START_TEST(nothing_is_left_to_do_when_nobody_waits)
{
	ask(0, FACT_SNAPSHOT);
	question();
	answer(7);
	ck_assert_int_ne(timer_next(&loop.timers), CLOCK_NEVER);
	pass(FACTS_FRESH_MS);
	ck_assert_int_eq(timer_next(&loop.timers), CLOCK_NEVER);
} END_TEST

START_TEST(one_that_waits_too_long_is_told_that_there_is_no_answer)
{
	ask(0, FACT_METRICS);
	pass(FACTS_LIMIT_MS - 1);
	ask(1, FACT_METRICS);
	expect_told(0, 0, 0);
	pass(1);
	expect_told(0, 1, -1);
	expect_told(1, 0, 0);
	ck_assert_int_eq(question(), FACT_METRICS);
	ck_assert_int_eq(question(), -1);       /* it is still under way */
	answer_text(9);
	expect_told(0, 1, -1);
	expect_told(1, 1, 9);
} END_TEST

START_TEST(an_answer_that_comes_too_late_is_good_for_the_next)
{
	ask(0, FACT_METRICS);
	pass(FACTS_LIMIT_MS);
	expect_told(0, 1, -1);
	question();
	answer_text(9);
	ask(1, FACT_METRICS);
	expect_told(1, 1, 9);
	expect_told(0, 1, -1);
} END_TEST

START_TEST(one_that_is_forgotten_is_told_nothing)
{
	ask(0, FACT_STATUS);
	ask(1, FACT_STATUS);
	facts_forget(&waits[0].wait);
	facts_forget(&waits[0].wait);
	question();
	answer(7);
	expect_told(0, 0, 0);
	expect_told(1, 1, 7);
	ask(0, FACT_METRICS);
	facts_forget(&waits[0].wait);
	pass(FACTS_LIMIT_MS);
	expect_told(0, 0, 0);
	ck_assert_int_eq(timer_next(&loop.timers), CLOCK_NEVER);
} END_TEST

/* Another process may have given a later answer meanwhile. */
START_TEST(one_that_leaves_uses_no_answer_again)
{
	ask(0, FACT_STATUS);
	question();
	answer(7);
	facts_leave(facts);
	ask(1, FACT_STATUS);
	expect_told(1, 0, 0);
	ck_assert_int_eq(question(), FACT_STATUS);
	answer(8);
	expect_told(1, 1, 8);
} END_TEST

START_TEST(so_does_one_that_has_not_read_its_order_to_leave)
{
	ask(0, FACT_STATUS);
	question();
	answer(7);
	ck_assert_int_eq(leash_order(&master, &(struct leash_message){ .word = LEASH_END }), 0);
	ask(1, FACT_STATUS);
	expect_told(1, 0, 0);
	ck_assert_int_eq(question(), FACT_STATUS);
	answer(8);
	expect_told(1, 1, 8);
} END_TEST

/* ---- texts -------------------------------------------------------------- */

/* As it may come: lines in it end nothing, and its length may come in parts. */
START_TEST(a_text_is_whole_when_it_is_as_long_as_was_said)
{
	static const char *const parts[] = { "1", "3\n", "a 1\n", "b \"2\"\n", "\\n\n" };

	ask(0, FACT_METRICS);
	question();
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		expect_told(0, 0, 0);
		say(parts[i]);
	}
	ck_assert_int_eq(waits[0].n_told, 1);
	ck_assert_str_eq(waits[0].text, "a 1\nb \"2\"\n\\n\n");
	ask(1, FACT_STATUS);
	question();
	answer(7);
	expect_told(1, 1, 7);
} END_TEST

START_TEST(a_text_may_be_empty)
{
	ask(0, FACT_OPENMETRICS);
	question();
	say("0\n");
	ck_assert_int_eq(waits[0].n_told, 1);
	ck_assert_str_eq(waits[0].text, "");
} END_TEST

START_TEST(a_text_that_is_cut_off_is_asked_for_again_over_the_next_socket)
{
	ask(0, FACT_METRICS);
	question();
	say("100\na 1\n");
	lose_master();
	expect_told(0, 0, 0);
	facts_switch(facts, open_answers());
	ck_assert_int_eq(question(), FACT_METRICS);
	answer_text(9);
	expect_told(0, 1, 9);
} END_TEST

/* ---- life --------------------------------------------------------------- */

START_TEST(life_is_asked_beside_what_is_under_way)
{
	ask(0, FACT_STATUS);
	ck_assert_int_eq(question(), FACT_STATUS);
	ask(1, FACT_LIFE);
	ask(2, FACT_LIFE);
	ck_assert_int_eq(question(), FACT_LIFE);
	ck_assert_int_eq(question(), -1);
	facts_note_life(facts);
	ck_assert_int_eq(waits[1].n_told, 1);
	ck_assert_int_eq(waits[2].n_told, 1);
	ck_assert_int_eq(waits[0].n_told, 0);
	answer(7);
	expect_told(0, 1, 7);
} END_TEST

/* ---- several kinds ------------------------------------------------------ */

START_TEST(kinds_have_their_turn_one_after_the_other)
{
	ask(0, FACT_STATUS);
	ask(1, FACT_SNAPSHOT);
	ask(2, FACT_METRICS);
	ask(3, FACT_OPENMETRICS);
	ck_assert_int_eq(question(), FACT_STATUS);
	ck_assert_int_eq(question(), -1);
	answer(1);
	ck_assert_int_eq(question(), FACT_SNAPSHOT);
	ck_assert_int_eq(question(), -1);
	pass(FACTS_FRESH_MS);
	ask(4, FACT_STATUS);
	answer(2);
	ck_assert_int_eq(question(), FACT_METRICS);
	answer_text(3);
	ck_assert_int_eq(question(), FACT_OPENMETRICS); /* it waits for longer than the second FACT_STATUS */
	answer_text(4);
	ck_assert_int_eq(question(), FACT_STATUS);
	answer(5);
	expect_told(0, 1, 1);
	expect_told(1, 1, 2);
	expect_told(2, 1, 3);
	expect_told(3, 1, 4);
	expect_told(4, 1, 5);
} END_TEST

START_TEST(a_kind_that_nobody_waits_for_any_more_is_not_asked_for)
{
	ask(0, FACT_STATUS);
	ask(1, FACT_METRICS);
	question();
	facts_forget(&waits[1].wait);
	answer(1);
	ck_assert_int_eq(question(), -1);
} END_TEST

static void ask_again(struct fact_wait *w, const json_t *result)
{
	on_told(w, result);
	if (container_of(w, struct wait, wait)->n_told < 3)
		facts_ask(facts, waits[0].n_told == 1 ? FACT_STATUS : FACT_METRICS, w);
}

START_TEST(one_that_is_told_may_ask_again)
{
	waits[0].wait.ready = ask_again;
	ask(0, FACT_STATUS);
	ask(1, FACT_STATUS);
	question();
	answer(1);                      /* the second one is told at once, and asks for another kind */
	expect_told(0, 2, 1);
	expect_told(1, 1, 1);
	ck_assert_int_eq(question(), FACT_METRICS);
	ck_assert_int_eq(question(), -1);
	answer_text(2);
	expect_told(0, 3, 2);
} END_TEST

/* ---- answers ------------------------------------------------------------ */

START_TEST(an_answer_may_come_in_pieces)
{
	ask(0, FACT_STATUS);
	question();
	say("{\"ok\":true,");
	say("\"result\":{\"n\"");
	pass(10);
	expect_told(0, 0, 0);
	say(":5}}");
	expect_told(0, 0, 0);
	say("\n");
	expect_told(0, 1, 5);
} END_TEST

START_TEST(a_long_answer_comes_whole)
{
	enum { LEN = 3 << 20 };
	char *text = malloc(LEN + 64);
	size_t len, sent = 0;

	ck_assert_ptr_nonnull(text);
	len = (size_t)sprintf(text, "{\"ok\":true,\"result\":{\"n\":5,\"x\":\"");
	memset(text + len, 'x', LEN);
	len += LEN + (size_t)sprintf(text + len + LEN, "\"}}\n");
	ask(0, FACT_STATUS);
	question();
	while (sent < len) {
		const ssize_t n = send(answers, text + sent, len - sent, MSG_NOSIGNAL);

		ck_assert(n > 0 || errno == EAGAIN);
		sent += n > 0 ? (size_t)n : 0;
		turn();
	}
	while (waits[0].n_told == 0)
		turn();
	expect_told(0, 1, 5);
	free(text);
} END_TEST

static const char *const bad[] = {
	"\n", "garbage\n", "[]\n", "{}\n", "{\"ok\":false,\"error\":\"internal\"}\n", "{\"ok\":true}\n",
	"{\"ok\":1,\"result\":{\"n\":1}}\n", "{\"ok\":true,\"result\":{\"n\":1}\n", "\xff\xff\n",
	"{\"ok\":true,\"result\":{\"n\":1}}{}\n",
};

START_TEST(an_answer_without_a_result_is_none_and_is_not_used_again)
{
	ask(0, FACT_STATUS);
	question();
	say(bad[_i]);
	expect_told(0, 1, -1);
	ask(1, FACT_STATUS);
	ck_assert_int_eq(question(), FACT_STATUS);
	answer(3);
	expect_told(1, 1, 3);
} END_TEST

/* ---- another master ----------------------------------------------------- */

START_TEST(without_a_master_nobody_is_answered)
{
	ask(0, FACT_STATUS);
	question();
	lose_master();
	ask(1, FACT_METRICS);
	ck_assert_int_eq(question(), -1);
	pass(FACTS_LIMIT_MS);
	expect_told(0, 1, -1);
	expect_told(1, 1, -1);
	ck_assert_int_eq(n_orphaned, 0);
	pass(FACTS_ORPHAN_MS - FACTS_LIMIT_MS);
	ck_assert_int_eq(n_orphaned, 1);
	ck_assert_int_eq(timer_next(&loop.timers), CLOCK_NEVER);
} END_TEST

START_TEST(another_master_is_asked_what_the_last_one_has_not_answered)
{
	ask(0, FACT_STATUS);
	ask(1, FACT_METRICS);
	question();
	say("{\"ok\":true,\"res");
	lose_master();
	facts_switch(facts, open_answers());
	/* Kinds go on in turn; what was half answered is asked from the beginning. */
	for (int i = 0; i < 2; i++) {
		const int what = question();

		ck_assert(what == FACT_STATUS || what == FACT_METRICS);
		ck_assert_int_eq(question(), -1);
		if (what == FACT_METRICS)
			answer_text(10 + what);
		else
			answer(10 + what);
	}
	expect_told(0, 1, 10 + FACT_STATUS);
	expect_told(1, 1, 10 + FACT_METRICS);
	pass(FACTS_ORPHAN_MS);
	ck_assert_int_eq(n_orphaned, 0);
} END_TEST

START_TEST(another_master_may_come_before_the_last_one_is_gone)
{
	int before = answers;

	ask(0, FACT_STATUS);
	question();
	facts_switch(facts, open_answers());
	ck_assert_int_eq(question(), FACT_STATUS);
	ck_assert_int_eq(send(before, "x", 1, MSG_NOSIGNAL), -1);
	close(before);
	answer(4);
	expect_told(0, 1, 4);
	ck_assert_int_eq(n_orphaned, 0);
} END_TEST

START_TEST(a_master_that_answers_unasked_is_given_up)
{
	answer(1);
	ck_assert_int_eq(send(answers, "x", 1, MSG_NOSIGNAL), -1);
	pass(FACTS_ORPHAN_MS);
	ck_assert_int_eq(n_orphaned, 1);
} END_TEST

int main(void)
{
	Suite *s = suite_create("facts");
	TCase *tc = unit_case(s, "one kind", set_up, tear_down);

	tcase_add_test(tc, those_who_ask_at_the_same_time_share_an_answer);
	tcase_add_test(tc, an_answer_is_used_again_while_it_is_fresh_and_not_longer);
	tcase_add_test(tc, nothing_is_left_to_do_when_nobody_waits);
	tcase_add_test(tc, one_that_waits_too_long_is_told_that_there_is_no_answer);
	tcase_add_test(tc, an_answer_that_comes_too_late_is_good_for_the_next);
	tcase_add_test(tc, one_that_is_forgotten_is_told_nothing);
	tc = unit_case(s, "several kinds", set_up, tear_down);
	tcase_add_test(tc, one_that_leaves_uses_no_answer_again);
	tcase_add_test(tc, so_does_one_that_has_not_read_its_order_to_leave);
	tcase_add_test(tc, a_text_is_whole_when_it_is_as_long_as_was_said);
	tcase_add_test(tc, a_text_may_be_empty);
	tcase_add_test(tc, a_text_that_is_cut_off_is_asked_for_again_over_the_next_socket);
	tcase_add_test(tc, life_is_asked_beside_what_is_under_way);
	tcase_add_test(tc, kinds_have_their_turn_one_after_the_other);
	tcase_add_test(tc, a_kind_that_nobody_waits_for_any_more_is_not_asked_for);
	tcase_add_test(tc, one_that_is_told_may_ask_again);
	tc = unit_case(s, "answers", set_up, tear_down);
	tcase_add_test(tc, an_answer_may_come_in_pieces);
	tcase_add_test(tc, a_long_answer_comes_whole);
	tcase_add_loop_test(tc, an_answer_without_a_result_is_none_and_is_not_used_again, 0, ARRAY_SIZE(bad));
	tc = unit_case(s, "another master", set_up, tear_down);
	tcase_add_test(tc, without_a_master_nobody_is_answered);
	tcase_add_test(tc, another_master_is_asked_what_the_last_one_has_not_answered);
	tcase_add_test(tc, another_master_may_come_before_the_last_one_is_gone);
	tcase_add_test(tc, a_master_that_answers_unasked_is_given_up);
	return unit_run(s);
}
