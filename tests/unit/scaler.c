/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What orders do to a pool that sizes itself, and what it does if it cannot
 * fall asleep.
 */
#include <config.h>
#include "scaler.h"

#include "unit.h"

#define CALM_MS 1000

static const struct conf_service range = {
	.name = "s", .connections = 10,
	.workers = { .ranged = true, .min = 1, .max = 8, .spare_min = 3, .spare_max = 10,
	             .calm = CALM_MS },
};
static const struct conf_service on_demand = {
	.name = "s", .connections = 10,
	.workers = { .ranged = true, .min = 0, .max = 8, .spare_min = 3, .spare_max = 10,
	             .calm = CALM_MS, .idle_exit = 4000 },
};

static struct loop l;

static void set_up(void)
{
	ck_assert_int_eq(loop_init(&l), 0);
}

static void tear_down(void)
{
	loop_fini(&l);
}

static void never(struct scaler *s)
{
	(void)s;
	ck_abort_msg("the loop does not turn");
}

static struct scaler scaler_of(const struct conf_service *service)
{
	return (struct scaler){ .service = service, .loop = &l, .look = never };
}

static bool review(struct scaler *s, int accepting, int64_t open)
{
	return scaler_review(s, &(struct scaler_counts){ .accepting = accepting, .open = open });
}

static const struct {
	const char *name;
	int  to;
	bool as_least, changes;
	int  wanted, floor;
} rows[] = {
	/* It began with 1, and has grown to 2. */
	{ "what it has grown to becomes the least", 2, true,  true,  2, 2 },
	{ "no step leaves it alone",                2, false, false, 2, 1 },
	{ "one step up is the least, too",          3, false, true,  3, 3 },
	{ "one step down is not",                   1, false, true,  1, 1 },
	{ "less than it has grown to is the least", 1, true,  true,  1, 1 },
	{ "more than there may be is not obeyed",   9, true,  false, 2, 1 },
	{ "none is not obeyed",                     0, true,  false, 2, 1 },
};

START_TEST(orders)
{
	struct scaler s = scaler_of(&range);

	scaler_start(&s);
	review(&s, 1, 10);
	ck_assert_int_eq(s.wanted, 2);
	ck_assert_msg(scaler_set(&s, rows[_i].to, rows[_i].as_least) == rows[_i].changes, "%s",
	              rows[_i].name);
	ck_assert_msg(s.wanted == rows[_i].wanted, "%s: %d", rows[_i].name, s.wanted);
	ck_assert_msg(s.floor == rows[_i].floor, "%s: %d", rows[_i].name, s.floor);
} END_TEST

START_TEST(less_than_it_has_grown_to_can_be_the_least)
{
	struct scaler s = scaler_of(&range);

	scaler_start(&s);
	review(&s, 1, 10);
	review(&s, 2, 20);
	ck_assert_int_eq(s.wanted, 3);
	ck_assert(scaler_set(&s, 2, true));
	ck_assert_int_eq(s.floor, 2);
	/* One step down takes nothing back but what was ordered. */
	ck_assert(scaler_set(&s, 5, true));
	ck_assert(scaler_set(&s, 4, false));
	ck_assert_int_eq(s.floor, 4);
} END_TEST

START_TEST(a_new_beginning_knows_nothing_of_the_old_one)
{
	struct scaler s = scaler_of(&range);

	scaler_start(&s);
	s.memory = (struct policy_memory){ .exhausted = true, .relief_ms = l.now_ms, .step = 4 };
	scaler_end(&s, &(struct scaler_counts){ 0 });
	scaler_start(&s);
	review(&s, 1, 0);
	ck_assert(!s.exhaustion.lasts);
} END_TEST

START_TEST(a_pool_that_cannot_fall_asleep_tries_again)
{
	struct scaler s = scaler_of(&on_demand);
	const int no_listener[] = { -1 };

	s.listeners = no_listener;
	s.n_listeners = 1;
	scaler_start(&s);
	ck_assert_int_eq(s.wanted, 1);
	for (int64_t ms = 0; ms <= on_demand.workers.idle_exit; ms += CALM_MS, l.now_ms += CALM_MS) {
		ck_assert(!review(&s, 1, 0));
		ck_assert(timer_is_set(&s.again));
	}
	ck_assert_int_eq(s.wanted, 1);
} END_TEST

int main(void)
{
	Suite *suite = suite_create("scaler");
	TCase *tc = unit_case(suite, "scaler", set_up, tear_down);

	tcase_add_loop_test(tc, orders, 0, ARRAY_SIZE(rows));
	tcase_add_test(tc, less_than_it_has_grown_to_can_be_the_least);
	tcase_add_test(tc, a_new_beginning_knows_nothing_of_the_old_one);
	tcase_add_test(tc, a_pool_that_cannot_fall_asleep_tries_again);
	return unit_run(suite);
}
