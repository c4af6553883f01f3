/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * HUP: a new configuration takes over, and no client notices; or it does not,
 * and no client notices either. listeners.c tests what happens to listeners.
 */
#include <config.h>
#include "harness.h"

#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct daemon d;

#define ECHO(rest) SERVICES(SERVICE("s", "echo", "workers = 2; " rest))

START_TEST(a_hundred_reloads_under_load_cost_no_client_anything)
{
	struct load visitors = { .n_clients = 8, .bytes = 20000, .again = true };
	struct load residents = { .n_clients = 2 };
	long long generation = 0;

	daemon_start(&d, ECHO(""));
	visitors.address = residents.address = daemon_address(&d, "s", 0);
	load_start(&visitors);
	load_start(&residents);
	load_wait_flow(&residents);
	for (int i = 0; i < 100; i++) {
		long long now = daemon_reload(&d, ECHO(""));

		ck_assert_int_gt(now, generation);
		generation = now;
		load_wait_done(&visitors, visitors.done + 1);
	}
	load_stop(&visitors);
	load_stop(&residents);
	ck_assert_uint_eq(visitors.lost + residents.lost, 0);
	ck_assert_uint_eq(residents.done, 2);
	ck_assert_uint_ge(visitors.done, 100);
	for (int i = 0; i < 100; i++)
		daemon_wait_for(&d, "generation-gone");
	ck_assert_uint_eq(daemon_saw(&d, "worker-end how=signal"), 0);
	ck_assert_uint_eq(daemon_saw(&d, "closed"), 0);
} END_TEST

START_TEST(new_connections_get_the_new_handler_and_old_ones_keep_theirs)
{
	pid_t workers[2];
	long long busy;
	int old, new;

	daemon_start(&d, ECHO(""));
	for (int i = 0; i < 2; i++)
		workers[i] = daemon_next_worker(&d, "s");
	old = daemon_connect(&d, "s");
	busy = event_number(daemon_accepted(&d, old), "pid");
	daemon_reload(&d, SERVICES(SERVICE("s", "daytime", "workers = 1;")));
	for (int i = 0; i < 2; i++)
		daemon_wait_for(&d, "worker-drain service=s pid=%d", workers[i]);

	/* Told is not yet obeyed: one is gone then, the other has turned its loop. */
	daemon_wait_for(&d, "worker-end pid=%d how=exit value=0", workers[busy == workers[0]]);
	for (int i = 0; i < 2; i++)
		client_echo(old);
	new = daemon_connect(&d, "s");
	ck_assert_uint_gt(strlen(client_read_all(new)), 10);
	close(new);
	client_echo(old);
	close(old);
	daemon_wait_for(&d, "worker-end pid=%lld how=exit value=0", busy);
	daemon_wait_for(&d, "generation-gone");
} END_TEST

static void check_refused(const char *reason)
{
	daemon_signal(&d, SIGHUP);
	daemon_wait_for(&d, "reload-failed reason=%s", reason);
}

START_TEST(a_broken_file_changes_nothing_and_is_explained)
{
	int fd, other;

	daemon_start(&d, ECHO(""));
	fd = daemon_connect_echo(&d, "s");
	daemon_config(&d, "services = {\n  s = { listen = oops\n");
	check_refused("check");
	daemon_config(&d, ECHO("") "no_such_key = 1;");
	check_refused("check");
	harness_contains(daemon_errors(&d), files_text("%s:%d:", d.config,
	                                               daemon_config_lines_before() + 2));
	client_echo(fd);
	other = daemon_connect_echo(&d, "s");
	ck_assert_uint_eq(daemon_saw(&d, "worker-drain"), 0);
	ck_assert_uint_eq(daemon_saw(&d, "worker-end"), 0);
	daemon_reload(&d, ECHO(""));            /* and a whole one is taken again */
	close(fd);
	close(other);
} END_TEST

START_TEST(a_missing_file_changes_nothing)
{
	daemon_start(&d, ECHO(""));
	ck_assert_int_eq(unlink(d.config), 0);
	check_refused("check");
	daemon_check_echo(&d, "s");
} END_TEST

/* A process that opens it waits for a writer, which never comes. */
START_TEST(a_file_that_would_hang_its_reader_is_refused)
{
	daemon_start(&d, ECHO(""));
	ck_assert_int_eq(unlink(d.config), 0);
	files_mkfifo("drover.conf");
	check_refused("check");
	daemon_check_echo(&d, "s");
} END_TEST

START_TEST(a_generation_that_does_not_start_is_rolled_back)
{
	const struct event *open;
	pid_t workers[2];
	int old, new;

	daemon_start(&d, ECHO(""));
	for (int i = 0; i < 2; i++)
		workers[i] = daemon_next_worker(&d, "s");
	old = daemon_connect_echo(&d, "s");
	daemon_config(&d, ECHO("%s"), harness_cannot_start());
	check_refused("start");
	new = daemon_connect_echo(&d, "s");
	open = daemon_accepted(&d, new);
	ck_assert(event_number(open, "pid") == workers[0] || event_number(open, "pid") == workers[1]);
	client_echo(old);
	for (int i = 0; i < 2; i++) {
		ck_assert_uint_eq(daemon_saw(&d, "worker-drain pid=%d", workers[i]), 0);
		ck_assert_uint_eq(daemon_saw(&d, "worker-end pid=%d", workers[i]), 0);
	}
	close(old);
	close(new);
} END_TEST

START_TEST(one_service_that_does_not_start_rolls_all_of_them_back)
{
	const char *path = files_path("t.sock");
	int fd;

	daemon_start(&d, ECHO(""));
	daemon_config(&d, SERVICES(SERVICE("s", "daytime", "workers = 1;")
	              SERVICE_AT("t", "\"unix:%s\"", "echo", "workers = 1; %s")),
	              path, harness_cannot_start());
	check_refused("start");
	daemon_wait_for(&d, "generation-gone");
	ck_assert(!files_exist(path));
	fd = daemon_connect(&d, "s");
	client_echo(fd);                /* not a daytime */
	close(fd);
} END_TEST

START_TEST(a_reload_that_comes_during_a_reload_is_not_lost)
{
	daemon_start(&d, ECHO(""));
	daemon_signal(&d, SIGHUP);
	daemon_wait_for(&d, "reload-begin");
	daemon_config(&d, SERVICES(SERVICE("late", "echo", "workers = 1;")));
	daemon_signal(&d, SIGHUP);
	daemon_wait_for(&d, "listening service=late");
	daemon_wait_for(&d, "closed service=s");

	daemon_check_echo(&d, "late");
} END_TEST

START_TEST(many_reloads_in_a_row_end_with_the_last_configuration)
{
	daemon_start(&d, ECHO(""));
	for (int i = 0; i < 20; i++)
		daemon_signal(&d, SIGHUP);
	daemon_config(&d, ECHO("connections = 7;"));
	daemon_signal(&d, SIGHUP);
	daemon_wait_for(&d, "reload-done");
	daemon_check_echo(&d, "s");
} END_TEST

/* HUP and what comes with it, in every combination of who is served first. */
START_TEST(a_server_can_be_stopped_in_the_middle_of_a_reload)
{
	static const int signals[] = { SIGTERM, SIGQUIT, SIGINT };
	static const char *const moments[] = { NULL, "reload-begin", "worker-start generation=2" };

	daemon_start(&d, ECHO(""));
	daemon_signal(&d, SIGHUP);
	if (moments[_i / 3])
		daemon_wait_for(&d, "%s", moments[_i / 3]);
	daemon_signal(&d, signals[_i % 3]);
	ck_assert_int_eq(daemon_join(&d), 0);
	ck_assert_uint_eq(daemon_saw(&d, "stopped"), 1);
} END_TEST

START_TEST(old_connections_end_when_they_may_drain_no_longer)
{
	pid_t worker;
	int fd;

	daemon_start(&d, SERVICES(SERVICE("s", "echo", "workers = 1; timeouts = { drain = \"200ms\"; };")));
	worker = daemon_next_worker(&d, "s");
	fd = daemon_connect_echo(&d, "s");
	daemon_reload(&d, ECHO(""));
	client_expect_gone(fd);
	daemon_wait_for(&d, "worker-end pid=%d", worker);
	daemon_wait_for(&d, "generation-gone");
	close(fd);
} END_TEST

START_TEST(an_old_worker_that_does_not_listen_is_killed_when_it_may_drain_no_longer)
{
	pid_t worker;
	int fd;

	daemon_start(&d, SERVICES(SERVICE("s", "echo", "workers = 1; timeouts = { drain = \"200ms\"; };")));
	worker = daemon_next_worker(&d, "s");
	fd = daemon_connect_echo(&d, "s");
	ck_assert_int_eq(kill(worker, SIGSTOP), 0);
	daemon_reload(&d, ECHO(""));
	daemon_wait_for(&d, "worker-end pid=%d how=signal value=%d", worker, SIGKILL);
	daemon_wait_for(&d, "generation-gone");
	client_expect_gone(fd);
	close(fd);
} END_TEST

START_TEST(services_come_and_go)
{
	const char *gone;

	daemon_start(&d, SERVICES(SERVICE("a", "echo", "workers = 1;")
	             SERVICE("b", "echo", "workers = 1;")));
	gone = daemon_address(&d, "b", 0);
	daemon_reload(&d, SERVICES(SERVICE("a", "echo", "workers = 1;")
	             SERVICE("b", "echo", "enabled = false;")
	             SERVICE("c", "echo", "workers = 1;")));
	daemon_check_echo(&d, "c");
	daemon_wait_for(&d, "closed service=b address=%s", gone);
	daemon_wait_for(&d, "generation-gone");
	ck_assert_int_eq(client_try(gone), -1);
	daemon_check_echo(&d, "a");
} END_TEST

/* A reload is under way: the worker of a new service has accepted a client, and was not heard. */
static int connect_to_unheard(const char *more, const struct event **opened)
{
	const char *address = files_text("unix:%s", files_path("unheard.sock"));
	int fd;

	d.program = "tests/e2e/unheard_droverd";
	daemon_start(&d, ECHO(""));
	daemon_config(&d, SERVICES(SERVICE("s", "echo", "workers = 2;")
	              SERVICE_AT("unheard", "\"%s\"", "echo", "workers = 1; %s")), address, more);
	daemon_signal(&d, SIGHUP);
	daemon_wait_for(&d, "worker-start service=unheard");
	fd = client_connect_echo(address);
	*opened = daemon_wait_for(&d, "connection-open service=unheard");
	return fd;
}

START_TEST(a_worker_that_accepts_and_was_not_heard_yet_finishes_its_connections)
{
	const struct event *opened;
	const int fd = connect_to_unheard("", &opened);

	daemon_signal(&d, SIGQUIT);
	daemon_wait_for(&d, "worker-drain service=unheard");
	client_echo(fd);
	close(fd);
	ck_assert(event_has(daemon_ended(&d, opened), "connection-end how=closed"));
	daemon_wait_for(&d, "worker-end service=unheard how=exit value=0");
	ck_assert_int_eq(daemon_join(&d), 0);
} END_TEST

START_TEST(a_worker_that_drains_before_it_was_heard_has_the_time_of_its_start)
{
	const struct event *opened;
	const int fd = connect_to_unheard("timeouts = { start = \"6s\"; };", &opened);

	daemon_signal(&d, SIGQUIT);
	daemon_wait_for(&d, "worker-drain service=unheard");
	daemon_wait_for(&d, "worker-end service=unheard how=signal value=%d", SIGKILL);
	client_expect_gone(fd);
	ck_assert_int_eq(daemon_join(&d), 0);
} END_TEST

int main(void)
{
	Suite *s = suite_create("reload");
	TCase *tc = harness_case(s, "reload");

	tcase_add_test(tc, a_hundred_reloads_under_load_cost_no_client_anything);
	tcase_add_test(tc, new_connections_get_the_new_handler_and_old_ones_keep_theirs);
	tcase_add_test(tc, a_broken_file_changes_nothing_and_is_explained);
	tcase_add_test(tc, a_missing_file_changes_nothing);
	tcase_add_test(tc, a_file_that_would_hang_its_reader_is_refused);
	tcase_add_test(tc, a_generation_that_does_not_start_is_rolled_back);
	tcase_add_test(tc, one_service_that_does_not_start_rolls_all_of_them_back);
	tcase_add_test(tc, a_reload_that_comes_during_a_reload_is_not_lost);
	tcase_add_test(tc, many_reloads_in_a_row_end_with_the_last_configuration);
	tcase_add_loop_test(tc, a_server_can_be_stopped_in_the_middle_of_a_reload, 0, 9);
	tcase_add_test(tc, old_connections_end_when_they_may_drain_no_longer);
	tcase_add_test(tc, an_old_worker_that_does_not_listen_is_killed_when_it_may_drain_no_longer);
	tcase_add_test(tc, services_come_and_go);
	tcase_add_test(tc, a_worker_that_accepts_and_was_not_heard_yet_finishes_its_connections);
	tcase_add_test(tc, a_worker_that_drains_before_it_was_heard_has_the_time_of_its_start);
	return harness_run(s);
}
