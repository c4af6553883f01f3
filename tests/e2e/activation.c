/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sockets that were open before we started: passed as by systemd
 * (sd_listen_fds(3)), used by name, and never taken away.
 */
#include <config.h>
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct daemon d;

/* What is passed: two sockets, with names. */
static int passed[2];
static size_t n_passed;
static const char *names = "";

static void set_number(const char *variable, long number)
{
	char text[32];

	snprintf(text, sizeof text, "%ld", number);
	setenv(variable, text, 1);
}

static void pass_sockets(void)
{
	/* First move them out of the way: one may have the number that another one gets. */
	for (size_t i = 0; i < n_passed; i++)
		passed[i] = fcntl(passed[i], F_DUPFD, 100);
	for (size_t i = 0; i < n_passed; i++)
		if (dup2(passed[i], 3 + (int)i) == -1 || close(passed[i]) == -1)
			_exit(EXIT_FAILURE);
	set_number("LISTEN_PID", getpid());
	set_number("LISTEN_FDS", (long)n_passed);
	setenv("LISTEN_FDNAMES", names, 1);
}

/* A TCP socket called web, and a unix socket called local. */
static void prepare_two(const char **port)
{
	passed[0] = client_listen(port);
	passed[1] = client_listen_unix(files_path("local.sock"));
	n_passed = 2;
	names = "web:local";
	d.before_exec = pass_sockets;
}

START_TEST(inherited_sockets_are_served_by_name)
{
	const char *port;

	prepare_two(&port);
	daemon_start(&d, SERVICES(SERVICE_AT("w", "\"systemd:web\"", "daytime", "workers = 1;")
	                          SERVICE_AT("l", "\"systemd:local\"", "echo", "workers = 1;")));
	ck_assert_uint_gt(strlen(client_ask(files_text("127.0.0.1:%s", port))), 10);
	client_check_echo(files_text("unix:%s", files_path("local.sock")));
	daemon_wait_for(&d, "listening service=w address=127.0.0.1:%s", port);
	daemon_wait_for(&d, "listening service=l address=unix:%s", files_path("local.sock"));
} END_TEST

START_TEST(plain_systemd_means_all_of_them)
{
	const char *port;

	prepare_two(&port);
	daemon_start(&d, SERVICES(SERVICE_AT("s", "\"systemd\"", "echo", "workers = 2;")));
	client_check_echo(files_text("127.0.0.1:%s", port));
	client_check_echo(files_text("unix:%s", files_path("local.sock")));
} END_TEST

START_TEST(beside_inherited_sockets_a_service_can_have_its_own)
{
	const char *port;

	prepare_two(&port);
	daemon_start(&d, SERVICES(SERVICE_AT("s", "[ \"systemd:web\", \"127.0.0.1:0\" ]", "echo",
	                                     "workers = 1;")));
	client_check_echo(daemon_address(&d, "s", 0));
	client_check_echo(daemon_address(&d, "s", 1));
} END_TEST

START_TEST(inherited_sockets_outlive_the_server)
{
	const char *port, *path = files_path("local.sock");
	int fd;

	prepare_two(&port);
	daemon_start(&d, SERVICES(SERVICE_AT("s", "\"systemd\"", "echo", "workers = 1;")));
	client_check_echo(files_text("unix:%s", path));
	daemon_stop(&d, SIGTERM);
	ck_assert(files_exist(path));
	/* A client that connects now waits for the next server. */
	for (size_t i = 0; i < n_passed; i++) {
		fd = client_connect(i ? files_text("unix:%s", path) : files_text("127.0.0.1:%s", port));
		close(fd);
		fd = accept(passed[i], NULL, NULL);
		ck_assert_msg(fd != -1, "accept: %m");
		close(fd);
	}
} END_TEST

START_TEST(an_inherited_socket_stays_open_through_reloads)
{
	const char *port;

	prepare_two(&port);
	daemon_start(&d, SERVICES(SERVICE_AT("s", "\"systemd:web\"", "echo", "workers = 1;")));
	daemon_reload(&d, SERVICES(SERVICE_AT("s", "\"systemd:local\"", "echo", "workers = 1;")));
	client_check_echo(files_text("unix:%s", files_path("local.sock")));
	daemon_reload(&d, SERVICES(SERVICE_AT("s", "\"systemd:web\"", "echo", "workers = 1;")));
	client_check_echo(files_text("127.0.0.1:%s", port));
	ck_assert_uint_eq(daemon_saw(&d, "closed"), 0);
} END_TEST

START_TEST(programs_do_not_inherit_them)
{
	const char *port;

	prepare_two(&port);
	daemon_start(&d, SERVICES(EXEC("s", "argv = [ \"/bin/ls\", \"/proc/self/fd\" ];", "workers = 1;")));
	ck_assert_str_eq(client_ask(daemon_address(&d, "s", 0)), "0\n1\n2\n3\n");
	daemon_reload(&d, SERVICES(EXEC("s", "argv = \"/usr/bin/env\";", "workers = 1;")));
	daemon_wait_for(&d, "generation-gone");
	ck_assert_ptr_null(strstr(client_ask(daemon_address(&d, "s", 0)), "LISTEN_"));
} END_TEST

START_TEST(a_name_that_was_not_inherited_is_78)
{
	const char *port;

	if (_i == 1)
		prepare_two(&port);
	daemon_config(&d, SERVICES(SERVICE_AT("s", "\"systemd:ftp\"", "echo", "workers = 1;")));
	ck_assert_int_eq(daemon_run_args(&d, "-c", d.config), 78);
	harness_contains(daemon_errors(&d), "systemd:ftp: missing: no such listening socket was"
	                 " inherited");
	harness_contains(daemon_errors(&d), "FileDescriptorName=ftp, is active before: stop the"
	                 " service, start the socket, start the service");
} END_TEST

/* As with one of our own: it has no mode, and anybody could claim any address. */
START_TEST(an_inherited_abstract_socket_takes_no_proxy_headers)
{
	const struct sockaddr any = { .sa_family = AF_UNIX };

	passed[0] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(passed[0], &any, sizeof any.sa_family), 0);
	ck_assert_int_eq(listen(passed[0], 8), 0);
	n_passed = 1;
	names = "local";
	d.before_exec = pass_sockets;
	daemon_config(&d, SERVICES(SERVICE_AT("s", "\"systemd:local\"", "echo",
	              "proxy_protocol = \"v1\"; proxy_from = \"127.0.0.1\";")));
	ck_assert_int_eq(daemon_run_args(&d, "-c", d.config), 78);
	harness_contains(daemon_errors(&d), "to which every local user can connect");
} END_TEST

START_TEST(a_socket_that_does_not_listen_is_78)
{
	passed[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	n_passed = 1;
	names = "web";
	d.before_exec = pass_sockets;
	daemon_config(&d, SERVICES(SERVICE_AT("s", "\"systemd:web\"", "echo", "workers = 1;")));
	ck_assert_int_eq(daemon_run_args(&d, "-c", d.config), 78);
} END_TEST

START_TEST(a_reload_that_wants_a_missing_name_is_refused)
{
	const char *port;

	prepare_two(&port);
	daemon_start(&d, SERVICES(SERVICE_AT("s", "\"systemd:web\"", "echo", "workers = 1;")));
	daemon_config(&d, SERVICES(SERVICE_AT("s", "\"systemd:ftp\"", "echo", "workers = 1;")));
	daemon_signal(&d, SIGHUP);
	daemon_wait_for(&d, "reload-failed");
	client_check_echo(files_text("127.0.0.1:%s", port));
} END_TEST

START_TEST(sockets_meant_for_another_process_are_not_touched)
{
	static const char *const said = "systemd:web";

	setenv("LISTEN_PID", "1", 1);
	setenv("LISTEN_FDS", "1", 1);
	daemon_config(&d, SERVICES(SERVICE_AT("s", "\"%s\"", "echo", "workers = 1;")), said);
	ck_assert_int_eq(daemon_run_args(&d, "-c", d.config), 78);
} END_TEST

/* Variables as only a broken service manager sets them. */
static const struct {
	const char *variable, *value;
	const char *said;
} nonsense[] = {
	{ "LISTEN_PID", "me", "LISTEN_PID=\"me\" in the environment is not the number of a process" },
	{ "LISTEN_PID", "", "LISTEN_PID=\"\" in the environment is not" },
	{ "LISTEN_FDS", "many", "LISTEN_FDS=\"many\" in the environment is not a number of descriptors" },
	{ "LISTEN_FDS", "-1", "LISTEN_FDS=\"-1\" in the environment is not" },
	{ "LISTEN_FDS", "2147483647", "LISTEN_FDS=\"2147483647\" in the environment is not" },
	{ "LISTEN_FDS", "9999", "LISTEN_FDS=\"9999\" in the environment says that descriptor" },
	{ "LISTEN_FDNAMES", "web", "LISTEN_FDNAMES=\"web\" in the environment names 1 descriptors,"
	  " and LISTEN_FDS says 2" },
};

static int row;

static void pass_nonsense(void)
{
	pass_sockets();
	setenv(nonsense[row].variable, nonsense[row].value, 1);
}

START_TEST(nonsense_in_a_variable_is_78_and_names_it)
{
	const char *port;

	row = _i;
	prepare_two(&port);
	d.before_exec = pass_nonsense;
	daemon_config(&d, SERVICES(SERVICE_AT("s", "\"systemd\"", "echo", "workers = 1;")));
	ck_assert_int_eq(daemon_run_args(&d, "-c", d.config), 78);
	ck_assert_msg(strstr(daemon_errors(&d), nonsense[_i].said) != NULL, "%s", daemon_errors(&d));
} END_TEST

/* A server can serve without these. */
static const struct {
	const char *variable, *value;
	const char *said;
} doubtful[] = {
	{ "WATCHDOG_USEC", "soon", "WATCHDOG_USEC=\"soon\" in the environment is not a number of microseconds" },
	{ "WATCHDOG_PID", "-", "WATCHDOG_PID=\"-\" in the environment is not the number of a process" },
	{ "NOTIFY_SOCKET", "nowhere", "NOTIFY_SOCKET=\"nowhere\" in the environment: cannot notify" },
	{ "DROVER_HANDOVER", "1 2", "DROVER_HANDOVER=\"1 2\" in the environment is nothing that a droverd"
	  " hands to this process" },
};

static void set_doubtful(void)
{
	setenv("WATCHDOG_USEC", "1000000", 1);
	setenv(doubtful[row].variable, doubtful[row].value, 1);
}

START_TEST(a_variable_that_is_not_needed_is_named_and_passed_over)
{
	row = _i;
	d.before_exec = set_doubtful;
	daemon_config(&d, SERVICES(SERVICE_AT("s", "\"systemd:none\"", "echo", "workers = 1;")));
	ck_assert_int_eq(daemon_run_args(&d, "-c", d.config), 78);      /* no socket has that name */
	ck_assert_msg(strstr(daemon_errors(&d), doubtful[_i].said) != NULL, "%s", daemon_errors(&d));
	harness_contains(daemon_errors(&d), "systemd:none: missing");
} END_TEST

/* ---- systemd's own tool ---- */

static int tool_stderr = -1;
static const char *tool_socket;

static void become_the_tool(void)
{
	dup2(tool_stderr, STDERR_FILENO);
	execlp("systemd-socket-activate", "systemd-socket-activate", "--fdname=web",
	       "-l", tool_socket, "-E", "NOTIFY_SOCKET", "-E", "DROVER_EVENTS",
	       getenv("DROVERD"), "-c", d.config, (char *)NULL);
	_exit(EXIT_FAILURE);
}

START_TEST(systemd_socket_activate_starts_the_server)
{
	int ends[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	tool_stderr = ends[1];
	tool_socket = files_path("web.sock");
	d.before_exec = become_the_tool;
	daemon_config(&d, SERVICES(SERVICE_AT("s", "\"systemd:web\"", "echo", "workers = 1;")));
	daemon_spawn(&d);
	while (!strstr(client_read_line(ends[0]), "istening on"))
		;
	client_check_echo(files_text("unix:%s", tool_socket));
	daemon_wait_ready(&d);
} END_TEST

int main(void)
{
	Suite *s = suite_create("activation");
	TCase *tc = harness_case(s, "activation");

	tcase_add_test(tc, inherited_sockets_are_served_by_name);
	tcase_add_test(tc, plain_systemd_means_all_of_them);
	tcase_add_test(tc, beside_inherited_sockets_a_service_can_have_its_own);
	tcase_add_test(tc, inherited_sockets_outlive_the_server);
	tcase_add_test(tc, an_inherited_socket_stays_open_through_reloads);
	tcase_add_test(tc, programs_do_not_inherit_them);
	tcase_add_loop_test(tc, a_name_that_was_not_inherited_is_78, 0, 2);
	tcase_add_test(tc, a_socket_that_does_not_listen_is_78);
	tcase_add_test(tc, an_inherited_abstract_socket_takes_no_proxy_headers);
	tcase_add_test(tc, a_reload_that_wants_a_missing_name_is_refused);
	tcase_add_test(tc, sockets_meant_for_another_process_are_not_touched);
	tcase_add_loop_test(tc, nonsense_in_a_variable_is_78_and_names_it, 0,
	                    sizeof nonsense / sizeof *nonsense);
	tcase_add_loop_test(tc, a_variable_that_is_not_needed_is_named_and_passed_over, 0,
	                    sizeof doubtful / sizeof *doubtful);
	harness_add_if(process_is_installed("systemd-socket-activate"),
	               "systemd-socket-activate is not installed", tc,
	               systemd_socket_activate_starts_the_server);
	return harness_run(s);
}
