/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Ids of connections, written and read.
 */
#include <config.h>
#include "connection_id.h"

#include "unit.h"

static const struct { pid_t worker; uint64_t number; const char *id; } ids[] = {
	{ 1, 0, "1-0" },
	{ 812, 17, "812-17" },
	{ INT32_MAX, UINT64_MAX, "2147483647-18446744073709551615" },
};

START_TEST(an_id_is_read_as_it_was_written)
{
	char buf[CONNECTION_ID_MAX];
	uint64_t number;
	pid_t worker;

	ck_assert_str_eq(connection_id_format(ids[_i].worker, ids[_i].number, buf), ids[_i].id);
	ck_assert(connection_id_parse(buf, &worker, &number));
	ck_assert_int_eq(worker, ids[_i].worker);
	ck_assert_uint_eq(number, ids[_i].number);
} END_TEST

static const char *const others[] = {
	"", "-", "1", "1-", "-1", "-1-1", "1--1", "1-1-1", "0-1", "1-x", "x-1", " 1-1", "1-1 ", "1- 1", "+1-1",
	"1-+1", "2147483648-1", "99999999999999999999-1", "1-18446744073709551616",
};

START_TEST(nothing_else_is_an_id)
{
	uint64_t number;
	pid_t worker;

	ck_assert_msg(!connection_id_parse(others[_i], &worker, &number), "\"%s\"", others[_i]);
} END_TEST

int main(void)
{
	Suite *s = suite_create("connection_id");
	TCase *tc = unit_case(s, "ids", NULL, NULL);

	tcase_add_loop_test(tc, an_id_is_read_as_it_was_written, 0, ARRAY_SIZE(ids));
	tcase_add_loop_test(tc, nothing_else_is_an_id, 0, ARRAY_SIZE(others));
	return unit_run(s);
}
