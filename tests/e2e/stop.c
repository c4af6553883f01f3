/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The end: asked for, in its three degrees, or not asked for at all.
 */
#include <config.h>
#include "harness.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static struct daemon d, successor;

#define WORKERS(n) SERVICES(SERVICE("s", "echo", "workers = " n ";"))

START_TEST(term_lets_a_transfer_finish)
{
	struct load l = { .n_clients = 16 };

	daemon_start(&d, WORKERS("2"));
	l.address = daemon_address(&d, "s", 0);
	load_start(&l);
	load_wait_flow(&l);
	daemon_signal(&d, SIGTERM);
	daemon_wait_for(&d, "stopping mode=drain");
	load_wait_flow(&l);
	load_stop(&l);
	ck_assert_uint_eq(l.done, 16);
	ck_assert_int_eq(daemon_join(&d), 0);
} END_TEST

START_TEST(after_term_no_new_client_is_served)
{
	const char *address;
	int fd;

	daemon_start(&d, WORKERS("1"));
	address = daemon_address(&d, "s", 0);
	fd = daemon_connect_echo(&d, "s");
	daemon_signal(&d, SIGTERM);
	daemon_wait_for(&d, "worker-drain service=s");
	daemon_wait_for(&d, "closed service=s");        /* by the master */
	for (int i = 0; i < 2; i++)
		client_echo(fd);                /* by now it has obeyed */
	ck_assert_int_eq(client_try(address), -1);
	ck_assert_int_eq(errno, ECONNREFUSED);
	close(fd);
	ck_assert_int_eq(daemon_join(&d), 0);
} END_TEST

/* In the queue, because the only slot is taken. */
START_TEST(a_client_that_waits_is_told_at_once)
{
	int first, waiting[3];

	daemon_start(&d, SERVICES(SERVICE("s", "echo", "workers = 1; connections = 1;")));
	first = daemon_connect_echo(&d, "s");
	for (size_t i = 0; i < ARRAY_SIZE(waiting); i++)
		waiting[i] = daemon_connect(&d, "s");
	daemon_signal(&d, _i == 0 ? SIGTERM : SIGQUIT);
	for (size_t i = 0; i < ARRAY_SIZE(waiting); i++)
		client_expect_reset(waiting[i]);
	client_echo(first);
	ck_assert(!d.gone);
	close(first);
	ck_assert_int_eq(daemon_join(&d), 0);
} END_TEST

START_TEST(an_idle_server_stops_at_once)
{
	const int signals[] = { SIGTERM, SIGQUIT, SIGINT };
	const char *const modes[] = { "drain", "wait", "now" };

	daemon_start(&d, "shutdown_timeout = 0;" WORKERS("4"));
	daemon_signal(&d, signals[_i]);
	daemon_wait_for(&d, "stopping mode=%s", modes[_i]);
	ck_assert_int_eq(daemon_join(&d), 0);
} END_TEST

START_TEST(a_second_term_ends_what_is_open)
{
	int fd;

	daemon_start(&d, "shutdown_timeout = 0;" WORKERS("1"));
	fd = daemon_connect_echo(&d, "s");
	daemon_signal(&d, SIGTERM);
	daemon_wait_for(&d, "stopping mode=drain");
	client_echo(fd);
	daemon_signal(&d, SIGTERM);
	daemon_wait_for(&d, "stopping mode=now");
	client_expect_gone(fd);
	ck_assert_int_eq(daemon_join(&d), 0);
	close(fd);
} END_TEST

START_TEST(int_ends_what_is_open)
{
	int fd;

	daemon_start(&d, "shutdown_timeout = 0;" WORKERS("1"));
	fd = daemon_connect_echo(&d, "s");
	daemon_signal(&d, SIGINT);
	daemon_wait_for(&d, "stopping mode=now");
	client_expect_gone(fd);
	ck_assert_int_eq(daemon_join(&d), 0);
	close(fd);
} END_TEST

/* A session that ends later than shutdown_timeout tells that this has passed. */
START_TEST(quit_waits_for_as_long_as_it_takes)
{
	int fd, clock;

	daemon_start(&d, "shutdown_timeout = \"100ms\";"
	             SERVICES(SERVICE("s", "echo", "workers = 1;")
	             SERVICE("clock", "echo", "workers = 1; timeouts = { session = \"700ms\"; };")));
	fd = daemon_connect_echo(&d, "s");
	clock = daemon_connect_echo(&d, "clock");
	daemon_signal(&d, SIGQUIT);
	daemon_wait_for(&d, "stopping mode=wait");
	daemon_wait_for(&d, "connection-end service=clock how=session");
	client_echo(fd);
	close(fd);
	close(clock);
	ck_assert_int_eq(daemon_join(&d), 0);
} END_TEST

START_TEST(term_after_quit_does_not_wait)
{
	int fd;

	daemon_start(&d, "shutdown_timeout = \"100ms\";" WORKERS("1"));
	fd = daemon_connect_echo(&d, "s");
	daemon_signal(&d, SIGQUIT);
	daemon_wait_for(&d, "stopping mode=wait");
	daemon_signal(&d, SIGTERM);
	client_expect_gone(fd);
	ck_assert_int_eq(daemon_join(&d), 0);
	close(fd);
} END_TEST

START_TEST(a_server_that_stops_does_not_reload)
{
	int fd;

	daemon_start(&d, WORKERS("1"));
	fd = daemon_connect_echo(&d, "s");
	daemon_signal(&d, SIGTERM);
	daemon_wait_for(&d, "stopping mode=drain");
	daemon_signal(&d, SIGHUP);
	daemon_barrier(&d);
	close(fd);
	ck_assert_int_eq(daemon_join(&d), 0);
	ck_assert_uint_eq(daemon_saw(&d, "reload-begin"), 0);
} END_TEST

START_TEST(what_is_open_after_shutdown_timeout_is_ended)
{
	const struct event *end;
	int fd;

	daemon_start(&d, "shutdown_timeout = \"200ms\";" WORKERS("1"));
	fd = daemon_connect_echo(&d, "s");
	daemon_signal(&d, SIGTERM);
	end = daemon_ended(&d, daemon_accepted(&d, fd));
	ck_assert_str_eq(event_word(end, "how"), "stop");
	client_expect_gone(fd);
	ck_assert_int_eq(daemon_join(&d), 0);
	close(fd);
} END_TEST

START_TEST(a_worker_that_hangs_does_not_keep_the_server_from_stopping)
{
	pid_t worker;

	daemon_start(&d, "shutdown_timeout = \"100ms\";" WORKERS("1"));
	worker = daemon_next_worker(&d, "s");
	ck_assert_int_eq(kill(worker, SIGSTOP), 0);
	daemon_signal(&d, SIGTERM);
	daemon_wait_for(&d, "worker-end pid=%d how=signal value=%d", worker, SIGKILL);
	ck_assert_int_eq(daemon_join(&d), 0);
} END_TEST

START_TEST(nothing_is_left_of_a_server_that_has_stopped)
{
	const char *path = files_path("s.sock"), *pid_file = files_path("drover.pid");

	daemon_start(&d, "pid_file = \"%s\";"
	             SERVICES(SERVICE_AT("s", "\"unix:%s\"", "echo", "workers = 2;")), pid_file, path);
	ck_assert_str_eq(files_read(pid_file), files_text("%d\n", d.pid));
	ck_assert(files_exist(path));
	daemon_stop(&d, SIGTERM);
	ck_assert(!files_exist(path));
	ck_assert(!files_exist(pid_file));
} END_TEST

START_TEST(the_master_ends_after_its_workers)
{
	const struct event *stopping, *stopped, *last;

	daemon_start(&d, WORKERS("2"));
	daemon_signal(&d, SIGTERM);
	stopping = daemon_wait_for(&d, "stopping");
	stopped = daemon_wait_for(&d, "stopped");
	for (int i = 0; i < 2; i++) {
		last = daemon_wait_for(&d, "worker-end how=exit value=0");
		ck_assert_uint_gt(last->nr, stopping->nr);
		ck_assert_uint_lt(last->nr, stopped->nr);
	}
	ck_assert_int_eq(daemon_join(&d), 0);
	ck_assert_uint_eq(stopped->nr, d.events.n - 1);
} END_TEST

/* ---- Every process is told ---- */

static void signal_all(int signal)
{
	daemon_signal(&d, signal);
	ck_assert_uint_gt(daemon_saw(&d, "worker-ready"), 0);
	for (size_t i = 0; i < d.events.n; i++)
		if (event_has(d.events.events[i], "worker-ready"))
			kill((pid_t)event_number(d.events.events[i], "pid"), signal);
}

/* As a service manager does that tells every process of a control group. */
START_TEST(term_to_every_process_is_a_graceful_stop)
{
	struct load l = { .n_clients = 16 };
	int fd;

	daemon_start(&d, WORKERS("2"));
	l.address = daemon_address(&d, "s", 0);
	fd = daemon_connect_echo(&d, "s");
	load_start(&l);
	load_wait_flow(&l);
	signal_all(SIGTERM);
	daemon_wait_for(&d, "stopping mode=drain");
	for (int i = 0; i < 3; i++)
		client_echo(fd);
	load_wait_flow(&l);
	load_stop(&l);
	ck_assert_uint_eq(l.done, 16);
	ck_assert_uint_eq(l.lost, 0);
	client_echo(fd);
	close(fd);
	ck_assert_int_eq(daemon_join(&d), 0);
	ck_assert_uint_eq(daemon_saw(&d, "connection-end how=stop"), 0);
} END_TEST

START_TEST(quit_to_every_process_waits_for_as_long_as_it_takes)
{
	int fd, clock;

	daemon_start(&d, "shutdown_timeout = \"100ms\";"
	             SERVICES(SERVICE("s", "echo", "workers = 1;")
	             SERVICE("clock", "echo", "workers = 1; timeouts = { session = \"700ms\"; };")));
	fd = daemon_connect_echo(&d, "s");
	clock = daemon_connect_echo(&d, "clock");
	signal_all(SIGQUIT);
	daemon_wait_for(&d, "stopping mode=wait");
	daemon_wait_for(&d, "connection-end service=clock how=session");
	client_echo(fd);
	close(fd);
	close(clock);
	ck_assert_int_eq(daemon_join(&d), 0);
} END_TEST

START_TEST(a_second_term_to_every_process_ends_what_is_open)
{
	int fd;

	daemon_start(&d, "shutdown_timeout = 0;" WORKERS("1"));
	fd = daemon_connect_echo(&d, "s");
	signal_all(SIGTERM);
	daemon_wait_for(&d, "stopping mode=drain");
	client_echo(fd);
	signal_all(SIGTERM);
	client_expect_gone(fd);
	ck_assert_int_eq(daemon_join(&d), 0);
	close(fd);
} END_TEST

/* ---- The master is killed ---- */

START_TEST(idle_workers_of_a_killed_master_end_at_once)
{
	int watches[4];

	daemon_start(&d, WORKERS("4"));
	for (size_t i = 0; i < ARRAY_SIZE(watches); i++)
		watches[i] = process_watch(daemon_next_worker(&d, "s"));
	daemon_signal(&d, SIGKILL);
	ck_assert_int_eq(daemon_join(&d), 128 + SIGKILL);
	for (size_t i = 0; i < ARRAY_SIZE(watches); i++)
		process_wait_end(watches[i]);
} END_TEST

START_TEST(what_is_open_at_a_killed_master_finishes_while_a_new_one_takes_the_port)
{
	const char *port;
	int fd, watch;

	daemon_start(&d, WORKERS("1"));
	port = daemon_port(&d, "s", 0);
	watch = process_watch(daemon_next_worker(&d, "s"));
	fd = daemon_connect_echo(&d, "s");
	daemon_signal(&d, SIGKILL);
	daemon_join(&d);

	/* The worker saw the master's end before the first of these: it let go of the port. */
	for (int i = 0; i < 2; i++)
		client_echo(fd);
	daemon_start(&successor, SERVICES(SERVICE_AT("s", "\"127.0.0.1:%s\"", "daytime", "workers = 1;")), port);
	ck_assert_uint_gt(strlen(client_ask(daemon_address(&successor, "s", 0))), 10);
	client_echo(fd);
	close(fd);
	process_wait_end(watch);
} END_TEST

START_TEST(a_new_master_takes_over_the_unix_socket_of_a_killed_one)
{
	const char *const format =
		SERVICES(SERVICE_AT("s", "\"unix:%s\"", "echo", "workers = 1;"));
	const char *path = files_path("s.sock");
	int watch;

	daemon_start(&d, format, path);
	watch = process_watch(daemon_next_worker(&d, "s"));
	daemon_signal(&d, SIGKILL);
	daemon_join(&d);
	process_wait_end(watch);
	ck_assert(files_exist(path));
	daemon_start(&successor, format, path);
	daemon_check_echo(&successor, "s");
} END_TEST

START_TEST(workers_of_a_killed_master_wait_no_longer_than_shutdown_timeout)
{
	int fd, watch;

	daemon_start(&d, "shutdown_timeout = \"200ms\";" WORKERS("1"));
	watch = process_watch(daemon_next_worker(&d, "s"));
	fd = daemon_connect_echo(&d, "s");
	daemon_signal(&d, SIGKILL);
	daemon_join(&d);
	client_expect_gone(fd);
	process_wait_end(watch);
	close(fd);
} END_TEST

START_TEST(a_worker_of_a_killed_master_drains_on_term_and_ends_on_int)
{
	pid_t worker;
	int fd, watch;

	daemon_start(&d, "shutdown_timeout = 0;" WORKERS("1"));
	worker = daemon_next_worker(&d, "s");
	watch = process_watch(worker);
	fd = daemon_connect_echo(&d, "s");
	daemon_signal(&d, SIGKILL);
	daemon_join(&d);
	ck_assert_int_eq(kill(worker, SIGTERM), 0);
	for (int i = 0; i < 2; i++)
		client_echo(fd);
	ck_assert_int_eq(kill(worker, SIGINT), 0);
	client_expect_gone(fd);
	process_wait_end(watch);
	close(fd);
} END_TEST

int main(void)
{
	Suite *s = suite_create("stop");
	TCase *tc = harness_case(s, "stop");

	tcase_add_test(tc, term_lets_a_transfer_finish);
	tcase_add_test(tc, after_term_no_new_client_is_served);
	tcase_add_loop_test(tc, a_client_that_waits_is_told_at_once, 0, 2);
	tcase_add_loop_test(tc, an_idle_server_stops_at_once, 0, 3);
	tcase_add_test(tc, a_second_term_ends_what_is_open);
	tcase_add_test(tc, int_ends_what_is_open);
	tcase_add_test(tc, quit_waits_for_as_long_as_it_takes);
	tcase_add_test(tc, term_after_quit_does_not_wait);
	tcase_add_test(tc, a_server_that_stops_does_not_reload);
	tcase_add_test(tc, what_is_open_after_shutdown_timeout_is_ended);
	tcase_add_test(tc, a_worker_that_hangs_does_not_keep_the_server_from_stopping);
	tcase_add_test(tc, nothing_is_left_of_a_server_that_has_stopped);
	tcase_add_test(tc, the_master_ends_after_its_workers);

	tc = harness_case(s, "every_process");
	tcase_add_test(tc, term_to_every_process_is_a_graceful_stop);
	tcase_add_test(tc, quit_to_every_process_waits_for_as_long_as_it_takes);
	tcase_add_test(tc, a_second_term_to_every_process_ends_what_is_open);

	tc = harness_case(s, "killed");
	tcase_add_test(tc, a_worker_of_a_killed_master_drains_on_term_and_ends_on_int);
	tcase_add_test(tc, idle_workers_of_a_killed_master_end_at_once);
	tcase_add_test(tc, what_is_open_at_a_killed_master_finishes_while_a_new_one_takes_the_port);
	tcase_add_test(tc, a_new_master_takes_over_the_unix_socket_of_a_killed_one);
	tcase_add_test(tc, workers_of_a_killed_master_wait_no_longer_than_shutdown_timeout);
	return harness_run(s);
}
