/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Random parts of times and counts: how far they go, with and without a kernel that has random numbers.
 */
#include <config.h>
#include "jitter.h"

#include <sys/random.h>

#include "unit.h"

ssize_t __wrap_getrandom(void *buf, size_t size, unsigned int flags);

static uint64_t next;           /* what getrandom(2) gives */
static bool     has_none;

ssize_t __wrap_getrandom(void *buf, size_t size, unsigned int flags)
{
	ck_assert_uint_eq(size, sizeof next);
	ck_assert_uint_eq(flags, GRND_NONBLOCK);
	if (has_none) {
		errno = EAGAIN;
		return -1;
	}
	memcpy(buf, &next, size);
	return sizeof next;
}

static const struct { int64_t n, least, most; uint64_t random; int64_t down, around; } rows[] = {
	{ 0, 0, 0, 12345, 0, 0 },
	{ 1, 1, 1, 12345, 1, 1 },
	{ 9, 9, 9, 12345, 9, 9 },
	{ 10, 9, 11, 0, 10, 9 },
	{ 10, 9, 11, 1, 9, 10 },
	{ 10, 9, 11, 2, 10, 11 },
	{ 1000, 900, 1100, 0, 1000, 900 },
	{ 1000, 900, 1100, 100, 900, 1000 },
	{ 1000, 900, 1100, 200, 1000 - 200 % 101, 1100 },
	{ INT64_MAX / 2, INT64_MAX / 2 - INT64_MAX / 20, INT64_MAX / 2 + INT64_MAX / 20, 0,
	  INT64_MAX / 2, INT64_MAX / 2 - INT64_MAX / 20 },
};

START_TEST(a_tenth_less_or_more_at_most)
{
	next = rows[_i].random;
	ck_assert_int_eq(jitter_down(rows[_i].n), rows[_i].down);
	ck_assert_int_eq(jitter_around(rows[_i].n), rows[_i].around);
	for (next = 0; next < 1000; next++) {
		const int64_t down = jitter_down(rows[_i].n), around = jitter_around(rows[_i].n);

		unit_require(down >= rows[_i].least && down <= rows[_i].n);
		unit_require(around >= rows[_i].least && around <= rows[_i].most);
	}
} END_TEST

START_TEST(without_random_numbers_each_process_has_its_own)
{
	has_none = true;
	ck_assert_int_eq(jitter_down(INT32_MAX), INT32_MAX - getpid() % (INT32_MAX / 10 + 1));
} END_TEST

int main(void)
{
	Suite *s = suite_create("jitter");
	TCase *tc = unit_case(s, "jitter", NULL, NULL);

	tcase_add_loop_test(tc, a_tenth_less_or_more_at_most, 0, ARRAY_SIZE(rows));
	tcase_add_test(tc, without_random_numbers_each_process_has_its_own);
	return unit_run(s);
}
