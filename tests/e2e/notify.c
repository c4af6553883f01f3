/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the service manager is told (sd_notify(3)), and that it may be deaf.
 */
#include <config.h>
#include "harness.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "address.h"

static struct daemon d;

#define ONE_ECHO SERVICES(SERVICE("parrot", "echo", "workers = 1;"))

static long long now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (long long)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

START_TEST(ready_comes_when_all_is_done)
{
	const char *pid_file = files_path("drover.pid");

	daemon_config(&d, "pid_file = \"%s\";" ONE_ECHO, pid_file);
	daemon_spawn(&d);
	daemon_wait_notice(&d, "READY=1");
	ck_assert_str_eq(files_read(pid_file), files_text("%d\n", d.pid));
	ck_assert_uint_eq(files_count(daemon_errors(&d), " ready\n"), 1);
	daemon_check_echo(&d, "parrot");
} END_TEST

START_TEST(the_status_says_what_is_served)
{
	daemon_start(&d, ONE_ECHO);
	daemon_wait_status(&d, "parrot");
} END_TEST

START_TEST(a_reload_is_announced_with_its_time_and_its_end)
{
	const struct event *reloading, *ready;
	long long before, after;

	daemon_start(&d, ONE_ECHO);
	before = now_us();
	daemon_reload(&d, ONE_ECHO);
	after = now_us();
	reloading = daemon_wait_notice(&d, "RELOADING=1");
	ck_assert_int_ge(event_number(reloading, "MONOTONIC_USEC"), before);
	ck_assert_int_le(event_number(reloading, "MONOTONIC_USEC"), after);
	ready = daemon_wait_notice(&d, "READY=1");
	ck_assert_uint_gt(ready->nr, reloading->nr);
} END_TEST

START_TEST(a_refused_reload_ends_with_ready_too)
{
	const struct event *reloading, *ready;

	daemon_start(&d, ONE_ECHO);
	daemon_config(&d, "nonsense");
	daemon_signal(&d, SIGHUP);
	daemon_wait_for(&d, "reload-failed");
	reloading = daemon_wait_notice(&d, "RELOADING=1");
	ready = daemon_wait_notice(&d, "READY=1");
	ck_assert_uint_gt(ready->nr, reloading->nr);
} END_TEST

START_TEST(a_stop_is_announced)
{
	daemon_start(&d, ONE_ECHO);
	daemon_signal(&d, SIGTERM);
	daemon_wait_notice(&d, "STOPPING=1");
	ck_assert_int_eq(daemon_join(&d), 0);
} END_TEST

START_TEST(while_it_drains_it_asks_for_more_time)
{
	int fd;

	daemon_start(&d, "shutdown_timeout = 0;" ONE_ECHO);
	fd = daemon_connect_echo(&d, "parrot");
	daemon_signal(&d, SIGTERM);
	daemon_wait_notice(&d, "STOPPING=1");
	for (int i = 0; i < 2; i++)
		ck_assert_int_gt(event_number(daemon_wait_notice(&d, "EXTEND_TIMEOUT_USEC="),
		                              "EXTEND_TIMEOUT_USEC"), 0);
	client_echo(fd);
	close(fd);
	ck_assert_int_eq(daemon_join(&d), 0);
} END_TEST

START_TEST(the_watchdog_is_fed)
{
	d.before_exec = daemon_watched;
	daemon_start(&d, ONE_ECHO);
	for (int i = 0; i < 5; i++)
		daemon_wait_notice(&d, "WATCHDOG=1");
} END_TEST

START_TEST(without_a_watchdog_none_is_fed)
{
	int fd;

	daemon_start(&d, SERVICES(SERVICE("s", "echo", "workers = 1; timeouts = { idle = 0.3; };")));
	fd = daemon_connect(&d, "s");
	daemon_wait_for(&d, "connection-end how=idle");         /* so time has passed */
	for (size_t i = 0; i < d.notices.n; i++)
		ck_assert_ptr_null(strstr(d.notices.events[i]->text, "WATCHDOG"));
	close(fd);
} END_TEST

/* ---- No process listens ---- */

static const char *deaf_path;

static void use_deaf(void)
{
	setenv("NOTIFY_SOCKET", deaf_path, 1);
}

/* A socket whose queue is full already. */
static void make_deaf(void)
{
	struct address a;
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int sender = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	deaf_path = files_path("deaf");
	ck_assert_int_eq(address_set_path(&a, deaf_path), 0);
	ck_assert_int_eq(bind(fd, &a.u.sa, a.len), 0);
	while (sendto(sender, "x", 1, MSG_DONTWAIT, &a.u.sa, a.len) == 1)
		;
	close(sender);
}

static void serve_and_stop(void)
{
	d.before_exec = use_deaf;
	daemon_config(&d, ONE_ECHO);
	daemon_spawn(&d);
	daemon_wait_for(&d, "ready");
	for (int i = 0; i < 10; i++)
		daemon_reload(&d, ONE_ECHO);
	daemon_check_echo(&d, "parrot");
	daemon_stop(&d, SIGTERM);
}

START_TEST(a_manager_that_does_not_read_does_not_block_the_master)
{
	make_deaf();
	serve_and_stop();
} END_TEST

START_TEST(a_manager_that_is_not_there_is_no_reason_not_to_serve)
{
	deaf_path = files_path("nobody-is-here");
	serve_and_stop();
} END_TEST

int main(void)
{
	Suite *s = suite_create("notify");
	TCase *tc = harness_case(s, "notify");

	tcase_add_test(tc, ready_comes_when_all_is_done);
	tcase_add_test(tc, the_status_says_what_is_served);
	tcase_add_test(tc, a_reload_is_announced_with_its_time_and_its_end);
	tcase_add_test(tc, a_refused_reload_ends_with_ready_too);
	tcase_add_test(tc, a_stop_is_announced);
	tcase_add_test(tc, while_it_drains_it_asks_for_more_time);
	tcase_add_test(tc, the_watchdog_is_fed);
	tcase_add_test(tc, without_a_watchdog_none_is_fed);

	tc = harness_case(s, "deaf");
	tcase_add_test(tc, a_manager_that_does_not_read_does_not_block_the_master);
	tcase_add_test(tc, a_manager_that_is_not_there_is_no_reason_not_to_serve);
	return harness_run(s);
}
