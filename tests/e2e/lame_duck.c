/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The time in which a server, or a service, goes on accepting although it was told to stop, so that
 * load balancers hear of it first.
 */
#include <config.h>
#include "operator.h"
#include "upgrade_harness.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

static struct daemon d;

/* What the configuration has beside the services; %s is control_path(). */
#define AGENT(time)     CONTROL "agent = { listen = \"127.0.0.1:0\"; lame_duck = \"" time "\"; };\n"
#define LEAVES_FOR(time, rest) AGENT(time) SERVICES(SERVICE("s", "echo", "workers = 1; " rest))

#define PHASE(name)     control_ask("{\"command\":\"status\"}", "\"phase\":\"" name "\"")
#define STATE(name)     control_ask("{\"command\":\"services\"}", "\"state\":\"" name "\"")

/* ---- the server --------------------------------------------------------- */

START_TEST(the_server_serves_for_a_while_and_then_stops)
{
	int open;

	daemon_start(&d, "shutdown_timeout = 0;" LEAVES_FOR("300ms", ""), control_path());
	open = daemon_connect_echo(&d, "s");
	daemon_signal(&d, _i == 0 ? SIGTERM : SIGQUIT);
	daemon_wait_for(&d, "leaving mode=%s", _i == 0 ? "drain" : "wait");
	daemon_wait_for(&d, "stopping mode=%s", _i == 0 ? "drain" : "wait");
	daemon_wait_for(&d, "worker-drain service=s");
	daemon_wait_for(&d, "closed service=s");
	client_echo(open);
	client_echo(open);              /* by now the worker has obeyed */
	ck_assert_int_eq(client_try(daemon_address(&d, "s", 0)), -1);
	ck_assert_int_eq(errno, ECONNREFUSED);
	close(open);
	ck_assert_int_eq(daemon_join(&d), 0);
} END_TEST

START_TEST(the_time_limit_of_the_stop_begins_after_it)
{
	int open;

	daemon_start(&d, "shutdown_timeout = \"1ms\";" LEAVES_FOR("300ms", ""), control_path());
	open = daemon_connect_echo(&d, "s");
	daemon_signal(&d, SIGTERM);
	daemon_wait_for(&d, "leaving mode=drain");
	daemon_wait_for(&d, "stopping mode=drain");
	daemon_wait_for(&d, "stopping mode=now");
	client_expect_gone(open);
	ck_assert_int_eq(daemon_join(&d), 0);
	close(open);
} END_TEST

START_TEST(it_says_that_it_leaves)
{
	daemon_start(&d, LEAVES_FOR("1h", ""), control_path());
	daemon_signal(&d, SIGTERM);
	daemon_wait_for(&d, "leaving mode=drain");
	daemon_wait_notice(&d, "STOPPING=1");
	daemon_wait_notice(&d, "EXTEND_TIMEOUT_USEC=15000000");
	daemon_wait_status(&d, "leaving: serving until load balancers have heard of it");
	PHASE("leaving");
	STATE("serving");
	control_ask("{\"command\":\"metrics\"}", "drover_state{state=\\\"leaving\\\"} 1");
	daemon_check_echo(&d, "s");
	ck_assert_int_eq(operator_run_args(control_path(), "check", "--weight", "s"), 1);
	ck_assert_str_eq(operator_output(), "up 0%\n");
	control_ask("{\"command\":\"reload\"}", "\"error\":\"stopping\"");
	control_ask("{\"command\":\"drain\",\"service\":\"s\"}", "\"error\":\"stopping\"");
	harness_contains(daemon_errors(&d), "leaving: load balancers are told, and the server stops after"
	                 " 3600000 ms (agent.lame_duck)");
	daemon_stop(&d, SIGINT);
} END_TEST

static const struct { int first, second; const char *mode; } hurries[] = {
	{ SIGTERM, SIGTERM, "now" }, { SIGTERM, SIGINT, "now" }, { SIGQUIT, SIGINT, "now" },
};

START_TEST(another_signal_ends_the_waiting)
{
	int open;

	daemon_start(&d, LEAVES_FOR("1h", ""), control_path());
	open = daemon_connect_echo(&d, "s");
	daemon_signal(&d, hurries[_i].first);
	daemon_wait_for(&d, "leaving");
	daemon_signal(&d, hurries[_i].second);
	daemon_wait_for(&d, "stopping mode=%s", hurries[_i].mode);
	client_expect_gone(open);
	ck_assert_int_eq(daemon_join(&d), 0);
	close(open);
} END_TEST

/* As after the waiting: TERM gives QUIT a limit, and a second one ends at once. */
START_TEST(term_after_quit_makes_a_limit)
{
	daemon_start(&d, LEAVES_FOR("1h", ""), control_path());
	daemon_signal(&d, SIGQUIT);
	daemon_wait_for(&d, "leaving mode=wait");
	daemon_signal(&d, SIGQUIT);
	daemon_signal(&d, SIGTERM);
	daemon_wait_for(&d, "leaving mode=drain");
	daemon_check_echo(&d, "s");
	daemon_signal(&d, SIGTERM);
	daemon_wait_for(&d, "stopping mode=now");
	ck_assert_int_eq(daemon_join(&d), 0);
} END_TEST

START_TEST(a_service_without_workers_is_served_all_the_same)
{
	daemon_start(&d, AGENT("1h") SERVICES(SERVICE("s", "echo", "workers = { min = 0; max = 1; };")),
	             control_path());
	daemon_signal(&d, SIGTERM);
	daemon_wait_for(&d, "leaving");
	daemon_check_echo(&d, "s");
	daemon_stop(&d, SIGINT);
} END_TEST

START_TEST(a_worker_that_dies_meanwhile_is_replaced)
{
	daemon_start(&d, LEAVES_FOR("1h", ""), control_path());
	daemon_signal(&d, SIGTERM);
	daemon_wait_for(&d, "leaving");
	ck_assert_int_eq(kill(daemon_next_worker(&d, "s"), SIGKILL), 0);
	daemon_next_worker(&d, "s");
	daemon_check_echo(&d, "s");
	daemon_stop(&d, SIGINT);
} END_TEST

START_TEST(without_clients_to_expect_it_does_not_wait)
{
	switch (_i) {
	case 0:
		daemon_start(&d, ONE(""), control_path());
		break;
	case 1:
		daemon_start(&d, LEAVES_FOR("0", ""), control_path());
		break;
	case 2:
		daemon_start(&d, LEAVES_FOR("1h", ""), control_path());
		daemon_signal(&d, SIGWINCH);
		daemon_wait_for(&d, "resting");
		break;
	}
	daemon_stop(&d, SIGTERM);
	ck_assert_uint_eq(daemon_saw(&d, "leaving"), 0);
} END_TEST

START_TEST(it_does_not_begin_while_the_server_starts)
{
	daemon_config(&d, AGENT("1h") SERVICES(SERVICE("s", "echo", "workers = 1; %s")), control_path(),
	              harness_cannot_start());
	daemon_spawn(&d);
	daemon_wait_for(&d, "worker-start");
	daemon_stop(&d, SIGINT);
	ck_assert_uint_eq(daemon_saw(&d, "leaving"), 0);
} END_TEST

/* unheard_droverd: the master never hears that the worker of that service accepts. */
START_TEST(a_reload_that_is_under_way_is_given_up)
{
	const char *socket = files_text("unix:%s", files_path("unheard.sock"));

	d.program = "tests/e2e/unheard_droverd";
	daemon_start(&d, LEAVES_FOR("1h", ""), control_path());
	daemon_config(&d, AGENT("1h") SERVICES(SERVICE("s", "echo", "workers = 1;")
	              SERVICE_AT("unheard", "\"%s\"", "echo", "workers = 1;")), control_path(), socket);
	daemon_signal(&d, SIGHUP);
	daemon_wait_for(&d, "worker-start service=unheard");
	daemon_signal(&d, SIGTERM);
	daemon_wait_for(&d, "leaving mode=drain");
	daemon_wait_for(&d, "worker-end service=unheard");
	daemon_check_echo(&d, "s");
	daemon_stop(&d, SIGINT);
} END_TEST

/* ---- by a client of the control socket ---------------------------------- */

START_TEST(stop_waits_as_well_and_a_second_one_waits_with_it)
{
	int first = -1, second = -1;

	daemon_start(&d, LEAVES_FOR("1h", ""), control_path());
	d.may_end = true;
	first = control_connect();
	second = control_connect();
	control_say(first, "{\"command\":\"stop\"}");
	daemon_wait_for(&d, "leaving mode=drain");
	control_say(second, "{\"command\":\"stop\"}");
	daemon_barrier(&d);
	daemon_check_echo(&d, "s");
	control_ask("{\"command\":\"status\"}", "\"phase\":\"leaving\"");
	ck_assert_int_eq(operator_run_args(control_path(), "stop", "--now"), 0);
	control_expect(first, "\"stopped\":true");
	control_expect(second, "\"stopped\":true");
	ck_assert_uint_eq(daemon_saw(&d, "stopping"), 1);
	ck_assert_uint_eq(daemon_saw(&d, "stopping mode=now"), 1);
	ck_assert_int_eq(daemon_join(&d), 0);
	close(first);
	close(second);
} END_TEST

START_TEST(stop_now_does_not_wait)
{
	daemon_start(&d, LEAVES_FOR("1h", ""), control_path());
	d.may_end = true;
	ck_assert_int_eq(operator_run_args(control_path(), "stop", "--now"), 0);
	ck_assert_int_eq(daemon_join(&d), 0);
	ck_assert_uint_eq(daemon_saw(&d, "leaving"), 0);
} END_TEST

/* ---- a service ---------------------------------------------------------- */

/* Returns the client that has asked, and that waits for the answer. */
static int begin_drain(void)
{
	int fd = control_connect();

	control_say(fd, "{\"command\":\"drain\",\"service\":\"s\"}");
	daemon_wait_for(&d, "service-leaving service=s");
	return fd;
}

START_TEST(a_service_serves_for_a_while_and_is_drained_then)
{
	int open, fd;

	daemon_start(&d, LEAVES_FOR("300ms", ""), control_path());
	open = daemon_connect_echo(&d, "s");
	fd = begin_drain();
	daemon_wait_for(&d, "worker-drain service=s");
	client_echo(open);
	STATE("draining");
	close(open);
	control_expect(fd, "{\"ok\":true,\"result\":{\"service\":\"s\"}}");
	STATE("drained");
	PHASE("serving");
	close(fd);
} END_TEST

START_TEST(a_service_without_workers_leaves_too)
{
	int fd;

	daemon_start(&d, AGENT("300ms") SERVICES(SERVICE("s", "echo", "workers = { min = 0; max = 1; };")),
	             control_path());
	fd = begin_drain();
	control_expect(fd, "\"ok\":true");
	STATE("drained");
	close(fd);
} END_TEST

START_TEST(resume_lets_a_service_stay)
{
	int fd;

	daemon_start(&d, LEAVES_FOR("1h", ""), control_path());
	fd = begin_drain();
	STATE("leaving");
	daemon_wait_status(&d, "serving s (leaving)");
	daemon_check_echo(&d, "s");
	close(fd);
	daemon_barrier(&d);
	control_ask("{\"command\":\"resume\",\"service\":\"s\"}", "\"ok\":true");
	STATE("serving");
	ck_assert_uint_eq(daemon_saw(&d, "worker-drain"), 0);
} END_TEST

START_TEST(a_second_drain_waits_for_the_first)
{
	int fd;

	daemon_start(&d, LEAVES_FOR("1s", ""), control_path());
	fd = begin_drain();
	close(fd);
	daemon_barrier(&d);
	control_ask("{\"command\":\"drain\",\"service\":\"s\"}", "\"ok\":true");
	ck_assert_uint_eq(daemon_saw(&d, "worker-drain"), 1);
} END_TEST

START_TEST(winch_ends_the_waiting_of_a_service)
{
	int fd;

	daemon_start(&d, LEAVES_FOR("1h", ""), control_path());
	fd = begin_drain();
	daemon_signal(&d, SIGWINCH);
	daemon_wait_for(&d, "resting");
	control_expect(fd, "\"ok\":true");
	close(fd);
} END_TEST

START_TEST(a_stop_ends_the_waiting_for_a_drain)
{
	int fd;

	daemon_start(&d, LEAVES_FOR("1h", ""), control_path());
	fd = begin_drain();
	daemon_signal(&d, SIGTERM);
	control_expect(fd, "\"error\":\"stopping\"");
	daemon_check_echo(&d, "s");
	daemon_stop(&d, SIGINT);
	close(fd);
} END_TEST

START_TEST(a_reload_lets_a_service_stay)
{
	int fd;

	daemon_start(&d, LEAVES_FOR("1h", ""), control_path());
	fd = begin_drain();
	daemon_reload(&d, LEAVES_FOR("1h", ""), control_path());
	control_expect(fd, "\"refused\",\"message\":\"a reload has replaced the workers");
	STATE("serving");
	close(fd);
} END_TEST

START_TEST(a_reload_that_is_refused_changes_nothing)
{
	int fd;

	daemon_start(&d, LEAVES_FOR("1h", ""), control_path());
	fd = begin_drain();
	daemon_config(&d, "nonsense");
	daemon_signal(&d, SIGHUP);
	daemon_wait_for(&d, "reload-failed");
	STATE("leaving");
	close(fd);
} END_TEST

/* The next program knows when the service is to drain. */
START_TEST(an_upgrade_changes_nothing)
{
	int fd;

	daemon_start(&d, LEAVES_FOR("%s", ""), control_path(), _i == 0 ? "1h" : "2s");
	fd = begin_drain();
	close(fd);
	upgrade_to_next(&d);
	daemon_wait_for(&d, "worker-ready service=s generation=2");
	if (_i == 0) {
		STATE("leaving");
		daemon_check_echo(&d, "s");
		control_ask("{\"command\":\"resume\",\"service\":\"s\"}", "\"ok\":true");
		STATE("serving");
	} else {
		control_ask("{\"command\":\"drain\",\"service\":\"s\"}", "\"ok\":true");
		STATE("drained");
	}
} END_TEST

int main(void)
{
	Suite *s = suite_create("lame_duck");
	TCase *tc = harness_case(s, "server");

	tcase_add_loop_test(tc, the_server_serves_for_a_while_and_then_stops, 0, 2);
	tcase_add_test(tc, the_time_limit_of_the_stop_begins_after_it);
	tcase_add_test(tc, it_says_that_it_leaves);
	tcase_add_loop_test(tc, another_signal_ends_the_waiting, 0, ARRAY_SIZE(hurries));
	tcase_add_test(tc, term_after_quit_makes_a_limit);
	tcase_add_test(tc, a_service_without_workers_is_served_all_the_same);
	tcase_add_test(tc, a_worker_that_dies_meanwhile_is_replaced);
	tcase_add_loop_test(tc, without_clients_to_expect_it_does_not_wait, 0, 3);
	tcase_add_test(tc, it_does_not_begin_while_the_server_starts);
	tcase_add_test(tc, a_reload_that_is_under_way_is_given_up);

	tc = harness_case(s, "control");
	tcase_add_test(tc, stop_waits_as_well_and_a_second_one_waits_with_it);
	tcase_add_test(tc, stop_now_does_not_wait);

	tc = harness_case(s, "service");
	tcase_add_test(tc, a_service_serves_for_a_while_and_is_drained_then);
	tcase_add_test(tc, a_service_without_workers_leaves_too);
	tcase_add_test(tc, resume_lets_a_service_stay);
	tcase_add_test(tc, a_second_drain_waits_for_the_first);
	tcase_add_test(tc, winch_ends_the_waiting_of_a_service);
	tcase_add_test(tc, a_stop_ends_the_waiting_for_a_drain);
	tcase_add_test(tc, a_reload_lets_a_service_stay);
	tcase_add_test(tc, a_reload_that_is_refused_changes_nothing);

	tc = upgrade_case(s, "upgrade");
	tcase_add_loop_test(tc, an_upgrade_changes_nothing, 0, 2);
	return harness_run(s);
}
