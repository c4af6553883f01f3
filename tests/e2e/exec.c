/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a program finds when it starts: its environment, its descriptors, its
 * place. programs.c tests how it lives and ends.
 */
#include <config.h>
#include "harness.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

static struct daemon d;

#define SAYS(program, args, rest) \
	SERVICES(EXEC("s", "argv = [ \"" program "\"" args " ];", "workers = 1; " rest))

/* Starts a service and returns what its program says to one client. */
static const char *answer_of(const char *config)
{
	daemon_start(&d, "%s", config);
	return client_ask(daemon_address(&d, "s", 0));
}

/* ---- Environment ---- */

static void check_environment(int fd, const char *expected)
{
	const struct event *open = daemon_accepted(&d, fd);
	const char *all = files_text("%s%sDROVER_CONNECTION=%s\n", harness_environment(), expected,
	                             event_word(open, "id"));

	ck_assert_str_eq(files_sorted(client_read_all(fd)), files_sorted(all));
	close(fd);
}

START_TEST(over_tcp_the_environment_is_exactly_this)
{
	const char *ours, *theirs;
	int fd;

	daemon_start(&d, SAYS("/usr/bin/env", "", ""));
	fd = daemon_connect(&d, "s");
	ours = client_port(fd);
	theirs = daemon_port(&d, "s", 0);
	check_environment(fd, files_text(
		"PROTO=TCP\n"
		"TCPREMOTEIP=127.0.0.1\nTCPREMOTEPORT=%s\nTCPLOCALIP=127.0.0.1\nTCPLOCALPORT=%s\n"
		"REMOTE_ADDR=127.0.0.1\nREMOTE_PORT=%s\n", ours, theirs, ours));
} END_TEST

START_TEST(over_ipv6_the_environment_is_exactly_this)
{
	const char *ours, *theirs;
	int fd;

	daemon_start(&d, SERVICES(" s = { listen = \"[::1]:0\"; workers = 1;"
	             " handler = { type = \"exec\"; argv = \"/usr/bin/env\"; }; };"));
	fd = daemon_connect(&d, "s");
	ours = client_port(fd);
	theirs = daemon_port(&d, "s", 0);
	check_environment(fd, files_text(
		"PROTO=TCP6\n"
		"TCPREMOTEIP=::1\nTCPREMOTEPORT=%1$s\nTCPLOCALIP=::1\nTCPLOCALPORT=%2$s\n"
		"TCP6REMOTEIP=::1\nTCP6REMOTEPORT=%1$s\nTCP6LOCALIP=::1\nTCP6LOCALPORT=%2$s\n"
		"REMOTE_ADDR=::1\nREMOTE_PORT=%1$s\n", ours, theirs));
} END_TEST

START_TEST(over_a_unix_socket_the_environment_is_exactly_this)
{
	daemon_start(&d, SERVICES(" s = { listen = \"unix:%s\"; workers = 1;"
	             " handler = { type = \"exec\"; argv = \"/usr/bin/env\"; }; };"), files_path("s"));
	check_environment(daemon_connect(&d, "s"), "PROTO=UNIX\n");
} END_TEST

static void set_variables(void)
{
	setenv("PASSED", "from outside", 1);
	setenv("NOT_PASSED", "secret", 1);
}

START_TEST(env_and_pass_env_add_to_the_environment)
{
	const char *answer;

	d.before_exec = set_variables;
	answer = answer_of(SERVICES(EXEC("s", "argv = \"/usr/bin/env\";"
	                   " env = [ \"GIVEN=a b=c\", \"EMPTY=\" ];"
	                   " pass_env = [ \"PASSED\", \"NEVER_SET\" ];", "workers = 1;")));
	harness_contains(answer, "GIVEN=a b=c\n");
	harness_contains(answer, "EMPTY=\n");
	harness_contains(answer, "PASSED=from outside\n");
	ck_assert_ptr_null(strstr(answer, "NOT_PASSED"));
	ck_assert_ptr_null(strstr(answer, "NEVER_SET"));
	ck_assert_ptr_null(strstr(answer, "NOTIFY_SOCKET"));
	ck_assert_ptr_null(strstr(answer, "DROVER_EVENTS"));
} END_TEST

START_TEST(env_file_is_read_at_each_load)
{
	const char *path = files_path("env");
	const char *text = files_text(SERVICES(EXEC("s", "argv = \"/usr/bin/env\"; env_file = \"%s\";"
	                              " env = \"GIVEN=set\";", "workers = 1;")), path);

	files_write("env", "FILE='a b'\nGIVEN=file\n");
	harness_contains(answer_of(text), "FILE=a b\n");
	harness_contains(client_ask(daemon_address(&d, "s", 0)), "GIVEN=set\n");
	files_write("env", "FILE=other\n");
	daemon_reload(&d, "%s", text);
	daemon_wait_for(&d, "generation-gone");         /* the worker before could accept still */
	harness_contains(client_ask(daemon_address(&d, "s", 0)), "FILE=other\n");
} END_TEST

START_TEST(the_check_names_each_env_file_once)
{
	const char *handler = files_text("argv = \"/usr/bin/env\"; env_file = [ \"%s\", \"-%s\" ];",
	                                 files_write("env", "A=1\nB=2\n"), files_path("none"));

	daemon_config(&d, SERVICES("%s%s"), files_text(EXEC("s", "%s", ""), handler),
	              files_text(EXEC("t", "%s", ""), handler));
	ck_assert_int_eq(daemon_run_args(&d, "-t", "-c", d.config), 0);
	harness_contains(daemon_output(&d), files_text("%s: read, 2 variables\n", files_path("env")));
	ck_assert_uint_eq(files_count(daemon_output(&d), "variables"), 1);
} END_TEST

START_TEST(a_broken_env_file_changes_nothing)
{
	const char *text = files_text(SERVICES(EXEC("s", "argv = \"/usr/bin/env\"; env_file = \"%s\";", "workers = 1;")),
	                              files_path("env"));

	files_write("env", "FILE=first\n");
	harness_contains(answer_of(text), "FILE=first\n");
	files_write("env", "FILE=second\nfoo\n");
	daemon_signal(&d, SIGHUP);
	daemon_wait_for(&d, "reload-failed");
	harness_contains(daemon_errors(&d), files_text("%s:2: \"foo\" is not a variable", files_path("env")));
	harness_contains(client_ask(daemon_address(&d, "s", 0)), "FILE=first\n");
} END_TEST

START_TEST(arguments_arrive_as_they_are)
{
	ck_assert_str_eq(answer_of(SAYS("/usr/bin/printf", ", \"%s|\", \"two words\", \"\", \"$HOME *\"", "")),
	                 "two words||$HOME *|");
} END_TEST

/* ---- Descriptors and signals ---- */

/* ls itself has one more: the descriptor of the folder that it reads. */
START_TEST(no_descriptor_above_2_is_open)
{
	ck_assert_str_eq(answer_of(SAYS("/bin/ls", ", \"/proc/self/fd\"", "")), "0\n1\n2\n3\n");
} END_TEST

START_TEST(input_and_output_are_the_socket)
{
	const char *script = files_script("links", "readlink /proc/$$/fd/0 /proc/$$/fd/1 /proc/$$/fd/2");
	char in[64], out[64], err[64];
	const char *answer;

	answer = answer_of(files_text(SAYS("%s", "", ""), script));
	ck_assert_int_eq(sscanf(answer, "%63s %63s %63s", in, out, err), 3);
	ck_assert_int_eq(strncmp(in, "socket:", 7), 0);
	ck_assert_str_eq(in, out);
	ck_assert_str_ne(in, err);
} END_TEST

static void check_blocking(const char *descriptor)
{
	const char *answer = client_ask(daemon_address(&d, "s", 0));
	long flags = strtol(process_field(answer, "flags"), NULL, 8);

	ck_assert_msg(!(flags & O_NONBLOCK), "descriptor %s has flags %#lo", descriptor, flags);
}

START_TEST(descriptors_are_in_blocking_mode)
{
	static const char *const descriptors[] = { "0", "1", "2" };

	daemon_start(&d, SAYS("/bin/cat", ", \"/proc/self/fdinfo/%s\"", ""), descriptors[_i]);
	check_blocking(descriptors[_i]);
} END_TEST

static void ignore_signals(void)
{
	const int signals[] = { SIGHUP, SIGPIPE, SIGCHLD, SIGINT };
	sigset_t blocked;

	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR1);
	sigaddset(&blocked, SIGTERM);
	sigprocmask(SIG_BLOCK, &blocked, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		signal(signals[i], SIG_IGN);
}

START_TEST(signals_are_as_if_untouched)
{
	static const char *const masks[] = { "SigBlk", "SigIgn", "SigCgt" };
	const char *answer;

	d.before_exec = ignore_signals;
	answer = answer_of(SAYS("/bin/cat", ", \"/proc/self/status\"", ""));
	for (size_t i = 0; i < ARRAY_SIZE(masks); i++)
		ck_assert_str_eq(process_field(answer, masks[i]), "0000000000000000");
} END_TEST

START_TEST(each_program_is_a_session_of_its_own)
{
	int pid, parent, group, session;
	const char *answer = answer_of(SAYS("/bin/cat", ", \"/proc/self/stat\"", ""));

	ck_assert_int_eq(sscanf(answer, "%d (cat) %*c %d %d %d", &pid, &parent, &group, &session), 4);
	ck_assert_int_eq(pid, group);
	ck_assert_int_eq(pid, session);
	ck_assert_int_eq(parent, daemon_next_worker(&d, "s"));
} END_TEST

/* ---- Place ---- */

START_TEST(a_program_stands_in_the_directory_of_its_service)
{
	const char *place = _i ? files_mkdir("place") : "/";

	ck_assert_str_eq(answer_of(files_text(SAYS("/bin/pwd", ", \"-P\"", "directory = \"%s\";"), place)),
	                 files_text("%s\n", place));
} END_TEST

START_TEST(a_program_has_the_umask_of_its_service)
{
	const char *answer = answer_of(SAYS("/bin/cat", ", \"/proc/self/status\"", "umask = \"027\";"));

	ck_assert_str_eq(process_field(answer, "Umask"), "0027");
} END_TEST

START_TEST(a_program_has_the_limits_of_its_service)
{
	const char *answer = answer_of(SAYS("/bin/cat", ", \"/proc/self/limits\"",
		"rlimits = { nofile = 77; nproc = 555; core = 0; as = \"512M\"; cpu = 66; };"));

	harness_contains(answer, "Max open files            77                   77 ");
	harness_contains(answer, "Max processes             555                  555 ");
	harness_contains(answer, "Max core file size        0                    0 ");
	harness_contains(answer, "Max address space         536870912            536870912 ");
	harness_contains(answer, "Max cpu time              66                   66 ");
} END_TEST

static struct rlimit few = { 99, 111 };

static void limit_descriptors(void)
{
	setrlimit(RLIMIT_NOFILE, &few);
}

/* The worker may raise its limit of descriptors; its programs must not get that limit. */
START_TEST(a_program_has_the_limits_that_droverd_was_started_with)
{
	const char *answer;

	d.before_exec = limit_descriptors;
	answer = answer_of(SAYS("/bin/cat", ", \"/proc/self/limits\"", "connections = 40;"));
	harness_contains(answer, "Max open files            99                   111 ");
} END_TEST

START_TEST(no_new_privs_is_on_unless_told_otherwise)
{
	const char *answer;

	answer = answer_of(SAYS("/bin/cat", ", \"/proc/self/status\"", ""));
	ck_assert_str_eq(process_field(answer, "NoNewPrivs"), "1");
	daemon_reload(&d, SAYS("/bin/cat", ", \"/proc/self/status\"", "no_new_privs = false;"));
	daemon_wait_for(&d, "generation-gone");
	answer = client_ask(daemon_address(&d, "s", 0));
	ck_assert_str_eq(process_field(answer, "NoNewPrivs"), "0");
} END_TEST

int main(void)
{
	Suite *s = suite_create("exec");
	TCase *tc = harness_case(s, "environment");

	tcase_add_test(tc, over_tcp_the_environment_is_exactly_this);
	harness_add_if(harness_has_ipv6(), "there is no IPv6 here", tc,
	               over_ipv6_the_environment_is_exactly_this);
	tcase_add_test(tc, over_a_unix_socket_the_environment_is_exactly_this);
	tcase_add_test(tc, env_and_pass_env_add_to_the_environment);
	tcase_add_test(tc, env_file_is_read_at_each_load);
	tcase_add_test(tc, the_check_names_each_env_file_once);
	tcase_add_test(tc, a_broken_env_file_changes_nothing);
	tcase_add_test(tc, arguments_arrive_as_they_are);

	tc = harness_case(s, "descriptors");
	tcase_add_test(tc, no_descriptor_above_2_is_open);
	tcase_add_test(tc, input_and_output_are_the_socket);
	tcase_add_loop_test(tc, descriptors_are_in_blocking_mode, 0, 3);
	tcase_add_test(tc, signals_are_as_if_untouched);
	tcase_add_test(tc, each_program_is_a_session_of_its_own);

	tc = harness_case(s, "place");
	tcase_add_loop_test(tc, a_program_stands_in_the_directory_of_its_service, 0, 2);
	tcase_add_test(tc, a_program_has_the_umask_of_its_service);
	tcase_add_test(tc, a_program_has_the_limits_of_its_service);
	tcase_add_test(tc, a_program_has_the_limits_that_droverd_was_started_with);
	harness_add_if(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0, "it is on already, and for good", tc,
	               no_new_privs_is_on_unless_told_otherwise);
	return harness_run(s);
}
