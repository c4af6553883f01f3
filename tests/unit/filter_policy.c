/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What follows when a process of a filter is lost.
 */
#include <config.h>
#include "filter_policy.h"

#include "clock.h"
#include "unit.h"

static const struct {
	const char *name;
	struct filter_death d;
	bool backs_off;
} deaths[] = {
	{ "nothing answered, nothing asked",       { FILTER_END_DIED, 0, 0, 0 },    true },
	{ "nothing answered, nothing read",        { FILTER_END_DIED, 0, 2, 2 },    true },
	{ "it died of its first request",          { FILTER_END_DIED, 0, 1, 0 },    false },
	{ "it read one of three",                  { FILTER_END_DIED, 0, 3, 2 },    false },
	{ "it had answered before",                { FILTER_END_DIED, 1, 0, 0 },    false },
	{ "it greeted",                            { FILTER_END_UNASKED, 0, 0, 0 }, true },
	{ "it answered twice",                     { FILTER_END_UNASKED, 7, 0, 0 }, false },
	{ "its first request took too long",       { FILTER_END_TIMEOUT, 0, 1, 0 }, false },
	{ "it did not even read it",               { FILTER_END_TIMEOUT, 0, 1, 1 }, true },
	{ "its first answer was nonsense",         { FILTER_END_BROKEN, 0, 1, 0 },  false },
};

START_TEST(a_process_that_is_lost_before_it_did_anything_makes_the_next_wait)
{
	ck_assert_msg(filter_policy_backs_off(&deaths[_i].d) == deaths[_i].backs_off, "%s", deaths[_i].name);
} END_TEST

static const struct {
	const char *name;
	struct filter_death d;
	const char *fates;              /* of each request: given on, or failed */
} fates[] = {
	{ "it had read the only one",      { FILTER_END_DIED, 3, 1, 0 },    "f" },
	{ "it had not",                    { FILTER_END_DIED, 3, 1, 1 },    "g" },
	{ "it had read two of four",       { FILTER_END_DIED, 3, 4, 2 },    "ffgg" },
	{ "it read nothing, till the end", { FILTER_END_TIMEOUT, 3, 3, 3 }, "fgg" },
	{ "it read one, and was late",     { FILTER_END_TIMEOUT, 3, 3, 2 }, "fgg" },
	{ "its answer was too long",       { FILTER_END_TOO_LONG, 3, 2, 1 }, "fg" },
};

START_TEST(what_was_not_read_is_given_on)
{
	for (size_t i = 0; i < fates[_i].d.n; i++)
		ck_assert_msg(filter_policy_gives_on(&fates[_i].d, i) == (fates[_i].fates[i] == 'g'),
		              "%s: request %zu", fates[_i].name, i);
} END_TEST

START_TEST(each_delay_is_twice_as_long_up_to_the_longest)
{
	static const struct conf_restart rule = { .delay_min = 100, .delay_max = 1000 };
	static const int64_t want[] = { 100, 200, 400, 800, 1000, 1000 };
	struct filter_trouble t = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		filter_policy_add_trouble(&t, &rule, 5000 + (int64_t)i);
		ck_assert_int_eq(t.delay_ms, want[i]);
		ck_assert_int_eq(t.since_ms, 5000);
	}
} END_TEST

START_TEST(requests_wait_as_long_as_one_may_take_from_where_the_trouble_began)
{
	const struct filter_trouble none = { 0 }, some = { .delay_ms = 1, .since_ms = 5000 };
	const struct conf_filter patient = { .timeout = 300 }, endless = { .timeout = 0 };

	ck_assert_int_eq(filter_policy_patience_ms(&some, &patient), 5300);
	ck_assert_int_eq(filter_policy_patience_ms(&some, &endless), CLOCK_NEVER);
	ck_assert_int_eq(filter_policy_patience_ms(&none, &patient), CLOCK_NEVER);
} END_TEST

int main(void)
{
	Suite *s = suite_create("filter_policy");
	TCase *tc = unit_case(s, "deaths", NULL, NULL);

	tcase_add_loop_test(tc, a_process_that_is_lost_before_it_did_anything_makes_the_next_wait, 0,
	                    (int)ARRAY_SIZE(deaths));
	tcase_add_loop_test(tc, what_was_not_read_is_given_on, 0, (int)ARRAY_SIZE(fates));
	tc = unit_case(s, "trouble", NULL, NULL);
	tcase_add_test(tc, each_delay_is_twice_as_long_up_to_the_longest);
	tcase_add_test(tc, requests_wait_as_long_as_one_may_take_from_where_the_trouble_began);
	return unit_run(s);
}
