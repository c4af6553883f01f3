/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Limits that a reload changes while they are reached, and workers that drain, retire, or are not
 * there while clients hold places. An upgrade is in client_limits_upgrade.c.
 */
#include <config.h>
#include "limits_harness.h"

#include <signal.h>
#include <unistd.h>

#include "operator.h"

static struct daemon d;

static void admit_all(int *fds, size_t n)
{
	for (size_t i = 0; i < n; i++)
		fds[i] = limits_admit(&d, NULL);
}

/* A service of one worker at its limit. */
static void start_full(int *fds, int n, const char *rest)
{
	daemon_start(&d, LIMITED(1, "connections = %d; " REJECT, "%s"), control_path(), n, rest);
	admit_all(fds, (size_t)n);
	limits_refuse(&d, NULL, FULL);
}

/*
 * After a reload: the old worker, whose client this is, accepts no more. When a line has come back
 * twice, it has turned its loop since it was told.
 */
static void wait_drained(int old)
{
	client_echo(old);
	client_echo(old);
}

/* ---- a reload ----------------------------------------------------------- */

START_TEST(connections_of_the_old_generation_count)
{
	int fds[3];

	start_full(fds, 3, "");
	for (int i = 0; i < 3; i++) {
		limits_reload(&d, 1, "connections = 3; " REJECT, "");
		wait_drained(fds[2]);
		limits_refuse(&d, NULL, FULL);
		close(fds[2]);          /* of the generation before */
		fds[2] = limits_admit_soon(&d, NULL);
		limits_refuse(&d, NULL, FULL);
		ck_assert_int_eq(limits_shown("open"), 1);      /* those that drain are not among them */
	}
	limits_leave(fds, 3);
	limits_check_room(&d, NULL, 3);
} END_TEST

START_TEST(connections_of_the_old_generation_count_for_their_sources)
{
	int fds[2];

	limits_start(&d, 1, "connections_per_source = 2;", "");
	fds[0] = limits_admit(&d, "127.0.0.2");
	fds[1] = limits_admit(&d, "127.0.0.2");
	limits_reload(&d, 1, "connections_per_source = 3;", "");
	wait_drained(fds[0]);
	close(limits_admit(&d, "127.0.0.3"));
	close(fds[0]);
	fds[0] = limits_admit_soon(&d, "127.0.0.2");
	close(limits_admit_soon(&d, "127.0.0.2"));
	limits_reload(&d, 1, "connections_per_source = 1;", "");
	wait_drained(fds[0]);
	limits_refuse(&d, "127.0.0.2", "");
	close(fds[0]);
	daemon_wait_for(&d, "generation-gone generation=2");
	limits_refuse(&d, "127.0.0.2", "");
	close(fds[1]);
	daemon_wait_for(&d, "generation-gone generation=1");
	close(limits_admit_soon(&d, "127.0.0.2"));
	limits_wait_empty();
} END_TEST

START_TEST(a_lower_limit_admits_nobody_until_enough_have_left)
{
	int fds[4];

	start_full(fds, 4, "");
	limits_reload(&d, 1, "connections = 2; " REJECT, "");
	wait_drained(fds[0]);
	for (int i = 3; i >= 1; i--) {
		limits_refuse(&d, NULL, FULL);
		close(fds[i]);
		client_echo(fds[0]);    /* its worker has seen it */
		client_echo(fds[0]);
	}
	fds[1] = limits_admit(&d, NULL);
	limits_refuse(&d, NULL, FULL);
	limits_leave(fds, 2);
	limits_check_room(&d, NULL, 2);
} END_TEST

START_TEST(clients_that_wait_come_in_when_the_limit_is_higher_and_when_there_is_none)
{
	struct crowd c = { .n_clients = 9 };

	limits_start(&d, 2, "connections = 2;", "");
	c.address = daemon_address(&d, "s", 0);
	crowd_start(&c);
	crowd_wait_inside(&c, 2);
	daemon_wait_for(&d, "refusing-begin service=s reason=connections");
	limits_reload(&d, 2, "connections = 5;", "");
	crowd_wait_inside(&c, 5);
	daemon_next_worker(&d, "s");    /* those before the reload */
	daemon_next_worker(&d, "s");
	for (int i = 0; i < 2; i++)
		daemon_settle_worker(&d, daemon_next_worker(&d, "s"));
	ck_assert_uint_eq(c.inside, 5);
	limits_reload(&d, 2, "", "");
	crowd_wait_inside(&c, 9);
	crowd_stop(&c);
	limits_reload(&d, 2, "connections = 2; " REJECT, "");
	daemon_wait_for(&d, "generation-gone generation=3");    /* it could admit more */
	limits_check_room(&d, NULL, 2);
} END_TEST

/* drover.conf(5): what came in before there was any limit was not counted. */
START_TEST(a_first_limit_counts_from_then_on)
{
	int before[3], fds[2];

	limits_start(&d, 1, "", "");
	admit_all(before, 3);
	limits_reload(&d, 1, "connections = 2; connections_per_source = 2; " REJECT, "");
	wait_drained(before[0]);
	admit_all(fds, 2);
	limits_refuse(&d, NULL, FULL);
	limits_leave(before, 3);
	daemon_wait_for(&d, "generation-gone generation=1");
	limits_refuse(&d, NULL, FULL);
	limits_leave(fds, 2);
	limits_check_room(&d, NULL, 2);
} END_TEST

/* drover.conf(5): another size is another table, and it begins empty. */
START_TEST(another_size_of_the_table_begins_a_new_count)
{
	int old[2], new[2];

	start_full(old, 2, "");
	limits_reload(&d, 1, "connections = 2; sources = 131072; " REJECT, "");
	wait_drained(old[0]);
	admit_all(new, 2);
	limits_refuse(&d, NULL, FULL);
	limits_leave(old, 2);
	daemon_wait_for(&d, "generation-gone generation=1");
	limits_refuse(&d, NULL, FULL);
	limits_reload(&d, 1, "connections = 2; " REJECT, "");
	wait_drained(new[0]);
	admit_all(old, 2);              /* back, and it is empty again */
	limits_refuse(&d, NULL, FULL);
	limits_leave(new, 2);
	limits_leave(old, 2);
	limits_check_room(&d, NULL, 2);
} END_TEST

#define SLOW(burst) \
	"rate = \"1/h\"; burst = " burst "; rate_per_source = \"1/h\"; burst_per_source = 2; " REJECT

START_TEST(what_was_used_of_a_rate_stays_used)
{
	limits_start(&d, 1, SLOW("3"), "");
	close(limits_admit(&d, "127.0.0.2"));
	limits_reload(&d, 1, SLOW("3"), "");
	close(limits_admit(&d, "127.0.0.2"));
	limits_refuse(&d, "127.0.0.2", FULL);
	close(limits_admit(&d, "127.0.0.3"));
	limits_refuse(&d, "127.0.0.4", FULL);
	limits_reload(&d, 1, SLOW("5"), "");
	daemon_wait_for(&d, "generation-gone generation=1");
	daemon_wait_for(&d, "generation-gone generation=2");
	close(limits_admit(&d, "127.0.0.4"));
	limits_refuse(&d, "127.0.0.2", FULL);
	close(limits_admit(&d, "127.0.0.4"));
	limits_refuse(&d, "127.0.0.5", FULL);
	ck_assert_int_eq(limits_shown("source_rate"), 2);
	ck_assert_int_eq(limits_shown("rate"), 2);
} END_TEST

START_TEST(a_reload_that_fails_changes_no_limit)
{
	int fds[2];

	start_full(fds, 2, "");
	limits_config(&d, 1, "connections = 5; connections_per_source = 6;" REJECT, "");
	daemon_signal(&d, SIGHUP);
	daemon_wait_for(&d, "reload-failed reason=check");
	limits_refuse(&d, NULL, FULL);
	daemon_config(&d, LIMITED(1, "connections = 5;" REJECT, "%s"), control_path(),
	              harness_cannot_start());
	daemon_signal(&d, SIGHUP);
	daemon_wait_for(&d, "reload-failed reason=start");
	limits_refuse(&d, NULL, FULL);
	limits_leave(fds, 2);
	limits_check_room(&d, NULL, 2);
} END_TEST

START_TEST(reloads_in_the_middle_of_a_crowd_cost_no_place)
{
	struct crowd c = { .n_clients = 30, .leave_at = 6, .come_again = true, .refusal = FULL };

	limits_start(&d, 4, "connections = 6; " REJECT, "");
	c.address = daemon_address(&d, "s", 0);
	crowd_start(&c);
	for (int i = 0; i < 20; i++) {
		crowd_wait_admitted(&c, c.admitted + 5);
		limits_reload(&d, 4, "connections = 6; " REJECT, "");
	}
	crowd_stop(&c);
	ck_assert_uint_eq(c.most_inside, 6);
	limits_check_room(&d, NULL, 6);
} END_TEST

/* ---- workers that go ---------------------------------------------------- */

/* Those that drain have two clients; new workers have room for the third. */
static void check_drained_count(int *fds)
{
	fds[2] = limits_admit_soon(&d, NULL);
	limits_refuse(&d, NULL, FULL);
	close(fds[0]);
	fds[0] = limits_admit_soon(&d, NULL);
	limits_refuse(&d, NULL, FULL);
	limits_leave(fds, 3);
	limits_check_room(&d, NULL, 3);
}

START_TEST(connections_of_a_drained_service_count_when_it_is_resumed)
{
	int fds[3], drain;

	start_full(fds, 3, "");
	drain = control_connect();
	control_say(drain, "{\"command\":\"drain\",\"service\":\"s\"}");
	daemon_wait_for(&d, "worker-drain");
	wait_drained(fds[0]);
	close(drain);                   /* nobody waits for the end of it: then resume is permitted */
	daemon_barrier(&d);
	ck_assert_int_eq(operator_run_args(control_path(), "resume", "s"), 0);
	limits_refuse(&d, NULL, FULL);
	close(fds[2]);
	check_drained_count(fds);
} END_TEST

START_TEST(connections_of_workers_that_rest_count_when_others_come)
{
	int fds[3];

	start_full(fds, 3, "");
	daemon_signal(&d, SIGWINCH);
	daemon_wait_for(&d, "resting");
	wait_drained(fds[0]);
	limits_reload(&d, 1, "connections = 3; " REJECT, "");
	limits_refuse(&d, NULL, FULL);
	close(fds[2]);
	check_drained_count(fds);
} END_TEST

START_TEST(a_service_that_is_scaled_keeps_its_count)
{
	struct crowd c = { .n_clients = 20, .leave_at = 5, .come_again = true, .refusal = FULL };

	daemon_start(&d, LIMITED({ min = 1; max = 8; }, "connections = 5; " REJECT, ""), control_path());
	c.address = daemon_address(&d, "s", 0);
	crowd_start(&c);
	for (int i = 0; i < 10; i++) {
		ck_assert_int_eq(operator_run_args(control_path(), "scale", "s", i % 2 ? "2" : "8"), 0);
		crowd_wait_admitted(&c, c.admitted + 10);
	}
	crowd_stop(&c);
	ck_assert_uint_eq(c.most_inside, 5);
	limits_check_room(&d, NULL, 5);
} END_TEST

START_TEST(workers_that_retire_leave_no_count_behind)
{
	struct crowd c = { .n_clients = 20, .leave_at = 5, .come_again = true, .refusal = FULL };

	limits_start(&d, 4, "connections = 5; " REJECT, "max_accepts = 5; restart = { burst = 100000; };");
	c.address = daemon_address(&d, "s", 0);
	crowd_start(&c);
	for (int i = 0; i < 20; i++)
		daemon_wait_for(&d, "worker-end service=s how=exit value=0");
	crowd_stop(&c);
	ck_assert_uint_eq(c.most_inside, 5);
	limits_check_room(&d, NULL, 5);
} END_TEST

START_TEST(a_service_without_workers_has_forgotten_nothing)
{
	int fds[2];

	daemon_start(&d, LIMITED({ min = 0; max = 2; idle_exit = "20ms"; }, "connections = 2;"
	             "rate = \"1/h\"; burst = 5; " REJECT, ""), control_path());
	for (int i = 0; i < 2; i++) {
		admit_all(fds, 2);
		limits_refuse(&d, NULL, FULL);
		limits_leave(fds, 2);
		daemon_wait_for(&d, "worker-end service=s how=exit value=0");
	}
	close(limits_admit(&d, NULL));
	limits_refuse(&d, NULL, FULL);
	ck_assert_int_eq(limits_shown("connections"), 2);
	ck_assert_int_eq(limits_shown("rate"), 1);
} END_TEST

START_TEST(a_connection_that_an_operator_closes_gives_its_place_back)
{
	const char *id;
	int fds[2];

	limits_start(&d, 2, "connections = 2; " REJECT, "");
	fds[0] = limits_admit(&d, NULL);
	id = event_word(daemon_accepted(&d, fds[0]), "id");
	fds[1] = limits_admit(&d, NULL);
	limits_refuse(&d, NULL, FULL);
	ck_assert_int_eq(operator_run_args(control_path(), "kick", id), 0);
	client_expect_gone(fds[0]);
	limits_leave(fds, 2);
	limits_check_room(&d, NULL, 2);
} END_TEST

int main(void)
{
	Suite *s = suite_create("client_limits_reload");
	TCase *tc = harness_case(s, "reload");

	tcase_add_test(tc, connections_of_the_old_generation_count);
	tcase_add_test(tc, connections_of_the_old_generation_count_for_their_sources);
	tcase_add_test(tc, a_lower_limit_admits_nobody_until_enough_have_left);
	tcase_add_test(tc, clients_that_wait_come_in_when_the_limit_is_higher_and_when_there_is_none);
	tcase_add_test(tc, a_first_limit_counts_from_then_on);
	tcase_add_test(tc, another_size_of_the_table_begins_a_new_count);
	tcase_add_test(tc, what_was_used_of_a_rate_stays_used);
	tcase_add_test(tc, a_reload_that_fails_changes_no_limit);
	tcase_add_test(tc, reloads_in_the_middle_of_a_crowd_cost_no_place);
	tc = harness_case(s, "workers");
	tcase_add_test(tc, connections_of_a_drained_service_count_when_it_is_resumed);
	tcase_add_test(tc, connections_of_workers_that_rest_count_when_others_come);
	tcase_add_test(tc, a_service_that_is_scaled_keeps_its_count);
	tcase_add_test(tc, workers_that_retire_leave_no_count_behind);
	tcase_add_test(tc, a_service_without_workers_has_forgotten_nothing);
	tcase_add_test(tc, a_connection_that_an_operator_closes_gives_its_place_back);
	return harness_run(s);
}
