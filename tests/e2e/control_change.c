/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The control socket: the outcome of changes, and when they are answered. Changes that take all
 * workers from a service are in control_drain.c.
 */
#include <config.h>
#include "control_harness.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static struct daemon d;

START_TEST(reload_is_answered_when_the_new_workers_accept)
{
	daemon_start(&d, ECHO(""), control_path());
	control_ask("{\"command\":\"reload\"}", "{\"ok\":true,\"result\":{\"generation\":2}}");
	ck_assert_uint_eq(daemon_saw(&d, "worker-ready generation=2"), 2);
} END_TEST

START_TEST(a_reload_that_is_refused_says_every_reason)
{
	daemon_start(&d, ECHO(""), control_path());
	daemon_config(&d, "a = 1;\n" ECHO("\nb = 2;"), control_path());
	control_ask("{\"command\":\"reload\"}",
	            files_text("\"refused\",\"message\":\"%s:%d: a is not a known key (there are user, group,"
	                       " pid_file, state_dir, include, shutdown_timeout, log, access_log, control,"
	                       " defaults, services, metrics, agent)\\n%s:%d: services.s.b is not", d.config,
	                       daemon_config_lines_before() + 1, d.config, daemon_config_lines_before() + 4));
	control_ask("{\"command\":\"status\"}", "\"refused\":\"the configuration has errors\"");
	control_ask("{\"command\":\"status\"}", "\"ok\":false,\"reason\":\"the configuration has errors\"},");
	daemon_config(&d, ECHO(""), control_path());
	control_ask("{\"command\":\"reload\"}", "\"generation\":");
	control_ask("{\"command\":\"status\"}", "\"refused\":null");
	control_ask("{\"command\":\"status\"}", "Z\",\"ok\":true,\"reason\":null},");
} END_TEST

START_TEST(a_reload_that_cannot_listen_says_where)
{
	const char *taken;
	int fd = client_listen(&taken);

	daemon_start(&d, ECHO(""), control_path());
	daemon_config(&d, CONTROL SERVICES("\n" SERVICE_AT("s", "\"127.0.0.1:%s\"", "echo", "")),
	              control_path(), taken);
	control_ask("{\"command\":\"reload\"}",
	            files_text("\"message\":\"%s:%d: listen on 127.0.0.1:%s: Address already in use\"",
	                       d.config, daemon_config_lines_before() + 3, taken));
	close(fd);
} END_TEST

START_TEST(the_nearest_service_is_suggested)
{
	daemon_start(&d, CONTROL SERVICES(SERVICE("git", "echo", "workers = 1;")), control_path());
	control_ask("{\"command\":\"drain\",\"service\":\"gti\"}",
	            "\"message\":\"there is no service \\\"gti\\\" (did you mean git?)\"");
	control_ask("{\"command\":\"drain\",\"service\":\"nothing\"}",
	            "\"message\":\"there is no service \\\"nothing\\\"\"");
} END_TEST

START_TEST(a_reload_whose_workers_do_not_start_says_so)
{
	daemon_start(&d, ECHO(""), control_path());
	daemon_config(&d, ECHO("%s"), control_path(), harness_cannot_start());
	control_ask("{\"command\":\"reload\"}",
	            "\"refused\",\"message\":\"a worker of service \\\"s\\\" could not start\"");
	control_ask("{\"command\":\"status\"}", "\"generation\":1");
} END_TEST

/* It waits for its own reload, not for the one that runs, which has not read the last file. */
START_TEST(a_reload_during_a_reload_is_answered_when_its_own_is_done)
{
	int fd;

	daemon_start(&d, ECHO(""), control_path());
	fd = control_connect();
	daemon_signal(&d, SIGHUP);
	daemon_wait_for(&d, "reload-begin");
	daemon_config(&d, "a = 1;\n" ECHO(""), control_path());
	control_say(fd, "{\"command\":\"reload\"}");
	control_expect(fd, ": a is not a known key");
	close(fd);
} END_TEST

START_TEST(what_a_service_has_counted_stays_in_the_totals_when_it_is_gone)
{
	daemon_start(&d, CONTROL SERVICES(SERVICE("s", "echo", "workers = 1;")
	             SERVICE("t", "echo", "workers = 1;")), control_path());
	daemon_check_echo(&d, "t");
	daemon_wait_for(&d, "connection-end service=t");
	daemon_reload(&d, ONE(""), control_path());
	daemon_wait_for(&d, "generation-gone generation=1");
	control_ask("{\"command\":\"status\"}",
	            "\"totals\":{\"workers\":1,\"open\":0,\"accepted\":1,\"served\":1,");
} END_TEST

/* So that `accepted` is the sum of served, lost and open, no matter what happens to the master. */
START_TEST(what_a_crash_took_is_lost_also_after_a_reload)
{
	int fds[2];
	pid_t worker;

	daemon_start(&d, ONE(""), control_path());
	worker = daemon_next_worker(&d, "s");
	for (int i = 0; i < 2; i++)
		fds[i] = daemon_connect_echo(&d, "s");
	ck_assert_int_eq(kill(worker, SIGKILL), 0);
	daemon_wait_for(&d, "worker-end pid=%d how=signal", worker);
	control_ask("{\"command\":\"services\"}", "\"lost\":2,");
	daemon_reload(&d, ONE(""), control_path());
	daemon_wait_for(&d, "generation-gone generation=1");
	control_ask("{\"command\":\"services\"}", "\"lost\":2,");
	daemon_reload(&d, CONTROL SERVICES(SERVICE("t", "echo", "workers = 1;")), control_path());
	daemon_wait_for(&d, "generation-gone generation=2");
	control_ask("{\"command\":\"status\"}", "\"lost\":2}");
	close(fds[0]);
	close(fds[1]);
} END_TEST

START_TEST(scale_says_from_where_to_where)
{
	daemon_start(&d, ECHO(""), control_path());
	control_ask("{\"command\":\"scale\",\"service\":\"s\",\"to\":\"+1\"}",
	            "{\"ok\":true,\"result\":{\"service\":\"s\",\"from\":2,\"to\":3}}");
	ck_assert_uint_eq(daemon_saw(&d, "worker-ready service=s"), 3);
	control_ask("{\"command\":\"scale\",\"service\":\"s\",\"to\":\"1\"}", "\"from\":3,\"to\":1");
	control_ask("{\"command\":\"services\"}", "\"accepting\":1");
	control_ask("{\"command\":\"scale\",\"service\":\"s\",\"to\":\"1\"}", "\"from\":1,\"to\":1");
	control_ask("{\"command\":\"scale\",\"service\":\"s\",\"to\":\"-1\"}", "\"refused\",\"message\":"
	            "\"service \\\"s\\\" can have 1 to ");
	control_ask("{\"command\":\"scale\",\"service\":\"s\",\"to\":\"9999\"}", "\"refused\"");
	control_ask("{\"command\":\"scale\",\"service\":\"s\",\"to\":\"many\"}", "\"bad-request\"");
	control_ask("{\"command\":\"scale\",\"service\":\"t\",\"to\":\"+1\"}", "\"no-such-service\"");
} END_TEST

START_TEST(scale_to_what_a_range_has_grown_to_makes_it_the_least)
{
	int fds[2];

	daemon_start(&d, CONTROL SERVICES(SERVICE("s", "echo", "connections = 2;"
	             " workers = { min = 1; max = 4; spare_min = 1; spare_max = 1; calm = \"20ms\"; };")
	             SERVICE("other", "echo", "connections = 1;"
	             " workers = { min = 1; max = 2; spare_min = 1; spare_max = 1; calm = \"20ms\"; };")),
	             control_path());
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = daemon_connect_echo(&d, "s");
	daemon_wait_for(&d, "scaled service=s workers=2 reason=demand");
	control_ask("{\"command\":\"scale\",\"service\":\"s\",\"to\":\"+0\"}", "\"from\":2,\"to\":2");
	control_ask("{\"command\":\"scale\",\"service\":\"s\",\"to\":\"2\"}", "\"from\":2,\"to\":2");
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		daemon_wait_for(&d, "connection-end service=s");
	for (int i = 0; i < 5; i++) {   /* each time longer than calm, beginning later */
		int fd = daemon_connect_echo(&d, "other");

		daemon_wait_for(&d, "scaled service=other workers=2 reason=demand");
		close(fd);
		daemon_wait_for(&d, "scaled service=other workers=1 reason=calm");
		daemon_wait_for(&d, "worker-end service=other");        /* it takes no more */
	}
	ck_assert_uint_eq(daemon_saw(&d, "scaled service=s reason=calm"), 0);
	control_ask("{\"command\":\"scale\",\"service\":\"s\",\"to\":\"1\"}", "\"from\":2,\"to\":1");
} END_TEST

START_TEST(scale_is_refused_if_a_worker_cannot_start)
{
	const char *folder = files_mkdir("home");

	daemon_start(&d, ONE("directory = \"%s\";"), control_path(), folder);
	files_remove_tree(folder);
	control_ask("{\"command\":\"scale\",\"service\":\"s\",\"to\":\"+1\"}",
	            "\"refused\",\"message\":\"a worker of service \\\"s\\\" could not start");
	close(daemon_connect(&d, "s"));
} END_TEST

static void check_kick(const char *services)
{
	const struct event *open;
	const char *id, *line;
	int fd, other;

	daemon_start(&d, CONTROL SERVICES("%s"), control_path(), services);
	fd = daemon_connect(&d, "s");
	other = daemon_connect(&d, "s");
	open = daemon_accepted(&d, fd);
	daemon_accepted(&d, other);
	id = event_word(open, "id");
	line = files_text("{\"command\":\"kick\",\"connection\":\"%s\"}", id);
	client_echo(fd);
	control_ask(line, files_text("{\"ok\":true,\"result\":{\"connection\":\"%s\"}}", id));
	client_expect_gone(fd);
	ck_assert(event_has(daemon_ended(&d, open), "connection-end how=kick"));
	client_echo(other);
	control_ask(line, "\"no-such-connection\"");
	close(fd);
	close(other);
} END_TEST

START_TEST(kick_closes_one_connection)
{
	check_kick(SERVICE("s", "echo", "workers = 1;"));
} END_TEST

START_TEST(kick_ends_the_program_of_a_connection)
{
	check_kick(EXEC("s", "argv = [ \"/bin/cat\" ];", "workers = 1;"));
} END_TEST

static const char *const no_ids[] = {
	"", "-", "1", "1-", "-1", "0-1", "1-1", "1-2-3", "1-x", "+1-1", "99999999999999999999-1",
	"1-99999999999999999999", "\\u00e9",
};

START_TEST(a_client_that_kicks_no_connection_is_told_so)
{
	int fd;

	daemon_start(&d, ONE(""), control_path());
	fd = control_connect();
	for (size_t i = 0; i < ARRAY_SIZE(no_ids); i++) {
		control_say(fd, files_text("{\"command\":\"kick\",\"connection\":\"%s\"}", no_ids[i]));
		control_expect(fd, "\"no-such-connection\"");
	}
	control_say(fd, files_text("{\"command\":\"kick\",\"connection\":\"%d-7\"}",
	                           daemon_next_worker(&d, "s")));
	control_expect(fd, "\"no-such-connection\"");
	close(fd);
} END_TEST

START_TEST(a_kick_is_done_when_the_worker_dies)
{
	pid_t worker;
	int data, fd;

	daemon_start(&d, ONE(""), control_path());
	worker = daemon_next_worker(&d, "s");
	data = daemon_connect_echo(&d, "s");
	fd = control_connect();
	ck_assert_int_eq(kill(worker, SIGSTOP), 0);
	control_say(fd, files_text("{\"command\":\"kick\",\"connection\":\"%d-1\"}", worker));
	control_say(fd, "{\"command\":\"version\"}");
	control_ask("{\"command\":\"reload\"}", "\"busy\",\"message\":\"kick is under way");
	ck_assert_int_eq(kill(worker, SIGKILL), 0);
	control_expect(fd, files_text("{\"ok\":true,\"result\":{\"connection\":\"%d-1\"}}", worker));
	control_expect(fd, "\"version\"");
	close(data);
	close(fd);
} END_TEST

START_TEST(reopen_logs_is_answered_when_they_are_open)
{
	const char *log = files_path("server.log");
	const char *const format = "log = { target = \"%s\"; };\n" ONE("");

	daemon_start(&d, format, log, control_path());
	ck_assert_int_eq(rename(log, files_path("old.log")), 0);
	control_ask("{\"command\":\"reopen-logs\"}", "{\"ok\":true,\"result\":{\"reopened\":true}}");
	ck_assert(files_exist(log));
	ck_assert_uint_eq(daemon_saw(&d, "log-process-switched"), 1);
	files_remove_tree(log);
	files_mkdir("server.log");
	control_ask("{\"command\":\"reopen-logs\"}", "\"refused\"");
} END_TEST

START_TEST(reopen_logs_waits_for_the_log_process_beside_another_change)
{
	const char *const format = "log = { target = \"%s\"; };\n" ONE("");
	pid_t process, worker;
	int data, kick, reopen;

	daemon_start(&d, format, files_path("server.log"), control_path());
	process = (pid_t)event_number(daemon_wait_for(&d, "log-process-start"), "pid");
	worker = daemon_next_worker(&d, "s");
	data = daemon_connect_echo(&d, "s");
	kick = control_connect();
	reopen = control_connect();
	ck_assert_int_eq(kill(worker, SIGSTOP), 0);
	control_say(kick, files_text("{\"command\":\"kick\",\"connection\":\"%d-1\"}", worker));
	control_ask("{\"command\":\"reload\"}", "\"busy\",\"message\":\"kick is under way");
	ck_assert_int_eq(kill(process, SIGSTOP), 0);
	control_say(reopen, "{\"command\":\"reopen-logs\"}");
	daemon_wait_for(&d, "logs-reopened");
	control_ask("{\"command\":\"reopen-logs\"}", "\"busy\",\"message\":\"reopen-logs is under way");
	ck_assert_int_eq(kill(process, SIGCONT), 0);
	control_expect(reopen, "{\"ok\":true,\"result\":{\"reopened\":true}}");
	ck_assert_uint_eq(daemon_saw(&d, "log-process-switched"), 1);
	ck_assert_int_eq(kill(worker, SIGKILL), 0);
	control_expect(kick, "\"ok\":true");
	close(data);
	close(kick);
	close(reopen);
} END_TEST

int main(void)
{
	Suite *s = suite_create("control_change");
	TCase *tc = harness_case(s, "change");

	tcase_add_test(tc, reload_is_answered_when_the_new_workers_accept);
	tcase_add_test(tc, a_reload_that_is_refused_says_every_reason);
	tcase_add_test(tc, a_reload_that_cannot_listen_says_where);
	tcase_add_test(tc, the_nearest_service_is_suggested);
	tcase_add_test(tc, a_reload_whose_workers_do_not_start_says_so);
	tcase_add_test(tc, a_reload_during_a_reload_is_answered_when_its_own_is_done);
	tcase_add_test(tc, what_a_service_has_counted_stays_in_the_totals_when_it_is_gone);
	tcase_add_test(tc, what_a_crash_took_is_lost_also_after_a_reload);
	tcase_add_test(tc, scale_says_from_where_to_where);
	tcase_add_test(tc, scale_to_what_a_range_has_grown_to_makes_it_the_least);
	tcase_add_test(tc, scale_is_refused_if_a_worker_cannot_start);
	tcase_add_test(tc, kick_closes_one_connection);
	tcase_add_test(tc, kick_ends_the_program_of_a_connection);
	tcase_add_test(tc, a_client_that_kicks_no_connection_is_told_so);
	tcase_add_test(tc, a_kick_is_done_when_the_worker_dies);
	tcase_add_test(tc, reopen_logs_is_answered_when_they_are_open);
	tcase_add_test(tc, reopen_logs_waits_for_the_log_process_beside_another_change);
	return harness_run(s);
}
