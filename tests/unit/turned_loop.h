/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A loop that the test turns, and whose clock stands still until the test moves it. The program needs
 * -Wl,--wrap=clock_ms.
 */
#ifndef DROVER_TESTS_TURNED_LOOP_H
#define DROVER_TESTS_TURNED_LOOP_H

#include "clock.h"
#include "loop.h"
#include "unit.h"

static struct loop loop;
static int64_t now_ms;
static struct timer turn_is_over;

int64_t __wrap_clock_ms(void);

int64_t __wrap_clock_ms(void)
{
	return now_ms;
}

static void on_turn_is_over(struct timer *t)
{
	(void)t;
	loop_stop(&loop);
}

static void open_turned_loop(void)
{
	now_ms = 1000;
	turn_is_over = (struct timer){ .fire = on_turn_is_over };
	ck_assert_int_eq(loop_init(&loop), 0);
}

/* All that is ready now. */
static void turn(void)
{
	loop_timer(&loop, &turn_is_over, 0);
	ck_assert_int_eq(loop_run(&loop), 0);
}

/* So much later. */
static void pass(int64_t ms)
{
	now_ms += ms;
	turn();
}

#endif
