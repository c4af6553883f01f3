/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a client of the control socket may write as a number of workers.
 */
#include <config.h>
#include "scale.h"

#include "unit.h"

#define FROM 5

static const struct {
	const char *text;
	bool        is_number;
	int         want;
} rows[] = {
	{ "7",       true,  7 },
	{ "0",       true,  0 },                /* whether that can be had, is not judged here */
	{ "+1",      true,  FROM + 1 },
	{ "-2",      true,  FROM - 2 },
	{ "-9",      true,  FROM - 9 },
	{ "+0",      true,  FROM },
	{ "999999",  true,  999999 },
	{ "1000000", false, 0 },
	{ "",        false, 0 },
	{ "+",       false, 0 },
	{ "-",       false, 0 },
	{ "++1",     false, 0 },
	{ "1+",      false, 0 },
	{ " 1",      false, 0 },
	{ "1.5",     false, 0 },
	{ "0x10",    false, 0 },
};

START_TEST(a_number_of_workers_is_absolute_or_relative)
{
	int to = 0;

	ck_assert_msg(scale_parse(rows[_i].text, FROM, &to) == rows[_i].is_number, "\"%s\"", rows[_i].text);
	ck_assert_msg(to == rows[_i].want, "\"%s\": %d", rows[_i].text, to);
} END_TEST

int main(void)
{
	Suite *s = suite_create("scale");
	TCase *tc = unit_case(s, "scale", NULL, NULL);

	tcase_add_loop_test(tc, a_number_of_workers_is_absolute_or_relative, 0, ARRAY_SIZE(rows));
	return unit_run(s);
}
