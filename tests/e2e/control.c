/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The control socket, spoken to without droverctl: what each command comes to,
 * who may give it, and that nobody who misbehaves there disturbs anything else.
 */
#include <config.h>
#include "harness.h"

#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static struct daemon d;

#define CONTROL      "control = { socket = \"%s\"; };\n"
#define ECHO(rest)   CONTROL SERVICES(SERVICE("s", "echo", "workers = 2; " rest))
#define ONE(rest)    CONTROL SERVICES(SERVICE("s", "echo", "workers = 1; " rest))

static const char *control_path(void)
{
	return files_path("control.sock");
}

static int control(void)
{
	return client_connect(files_text("unix:%s", control_path()));
}

static void request(int fd, const char *line)
{
	client_say(fd, files_text("%s\n", line));
}

/* The answer has all of this in it. */
static const char *expect_part(int fd, const char *part)
{
	const char *answer = client_read_line(fd);

	ck_assert_msg(strstr(answer, part) != NULL, "%s is not in %s", part, answer);
	return answer;
}

/* One request on a connection of its own. */
static const char *ask(const char *line, const char *part)
{
	int fd = control();
	const char *answer;

	request(fd, line);
	answer = expect_part(fd, part);
	close(fd);
	return answer;
}

/* All is well: a client is served, others can look, and a reload works. */
static void check_health(void)
{
	int fd = daemon_connect(&d, "s");

	client_echo(fd);
	ask("{\"command\":\"status\"}", "\"phase\":\"serving\"");
	ask("{\"command\":\"reload\"}", "{\"ok\":true,\"result\":{\"generation\":");
	client_echo(fd);
	close(fd);
}

/* ---- Looking ---- */

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
	{ "{\"command\":\"services\"}", "\"requests\":0,\"filter\":null,"
	                                "\"warm\":null,\"deaths\":{}," },
	{ "{\"command\":\"workers\"}", "\"generation\":1,\"state\":\"accepting\"" },
	{ "{\"command\":\"connections\"}", "{\"ok\":true,\"result\":{\"connections\":[]}}" },
};

START_TEST(whoever_may_look_is_answered)
{
	daemon_start(&d, ECHO(""), control_path());
	ask(looks[_i].line, looks[_i].part);
} END_TEST

START_TEST(requests_are_answered_in_their_order)
{
	int fd;

	daemon_start(&d, ECHO(""), control_path());
	fd = control();
	client_say(fd, "{\"command\":\"workers\"}\n{\"command\":\"nonsense\"}\n"
	               "{\"command\":\"services\"}\n{\"command\":\"version\"}\n");
	expect_part(fd, "\"workers\":[");
	expect_part(fd, "unknown-command");
	expect_part(fd, "\"services\":[");
	expect_part(fd, "\"version\"");
	client_end(fd);
	client_expect_end(fd);
	close(fd);
} END_TEST

START_TEST(who_has_said_all_he_wants_is_still_answered)
{
	int fd;

	daemon_start(&d, ECHO(""), control_path());
	fd = control();
	request(fd, "{\"command\":\"services\"}");
	request(fd, "{\"command\":\"reload\"}");
	client_end(fd);
	expect_part(fd, "\"services\":[");
	expect_part(fd, "\"generation\":2");
	client_expect_end(fd);
	close(fd);
} END_TEST

START_TEST(connections_and_deaths_are_counted_beyond_a_reload)
{
	pid_t worker;
	int fd;

	daemon_start(&d, ONE(""), control_path());
	worker = daemon_next_worker(&d, "s");
	fd = daemon_connect(&d, "s");
	client_echo(fd);
	ask("{\"command\":\"status\"}", "\"open\":1");
	ask("{\"command\":\"services\"}", "\"slots\":{\"open\":1,\"max\":256}");
	close(fd);
	daemon_wait_for(&d, "connection-end");
	ck_assert_int_eq(kill(worker, SIGKILL), 0);
	daemon_wait_for(&d, "worker-end pid=%d", worker);
	ask("{\"command\":\"services\"}", "\"deaths\":{\"SIGKILL\":1}");
	ask("{\"command\":\"reload\"}", "\"generation\":2");
	daemon_wait_for(&d, "generation-gone");
	ask("{\"command\":\"services\"}", "\"deaths\":{\"SIGKILL\":1}");
	ask("{\"command\":\"services\"}", "\"served\":1");
} END_TEST

START_TEST(connections_are_listed_while_they_are_open)
{
	const struct event *open;
	const char *answer;
	int fd, other;

	daemon_start(&d, CONTROL SERVICES(SERVICE("s", "echo", "workers = 1;")
	             EXEC("cat", "argv = \"/bin/cat\";", "workers = 1;")), control_path());
	fd = daemon_connect(&d, "s");
	client_echo(fd);
	open = daemon_accepted(&d, fd);
	answer = ask("{\"command\":\"connections\"}", files_text(
		"{\"connections\":[{\"id\":\"%s\",\"service\":\"s\",\"worker\":%lld,\"peer\":\"%s\","
		"\"since\":\"", event_word(open, "id"), event_number(open, "pid"), client_name(fd)));
	ck_assert_ptr_nonnull(strstr(answer, "\"phase\":\"idle\",\"bytes_in\":"));
	ck_assert_ptr_nonnull(strstr(answer, "\"program\":null}]}}"));
	ck_assert_ptr_nonnull(strstr(ask("{\"command\":\"workers\",\"service\":\"s\"}",
	                                 "\"open\":1"), "\"accepted\":1,\"served\":0"));
	other = daemon_connect(&d, "cat");
	client_echo(other);
	ask("{\"command\":\"connections\",\"service\":\"cat\"}", files_text("\"program\":%lld}]}}",
	    event_number(daemon_wait_for(&d, "program-start"), "program")));
	close(fd);
	close(other);
	daemon_ended(&d, open);
	daemon_wait_for(&d, "connection-end service=cat");
	ask("{\"command\":\"connections\"}", "{\"connections\":[]}");
	ask("{\"command\":\"status\"}", "\"accepted\":2,\"served\":2");
} END_TEST

START_TEST(check_names_what_is_wrong_and_changes_nothing)
{
	daemon_start(&d, ECHO(""), control_path());
	daemon_config(&d, "a = 1;\n" ECHO("\nb = 2;"), control_path());
	ask("{\"command\":\"check\"}", files_text("\"refused\",\"message\":\"%s:%d: a is not",
	                                          d.config, daemon_config_lines_before() + 1));
	ask("{\"command\":\"check\"}", files_text("\\n%s:%d: services.s.b is not", d.config,
	                                          daemon_config_lines_before() + 4));
	ck_assert_uint_eq(daemon_saw(&d, "reload-begin"), 0);
} END_TEST

START_TEST(many_may_look_at_once)
{
	int fds[60];

	daemon_start(&d, ECHO(""), control_path());
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = control();
	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
			request(fds[i], "{\"command\":\"services\"}");
		for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
			expect_part(fds[i], "{\"ok\":true,\"result\":{\"services\":[{\"name\":\"s\"");
	}
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
} END_TEST

/* ---- Changing ---- */

START_TEST(reload_is_answered_when_the_new_workers_accept)
{
	daemon_start(&d, ECHO(""), control_path());
	ask("{\"command\":\"reload\"}", "{\"ok\":true,\"result\":{\"generation\":2}}");
	ck_assert_uint_eq(daemon_saw(&d, "worker-ready generation=2"), 2);
} END_TEST

START_TEST(a_reload_that_is_refused_says_every_reason)
{
	daemon_start(&d, ECHO(""), control_path());
	daemon_config(&d, "a = 1;\n" ECHO("\nb = 2;"), control_path());
	ask("{\"command\":\"reload\"}",
	    files_text("\"refused\",\"message\":\"%s:%d: a is not a known key (there are user, group,"
	               " pid_file, state_dir, include, shutdown_timeout, log, access_log, control, defaults,"
	               " services)\\n%s:%d: services.s.b is not", d.config,
	               daemon_config_lines_before() + 1, d.config, daemon_config_lines_before() + 4));
	ask("{\"command\":\"status\"}", "\"refused\":\"the configuration has errors\"");
	daemon_config(&d, ECHO(""), control_path());
	ask("{\"command\":\"reload\"}", "\"generation\":");
	ask("{\"command\":\"status\"}", "\"refused\":null");
} END_TEST

START_TEST(a_reload_that_cannot_listen_says_where)
{
	const char *taken;
	int fd = client_listen(&taken);

	daemon_start(&d, ECHO(""), control_path());
	daemon_config(&d, CONTROL SERVICES("\n" SERVICE_AT("s", "\"127.0.0.1:%s\"", "echo", "")),
	              control_path(), taken);
	ask("{\"command\":\"reload\"}",
	    files_text("\"message\":\"%s:%d: listen on 127.0.0.1:%s: Address already in use\"",
	               d.config, daemon_config_lines_before() + 3, taken));
	close(fd);
} END_TEST

START_TEST(a_reload_whose_workers_do_not_start_says_so)
{
	daemon_start(&d, ECHO(""), control_path());
	daemon_config(&d, ECHO("%s"), control_path(), harness_cannot_start());
	ask("{\"command\":\"reload\"}",
	    "\"refused\",\"message\":\"a worker of service \\\"s\\\" could not start\"");
	ask("{\"command\":\"status\"}", "\"generation\":1");
} END_TEST

/* Its own reload, not the one that runs: that one has not seen the last words of the file. */
START_TEST(a_reload_during_a_reload_is_answered_when_its_own_is_done)
{
	int fd;

	daemon_start(&d, ECHO(""), control_path());
	fd = control();
	daemon_signal(&d, SIGHUP);
	daemon_wait_for(&d, "reload-begin");
	daemon_config(&d, "a = 1;\n" ECHO(""), control_path());
	request(fd, "{\"command\":\"reload\"}");
	expect_part(fd, ": a is not a known key");
	close(fd);
} END_TEST

START_TEST(what_a_service_has_counted_stays_in_the_totals_when_it_is_gone)
{
	int fd;

	daemon_start(&d, CONTROL SERVICES(SERVICE("s", "echo", "workers = 1;")
	             SERVICE("t", "echo", "workers = 1;")), control_path());
	fd = daemon_connect(&d, "t");
	client_echo(fd);
	close(fd);
	daemon_wait_for(&d, "connection-end service=t");
	daemon_reload(&d, ONE(""), control_path());
	daemon_wait_for(&d, "generation-gone generation=1");
	ask("{\"command\":\"status\"}", "\"totals\":{\"workers\":1,\"open\":0,\"accepted\":1,\"served\":1,");
} END_TEST

START_TEST(scale_says_from_where_to_where)
{
	daemon_start(&d, ECHO(""), control_path());
	ask("{\"command\":\"scale\",\"service\":\"s\",\"to\":\"+1\"}",
	    "{\"ok\":true,\"result\":{\"service\":\"s\",\"from\":2,\"to\":3}}");
	ck_assert_uint_eq(daemon_saw(&d, "worker-ready service=s"), 3);
	ask("{\"command\":\"scale\",\"service\":\"s\",\"to\":\"1\"}", "\"from\":3,\"to\":1");
	ask("{\"command\":\"services\"}", "\"accepting\":1");
	ask("{\"command\":\"scale\",\"service\":\"s\",\"to\":\"1\"}", "\"from\":1,\"to\":1");
	ask("{\"command\":\"scale\",\"service\":\"s\",\"to\":\"-1\"}", "\"refused\",\"message\":"
	    "\"service \\\"s\\\" can have 1 to ");
	ask("{\"command\":\"scale\",\"service\":\"s\",\"to\":\"9999\"}", "\"refused\"");
	ask("{\"command\":\"scale\",\"service\":\"s\",\"to\":\"many\"}", "\"bad-request\"");
	ask("{\"command\":\"scale\",\"service\":\"t\",\"to\":\"+1\"}", "\"no-such-service\"");
} END_TEST

START_TEST(scale_to_what_a_range_has_grown_to_makes_it_the_least)
{
	int fds[2];

	daemon_start(&d, CONTROL SERVICES(SERVICE("s", "echo", "connections = 2;"
	             " workers = { min = 1; max = 4; spare_min = 1; spare_max = 1; calm = \"20ms\"; };")
	             SERVICE("other", "echo", "connections = 1;"
	             " workers = { min = 1; max = 2; spare_min = 1; spare_max = 1; calm = \"20ms\"; };")),
	             control_path());
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = daemon_connect(&d, "s");
		client_echo(fds[i]);
	}
	daemon_wait_for(&d, "scaled service=s workers=2 reason=demand");
	ask("{\"command\":\"scale\",\"service\":\"s\",\"to\":\"+0\"}", "\"from\":2,\"to\":2");
	ask("{\"command\":\"scale\",\"service\":\"s\",\"to\":\"2\"}", "\"from\":2,\"to\":2");
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		daemon_wait_for(&d, "connection-end service=s");
	for (int i = 0; i < 5; i++) {   /* each time longer than calm, beginning later */
		int fd = daemon_connect(&d, "other");

		client_echo(fd);
		daemon_wait_for(&d, "scaled service=other workers=2 reason=demand");
		close(fd);
		daemon_wait_for(&d, "scaled service=other workers=1 reason=calm");
		daemon_wait_for(&d, "worker-end service=other");        /* it takes no more */
	}
	ck_assert_uint_eq(daemon_saw(&d, "scaled service=s reason=calm"), 0);
	ask("{\"command\":\"scale\",\"service\":\"s\",\"to\":\"1\"}", "\"from\":2,\"to\":1");
} END_TEST

START_TEST(scale_is_refused_if_a_worker_cannot_start)
{
	const char *folder = files_mkdir("home");

	daemon_start(&d, ONE("directory = \"%s\";"), control_path(), folder);
	files_remove_tree(folder);
	ask("{\"command\":\"scale\",\"service\":\"s\",\"to\":\"+1\"}",
	    "\"refused\",\"message\":\"a worker of service \\\"s\\\" could not start");
	close(daemon_connect(&d, "s"));
} END_TEST

START_TEST(what_was_exhausted_before_a_drain_is_not_afterwards)
{
	int fd, client;

	daemon_start(&d, ONE("connections = 1;"), control_path());
	client = daemon_connect(&d, "s");
	client_echo(client);
	daemon_wait_for(&d, "exhausted service=s busy=1");
	fd = control();
	request(fd, "{\"command\":\"drain\",\"service\":\"s\"}");
	daemon_wait_for(&d, "relieved service=s");
	close(client);
	expect_part(fd, "\"ok\":true");
	close(fd);
	ask("{\"command\":\"resume\",\"service\":\"s\"}", "\"ok\":true");
	ask("{\"command\":\"services\"}", "\"state\":\"serving\"");
	ck_assert_uint_eq(daemon_saw(&d, "exhausted"), 1);
} END_TEST

START_TEST(drain_waits_for_what_is_open_and_resume_serves_who_waited)
{
	int old, new, fd;

	daemon_start(&d, ONE(""), control_path());
	old = daemon_connect(&d, "s");
	client_echo(old);
	fd = control();
	request(fd, "{\"command\":\"drain\",\"service\":\"s\"}");
	daemon_wait_for(&d, "worker-drain");
	ask("{\"command\":\"services\"}", "\"state\":\"draining\"");
	ask("{\"command\":\"services\"}", "\"slots\":{\"open\":0,\"max\":0}");       /* nobody can have it */
	ask("{\"command\":\"status\"}", "\"totals\":{\"workers\":1,\"open\":1");
	client_echo(old);
	client_echo(old);               /* now it has turned its loop: it accepts no more */
	new = daemon_connect(&d, "s");
	client_say(new, "I can wait");
	ask("{\"command\":\"resume\",\"service\":\"s\"}",
	    "\"busy\",\"message\":\"drain is under way: one change at a time\"");
	ask("{\"command\":\"reload\"}", "\"busy\"");
	ask("{\"command\":\"status\"}", "\"phase\":\"serving\"");
	close(old);
	expect_part(fd, "{\"ok\":true,\"result\":{\"service\":\"s\"}}");
	ask("{\"command\":\"services\"}", "\"state\":\"drained\"");
	ask("{\"command\":\"scale\",\"service\":\"s\",\"to\":\"+1\"}", "is drained (resume it first)");
	ck_assert_uint_eq(daemon_saw(&d, "connection-open"), 1);
	ask("{\"command\":\"resume\",\"service\":\"s\"}", "{\"ok\":true,\"result\":{\"service\":\"s\"}}");
	client_expect(new, "I can wait");
	close(new);
	close(fd);
} END_TEST

START_TEST(who_does_not_wait_for_a_change_keeps_nobody_from_the_next)
{
	int data, fd;

	daemon_start(&d, ONE(""), control_path());
	data = daemon_connect(&d, "s");
	client_echo(data);
	fd = control();
	request(fd, "{\"command\":\"drain\",\"service\":\"s\"}");
	daemon_wait_for(&d, "worker-drain");
	close(fd);
	daemon_barrier(&d);
	ask("{\"command\":\"resume\",\"service\":\"s\"}", "\"ok\":true");
	client_echo(data);
	close(data);
} END_TEST

/* A pool has twice as many places as workers: two that drain leave none. */
START_TEST(who_finds_no_place_starts_when_there_is_one)
{
	int open[2], fd;

	daemon_start(&d, CONTROL SERVICES(SERVICE("s", "echo", "workers = { min = 1; max = 1; };")),
	             control_path());
	for (size_t i = 0; i < ARRAY_SIZE(open); i++) {
		open[i] = daemon_connect(&d, "s");
		client_echo(open[i]);
		fd = control();
		request(fd, "{\"command\":\"drain\",\"service\":\"s\"}");
		daemon_wait_for(&d, "worker-drain");
		close(fd);
		fd = control();
		request(fd, "{\"command\":\"resume\",\"service\":\"s\"}");
		if (i == 0)
			expect_part(fd, "\"ok\":true");
	}
	daemon_wait_for(&d, "no-place service=s");
	close(open[0]);
	expect_part(fd, "\"ok\":true");
	client_echo(open[1]);
	close(open[1]);
} END_TEST

START_TEST(a_reload_ends_what_was_drained)
{
	int data, fd;

	daemon_start(&d, ONE(""), control_path());
	data = daemon_connect(&d, "s");
	client_echo(data);
	fd = control();
	request(fd, "{\"command\":\"drain\",\"service\":\"s\"}");
	daemon_wait_for(&d, "worker-drain");
	daemon_reload(&d, ONE(""), control_path());
	expect_part(fd, "\"refused\",\"message\":\"a reload has replaced the workers");
	ask("{\"command\":\"services\"}", "\"state\":\"serving\"");
	close(data);
	close(fd);
} END_TEST

START_TEST(resume_works_after_winch)
{
	int fd;

	daemon_start(&d, ECHO(""), control_path());
	daemon_signal(&d, SIGWINCH);
	daemon_wait_for(&d, "resting");
	ask("{\"command\":\"status\"}", "\"phase\":\"resting\"");
	ask("{\"command\":\"resume\",\"service\":\"s\"}", "\"ok\":true");
	ask("{\"command\":\"status\"}", "\"phase\":\"serving\"");
	fd = daemon_connect(&d, "s");
	client_echo(fd);
	close(fd);
} END_TEST

START_TEST(a_service_that_failed_can_be_drained_mended_and_resumed)
{
	const char *folder = files_mkdir("home");

	daemon_start(&d, ONE("directory = \"%s\"; restart = { delay_min = \"1h\"; delay_max = \"1h\"; };"),
	             control_path(), folder);
	files_remove_tree(folder);
	ck_assert_int_eq(kill(daemon_next_worker(&d, "s"), SIGKILL), 0);
	daemon_wait_for(&d, "worker-delayed");
	ask("{\"command\":\"services\"}", "\"state\":\"failing\"");
	ask("{\"command\":\"drain\",\"service\":\"s\"}", "\"ok\":true");
	files_mkdir("home");
	ask("{\"command\":\"resume\",\"service\":\"s\"}", "\"ok\":true");
	ask("{\"command\":\"services\"}", "\"state\":\"serving\"");
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
	ask(line, files_text("{\"ok\":true,\"result\":{\"connection\":\"%s\"}}", id));
	client_expect_gone(fd);
	ck_assert(event_has(daemon_ended(&d, open), "connection-end how=kick"));
	client_echo(other);
	ask(line, "\"no-such-connection\"");
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

START_TEST(who_kicks_nobody_is_told_so)
{
	int fd;

	daemon_start(&d, ONE(""), control_path());
	fd = control();
	for (size_t i = 0; i < ARRAY_SIZE(no_ids); i++) {
		request(fd, files_text("{\"command\":\"kick\",\"connection\":\"%s\"}", no_ids[i]));
		expect_part(fd, "\"no-such-connection\"");
	}
	request(fd, files_text("{\"command\":\"kick\",\"connection\":\"%d-7\"}",
	                       daemon_next_worker(&d, "s")));
	expect_part(fd, "\"no-such-connection\"");
	close(fd);
} END_TEST

START_TEST(a_kick_is_done_when_the_worker_dies)
{
	pid_t worker;
	int data, fd;

	daemon_start(&d, ONE(""), control_path());
	worker = daemon_next_worker(&d, "s");
	data = daemon_connect(&d, "s");
	client_echo(data);
	fd = control();
	ck_assert_int_eq(kill(worker, SIGSTOP), 0);
	request(fd, files_text("{\"command\":\"kick\",\"connection\":\"%d-1\"}", worker));
	request(fd, "{\"command\":\"version\"}");
	ask("{\"command\":\"reload\"}", "\"busy\",\"message\":\"kick is under way");
	ck_assert_int_eq(kill(worker, SIGKILL), 0);
	expect_part(fd, files_text("{\"ok\":true,\"result\":{\"connection\":\"%d-1\"}}", worker));
	expect_part(fd, "\"version\"");
	close(data);
	close(fd);
} END_TEST

START_TEST(reopen_logs_is_answered_when_they_are_open)
{
	const char *log = files_path("server.log");
	const char *const format = "log = { target = \"%s\"; };\n" ONE("");

	daemon_start(&d, format, log, control_path());
	ck_assert_int_eq(rename(log, files_path("old.log")), 0);
	ask("{\"command\":\"reopen-logs\"}", "{\"ok\":true,\"result\":{\"reopened\":true}}");
	ck_assert(files_exist(log));
	files_remove_tree(log);
	files_mkdir("server.log");
	ask("{\"command\":\"reopen-logs\"}", "\"refused\"");
} END_TEST

/* ---- Stopping ---- */

START_TEST(stop_is_answered_right_before_the_end)
{
	int fd, idle;

	daemon_start(&d, ECHO(""), control_path());
	d.may_end = true;
	idle = control();
	fd = control();
	request(fd, "{\"command\":\"stop\"}");
	expect_part(fd, "{\"ok\":true,\"result\":{\"stopped\":true}}");
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

	daemon_start(&d, ONE(""), control_path());
	d.may_end = true;
	data = daemon_connect(&d, "s");
	client_echo(data);
	first = control();
	second = control();
	request(first, "{\"command\":\"stop\"}");
	daemon_wait_for(&d, "stopping mode=drain");
	request(second, "{\"command\":\"status\"}");
	expect_part(second, "\"phase\":\"stopping\"");
	request(second, "{\"command\":\"reload\"}");
	expect_part(second, "\"error\":\"stopping\"");
	client_echo(data);
	request(second, "{\"command\":\"stop\",\"now\":true}");
	client_expect_gone(data);
	expect_part(first, "\"stopped\":true");
	expect_part(second, "\"stopped\":true");
	ck_assert_int_eq(daemon_join(&d), 0);
	close(data);
	close(first);
	close(second);
} END_TEST

START_TEST(a_stop_ends_the_waiting_for_a_change)
{
	int data, fd;

	daemon_start(&d, ONE(""), control_path());
	data = daemon_connect(&d, "s");
	client_echo(data);
	fd = control();
	request(fd, "{\"command\":\"drain\",\"service\":\"s\"}");
	daemon_wait_for(&d, "worker-drain");
	daemon_signal(&d, SIGTERM);
	expect_part(fd, "\"error\":\"stopping\"");
	close(data);
	ck_assert_int_eq(daemon_join(&d), 0);
	close(fd);
} END_TEST

/* ---- The socket ---- */

START_TEST(the_socket_has_the_mode_that_was_asked_for)
{
	daemon_start(&d, ECHO(""), control_path());
	ck_assert_uint_eq(files_mode(control_path()), 0600);
	daemon_reload(&d, "control = { socket = \"%s\"; mode = \"0640\"; };\n"
	              SERVICES(SERVICE("s", "echo", "")), control_path());
	ck_assert_uint_eq(files_mode(control_path()), 0640);
	ck_assert_uint_eq(daemon_saw(&d, "control-listening"), 1);
	daemon_reload(&d, ECHO(""), control_path());
	ck_assert_uint_eq(files_mode(control_path()), 0600);
} END_TEST

START_TEST(the_socket_can_move_and_go)
{
	const char *other = files_path("other.sock");
	int fd, idle;

	daemon_start(&d, ECHO(""), control_path());
	fd = control();
	daemon_config(&d, ECHO(""), other);
	request(fd, "{\"command\":\"reload\"}");
	expect_part(fd, "\"generation\":2");
	ck_assert(!files_exist(control_path()));
	idle = client_connect(files_text("unix:%s", other));
	request(idle, "{\"command\":\"version\"}");
	expect_part(idle, "\"version\"");
	daemon_config(&d, SERVICES(SERVICE("s", "echo", "")));
	request(fd, "{\"command\":\"reload\"}");
	expect_part(fd, "\"generation\":3");
	ck_assert(!files_exist(other));
	client_expect_end(idle);
	daemon_config(&d, ECHO(""), control_path());
	daemon_signal(&d, SIGHUP);
	daemon_wait_for(&d, "reload-done generation=4");
	ask("{\"command\":\"status\"}", "\"generation\":4");
	close(fd);
	close(idle);
} END_TEST

START_TEST(a_socket_that_was_removed_comes_back_with_a_reload)
{
	daemon_start(&d, ECHO(""), control_path());
	ck_assert_int_eq(unlink(control_path()), 0);
	daemon_reload(&d, ECHO(""), control_path());
	ask("{\"command\":\"version\"}", "\"ok\":true");
} END_TEST

START_TEST(a_reload_without_room_for_the_socket_is_refused)
{
	const char *file = files_write("other.sock", "mine");

	daemon_start(&d, ECHO(""), control_path());
	daemon_config(&d, ECHO(""), file);
	ask("{\"command\":\"reload\"}", files_text("\"message\":\"%s:%d: control.socket %s: there is"
	    " something else than a socket\"", d.config, daemon_config_lines_before() + 1, file));
	ck_assert_str_eq(files_read(file), "mine");
	daemon_config(&d, ECHO(""), control_path());
	check_health();
} END_TEST

START_TEST(two_daemons_cannot_have_one_socket)
{
	static struct daemon second;

	daemon_start(&d, ECHO(""), control_path());
	daemon_config(&second, ECHO(""), control_path());
	ck_assert_int_eq(daemon_run_args(&second, "-c", second.config), 69);
	ck_assert_ptr_nonnull(strstr(daemon_errors(&second), "somebody else listens there"));
	check_health();
} END_TEST

START_TEST(a_socket_that_was_left_behind_is_replaced)
{
	daemon_start(&d, ECHO(""), control_path());
	daemon_signal(&d, SIGKILL);
	daemon_join(&d);
	ck_assert(files_exist(control_path()));
	daemon_spawn(&d);
	daemon_wait_ready(&d);
	ask("{\"command\":\"version\"}", "\"ok\":true");
} END_TEST

/* ---- Who misbehaves ---- */

static const struct {
	const char *line, *part;
} nonsense[] = {
	{ "", "bad-request" },
	{ " ", "bad-request" },
	{ "status", "bad-request" },
	{ "[]", "bad-request\",\"message\":\"a request is a JSON object" },
	{ "{}", "a request needs a command" },
	{ "{\"command\":1}", "command must be a string" },
	{ "{\"command\":null}", "command must be a string" },
	{ "{\"command\":\"status\"", "not JSON" },
	{ "{\"command\":\"status\"} x", "not JSON" },
	{ "{\"command\":\"status\",\"command\":\"stop\"}", "not JSON: duplicate object key" },
	{ "{\"command\":\"status\\u0000\"}", "not JSON" },
	{ "{\"command\":\"\xff\xfe\"}", "not JSON" },
	{ "{\"command\":\"status\",\"colour\":1}", "\\\"colour\\\" is not a known key" },
	{ "{\"command\":\"status\",\"service\":\"s\"}", "status takes no service" },
	{ "{\"command\":\"scale\",\"service\":\"s\"}", "scale needs to" },
	{ "{\"command\":\"scale\",\"service\":\"s\",\"to\":3}", "to must be a string" },
	{ "{\"command\":\"stop\",\"now\":\"yes\"}", "now must be true or false" },
	{ "{\"command\":\"drain\",\"service\":\"\"}", "no-such-service" },
	{ "{\"command\":\"workers\",\"service\":\"x\\ny\"}", "no-such-service" },
	{ "{\"command\":\"stattus\"}", "unknown-command\",\"message\":\"there is no command"
	                              " \\\"stattus\\\" (did you mean status?)" },
	{ "{\"command\":\"\"}", "unknown-command" },
};

START_TEST(nonsense_is_refused_and_the_next_line_is_not)
{
	int fd;

	daemon_start(&d, ECHO(""), control_path());
	fd = control();
	for (size_t i = 0; i < ARRAY_SIZE(nonsense); i++) {
		request(fd, nonsense[i].line);
		expect_part(fd, nonsense[i].part);
		request(fd, "{\"command\":\"version\"}");
		expect_part(fd, "\"ok\":true");
	}
	client_send(fd, "{\"command\":\"sta\0tus\"}\n", strlen("{\"command\":\"sta tus\"}\n"));
	expect_part(fd, "bad-request");
	close(fd);
	check_health();
} END_TEST

START_TEST(deep_nesting_is_refused)
{
	char line[4095];
	int fd;

	daemon_start(&d, ECHO(""), control_path());
	fd = control();
	memset(line, '[', sizeof line);
	client_send(fd, line, sizeof line);
	client_say(fd, "\n");
	expect_part(fd, "not JSON: maximum parsing depth reached");
	request(fd, "{\"command\":\"version\"}");
	expect_part(fd, "\"ok\":true");
	close(fd);
} END_TEST

START_TEST(a_megabyte_without_a_newline_is_cut_short)
{
	struct turn_hook flood;
	int fd;

	daemon_start(&d, ECHO(""), control_path());
	fd = control();
	client_flood(&flood, fd);
	expect_part(fd, "\"bad-request\",\"message\":\"a line has at most 4096 bytes\"");
	client_expect_gone(fd);
	client_flood_end(&flood);
	close(fd);
	check_health();
} END_TEST

START_TEST(half_a_line_is_waited_for_but_not_for_ever)
{
	int fd;

	daemon_start(&d, ECHO(""), control_path());
	fd = control();
	client_say(fd, "{\"command\":");
	check_health();
	client_say(fd, "\"version\"}\n{\"comm");
	expect_part(fd, "\"ok\":true");
	expect_part(fd, "\"bad-request\",\"message\":\"a line must be complete within 10 s\"");
	client_expect_end(fd);
	close(fd);
} END_TEST

START_TEST(who_goes_in_the_middle_of_anything_is_not_missed)
{
	static const char *const lines[] = {
		"", "{\"comma", "{\"command\":\"status\"}\n", "{\"command\":\"workers\"}\n{\"command\"",
		"{\"command\":\"reload\"}\n", "{\"command\":\"scale\",\"service\":\"s\",\"to\":\"1\"}\n",
		"{\"command\":\"kick\",\"connection\":\"1-1\"}\n", "nonsense\n",
	};

	daemon_start(&d, ECHO(""), control_path());
	for (int round = 0; round < 10; round++)
		for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
			int fd = control();

			client_say(fd, lines[i]);
			close(fd);
		}
	ask("{\"command\":\"version\"}", "\"ok\":true");
	daemon_barrier(&d);
	ask("{\"command\":\"reload\"}", "\"ok\":true"); /* after those that were still under way */
	check_health();
} END_TEST

/* As many of the same request as the socket takes: a few hundred. */
static void ask_without_reading(int fd, const char *line)
{
	while (send(fd, line, strlen(line), MSG_NOSIGNAL | MSG_DONTWAIT) > 0)
		;
}

START_TEST(ten_thousand_commands_at_once_are_taken_one_by_one)
{
	static const char line[] = "{\"command\":\"version\"}\n";
	int fd, other;

	daemon_start(&d, ECHO(""), control_path());
	fd = control();
	for (int i = 0; i < 10000; i++) {
		struct pollfd room = { .fd = fd, .events = POLLOUT };

		poll(&room, 1, -1);
		if (send(fd, line, strlen(line), MSG_NOSIGNAL | MSG_DONTWAIT) == -1 && errno != EAGAIN)
			break;          /* the daemon has had enough */
	}
	other = control();
	request(other, "{\"command\":\"version\"}");
	expect_part(other, "\"ok\":true");
	close(other);
	check_health();
	client_expect_gone(fd);         /* nobody reads the answers */
	close(fd);
} END_TEST

START_TEST(who_reads_all_answers_gets_all_of_them)
{
	int fd;

	daemon_start(&d, ECHO(""), control_path());
	fd = control();
	for (int i = 0; i < 2000; i++) {
		request(fd, "{\"command\":\"version\"}");
		if (i >= 100)           /* always a hundred on their way */
			expect_part(fd, "\"ok\":true");
	}
	for (int i = 0; i < 100; i++)
		expect_part(fd, "\"ok\":true");
	close(fd);
} END_TEST

START_TEST(a_reporter_waits_for_its_reader_ten_seconds_and_disturbs_nobody)
{
	int fds[6];

	daemon_start(&d, ECHO(""), control_path());
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = control();
		ask_without_reading(fds[i], "{\"command\":\"status\"}\n");
	}
	/* All places of reporters are taken for a while: what changes things does not need one. */
	ask("{\"command\":\"reload\"}", "\"generation\":2");
	for (int i = 0; i < 4; i++)
		daemon_wait_for(&d, "reporter-end command=status how=failed");
	check_health();
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
} END_TEST

/* False if it has ended before. It is at once the one or the other: nobody runs on with a SIGSTOP. */
static bool stop_reporter(pid_t pid)
{
	char state;

	kill(pid, SIGSTOP);
	do
		state = process_field(process_file(files_text("/proc/%d/status", pid)), "State")[0];
	while (state != 'T' && state != 'Z' && state != '\0');
	return state == 'T';
}

/* Asks for the status until a reporter was stopped before it was done. */
static int hold_a_reporter(void)
{
	int fd = control();
	pid_t pid;

	do {
		request(fd, "{\"command\":\"status\"}");
		pid = (pid_t)event_number(daemon_wait_for(&d, "reporter-start"), "pid");
	} while (!stop_reporter(pid));
	return fd;
}

START_TEST(who_goes_while_he_is_answered_leaves_his_turn_to_the_next)
{
	int fds[4], next;

	daemon_start(&d, ECHO(""), control_path());
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = hold_a_reporter();
	next = control();
	request(next, "{\"command\":\"status\"}");
	daemon_barrier(&d);             /* it waits for its turn */
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
	expect_part(next, "\"phase\":\"serving\"");
	close(next);
} END_TEST

START_TEST(a_reporter_that_is_killed_is_no_loss)
{
	pid_t pid;
	int fd;

	daemon_start(&d, ECHO(""), control_path());
	fd = control();
	ask_without_reading(fd, "{\"command\":\"status\"}\n");
	do {                            /* one of them is hit, at the latest the one that waits for us */
		pid = (pid_t)event_number(daemon_wait_for(&d, "reporter-start"), "pid");
		kill(pid, SIGKILL);
	} while (event_has(daemon_wait_for(&d, "reporter-end pid=%d", pid), "reporter-end how=done"));
	client_expect_gone(fd);
	close(fd);
	check_health();
} END_TEST

#define IDLE 1000

START_TEST(a_thousand_idle_clients_leave_room)
{
	struct rlimit limit = { 0 };
	static int fds[IDLE];
	int data;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = limit.rlim_max;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	daemon_start(&d, ECHO(""), control_path());
	data = daemon_connect(&d, "s");
	for (size_t i = 0; i < IDLE; i++) {
		fds[i] = control();
		if (i % 50 == 0) {      /* none of them waits in the queue any more then */
			request(fds[i], "{\"command\":\"version\"}");
			expect_part(fds[i], "\"ok\":true");
			client_echo(data);
		}
	}
	check_health();
	expect_part(fds[1], "\"too-many-clients\"");
	client_expect_end(fds[1]);
	request(fds[IDLE - 1], "{\"command\":\"version\"}");
	expect_part(fds[IDLE - 1], "\"ok\":true");
	for (size_t i = 0; i < IDLE; i++)
		close(fds[i]);
	close(data);
} END_TEST

START_TEST(if_nobody_is_idle_newcomers_are_turned_away)
{
	int fds[64], one_more;

	daemon_start(&d, ECHO(""), control_path());
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = control();
		client_say(fds[i], "{\"command\":\"version\"}\n{");
		expect_part(fds[i], "\"ok\":true");
	}
	daemon_barrier(&d);             /* their next lines have begun */
	one_more = control();
	expect_part(one_more, "\"too-many-clients\"");
	client_expect_end(one_more);
	close(one_more);
	close(fds[0]);
	daemon_barrier(&d);
	check_health();
	for (size_t i = 1; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
} END_TEST

/* ---- Who may what ---- */

#define LOOKERS "4242"
#define ADMINS  "4343"
#define SHARED  "control = { socket = \"%s\"; mode = \"0666\"; group = \"" LOOKERS "\";" \
                " admin_group = \"" ADMINS "\"; };\n"

struct who {
	uid_t  uid;
	gid_t  gid;
	size_t n_groups;
	gid_t  first_group;             /* the others are above it */
};

static void become(const struct who *who)
{
	gid_t groups[300];

	for (size_t i = 0; i < who->n_groups; i++)
		groups[i] = who->first_group + (gid_t)i;
	if (setgroups(who->n_groups, groups) == -1 || setgid(who->gid) == -1 || setuid(who->uid) == -1)
		_exit(EXIT_FAILURE);
}

static void become_nobody(void)
{
	become(&(struct who){ .uid = 65534, .gid = 65534 });
}

/* A connection that was made by somebody else, who is gone. */
static int control_as(const struct who *who)
{
	const char *path = control_path();
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), status;
	pid_t pid;

	strcpy(to.sun_path, path);
	pid = fork();
	if (pid == 0) {
		become(who);
		_exit(connect(fd, (struct sockaddr *)&to, sizeof to) == -1 ? errno : 0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	if (WEXITSTATUS(status) == 0)
		return fd;
	close(fd);
	errno = WEXITSTATUS(status);
	return -1;
}

static const struct {
	const char *name;
	struct who  who;
	bool        may_look, may_change;
} rights[] = {
	{ "root",                         { 0, 0, 0, 0 },          true,  true },
	{ "root in strange groups",       { 0, 77, 1, 78 },        true,  true },
	{ "a stranger",                   { 7777, 77, 1, 78 },     false, false },
	{ "one without groups",           { 7777, 77, 0, 0 },      false, false },
	{ "one with root's group",        { 7777, 0, 0, 0 },       false, false },
	{ "a looker by first group",      { 7777, 4242, 0, 0 },    true,  false },
	{ "a looker by another group",    { 7777, 77, 1, 4242 },   true,  false },
	{ "a looker among many groups",   { 7777, 77, 300, 4000 }, true,  false },
	{ "an admin by first group",      { 7777, 4343, 0, 0 },    true,  true },
	{ "an admin by another group",    { 7777, 77, 1, 4343 },   true,  true },
	{ "an admin among many groups",   { 7777, 77, 300, 4100 }, true,  true },
};

START_TEST(groups_decide_who_may_do_what)
{
	static const char *const looking[] = {
		"status", "services", "workers", "connections", "check", "version",
	};
	static const char *const changing[] = {
		"{\"command\":\"reopen-logs\"}",
		"{\"command\":\"scale\",\"service\":\"s\",\"to\":\"2\"}",
		"{\"command\":\"drain\",\"service\":\"s\"}",
		"{\"command\":\"resume\",\"service\":\"s\"}",
		"{\"command\":\"kick\",\"connection\":\"1-1\"}",
		"{\"command\":\"reload\"}",
		"{\"command\":\"stop\"}",
	};
	const char *denied = "\"not-permitted\"";
	int fd;

	daemon_start(&d, SHARED SERVICES(SERVICE("s", "echo", "workers = 2;")), control_path());
	d.may_end = rights[_i].may_change;
	fd = control_as(&rights[_i].who);
	ck_assert_int_ne(fd, -1);
	for (size_t i = 0; i < ARRAY_SIZE(looking); i++) {
		request(fd, files_text("{\"command\":\"%s\"}", looking[i]));
		expect_part(fd, rights[_i].may_look ? "\"ok\":true" : denied);
	}
	request(fd, "nonsense");
	expect_part(fd, rights[_i].may_look ? "bad-request" : denied);
	for (size_t i = 0; i < ARRAY_SIZE(changing); i++) {
		request(fd, changing[i]);
		if (rights[_i].may_change)
			ck_assert_ptr_null(strstr(client_read_line(fd), denied));
		else
			expect_part(fd, denied);
	}
	close(fd);
	if (rights[_i].may_change)
		ck_assert_int_eq(daemon_join(&d), 0);
} END_TEST

START_TEST(the_mode_decides_who_may_connect_at_all)
{
	const struct who looker = { 7777, 4242, 0, 0 }, stranger = { 7777, 77, 0, 0 };
	struct stat st;

	daemon_start(&d, "control = { socket = \"%s\"; mode = \"0660\"; group = \"" LOOKERS "\"; };\n"
	             SERVICES(SERVICE("s", "echo", "")), control_path());
	ck_assert_int_eq(stat(control_path(), &st), 0);
	ck_assert_uint_eq(st.st_gid, 4242);
	close(control_as(&looker));
	ck_assert_int_eq(control_as(&stranger), -1);
	ck_assert_int_eq(errno, EACCES);
	daemon_reload(&d, ECHO(""), control_path());
	ck_assert_int_eq(stat(control_path(), &st), 0);
	ck_assert_uint_eq(st.st_gid, 0);
	ck_assert_int_eq(control_as(&looker), -1);
	ck_assert_int_eq(errno, EACCES);
} END_TEST

START_TEST(rights_that_a_reload_takes_away_are_gone)
{
	const struct who looker = { 7777, 4242, 0, 0 };
	int fd;

	daemon_start(&d, SHARED SERVICES(SERVICE("s", "echo", "")), control_path());
	fd = control_as(&looker);
	request(fd, "{\"command\":\"version\"}");
	expect_part(fd, "\"ok\":true");
	daemon_reload(&d, ECHO(""), control_path());
	request(fd, "{\"command\":\"version\"}");
	expect_part(fd, "\"not-permitted\"");
	close(fd);
} END_TEST

START_TEST(lookers_cannot_keep_an_admin_out)
{
	const struct who looker = { 7777, 4242, 0, 0 };
	int fds[64];

	daemon_start(&d, SHARED SERVICES(SERVICE("s", "echo", "workers = 2;")), control_path());
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = control_as(&looker);
		client_say(fds[i], "{\"command\":\"version\"}\n{");
		expect_part(fds[i], "\"ok\":true");
	}
	daemon_barrier(&d);
	check_health();
	expect_part(fds[0], "\"too-many-clients\"");
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
} END_TEST

START_TEST(an_ordinary_user_controls_his_own_daemon)
{
	const struct who owner = { 65534, 65534, 0, 0 }, looker = { 7777, 77, 0, 0 };
	const char *folder = files_mkdir("run");
	int fd;

	ck_assert_int_eq(chmod(folder, 0777), 0);
	d.before_exec = become_nobody;
	daemon_config_as_is(&d, "control = { socket = \"%s\"; mode = \"0666\"; };\n"
	                    SERVICES(SERVICE("s", "echo", "")), files_path("run/c.sock"));
	daemon_spawn(&d);
	daemon_wait_ready(&d);
	ck_assert_int_eq(symlink("run/c.sock", control_path()), 0);
	fd = control_as(&owner);
	request(fd, "{\"command\":\"reload\"}");
	expect_part(fd, "\"generation\":2");
	close(fd);
	fd = control_as(&looker);
	request(fd, "{\"command\":\"version\"}");
	expect_part(fd, "\"not-permitted\"");
	close(fd);
} END_TEST

START_TEST(a_group_that_is_not_ours_needs_root)
{
	d.before_exec = become_nobody;
	daemon_config_as_is(&d, "\ncontrol = { socket = \"%s\"; group = \"" LOOKERS "\"; };\n"
	                    SERVICES(SERVICE("s", "echo", "")), control_path());
	ck_assert_int_eq(daemon_run_args(&d, "-c", d.config), 77);
	ck_assert_ptr_nonnull(strstr(daemon_errors(&d), files_text("%s:2: control: group " LOOKERS
	                                                           " of the socket needs root", d.config)));
} END_TEST

int main(void)
{
	Suite *s = suite_create("control");
	TCase *tc = harness_case(s, "look");

	tcase_add_loop_test(tc, whoever_may_look_is_answered, 0, ARRAY_SIZE(looks));
	tcase_add_test(tc, requests_are_answered_in_their_order);
	tcase_add_test(tc, who_has_said_all_he_wants_is_still_answered);
	tcase_add_test(tc, connections_and_deaths_are_counted_beyond_a_reload);
	tcase_add_test(tc, connections_are_listed_while_they_are_open);
	tcase_add_test(tc, check_names_what_is_wrong_and_changes_nothing);
	tcase_add_test(tc, many_may_look_at_once);

	tc = harness_case(s, "change");
	tcase_add_test(tc, reload_is_answered_when_the_new_workers_accept);
	tcase_add_test(tc, a_reload_that_is_refused_says_every_reason);
	tcase_add_test(tc, a_reload_that_cannot_listen_says_where);
	tcase_add_test(tc, a_reload_whose_workers_do_not_start_says_so);
	tcase_add_test(tc, a_reload_during_a_reload_is_answered_when_its_own_is_done);
	tcase_add_test(tc, what_a_service_has_counted_stays_in_the_totals_when_it_is_gone);
	tcase_add_test(tc, scale_says_from_where_to_where);
	tcase_add_test(tc, scale_to_what_a_range_has_grown_to_makes_it_the_least);
	tcase_add_test(tc, scale_is_refused_if_a_worker_cannot_start);
	tcase_add_test(tc, what_was_exhausted_before_a_drain_is_not_afterwards);
	tcase_add_test(tc, drain_waits_for_what_is_open_and_resume_serves_who_waited);
	tcase_add_test(tc, who_does_not_wait_for_a_change_keeps_nobody_from_the_next);
	tcase_add_test(tc, who_finds_no_place_starts_when_there_is_one);
	tcase_add_test(tc, a_reload_ends_what_was_drained);
	tcase_add_test(tc, resume_works_after_winch);
	tcase_add_test(tc, a_service_that_failed_can_be_drained_mended_and_resumed);
	tcase_add_test(tc, kick_closes_one_connection);
	tcase_add_test(tc, kick_ends_the_program_of_a_connection);
	tcase_add_test(tc, who_kicks_nobody_is_told_so);
	tcase_add_test(tc, a_kick_is_done_when_the_worker_dies);
	tcase_add_test(tc, reopen_logs_is_answered_when_they_are_open);

	tc = harness_case(s, "stop");
	tcase_add_test(tc, stop_is_answered_right_before_the_end);
	tcase_add_test(tc, while_it_stops_one_can_look_and_hurry_it);
	tcase_add_test(tc, a_stop_ends_the_waiting_for_a_change);

	tc = harness_case(s, "socket");
	tcase_add_test(tc, the_socket_has_the_mode_that_was_asked_for);
	tcase_add_test(tc, the_socket_can_move_and_go);
	tcase_add_test(tc, a_socket_that_was_removed_comes_back_with_a_reload);
	tcase_add_test(tc, a_reload_without_room_for_the_socket_is_refused);
	tcase_add_test(tc, two_daemons_cannot_have_one_socket);
	tcase_add_test(tc, a_socket_that_was_left_behind_is_replaced);

	tc = harness_case(s, "misbehaviour");
	tcase_add_test(tc, nonsense_is_refused_and_the_next_line_is_not);
	tcase_add_test(tc, deep_nesting_is_refused);
	tcase_add_test(tc, a_megabyte_without_a_newline_is_cut_short);
	tcase_add_test(tc, half_a_line_is_waited_for_but_not_for_ever);
	tcase_add_test(tc, who_goes_in_the_middle_of_anything_is_not_missed);
	tcase_add_test(tc, ten_thousand_commands_at_once_are_taken_one_by_one);
	tcase_add_test(tc, who_reads_all_answers_gets_all_of_them);
	tcase_add_test(tc, a_reporter_waits_for_its_reader_ten_seconds_and_disturbs_nobody);
	tcase_add_test(tc, who_goes_while_he_is_answered_leaves_his_turn_to_the_next);
	tcase_add_test(tc, a_reporter_that_is_killed_is_no_loss);
	tcase_add_test(tc, a_thousand_idle_clients_leave_room);
	tcase_add_test(tc, if_nobody_is_idle_newcomers_are_turned_away);

	tc = harness_case(s, "access");
	if (harness_is_root())
		tcase_add_loop_test(tc, groups_decide_who_may_do_what, 0, ARRAY_SIZE(rights));
	else
		harness_skip("groups_decide_who_may_do_what", "only root can be everybody");
	harness_add_for_root(tc, the_mode_decides_who_may_connect_at_all);
	harness_add_for_root(tc, rights_that_a_reload_takes_away_are_gone);
	harness_add_for_root(tc, lookers_cannot_keep_an_admin_out);
	harness_add_for_root(tc, an_ordinary_user_controls_his_own_daemon);
	harness_add_for_root(tc, a_group_that_is_not_ours_needs_root);
	return harness_run(s);
}
