/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Memory that is filled once, and shared with children.
 */
#include <config.h>
#include "arena.h"

#include <check.h>
#include <errno.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct arena arena;
static size_t page;

static void open_arena(void)
{
	page = (size_t)sysconf(_SC_PAGESIZE);
	ck_assert_int_eq(arena_open(&arena, 4 * page), 0);
}

static void close_arena(void)
{
	arena_close(&arena);
}

START_TEST(memory_is_zero_and_aligned)
{
	for (size_t size = 1; size < 40; size++) {
		char *p = arena_alloc(&arena, size);

		ck_assert_ptr_nonnull(p);
		ck_assert_uint_eq((uintptr_t)p % alignof(max_align_t), 0);
		for (size_t i = 0; i < size; i++)
			ck_assert_int_eq(p[i], 0);
		memset(p, 0xff, size);
	}
} END_TEST

START_TEST(strings_are_copied)
{
	char text[] = "hello";
	char *whole = arena_strdup(&arena, text), *part = arena_strndup(&arena, text, 4);

	memset(text, 'x', sizeof text - 1);
	ck_assert_str_eq(whole, "hello");
	ck_assert_str_eq(part, "hell");
	ck_assert_str_eq(arena_strdup(&arena, ""), "");
} END_TEST

START_TEST(a_full_arena_says_so_and_stays_usable)
{
	ck_assert_ptr_nonnull(arena_alloc(&arena, 4 * page - 16));
	ck_assert_ptr_null(arena_alloc(&arena, 17));
	ck_assert_int_eq(errno, ENOMEM);
	ck_assert_ptr_null(arena_alloc(&arena, SIZE_MAX));
	ck_assert_ptr_null(arena_strdup(&arena, "seventeen letters"));
	ck_assert_ptr_nonnull(arena_alloc(&arena, 16));
	ck_assert_ptr_null(arena_alloc(&arena, 1));
} END_TEST

START_TEST(the_next_page_is_where_the_next_allocation_begins)
{
	char *before = arena_alloc(&arena, 1);
	char *at = arena_next_page(&arena);

	ck_assert_ptr_eq(at, before + page);
	ck_assert_ptr_eq(arena_next_page(&arena), at);
	ck_assert_ptr_eq(arena_alloc(&arena, 1), at);
} END_TEST

START_TEST(the_end_of_the_arena_is_a_page_boundary)
{
	ck_assert_ptr_nonnull(arena_alloc(&arena, 3 * page + 1));
	ck_assert_ptr_eq(arena_next_page(&arena), arena.base + 4 * page);
	ck_assert_ptr_null(arena_alloc(&arena, 1));
} END_TEST

START_TEST(what_a_child_writes_the_parent_reads)
{
	pid_t child = fork();
	int status;

	ck_assert_int_ne(child, -1);
	if (child == 0) {
		arena_strdup(&arena, "from the child");
		_exit(0);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_str_eq(arena.base, "from the child");
} END_TEST

START_TEST(closing_twice_is_fine)
{
	arena_close(&arena);
	ck_assert_ptr_null(arena.base);
	arena_close(&arena);
} END_TEST

START_TEST(more_than_there_is_cannot_be_opened)
{
	struct arena huge = { 0 };

	ck_assert_int_eq(arena_open(&huge, SIZE_MAX / 2), -1);
	ck_assert_ptr_null(huge.base);
} END_TEST

int main(void)
{
	Suite *suite = suite_create("arena");
	TCase *tc = tcase_create("arena");
	SRunner *sr = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tc);
	tcase_add_checked_fixture(tc, open_arena, close_arena);
	tcase_add_test(tc, memory_is_zero_and_aligned);
	tcase_add_test(tc, strings_are_copied);
	tcase_add_test(tc, a_full_arena_says_so_and_stays_usable);
	tcase_add_test(tc, the_next_page_is_where_the_next_allocation_begins);
	tcase_add_test(tc, the_end_of_the_arena_is_a_page_boundary);
	tcase_add_test(tc, what_a_child_writes_the_parent_reads);
	tcase_add_test(tc, closing_twice_is_fine);
	tcase_add_test(tc, more_than_there_is_cannot_be_opened);
	srunner_set_tap(sr, "-");
	srunner_run_all(sr, CK_SILENT);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
