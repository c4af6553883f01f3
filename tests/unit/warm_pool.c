/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Programs that wait for their connections: how many, who gets which, and what
 * becomes of them when the worker drains. How they end is in warm_pool_ends.c.
 */
#include <config.h>
#include "warm_pool.h"

#include "fd.h"
#include "warm_pool_harness.h"

static const char *no_program[] = { "/no/such/program", NULL };

/* ---- births ------------------------------------------------------ */

START_TEST(as_many_wait_as_are_wanted)
{
	run_with(cat);
	ck_assert_uint_eq(n_started, 3);
	ck_assert_uint_eq(waiting(), 3);
	skip(HOUR_MS);
	ck_assert_uint_eq(n_started, 3);        /* and live for ever */
	ck_assert_uint_eq(n_ended + n_delays, 0);
	ck_assert_uint_eq(atomic_load(&worker.slot->joined), 0);
	ck_assert_uint_eq(atomic_load(&worker.slot->cold), 0);
} END_TEST

START_TEST(the_one_that_has_waited_longest_is_taken_and_replaced)
{
	int fds[2];

	run_with(cat);
	ck_assert_int_eq(take(&fds[0], true), started[0]);
	ck_assert_int_eq(take(&fds[1], true), started[1]);
	ck_assert_uint_eq(waiting(), 1);
	ck_assert_uint_eq(n_started, 3);        /* who was joined is answered first */
	ck_assert_uint_eq(atomic_load(&worker.slot->joined), 2);
	skip(100);
	ck_assert_uint_eq(waiting(), 3);
	ck_assert_int_eq(take_and_close(), started[2]);
	ck_assert_int_eq(take_and_close(), started[3]);
	close(fds[0]);
	reap(started[0]);
	ck_assert_int_ge(n_given_ended, 1);
	ck_assert_int_eq(given_status, 0);
	ck_assert_uint_eq(n_ended, 0);          /* the connection does that */
	close(fds[1]);
} END_TEST

START_TEST(what_it_says_while_it_waits_is_there)
{
	int fd;

	service.handler.warm.n = 1;
	run_script("echo \"$DROVER_SERVICE,$PROTO,$TCPREMOTEIP,$DROVER_ID\"; read x; echo \"$x!\"; exit 7");
	take(&fd, true);
	ck_assert_str_eq(hear_line(fd), "test,UNIX,,");
	ck_assert_int_eq(write(fd, "hello\n", 6), 6);
	ck_assert_str_eq(hear_line(fd), "hello!");
	reap(started[0]);
	ck_assert_int_eq(WEXITSTATUS(given_status), 7);
	close(fd);
} END_TEST

/* One socket, blocking, for 0 and 1; no other program has it. */
START_TEST(it_has_one_socket_and_nothing_else)
{
	static const char *const fds[] = { "0", "1", "2", "3" };        /* the last is the folder */
	unsigned flags;
	int fd;
	char c;

	fd_cloexec_from(3);                     /* what is the test's: as droverd does */
	service.handler.warm.n = 2;
	run_script("test /proc/self/fd/0 -ef /proc/self/fd/1 && echo same; "
	           "read x; grep flags: /proc/$$/fdinfo/0; exec ls /proc/self/fd");
	take(&fd, true);
	ck_assert_str_eq(hear_line(fd), "same");
	ck_assert_int_eq(write(fd, "\n", 1), 1);
	ck_assert_int_eq(sscanf(hear_line(fd), "flags: %o", &flags), 1);
	ck_assert_uint_eq(flags & O_NONBLOCK, 0);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		ck_assert_str_eq(hear_line(fd), fds[i]);
	reap(started[0]);
	ck_assert_int_eq(read(fd, &c, 1), 0);
	close(fd);
} END_TEST

START_TEST(if_none_waits_one_is_started_for_the_connection)
{
	int fds[2], cold;

	service.handler.warm.n = 2;
	run_with(cat);
	take(&fds[0], true);
	take(&fds[1], true);
	ck_assert_uint_eq(waiting(), 0);
	take(&cold, false);
	ck_assert_uint_eq(n_started, 2);
	ck_assert_uint_eq(atomic_load(&worker.slot->cold), 1);
	ck_assert_uint_eq(atomic_load(&worker.slot->joined), 2);
	ck_assert_int_eq(write(cold, "hello\n", 6), 6);
	ck_assert_str_eq(hear_line(cold), "hello");
	skip(100);
	ck_assert_uint_eq(waiting(), 2);
	close(cold);
	close(fds[0]);
	close(fds[1]);
} END_TEST

START_TEST(if_none_can_be_started_there_is_none)
{
	struct warm_program taken;
	int n;

	run_with(no_program);
	n = unit_count_fds();
	ck_assert_uint_eq(waiting(), 0);
	ck_assert_int_eq(warm_pool_take(pool, NULL, &taken), -1);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_uint_eq(atomic_load(&worker.slot->cold), 0);
	ck_assert_int_eq(unit_count_fds(), n);
} END_TEST

START_TEST(what_cannot_be_started_is_tried_later_and_later)
{
	run_with(no_program);
	ck_assert_uint_eq(n_delays, 1);         /* not once for each */
	skip(100 + 200 + 400 + 800 + 1000 + 999);
	ck_assert_uint_eq(n_delays, 6);
	ck_assert_int_eq(delays[5], 1000);
	ck_assert_int_eq(count_logged("start /no/such/program: No such file"), 1);
	ck_assert(health_fails(&worker));
	ck_assert_uint_eq(atomic_load(&worker.slot->crashed), 0);
	change_to(cat);
	skip(1);
	ck_assert_uint_eq(waiting(), 3);
	skip(999);
	ck_assert(health_fails(&worker));
	skip(1);                                /* they have waited for a second */
	ck_assert(!health_fails(&worker));
} END_TEST

/* However fast they are taken. */
START_TEST(no_more_are_started_than_two_hundred_a_second)
{
	run_with(cat);
	for (int ms = 0; ms < 300; ms++) {
		while (waiting() > 0)
			take_and_close();
		skip(1);
		programs_reap(&worker.programs);
	}
	ck_assert_uint_le(n_started, 3 + 3 + 300 / 5);  /* at first, and a burst */
	ck_assert_uint_ge(n_started, 300 / 5);
	for (size_t i = 3; i + 3 < n_started; i++)      /* a burst of three */
		ck_assert_int_ge(started_ms[i + 3] - started_ms[i], 5);
} END_TEST

/* ---- the end ----------------------------------------------------- */

START_TEST(a_pool_that_rests_lets_all_go)
{
	int fd;

	service.handler.warm.max_age = 10000;
	run_with(cat);
	take(&fd, true);
	warm_pool_release(pool);
	warm_pool_release(pool);
	ck_assert_uint_eq(waiting(), 0);
	reap(started[1]);
	reap(started[2]);
	ck_assert_uint_eq(n_ended, 2);
	ck_assert_str_eq(ended[0].reason, "drained");
	ck_assert_str_eq(ended[1].reason, "drained");
	skip(HOUR_MS);
	ck_assert_uint_eq(n_started, 3);
	close(fd);
	take(&fd, false);                       /* a connection may still come */
	skip(HOUR_MS);
	ck_assert_uint_eq(n_started, 3);
	ck_assert_uint_eq(waiting(), 0);
	close(fd);
} END_TEST

START_TEST(a_pool_that_rests_ends_those_that_do_not_go)
{
	run_script("exec sleep 1000");
	warm_pool_release(pool);
	skip(1000);
	for (int i = 0; i < 3; i++)
		reap(started[i]);
	ck_assert_uint_eq(n_ended, 3);
	for (size_t i = 0; i < 3; i++) {
		ck_assert_str_eq(ended[i].reason, "drained");
		ck_assert_int_eq(ended[i].value, SIGTERM);
	}
} END_TEST

START_TEST(a_crash_does_not_wake_a_pool_that_rests)
{
	service.handler.warm.max_age = 1000LL * HOUR_MS;        /* no timer is left, either */
	run_with(cat);
	crash(started[0]);
	warm_pool_release(pool);
	skip(HOUR_MS);
	ck_assert_uint_eq(n_started, 3);
	ck_assert_uint_eq(waiting(), 0);
	warm_pool_free(NULL);
} END_TEST

int main(void)
{
	Suite *s = suite_create("warm_pool");
	TCase *tc = unit_case(s, "births", set_up, tear_down);

	tcase_add_test(tc, as_many_wait_as_are_wanted);
	tcase_add_test(tc, the_one_that_has_waited_longest_is_taken_and_replaced);
	tcase_add_test(tc, what_it_says_while_it_waits_is_there);
	tcase_add_test(tc, it_has_one_socket_and_nothing_else);
	tcase_add_test(tc, if_none_waits_one_is_started_for_the_connection);
	tcase_add_test(tc, if_none_can_be_started_there_is_none);
	tcase_add_test(tc, what_cannot_be_started_is_tried_later_and_later);
	tcase_add_test(tc, no_more_are_started_than_two_hundred_a_second);
	tc = unit_case(s, "end", set_up, tear_down);
	tcase_add_test(tc, a_pool_that_rests_lets_all_go);
	tcase_add_test(tc, a_pool_that_rests_ends_those_that_do_not_go);
	tcase_add_test(tc, a_crash_does_not_wake_a_pool_that_rests);
	return unit_run(s);
}
