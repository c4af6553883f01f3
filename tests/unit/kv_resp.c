/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The protocol of examples/kv: requests whole and cut off at every byte, everything that is no request,
 * and replies.
 */
#include <config.h>
#include "../../examples/kv/resp.h"

#include <inttypes.h>

#include "unit.h"

#define BYTES(text) (text), sizeof (text) - 1

static struct resp_request request;
static struct resp_reply reply;

static void release(void)
{
	resp_reply_free(&reply);
}

/* The arguments as one text: "[GET][key]". */
static const char *arguments(void)
{
	static char text[512];
	size_t len = 0;

	text[0] = '\0';
	for (size_t i = 0; i < request.n_args; i++)
		len += (size_t)snprintf(text + len, sizeof text - len, "[%.*s]", (int)request.args[i].len, request.args[i].at);
	return text;
}

/* In a copy that is not longer, so that a sanitizer sees what is read behind it. */
static enum resp_status parse(const char *bytes, size_t len)
{
	static char *copy;

	free(copy);
	copy = malloc(len);
	memcpy(copy, bytes, len);
	return resp_parse(&request, copy, len);
}

static const struct { const char *bytes; size_t len; const char *args; size_t rest; } requests[] = {
	{ BYTES("*1\r\n$4\r\nPING\r\n"), "[PING]", 0 },
	{ BYTES("*2\r\n$3\r\nGET\r\n$1\r\na\r\n*1\r\n$4\r\nPING\r\n"), "[GET][a]", 14 },
	{ BYTES("*3\r\n$3\r\nSET\r\n$0\r\n\r\n$4\r\n\r\n\r\n\r\n"), "[SET][][\r\n\r\n]", 0 },
	{ BYTES("*0\r\n"), "", 0 },
	{ BYTES("*-1\r\n"), "", 0 },
	{ BYTES("\n"), "", 0 },
	{ BYTES("\r\n"), "", 0 },
	{ BYTES("  \t \r\n"), "", 0 },
	{ BYTES("PING\r\n"), "[PING]", 0 },
	{ BYTES("  set  a\tb \nget a\n"), "[set][a][b]", 6 },
	{ BYTES("set a \"b c\"\r\n"), "[set][a][b c]", 0 },
	{ BYTES("set a \"\\\\ \\\"\\q\"\r\n"), "[set][a][\\ \"q]", 0 },
	{ BYTES("set a 'b \\'c\\' \\n'\r\n"), "[set][a][b 'c' \\n]", 0 },
	{ BYTES("set a \"\" ''\r\n"), "[set][a][][]", 0 },
	{ BYTES("a\"b\" c'd'\r\n"), "[ab][cd]", 0 },
	{ BYTES("$3\r\n"), "[$3]", 0 },
};

START_TEST(a_request_is_cut_out_of_what_the_client_sends)
{
	ck_assert_int_eq(parse(requests[_i].bytes, requests[_i].len), RESP_REQUEST);
	ck_assert_str_eq(arguments(), requests[_i].args);
	ck_assert_uint_eq(request.used, requests[_i].len - requests[_i].rest);
} END_TEST

START_TEST(a_part_of_a_request_needs_more_but_never_more_than_all)
{
	const size_t whole = requests[_i].len - requests[_i].rest;

	for (size_t len = 1; len < whole; len++) {
		ck_assert_int_eq(parse(requests[_i].bytes, len), RESP_MORE);
		ck_assert_uint_gt(request.need, len);
		ck_assert_uint_le(request.need, whole);
	}
} END_TEST

START_TEST(what_is_needed_is_known_from_the_lengths)
{
	static const struct { const char *bytes; size_t need; } rows[] = {
		{ "*3\r\n", 4 + 1 + 2 * 6 },
		{ "*2\r\n$1000\r\nx", 4 + 7 + 1002 + 6 },
		{ "*1\r\n$536870912\r\n", 4 + 12 + 536870912 + 2 },
		{ "*1048576\r\n", 10 + 1 + 6 * 1048575 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		ck_assert_int_eq(parse(rows[i].bytes, strlen(rows[i].bytes)), RESP_MORE);
		ck_assert_uint_eq(request.need, rows[i].need);
	}
} END_TEST

static const struct { const char *bytes; size_t len; const char *why; } broken[] = {
	{ BYTES("*x\r\n"), "invalid multibulk length" },
	{ BYTES("*\r\n"), "invalid multibulk length" },
	{ BYTES("*01\r\n"), "invalid multibulk length" },
	{ BYTES("*+1\r\n"), "invalid multibulk length" },
	{ BYTES("* 1\r\n"), "invalid multibulk length" },
	{ BYTES("*1\rx"), "invalid multibulk length" },
	{ BYTES("*1048577\r\n"), "invalid multibulk length" },
	{ BYTES("*9223372036854775808\r\n"), "invalid multibulk length" },
	{ BYTES("*1\r\nPING\r\n"), "expected '$', got 'P'" },
	{ BYTES("*1\r\n*1\r\n$4\r\nPING\r\n"), "expected '$', got '*'" },
	{ BYTES("*1\r\n\r\n"), "expected '$', got ' '" },
	{ BYTES("*1\r\n\0"), "expected '$', got ' '" },
	{ BYTES("*1\r\n$-1\r\n"), "invalid bulk length" },
	{ BYTES("*1\r\n$x\r\n"), "invalid bulk length" },
	{ BYTES("*1\r\n$\r\n"), "invalid bulk length" },
	{ BYTES("*1\r\n$536870913\r\n"), "invalid bulk length" },
	{ BYTES("*1\r\n$99999999999999999999\r\n"), "invalid bulk length" },
	{ BYTES("*1\r\n$4\r\nPINGPONG"), "invalid bulk length" },
	{ BYTES("*2\r\n$4\r\nECHO\r\n$1\r\nab\r\n"), "invalid bulk length" },
	{ BYTES("set a \"b\r\n"), "unbalanced quotes in request" },
	{ BYTES("set a 'b\r\n"), "unbalanced quotes in request" },
	{ BYTES("set a \"b\"c\r\n"), "unbalanced quotes in request" },
	{ BYTES("set a \"b\\\r\n"), "unbalanced quotes in request" },
	{ BYTES("set a 'b\\'\r\n"), "unbalanced quotes in request" },
};

START_TEST(what_is_no_request_is_refused_in_the_words_of_redis)
{
	enum resp_status status = RESP_MORE;

	ck_assert_int_eq(parse(broken[_i].bytes, broken[_i].len), RESP_BROKEN);
	ck_assert_str_eq(request.why, broken[_i].why);
	for (size_t len = 1; len < broken[_i].len && status == RESP_MORE; len++)
		status = parse(broken[_i].bytes, len);
	ck_assert_int_ne(status, RESP_REQUEST);
} END_TEST

START_TEST(lines_have_a_limit)
{
	static const struct { char first, others; const char *before, *why; } rows[] = {
		{ 'a', 'a', "", "too big inline request" },
		{ '*', '1', "", "too big mbulk count string" },
		{ '$', '1', "*1\r\n", "too big bulk count string" },
	};
	static char bytes[RESP_LINE_MAX + 8];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const size_t before = strlen(rows[i].before);

		memcpy(bytes, rows[i].before, before);
		memset(bytes + before, rows[i].others, RESP_LINE_MAX);
		bytes[before] = rows[i].first;
		ck_assert_int_eq(parse(bytes, before + RESP_LINE_MAX - 1), RESP_MORE);
		ck_assert_int_eq(parse(bytes, before + RESP_LINE_MAX), RESP_BROKEN);
		ck_assert_str_eq(request.why, rows[i].why);
	}
} END_TEST

START_TEST(a_request_may_have_very_many_arguments)
{
	static char bytes[10 + 7 * RESP_ARGS_MAX];
	size_t len = (size_t)sprintf(bytes, "*%d\r\n", RESP_ARGS_MAX);

	for (size_t i = 0; i < RESP_ARGS_MAX; i++, len += 7)
		memcpy(bytes + len, "$1\r\nx\r\n", 7);
	ck_assert_int_eq(resp_parse(&request, bytes, len), RESP_REQUEST);
	ck_assert_uint_eq(request.n_args, RESP_ARGS_MAX);
	ck_assert_uint_eq(request.used, len);
} END_TEST

static const struct { const char *text; bool is; int64_t n; } integers[] = {
	{ "0", true, 0 }, { "7", true, 7 }, { "-7", true, -7 },
	{ "9223372036854775807", true, INT64_MAX }, { "-9223372036854775808", true, INT64_MIN },
	{ "9223372036854775808", false, 0 }, { "-9223372036854775809", false, 0 },
	{ "", false, 0 }, { "-", false, 0 }, { "+1", false, 0 }, { "01", false, 0 }, { "-0", false, 0 },
	{ " 1", false, 0 }, { "1 ", false, 0 }, { "1x", false, 0 }, { "0x1", false, 0 },
};

START_TEST(an_integer_has_one_form)
{
	const struct slice s = { integers[_i].text, strlen(integers[_i].text) };
	int64_t n = 0;

	ck_assert_int_eq(slice_integer(s, &n), integers[_i].is);
	if (integers[_i].is)
		ck_assert_int_eq(n, integers[_i].n);
} END_TEST

START_TEST(a_word_is_compared_with_all_of_it)
{
	ck_assert(slice_is((struct slice){ "GeT", 3 }, "get"));
	ck_assert(!slice_is((struct slice){ "GET", 2 }, "get"));
	ck_assert(!slice_is((struct slice){ "GET\0", 4 }, "get"));
} END_TEST

START_TEST(replies_are_as_the_protocol_has_them)
{
	resp_line(&reply, "+OK");
	resp_number(&reply, ':', INT64_MIN);
	resp_number(&reply, '*', 2);
	resp_bulk(&reply, (struct slice){ "a\r\n", 3 });
	resp_bulk(&reply, (struct slice){ NULL, 0 });
	resp_number(&reply, '$', -1);
	resp_error(&reply, "ERR '%s'", "x\r\n+OK");
	ck_assert(!reply.failed);
	resp_add(&reply, "", 1);
	ck_assert_str_eq(reply.bytes, "+OK\r\n:-9223372036854775808\r\n*2\r\n$3\r\na\r\n\r\n$0\r\n\r\n$-1\r\n"
	                 "-ERR 'x  +OK'\r\n");
} END_TEST

int main(void)
{
	Suite *s = suite_create("kv_resp");
	TCase *tc = unit_case(s, "requests", NULL, release);

	tcase_add_loop_test(tc, a_request_is_cut_out_of_what_the_client_sends, 0, ARRAY_SIZE(requests));
	tcase_add_loop_test(tc, a_part_of_a_request_needs_more_but_never_more_than_all, 0, ARRAY_SIZE(requests));
	tcase_add_test(tc, what_is_needed_is_known_from_the_lengths);
	tcase_add_loop_test(tc, what_is_no_request_is_refused_in_the_words_of_redis, 0, ARRAY_SIZE(broken));
	tcase_add_test(tc, lines_have_a_limit);
	tcase_add_test(tc, a_request_may_have_very_many_arguments);
	tcase_add_loop_test(tc, an_integer_has_one_form, 0, ARRAY_SIZE(integers));
	tcase_add_test(tc, a_word_is_compared_with_all_of_it);
	tcase_add_test(tc, replies_are_as_the_protocol_has_them);
	return unit_run(s);
}
