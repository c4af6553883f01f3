/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The command line of droverd and its exit codes.
 */
#include <config.h>
#include "harness.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct daemon d;
static int passed_fd;           /* a socket that listens */

#define ONE_ECHO SERVICES(SERVICE("s", "echo", "workers = 1;"))

/* Options that root needs when there is no configuration file. */
#define USER_ARGS harness_is_root() ? "--user=root" : "--workers=1"

/* ---- Usage ---- */

static const struct { const char *name, *args[6]; } bad_usage[] = {
	{ "an unknown option",        { "-x" } },
	{ "an unknown long option",   { "--frobnicate" } },
	{ "an option to come",        { "--limit", "5" } },
	{ "no file after -c",         { "-c" } },
	{ "a stray argument",         { "-t", "drover.conf" } },
	{ "a value that is not wanted", { "--test=yes" } },
	{ "an address and nothing to do", { "--listen", "127.0.0.1:0" } },
	{ "two things to do",         { "--listen", "127.0.0.1:0", "--echo", "/bin/cat" } },
	{ "a file beside an address", { "-c", "x.conf", "--listen", "127.0.0.1:0", "--echo" } },
	{ "something to do and no address", { "--echo" } },
	{ "workers that are no number", { "--listen", "127.0.0.1:0", "--workers", "some", "--echo" } },
};

START_TEST(wrong_usage_is_64_with_a_usage_line)
{
	files_write("row", "%s\n", bad_usage[_i].name);
	ck_assert_int_eq(daemon_run(&d, bad_usage[_i].args), 64);
	ck_assert_msg(strstr(daemon_errors(&d), "usage: "), "%s", daemon_errors(&d));
	ck_assert_str_eq(daemon_output(&d), "");
} END_TEST

START_TEST(the_version_is_printed)
{
	static const char *const options[] = { "-V", "--version" };

	ck_assert_int_eq(daemon_run_args(&d, options[_i]), 0);
	harness_contains(daemon_output(&d), PACKAGE_VERSION);
	ck_assert_str_eq(daemon_errors(&d), "");
} END_TEST

START_TEST(help_is_printed)
{
	static const char *const options[] = { "-h", "--help" };

	ck_assert_int_eq(daemon_run_args(&d, options[_i]), 0);
	harness_contains(daemon_output(&d), "usage: ");
	harness_contains(daemon_output(&d), "--listen");
	ck_assert_str_eq(daemon_errors(&d), "");
} END_TEST

/* ---- Checking and printing ---- */

START_TEST(a_good_configuration_is_called_ok)
{
	static const char *const options[][2] = { { "-t", "-c" }, { "--test", "--config" } };

	daemon_config(&d, ONE_ECHO);
	ck_assert_int_eq(daemon_run_args(&d, options[_i][0], options[_i][1], d.config), 0);
	harness_contains(daemon_output(&d), files_text("%s: configuration ok\n", d.config));
	ck_assert_str_eq(daemon_errors(&d), "");
	ck_assert_uint_eq(d.events.n, 0);       /* nothing was started */
} END_TEST

START_TEST(a_check_names_the_files_that_were_read_and_passed_over)
{
	const char *read, *passed;

	files_mkdir("conf.d");
	read = files_write("conf.d/a.conf", SERVICES(SERVICE("a", "echo", "")));
	passed = files_write("conf.d/a.conf.old", "not for us");
	daemon_config(&d, "include = [ \"conf.d/*.conf\" ];\n" ONE_ECHO);
	ck_assert_int_eq(daemon_run_args(&d, "-t", "-c", d.config), 0);
	harness_contains(daemon_output(&d), d.config);
	harness_contains(daemon_output(&d), files_text("%s:", read));
	harness_contains(daemon_output(&d), files_text("%s:", passed));
} END_TEST

START_TEST(a_relative_file_name_is_understood)
{
	daemon_config(&d, ONE_ECHO);
	ck_assert_int_eq(chdir(files_path("")), 0);
	ck_assert_int_eq(daemon_run_args(&d, "-t", "-c", "drover.conf"), 0);
	ck_assert_int_eq(chdir("/"), 0);
} END_TEST

/* Values of all kinds. */
#define RICH_A \
	"( { address = \"127.0.0.1:0\"; backlog = 5; nodelay = false; }, \"unix:/tmp/%%x\" )"
#define RICH \
	"shutdown_timeout = 2.5; log = { level = \"debug\"; format = \"json\"; };\n" \
	"defaults = { connections = 11; timeouts = { linger = \"750ms\"; }; };\n" \
	SERVICES( \
		SERVICE_AT("a", RICH_A, "echo", "workers = 3; umask = \"027\"; nice = 3; cpus = \"0\";" \
		           " timeouts = { idle = \"90s\"; };") \
		EXEC("b", "argv = [ \"/bin/echo\", \"a \\\"b\\\"\", \"c\\\\d\" ]; env = [ \"A=1\" ];" \
		     " pass_env = \"HOME\"; stderr = \"null\";", \
		     "workers = 1; rlimits = { nofile = 99; as = \"1G\"; cpu = 7; }; no_new_privs = false;" \
		     " restart = { burst = 4; delay_max = \"2m\"; };") \
		SERVICE("c", "discard", "enabled = false;"))

static const char *dump(const char *file)
{
	ck_assert_int_eq(daemon_run_args(&d, "-T", "-c", file), 0);
	ck_assert_str_eq(daemon_errors(&d), "");
	return daemon_output(&d);
}

START_TEST(what_is_printed_loads_and_means_the_same)
{
	const char *first, *again;

	daemon_config(&d, RICH);
	first = dump(d.config);
	again = files_write("again.conf", "%s", first);
	ck_assert_int_eq(daemon_run_args(&d, "-t", "-c", again), 0);
	/* Without the first line, which names the file. */
	ck_assert_str_eq(strchr(dump(again), '\n'), strchr(first, '\n'));
} END_TEST

START_TEST(what_is_printed_spells_out_the_defaults)
{
	static const char *const keys[] = {
		"connections = 256", "backlog = 4096", "linger = \"5s\"", "burst = 10", "no_new_privs = true",
		"shutdown_timeout = \"30s\"", "level = \"info\"",
	};
	const char *printed;

	daemon_config(&d, ONE_ECHO);
	printed = dump(d.config);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		ck_assert_msg(strstr(printed, keys[i]), "no %s in:\n%s", keys[i], printed);
} END_TEST

START_TEST(a_broken_configuration_is_not_printed)
{
	daemon_config(&d, "nonsense = 1;\n" ONE_ECHO);
	ck_assert_int_eq(daemon_run_args(&d, "--dump", "--config", d.config), 78);
	ck_assert_str_eq(daemon_output(&d), "");
} END_TEST

/* ---- Without a file ---- */

START_TEST(echo_can_be_served_without_a_file)
{
	daemon_spawn_with(&d, (const char *const[]){ "--listen", "127.0.0.1:0", "--echo", "--name", "parrot",
	                                             "--connections", "9", USER_ARGS, NULL });
	daemon_wait_ready(&d);
	daemon_check_echo(&d, "parrot");
} END_TEST

START_TEST(a_program_can_be_served_without_a_file)
{
	daemon_spawn_with(&d, (const char *const[]){
		"--listen", "127.0.0.1:0", files_text("--listen=unix:%s", files_path("s.sock")), USER_ARGS,
		"--name=talk", "--", "echo", "-n", "what \"I\" \\say", NULL });
	daemon_wait_ready(&d);
	for (size_t i = 0; i < 2; i++)
		ck_assert_str_eq(client_ask(daemon_address(&d, "talk", i)), "what \"I\" \\say");
} END_TEST

START_TEST(without_a_file_hup_replaces_the_workers)
{
	pid_t old;

	daemon_spawn_with(&d, (const char *const[]){ "--listen", "127.0.0.1:0", "--name", "s", "--workers", "1",
	                                             "--echo", USER_ARGS, NULL });
	daemon_wait_ready(&d);
	old = daemon_next_worker(&d, "s");
	daemon_signal(&d, SIGHUP);
	daemon_wait_for(&d, "reload-done");
	daemon_wait_for(&d, "worker-end pid=%d how=exit value=0", old);
	daemon_check_echo(&d, "s");
} END_TEST

START_TEST(without_a_file_wrong_values_are_78)
{
	static const char *const rows[][2] = {
		{ "--listen", "nowhere-at-all" }, { "--user", "no-such-user" }, { "--workers", "0" },
	};

	ck_assert_int_eq(daemon_run_args(&d, "--listen", "127.0.0.1:0", "--echo", rows[_i][0], rows[_i][1]),
	                 78);
} END_TEST

static void be_on_one_cpu(void)
{
	cpu_set_t now, one;

	sched_getaffinity(0, sizeof now, &now);
	CPU_ZERO(&one);
	for (size_t i = 0; CPU_COUNT(&one) == 0; i++)
		if (CPU_ISSET(i, &now))
			CPU_SET(i, &one);
	sched_setaffinity(0, sizeof one, &one);
}

START_TEST(there_are_as_many_workers_as_cpus_that_may_be_used)
{
	d.before_exec = be_on_one_cpu;
	daemon_config(&d, SERVICES(SERVICE("fixed", "echo", "") SERVICE("ranged", "echo", "workers = { min = 1; };")));
	ck_assert_int_eq(daemon_run_args(&d, "-T", "-c", d.config), 0);
	harness_contains(daemon_output(&d), "workers = 1;");
	harness_contains(daemon_output(&d), "max = 4;");
} END_TEST

/* ---- Exit codes of a server ---- */

START_TEST(a_port_in_use_is_69)
{
	const char *port;
	int occupant = client_listen(&port);

	daemon_config(&d, SERVICES(SERVICE("free", "echo", "workers = 1;")
	              SERVICE_AT("taken", "\"127.0.0.1:%s\"", "echo", "workers = 1;")), port);
	ck_assert_int_eq(daemon_run_args(&d, "-c", d.config), 69);
	harness_contains(daemon_errors(&d), files_text("127.0.0.1:%s", port));
	ck_assert_uint_eq(daemon_saw(&d, "worker-ready"), 0);
	close(occupant);
} END_TEST

static void close_standard_descriptors(void)
{
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		close(fd);
}

START_TEST(a_server_without_standard_descriptors_serves)
{
	d.before_exec = close_standard_descriptors;
	daemon_start(&d, ONE_ECHO);
	daemon_check_echo(&d, "s");
} END_TEST

/* ---- Detached ---- */

START_TEST(a_detached_server_is_ready_when_its_parent_exits)
{
	const char *pid_file = files_path("drover.pid");
	pid_t pid;
	int watch;

	d.has_survivors = true;
	daemon_config(&d, "pid_file = \"%s\"; log = { target = \"%s\"; };\n" ONE_ECHO, pid_file,
	              files_path("log"));
	ck_assert_int_eq(daemon_run_args(&d, "-d", "-c", d.config), 0);
	pid = (pid_t)strtol(files_read(pid_file), NULL, 10);
	ck_assert_int_gt(pid, 0);
	watch = process_watch(pid);
	ck_assert_int_eq(getsid(pid), pid);
	ck_assert_str_eq(process_link(pid, "cwd"), "/");
	ck_assert_str_eq(process_link(pid, "fd/2"), "/dev/null");
	daemon_check_echo(&d, "s");
	ck_assert_int_eq(kill(pid, SIGTERM), 0);
	process_wait_end(watch);
	ck_assert(!files_exist(pid_file));
	ck_assert_str_eq(daemon_errors(&d), "");
} END_TEST

/* And a socket that is passed as by systemd, to the process that detaches. */
static void bring_descriptors(void)
{
	char pid[32];

	snprintf(pid, sizeof pid, "%d", getpid());
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", "1", 1);
	if (dup2(passed_fd, 3) == -1 || fcntl(open("/dev/null", O_RDONLY), F_DUPFD, 50) == -1)
		_exit(EXIT_FAILURE);
}

START_TEST(a_detached_server_lets_go_of_what_the_caller_left_open)
{
	const char *pid_file = files_path("drover.pid"), *port;
	pid_t pid;
	int watch;

	passed_fd = client_listen(&port);
	d.has_survivors = true;
	d.before_exec = bring_descriptors;
	daemon_config(&d, "pid_file = \"%s\"; log = { target = \"%s\"; };\n"
	              SERVICES(SERVICE_AT("s", "\"systemd\"", "daytime", "workers = 1;")), pid_file,
	              files_path("log"));
	ck_assert_int_eq(daemon_run_args(&d, "-d", "-c", d.config), 0);
	pid = (pid_t)strtol(files_read(pid_file), NULL, 10);
	ck_assert_int_gt(pid, 0);
	watch = process_watch(pid);
	ck_assert(!files_exist(files_text("/proc/%d/fd/50", pid)));
	ck_assert_uint_gt(strlen(client_ask(files_text("127.0.0.1:%s", port))), 10);
	ck_assert_int_eq(kill(pid, SIGTERM), 0);
	process_wait_end(watch);
	close(passed_fd);
} END_TEST

/* The descriptor may be a lock that shows that the daemon runs. */
START_TEST(in_the_foreground_it_keeps_it_for_itself)
{
	const char *port;

	passed_fd = client_listen(&port);
	d.before_exec = bring_descriptors;
	daemon_start(&d, ONE_ECHO);
	ck_assert(files_exist(files_text("/proc/%d/fd/50", d.pid)));
	ck_assert(!files_exist(files_text("/proc/%d/fd/50", daemon_next_worker(&d, "s"))));
	close(passed_fd);
} END_TEST

START_TEST(a_server_that_logs_to_standard_error_does_not_detach)
{
	daemon_config(&d, ONE_ECHO);
	ck_assert_int_eq(daemon_run_args(&d, "--daemon", "--config", d.config), 78);
	harness_contains(daemon_errors(&d), "standard error");
} END_TEST

START_TEST(the_parent_exits_with_what_keeps_the_server_from_starting)
{
	const char *port;
	int occupant = client_listen(&port);

	daemon_config(&d, "log = { target = \"%s\"; };\n"
	              SERVICES(SERVICE_AT("s", "\"127.0.0.1:%s\"", "echo", "workers = 1;")),
	              files_path("log"), port);
	ck_assert_int_eq(daemon_run_args(&d, "-d", "-c", d.config), 69);
	daemon_config(&d, "nonsense");
	ck_assert_int_eq(daemon_run_args(&d, "-d", "-c", d.config), 78);
	harness_contains(daemon_errors(&d), d.config);
	close(occupant);
} END_TEST

int main(void)
{
	Suite *s = suite_create("cli");
	TCase *tc = harness_case(s, "usage");

	tcase_add_loop_test(tc, wrong_usage_is_64_with_a_usage_line, 0, ARRAY_SIZE(bad_usage));
	tcase_add_loop_test(tc, the_version_is_printed, 0, 2);
	tcase_add_loop_test(tc, help_is_printed, 0, 2);

	tc = harness_case(s, "check");
	tcase_add_loop_test(tc, a_good_configuration_is_called_ok, 0, 2);
	tcase_add_test(tc, there_are_as_many_workers_as_cpus_that_may_be_used);
	tcase_add_test(tc, a_check_names_the_files_that_were_read_and_passed_over);
	tcase_add_test(tc, a_relative_file_name_is_understood);
	tcase_add_test(tc, what_is_printed_loads_and_means_the_same);
	tcase_add_test(tc, what_is_printed_spells_out_the_defaults);
	tcase_add_test(tc, a_broken_configuration_is_not_printed);

	tc = harness_case(s, "options");
	tcase_add_test(tc, echo_can_be_served_without_a_file);
	tcase_add_test(tc, a_program_can_be_served_without_a_file);
	tcase_add_test(tc, without_a_file_hup_replaces_the_workers);
	tcase_add_loop_test(tc, without_a_file_wrong_values_are_78, 0, 3);

	tc = harness_case(s, "exit");
	tcase_add_test(tc, a_port_in_use_is_69);
	tcase_add_test(tc, a_server_without_standard_descriptors_serves);

	tc = harness_case(s, "detached");
	tcase_add_test(tc, a_detached_server_is_ready_when_its_parent_exits);
	tcase_add_test(tc, a_detached_server_lets_go_of_what_the_caller_left_open);
	tcase_add_test(tc, in_the_foreground_it_keeps_it_for_itself);
	tcase_add_test(tc, a_server_that_logs_to_standard_error_does_not_detach);
	tcase_add_test(tc, the_parent_exits_with_what_keeps_the_server_from_starting);
	return harness_run(s);
}
