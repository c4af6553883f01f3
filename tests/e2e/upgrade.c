/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * USR2 and droverctl upgrade: another program in the place of the one that runs,
 * as the same process, and no client notices.
 */
#include <config.h>
#include "upgrade_harness.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "operator.h"

#define SOFT_LIMIT   64
#define MANY_AND_ONE SERVICES(SERVICE("s", "echo", "workers = 24;") \
                              EXEC("p", "argv = [ \"/bin/sh\", \"-c\", \"ulimit -Sn\" ];", "workers = 1;"))

static struct daemon d;

static size_t count_descriptors(void)
{
	DIR *dir = opendir(files_text("/proc/%d/fd", d.pid));
	size_t n = 0;

	ck_assert_ptr_nonnull(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

START_TEST(fifty_upgrades_under_load_cost_no_client_anything)
{
	struct load visitors = { .n_clients = 8, .bytes = 20000, .again = true };
	struct load residents = { .n_clients = 2 };
	size_t before, after;

	daemon_start(&d, ECHO(""), control_path());
	visitors.address = residents.address = daemon_address(&d, "s", 0);
	before = count_descriptors();
	load_start(&visitors);
	load_start(&residents);
	load_wait_flow(&residents);
	for (int i = 0; i < 25; i++) {
		upgrade_to_next(&d);
		load_wait_done(&visitors, visitors.done + 1);
		upgrade_to(&d, upgrade_original(), PACKAGE_VERSION);
		load_wait_done(&visitors, visitors.done + 1);
		load_wait_flow(&residents);
	}
	load_stop(&visitors);
	load_stop(&residents);
	ck_assert_uint_eq(visitors.lost + residents.lost, 0);
	ck_assert_uint_eq(residents.done, 2);
	ck_assert_uint_ge(visitors.done, 50);
	for (int i = 0; i < 50; i++)
		daemon_wait_for(&d, "generation-gone");
	ck_assert_uint_eq(daemon_saw(&d, "worker-end how=signal"), 0);
	ck_assert_uint_eq(daemon_saw(&d, "closed"), 0);
	daemon_barrier(&d);
	after = count_descriptors();
	ck_assert_msg(after == before, "%zu descriptors, %zu after 50 upgrades", before, after);
	ck_assert_str_eq(process_link(d.pid, "exe"), upgrade_program());
} END_TEST

START_TEST(a_unix_socket_that_was_removed_is_made_again_and_its_queue_is_served)
{
	const char *path = files_path("s.sock");
	int fds[3];

	daemon_start(&d, SERVICES(SERVICE_AT("s", "\"unix:%s\"", "echo", "workers = 1; connections = 1;")), path);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = client_connect(files_text("unix:%s", path));
	client_echo(fds[0]);
	ck_assert_int_eq(unlink(path), 0);
	upgrade_to_next(&d);
	client_check_echo(files_text("unix:%s", path));
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		client_echo(fds[i]);
		close(fds[i]);
	}
	upgrade_to(&d, upgrade_original(), PACKAGE_VERSION);
	ck_assert(files_exist(path));
} END_TEST

START_TEST(the_client_that_asks_for_it_is_answered_by_the_new_program)
{
	daemon_start(&d, ECHO(""), control_path());
	ck_assert_str_eq(upgrade_version(), "drover " PACKAGE_VERSION "\n");
	upgrade_install(upgrade_built("next_droverd"));
	ck_assert_int_eq(operator_run_args(control_path(), "upgrade"), 0);
	ck_assert_str_eq(operator_output(), "generation 2 serves, by drover " NEXT "\n");
	ck_assert_str_eq(upgrade_version(), "drover " NEXT "\n");
	ck_assert_int_eq(operator_run_args(control_path(), "reload"), 0);
	daemon_check_echo(&d, "s");
} END_TEST

START_TEST(what_is_open_stays_open_and_new_clients_get_new_workers)
{
	pid_t old, new;
	int fd;

	daemon_start(&d, CONTROL SERVICES(SERVICE("s", "echo", "workers = 1;")), control_path());
	old = daemon_next_worker(&d, "s");
	fd = daemon_connect_echo(&d, "s");
	upgrade_to_next(&d);
	new = daemon_next_worker(&d, "s");
	ck_assert_int_ne(new, old);
	daemon_check_echo(&d, "s");
	ck_assert_uint_eq(daemon_saw(&d, "worker-end"), 0);
	client_echo(fd);
	upgrade_to(&d, upgrade_original(), PACKAGE_VERSION);
	client_echo(fd);
	ck_assert_uint_eq(daemon_saw(&d, "worker-end pid=%d", old), 0);
	close(fd);
	daemon_wait_for(&d, "worker-end pid=%d how=exit value=0", old);
	daemon_wait_for(&d, "worker-end pid=%d how=exit value=0", new);
} END_TEST

START_TEST(counts_go_on)
{
	daemon_start(&d, ECHO(""), control_path());
	daemon_check_echo(&d, "s");
	daemon_wait_for(&d, "connection-end");
	upgrade_to_next(&d);
	daemon_check_echo(&d, "s");
	daemon_wait_for(&d, "connection-end");
	daemon_wait_for(&d, "generation-gone");
	upgrade_to_next(&d);
	ck_assert_int_eq(operator_run_args(control_path(), "--json", "services"), 0);
	ck_assert_msg(strstr(operator_output(), "\"accepted\":2,\"served\":2,") != NULL, "%s", operator_output());
} END_TEST

static void expect_durations(int n)
{
	control_ask("{\"command\":\"services\"}", files_text("\"times\":{\"duration\":{\"count\":%d,", n));
}

START_TEST(times_are_kept_over_deaths_reloads_and_upgrades)
{
	pid_t worker;

	daemon_start(&d, ONE(""), control_path());
	worker = daemon_next_worker(&d, "s");
	daemon_check_echo(&d, "s");
	daemon_wait_for(&d, "connection-end");
	expect_durations(1);
	ck_assert_int_eq(kill(worker, SIGKILL), 0);
	daemon_wait_for(&d, "worker-end pid=%d", worker);
	daemon_next_worker(&d, "s");
	expect_durations(1);
	daemon_check_echo(&d, "s");
	daemon_wait_for(&d, "connection-end");
	daemon_signal(&d, SIGHUP);
	daemon_wait_for(&d, "generation-gone generation=1");
	expect_durations(2);
	daemon_check_echo(&d, "s");
	daemon_wait_for(&d, "connection-end");
	upgrade_to_next(&d);
	daemon_wait_for(&d, "generation-gone");
	expect_durations(3);
	daemon_check_echo(&d, "s");
	daemon_wait_for(&d, "connection-end");
	upgrade_to(&d, upgrade_original(), PACKAGE_VERSION);
	expect_durations(4);
} END_TEST

START_TEST(a_program_that_was_started_lives_on)
{
	int fd;

	daemon_start(&d, SERVICES(EXEC("s", "argv = [ \"/bin/cat\" ];", "workers = 1;")));
	fd = daemon_connect_echo(&d, "s");
	upgrade_to_next(&d);
	client_echo(fd);
	close(fd);
	daemon_wait_for(&d, "program-end how=exit value=0");
	daemon_wait_for(&d, "generation-gone");
} END_TEST

START_TEST(files_stay_and_go_with_the_server)
{
	const char *pid_file = files_path("drover.pid"), *path = files_path("s.sock");
	struct stat before, after;

	daemon_start(&d, "pid_file = \"%s\";" CONTROL
	             SERVICES(SERVICE_AT("s", "\"unix:%s\"", "echo", "workers = 1;")),
	             pid_file, control_path(), path);
	ck_assert_int_eq(stat(path, &before), 0);
	upgrade_to_next(&d);
	ck_assert_int_eq(stat(path, &after), 0);
	ck_assert_uint_eq(before.st_ino, after.st_ino);
	ck_assert_str_eq(files_read(pid_file), files_text("%d\n", d.pid));
	client_check_echo(files_text("unix:%s", path));
	daemon_stop(&d, SIGTERM);
	ck_assert(!files_exist(pid_file));
	ck_assert(!files_exist(path));
	ck_assert(!files_exist(control_path()));
} END_TEST

START_TEST(a_service_that_sleeps_sleeps_on)
{
	daemon_start(&d, SERVICES(SERVICE("s", "echo", "workers = { min = 0; max = 2; };")));
	upgrade_to_next(&d);
	ck_assert_uint_eq(daemon_saw(&d, "worker-start"), 0);
	daemon_check_echo(&d, "s");
	daemon_wait_for(&d, "worker-start");
	ck_assert_uint_eq(daemon_saw(&d, "worker-start generation=2"), 1);
} END_TEST

START_TEST(it_works_without_a_configuration)
{
	daemon_spawn_with(&d, harness_is_root() ?
	                  (const char *const[]){ "--listen", "127.0.0.1:0", "--user", "root",
	                                         "--workers", "1", "--", "/bin/cat", NULL } :
	                  (const char *const[]){ "--listen", "127.0.0.1:0", "--workers", "1",
	                                         "--", "/bin/cat", NULL });
	daemon_wait_ready(&d);
	daemon_check_echo(&d, "cat");
	upgrade_to_next(&d);
	daemon_check_echo(&d, "cat");
} END_TEST

static void go_to_folder(void)
{
	if (chdir(files_path("")) == -1)
		_exit(EXIT_FAILURE);
}

START_TEST(relative_paths_mean_what_they_meant_at_the_start)
{
	const char *pid_file = files_path("drover.pid");
	int watch;
	pid_t pid;

	d.before_exec = go_to_folder;
	daemon_config(&d, "log = { target = \"%s\"; };\npid_file = \"%s\";\n"
	              SERVICES(SERVICE("s", "echo", "workers = 1;")), files_path("log.txt"), pid_file);
	ck_assert_int_eq(daemon_run_args(&d, "-d", "-c", "drover.conf"), 0);
	pid = (pid_t)strtol(files_read(pid_file), NULL, 10);
	ck_assert_int_gt(pid, 0);
	watch = process_watch(pid);
	upgrade_install(upgrade_built("next_droverd"));
	ck_assert_int_eq(kill(pid, SIGUSR2), 0);
	d.has_survivors = true;
	upgrade_wait(&d, NEXT);
	ck_assert_str_eq(process_link(pid, "cwd"), "/");
	ck_assert_str_eq(process_link(pid, "exe"), upgrade_program());
	daemon_check_echo(&d, "s");
	ck_assert_int_eq(kill(pid, SIGTERM), 0);
	process_wait_end(watch);
	harness_contains(files_read(files_path("log.txt")), "upgraded to drover " NEXT);
	ck_assert_str_eq(daemon_errors(&d), "");
} END_TEST

START_TEST(logs_are_opened_again_also_for_the_old_workers)
{
	const char *log = files_path("access.txt"), *renamed = files_path("access.1.txt");
	pid_t old;
	int fd;

	daemon_start(&d, "access_log = { target = \"%s\"; };"
	             SERVICES(SERVICE("s", "echo", "workers = 1;")), log);
	old = daemon_next_worker(&d, "s");
	fd = daemon_connect_echo(&d, "s");
	upgrade_to_next(&d);
	ck_assert_int_eq(rename(log, renamed), 0);
	daemon_signal(&d, SIGUSR1);
	daemon_wait_for(&d, "log-process-switched generation=1");
	close(fd);
	daemon_wait_for(&d, "worker-end pid=%d", old);
	daemon_wait_for(&d, "generation-gone generation=1");    /* all that it had to log is written */
	ck_assert_uint_eq(files_count(files_read(log), "how=closed"), 1);
	ck_assert_str_eq(files_read(renamed), "");
} END_TEST

/* The new program holds the pipes, and the files by their names. */
START_TEST(the_log_process_of_before_is_replaced_as_well)
{
	const char *log = files_path("access.txt");
	pid_t old;
	int fd;

	daemon_start(&d, "access_log = { target = \"%s\"; };"
	             SERVICES(SERVICE("s", "echo", "workers = 1;")), log);
	old = (pid_t)event_number(daemon_wait_for(&d, "log-process-start generation=1"), "pid");
	fd = daemon_connect_echo(&d, "s");
	upgrade_to_next(&d);
	ck_assert_int_eq(kill(old, SIGKILL), 0);
	daemon_wait_for(&d, "log-process-end generation=1 pid=%d how=signal", old);
	daemon_wait_for(&d, "log-process-start generation=1");
	close(fd);
	daemon_wait_for(&d, "log-process-end generation=1 how=exit value=0");
	daemon_wait_for(&d, "generation-gone generation=1");
	ck_assert_uint_eq(files_count(files_read(log), "how=closed"), 1);
} END_TEST

/* The master has two descriptors for each worker, and twice as many workers while it reloads. */
START_TEST(workers_may_be_more_than_the_soft_limit_and_programs_keep_it)
{
	struct rlimit limit;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = SOFT_LIMIT;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	daemon_start(&d, MANY_AND_ONE);
	daemon_reload(&d, MANY_AND_ONE);
	ck_assert_str_eq(client_ask(daemon_address(&d, "p", 0)), "64\n");
	upgrade_to_next(&d);
	ck_assert_str_eq(client_ask(daemon_address(&d, "p", 0)), "64\n");
} END_TEST

int main(void)
{
	Suite *s = suite_create("upgrade");
	TCase *tc = upgrade_case(s, "well");

	tcase_add_test(tc, fifty_upgrades_under_load_cost_no_client_anything);
	tcase_add_test(tc, a_unix_socket_that_was_removed_is_made_again_and_its_queue_is_served);
	tcase_add_test(tc, the_client_that_asks_for_it_is_answered_by_the_new_program);
	tcase_add_test(tc, what_is_open_stays_open_and_new_clients_get_new_workers);
	tcase_add_test(tc, counts_go_on);
	tcase_add_test(tc, times_are_kept_over_deaths_reloads_and_upgrades);
	tcase_add_test(tc, a_program_that_was_started_lives_on);
	tcase_add_test(tc, files_stay_and_go_with_the_server);
	tcase_add_test(tc, a_service_that_sleeps_sleeps_on);
	tcase_add_test(tc, it_works_without_a_configuration);
	tcase_add_test(tc, relative_paths_mean_what_they_meant_at_the_start);
	tcase_add_test(tc, logs_are_opened_again_also_for_the_old_workers);
	tcase_add_test(tc, the_log_process_of_before_is_replaced_as_well);
	tcase_add_test(tc, workers_may_be_more_than_the_soft_limit_and_programs_keep_it);
	return harness_run(s);
}
