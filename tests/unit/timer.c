/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The heap of timers, beside a model that is too simple to be wrong.
 */
#include <config.h>
#include "timer.h"

#include "clock.h"
#include "list.h"
#include "unit.h"

#define TIMERS 200
#define STEPS  20000

static struct timer_heap heap;

struct alarm {
	struct timer timer;
	int64_t      model_ms;          /* CLOCK_NEVER: not set */
	unsigned     n_fired;
};

static struct alarm alarms[TIMERS];
static int64_t last_fired_ms;

static void on_alarm(struct timer *t)
{
	struct alarm *a = container_of(t, struct alarm, timer);

	unit_require(t->position == 0);
	unit_require(a->model_ms >= last_fired_ms);
	last_fired_ms = a->model_ms;
	a->model_ms = CLOCK_NEVER;
	a->n_fired++;
}

static void set_up(void)
{
	heap = (struct timer_heap){ 0 };
	for (size_t i = 0; i < TIMERS; i++)
		alarms[i] = (struct alarm){ .timer.fire = on_alarm, .model_ms = CLOCK_NEVER };
}

static void tear_down(void)
{
	timer_heap_free(&heap);
	ck_assert_uint_eq(heap.n, 0);
	ck_assert_int_eq(timer_next(&heap), CLOCK_NEVER);
}

static void set(struct alarm *a, int64_t at_ms)
{
	unit_require(timer_set(&heap, &a->timer, at_ms) == 0);
	a->model_ms = at_ms;
}

static void unset(struct alarm *a)
{
	timer_unset(&heap, &a->timer);
	a->model_ms = CLOCK_NEVER;
}

/* Sizes, places, and who is next, as the model has them; and the order of a heap. */
static void compare_with_model(void)
{
	int64_t next = CLOCK_NEVER;
	size_t n = 0;

	for (size_t i = 0; i < TIMERS; i++) {
		const struct alarm *a = &alarms[i];

		unit_require((a->timer.position != 0) == (a->model_ms != CLOCK_NEVER));
		if (a->model_ms == CLOCK_NEVER)
			continue;
		n++;
		unit_require(a->timer.at_ms == a->model_ms);
		unit_require(heap.items[a->timer.position - 1] == &a->timer);
		next = a->model_ms < next ? a->model_ms : next;
	}
	unit_require(heap.n == n);
	unit_require(timer_next(&heap) == next);
	for (size_t i = 2; i <= heap.n; i++)
		unit_require(heap.items[i / 2 - 1]->at_ms <= heap.items[i - 1]->at_ms);
}

static uint32_t random_number(void)
{
	static uint32_t seed = 20261122;

	seed = seed * 1664525 + 1013904223;
	return seed >> 8;
}

START_TEST(a_heap_is_as_good_as_a_list)
{
	int64_t now = 0;

	for (int step = 0; step < STEPS; step++) {
		struct alarm *a = &alarms[random_number() % TIMERS];

		switch (random_number() % 8) {
		case 0: case 1: case 2: case 3:         /* sets, or moves, equal times too */
			set(a, now + (int64_t)(random_number() % 50));
			break;
		case 4:
			unset(a);
			break;
		case 5:
			set(a, CLOCK_NEVER);
			break;
		case 6:
			set(a, now - 5);                /* overdue */
			break;
		default:
			now += random_number() % 3;
			last_fired_ms = INT64_MIN;
			timer_run(&heap, now);
			for (size_t i = 0; i < TIMERS; i++)
				unit_require(alarms[i].model_ms > now);
		}
		compare_with_model();
	}
} END_TEST

START_TEST(timers_fire_once_in_their_order_and_not_early)
{
	set(&alarms[0], 30);
	set(&alarms[1], 10);
	set(&alarms[2], 20);
	timer_run(&heap, 9);
	ck_assert_uint_eq(alarms[1].n_fired, 0);
	timer_run(&heap, 10);
	ck_assert_uint_eq(alarms[1].n_fired, 1);
	ck_assert_uint_eq(alarms[2].n_fired, 0);
	timer_run(&heap, 100);
	timer_run(&heap, 200);
	for (int i = 0; i < 3; i++)
		ck_assert_uint_eq(alarms[i].n_fired, 1);
} END_TEST

START_TEST(unsetting_what_is_not_set_does_nothing)
{
	timer_unset(&heap, &alarms[0].timer);
	set(&alarms[1], 5);
	timer_unset(&heap, &alarms[0].timer);
	ck_assert_int_eq(timer_set(&heap, &alarms[0].timer, CLOCK_NEVER), 0);
	compare_with_model();
	ck_assert_int_eq(timer_next(&heap), 5);
} END_TEST

static void set_again(struct timer *t)
{
	struct alarm *a = container_of(t, struct alarm, timer);

	a->n_fired++;
	ck_assert_int_eq(timer_set(&heap, t, t == &alarms[0].timer ? 15 : 25), 0);
}

START_TEST(a_timer_may_be_set_again_while_it_fires)
{
	alarms[0].timer.fire = alarms[1].timer.fire = set_again;
	ck_assert_int_eq(timer_set(&heap, &alarms[0].timer, 5), 0);
	ck_assert_int_eq(timer_set(&heap, &alarms[1].timer, 5), 0);
	timer_run(&heap, 14);
	ck_assert_uint_eq(alarms[0].n_fired, 1);
	ck_assert_uint_eq(alarms[1].n_fired, 1);
	ck_assert_int_eq(timer_next(&heap), 15);
	timer_unset(&heap, &alarms[0].timer);
	ck_assert_int_eq(timer_next(&heap), 25);
} END_TEST

static void unset_the_other(struct timer *t)
{
	struct alarm *a = container_of(t, struct alarm, timer);

	a->n_fired++;
	timer_unset(&heap, a == &alarms[0] ? &alarms[1].timer : &alarms[0].timer);
}

START_TEST(a_timer_that_is_due_can_still_be_unset_by_another)
{
	alarms[0].timer.fire = alarms[1].timer.fire = unset_the_other;
	ck_assert_int_eq(timer_set(&heap, &alarms[0].timer, 5), 0);
	ck_assert_int_eq(timer_set(&heap, &alarms[1].timer, 5), 0);
	timer_run(&heap, 10);
	ck_assert_uint_eq(alarms[0].n_fired + alarms[1].n_fired, 1);
	ck_assert_uint_eq(heap.n, 0);
} END_TEST

int main(void)
{
	Suite *s = suite_create("timer");
	TCase *tc = unit_case(s, "timer", set_up, tear_down);

	tcase_add_test(tc, a_heap_is_as_good_as_a_list);
	tcase_add_test(tc, timers_fire_once_in_their_order_and_not_early);
	tcase_add_test(tc, unsetting_what_is_not_set_does_nothing);
	tcase_add_test(tc, a_timer_may_be_set_again_while_it_fires);
	tcase_add_test(tc, a_timer_that_is_due_can_still_be_unset_by_another);
	return unit_run(s);
}
