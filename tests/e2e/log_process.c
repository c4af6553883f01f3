/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Logs that a worker could damage if it had their descriptors: another process writes to
 * them, and no line is lost, no matter which process ends.
 */
#include <config.h>
#include "harness.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

static struct daemon d;

#define ONE    SERVICES(SERVICE("s", "echo", "workers = 1;"))
#define ACCESS "access_log = { target = \"%s\"; };"
#define BOTH   "log = { target = \"%s\"; };" ACCESS

static const char *access_path(void)
{
	return files_path("access.log");
}

/* The daemon's standard error is a file: of which a worker must not have a descriptor. */
static void log_to_file(void)
{
	setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
	dup2(open(files_path("stderr"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644), STDERR_FILENO);
}

static int terminal = -1;               /* our side; the daemon's standard error is the other one */

static bool has_terminals(void)
{
	terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (terminal != -1 && grantpt(terminal) == 0 && unlockpt(terminal) == 0)
		return true;
	harness_skip("a worker of a daemon on a terminal", "there are no pseudo-terminals here");
	return false;
}

/* As a shell starts it: that terminal is the one of its session. */
static void log_to_terminal(void)
{
	const int fd = setsid() == -1 ? -1 : open(ptsname(terminal), O_RDWR);

	dup2(fd, STDIN_FILENO);
	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
}

/* The log process of the next generation. */
static pid_t next_log_process(void)
{
	return (pid_t)event_number(daemon_wait_for(&d, "log-process-start"), "pid");
}

static void visit(const char *service)
{
	int fd = daemon_connect(&d, service);
	const struct event *open = daemon_accepted(&d, fd);

	client_echo(fd);
	client_end(fd);
	client_expect_end(fd);
	daemon_ended(&d, open);
	close(fd);
}

static size_t access_lines(void)
{
	return files_count(files_read(access_path()), " how=");
}

/* ---- What a worker can do ---- */

/* Of all that process has: files and terminals, that a process could empty, or type into. */
static const char *delicate_descriptor(pid_t pid)
{
	DIR *all = opendir(files_text("/proc/%d/fd", pid));
	const char *found = NULL;
	const struct dirent *e;
	struct stat st;

	ck_assert_ptr_nonnull(all);
	while (!found && (e = readdir(all))) {
		const char *path = files_text("/proc/%d/fd/%s", pid, e->d_name);

		if (e->d_name[0] == '.' || stat(path, &st) == -1)
			continue;
		if ((S_ISREG(st.st_mode) || S_ISCHR(st.st_mode)) &&
		    strcmp(process_link(pid, files_text("fd/%s", e->d_name)), "/dev/null") != 0)
			found = process_link(pid, files_text("fd/%s", e->d_name));
	}
	closedir(all);
	return found;
}

static void expect_on_terminal(const char *text)
{
	static char seen[1 << 16];
	size_t len = 0;

	while (!strstr(seen, text)) {
		ssize_t n;

		turn_until_ready(terminal, POLLIN);
		n = read(terminal, seen + len, sizeof seen - 1 - len);
		ck_assert_int_gt(n, 0);
		len += (size_t)n;
	}
	close(terminal);
}

START_TEST(a_worker_has_no_descriptor_of_a_file_or_a_terminal)
{
	const char *found;

	if (_i == 2 && !has_terminals())
		return;
	d.before_exec = _i == 2 ? log_to_terminal : log_to_file;
	if (_i == 0)
		daemon_start(&d, BOTH ONE, files_path("log"), access_path());
	else
		daemon_start(&d, "access_log = { target = \"stderr\"; };" ONE);
	found = delicate_descriptor(daemon_next_worker(&d, "s"));
	ck_assert_msg(!found, "it has %s", found);
	visit("s");
	if (_i == 2)
		expect_on_terminal(" how=closed ");
} END_TEST

START_TEST(a_worker_that_was_taken_over_cannot_damage_a_log)
{
	const char *before, *after;
	int fd;

	d.program = "tests/e2e/crashy";
	d.before_exec = log_to_file;
	if (_i == 0)
		daemon_start(&d, BOTH ONE, files_path("log"), access_path());
	else
		daemon_start(&d, ACCESS ONE, access_path());
	visit("s");
	daemon_settle_logs(&d);
	before = files_text("%s%s%s", files_read(files_path("log")), files_read(files_path("stderr")),
	                    files_read(access_path()));
	fd = daemon_connect(&d, "s");
	client_say(fd, "damage\n");
	client_expect(fd, "damage\n");
	after = files_text("%s%s%s", files_read(files_path("log")), files_read(files_path("stderr")),
	                   files_read(access_path()));
	ck_assert_str_eq(before, after);
	client_end(fd);
	client_expect_end(fd);
	close(fd);
	visit("s");
} END_TEST

START_TEST(what_a_worker_says_before_it_crashes_is_there)
{
	int fd;

	d.program = "tests/e2e/crashy";
	d.before_exec = log_to_file;
	daemon_start(&d, BOTH ONE, files_path("log"), access_path());
	visit("s");
	fd = daemon_connect(&d, "s");
	client_say(fd, "mutter\n");
	client_expect(fd, "mutter\n");
	client_say(fd, "crash\n");
	daemon_wait_for(&d, "worker-end service=s how=signal");
	client_expect_gone(fd);
	close(fd);
	daemon_stop(&d, SIGTERM);
	ck_assert_uint_eq(access_lines(), 1);
	ck_assert_str_eq(files_read(files_path("stderr")), "free(): invalid pointer\n");
} END_TEST

START_TEST(a_service_cannot_fill_the_log_of_another_one)
{
	pid_t process;
	int fd;

	d.program = "tests/e2e/crashy";
	d.before_exec = log_to_file;
	daemon_start(&d, ACCESS SERVICES(SERVICE("s", "echo", "workers = 1;")
	             SERVICE("other", "echo", "workers = 1;")), access_path());
	process = next_log_process();
	ck_assert_int_eq(kill(process, SIGSTOP), 0);
	fd = daemon_connect(&d, "s");
	client_say(fd, "drown\n");
	client_expect(fd, "drown\n");
	visit("s");
	visit("other");
	ck_assert_int_eq(kill(process, SIGCONT), 0);
	daemon_settle_logs(&d);
	ck_assert_uint_eq(files_count(files_read(access_path()), "service=s "), 0);
	ck_assert_uint_eq(files_count(files_read(access_path()), "service=other "), 1);
	visit("s");
	close(fd);
	daemon_settle_logs(&d);
	ck_assert_uint_eq(files_count(files_read(access_path()), " dropped=1 pid="), 1);
} END_TEST

START_TEST(the_log_process_can_do_little_and_shows_what_it_is)
{
	pid_t process;

	daemon_start(&d, ACCESS ONE, access_path());
	process = next_log_process();
	daemon_settle_logs(&d);
	ck_assert_str_eq(process_status(process, "CapPrm"), "0000000000000000");
	ck_assert_str_eq(process_status(process, "CapEff"), "0000000000000000");
	ck_assert_str_eq(process_status(process, "NoNewPrivs"), "1");
	ck_assert_str_eq(process_link(process, "fd/0"), "/dev/null");
	ck_assert_str_eq(process_link(process, "fd/1"), "/dev/null");
	ck_assert_int_eq(getsid(process), process);
	ck_assert_int_eq(strncmp(process_file(files_text("/proc/%d/cmdline", process)), "droverd: log", 13), 0);
} END_TEST

/* ---- A target that takes nothing ---- */

START_TEST(lines_that_a_full_disk_does_not_take_are_counted)
{
	const char *log;

	ck_assert_int_eq(symlink("/dev/full", access_path()), 0);
	daemon_start(&d, ACCESS ONE, access_path());
	for (int i = 0; i < 3; i++)
		visit("s");
	ck_assert_int_eq(unlink(access_path()), 0);
	daemon_settle_logs(&d);
	visit("s");
	daemon_settle_logs(&d);
	log = files_read(access_path());
	ck_assert_uint_eq(access_lines(), 1);
	ck_assert_msg(strstr(log, " dropped=3 pid=") && strstr(log, strerror(ENOSPC)), "%s", log);
} END_TEST

/* logrotate's copytruncate: the file is emptied under it, and filled from its beginning. */
START_TEST(a_file_that_is_truncated_goes_on_from_its_beginning)
{
	daemon_start(&d, ACCESS ONE, access_path());
	visit("s");
	daemon_settle_logs(&d);
	ck_assert_int_eq(truncate(access_path(), 0), 0);
	visit("s");
	daemon_settle_logs(&d);
	ck_assert_uint_eq(files_count(files_read(access_path()), "\n"), 1);
	ck_assert_int_eq(strncmp(files_read(access_path()), "20", 2), 0);
} END_TEST

/* The files may be opened again several times while it is stopped: it gets the newest. */
START_TEST(one_that_is_slow_to_switch_has_the_newest_files_in_the_end)
{
	pid_t process;

	daemon_start(&d, ACCESS ONE, access_path());
	process = next_log_process();
	ck_assert_int_eq(kill(process, SIGSTOP), 0);
	for (int i = 0; i < 4; i++) {
		ck_assert_int_eq(rename(access_path(), files_text("%s.%d", access_path(), i)), 0);
		daemon_signal(&d, SIGUSR1);
		daemon_wait_for(&d, "logs-reopened");
	}
	ck_assert_int_eq(kill(process, SIGCONT), 0);
	daemon_wait_for(&d, "log-process-switched");
	daemon_wait_for(&d, "log-process-switched");
	visit("s");
	daemon_settle_logs(&d);
	ck_assert_uint_eq(access_lines(), 1);
	ck_assert_uint_eq(daemon_saw(&d, "log-process-switched"), 3);
} END_TEST

/* ---- Its death ---- */

/* While the master stands still: there is none then, and its lines wait. */
START_TEST(one_that_is_killed_is_replaced_and_no_line_is_lost)
{
	pid_t process;
	int end;

	daemon_start(&d, ACCESS ONE, access_path());
	process = next_log_process();
	visit("s");
	daemon_settle_logs(&d);
	daemon_signal(&d, SIGSTOP);
	end = process_watch(process);
	ck_assert_int_eq(kill(process, SIGKILL), 0);
	process_wait_end(end);
	visit("s");
	visit("s");
	daemon_signal(&d, SIGCONT);
	daemon_wait_for(&d, "log-process-end pid=%d how=signal value=%d", process, SIGKILL);
	ck_assert_int_ne(next_log_process(), process);
	visit("s");
	daemon_settle_logs(&d);
	ck_assert_uint_eq(access_lines(), 4);
	ck_assert_msg(strstr(daemon_errors(&d), files_text("the log process (pid %d) was ended by signal KILL",
	              process)), "%s", daemon_errors(&d));
} END_TEST

START_TEST(signals_that_are_meant_for_the_server_do_not_end_it)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGQUIT, SIGHUP };
	pid_t process;

	daemon_start(&d, ACCESS ONE, access_path());
	process = next_log_process();
	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
		ck_assert_int_eq(kill(process, signals[i]), 0);
	visit("s");
	daemon_settle_logs(&d);
	ck_assert_uint_eq(access_lines(), 1);
	ck_assert_uint_eq(daemon_saw(&d, "log-process-end"), 0);
} END_TEST

/* ---- The end ---- */

/* The log process stands still until no worker is left: the server waits for it. */
START_TEST(when_the_server_has_stopped_all_lines_are_there)
{
	const char *log = files_path("log");
	pid_t process;
	int fd;

	daemon_start(&d, BOTH ONE, log, access_path());
	process = next_log_process();
	fd = daemon_connect_echo(&d, "s");
	ck_assert_int_eq(kill(process, SIGSTOP), 0);
	daemon_signal(&d, _i == 0 ? SIGINT : SIGTERM);
	daemon_wait_for(&d, "stopping");
	if (_i != 0)
		client_end(fd);
	client_expect_gone(fd);
	close(fd);
	daemon_wait_for(&d, "worker-end");
	ck_assert_int_eq(kill(process, SIGCONT), 0);
	ck_assert_int_eq(daemon_join(&d), 0);
	ck_assert_uint_eq(access_lines(), 1);
	harness_contains(files_read(log), " stopped\n");
} END_TEST

START_TEST(one_that_is_killed_at_the_end_is_replaced_as_well)
{
	pid_t process;
	int fd;

	daemon_start(&d, ACCESS ONE, access_path());
	process = next_log_process();
	fd = daemon_connect_echo(&d, "s");
	ck_assert_int_eq(kill(process, SIGSTOP), 0);
	daemon_signal(&d, SIGINT);
	client_expect_gone(fd);
	close(fd);
	daemon_wait_for(&d, "worker-end");
	ck_assert_int_eq(kill(process, SIGKILL), 0);
	ck_assert_int_eq(daemon_join(&d), 0);
	ck_assert_uint_eq(access_lines(), 1);
} END_TEST

START_TEST(each_generation_has_its_own_which_ends_with_its_last_worker)
{
	const char *second = files_path("second.log");
	pid_t process;
	int fd;

	daemon_start(&d, ACCESS ONE, access_path());
	process = next_log_process();
	fd = daemon_connect_echo(&d, "s");
	daemon_reload(&d, ACCESS ONE, second);
	ck_assert_int_ne(next_log_process(), process);
	visit("s");
	ck_assert_uint_eq(daemon_saw(&d, "log-process-end"), 0);
	client_end(fd);
	client_expect_end(fd);
	close(fd);
	daemon_wait_for(&d, "log-process-end pid=%d how=exit value=0", process);
	daemon_wait_for(&d, "generation-gone generation=1");
	daemon_settle_logs(&d);
	ck_assert_uint_ge(access_lines(), 1);   /* it may have served the other client, too */
	ck_assert_uint_eq(access_lines() + files_count(files_read(second), " how="), 2);
} END_TEST

/* A worker that was taken over can leave a process behind, which has its pipes as long as it likes. */
START_TEST(a_process_that_keeps_the_pipes_of_a_worker_does_not_keep_the_log_process)
{
	const char *second = files_path("second.log");
	pid_t process;
	int fd;

	d.program = "tests/e2e/crashy";
	d.before_exec = log_to_file;
	daemon_start(&d, ACCESS ONE, access_path());
	process = next_log_process();
	visit("s");
	fd = daemon_connect(&d, "s");
	client_say(fd, "leave another\n");
	daemon_wait_for(&d, "worker-end service=s how=signal");
	if (_i == 0) {
		daemon_reload(&d, ACCESS ONE, second);
		daemon_wait_for(&d, "log-process-end pid=%d how=exit value=0", process);
		daemon_wait_for(&d, "generation-gone generation=1");
	}
	daemon_stop(&d, SIGTERM);
	ck_assert_uint_eq(access_lines(), 1);
	ck_assert_ptr_null(strstr(files_read(files_path("stderr")), "has not finished"));
	close(fd);
} END_TEST

START_TEST(the_log_processes_of_all_generations_end_although_one_does_not)
{
	const char *second = files_path("second.log");
	pid_t first, process;
	int fd, client;

	d.before_exec = log_to_file;
	daemon_start(&d, ACCESS ONE, access_path());
	first = next_log_process();
	client = daemon_connect_echo(&d, "s");
	daemon_reload(&d, ACCESS ONE, second);
	process = next_log_process();
	ck_assert_int_eq(kill(first, SIGSTOP), 0);
	fd = process_watch(process);
	daemon_signal(&d, SIGINT);
	process_wait_end(fd);
	ck_assert_int_eq(kill(first, SIGCONT), 0);
	client_expect_gone(client);
	close(client);
	ck_assert_int_eq(daemon_join(&d), 0);
	ck_assert_ptr_null(strstr(files_read(files_path("stderr")), "has not finished"));
	ck_assert_uint_eq(access_lines(), 1);
} END_TEST

START_TEST(workers_whose_master_is_gone_are_logged_to_the_end)
{
	pid_t process;
	int fd, end;

	daemon_start(&d, ACCESS ONE, access_path());
	process = next_log_process();
	end = process_watch(process);
	fd = daemon_connect_echo(&d, "s");
	daemon_signal(&d, SIGKILL);
	daemon_join(&d);
	client_echo(fd);
	client_end(fd);
	client_expect_end(fd);
	close(fd);
	process_wait_end(end);
	ck_assert_uint_eq(access_lines(), 1);
} END_TEST

#define TOO_MANY 30

static void have_few_descriptors(void)
{
	setrlimit(RLIMIT_NOFILE, &(struct rlimit){ 64, 64 });
}

START_TEST(a_service_for_which_there_are_no_descriptors_is_named)
{
	const char *services = "";

	for (int i = 0; i < TOO_MANY; i++)
		services = files_text("%s s%d = { listen = \"127.0.0.1:0\"; handler = { type = \"echo\"; };"
		                      " workers = 1; };", services, i);
	d.before_exec = have_few_descriptors;
	daemon_config(&d, BOTH SERVICES("%s"), files_path("log"), access_path(), services);
	ck_assert_int_eq(daemon_run_args(&d, "-c", d.config), EX_OSERR);
	ck_assert_msg(strstr(daemon_errors(&d), "Too many open files"), "%s", daemon_errors(&d));
	/* Names the service, or the line of its listener: that depends on the last descriptor. */
	ck_assert_msg(strstr(daemon_errors(&d), "service \"s") || strstr(daemon_errors(&d), ".conf:"), "%s",
	              daemon_errors(&d));
} END_TEST

int main(void)
{
	Suite *s = suite_create("log_process");
	TCase *tc = harness_case(s, "harm");

	tcase_add_loop_test(tc, a_worker_has_no_descriptor_of_a_file_or_a_terminal, 0, 3);
	tcase_add_loop_test(tc, a_worker_that_was_taken_over_cannot_damage_a_log, 0, 2);
	tcase_add_test(tc, what_a_worker_says_before_it_crashes_is_there);
	tcase_add_test(tc, a_service_cannot_fill_the_log_of_another_one);

	tcase_add_test(tc, the_log_process_can_do_little_and_shows_what_it_is);

	tc = harness_case(s, "target");
	tcase_add_test(tc, lines_that_a_full_disk_does_not_take_are_counted);
	tcase_add_test(tc, one_that_is_slow_to_switch_has_the_newest_files_in_the_end);
	tcase_add_test(tc, a_file_that_is_truncated_goes_on_from_its_beginning);

	tc = harness_case(s, "death");
	tcase_add_test(tc, one_that_is_killed_is_replaced_and_no_line_is_lost);
	tcase_add_test(tc, signals_that_are_meant_for_the_server_do_not_end_it);

	tc = harness_case(s, "end");
	tcase_add_loop_test(tc, when_the_server_has_stopped_all_lines_are_there, 0, 2);
	tcase_add_test(tc, one_that_is_killed_at_the_end_is_replaced_as_well);
	tcase_add_test(tc, each_generation_has_its_own_which_ends_with_its_last_worker);
	tcase_add_loop_test(tc, a_process_that_keeps_the_pipes_of_a_worker_does_not_keep_the_log_process, 0, 2);
	tcase_add_test(tc, the_log_processes_of_all_generations_end_although_one_does_not);
	tcase_add_test(tc, workers_whose_master_is_gone_are_logged_to_the_end);
	tcase_add_test(tc, a_service_for_which_there_are_no_descriptors_is_named);
	return harness_run(s);
}
