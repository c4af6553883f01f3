/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Bounded strings, and the escaping of foreign bytes.
 */
#include <config.h>
#include "text.h"

#include "unit.h"

static char room[256];

START_TEST(a_new_text_is_empty)
{
	struct text t;

	memset(room, 'x', sizeof room);
	t = text_in(room, sizeof room);
	ck_assert_uint_eq(t.len, 0);
	ck_assert_str_eq(room, "");
} END_TEST

START_TEST(pieces_follow_one_another)
{
	struct text t = text_in(room, sizeof room);

	text_add(&t, "%s=%d", "a", 7);
	text_add(&t, "%s", "");
	text_add_safe(&t, ";b", 2);
	text_add_json(&t, ";c", 2);
	ck_assert_str_eq(room, "a=7;b;c");
	ck_assert_uint_eq(t.len, strlen(room));
} END_TEST

/* What the byte after the room says is whether anything went there. */
START_TEST(a_text_is_cut_where_its_room_ends)
{
	for (size_t size = 1; size <= 8; size++) {
		struct text t;

		memset(room, '#', sizeof room);
		t = text_in(room, size);
		text_add(&t, "%s", "abc");
		text_add(&t, "%s", "defgh");
		ck_assert_uint_eq(t.len, size - 1);
		ck_assert_int_eq(strncmp(room, "abcdefgh", size - 1), 0);
		ck_assert_int_eq(room[size - 1], '\0');
		ck_assert_int_eq(room[size], '#');
		text_add(&t, "%s", "more");     /* and stays as it is */
		text_add_safe(&t, "more", 4);
		text_add_json(&t, "more", 4);
		ck_assert_uint_eq(strlen(room), size - 1);
		ck_assert_int_eq(room[size], '#');
	}
} END_TEST

START_TEST(a_word_stays_one_word)
{
	struct text t = text_in(room, sizeof room);

	text_add_word(&t, "aZ09:/{}[]\\ \"',;|\t\n\0\xff", 20);
	ck_assert_str_eq(room, "aZ09:/{}[]\\\\x20\\x22\\x27\\x2c\\x3b\\x7c\\x09\\x0a\\x00");
} END_TEST

static const struct { const char *name, *bytes; size_t len; const char *safe, *json; } rows[] = {
	{ "printable ASCII stays", "aZ 09~!", 7, "aZ 09~!", "aZ 09~!" },
	{ "a newline is escaped", "a\nb", 3, "a\\x0ab", "a\\\\x0ab" },
	{ "so is a carriage return", "\r", 1, "\\x0d", "\\\\x0d" },
	{ "and NUL", "a\0b", 3, "a\\x00b", "a\\\\x00b" },
	{ "and what terminals obey", "\033[2J\177", 5, "\\x1b[2J\\x7f", "\\\\x1b[2J\\\\x7f" },
	{ "and all that is not ASCII", "\xc3\xa9\xff\x80", 4, "\\xc3\\xa9\\xff\\x80",
	  "\\\\xc3\\\\xa9\\\\xff\\\\x80" },
	{ "a quote ends a JSON string only", "say \"x\"", 7, "say \"x\"", "say \\\"x\\\"" },
	{ "and so a backslash", "c:\\n", 4, "c:\\n", "c:\\\\n" },
	{ "nothing is nothing", "", 0, "", "" },
};

START_TEST(foreign_bytes_are_escaped)
{
	struct text t = text_in(room, sizeof room);

	text_add_safe(&t, rows[_i].bytes, rows[_i].len);
	ck_assert_msg(strcmp(room, rows[_i].safe) == 0, "%s: %s", rows[_i].name, room);
	t = text_in(room, sizeof room);
	text_add_json(&t, rows[_i].bytes, rows[_i].len);
	ck_assert_msg(strcmp(room, rows[_i].json) == 0, "%s, JSON: %s", rows[_i].name, room);
} END_TEST

/* Each byte there is: nothing but printable ASCII comes out. */
START_TEST(no_byte_gets_through_that_could_forge_a_line)
{
	for (int c = 0; c < 256; c++) {
		const char byte = (char)c;
		struct text t = text_in(room, sizeof room);

		text_add_safe(&t, &byte, 1);
		text_add_json(&t, &byte, 1);
		ck_assert_uint_ge(t.len, 2);
		for (size_t i = 0; i < t.len; i++)
			ck_assert_msg(room[i] >= ' ' && room[i] <= '~', "byte %d", c);
	}
} END_TEST

START_TEST(an_escape_is_never_cut_in_two)
{
	for (size_t size = 1; size < 16; size++) {
		struct text t = text_in(room, size);

		text_add_safe(&t, "\n\n\n", 3);
		ck_assert_uint_eq(t.len % 4, 0);
		ck_assert_uint_eq(t.len, (size - 1) / 4 * 4);
		t = text_in(room, size);
		text_add_json(&t, "\n\n\n", 3);
		ck_assert_uint_eq(t.len, (size - 1) / 5 * 5);
		t = text_in(room, size);
		text_add_json(&t, "\"\"\"\"\"\"\"\"", 8);
		ck_assert_uint_eq(t.len, (size - 1) / 2 * 2);
	}
} END_TEST

/* What follows a piece that did not fit is left out, too: the end is a cut, not a hole. */
START_TEST(nothing_follows_an_escape_that_did_not_fit)
{
	struct text t = text_in(room, 6);

	text_add_safe(&t, "ab\ncd", 5);
	ck_assert_str_eq(room, "ab");
} END_TEST

static const struct { const char *name; uint64_t number; const char *text; } numbers[] = {
	{ "zero has a digit", 0, "0" },
	{ "one digit", 7, "7" },
	{ "a zero at the end", 10, "10" },
	{ "a port", 65535, "65535" },
	{ "the greatest", UINT64_MAX, "18446744073709551615" },
};

START_TEST(numbers_are_decimal)
{
	struct text t = text_in(room, sizeof room);

	text_add_string(&t, "n=");
	text_add_number(&t, numbers[_i].number);
	ck_assert_str_eq(room + 2, numbers[_i].text);
	ck_assert_uint_eq(t.len, strlen(room));
} END_TEST

START_TEST(strings_and_numbers_are_cut_where_the_room_ends)
{
	for (size_t size = 1; size <= 8; size++) {
		struct text t;

		memset(room, '#', sizeof room);
		t = text_in(room, size);
		text_add_string(&t, "abc");
		text_add_number(&t, 12345);
		text_add_string(&t, "more");
		ck_assert_uint_eq(t.len, size - 1);
		ck_assert_int_eq(strncmp(room, "abc12345", size - 1), 0);
		ck_assert_int_eq(room[size - 1], '\0');
		ck_assert_int_eq(room[size], '#');
	}
} END_TEST

START_TEST(bytes_in_hex_have_two_digits_each)
{
	struct text t = text_in(room, sizeof room), narrow;
	char four[4];

	text_add_hex(&t, "\x00\x0a\xff", 3);
	ck_assert_str_eq(room, "000aff");
	narrow = text_in(four, sizeof four);
	text_add_hex(&narrow, "\x12\x34", 2);
	ck_assert_str_eq(four, "123");
} END_TEST

int main(void)
{
	Suite *s = suite_create("text");
	TCase *tc = unit_case(s, "text", NULL, NULL);

	tcase_add_test(tc, a_new_text_is_empty);
	tcase_add_test(tc, pieces_follow_one_another);
	tcase_add_test(tc, a_text_is_cut_where_its_room_ends);
	tcase_add_test(tc, a_word_stays_one_word);
	tcase_add_test(tc, bytes_in_hex_have_two_digits_each);
	tcase_add_loop_test(tc, numbers_are_decimal, 0, sizeof numbers / sizeof *numbers);
	tcase_add_test(tc, strings_and_numbers_are_cut_where_the_room_ends);
	tcase_add_loop_test(tc, foreign_bytes_are_escaped, 0, ARRAY_SIZE(rows));
	tcase_add_test(tc, no_byte_gets_through_that_could_forge_a_line);
	tcase_add_test(tc, an_escape_is_never_cut_in_two);
	tcase_add_test(tc, nothing_follows_an_escape_that_did_not_fit);
	return unit_run(s);
}
