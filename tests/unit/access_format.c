/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Templates of access log lines: what they are cut into, and what is wrong with others.
 */
#include <config.h>
#include "access_format.h"

#include "unit.h"

static struct access_format_piece pieces[ACCESS_FORMAT_PIECES_MAX];
static struct access_format_fault fault;

static const struct {
	const char *text;
	const char *want;               /* pieces in [ ]: names of fields with a $ before them */
} good[] = {
	{ "{peer}", "[$peer]" },
	{ "{peer} {how}", "[$peer][ ][$how]" },
	{ "a{in}{out}b", "[a][$in][$out][b]" },
	{ "{{{tls_error}}}", "[{][$tls_error][}]" },
	{ "{{\"t\":\"{time}\"}}", "[{][\"t\":\"][$time][\"][}]" },
	{ "{peer}\t{{{{", "[$peer][\t][{][{]" },
	{ "100 % of {service}\\n", "[100 % of ][$service][\\n]" },
};

START_TEST(a_template_is_fields_and_what_is_between_them)
{
	const size_t n = access_format_parse(good[_i].text, pieces, &fault);
	char got[256] = "";
	size_t len = 0;

	for (size_t i = 0; i < n; i++)
		len += (size_t)(pieces[i].field == ACCESS_FORMAT_LITERAL ?
		       snprintf(got + len, sizeof got - len, "[%.*s]", (int)pieces[i].len, pieces[i].text) :
		       snprintf(got + len, sizeof got - len, "[$%s]", access_format_name(pieces[i].field)));
	ck_assert_str_eq(got, good[_i].want);
} END_TEST

START_TEST(every_field_has_a_name_that_is_found)
{
	for (int i = 0; i < ACCESS_FORMAT_LITERAL; i++) {
		char text[64];

		snprintf(text, sizeof text, "{%s}", access_format_name((enum access_format_field)i));
		ck_assert_uint_eq(access_format_parse(text, pieces, &fault), 1);
		ck_assert_int_eq((int)pieces[0].field, i);
		ck_assert_uint_lt(strlen(text), ACCESS_FORMAT_NAME_MAX);
	}
} END_TEST

static const struct { const char *text; enum access_format_error want; const char *name; } bad[] = {
	{ "{pee}", ACCESS_FORMAT_UNKNOWN, "pee" },
	{ "{peers}", ACCESS_FORMAT_UNKNOWN, "peers" },
	{ "{PEER}", ACCESS_FORMAT_UNKNOWN, "PEER" },
	{ "{peer }", ACCESS_FORMAT_UNKNOWN, "peer " },
	{ "{}", ACCESS_FORMAT_UNKNOWN, "" },
	{ "{peer} {0123456789012345678901234567890123456789}", ACCESS_FORMAT_UNKNOWN,
	  "0123456789012345678901234567890" },
	{ "{peer", ACCESS_FORMAT_OPEN, NULL },
	{ "{", ACCESS_FORMAT_OPEN, NULL },
	{ "{peer {how}", ACCESS_FORMAT_OPEN, NULL },
	{ "{{{", ACCESS_FORMAT_OPEN, NULL },
	{ "{peer}}", ACCESS_FORMAT_CLOSED, NULL },
	{ "}", ACCESS_FORMAT_CLOSED, NULL },
	{ "peer} {how}", ACCESS_FORMAT_CLOSED, NULL },
	{ "{peer}\n{how}", ACCESS_FORMAT_BYTE, NULL },
	{ "{peer}\x7f", ACCESS_FORMAT_BYTE, NULL },
	{ "{peer}\xc3\xa4", ACCESS_FORMAT_BYTE, NULL },
	{ "{peer}\033[2J", ACCESS_FORMAT_BYTE, NULL },
	{ "{{}}", ACCESS_FORMAT_CONSTANT, NULL },
};

START_TEST(what_is_wrong_is_named)
{
	ck_assert_uint_eq(access_format_parse(bad[_i].text, pieces, &fault), 0);
	ck_assert_msg(fault.error == bad[_i].want, "%s: %d", bad[_i].text, (int)fault.error);
	if (bad[_i].name)
		ck_assert_str_eq(fault.name, bad[_i].name);
} END_TEST

/* A template of n bytes; of n pieces. */
START_TEST(a_template_has_a_greatest_length)
{
	static char text[2 * ACCESS_FORMAT_TEXT_MAX];

	memset(text, 'x', sizeof text - 1);
	memcpy(text, "{how}", 5);
	text[ACCESS_FORMAT_TEXT_MAX + 1] = '\0';
	ck_assert_uint_eq(access_format_parse(text, pieces, &fault), 0);
	ck_assert_int_eq(fault.error, ACCESS_FORMAT_LONG);
	text[ACCESS_FORMAT_TEXT_MAX] = '\0';
	ck_assert_uint_eq(access_format_parse(text, pieces, &fault), 2);
	text[0] = '\0';
	for (int i = 0; i < ACCESS_FORMAT_PIECES_MAX; i++)
		strcat(text, "{in}");
	ck_assert_uint_eq(access_format_parse(text, pieces, &fault), ACCESS_FORMAT_PIECES_MAX);
	strcat(text, "x");
	ck_assert_uint_eq(access_format_parse(text, pieces, &fault), 0);
	ck_assert_int_eq(fault.error, ACCESS_FORMAT_LONG);
} END_TEST

START_TEST(a_name_of_a_format_is_no_template)
{
	ck_assert(!access_format_is_template("text"));
	ck_assert(!access_format_is_template("json"));
	ck_assert(!access_format_is_template(""));
	ck_assert(access_format_is_template("text{"));
	ck_assert(access_format_is_template("json}"));
} END_TEST

int main(void)
{
	Suite *s = suite_create("access_format");
	TCase *tc = unit_case(s, "access_format", NULL, NULL);

	tcase_add_loop_test(tc, a_template_is_fields_and_what_is_between_them, 0, ARRAY_SIZE(good));
	tcase_add_test(tc, every_field_has_a_name_that_is_found);
	tcase_add_loop_test(tc, what_is_wrong_is_named, 0, ARRAY_SIZE(bad));
	tcase_add_test(tc, a_template_has_a_greatest_length);
	tcase_add_test(tc, a_name_of_a_format_is_no_template);
	return unit_run(s);
}
