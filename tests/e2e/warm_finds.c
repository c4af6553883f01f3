/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a warm program finds when it starts, and what it is told of its client: nothing,
 * or a line of the PROXY protocol.
 */
#include <config.h>
#include "harness.h"
#include "warm_harness.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct daemon d;

/* ---- what it finds ------------------------------------------------------ */

static const char *environment_of(pid_t pid)
{
	int fd = open(files_text("/proc/%d/environ", pid), O_RDONLY | O_CLOEXEC);
	char text[8192];
	ssize_t n = read(fd, text, sizeof text - 1);

	ck_assert_int_ge(n, 0);
	close(fd);
	for (ssize_t i = 0; i < n; i++)
		if (text[i] == '\0')
			text[i] = '\n';
	text[n] = '\0';
	return files_sorted(text);
}

/* The warm one and the cold one: neither is told who comes. */
START_TEST(the_environment_is_exactly_this)
{
	const char *want = files_sorted(files_text("PROTO=UNIX\nGIVEN=a b=c\n%s",
	                                           harness_environment()));
	int fds[2];

	warm_start(&d, WARM_CAT, 1, "env = [ \"GIVEN=a b=c\" ];", "restart = { delay_min = \"20s\"; };");
	warm_next(&d);
	fds[0] = daemon_connect(&d, "s");
	client_echo(fds[0]);            /* the kernel shows it only when the program runs */
	ck_assert_str_eq(environment_of(warm_joined(&d, daemon_accepted(&d, fds[0]))), want);
	kill(warm_next(&d), SIGKILL);
	daemon_wait_for(&d, "warm-end");
	fds[1] = daemon_connect_echo(&d, "s");
	ck_assert_str_eq(environment_of(warm_cold(&d, daemon_accepted(&d, fds[1]))), want);
	for (int i = 0; i < 2; i++)
		close(fds[i]);
} END_TEST

/* Its descriptors are these three and no other, in blocking mode. */
static void check_descriptors(pid_t pid)
{
	DIR *dir = opendir(files_text("/proc/%d/fd", pid));
	unsigned seen = 0;

	ck_assert_ptr_nonnull(dir);
	for (struct dirent *e; (e = readdir(dir));) {
		const char *info = files_read(files_text("/proc/%d/fdinfo/%s", pid, e->d_name));

		if (e->d_name[0] == '.')
			continue;
		ck_assert_msg(atoi(e->d_name) <= 2, "descriptor %s: %s", e->d_name,
		              process_link(pid, files_text("fd/%s", e->d_name)));
		seen |= 1u << atoi(e->d_name);
		ck_assert_msg(!(strtol(process_field(info, "flags"), NULL, 8) & O_NONBLOCK), "%s", info);
	}
	closedir(dir);
	ck_assert_uint_eq(seen, 7);
	ck_assert_int_eq(strncmp(process_link(pid, "fd/0"), "socket:", 7), 0);
	ck_assert_str_eq(process_link(pid, "fd/0"), process_link(pid, "fd/1"));
	ck_assert_int_eq(strncmp(process_link(pid, "fd/2"), "pipe:", 5), 0);
	ck_assert_int_eq(getsid(pid), pid);
	ck_assert_int_eq(getpgid(pid), pid);
}

/* Of who has answered already: one that just starts opens its libraries. */
START_TEST(descriptors_are_a_socket_and_standard_error)
{
	const char *sockets[5];
	int fds[ARRAY_SIZE(sockets)];

	warm_start(&d, WARM_CAT, 2, "", "");
	for (int i = 0; i < 2; i++)
		warm_next(&d);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		pid_t pid;

		fds[i] = daemon_connect_echo(&d, "s");
		pid = warm_joined(&d, daemon_accepted(&d, fds[i]));
		check_descriptors(pid);
		sockets[i] = process_link(pid, "fd/0");
		warm_next(&d);
	}
	for (size_t i = 1; i < ARRAY_SIZE(fds); i++)
		ck_assert_str_ne(sockets[i], sockets[i - 1]);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
} END_TEST

START_TEST(its_peer_has_no_name)
{
	const char *script = files_write("script.py", "import socket, sys\n"
		"s = socket.socket(fileno=0)\n"
		"kind = s.family == socket.AF_UNIX and s.type == socket.SOCK_STREAM\n"
		"print(kind, repr(s.getpeername()), flush=True)\n"
		"sys.stdin.readline()\n");
	int fd;

	warm_start(&d, files_text("[ \"/usr/bin/env\", \"python3\", \"%s\" ]", script), 1, "", "");
	fd = daemon_connect(&d, "s");
	client_expect(fd, "True ''\n");
	close(fd);
} END_TEST

/* ---- the address of the client ------------------------------------------ */

#define PROXY "peer = \"proxy-v1\";"

/* What the program reads comes back: first that line, whether the client has spoken or not. */
static void check_proxy_line(int fd, const char *line, bool cold)
{
	const struct event *opened = daemon_accepted(&d, fd);

	if (cold)
		warm_cold(&d, opened);
	else
		warm_joined(&d, opened);
	client_expect(fd, line);
	client_say(fd, "hello");
	client_end(fd);
	ck_assert_str_eq(client_read_all(fd), "hello");
	close(fd);
}

static const char *line_over_tcp(int fd)
{
	return files_text("PROXY TCP4 127.0.0.1 127.0.0.1 %s %s\r\n", client_port(fd),
	                  daemon_port(&d, "s", 0));
}

START_TEST(a_program_is_told_the_address_of_a_tcp_client)
{
	int fd;

	warm_start(&d, WARM_CAT, 1, PROXY, "");
	fd = daemon_connect(&d, "s");
	check_proxy_line(fd, line_over_tcp(fd), false);
} END_TEST

/* An IPv4 client of a socket for both. */
START_TEST(a_program_is_told_ipv4_where_it_is_that)
{
	const char *port;
	int fd;

	daemon_start(&d, SERVICES(" s = { listen = \"*:0\"; workers = 1; handler = {"
	             " type = \"exec\"; argv = \"/bin/cat\"; warm = 1; " PROXY " }; };"));
	port = daemon_port(&d, "s", 0);
	fd = client_connect(files_text("127.0.0.1:%s", port));
	check_proxy_line(fd, line_over_tcp(fd), false);
} END_TEST

START_TEST(a_cold_program_is_told_the_same)
{
	int fd;

	warm_start(&d, WARM_CAT, 1, PROXY, "restart = { delay_min = \"20s\"; };");
	kill(warm_next(&d), SIGKILL);
	daemon_wait_for(&d, "warm-end");
	fd = daemon_connect(&d, "s");
	check_proxy_line(fd, line_over_tcp(fd), true);
} END_TEST

START_TEST(a_program_is_told_the_address_of_an_ipv6_client)
{
	int fd;

	daemon_start(&d, SERVICES(" s = { listen = \"[::1]:0\"; workers = 1; handler = {"
	             " type = \"exec\"; argv = \"/bin/cat\"; warm = 1; " PROXY " }; };"));
	fd = daemon_connect(&d, "s");
	check_proxy_line(fd, files_text("PROXY TCP6 ::1 ::1 %s %s\r\n", client_port(fd),
	                                daemon_port(&d, "s", 0)), false);
} END_TEST

START_TEST(a_program_is_told_that_the_client_has_no_address)
{
	daemon_start(&d, SERVICES(" s = { listen = \"unix:%s\"; workers = 1; handler = {"
	             " type = \"exec\"; argv = \"/bin/cat\"; warm = 1; " PROXY " }; };"), files_path("s"));
	check_proxy_line(daemon_connect(&d, "s"), "PROXY UNKNOWN\r\n", false);
} END_TEST

START_TEST(that_line_comes_before_all_that_the_client_says)
{
	int fds[20];

	warm_start(&d, WARM_CAT, 2, PROXY, "");
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = daemon_connect(&d, "s");
		client_say(fds[i], "early bird");
		client_end(fds[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		ck_assert_str_eq(client_read_all(fds[i]), files_text("%searly bird", line_over_tcp(fds[i])));
		close(fds[i]);
	}
} END_TEST

/* Bytes of the client are those that it sent. */
START_TEST(that_line_is_not_counted_as_the_clients)
{
	const struct event *opened;
	int fd;

	warm_start(&d, "[ \"/usr/bin/wc\", \"-l\" ]", 1, PROXY, "");
	fd = daemon_connect(&d, "s");
	opened = daemon_accepted(&d, fd);
	client_say(fd, "hello\n");
	client_end(fd);
	ck_assert_str_eq(client_read_all(fd), "2\n");
	ck_assert(event_has(daemon_ended(&d, opened), "connection-end how=exit in=6 out=2"));
	close(fd);
} END_TEST

int main(void)
{
	Suite *s = suite_create("warm_finds");
	TCase *tc = harness_case(s, "finds");

	tcase_add_test(tc, the_environment_is_exactly_this);
	tcase_add_test(tc, descriptors_are_a_socket_and_standard_error);
	harness_add_if(process_is_installed("python3"), "python3 is not installed", tc,
	               its_peer_has_no_name);

	tc = harness_case(s, "peer");
	tcase_add_test(tc, a_program_is_told_the_address_of_a_tcp_client);
	tcase_add_test(tc, a_program_is_told_ipv4_where_it_is_that);
	tcase_add_test(tc, a_cold_program_is_told_the_same);
	harness_add_if(harness_has_ipv6(), "there is no IPv6 here", tc,
	               a_program_is_told_the_address_of_an_ipv6_client);
	tcase_add_test(tc, a_program_is_told_that_the_client_has_no_address);
	tcase_add_test(tc, that_line_comes_before_all_that_the_client_says);
	tcase_add_test(tc, that_line_is_not_counted_as_the_clients);
	return harness_run(s);
}
