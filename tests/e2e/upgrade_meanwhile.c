/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An upgrade amid orders: those given before it go on, and those that come meanwhile
 * are not lost.
 */
#include <config.h>
#include "upgrade_harness.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "operator.h"

static struct daemon d;

/* ---- What was ordered goes on ---- */

START_TEST(a_scaled_service_stays_scaled)
{
	daemon_start(&d, ECHO(""), control_path());
	daemon_signal(&d, SIGTTIN);
	for (int i = 0; i < 3; i++)
		daemon_next_worker(&d, "s");
	for (int i = 2; i < 4; i++) {
		upgrade_to_next(&d);
		for (int n = 0; n < 3; n++)
			daemon_wait_for(&d, "worker-ready service=s generation=%d", i);
	}
	daemon_reload(&d, ECHO(""), control_path());
	daemon_wait_for(&d, "generation-gone generation=3");
	ck_assert_uint_eq(daemon_saw(&d, "worker-ready generation=4"), 2);
} END_TEST

START_TEST(a_drained_service_stays_drained)
{
	int fd;

	daemon_start(&d, CONTROL SERVICES(SERVICE("s", "echo", "workers = 1;")
	             SERVICE("t", "echo", "workers = 1;")), control_path());
	ck_assert_int_eq(operator_run_args(control_path(), "drain", "t"), 0);
	upgrade_to_next(&d);
	daemon_check_echo(&d, "s");
	fd = daemon_connect(&d, "t");           /* waits in the queue */
	daemon_wait_for(&d, "generation-gone generation=1");
	ck_assert_uint_eq(daemon_saw(&d, "worker-start service=t generation=2"), 0);
	ck_assert_int_eq(operator_run_args(control_path(), "resume", "t"), 0);
	client_echo(fd);
	close(fd);
} END_TEST

START_TEST(a_server_at_rest_stays_at_rest)
{
	int fd;

	daemon_start(&d, ECHO(""), control_path());
	daemon_signal(&d, SIGWINCH);
	for (int i = 0; i < 2; i++)
		daemon_wait_for(&d, "worker-end");
	upgrade_to_next(&d);
	ck_assert_uint_eq(daemon_saw(&d, "worker-start"), 2);
	daemon_wait_status(&d, "resting");
	fd = daemon_connect(&d, "s");
	daemon_reload(&d, ECHO(""), control_path());
	client_echo(fd);
	close(fd);
} END_TEST

START_TEST(a_service_that_fails_is_no_obstacle)
{
	daemon_start(&d, CONTROL SERVICES(SERVICE("bad", "echo", "workers = 1; %s")
	             SERVICE("s", "echo", "workers = 1;")), control_path(), harness_cannot_start());
	upgrade_to_next(&d);
	daemon_check_echo(&d, "s");
	ck_assert_int_eq(operator_run_args(control_path(), "--json", "services"), 0);
	harness_contains(operator_output(), "\"state\":\"failing\"");
} END_TEST

/* ---- What happens meanwhile ---- */

START_TEST(a_client_that_asks_during_a_reload_is_served_after_it)
{
	daemon_start(&d, ECHO(""), control_path());
	upgrade_install(upgrade_built("next_droverd"));
	daemon_signal(&d, SIGHUP);
	daemon_wait_for(&d, "reload-begin");
	daemon_signal(&d, SIGUSR2);
	daemon_wait_for(&d, "reload-done");
	upgrade_wait(&d, NEXT);
	daemon_check_echo(&d, "s");
} END_TEST

START_TEST(a_reload_during_an_upgrade_follows_it)
{
	daemon_start(&d, ECHO(""), control_path());
	upgrade_install(upgrade_built("next_droverd"));
	daemon_signal(&d, SIGUSR2);
	daemon_wait_for(&d, "upgrade-begin");
	daemon_signal(&d, SIGHUP);
	upgrade_wait(&d, NEXT);
	daemon_wait_for(&d, "reload-done generation=3");
	daemon_check_echo(&d, "s");
} END_TEST

START_TEST(a_server_can_be_stopped_in_the_middle_of_an_upgrade)
{
	static const int signals[] = { SIGTERM, SIGQUIT, SIGINT };
	static const char *const moments[] = {
		NULL, "upgrade-begin", "taken-over", "worker-start generation=2",
	};

	daemon_start(&d, ECHO(""), control_path());
	upgrade_install(upgrade_built("next_droverd"));
	d.may_end = true;
	daemon_signal(&d, SIGUSR2);
	if (moments[_i / 3])
		daemon_wait_for(&d, "%s", moments[_i / 3]);
	daemon_signal(&d, signals[_i % 3]);
	ck_assert_int_eq(daemon_join(&d), 0);
	ck_assert_uint_eq(daemon_saw(&d, "stopped"), 1);
} END_TEST

/* A script in between: the same process, before the new program has begun. */
START_TEST(workers_that_die_meanwhile_are_buried_and_replaced)
{
	pid_t workers[2];
	int fd;

	daemon_start(&d, ECHO(""), control_path());
	for (int i = 0; i < 2; i++)
		workers[i] = daemon_next_worker(&d, "s");
	upgrade_install_script(files_text("test \"$1\" = -t || kill -KILL %d %d\nexec %s \"$@\"\n",
	                                  workers[0], workers[1], upgrade_built("next_droverd")));
	daemon_signal(&d, SIGUSR2);
	daemon_wait_for(&d, "taken-over");
	fd = daemon_connect(&d, "s");
	upgrade_wait(&d, NEXT);
	for (int i = 0; i < 2; i++)
		daemon_wait_for(&d, "worker-end pid=%d how=signal value=%d", workers[i], SIGKILL);
	client_echo(fd);
	close(fd);
	upgrade_to(&d, upgrade_original(), PACKAGE_VERSION);  /* what lies where it was started from */
} END_TEST

START_TEST(an_order_that_comes_meanwhile_is_not_lost)
{
	daemon_start(&d, ECHO(""), control_path());
	upgrade_install_script(files_text("test \"$1\" = -t || kill -TTIN $$\nexec %s \"$@\"\n",
	                                  upgrade_built("next_droverd")));
	daemon_signal(&d, SIGUSR2);
	upgrade_wait(&d, NEXT);
	for (int i = 0; i < 3; i++)
		daemon_wait_for(&d, "worker-ready service=s generation=2");
} END_TEST

/* ---- What the service manager is told ---- */

START_TEST(the_service_manager_is_told_as_of_a_reload)
{
	const struct event *reloading, *ready, *alive;

	d.before_exec = daemon_watched;
	daemon_start(&d, ECHO(""), control_path());
	upgrade_to_next(&d);
	reloading = daemon_wait_notice(&d, "RELOADING=1");
	ck_assert_int_gt(event_number(reloading, "MONOTONIC_USEC"), 0);
	ready = daemon_wait_notice(&d, "READY=1");
	ck_assert_uint_gt(ready->nr, reloading->nr);
	do
		alive = daemon_wait_notice(&d, "WATCHDOG=1");
	while (alive->nr < ready->nr);
} END_TEST

int main(void)
{
	Suite *s = suite_create("upgrade_meanwhile");
	TCase *tc = upgrade_case(s, "orders");

	tcase_add_test(tc, a_scaled_service_stays_scaled);
	tcase_add_test(tc, a_drained_service_stays_drained);
	tcase_add_test(tc, a_server_at_rest_stays_at_rest);
	tcase_add_test(tc, a_service_that_fails_is_no_obstacle);

	tc = upgrade_case(s, "meanwhile");
	tcase_add_test(tc, a_client_that_asks_during_a_reload_is_served_after_it);
	tcase_add_test(tc, a_reload_during_an_upgrade_follows_it);
	tcase_add_loop_test(tc, a_server_can_be_stopped_in_the_middle_of_an_upgrade, 0, 12);
	tcase_add_test(tc, workers_that_die_meanwhile_are_buried_and_replaced);
	tcase_add_test(tc, an_order_that_comes_meanwhile_is_not_lost);
	tcase_add_test(tc, the_service_manager_is_told_as_of_a_reload);
	return harness_run(s);
}
