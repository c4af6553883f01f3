/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A client that misbehaves at the control socket disturbs nothing else.
 */
#include <config.h>
#include "control_harness.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static struct daemon d;

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

#ifndef SO_PASSRIGHTS                   /* Linux 6.16 */
#define SO_PASSRIGHTS 83
#endif

/* One byte, and our standard error with it. */
static ssize_t send_descriptor(int fd)
{
	const int passed = STDERR_FILENO;
	union { struct cmsghdr header; char room[CMSG_SPACE(sizeof passed)]; } extra = { 0 };
	char byte = ' ';
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	const struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &extra,
	                            .msg_controllen = sizeof extra };

	extra.header = (struct cmsghdr){ .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS,
	                                 .cmsg_len = CMSG_LEN(sizeof passed) };
	memcpy(CMSG_DATA(&extra.header), &passed, sizeof passed);
	return sendmsg(fd, &msg, MSG_NOSIGNAL);
}

START_TEST(nonsense_is_refused_and_the_next_line_is_not)
{
	int fd;

	daemon_start(&d, ECHO(""), control_path());
	fd = control_connect();
	for (size_t i = 0; i < ARRAY_SIZE(nonsense); i++) {
		control_say(fd, nonsense[i].line);
		control_expect(fd, nonsense[i].part);
		control_say(fd, "{\"command\":\"version\"}");
		control_expect(fd, "\"ok\":true");
	}
	client_send(fd, "{\"command\":\"sta\0tus\"}\n", strlen("{\"command\":\"sta tus\"}\n"));
	control_expect(fd, "bad-request");
	close(fd);
	control_check_health(&d);
} END_TEST

START_TEST(deep_nesting_is_refused)
{
	char line[4095];
	int fd;

	daemon_start(&d, ECHO(""), control_path());
	fd = control_connect();
	memset(line, '[', sizeof line);
	client_send(fd, line, sizeof line);
	client_say(fd, "\n");
	control_expect(fd, "not JSON: maximum parsing depth reached");
	control_say(fd, "{\"command\":\"version\"}");
	control_expect(fd, "\"ok\":true");
	close(fd);
} END_TEST

/* To close it would keep the master waiting for as long as the client likes. */
START_TEST(a_client_cannot_hand_over_a_descriptor)
{
	const int off = 0;
	int fd;

	daemon_start(&d, ECHO(""), control_path());
	fd = control_connect();
	if (setsockopt(fd, SOL_SOCKET, SO_PASSRIGHTS, &off, sizeof off) == 0) {
		ck_assert_int_eq(send_descriptor(fd), -1);
		ck_assert_int_eq(errno, EPERM);
		daemon_reload(&d, ECHO(""), control_path());
		close(fd);
		fd = control_connect();
		ck_assert_int_eq(send_descriptor(fd), -1);
	} else {
		ck_assert_int_eq(send_descriptor(fd), 1);
	}
	close(fd);
	control_check_health(&d);
} END_TEST

START_TEST(a_megabyte_without_a_newline_is_cut_short)
{
	struct turn_hook flood;
	int fd;

	daemon_start(&d, ECHO(""), control_path());
	fd = control_connect();
	client_flood(&flood, fd);
	control_expect(fd, "\"bad-request\",\"message\":\"a line has at most 4096 bytes\"");
	client_expect_gone(fd);
	client_flood_end(&flood);
	close(fd);
	control_check_health(&d);
} END_TEST

/* The client reads no answer before it has written all, and its writing does not fail. */
START_TEST(a_client_that_writes_a_long_line_to_its_end_reads_what_is_wrong_with_it)
{
	static char line[500000];
	int fd;

	daemon_start(&d, ECHO(""), control_path());
	fd = control_connect();
	memset(line, 'x', sizeof line - 2);
	line[sizeof line - 2] = '\n';
	client_say(fd, line);
	client_say(fd, "{\"command\":\"version\"}\n");
	control_expect(fd, "{\"ok\":false,\"error\":\"bad-request\",\"message\":\"a line has at most 4096 bytes\"");
	client_expect_end(fd);
	close(fd);
	control_check_health(&d);
} END_TEST

START_TEST(half_a_line_is_waited_for_but_not_for_ever)
{
	int fd;

	daemon_start(&d, ECHO(""), control_path());
	fd = control_connect();
	client_say(fd, "{\"command\":");
	control_check_health(&d);
	client_say(fd, "\"version\"}\n{\"comm");
	control_expect(fd, "\"ok\":true");
	control_expect(fd, "\"bad-request\",\"message\":\"a line must be complete within 10 s\"");
	client_expect_end(fd);
	close(fd);
} END_TEST

START_TEST(a_client_that_goes_in_the_middle_of_anything_is_not_missed)
{
	static const char *const lines[] = {
		"", "{\"comma", "{\"command\":\"status\"}\n", "{\"command\":\"workers\"}\n{\"command\"",
		"{\"command\":\"reload\"}\n", "{\"command\":\"scale\",\"service\":\"s\",\"to\":\"1\"}\n",
		"{\"command\":\"kick\",\"connection\":\"1-1\"}\n", "nonsense\n",
	};

	daemon_start(&d, ECHO(""), control_path());
	for (int round = 0; round < 10; round++)
		for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
			int fd = control_connect();

			client_say(fd, lines[i]);
			close(fd);
		}
	control_ask("{\"command\":\"version\"}", "\"ok\":true");
	daemon_barrier(&d);
	control_ask("{\"command\":\"reload\"}", "\"ok\":true"); /* after the requests that were sent before */
	control_check_health(&d);
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
	fd = control_connect();
	for (int i = 0; i < 10000; i++) {
		struct pollfd room = { .fd = fd, .events = POLLOUT };

		poll(&room, 1, -1);
		if (send(fd, line, strlen(line), MSG_NOSIGNAL | MSG_DONTWAIT) == -1 && errno != EAGAIN)
			break;          /* the daemon has closed the connection */
	}
	other = control_connect();
	control_say(other, "{\"command\":\"version\"}");
	control_expect(other, "\"ok\":true");
	close(other);
	control_check_health(&d);
	client_expect_gone(fd);         /* the answers are not read */
	close(fd);
} END_TEST

START_TEST(a_client_that_reads_all_answers_gets_all_of_them)
{
	int fd;

	daemon_start(&d, ECHO(""), control_path());
	fd = control_connect();
	for (int i = 0; i < 2000; i++) {
		control_say(fd, "{\"command\":\"version\"}");
		if (i >= 100)           /* a hundred of them are always in flight */
			control_expect(fd, "\"ok\":true");
	}
	for (int i = 0; i < 100; i++)
		control_expect(fd, "\"ok\":true");
	close(fd);
} END_TEST

/* Forty services without workers: a few reports of them are more than a socket takes. */
static const char *many_services(void)
{
	const char *list = "";

	for (int i = 0; i < 40; i++)
		list = files_text("%s" SERVICE("on-demand-%d", "echo", "workers = { min = 0; max = 1; };"), list, i);
	return list;
}

START_TEST(a_reporter_waits_for_its_reader_ten_seconds_and_disturbs_nothing)
{
	int fds[6];

	daemon_start(&d, CONTROL SERVICES(SERVICE("s", "echo", "workers = 2;") "%s"), control_path(),
	             many_services());
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = control_connect();
		ask_without_reading(fds[i], "{\"command\":\"status\"}\n");
	}
	/* All places of reporters are taken for a while: what changes things does not need one. */
	control_ask("{\"command\":\"reload\"}", "\"generation\":2");
	for (int i = 0; i < 4; i++)
		daemon_wait_for(&d, "reporter-end command=status how=failed");
	control_check_health(&d);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
} END_TEST

/* False if it has ended before. SIGSTOP stops a process at once, so it is the one or the other. */
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
	int fd = control_connect();
	pid_t pid;

	do {
		control_say(fd, "{\"command\":\"status\"}");
		pid = (pid_t)event_number(daemon_wait_for(&d, "reporter-start"), "pid");
	} while (!stop_reporter(pid));
	return fd;
}

START_TEST(a_client_that_goes_while_it_is_answered_leaves_its_turn_to_the_next)
{
	int fds[4], next;

	daemon_start(&d, ECHO(""), control_path());
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = hold_a_reporter();
	next = control_connect();
	control_say(next, "{\"command\":\"status\"}");
	daemon_barrier(&d);             /* it waits for its turn */
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
	control_expect(next, "\"phase\":\"serving\"");
	close(next);
} END_TEST

START_TEST(a_reporter_that_is_killed_is_no_loss)
{
	pid_t pid;
	int fd;

	daemon_start(&d, ECHO(""), control_path());
	fd = control_connect();
	ask_without_reading(fd, "{\"command\":\"status\"}\n");
	do {                            /* one is killed in time, or waits until we read */
		pid = (pid_t)event_number(daemon_wait_for(&d, "reporter-start"), "pid");
		kill(pid, SIGKILL);
	} while (event_has(daemon_wait_for(&d, "reporter-end pid=%d", pid), "reporter-end how=done"));
	client_expect_gone(fd);
	close(fd);
	control_check_health(&d);
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
		fds[i] = control_connect();
		if (i % 50 == 0) {      /* after this, none waits in the queue */
			control_say(fds[i], "{\"command\":\"version\"}");
			control_expect(fds[i], "\"ok\":true");
			client_echo(data);
		}
	}
	control_check_health(&d);
	control_expect(fds[1], "\"too-many-clients\"");
	client_expect_end(fds[1]);
	control_say(fds[IDLE - 1], "{\"command\":\"version\"}");
	control_expect(fds[IDLE - 1], "\"ok\":true");
	for (size_t i = 0; i < IDLE; i++)
		close(fds[i]);
	close(data);
} END_TEST

START_TEST(if_no_client_is_idle_newcomers_are_turned_away)
{
	int fds[64], one_more;

	daemon_start(&d, ECHO(""), control_path());
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = control_connect();
		client_say(fds[i], "{\"command\":\"version\"}\n{");
		control_expect(fds[i], "\"ok\":true");
	}
	daemon_barrier(&d);             /* their next lines have begun */
	one_more = control_connect();
	control_expect(one_more, "\"too-many-clients\"");
	client_expect_end(one_more);
	close(one_more);
	close(fds[0]);
	daemon_barrier(&d);
	control_check_health(&d);
	for (size_t i = 1; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
} END_TEST

int main(void)
{
	Suite *s = suite_create("control_misbehaviour");
	TCase *tc = harness_case(s, "misbehaviour");

	tcase_add_test(tc, nonsense_is_refused_and_the_next_line_is_not);
	tcase_add_test(tc, deep_nesting_is_refused);
	tcase_add_test(tc, a_client_cannot_hand_over_a_descriptor);
	tcase_add_test(tc, a_megabyte_without_a_newline_is_cut_short);
	tcase_add_test(tc, a_client_that_writes_a_long_line_to_its_end_reads_what_is_wrong_with_it);
	tcase_add_test(tc, half_a_line_is_waited_for_but_not_for_ever);
	tcase_add_test(tc, a_client_that_goes_in_the_middle_of_anything_is_not_missed);
	tcase_add_test(tc, ten_thousand_commands_at_once_are_taken_one_by_one);
	tcase_add_test(tc, a_client_that_reads_all_answers_gets_all_of_them);
	tcase_add_test(tc, a_reporter_waits_for_its_reader_ten_seconds_and_disturbs_nothing);
	tcase_add_test(tc, a_client_that_goes_while_it_is_answered_leaves_its_turn_to_the_next);
	tcase_add_test(tc, a_reporter_that_is_killed_is_no_loss);
	tcase_add_test(tc, a_thousand_idle_clients_leave_room);
	tcase_add_test(tc, if_no_client_is_idle_newcomers_are_turned_away);
	return harness_run(s);
}
