/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Values for JSON objects, as they are written.
 */
#include <config.h>
#include "json_value.h"

#include "unit.h"

/* Takes value. */
static void ck_is(json_t *value, const char *want)
{
	char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));

	ck_assert_ptr_nonnull(text);
	ck_assert_str_eq(text, want);
	free(text);
	json_decref(value);
}

START_TEST(a_text_is_a_string_whatever_its_bytes_are)
{
	static const struct { const char *text, *want; } rows[] = {
		{ "", "\"\"" },
		{ "echo", "\"echo\"" },
		{ "\xc3\xa4", "\"\xc3\xa4\"" },
		{ "\xe4 \xc3\xa4", "\"\\\\xe4 \\\\xc3\\\\xa4\"" },
		{ "a\nb", "\"a\\nb\"" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		ck_is(json_value_text(rows[i].text), rows[i].want);
} END_TEST

START_TEST(a_long_text_that_is_not_utf_8_is_cut)
{
	char text[5000];
	json_t *value;

	memset(text, '\xff', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	value = json_value_text(text);
	ck_assert_uint_eq(json_string_length(value) % strlen("\\xff"), 0);
	ck_assert_uint_gt(json_string_length(value), 1000);
	json_decref(value);
} END_TEST

START_TEST(what_is_not_there_is_null)
{
	ck_is(json_value_text_or_null(NULL), "null");
	ck_is(json_value_text_or_null(""), "null");
	ck_is(json_value_text_or_null("x"), "\"x\"");
	ck_is(json_value_process(0), "null");
	ck_is(json_value_process(812), "812");
} END_TEST

START_TEST(numbers_are_whole_or_seconds)
{
	ck_is(json_value_count(0), "0");
	ck_is(json_value_count(INT64_MAX), "9223372036854775807");
	ck_is(json_value_seconds(0), "0.0");
	ck_is(json_value_seconds(192300), "192.3");
} END_TEST

int main(void)
{
	Suite *s = suite_create("json_value");
	TCase *tc = unit_case(s, "json_value", NULL, NULL);

	tcase_add_test(tc, a_text_is_a_string_whatever_its_bytes_are);
	tcase_add_test(tc, a_long_text_that_is_not_utf_8_is_cut);
	tcase_add_test(tc, what_is_not_there_is_null);
	tcase_add_test(tc, numbers_are_whole_or_seconds);
	return unit_run(s);
}
