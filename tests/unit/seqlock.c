/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A reader and a writer of two values, step by step in every order in which their steps can meet. Memory
 * order cannot be seen this way. The test of blocks stops a real writer after each of its instructions.
 */
#include <config.h>
#include "seqlock.h"

#include <stdint.h>

#include "unit.h"

struct pair {
	_Atomic uint32_t turn;
	_Atomic int      a, b;
};

struct reader {
	uint32_t turn;
	int      a, b;
	bool     whole;
};

#define STEPS 4                                 /* of each of the two */

static void write_step(struct pair *p, int step, int value)
{
	switch (step) {
	case 0: seqlock_write_begin(&p->turn); break;
	case 1: atomic_store_explicit(&p->a, value, memory_order_relaxed); break;
	case 2: atomic_store_explicit(&p->b, value, memory_order_relaxed); break;
	case 3: seqlock_write_end(&p->turn); break;
	}
}

static void read_step(struct reader *r, const struct pair *p, int step)
{
	switch (step) {
	case 0: r->turn = seqlock_read_begin(&p->turn); break;
	case 1: r->a = atomic_load_explicit(&p->a, memory_order_relaxed); break;
	case 2: r->b = atomic_load_explicit(&p->b, memory_order_relaxed); break;
	case 3: r->whole = seqlock_read_end(&p->turn, r->turn); break;
	}
}

static void write_pair(struct pair *p, int value)
{
	for (int step = 0; step < STEPS; step++)
		write_step(p, step, value);
}

static struct reader read_pair(const struct pair *p)
{
	struct reader r = { 0 };

	for (int step = 0; step < STEPS; step++)
		read_step(&r, p, step);
	return r;
}

/* A bit for each turn: set if it is the writer's. */
static bool is_an_order(unsigned order)
{
	return __builtin_popcount(order) == STEPS;
}

static struct reader meet(struct pair *p, unsigned order, int value)
{
	struct reader r = { 0 };
	int written = 0, read = 0;

	for (int i = 0; i < 2 * STEPS; i++)
		if (order & 1u << i)
			write_step(p, written++, value);
		else
			read_step(&r, p, read++);
	return r;
}

static const uint32_t first_turns[] = { 0, 2, UINT32_MAX - 1 };

START_TEST(no_order_of_steps_gives_a_part_of_a_write)
{
	const unsigned reader_first = 0xf0, writer_first = 0x0f;
	int n_whole = 0;

	for (unsigned order = 0; order < 1u << 2 * STEPS; order++) {
		struct pair p = { first_turns[_i], 1, 1 };
		struct reader r;

		if (!is_an_order(order))
			continue;
		r = meet(&p, order, 2);
		unit_require(!r.whole || r.a == r.b);
		unit_require(order != reader_first || (r.whole && r.a == 1));
		unit_require(order != writer_first || (r.whole && r.a == 2));
		n_whole += r.whole;
	}
	ck_assert_int_ge(n_whole, 2);
} END_TEST

START_TEST(each_write_has_another_number_which_is_even)
{
	struct pair p = { first_turns[_i], 0, 0 };

	for (int value = 1; value < 10; value++) {
		const uint32_t before = p.turn;

		write_pair(&p, value);
		ck_assert_uint_eq(p.turn, before + 2);
		ck_assert(seqlock_is_whole(&p.turn));
		ck_assert(!seqlock_read_end(&p.turn, before));
		ck_assert(read_pair(&p).whole && read_pair(&p).b == value);
	}
} END_TEST

/* Every reader is told, until another process writes. */
START_TEST(what_a_dead_writer_has_left_is_void_until_it_is_written_anew)
{
	struct pair p = { first_turns[_i], 1, 1 };

	for (int died = 1; died < STEPS; died++) {
		for (int step = 0; step < died; step++)
			write_step(&p, step, 2);
		ck_assert(!seqlock_is_whole(&p.turn));
		ck_assert(!read_pair(&p).whole);
		write_pair(&p, 3);
		ck_assert(seqlock_is_whole(&p.turn));
		ck_assert(read_pair(&p).whole && read_pair(&p).a == 3);
	}
} END_TEST

/* As a worker can write that was taken over. */
START_TEST(a_write_ends_with_an_even_number_whatever_was_there)
{
	struct pair p = { 0 };

	write_step(&p, 0, 1);
	p.turn = first_turns[_i];
	write_step(&p, 3, 1);
	ck_assert(seqlock_is_whole(&p.turn));
} END_TEST

START_TEST(a_number_may_be_wider)
{
	_Atomic uint64_t turn = UINT64_C(1) << 40;
	const uint64_t before = seqlock_read_begin(&turn);

	ck_assert(seqlock_read_end(&turn, before));
	seqlock_write_begin(&turn);
	ck_assert(!seqlock_read_end(&turn, before) && !seqlock_is_whole(&turn));
	seqlock_write_end(&turn);
	ck_assert_uint_eq(turn, before + 2);
} END_TEST

int main(void)
{
	Suite *s = suite_create("seqlock");
	TCase *tc = unit_case(s, "seqlock", NULL, NULL);
	const int n = (int)ARRAY_SIZE(first_turns);

	tcase_add_loop_test(tc, no_order_of_steps_gives_a_part_of_a_write, 0, n);
	tcase_add_loop_test(tc, each_write_has_another_number_which_is_even, 0, n);
	tcase_add_loop_test(tc, what_a_dead_writer_has_left_is_void_until_it_is_written_anew, 0, n);
	tcase_add_loop_test(tc, a_write_ends_with_an_even_number_whatever_was_there, 0, n);
	tcase_add_test(tc, a_number_may_be_wider);
	return unit_run(s);
}
