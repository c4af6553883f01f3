/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The control socket: drain, resume and stop, which wait for open connections.
 */
#include <config.h>
#include "control_harness.h"

#include <signal.h>
#include <unistd.h>

static struct daemon d;

/* A service of one worker, and its client. */
static int start_with_client(const char *rest)
{
	daemon_start(&d, ONE("%s"), control_path(), rest);
	return daemon_connect_echo(&d, "s");
}

/* Returns the client that has asked, and that waits for the answer. */
static int begin_drain(void)
{
	int fd = control_connect();

	control_say(fd, "{\"command\":\"drain\",\"service\":\"s\"}");
	daemon_wait_for(&d, "worker-drain");
	return fd;
}

START_TEST(what_was_exhausted_before_a_drain_is_not_afterwards)
{
	int fd, client;

	client = start_with_client("connections = 1;");
	daemon_wait_for(&d, "exhausted service=s busy=1");
	fd = control_connect();
	control_say(fd, "{\"command\":\"drain\",\"service\":\"s\"}");
	daemon_wait_for(&d, "relieved service=s");
	close(client);
	control_expect(fd, "\"ok\":true");
	close(fd);
	control_ask("{\"command\":\"resume\",\"service\":\"s\"}", "\"ok\":true");
	control_ask("{\"command\":\"services\"}", "\"state\":\"serving\"");
	ck_assert_uint_eq(daemon_saw(&d, "exhausted"), 1);
} END_TEST

START_TEST(drain_waits_for_what_is_open_and_resume_serves_clients_that_waited)
{
	int old, new, fd;

	old = start_with_client("");
	fd = begin_drain();
	control_ask("{\"command\":\"services\"}", "\"state\":\"draining\"");
	/* The slots of a worker that drains are not for new clients. */
	control_ask("{\"command\":\"services\"}", "\"slots\":{\"open\":0,\"max\":0,");
	control_ask("{\"command\":\"status\"}", "\"totals\":{\"workers\":1,\"open\":1");
	client_echo(old);
	client_echo(old);               /* now it has turned its loop: it accepts no more */
	new = daemon_connect(&d, "s");
	client_say(new, "I can wait");
	control_ask("{\"command\":\"resume\",\"service\":\"s\"}",
	            "\"busy\",\"message\":\"drain is under way: one change at a time\"");
	control_ask("{\"command\":\"reload\"}", "\"busy\"");
	control_ask("{\"command\":\"status\"}", "\"phase\":\"serving\"");
	close(old);
	control_expect(fd, "{\"ok\":true,\"result\":{\"service\":\"s\"}}");
	control_ask("{\"command\":\"services\"}", "\"state\":\"drained\"");
	control_ask("{\"command\":\"scale\",\"service\":\"s\",\"to\":\"+1\"}",
	            "is drained (resume it first)");
	ck_assert_uint_eq(daemon_saw(&d, "connection-open"), 1);
	control_ask("{\"command\":\"resume\",\"service\":\"s\"}",
	            "{\"ok\":true,\"result\":{\"service\":\"s\"}}");
	client_expect(new, "I can wait");
	close(new);
	close(fd);
} END_TEST

START_TEST(a_client_that_does_not_wait_for_a_change_keeps_no_other_from_the_next)
{
	int data, fd;

	data = start_with_client("");
	fd = begin_drain();
	close(fd);
	daemon_barrier(&d);
	control_ask("{\"command\":\"resume\",\"service\":\"s\"}", "\"ok\":true");
	client_echo(data);
	close(data);
} END_TEST

/* A pool has twice as many places as workers: two that drain leave none. */
START_TEST(a_worker_that_finds_no_place_starts_when_there_is_one)
{
	int open[2], fd;

	daemon_start(&d, CONTROL SERVICES(SERVICE("s", "echo", "workers = { min = 1; max = 1; };")),
	             control_path());
	for (size_t i = 0; i < ARRAY_SIZE(open); i++) {
		open[i] = daemon_connect_echo(&d, "s");
		fd = begin_drain();
		close(fd);
		fd = control_connect();
		control_say(fd, "{\"command\":\"resume\",\"service\":\"s\"}");
		if (i == 0)
			control_expect(fd, "\"ok\":true");
	}
	daemon_wait_for(&d, "no-place service=s");
	close(open[0]);
	control_expect(fd, "\"ok\":true");
	client_echo(open[1]);
	close(open[1]);
} END_TEST

START_TEST(a_reload_ends_what_was_drained)
{
	int data, fd;

	data = start_with_client("");
	fd = begin_drain();
	daemon_reload(&d, ONE(""), control_path());
	control_expect(fd, "\"refused\",\"message\":\"a reload has replaced the workers");
	control_ask("{\"command\":\"services\"}", "\"state\":\"serving\"");
	close(data);
	close(fd);
} END_TEST

START_TEST(resume_works_after_winch)
{
	daemon_start(&d, ECHO(""), control_path());
	daemon_signal(&d, SIGWINCH);
	daemon_wait_for(&d, "resting");
	control_ask("{\"command\":\"status\"}", "\"phase\":\"resting\"");
	control_ask("{\"command\":\"resume\",\"service\":\"s\"}", "\"ok\":true");
	control_ask("{\"command\":\"status\"}", "\"phase\":\"serving\"");
	daemon_check_echo(&d, "s");
} END_TEST

START_TEST(a_service_that_failed_can_be_drained_mended_and_resumed)
{
	const char *folder = files_mkdir("home");

	daemon_start(&d, ONE("directory = \"%s\"; restart = { delay_min = \"1h\"; delay_max = \"1h\"; };"),
	             control_path(), folder);
	files_remove_tree(folder);
	ck_assert_int_eq(kill(daemon_next_worker(&d, "s"), SIGKILL), 0);
	daemon_wait_for(&d, "worker-delayed");
	control_ask("{\"command\":\"services\"}", "\"state\":\"failing\"");
	control_ask("{\"command\":\"drain\",\"service\":\"s\"}", "\"ok\":true");
	files_mkdir("home");
	control_ask("{\"command\":\"resume\",\"service\":\"s\"}", "\"ok\":true");
	control_ask("{\"command\":\"services\"}", "\"state\":\"serving\"");
} END_TEST

/* ---- Stopping ---- */

START_TEST(stop_is_answered_right_before_the_end)
{
	int fd, idle;

	daemon_start(&d, ECHO(""), control_path());
	d.may_end = true;
	idle = control_connect();
	fd = control_connect();
	control_say(fd, "{\"command\":\"stop\"}");
	control_expect(fd, "{\"ok\":true,\"result\":{\"stopped\":true}}");
	client_expect_end(fd);
	client_expect_end(idle);
	ck_assert_int_eq(daemon_join(&d), 0);
	ck_assert(!files_exist(control_path()));
	close(fd);
	close(idle);
} END_TEST

START_TEST(while_it_stops_one_can_look_and_hurry_it)
{
	int data, first, second;

	data = start_with_client("");
	d.may_end = true;
	first = control_connect();
	second = control_connect();
	control_say(first, "{\"command\":\"stop\"}");
	daemon_wait_for(&d, "stopping mode=drain");
	control_say(second, "{\"command\":\"status\"}");
	control_expect(second, "\"phase\":\"stopping\"");
	control_say(second, "{\"command\":\"reload\"}");
	control_expect(second, "\"error\":\"stopping\"");
	client_echo(data);
	control_say(second, "{\"command\":\"stop\",\"now\":true}");
	client_expect_gone(data);
	control_expect(first, "\"stopped\":true");
	control_expect(second, "\"stopped\":true");
	ck_assert_int_eq(daemon_join(&d), 0);
	close(data);
	close(first);
	close(second);
} END_TEST

START_TEST(a_stop_ends_the_waiting_for_a_change)
{
	int data, fd;

	data = start_with_client("");
	fd = begin_drain();
	daemon_signal(&d, SIGTERM);
	control_expect(fd, "\"error\":\"stopping\"");
	close(data);
	ck_assert_int_eq(daemon_join(&d), 0);
	close(fd);
} END_TEST

int main(void)
{
	Suite *s = suite_create("control_drain");
	TCase *tc = harness_case(s, "drain");

	tcase_add_test(tc, what_was_exhausted_before_a_drain_is_not_afterwards);
	tcase_add_test(tc, drain_waits_for_what_is_open_and_resume_serves_clients_that_waited);
	tcase_add_test(tc, a_client_that_does_not_wait_for_a_change_keeps_no_other_from_the_next);
	tcase_add_test(tc, a_worker_that_finds_no_place_starts_when_there_is_one);
	tcase_add_test(tc, a_reload_ends_what_was_drained);
	tcase_add_test(tc, resume_works_after_winch);
	tcase_add_test(tc, a_service_that_failed_can_be_drained_mended_and_resumed);

	tc = harness_case(s, "stop");
	tcase_add_test(tc, stop_is_answered_right_before_the_end);
	tcase_add_test(tc, while_it_stops_one_can_look_and_hurry_it);
	tcase_add_test(tc, a_stop_ends_the_waiting_for_a_change);
	return harness_run(s);
}
