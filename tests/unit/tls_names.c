/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which certificate is found for a name.
 */
#include <config.h>
#include "unit.h"

#include "tls_names.h"

#define MANY 50000

static struct arena arena;

static void set_up(void)
{
	ck_assert_int_eq(arena_open(&arena, 64u << 20), 0);
}

static void tear_down(void)
{
	arena_close(&arena);
}

static struct tls_name names[] = {
	{ "a.example", 0 }, { "*.a.example", 0 }, { "b.example", 1 }, { "www.b.example", 1 },
	{ "www.a.example", 2 }, { "*.b.example", 3 }, { "b.example", 3 }, { "*.*.c.example", 4 },
	{ "*", 5 }, { "192.0.2.1", 6 }, { "*.example", 7 },
};

static const struct {
	const char *asked;
	int         certificate;
} rows[] = {
	{ "a.example", 0 }, { "A.Example", 0 }, { "a.example.", 0 },
	{ "x.a.example", 0 }, { "X.A.EXAMPLE", 0 },
	{ "www.a.example", 2 },                         /* exact before wildcard */
	{ "y.x.a.example", -1 },                        /* one label only */
	{ ".a.example", -1 }, { "", -1 }, { ".", -1 }, { "..", -1 },
	{ "b.example", 1 },                             /* the first one that has it */
	{ "c.b.example", 3 },
	{ "z.c.example", -1 }, { "y.z.c.example", -1 },
	{ "localhost", -1 },                            /* "*" alone is for nothing */
	{ "*", -1 }, { "*.a.example", -1 }, { "*.b.example", -1 },
	{ "192.0.2.1", 6 }, { "192.0.2.2", -1 },
	{ "c.example", 7 },
};

START_TEST(a_name_is_found_exactly_or_by_its_wildcard)
{
	const struct tls_names *index = tls_names_build(&arena, names, ARRAY_SIZE(names));

	ck_assert_ptr_nonnull(index);
	ck_assert_msg(tls_names_find(index, rows[_i].asked) == rows[_i].certificate, "%s: %d", rows[_i].asked,
	              tls_names_find(index, rows[_i].asked));
} END_TEST

START_TEST(without_names_nothing_is_found)
{
	const struct tls_names *index = tls_names_build(&arena, NULL, 0);

	ck_assert_ptr_nonnull(index);
	ck_assert_int_eq(tls_names_find(index, "a.example"), -1);
} END_TEST

START_TEST(a_name_that_is_too_long_is_not_found)
{
	const struct tls_names *index = tls_names_build(&arena, names, ARRAY_SIZE(names));
	char name[400];

	memset(name, 'a', sizeof name - 1);
	memcpy(name + sizeof name - 11, ".a.example", 11);
	ck_assert_int_eq(tls_names_find(index, name), -1);
} END_TEST

START_TEST(each_of_many_names_is_found)
{
	static struct tls_name many[MANY];
	static char text[MANY][24];
	const struct tls_names *index;

	for (uint32_t i = 0; i < MANY; i++) {
		snprintf(text[i], sizeof text[i], "host%u.example", i * 7919u);
		many[i] = (struct tls_name){ text[i], i };
	}
	index = tls_names_build(&arena, many, MANY);
	ck_assert_ptr_nonnull(index);
	for (uint32_t i = 0; i < MANY; i++)
		unit_require(tls_names_find(index, text[i]) == (int)i);
	ck_assert_int_eq(tls_names_find(index, "host.example"), -1);
} END_TEST

START_TEST(a_full_arena_is_told)
{
	struct arena small;

	ck_assert_int_eq(arena_open(&small, 4096), 0);
	ck_assert_ptr_nonnull(arena_alloc(&small, 4000));
	errno = 0;
	ck_assert_ptr_null(tls_names_build(&small, names, ARRAY_SIZE(names)));
	ck_assert_int_eq(errno, ENOMEM);
	arena_close(&small);
} END_TEST

int main(void)
{
	Suite *s = suite_create("tls_names");
	TCase *tc = unit_case(s, "find", set_up, tear_down);

	tcase_add_loop_test(tc, a_name_is_found_exactly_or_by_its_wildcard, 0, ARRAY_SIZE(rows));
	tcase_add_test(tc, without_names_nothing_is_found);
	tcase_add_test(tc, a_name_that_is_too_long_is_not_found);
	tcase_add_test(tc, each_of_many_names_is_found);
	tcase_add_test(tc, a_full_arena_is_told);
	return unit_run(s);
}
