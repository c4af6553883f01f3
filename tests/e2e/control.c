/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The control socket without droverctl: the answers to commands that only look.
 */
#include <config.h>
#include "control_harness.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

static struct daemon d;

static const struct {
	const char *line, *part;
} looks[] = {
	{ "{\"command\":\"version\"}", "{\"ok\":true,\"result\":{\"version\":\"" PACKAGE_VERSION "\"}}" },
	{ "{\"command\":\"check\"}", "{\"ok\":true,\"result\":{\"ok\":true}}" },
	{ "{\"command\":\"status\"}", "\"generation\":1,\"phase\":\"serving\"" },
	{ "{\"command\":\"status\"}", "\"refused\":null" },
	{ "{\"command\":\"status\"}", "\"totals\":{\"workers\":2,\"open\":0" },
	{ "{\"command\":\"services\"}", "\"workers\":{\"starting\":0,\"accepting\":2,\"draining\":0,"
	                                "\"wanted\":2," },
	{ "{\"command\":\"services\",\"service\":\"s\"}", "\"queue\":{\"length\":0,\"limit\":4096}" },
	{ "{\"command\":\"services\"}", "\"requests\":0,\"refused\":{\"access\":0,\"blocked\":0,\"proxy\":0,\"tls\":0,\"connections\":0,"
	  "\"source\":0,\"rate\":0,\"source_rate\":0,\"memory\":0},\"untracked\":0,\"lost\":0,\"filter\":null,"
	                                "\"warm\":null,\"times\":{" },
	{ "{\"command\":\"services\"}", "\"times\":{\"duration\":{\"count\":0,\"sum\":0.0,\"buckets\":"
	  "[0,0,0,0,0,0,0,0,0,0,0,0,0]},\"accept_wait\":null,\"answer\":null,\"handshake\":null},\"deaths\":{}," },
	{ "{\"command\":\"workers\"}", "\"generation\":1,\"state\":\"accepting\"" },
	{ "{\"command\":\"connections\"}", "{\"ok\":true,\"result\":{\"connections\":[]}}" },
	{ "{\"command\":\"sources\"}", "{\"ok\":true,\"result\":{\"sources\":[],\"left_off\":0,"
	  "\"nameless\":{\"sources\":0,\"connections\":0}}}" },
	{ "{\"command\":\"sources\",\"service\":\"x\"}", "\"no-such-service\"" },
};

START_TEST(clients_that_may_look_are_answered)
{
	daemon_start(&d, ECHO(""), control_path());
	control_ask(looks[_i].line, looks[_i].part);
} END_TEST

START_TEST(requests_are_answered_in_their_order)
{
	int fd;

	daemon_start(&d, ECHO(""), control_path());
	fd = control_connect();
	client_say(fd, "{\"command\":\"workers\"}\n{\"command\":\"nonsense\"}\n"
	               "{\"command\":\"services\"}\n{\"command\":\"version\"}\n");
	control_expect(fd, "\"workers\":[");
	control_expect(fd, "unknown-command");
	control_expect(fd, "\"services\":[");
	control_expect(fd, "\"version\"");
	client_end(fd);
	client_expect_end(fd);
	close(fd);
} END_TEST

START_TEST(a_client_that_has_said_all_it_wants_is_still_answered)
{
	int fd;

	daemon_start(&d, ECHO(""), control_path());
	fd = control_connect();
	control_say(fd, "{\"command\":\"services\"}");
	control_say(fd, "{\"command\":\"reload\"}");
	client_end(fd);
	control_expect(fd, "\"services\":[");
	control_expect(fd, "\"generation\":2");
	client_expect_end(fd);
	close(fd);
} END_TEST

START_TEST(connections_and_deaths_are_counted_beyond_a_reload)
{
	pid_t worker;
	int fd;

	daemon_start(&d, ONE(""), control_path());
	worker = daemon_next_worker(&d, "s");
	fd = daemon_connect_echo(&d, "s");
	control_ask("{\"command\":\"status\"}", "\"open\":1");
	control_ask("{\"command\":\"services\"}", "\"slots\":{\"open\":1,\"max\":256,\"limit\":256,\"free\":255}");
	close(fd);
	daemon_wait_for(&d, "connection-end");
	ck_assert_int_eq(kill(worker, SIGKILL), 0);
	daemon_wait_for(&d, "worker-end pid=%d", worker);
	control_ask("{\"command\":\"services\"}", "\"deaths\":{\"SIGKILL\":1}");
	control_ask("{\"command\":\"reload\"}", "\"generation\":2");
	daemon_wait_for(&d, "generation-gone");
	control_ask("{\"command\":\"services\"}", "\"deaths\":{\"SIGKILL\":1}");
	control_ask("{\"command\":\"services\"}", "\"served\":1");
} END_TEST

static const struct { const char *service, *slots; } rooms[] = {
	{ "workers = 3; connections = 10;", "\"max\":30,\"limit\":30,\"free\":29}" },
	{ "workers = { min = 1; max = 4; }; connections = 10;", "\"max\":10,\"limit\":40,\"free\":39}" },
	{ "workers = 2; connections = 10; limits = { connections = 5; };", "\"max\":20,\"limit\":5,\"free\":4}" },
	{ "workers = 2; connections = 10; limits = { connections = 5; dry_run = true; };",
	  "\"max\":20,\"limit\":20,\"free\":19}" },
};

START_TEST(a_service_has_room_in_all_workers_that_it_may_start)
{
	int fd;

	daemon_start(&d, CONTROL SERVICES(SERVICE("s", "echo", "%s")), control_path(), rooms[_i].service);
	fd = daemon_connect_echo(&d, "s");
	control_ask("{\"command\":\"status\"}", "\"serves\":true");
	control_ask("{\"command\":\"status\"}", files_text("\"slots\":{\"open\":1,%s", rooms[_i].slots));
	close(fd);
} END_TEST

/* What drains takes no slot of those that accept, but counts for the limit. */
START_TEST(connections_that_outlive_a_reload_take_room_of_the_limit)
{
	int fd;

	daemon_start(&d, ONE("limits = { connections = 5; };"), control_path());
	fd = daemon_connect_echo(&d, "s");
	daemon_reload(&d, ONE("limits = { connections = 5; };"), control_path());
	control_ask("{\"command\":\"services\"}", "\"slots\":{\"open\":0,\"max\":256,\"limit\":5,\"free\":4}");
	close(fd);
} END_TEST

START_TEST(connections_are_listed_while_they_are_open)
{
	const struct event *open;
	const char *answer;
	int fd, other;

	daemon_start(&d, CONTROL SERVICES(SERVICE("s", "echo", "workers = 1;")
	             EXEC("cat", "argv = \"/bin/cat\";", "workers = 1;")), control_path());
	fd = daemon_connect_echo(&d, "s");
	open = daemon_accepted(&d, fd);
	daemon_settle_worker(&d, (pid_t)event_number(open, "pid"));
	answer = control_ask("{\"command\":\"connections\"}", files_text(
		"{\"connections\":[{\"id\":\"%s\",\"service\":\"s\",\"worker\":%lld,\"peer\":\"%s\","
		"\"via\":null,\"since\":\"", event_word(open, "id"), event_number(open, "pid"), client_name(fd)));
	harness_contains(answer, "\"phase\":\"idle\",\"bytes_in\":");
	harness_contains(answer, "\"program\":null}]}}");
	harness_contains(control_ask("{\"command\":\"workers\",\"service\":\"s\"}",
	                             "\"open\":1"), "\"accepted\":1,\"served\":0");
	other = daemon_connect_echo(&d, "cat");
	control_ask("{\"command\":\"connections\",\"service\":\"cat\"}", files_text("\"program\":%lld}]}}",
	            event_number(daemon_wait_for(&d, "program-start"), "program")));
	close(fd);
	close(other);
	daemon_ended(&d, open);
	daemon_wait_for(&d, "connection-end service=cat");
	control_ask("{\"command\":\"connections\"}", "{\"connections\":[]}");
	control_ask("{\"command\":\"status\"}", "\"accepted\":2,\"served\":2");
} END_TEST

START_TEST(a_connection_is_listed_with_its_proxy)
{
	int fd;

	daemon_start(&d, ONE("proxy_protocol = \"v1\"; proxy_from = \"127.0.0.1\";"), control_path());
	fd = daemon_connect(&d, "s");
	client_say(fd, "PROXY TCP4 192.0.2.7 192.0.2.1 40312 7007\r\nhello\n");
	client_expect(fd, "hello\n");
	control_ask("{\"command\":\"connections\"}", files_text(
		"\"peer\":\"192.0.2.7:40312\",\"via\":\"%s\",\"since\":\"", client_name(fd)));
	close(fd);
	daemon_wait_for(&d, "connection-end");
} END_TEST

START_TEST(check_names_what_is_wrong_and_changes_nothing)
{
	daemon_start(&d, ECHO(""), control_path());
	daemon_config(&d, "a = 1;\n" ECHO("\nb = 2;"), control_path());
	control_ask("{\"command\":\"check\"}", files_text("\"refused\",\"message\":\"%s:%d: a is not",
	                                                  d.config, daemon_config_lines_before() + 1));
	control_ask("{\"command\":\"check\"}", files_text("\\n%s:%d: services.s.b is not", d.config,
	                                                  daemon_config_lines_before() + 4));
	ck_assert_uint_eq(daemon_saw(&d, "reload-begin"), 0);
} END_TEST

START_TEST(many_may_look_at_once)
{
	int fds[60];

	daemon_start(&d, ECHO(""), control_path());
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = control_connect();
	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
			control_say(fds[i], "{\"command\":\"services\"}");
		for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
			control_expect(fds[i], "{\"ok\":true,\"result\":{\"services\":[{\"name\":\"s\"");
	}
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
} END_TEST

int main(void)
{
	Suite *s = suite_create("control");
	TCase *tc = harness_case(s, "look");

	tcase_add_loop_test(tc, clients_that_may_look_are_answered, 0, ARRAY_SIZE(looks));
	tcase_add_test(tc, requests_are_answered_in_their_order);
	tcase_add_test(tc, a_client_that_has_said_all_it_wants_is_still_answered);
	tcase_add_test(tc, connections_and_deaths_are_counted_beyond_a_reload);
	tcase_add_loop_test(tc, a_service_has_room_in_all_workers_that_it_may_start, 0, ARRAY_SIZE(rooms));
	tcase_add_test(tc, connections_that_outlive_a_reload_take_room_of_the_limit);
	tcase_add_test(tc, connections_are_listed_while_they_are_open);
	tcase_add_test(tc, a_connection_is_listed_with_its_proxy);
	tcase_add_test(tc, check_names_what_is_wrong_and_changes_nothing);
	tcase_add_test(tc, many_may_look_at_once);
	return harness_run(s);
}
