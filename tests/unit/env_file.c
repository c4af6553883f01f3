/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Files of environment variables: what each syntax means, and what is wrong with which line.
 */
#include <config.h>
#include "env_file.h"

#include "unit.h"

static char said[4096];

static void note_variable(void *arg, int line, const char *name, const char *value)
{
	const size_t len = strlen(said);

	(void)arg;
	snprintf(said + len, sizeof said - len, "%d %s=<%s>\n", line, name, value);
}

static void note_error(void *arg, int line, const char *what)
{
	const size_t len = strlen(said);

	(void)arg;
	snprintf(said + len, sizeof said - len, "%d: %s\n", line, what);
}

static const struct {
	const char *name, *text, *want;
} rows[] = {
	{ "an empty file", "", "" },
	{ "comments and empty lines", "# A=1\n\n ; B=2\n\t\nC=3\n", "5 C=<3>\n" },
	{ "no newline at the end", "A=1", "1 A=<1>\n" },
	{ "an empty value", "A=\nB= \n", "1 A=<>\n2 B=<>\n" },
	{ "blanks around name and value", "  A = x y \t\r\n", "1 A=<x y>\n" },
	{ "an equals sign in a value", "A=b=c\n", "1 A=<b=c>\n" },
	{ "a hash in a value", "A=b # c\n", "1 A=<b # c>\n" },
	{ "quotes inside a value", "A=it's \"so\"\n", "1 A=<it's \"so\">\n" },
	{ "a backslash keeps the next character", "A=a\\\\b\\nc\\$\n", "1 A=<a\\bnc$>\n" },
	{ "a backslash keeps a blank at the end", "A=a\\ \n", "1 A=<a >\n" },
	{ "a backslash continues a line", "A=a\\\nb\\\r\nc\nB=2\n", "1 A=<abc>\n4 B=<2>\n" },
	{ "a backslash at the end of the file", "A=a\\", "1 A=<a>\n" },
	{ "single quotes", "A=' a\\n\"b\" # ' \n", "1 A=< a\\n\"b\" # >\n" },
	{ "single quotes over lines", "A='1\n2'\nB=3\n", "1 A=<1\n2>\n3 B=<3>\n" },
	{ "double quotes", "A=\" a'b \"\t\n", "1 A=< a'b >\n" },
	{ "escapes in double quotes", "A=\"\\\"\\\\\\`\\$\\n\"\n", "1 A=<\"\\`$\\n>\n" },
	{ "double quotes over lines", "A=\"1\n2\\\n3\"\nB=4\n", "1 A=<1\n23>\n4 B=<4>\n" },
	{ "bytes beyond ASCII", "A=\xc3\xa4\n", "1 A=<\xc3\xa4>\n" },
	{ "a line without =", "A=1\nfoo\nB=2\n",
	  "1 A=<1>\n2: \"foo\" is not a variable (NAME=VALUE; a comment begins with #)\n3 B=<2>\n" },
	{ "a line without = at the end", "foo", "1: \"foo\" is not a variable (NAME=VALUE; a comment begins with #)\n" },
	{ "export", "export A=1\n", "1: \"export A\" is not the name of a variable (letters, digits and _)\n" },
	{ "no name", "=1\n", "1: \"\" is not the name of a variable (letters, digits and _)\n" },
	{ "a digit first", "1A=1\n_1=2\n",
	  "1: \"1A\" is not the name of a variable (letters, digits and _)\n2 _1=<2>\n" },
	{ "text behind the quotes", "A=\"1\" # one\nB=2\n",
	  "1: there is text behind the quotes (they stand around the whole value)\n2 B=<2>\n" },
	{ "double quotes without end", "\nA=\"1\nB=2\n", "2: the quote that begins here has no end\n" },
	{ "single quotes without end", "A='", "1: the quote that begins here has no end\n" },
	{ "double quotes that end in a backslash", "A=\"\\", "1: the quote that begins here has no end\n" },
};

START_TEST(what_a_file_says)
{
	said[0] = '\0';
	ck_assert_int_eq(env_file_parse(rows[_i].text, note_variable, note_error, NULL), 0);
	ck_assert_msg(strcmp(said, rows[_i].want) == 0, "%s: %s", rows[_i].name, said);
} END_TEST

START_TEST(a_name_of_any_length_is_cut_in_complaints_only)
{
	char text[1200], *end = text;

	memset(text, 'A', 1000);
	end += 1000;
	strcpy(end, "=1\nB=2\n");
	said[0] = '\0';
	ck_assert_int_eq(env_file_parse(text, note_variable, note_error, NULL), 0);
	unit_contains(said, "2 B=<2>\n");
	ck_assert_msg(strncmp(said, "1 AAAA", 6) == 0 && strstr(said, "AAAA=<1>\n"), "%s", said);
	ck_assert_uint_eq(strcspn(said, "=") - 2, 1000);
} END_TEST

int main(void)
{
	Suite *s = suite_create("env_file");
	TCase *tc = unit_case(s, "env_file", NULL, NULL);

	tcase_add_loop_test(tc, what_a_file_says, 0, ARRAY_SIZE(rows));
	tcase_add_test(tc, a_name_of_any_length_is_cut_in_complaints_only);
	return unit_run(s);
}
