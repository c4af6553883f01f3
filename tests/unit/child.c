/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A worker that is told to drain before the master has read that it accepts: which time limit
 * holds then. The worker is the test itself, at the other end of the leash; no signal is sent.
 */
#include <config.h>
#include "child.h"

#include <unistd.h>

#include "clock.h"
#include "unit.h"

#define START_MS 30000

static struct loop loop;
static struct leash worker;
static struct child child;

static void forget_word(struct child *c, enum leash_word word)
{
	(void)c;
	(void)word;
}

static void adopt(enum child_state state, int64_t limit_ms)
{
	struct leash master;

	ck_assert_int_eq(loop_init(&loop), 0);
	ck_assert_int_eq(leash_open(&master, &worker), 0);
	child = (struct child){ .loop = &loop, .service = "s", .heard = forget_word };
	child_adopt(&child, &(struct child_past){ .pid = getpid(), .leash = master, .state = state,
	                                          .until_ms = clock_deadline(loop.now_ms, limit_ms) });
}

static void tear_down(void)
{
	loop_unwatch(&loop, &child.ear);
	timer_unset(&loop.timers, &child.timer);
	leash_close(&child.leash);
	leash_close(&worker);
	loop_fini(&loop);
}

static void say_ready(void)
{
	ck_assert_int_eq(leash_say(&worker, &(struct leash_message){ .word = LEASH_READY }), 0);
	child.ear.ready(&child.ear, EPOLLIN);
}

/* Milliseconds from now until the limit; 0: there is none. */
static int64_t limit(void)
{
	return timer_is_set(&child.timer) ? child.timer.at_ms - loop.now_ms : 0;
}

/* The last order counts, and a start has its own limit as well: after drain_ms, and after another order. */
static const struct { int64_t start_ms, drain_ms, limit_ms, again_ms, then_ms; } orders[] = {
	{ START_MS, 1000, 1000,     0,     START_MS },
	{ START_MS, 0,    START_MS, 1000,  1000 },
	{ START_MS, 1000, 1000,     50000, START_MS },
	{ 0,        1000, 1000,     0,     0 },
	{ 0,        0,    0,        1000,  1000 },
};

START_TEST(before_it_is_heard_the_earlier_limit_holds)
{
	adopt(CHILD_STARTING, orders[_i].start_ms);
	child_drain(&child, 0, orders[_i].drain_ms);
	ck_assert_int_eq(child.state, CHILD_DRAINING);
	ck_assert_int_eq(limit(), orders[_i].limit_ms);
	child_drain(&child, 0, orders[_i].again_ms);
	ck_assert_int_eq(limit(), orders[_i].then_ms);
} END_TEST

START_TEST(once_it_is_heard_only_the_drain_has_a_limit)
{
	adopt(CHILD_STARTING, START_MS);
	child_drain(&child, 0, orders[_i].again_ms);
	say_ready();
	ck_assert_int_eq(child.state, CHILD_DRAINING);
	ck_assert_int_eq(limit(), orders[_i].again_ms);
	ck_assert_int_eq(child_past(&child).until_ms, clock_deadline(loop.now_ms, orders[_i].again_ms));
} END_TEST

START_TEST(the_next_program_gets_the_limit_of_the_drain)
{
	adopt(CHILD_STARTING, START_MS);
	child_drain(&child, 0, 0);
	ck_assert_int_eq(child_past(&child).until_ms, CLOCK_NEVER);
	child_drain(&child, 0, 50000);
	ck_assert_int_eq(child_past(&child).until_ms, loop.now_ms + 50000);
} END_TEST

START_TEST(ready_changes_no_limit_of_a_worker_that_drains_by_itself)
{
	adopt(CHILD_DRAINING, 1000);
	say_ready();
	ck_assert_int_eq(limit(), 1000);
} END_TEST

int main(void)
{
	Suite *s = suite_create("child");
	TCase *tc = unit_case(s, "drain", NULL, tear_down);

	tcase_add_loop_test(tc, before_it_is_heard_the_earlier_limit_holds, 0, ARRAY_SIZE(orders));
	tcase_add_loop_test(tc, once_it_is_heard_only_the_drain_has_a_limit, 0, ARRAY_SIZE(orders));
	tcase_add_test(tc, the_next_program_gets_the_limit_of_the_drain);
	tcase_add_test(tc, ready_changes_no_limit_of_a_worker_that_drains_by_itself);
	return unit_run(s);
}
