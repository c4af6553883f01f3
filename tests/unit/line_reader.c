/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <config.h>
#include "line_reader.h"

#include "unit.h"

static struct line_reader r;
static char out[LINE_READER_ROOM(16384)];

static const char *take(const char *bytes, size_t n)
{
	out[line_reader_take(&r, bytes, n, out)] = '\0';
	return out;
}

static void before(void)
{
	r = (struct line_reader){ 0 };
}

START_TEST(whole_lines_go_on_and_the_rest_waits)
{
	ck_assert_str_eq(take("one\ntwo\nthr", 11), "one\ntwo\n");
	ck_assert_str_eq(take("e", 1), "");
	ck_assert_str_eq(take("e\n\nfour\n", 8), "three\n\nfour\n");
	ck_assert_uint_eq(line_reader_end(&r, out), 0);
} END_TEST

START_TEST(at_the_end_what_is_left_becomes_a_line)
{
	ck_assert_str_eq(take("half", 4), "");
	ck_assert_uint_eq(line_reader_end(&r, out), 5);
	ck_assert_int_eq(memcmp(out, "half\n", 5), 0);
	ck_assert_uint_eq(line_reader_end(&r, out), 0);
} END_TEST

START_TEST(no_byte_can_move_the_cursor_of_a_terminal)
{
	ck_assert_str_eq(take("a\33[31m\r\0\x7f\tb\n", 12), "a?[31m???\tb\n");
	ck_assert_str_eq(take("\x9b" "2J\xc2\x9b" "2J\xff\n", 9), "?2J??2J?\n");
} END_TEST

/* In pieces of every size: what comes does not matter, only what it is. */
START_TEST(a_line_that_is_too_long_becomes_several)
{
	static char bytes[3 * LOG_LINE_MAX];
	static const size_t pieces[] = { 1, 7, LOG_LINE_MAX - 1, LOG_LINE_MAX, sizeof bytes };
	size_t done = 0, n_lines = 0, n_bytes = 0;

	memset(bytes, 'x', sizeof bytes);
	bytes[sizeof bytes - 1] = '\n';
	while (done < sizeof bytes) {
		const size_t left = sizeof bytes - done;
		const size_t n = left < pieces[_i] ? left : pieces[_i];

		take(bytes + done, n);
		done += n;
		for (const char *at = out, *end; (end = strchr(at, '\n')); at = end + 1) {
			unit_require(end - at < LOG_LINE_MAX);
			n_bytes += (size_t)(end - at);
			n_lines++;
		}
	}
	ck_assert_uint_eq(n_bytes, sizeof bytes - 1);
	ck_assert_uint_eq(n_lines, 4);
	ck_assert_uint_eq(r.len, 0);
} END_TEST

START_TEST(the_room_is_enough_for_the_worst)
{
	static char bytes[16384];

	memset(bytes, 'x', sizeof bytes);
	take(bytes, LOG_LINE_MAX - 1);
	ck_assert_uint_eq(r.len, LOG_LINE_MAX - 1);
	ck_assert_uint_le(line_reader_take(&r, bytes, sizeof bytes, out) + r.len,
	                  LINE_READER_ROOM(sizeof bytes));
	ck_assert_uint_lt(r.len, LOG_LINE_MAX);
} END_TEST

int main(void)
{
	Suite *s = suite_create("line_reader");
	TCase *tc = unit_case(s, "lines", before, NULL);

	tcase_add_test(tc, whole_lines_go_on_and_the_rest_waits);
	tcase_add_test(tc, at_the_end_what_is_left_becomes_a_line);
	tcase_add_test(tc, no_byte_can_move_the_cursor_of_a_terminal);
	tcase_add_loop_test(tc, a_line_that_is_too_long_becomes_several, 0, 5);
	tcase_add_test(tc, the_room_is_enough_for_the_worst);
	return unit_run(s);
}
