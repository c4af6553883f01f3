/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is sent, and what is made of the answer.
 */
#include <config.h>
#include "message.h"

#include <ctype.h>

#include "answer.h"
#include "unit.h"

/* ---- requests ----------------------------------------------------------- */

static const struct { const char *text, *want; size_t len; } escapes[] = {
	{ "plain", "plain", 5 },          { "", "", 0 },
	{ "a\\r\\nb\\t", "a\r\nb\t", 5 }, { "\\0", "\0", 1 },
	{ "\\\\n", "\\n", 2 },            { "\\x41\\x4a\\xFf", "AJ\xff", 3 },
	{ "\\x00\\x0a", "\0\n", 2 },      { "\xc3\xa9\xff", "\xc3\xa9\xff", 3 },
	{ "\\012", "\0" "12", 3 },
};

START_TEST(escapes_are_understood)
{
	char *bytes;
	size_t len;

	ck_assert_msg(message_unescape(escapes[_i].text, &bytes, &len) == 0, "%s", escapes[_i].text);
	ck_assert_uint_eq(len, escapes[_i].len);
	ck_assert_mem_eq(bytes, escapes[_i].want, len);
	free(bytes);
} END_TEST

static const char *const no_escapes[] = { "\\", "a\\", "\\q", "\\x", "\\x4", "\\xg0", "\\x4g", "\\N" };

START_TEST(what_is_no_escape_is_refused)
{
	char *bytes;
	size_t len;

	ck_assert_msg(message_unescape(no_escapes[_i], &bytes, &len) == -1, "%s", no_escapes[_i]);
} END_TEST

/* Of generated ones as many differ as there are, and they come one after the other. */
START_TEST(generated_requests_differ)
{
	const struct framing line = { .kind = FRAMING_LINE, .max = 1000 };
	struct message m;
	unsigned turn = 0;
	const char **seen;

	ck_assert_int_eq(message_generate(&m, 64, _i ? &line : NULL), 0);
	ck_assert_uint_eq(m.len, _i ? 65 : 64);
	ck_assert_uint_ge(m.n, 256);
	seen = calloc(m.n, sizeof *seen);
	for (unsigned i = 0; i < m.n; i++) {
		seen[i] = message_next(&m, &turn);
		ck_assert(seen[i] >= m.bytes);
		if (i > 0)
			ck_assert_mem_ne(seen[i], seen[i - 1], m.len);
		if (i > 0)
			ck_assert_ptr_ne(seen[i], seen[0]);
	}
	ck_assert_ptr_eq(message_next(&m, &turn), seen[0]);
	free(seen);
	message_free(&m);
} END_TEST

START_TEST(generated_lines_are_printable)
{
	const struct framing line = { .kind = FRAMING_LINE, .max = 1000 };
	struct message m;
	unsigned turn = 0;

	ck_assert_int_eq(message_generate(&m, 100, &line), 0);
	for (unsigned i = 0; i < m.n; i++) {
		const char *request = message_next(&m, &turn);

		for (size_t k = 0; k < 100; k++)
			ck_assert(isprint((unsigned char)request[k]));
		ck_assert_int_eq(request[100], '\n');
	}
	message_free(&m);
} END_TEST

START_TEST(large_ones_take_no_more_room_than_they_must)
{
	const struct framing f = { .kind = FRAMING_LENGTH32, .max = 1 << 24 };
	struct message m;

	ck_assert_int_eq(message_generate(&m, 1 << 20, &f), 0);
	ck_assert_uint_eq(m.n, 2);
	ck_assert_uint_eq(m.len, (1 << 20) + 4);
	ck_assert_mem_ne(m.bytes, m.bytes + m.stride, m.len);
	message_free(&m);
} END_TEST

/* ---- answers ------------------------------------------------------------ */

static const struct {
	const char *name, *answer, *expect;     /* expect NULL: echo of "hello"; "*": anything */
	const char *bytes;
	size_t      len;
	enum answer_verdict verdict, at_end;
	size_t      used;
} answers[] = {
	{ "an echo", "length", NULL, "hello", 5, ANSWER_COMPLETE, 0, 5 },
	{ "an echo and more", "length", NULL, "hello!", 6, ANSWER_COMPLETE, 0, 5 },
	{ "another echo", "length", NULL, "hellO", 5, ANSWER_WRONG, 0, 5 },
	{ "half an echo", "length", NULL, "hel", 3, ANSWER_MORE, ANSWER_MORE, 3 },
	{ "anything", "length", "*", "ABCDE", 5, ANSWER_COMPLETE, 0, 5 },
	{ "a number of bytes", "length:3", "*", "ABCDE", 5, ANSWER_COMPLETE, 0, 3 },
	{ "to the end", "eof", NULL, "hello", 5, ANSWER_MORE, ANSWER_COMPLETE, 5 },
	{ "too little to the end", "eof", NULL, "hell", 4, ANSWER_MORE, ANSWER_MORE, 4 },
	{ "too much to the end", "eof", NULL, "hello!", 6, ANSWER_WRONG, 0, 6 },
	{ "beyond the longest", "eof", "*", "01234567890123456789x", 21, ANSWER_TOO_LONG, 0, 21 },
	{ "nothing to the end", "eof", "", "", 0, ANSWER_MORE, ANSWER_COMPLETE, 0 },
	{ "a line", "line", "yes", "yes\n", 4, ANSWER_COMPLETE, 0, 4 },
	{ "two lines", "line", "yes", "yes\nno\n", 7, ANSWER_COMPLETE, 0, 4 },
	{ "another line", "line", "yes", "no\n", 3, ANSWER_WRONG, 0, 3 },
	{ "the beginning of the line", "line", "yes", "ye\n", 3, ANSWER_WRONG, 0, 3 },
	{ "the line and more", "line", "yes", "yes!\n", 5, ANSWER_WRONG, 0, 5 },
	{ "a line that does not end", "line", "*", "yes", 3, ANSWER_MORE, ANSWER_MORE, 3 },
	{ "a line beyond the longest", "line", "*", "01234567890123456789x\n", 22, ANSWER_TOO_LONG, 0, 21 },
	{ "a netstring", "netstring", "yes", "3:yes,", 6, ANSWER_COMPLETE, 0, 6 },
	{ "another netstring", "netstring", "yes", "2:no,", 5, ANSWER_WRONG, 0, 5 },
	{ "no netstring", "netstring", "yes", "yes\n", 4, ANSWER_BROKEN, 0, 1 },
	{ "a length", "length32", "yes", "\0\0\0\3yes", 7, ANSWER_COMPLETE, 0, 7 },
	{ "a length beyond the longest", "length32", "*", "\0\0\1\0", 4, ANSWER_TOO_LONG, 0, 4 },
};

static struct answer_rule rule_of(size_t i)
{
	struct answer_rule rule = { .max = 20, .framing.max = 20 };

	ck_assert_int_eq(answer_rule_parse(answers[i].answer, &rule), 0);
	rule.echo = !answers[i].expect;
	if (answers[i].expect && strcmp(answers[i].expect, "*") != 0) {
		rule.expect = (char *)answers[i].expect;
		rule.expect_len = strlen(rule.expect);
	}
	return rule;
}

START_TEST(answers_are_judged_the_same_in_pieces_of_any_size)
{
	const struct answer_rule rule = rule_of((size_t)_i);

	for (size_t piece = 1; piece <= answers[_i].len || piece == 1; piece++) {
		enum answer_verdict verdict = ANSWER_MORE;
		struct answer a = { 0 };
		size_t at = 0, used = 0;

		while (at < answers[_i].len && verdict == ANSWER_MORE) {
			const size_t left = answers[_i].len - at;

			verdict = answer_take(&rule, &a, "hello", 5, answers[_i].bytes + at,
			                      left < piece ? left : piece, &used);
			at += used;
		}
		ck_assert_msg(verdict == answers[_i].verdict, "%s, by %zu: %d", answers[_i].name, piece,
		              verdict);
		if (verdict == ANSWER_MORE)
			ck_assert_msg(answer_end(&rule, &a, 5) == answers[_i].at_end, "%s", answers[_i].name);
		else if (verdict != ANSWER_WRONG)       /* which may show before all is there */
			ck_assert_msg(at == answers[_i].used, "%s, by %zu: %zu", answers[_i].name, piece, at);
	}
} END_TEST

START_TEST(a_framed_echo_is_the_whole_frame)
{
	struct answer_rule rule = { .max = 20, .framing.max = 20, .echo = true };
	struct answer a = { 0 };
	size_t used;

	ck_assert_int_eq(answer_rule_parse("netstring", &rule), 0);
	ck_assert_int_eq(answer_take(&rule, &a, "3:abc,", 6, "3:abc,", 6, &used), ANSWER_COMPLETE);
	a = (struct answer){ 0 };
	ck_assert_int_eq(answer_take(&rule, &a, "3:abc,", 6, "3:abd,", 6, &used), ANSWER_WRONG);
} END_TEST

static const char *const rules[] = {
	"length", "length:7", "line", "netstring", "length32", "eof", "none",
};

START_TEST(answers_have_names)
{
	char buf[ANSWER_TEXT_MAX];
	struct answer_rule rule = { 0 };

	ck_assert_msg(answer_rule_parse(rules[_i], &rule) == 0, "%s", rules[_i]);
	ck_assert_str_eq(answer_rule_format(&rule, buf), rules[_i]);
} END_TEST

static const char *const no_rules[] = {
	"", "length:", "length:0", "length:x", "lengths", "length16", "EOF",
};

START_TEST(what_is_no_answer_is_refused)
{
	struct answer_rule rule = { 0 };

	ck_assert_msg(answer_rule_parse(no_rules[_i], &rule) == -1, "%s", no_rules[_i]);
} END_TEST

/* As a stream sends it. */
START_TEST(a_message_can_be_repeated_without_end)
{
	const struct message m = { .bytes = (char *)"abcde", .len = 5, .n = 1 };
	const char *at;

	ck_assert_uint_eq(message_piece(&m, 0, &at), 5);
	ck_assert_uint_eq(message_piece(&m, UINT64_C(5000000000003), &at), 2);
	ck_assert_mem_eq(at, "de", 2);
	ck_assert(message_is_at(&m, 3, "deabcdea", 8));
	ck_assert(message_is_at(&m, 3, "", 0));
	ck_assert(!message_is_at(&m, 3, "deabcdee", 8));
} END_TEST

int main(void)
{
	Suite *s = suite_create("bench_message");
	TCase *tc = unit_case(s, "message", NULL, NULL);

	tcase_add_loop_test(tc, escapes_are_understood, 0, ARRAY_SIZE(escapes));
	tcase_add_loop_test(tc, what_is_no_escape_is_refused, 0, ARRAY_SIZE(no_escapes));
	tcase_add_loop_test(tc, generated_requests_differ, 0, 2);
	tcase_add_test(tc, generated_lines_are_printable);
	tcase_add_test(tc, large_ones_take_no_more_room_than_they_must);
	tcase_add_test(tc, a_message_can_be_repeated_without_end);
	tc = unit_case(s, "answer", NULL, NULL);
	tcase_add_loop_test(tc, answers_are_judged_the_same_in_pieces_of_any_size, 0, ARRAY_SIZE(answers));
	tcase_add_test(tc, a_framed_echo_is_the_whole_frame);
	tcase_add_loop_test(tc, answers_have_names, 0, ARRAY_SIZE(rules));
	tcase_add_loop_test(tc, what_is_no_answer_is_refused, 0, ARRAY_SIZE(no_rules));
	return unit_run(s);
}
