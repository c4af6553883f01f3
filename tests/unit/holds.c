/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The holds of workers: their words, their memory, and how a worker gets and puts them back.
 */
#include <config.h>
#include "holds.h"

#include <stdint.h>
#include <sys/mman.h>

#include "unit.h"

static const struct hold_view views[] = {
	{ HOLD_NONE, 0, 0 },
	{ HOLD_INTENT, 0, 1 },
	{ HOLD_HELD, 1, 1 },
	{ HOLD_HELD, (1 << HOLD_INDEX_BITS) - 1, (UINT64_C(1) << HOLD_TAG_BITS) - 1 },
	{ HOLD_INTENT, 1 << (HOLD_INDEX_BITS - 1), UINT64_C(1) << (HOLD_TAG_BITS - 1) },
};

START_TEST(a_hold_says_what_was_set)
{
	struct hold h = { 0 };
	struct hold_view got;

	hold_set(&h, views[_i]);
	got = hold_get(&h);
	ck_assert_int_eq(got.state, views[_i].state);
	ck_assert_uint_eq(got.index, views[_i].index);
	ck_assert_uint_eq(got.tag, views[_i].tag);
} END_TEST

START_TEST(a_hold_of_nothing_is_zero)
{
	struct hold h = { 77 };

	hold_set(&h, (struct hold_view){ HOLD_NONE, 5, 6 });
	ck_assert_uint_eq(atomic_load(&h.word), 0);
} END_TEST

START_TEST(a_service_hold_says_what_was_set)
{
	struct service_hold h = { 0 };

	ck_assert_uint_eq(service_hold_get(&h).held, 0);
	ck_assert(!service_hold_get(&h).intent);
	service_hold_set(&h, (struct service_hold_view){ UINT32_MAX, true });
	ck_assert_uint_eq(service_hold_get(&h).held, UINT32_MAX);
	ck_assert(service_hold_get(&h).intent);
	service_hold_set(&h, (struct service_hold_view){ 7, false });
	ck_assert_uint_eq(service_hold_get(&h).held, 7);
	ck_assert(!service_hold_get(&h).intent);
} END_TEST

/* ---- memory ------------------------------------------------------------- */

static size_t n_used(const struct holds *h, size_t i)
{
	size_t n;

	holds_of(h, i, &n);
	return n;
}

/* In worker i of a pool: gets n of them, and takes places with the first and the last. */
static void be_worker(struct holds *h, size_t i, size_t n)
{
	struct hold *last = NULL;

	if (holds_enter(h, i) == -1 || holds_fd(h) != -1)
		_exit(1);
	for (size_t k = 0; k < n; k++) {
		last = holds_get(h);
		if (!last || hold_get(last).state != HOLD_NONE)
			_exit(2);
		if (k == 0)
			hold_set(last, (struct hold_view){ HOLD_HELD, 11, 12 });
	}
	if (last)
		hold_set(last, (struct hold_view){ HOLD_INTENT, 21, 22 });
	service_hold_set(holds_service(h), (struct service_hold_view){ (uint32_t)n, false });
	_exit(0);
}

static void run_worker(struct holds *h, size_t i, size_t n)
{
	pid_t child = fork();

	if (child == 0)
		be_worker(h, i, n);
	unit_child_succeeds(child);
}

START_TEST(the_master_reads_what_a_worker_held)
{
	struct holds *h = holds_new(3, 600);
	struct hold *of;
	size_t n;

	run_worker(h, 1, 600);
	of = holds_of(h, 1, &n);
	ck_assert_uint_eq(n, 600);
	ck_assert_int_eq(hold_get(&of[0]).state, HOLD_HELD);
	ck_assert_uint_eq(hold_get(&of[0]).index, 11);
	ck_assert_int_eq(hold_get(&of[599]).state, HOLD_INTENT);
	ck_assert_uint_eq(service_hold_get(holds_service_of(h, 1)).held, 600);
	for (size_t i = 0; i < 3; i += 2) {
		ck_assert_uint_eq(n_used(h, i), 0);
		ck_assert_uint_eq(service_hold_get(holds_service_of(h, i)).held, 0);
	}
	holds_free(&h);
	ck_assert_ptr_null(h);
	holds_free(&h);
} END_TEST

START_TEST(after_a_reset_the_next_worker_finds_nothing)
{
	struct holds *h = holds_new(2, 600);
	struct hold *of;
	size_t n;

	run_worker(h, 0, 600);
	run_worker(h, 1, 3);
	holds_reset(h, 0);
	ck_assert_uint_eq(n_used(h, 0), 0);
	ck_assert_uint_eq(service_hold_get(holds_service_of(h, 0)).held, 0);
	ck_assert_uint_eq(n_used(h, 1), 3);
	ck_assert_uint_eq(service_hold_get(holds_service_of(h, 1)).held, 3);
	run_worker(h, 0, 2);
	of = holds_of(h, 0, &n);
	ck_assert_uint_eq(n, 2);
	ck_assert_int_eq(hold_get(&of[1]).state, HOLD_INTENT);
	holds_free(&h);
} END_TEST

static bool is_mapped(const void *p)
{
	const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);

	return msync((void *)((uintptr_t)p / page * page), 1, MS_ASYNC) == 0;
}

START_TEST(a_worker_maps_no_holds_of_others)
{
	for (size_t me = 0; me < 3; me++) {
		struct holds *h = holds_new(3, 600);
		pid_t child = fork();

		if (child == 0) {
			const void *const parts[] = { holds_service_of(h, 0), holds_service_of(h, 1),
			                              holds_service_of(h, 2) };

			if (holds_enter(h, me) == -1)
				_exit(1);
			for (size_t i = 0; i < 3; i++)
				if (is_mapped(parts[i]) != (i == me))
					_exit(2);
			if (holds_service(h) != parts[me])
				_exit(3);
			holds_free(&h);
			_exit(is_mapped(parts[me]) ? 4 : 0);
		}
		unit_child_succeeds(child);
		holds_free(&h);
	}
} END_TEST

/* Those that were put back are handed out again before those that were never used. */
START_TEST(few_holds_are_ever_used)
{
	struct holds *h = holds_new(1, 100);
	struct hold *got[4];

	ck_assert_int_eq(holds_enter(h, 0), 0);
	for (int round = 0; round < 1000; round++) {
		for (size_t i = 0; i < ARRAY_SIZE(got); i++)
			got[i] = holds_get(h);
		for (size_t i = 0; i < ARRAY_SIZE(got); i++)
			holds_put(h, got[(i + (size_t)round) % ARRAY_SIZE(got)]);
	}
	ck_assert_uint_eq(n_used(h, 0), ARRAY_SIZE(got));
	holds_put(h, NULL);
	holds_free(&h);
} END_TEST

START_TEST(there_are_as_many_as_were_asked_for)
{
	struct holds *h = holds_new(1, 5);
	struct hold *got[5];

	ck_assert_uint_eq(holds_workers(h), 1);
	ck_assert_uint_eq(holds_each(h), 5);
	ck_assert_int_eq(holds_enter(h, 0), 0);
	for (size_t i = 0; i < 5; i++) {
		got[i] = holds_get(h);
		ck_assert_ptr_nonnull(got[i]);
		for (size_t k = 0; k < i; k++)
			ck_assert_ptr_ne(got[i], got[k]);
	}
	ck_assert_ptr_null(holds_get(h));
	holds_put(h, got[2]);
	ck_assert_ptr_eq(holds_get(h), got[2]);
	holds_free(&h);
} END_TEST

START_TEST(adopted_holds_are_the_same_memory)
{
	struct holds *made = holds_new(2, 50), *adopted;
	const int before = unit_count_fds();
	int fd = fcntl(holds_fd(made), F_DUPFD_CLOEXEC, 0);

	ck_assert_ptr_null(holds_adopt(fd, 40, 50));
	ck_assert_ptr_null(holds_adopt(fd, 2, 5000));
	ck_assert(unit_fd_is_open(fd));
	adopted = holds_adopt(fd, 2, 50);
	ck_assert_ptr_nonnull(adopted);
	run_worker(made, 1, 3);
	ck_assert_uint_eq(n_used(adopted, 1), 3);
	holds_free(&adopted);
	ck_assert_int_eq(unit_count_fds(), before);
	holds_free(&made);
} END_TEST

static const struct { size_t n_workers, n_holds; } nonsense[] = {
	{ 0, 1 }, { SIZE_MAX, 1 }, { 1, SIZE_MAX }, { UINT32_MAX, UINT32_MAX },
	{ SIZE_MAX / 8, SIZE_MAX / 8 },
};

START_TEST(impossible_sizes_are_refused)
{
	const int before = unit_count_fds();

	errno = 0;
	ck_assert_ptr_null(holds_new(nonsense[_i].n_workers, nonsense[_i].n_holds));
	ck_assert_int_ne(errno, 0);
	ck_assert_int_eq(unit_count_fds(), before);
} END_TEST

int main(void)
{
	Suite *s = suite_create("holds");
	TCase *words = unit_case(s, "words", NULL, NULL);
	TCase *memory = unit_case(s, "memory", NULL, NULL);

	tcase_add_loop_test(words, a_hold_says_what_was_set, 0, ARRAY_SIZE(views));
	tcase_add_test(words, a_hold_of_nothing_is_zero);
	tcase_add_test(words, a_service_hold_says_what_was_set);
	tcase_add_test(memory, the_master_reads_what_a_worker_held);
	tcase_add_test(memory, after_a_reset_the_next_worker_finds_nothing);
	tcase_add_test(memory, a_worker_maps_no_holds_of_others);
	tcase_add_test(memory, few_holds_are_ever_used);
	tcase_add_test(memory, there_are_as_many_as_were_asked_for);
	tcase_add_test(memory, adopted_holds_are_the_same_memory);
	tcase_add_loop_test(memory, impossible_sizes_are_refused, 0, ARRAY_SIZE(nonsense));
	return unit_run(s);
}
