/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Programs that end while they wait, by themselves or of age, and how soon they
 * are replaced.
 */
#include <config.h>
#include "warm_pool.h"

#include <sys/stat.h>

#include "warm_pool_harness.h"

static const char *just_exits[] = { "/bin/true", NULL };

/* ---- deaths ------------------------------------------------------ */

START_TEST(one_that_has_ended_is_passed_over)
{
	int fd;

	run_with(cat);
	kill(started[0], SIGKILL);
	until_ended(started[0]);
	ck_assert_int_eq(take(&fd, true), started[1]);
	programs_reap(&worker.programs);
	expect_end(0, started[0], "crash", "signal", SIGKILL);
	ck_assert_uint_eq(waiting(), 1);
	close(fd);
} END_TEST

START_TEST(if_all_have_ended_one_is_started)
{
	int fd;

	run_with(cat);
	for (int i = 0; i < 3; i++)
		kill(started[i], SIGKILL);
	for (int i = 0; i < 3; i++)
		until_ended(started[i]);
	take(&fd, false);
	programs_reap(&worker.programs);
	ck_assert_uint_eq(n_ended, 3);
	ck_assert_uint_eq(atomic_load(&worker.slot->crashed), 3);
	close(fd);
} END_TEST

/* Each time later, and never more often than that. */
START_TEST(after_a_crash_the_next_has_to_wait)
{
	static const long long want[] = { 100, 200, 400, 800, 1000, 1000 };

	service.handler.warm.n = 1;
	run_with(cat);
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		crash(started[i]);
		expect_end(i, started[i], "crash", "signal", SIGKILL);
		ck_assert_uint_eq(waiting(), 0);
		ck_assert_uint_eq(n_delays, i + 1);
		ck_assert_int_eq(delays[i], want[i]);
		skip(want[i] - 1);
		ck_assert_uint_eq(n_started, i + 1);
		skip(1);
		ck_assert_uint_eq(n_started, i + 2);
	}
	ck_assert_uint_eq(atomic_load(&worker.slot->crashed), 6);
	/* From the third on the service is failing, which is told once. */
	ck_assert_int_eq(count_logged("crashed while it waited (signal 9)"), HEALTH_STRIKES);
	ck_assert_int_eq(count_logged("failing: /bin/cat crashes while it waits (signal 9)"), 1);
	ck_assert(health_fails(&worker));
	take_and_close();
	ck_assert(!health_fails(&worker));
	skip(10);
	crash(started[7]);
	ck_assert_int_eq(delays[6], 100);       /* one was of use */
} END_TEST

START_TEST(another_status_is_a_crash)
{
	service.handler.warm.n = 1;
	run_script("exit 3");
	reap(started[0]);
	expect_end(0, started[0], "crash", "exit", 3);
	ck_assert_int_eq(count_logged("crashed while it waited (exit 3)"), 1);
	ck_assert_int_eq(count_logged("does it wait"), 0);
	ck_assert_int_eq(delays[0], 100);
} END_TEST

/* Quietly, but not without end: one by one, not all together after as many seconds. */
START_TEST(one_that_does_not_wait_is_replaced_once_a_second)
{
	size_t i = 0;

	run_with(just_exits);
	for (int ms = 0; ms < 20000; ms += 10, skip(10))
		for (; i < n_started; i++)
			reap(started[i]);
	ck_assert_uint_eq(n_delays, 0);
	ck_assert_uint_eq(n_started, n_ended + waiting());
	ck_assert_uint_le(n_started, 3 + 3 + 20);
	ck_assert_uint_ge(n_started, 20);
	for (size_t k = 0; k < n_ended; k++)
		ck_assert_str_eq(ended[k].reason, "exit");
	for (size_t k = 5; k + 1 < n_started; k++)      /* three in a row, and one a second */
		ck_assert_int_ge(started_ms[k + 1] - started_ms[k], 1000);
	ck_assert_int_eq(count_logged("does it wait for its client"), 1);
	ck_assert_uint_eq(atomic_load(&worker.slot->crashed), 0);
} END_TEST

/* A program with a time-out of its own. */
START_TEST(one_that_ends_well_after_a_while_is_replaced_at_once)
{
	ck_assert_int_eq(mkfifo("go", 0600), 0);
	service.handler.warm.n = 1;
	run_script("read x <go; exit 0");
	skip(5000);
	change_to(cat);
	unit_write_file("go", "\n");            /* waits for who reads it */
	reap(started[0]);
	expect_end(0, started[0], "exit", "exit", 0);
	ck_assert_uint_eq(n_started, 1);
	skip(0);
	ck_assert_uint_eq(n_started, 2);
	ck_assert_int_eq(count_logged("does it wait"), 0);
} END_TEST

/* ---- age --------------------------------------------------------- */

START_TEST(one_that_waited_long_is_replaced)
{
	service.handler.warm.max_age = 10000;
	run_with(cat);
	skip(8999);
	ck_assert_uint_eq(n_started, 3);
	skip(1001);
	ck_assert_uint_eq(n_started, 6);
	ck_assert_uint_eq(waiting(), 3);
	for (int i = 0; i < 3; i++)
		reap(started[i]);               /* it has seen the end of its input */
	ck_assert_uint_eq(n_ended, 3);
	for (int i = 0; i < 3; i++) {
		ck_assert_str_eq(ended[i].reason, "age");
		ck_assert_str_eq(ended[i].how, "exit");
	}
	ck_assert_uint_eq(n_delays, 0);
	skip(10000);
	ck_assert_uint_eq(n_started, 9);
} END_TEST

/* Only that they do not go together: each has waited nine tenths at least. */
START_TEST(they_do_not_go_all_at_once)
{
	service.handler.warm.max_age = HOUR_MS;
	service.handler.warm.n = 20;
	run_with(cat);
	skip(HOUR_MS - HOUR_MS / 10 - 1);
	ck_assert_uint_eq(n_started, 20);
	skip(HOUR_MS / 10);
	ck_assert_uint_ge(n_started, 39);
	ck_assert_int_gt(started_ms[38], started_ms[20]);
} END_TEST

START_TEST(one_that_ignores_the_end_of_its_input_is_told)
{
	service.handler.warm.max_age = 10000;
	service.handler.warm.n = 1;
	run_script("exec sleep 1000");
	skip(10000);
	ck_assert_uint_eq(n_started, 2);
	ck_assert_uint_eq(n_ended, 0);
	skip(1000);
	reap(started[0]);
	expect_end(0, started[0], "age", "signal", SIGTERM);
	ck_assert_uint_eq(atomic_load(&worker.slot->crashed), 0);
} END_TEST

START_TEST(one_that_ignores_that_is_killed)
{
	int fd;

	ck_assert_int_eq(mkfifo("ready", 0600), 0);
	service.handler.warm.max_age = 10000;
	service.handler.warm.n = 1;
	run_script("trap '' TERM; echo >ready; exec sleep 1000");
	fd = open("ready", O_RDONLY | O_CLOEXEC);       /* until it is */
	ck_assert_int_ne(fd, -1);
	change_to(cat);
	skip(10000 + 1000 + PROGRAM_KILL_MS - 1001);
	ck_assert(kill(started[0], 0) == 0);
	ck_assert_uint_eq(n_ended, 0);
	skip(1001);
	reap(started[0]);
	expect_end(0, started[0], "age", "signal", SIGKILL);
	close(fd);
} END_TEST

/* No other one may be started for an hour; that is no reason for these to stay. */
START_TEST(age_counts_while_nothing_is_started)
{
	service.handler.warm.max_age = 10000;
	service.handler.warm.n = 8;
	service.restart.delay_min = service.restart.delay_max = HOUR_MS;
	run_with(cat);
	crash(started[0]);
	ck_assert_uint_eq(waiting(), 7);
	skip(10000);
	ck_assert_uint_eq(waiting(), 0);
	skip(HOUR_MS);
	ck_assert_uint_eq(waiting(), 8);
} END_TEST

START_TEST(a_program_that_was_taken_does_not_age)
{
	int fd;

	service.handler.warm.max_age = 10000;
	service.handler.warm.n = 1;
	run_with(cat);
	take(&fd, true);
	skip(30000);
	ck_assert_int_eq(write(fd, "hello\n", 6), 6);
	ck_assert_str_eq(hear_line(fd), "hello");
	close(fd);
} END_TEST

int main(void)
{
	Suite *s = suite_create("warm_pool_ends");
	TCase *tc = unit_case(s, "deaths", set_up, tear_down);

	tcase_add_test(tc, one_that_has_ended_is_passed_over);
	tcase_add_test(tc, if_all_have_ended_one_is_started);
	tcase_add_test(tc, after_a_crash_the_next_has_to_wait);
	tcase_add_test(tc, another_status_is_a_crash);
	tcase_add_test(tc, one_that_does_not_wait_is_replaced_once_a_second);
	tcase_add_test(tc, one_that_ends_well_after_a_while_is_replaced_at_once);
	tc = unit_case(s, "age", set_up, tear_down);
	tcase_add_test(tc, one_that_waited_long_is_replaced);
	tcase_add_test(tc, they_do_not_go_all_at_once);
	tcase_add_test(tc, one_that_ignores_the_end_of_its_input_is_told);
	tcase_add_test(tc, one_that_ignores_that_is_killed);
	tcase_add_test(tc, age_counts_while_nothing_is_started);
	tcase_add_test(tc, a_program_that_was_taken_does_not_age);
	return unit_run(s);
}
