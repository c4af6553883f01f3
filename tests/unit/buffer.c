/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Bytes that wait: in order, all of them, and no memory when there are none.
 */
#include <config.h>
#include "buffer.h"

#include <errno.h>
#include <stdint.h>

#include "unit.h"

static struct buffer b;

static void tear_down(void)
{
	buffer_clear(&b);
}

static void check_waiting(const char *want)
{
	ck_assert_uint_eq(buffer_waiting(&b), strlen(want));
	ck_assert(buffer_is_empty(&b) == (*want == '\0'));
	if (*want)
		ck_assert_mem_eq(buffer_first(&b), want, strlen(want));
}

START_TEST(what_is_added_waits_in_order)
{
	check_waiting("");
	ck_assert_int_eq(buffer_add(&b, "abc", 3), 0);
	ck_assert_int_eq(buffer_add(&b, "de", 2), 0);
	check_waiting("abcde");
} END_TEST

START_TEST(nothing_added_is_nothing_kept)
{
	ck_assert_int_eq(buffer_add(&b, "", 0), 0);
	ck_assert_ptr_null(b.bytes);
} END_TEST

START_TEST(it_is_taken_from_the_front)
{
	buffer_add(&b, "abcde", 5);
	buffer_take(&b, 2);
	check_waiting("cde");
	buffer_take(&b, 0);
	check_waiting("cde");
	ck_assert_int_eq(buffer_add(&b, "fg", 2), 0);
	check_waiting("cdefg");
} END_TEST

START_TEST(once_all_is_taken_it_has_no_memory)
{
	buffer_add(&b, "abc", 3);
	buffer_take(&b, 3);
	check_waiting("");
	ck_assert_ptr_null(b.bytes);
	buffer_add(&b, "abc", 3);
	buffer_take(&b, 100);
	check_waiting("");
} END_TEST

START_TEST(the_end_can_be_taken_back)
{
	buffer_add(&b, "abcdef", 6);
	buffer_take(&b, 2);
	buffer_cut(&b, 9);
	check_waiting("cdef");
	buffer_cut(&b, 3);
	check_waiting("cde");
	buffer_add(&b, "x", 1);
	check_waiting("cdex");
	buffer_cut(&b, 0);
	check_waiting("");
	ck_assert_ptr_null(b.bytes);
	buffer_cut(&b, 0);
} END_TEST

/* A slow reader and a steady writer: it is as long as what waits, whatever went through. */
START_TEST(it_does_not_grow_with_what_went_through)
{
	buffer_add(&b, "0123456789", 10);
	for (int i = 0; i < 1000; i++) {
		ck_assert_int_eq(buffer_add(&b, "0123456789", 10), 0);
		buffer_take(&b, 10);
		ck_assert_uint_le(b.len, 20);
		check_waiting("0123456789");
	}
} END_TEST

START_TEST(too_much_is_refused_and_nothing_lost)
{
	buffer_add(&b, "abc", 3);
	errno = 0;
	ck_assert_int_eq(buffer_add(&b, "x", SIZE_MAX), -1);
	ck_assert_int_eq(errno, ENOMEM);
	check_waiting("abc");
} END_TEST

int main(void)
{
	Suite *s = suite_create("buffer");
	TCase *tc = unit_case(s, "buffer", NULL, tear_down);

	tcase_add_test(tc, what_is_added_waits_in_order);
	tcase_add_test(tc, nothing_added_is_nothing_kept);
	tcase_add_test(tc, it_is_taken_from_the_front);
	tcase_add_test(tc, once_all_is_taken_it_has_no_memory);
	tcase_add_test(tc, the_end_can_be_taken_back);
	tcase_add_test(tc, it_does_not_grow_with_what_went_through);
	tcase_add_test(tc, too_much_is_refused_and_nothing_lost);
	return unit_run(s);
}
