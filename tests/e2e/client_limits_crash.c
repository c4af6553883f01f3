/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Workers that die or stand still while they hold places under the limits. With DROVER_LONG_TESTS in
 * the environment, half of the workers are killed 300 times in each of two tests.
 */
#include <config.h>
#include "limits_harness.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

static struct daemon d;

#define WORKERS 8
#define ROUNDS  10                      /* of killing, for each daemon */

/* Workers are replaced at once, however many die. */
#define RESTART "restart = { burst = 100000; }; "

/* ---- the workers that live ---------------------------------------------- */

static struct { pid_t pids[2 * WORKERS]; size_t n, seen; } living;

static void forget(pid_t pid)
{
	for (size_t i = 0; i < living.n; i++)
		if (living.pids[i] == pid) {
			living.pids[i] = living.pids[--living.n];
			return;
		}
}

/* Waits until all of them accept. */
static void wait_living(void)
{
	while (living.n < WORKERS) {
		for (; living.seen < d.events.n; living.seen++)
			if (event_has(d.events.events[living.seen], "worker-ready"))
				living.pids[living.n++] =
					(pid_t)event_number(d.events.events[living.seen], "pid");
		if (living.n < WORKERS)
			turn_once();
	}
}

static pid_t any_living(void)
{
	return living.pids[(size_t)random() % living.n];
}

static void kill_half(void)
{
	wait_living();
	for (int i = 0; i < WORKERS / 2; i++) {
		pid_t pid = any_living();

		ck_assert_int_eq(kill(pid, SIGKILL), 0);
		forget(pid);
	}
}

/* Waits until the counts were looked at that the last of n dead workers has left. */
static void wait_audited(size_t n)
{
	const struct event *end = NULL, *audited;

	for (size_t i = 0; i < n; i++)
		end = daemon_wait_for(&d, "worker-end how=signal value=%d", SIGKILL);
	do
		audited = daemon_wait_for(&d, "limits-audited service=s");
	while (audited->nr < end->nr);
}

/* Each time when a few more clients have come in. */
static void kill_while_they_come(const struct crowd *c, const struct crowd *other)
{
	for (int i = 0; i < ROUNDS; i++) {
		crowd_wait_admitted(c, c->admitted + 1 + (size_t)random() % 20);
		if (other)
			crowd_wait_admitted(other, other->admitted + 1);
		kill_half();
	}
	wait_audited(ROUNDS * WORKERS / 2);
}

START_TEST(as_many_clients_are_admitted_as_before_workers_died)
{
	struct crowd a = { .from = "127.0.0.2", .n_clients = 12, .leave_at = 5 };
	struct crowd b = { .from = "127.0.0.3", .n_clients = 12, .leave_at = 3 };

	limits_start(&d, 8, "connections = 8; connections_per_source = 5; " REJECT, RESTART);
	a.address = b.address = daemon_address(&d, "s", 0);
	a.refusal = b.refusal = FULL;
	a.come_again = b.come_again = a.may_lose = b.may_lose = true;
	srandom(1 + (unsigned int)_i);
	crowd_start(&a);
	crowd_start(&b);
	kill_while_they_come(&a, &b);
	crowd_stop(&a);
	crowd_stop(&b);

	limits_check_room(&d, "127.0.0.2", 5);
	limits_check_room(&d, "127.0.0.3", 5);
	a = (struct crowd){ .address = a.address, .from = a.from, .refusal = FULL, .n_clients = 5 };
	b = (struct crowd){ .address = a.address, .from = b.from, .refusal = FULL, .n_clients = 3 };
	crowd_start(&a);
	crowd_wait_inside(&a, 5);
	crowd_start(&b);
	crowd_wait_inside(&b, 3);
	limits_refuse(&d, "127.0.0.3", FULL);
	limits_refuse(&d, "127.0.0.4", FULL);
	ck_assert_int_eq(limits_shown("open"), 8);
	limits_check_source("127.0.0.2/32", 5);
	limits_check_source("127.0.0.3/32", 3);
	crowd_stop(&a);
	crowd_stop(&b);
	limits_wait_empty();
} END_TEST

START_TEST(as_many_clients_leave_the_queue_as_before_workers_died)
{
	struct crowd c = { .n_clients = 24, .leave_at = 6, .come_again = true, .may_lose = true };

	limits_start(&d, 8, "connections = 6; ", RESTART);
	c.address = daemon_address(&d, "s", 0);
	srandom(1 + (unsigned int)_i);
	crowd_start(&c);
	kill_while_they_come(&c, NULL);
	crowd_stop(&c);

	c.n_clients = 9;
	c.leave_at = 0;
	c.may_lose = false;
	crowd_start(&c);
	crowd_wait_inside(&c, 6);
	wait_living();
	for (int i = 0; i < WORKERS; i++)       /* each has looked again whether there is a place */
		daemon_settle_worker(&d, living.pids[i]);
	ck_assert_uint_eq(c.inside, 6);
	ck_assert_int_eq(limits_shown("open"), 6);
	crowd_stop(&c);
	ck_assert_uint_eq(c.admitted, 9);
} END_TEST

/* ---- workers that stand still ------------------------------------------- */

/* Returns when it does nothing any more. */
static void halt(pid_t pid)
{
	const char *const path = files_text("/proc/%d/status", pid);

	ck_assert_int_eq(kill(pid, SIGSTOP), 0);
	while (process_field(process_file(path), "State")[0] != 'T')
		;
}

/* A service with four places and six slots: two workers at least have clients, and one halts. */
struct story {
	int   fds[4];
	pid_t pids[4];                  /* whose client it is */
	int   theirs, others;           /* a client of the worker that halts, and one of another */
};

static void halt_one_of_three(struct story *s)
{
	limits_start(&d, 3, "connections = 4; " REJECT, "connections = 2; hang_timeout = 0; " RESTART);
	for (int i = 0; i < 4; i++) {
		s->fds[i] = limits_admit(&d, NULL);
		s->pids[i] = (pid_t)event_number(daemon_accepted(&d, s->fds[i]), "pid");
		if (s->pids[i] != s->pids[0])
			s->others = i;
	}
	limits_refuse(&d, NULL, FULL);
	halt(s->pids[0]);
}

static void leave_and_come(struct story *s, int i)
{
	close(s->fds[i]);
	s->fds[i] = limits_admit_soon(&d, NULL);
	limits_refuse(&d, NULL, FULL);
}

START_TEST(while_a_worker_stands_still_the_others_go_on_within_the_limit)
{
	struct story s = { .theirs = 0 };

	halt_one_of_three(&s);
	for (int i = 0; i < 5; i++)
		leave_and_come(&s, s.others);
	close(s.fds[s.theirs]);         /* it does not notice that */
	for (int i = 0; i < 5; i++)
		limits_refuse(&d, NULL, FULL);
	leave_and_come(&s, s.others);
	ck_assert_int_eq(kill(s.pids[0], SIGCONT), 0);
	s.fds[s.theirs] = limits_admit_soon(&d, NULL);
	limits_refuse(&d, NULL, FULL);
	limits_leave(s.fds, 4);
	limits_check_room(&d, NULL, 4);
} END_TEST

START_TEST(what_a_worker_held_that_stood_still_is_free_when_it_is_killed)
{
	struct story s = { .theirs = 0 };

	halt_one_of_three(&s);
	limits_refuse(&d, NULL, FULL);
	ck_assert_int_eq(kill(s.pids[0], SIGKILL), 0);
	for (int i = 0; i < 4; i++)
		if (s.pids[i] == s.pids[0]) {
			client_expect_gone(s.fds[i]);
			close(s.fds[i]);
			s.fds[i] = limits_admit_soon(&d, NULL);
		}
	limits_refuse(&d, NULL, FULL);
	limits_leave(s.fds, 4);
	limits_check_room(&d, NULL, 4);
} END_TEST

/* At any place in its code; a client that it was about to accept waits until it goes on. */
START_TEST(workers_that_stand_still_at_any_moment_cost_no_client_its_turn)
{
	struct crowd c = { .n_clients = 30, .leave_at = 5, .come_again = true };

	limits_start(&d, 8, "connections = 5;", "hang_timeout = 0;");
	c.address = daemon_address(&d, "s", 0);
	crowd_start(&c);
	wait_living();
	srandom(1);
	for (int i = 0; i < 100; i++) {
		pid_t pid = any_living();

		crowd_wait_admitted(&c, c.admitted + 1 + (size_t)random() % 3);
		halt(pid);
		limits_shown("accepted");        /* this takes a moment, in which the others go on */
		ck_assert_int_eq(kill(pid, SIGCONT), 0);
	}
	crowd_stop(&c);
	ck_assert_uint_eq(c.most_inside, 5);
	ck_assert_uint_eq(c.refused, 0);
	ck_assert_int_eq(limits_shown("accepted"), (long long)c.admitted);
} END_TEST

int main(void)
{
	const int n_daemons = getenv("DROVER_LONG_TESTS") ? 300 / ROUNDS : 1;
	Suite *s = suite_create("client_limits_crash");
	TCase *tc = harness_case(s, "killed");

	tcase_add_loop_test(tc, as_many_clients_are_admitted_as_before_workers_died, 0, n_daemons);
	tcase_add_loop_test(tc, as_many_clients_leave_the_queue_as_before_workers_died, 0, n_daemons);
	tc = harness_case(s, "halted");
	tcase_add_test(tc, while_a_worker_stands_still_the_others_go_on_within_the_limit);
	tcase_add_test(tc, what_a_worker_held_that_stood_still_is_free_when_it_is_killed);
	tcase_add_test(tc, workers_that_stand_still_at_any_moment_cost_no_client_its_turn);
	return harness_run(s);
}
