/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * droverctl crashes CRASH --replay ADDRESS: which bytes are sent, and what is told of the answer and
 * of the end of the connection. The report comes from a fake server, or from a worker that crashed;
 * the test is the server to which it is sent.
 */
#include <config.h>
#include "harness.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "operator.h"

#define REPORT(bytes_in, input) \
	"{\"crash\":{\"name\":\"n\",\"connection\":{\"bytes_in\":" bytes_in "},\"input\":\"" input "\"}}"

static struct fake f;
static struct daemon d;
static int listener = -1;
static const char *port, *address;

static void open_server(void)
{
	listener = client_listen(&port);
	address = files_text("127.0.0.1:%s", port);
	fake_open(&f);
}

static void close_server(void)
{
	fake_close(&f);
	close(listener);
}

static int accept_replay(void)
{
	int fd;

	turn_until_ready(listener, POLLIN);
	fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	ck_assert_int_ne(fd, -1);
	return fd;
}

static void start_replay(const char *report, const char *to)
{
	fake_results(&f, "crashes", report);
	operator_start(f.path, (const char *const[]){ "crashes", "n", "--replay", to, NULL });
}

static void told(const char *text)
{
	ck_assert_str_eq(operator_errors(), "");
	ck_assert_str_eq(operator_output(), text);
}

START_TEST(the_bytes_are_sent_as_they_were_captured_and_then_the_end)
{
	char hex[513], all[256], got[256];
	int fd;

	for (int i = 0; i < 256; i++) {
		all[i] = (char)i;
		sprintf(hex + 2 * i, "%02x", (unsigned)i);
	}
	open_server();
	start_replay(files_text("{\"crash\":{\"connection\":{\"bytes_in\":256},\"input\":\"%s\"}}", hex), address);
	fd = accept_replay();
	client_receive(fd, got, sizeof got);
	ck_assert_mem_eq(got, all, sizeof all);
	client_expect_end(fd);
	client_send(fd, "well\x1b[2J\nlast", 13);
	close(fd);
	ck_assert_int_eq(operator_join(), 0);
	told(files_text("sent 256 of 256 bytes to %s\n"
	                "received 13 bytes, then the end of the connection\n"
	                "  well\\x1b[2J\\x0a\n"
	                "  last\n", address));
	ck_assert_str_eq(f.requests[0], "{\"command\":\"crashes\",\"crash\":\"n\"}");
	close_server();
} END_TEST

START_TEST(a_reset_is_told_and_what_came_before_it)
{
	int fd;

	open_server();
	start_replay(REPORT("3", "61620a"), address);
	fd = accept_replay();
	client_expect(fd, "ab\n");
	client_expect_end(fd);
	client_reset(fd);
	ck_assert_int_eq(operator_join(), 0);
	told(files_text("sent 3 of 3 bytes to %s\nreceived 0 bytes, then a reset of the connection\n", address));
	close_server();
} END_TEST

START_TEST(a_server_that_stays_silent_is_not_waited_for_for_ever)
{
	int fd;

	operator_hasten("replay");
	open_server();
	start_replay(REPORT("3", "61620a"), address);
	fd = accept_replay();
	client_expect(fd, "ab\n");
	ck_assert_int_eq(operator_join(), 0);
	told(files_text("sent 3 of 3 bytes to %s\nreceived 0 bytes, then nothing more in time;"
	                " the connection was still open\n", address));
	close(fd);
	close_server();
} END_TEST

START_TEST(of_a_long_answer_the_beginning_is_shown)
{
	char answer[5000];
	struct turn_hook flood = { .fd = -1 };
	int fd;

	memset(answer, 'x', sizeof answer);
	open_server();
	start_replay(REPORT("3", "61620a"), address);
	fd = accept_replay();
	client_send(fd, answer, sizeof answer);
	client_expect(fd, "ab\n");
	client_expect_end(fd);
	close(fd);
	ck_assert_int_eq(operator_join(), 0);
	harness_contains(operator_output(), "received 5000 bytes, then the end of the connection\n");
	harness_contains(operator_output(), "x\n  (and 904 bytes more)\n");

	start_replay(REPORT("3", "61620a"), address);
	fd = accept_replay();
	client_flood(&flood, fd);
	ck_assert_int_eq(operator_join(), 0);
	client_flood_end(&flood);
	harness_contains(operator_output(), "then still more, which was not received\n");
	close(fd);
	close_server();
} END_TEST

START_TEST(programs_get_json)
{
	int fd;

	open_server();
	fake_results(&f, "crashes", REPORT("1", "00"));
	operator_start(f.path, (const char *const[]){ "--json", "crashes", "n", "--replay", address, NULL });
	fd = accept_replay();
	client_send(fd, "\0\n", 2);
	close(fd);
	ck_assert_int_eq(operator_join(), 0);
	harness_contains(operator_output(), "{\"captured\":1,\"sent\":1,\"received\":2,");
	harness_contains(operator_output(), "\"answer\":\"000a\"}\n");
	close_server();
} END_TEST

START_TEST(it_can_be_sent_to_a_unix_socket)
{
	const char *path = files_path("target.sock");
	int fd;

	listener = client_listen_unix(path);
	fake_open(&f);
	start_replay(REPORT("2", "6869"), files_text("unix:%s", path));
	fd = accept_replay();
	client_expect(fd, "hi");
	client_expect_end(fd);
	close(fd);
	ck_assert_int_eq(operator_join(), 0);
	told(files_text("sent 2 of 2 bytes to unix:%s\nreceived 0 bytes, then the end of the connection\n", path));
	close_server();
} END_TEST

static const struct { const char *name, *report, *says; int status; } refused[] = {
	{ "nothing captured", REPORT("7", ""), "the report has no captured bytes", 1 },
	{ "no connection", "{\"crash\":{\"connection\":null,\"input\":\"\"}}", "the report has no captured bytes", 1 },
	{ "cut", REPORT("4", "61620a"),
	  "the report has only the last 3 of 4 bytes that the client had sent: a replay would begin in the middle", 1 },
	{ "no input", "{\"crash\":{}}", "is not understood", 70 },
	{ "odd input", REPORT("1", "6"), "is not understood", 70 },
	{ "no bytes", REPORT("1", "6g"), "is not understood", 70 },
	{ "no report", "{\"crashes\":[]}", "is not understood", 70 },
};

START_TEST(what_cannot_be_replayed_is_told_and_nothing_is_sent)
{
	files_write("row", "%s\n", refused[_i].name);
	open_server();
	start_replay(refused[_i].report, address);
	ck_assert_int_eq(operator_join(), refused[_i].status);
	harness_contains(operator_errors(), refused[_i].says);
	ck_assert_uint_eq(files_count(operator_errors(), "\n"), 1);
	ck_assert_str_eq(operator_output(), "");
	fcntl(listener, F_SETFL, O_NONBLOCK);
	ck_assert_int_eq(accept4(listener, NULL, NULL, SOCK_CLOEXEC), -1);
	close_server();
} END_TEST

static const struct { const char *to, *says; int status; } addresses[] = {
	{ "7007", "\"7007\" is not an address (HOST:PORT, [IPV6]:PORT, unix:/path, unix:@name)", 64 },
	{ "::1:80", "is ambiguous", 64 },
	{ "127.0.0.1:0", "port 0", 64 },
	{ "127.0.0.1:99999", "is unknown", 64 },
	{ "unix:relative", "must be unix:/path", 64 },
	{ "unix:/nowhere/at/all", "connect to unix:/nowhere/at/all: No such file or directory", 69 },
};

START_TEST(an_address_that_is_none_is_told)
{
	open_server();
	start_replay(REPORT("1", "61"), addresses[_i].to);
	ck_assert_int_eq(operator_join(), addresses[_i].status);
	harness_contains(operator_errors(), "droverctl: --replay: ");
	harness_contains(operator_errors(), addresses[_i].says);
	ck_assert_uint_eq(files_count(operator_errors(), "\n"), 1);
	close_server();
} END_TEST

/* The whole way: a worker crashes, and the same bytes crash another one. */
START_TEST(a_real_crash_is_repeated)
{
	const char *path = files_path("control.sock"), *name;
	int fd;

	d.program = "tests/e2e/crashy";
	files_mkdir("state");
	daemon_start(&d, "control = { socket = \"%s\"; };\n"
	             SERVICES(SERVICE("s", "echo", "workers = 1; crash_capture = \"1k\";")), path);
	fd = daemon_connect(&d, "s");
	client_say(fd, "first\n");
	client_expect(fd, "first\n");
	client_say(fd, "now crash\n");
	client_expect_gone(fd);
	close(fd);
	name = event_word(daemon_wait_for(&d, "crash-report service=s"), "name");
	operator_start(path, (const char *const[]){ "crashes", name, "--replay", daemon_address(&d, "s", 0),
	                                             NULL });
	ck_assert_int_eq(operator_join(), 0);
	harness_contains(operator_output(), "sent 16 of 16 bytes to ");
	harness_contains(operator_output(), "received 0 bytes, then ");
	daemon_wait_for(&d, "crash-report service=s");
	ck_assert_uint_eq(daemon_saw(&d, "worker-end service=s how=signal"), 2);
} END_TEST

int main(void)
{
	Suite *s = suite_create("replay");
	TCase *tc = harness_case(s, "replay");

	tcase_add_test(tc, the_bytes_are_sent_as_they_were_captured_and_then_the_end);
	tcase_add_test(tc, a_reset_is_told_and_what_came_before_it);
	tcase_add_test(tc, a_server_that_stays_silent_is_not_waited_for_for_ever);
	tcase_add_test(tc, of_a_long_answer_the_beginning_is_shown);
	tcase_add_test(tc, programs_get_json);
	tcase_add_test(tc, it_can_be_sent_to_a_unix_socket);
	tcase_add_loop_test(tc, what_cannot_be_replayed_is_told_and_nothing_is_sent, 0, ARRAY_SIZE(refused));
	tcase_add_loop_test(tc, an_address_that_is_none_is_told, 0, ARRAY_SIZE(addresses));
	tcase_add_test(tc, a_real_crash_is_repeated);
	return harness_run(s);
}
