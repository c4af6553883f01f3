/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What clients hold under the limits outlives an upgrade, also one that fails. A program that knew no
 * limits has counted nothing, and is in nobody's way.
 */
#include <config.h>
#include "upgrade_harness.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "limits_harness.h"
#include "operator.h"

static struct daemon d;

#define FORMER "0.0.9"                  /* the version of former_droverd */

static pid_t worker_of(int fd)
{
	return (pid_t)event_number(daemon_accepted(&d, fd), "pid");
}

/* The old worker, whose client this is, has turned its loop since it was told to drain. */
static void wait_drained(int old)
{
	client_echo(old);
	client_echo(old);
}

/* ---- upgrades that work ------------------------------------------------- */

static void upgrade_again(int i)
{
	upgrade_to(&d, i % 2 ? upgrade_original() : upgrade_built("next_droverd"),
	           i % 2 ? PACKAGE_VERSION : NEXT);
}

START_TEST(places_are_counted_over_upgrades)
{
	int fds[3];

	limits_start(&d, 1, "connections = 3; " REJECT, "");
	for (int i = 0; i < 3; i++)
		fds[i] = limits_admit(&d, NULL);
	for (int i = 0; i < 4; i++) {
		upgrade_again(i);
		wait_drained(fds[2]);
		limits_refuse(&d, NULL, FULL);
		close(fds[2]);          /* of the program before */
		fds[2] = limits_admit_soon(&d, NULL);
		limits_refuse(&d, NULL, FULL);
	}
	limits_leave(fds, 3);
	limits_check_room(&d, NULL, 3);
} END_TEST

START_TEST(places_of_sources_are_counted_over_upgrades)
{
	int fds[2];

	limits_start(&d, 1, "connections_per_source = 2;", "");
	for (int i = 0; i < 2; i++)
		fds[i] = limits_admit(&d, "127.0.0.2");
	for (int i = 0; i < 4; i++) {
		upgrade_again(i);
		wait_drained(fds[1]);
		limits_refuse(&d, "127.0.0.2", "");
		close(limits_admit(&d, "127.0.0.3"));
		close(fds[1]);
		fds[1] = limits_admit_soon(&d, "127.0.0.2");
		limits_refuse(&d, "127.0.0.2", "");
	}
	limits_leave(fds, 2);
	limits_wait_empty();
} END_TEST

START_TEST(rates_go_on_over_upgrades)
{
	limits_start(&d, 1, "rate = \"1/h\"; burst = 4; rate_per_source = \"1/h\"; burst_per_source = 2; "
	             REJECT, "");
	close(limits_admit(&d, "127.0.0.2"));
	upgrade_to_next(&d);
	close(limits_admit(&d, "127.0.0.2"));
	limits_refuse(&d, "127.0.0.2", FULL);
	close(limits_admit(&d, "127.0.0.3"));
	upgrade_to(&d, upgrade_original(), PACKAGE_VERSION);
	close(limits_admit(&d, "127.0.0.3"));
	limits_refuse(&d, "127.0.0.3", FULL);
	limits_refuse(&d, "127.0.0.4", FULL);
	ck_assert_int_eq(limits_shown("source_rate"), 1);
	ck_assert_int_eq(limits_shown("rate"), 2);
} END_TEST

START_TEST(upgrades_in_the_middle_of_a_crowd_cost_no_place)
{
	struct crowd c = { .n_clients = 30, .leave_at = 6, .come_again = true, .refusal = FULL };

	limits_start(&d, 4, "connections = 6; " REJECT, "");
	c.address = daemon_address(&d, "s", 0);
	crowd_start(&c);
	for (int i = 0; i < 5; i++) {
		crowd_wait_admitted(&c, c.admitted + 5);
		upgrade_to_next(&d);
		crowd_wait_admitted(&c, c.admitted + 5);
		upgrade_to(&d, upgrade_original(), PACKAGE_VERSION);
	}
	crowd_stop(&c);
	ck_assert_uint_eq(c.most_inside, 6);
	limits_check_room(&d, NULL, 6);
} END_TEST

START_TEST(what_a_worker_of_the_program_before_held_is_given_back_when_it_is_killed)
{
	int fds[2];

	limits_start(&d, 1, "connections = 2; connections_per_source = 1; " REJECT, "");
	fds[0] = limits_admit(&d, "127.0.0.2");
	fds[1] = limits_admit(&d, "127.0.0.3");
	upgrade_to_next(&d);
	wait_drained(fds[0]);
	limits_refuse(&d, "127.0.0.4", FULL);
	ck_assert_int_eq(kill(worker_of(fds[0]), SIGKILL), 0);
	for (int i = 0; i < 2; i++) {
		client_expect_gone(fds[i]);
		close(fds[i]);
	}
	fds[0] = limits_admit_soon(&d, "127.0.0.2");
	fds[1] = limits_admit_soon(&d, "127.0.0.3");
	limits_refuse(&d, "127.0.0.4", FULL);
	limits_leave(fds, 2);
	limits_wait_empty();
} END_TEST

/* ---- upgrades that fail ------------------------------------------------- */

static void start_doomed(const char *doom)
{
	ck_assert_int_eq(setenv("DOOM", files_write("doom", "%s", doom), 1), 0);
	limits_start(&d, 1, "connections = 3; " REJECT, "}; doomed = { listen = \"127.0.0.1:0\"; workers = 1;"
	             " handler = { type = \"echo\"; };");
}

START_TEST(an_upgrade_that_fails_changes_no_count)
{
	static const char *const dooms[] = { "init", "take", "load", "start" };
	int fds[3];

	start_doomed(dooms[_i]);
	for (int i = 0; i < 3; i++)
		fds[i] = limits_admit(&d, NULL);
	upgrade_install(upgrade_built("doomed_droverd"));
	daemon_signal(&d, SIGUSR2);
	daemon_wait_for(&d, "upgrade-failed reason=takeover");
	limits_refuse(&d, NULL, FULL);
	close(fds[2]);
	fds[2] = limits_admit_soon(&d, NULL);
	limits_refuse(&d, NULL, FULL);
	upgrade_to_next(&d);
	wait_drained(fds[2]);
	limits_refuse(&d, NULL, FULL);
	limits_leave(fds, 3);
	limits_check_room(&d, NULL, 3);
} END_TEST

/* ---- a program that knew no limits -------------------------------------- */

static void upgrade_to_former(void)
{
	upgrade_to(&d, upgrade_built("former_droverd"), FORMER);
}

static void start_former(void)
{
	upgrade_install(upgrade_built("former_droverd"));
	limits_start(&d, 1, "", "");
	limits_config(&d, 1, "connections = 2; connections_per_source = 1; " REJECT, "");
}

START_TEST(after_a_program_that_knew_no_limits_counts_begin)
{
	int old[2], fds[2];

	start_former();
	for (int i = 0; i < 2; i++)
		old[i] = limits_admit(&d, "127.0.0.2");
	upgrade_to_next(&d);
	wait_drained(old[0]);
	fds[0] = limits_admit(&d, "127.0.0.2");
	fds[1] = limits_admit(&d, "127.0.0.3");
	limits_refuse(&d, "127.0.0.4", FULL);
	close(old[0]);
	limits_refuse(&d, "127.0.0.4", FULL);
	ck_assert_int_eq(kill(worker_of(old[1]), SIGKILL), 0);
	daemon_wait_for(&d, "worker-end how=signal value=%d", SIGKILL);
	client_expect_gone(old[1]);
	close(old[1]);
	daemon_wait_for(&d, "generation-gone");
	limits_refuse(&d, "127.0.0.4", FULL);
	close(fds[1]);
	close(limits_admit_soon(&d, "127.0.0.4"));
	limits_refuse(&d, "127.0.0.2", FULL);
	close(fds[0]);
	limits_check_room(&d, "127.0.0.2", 1);
} END_TEST

START_TEST(a_program_that_knew_no_limits_can_take_over)
{
	int fds[3];

	start_former();
	upgrade_to_next(&d);
	fds[0] = limits_admit_soon(&d, "127.0.0.2");
	upgrade_to_former();
	fds[1] = limits_admit_soon(&d, "127.0.0.3");
	upgrade_to_next(&d);
	fds[2] = limits_admit_soon(&d, "127.0.0.4");
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		client_echo(fds[i]);
		close(fds[i]);
	}
	for (int i = 0; i < 3; i++)
		daemon_wait_for(&d, "generation-gone");
	limits_check_room(&d, "127.0.0.2", 1);
	ck_assert_uint_eq(daemon_saw(&d, "worker-end how=signal"), 0);
} END_TEST

int main(void)
{
	Suite *s = suite_create("client_limits_upgrade");
	TCase *tc = upgrade_case(s, "upgrade");

	tcase_add_test(tc, places_are_counted_over_upgrades);
	tcase_add_test(tc, places_of_sources_are_counted_over_upgrades);
	tcase_add_test(tc, rates_go_on_over_upgrades);
	tcase_add_test(tc, upgrades_in_the_middle_of_a_crowd_cost_no_place);
	tcase_add_test(tc, what_a_worker_of_the_program_before_held_is_given_back_when_it_is_killed);
	tc = upgrade_case(s, "failed");
	tcase_add_loop_test(tc, an_upgrade_that_fails_changes_no_count, 0, 4);
	tc = upgrade_case(s, "former");
	tcase_add_test(tc, after_a_program_that_knew_no_limits_counts_begin);
	tcase_add_test(tc, a_program_that_knew_no_limits_can_take_over);
	return harness_run(s);
}
