/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * USR2 and droverctl upgrade: another program in the place of the one that runs,
 * as the same process, and no client notices; or the one that runs goes on, and
 * nobody notices either.
 */
#include <config.h>
#include "harness.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "operator.h"

static struct daemon d;

#define CONTROL    "control = { socket = \"%s\"; };\n"
#define ECHO(rest) CONTROL SERVICES(SERVICE("s", "echo", "workers = 2; " rest))
#define NEXT       "9.9.9"

static const char *control_path(void)
{
	return files_path("control.sock");
}

/* ---- Programs ---- */

static const char *original;            /* the droverd under test */

/* One that was built beside this test. */
static const char *built(const char *name)
{
	const char *self = process_link(getpid(), "exe");

	return files_text("%.*s%s", (int)(strrchr(self, '/') + 1 - self), self, name);
}

static void copy(const char *from, const char *to)
{
	int in = open(from, O_RDONLY | O_CLOEXEC);
	int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
	ssize_t n;

	ck_assert_msg(in != -1 && out != -1, "%s, %s: %m", from, to);
	/* copy_file_range(2) would not go from one file system to another. */
	while ((n = sendfile(out, in, NULL, INT_MAX)) > 0)
		;
	ck_assert_msg(n == 0, "%s: %m", from);
	close(in);
	close(out);
}

static const char *program(void)
{
	return files_path("droverd");
}

/* As a package does it: under another name, and then renamed. */
static void install(const char *path)
{
	copy(path, files_path("droverd.new"));
	ck_assert_int_eq(rename(files_path("droverd.new"), program()), 0);
}

static void install_script(const char *text)
{
	files_script("droverd.new", "%s", text);
	ck_assert_int_eq(rename(files_path("droverd.new"), program()), 0);
}

static const char *absolute(const char *path)
{
	char found[PATH_MAX];

	ck_assert_msg(realpath(path, found), "%s: %m", path);
	return files_text("%s", found);
}

/* The daemon of this test is a copy, in its folder, that can be replaced. */
static void use_copy(void)
{
	original = absolute(getenv("DROVERD"));
	ck_assert_int_eq(symlink(absolute(operator_program()), files_path("droverctl")), 0);
	install(original);
	ck_assert_int_eq(setenv("DROVERD", program(), 1), 0);
}

/* ---- What happens ---- */

static void wait_upgraded(const char *version)
{
	daemon_wait_for(&d, "upgrade-done version=%s", version);
}

static void upgrade_to(const char *path, const char *version)
{
	install(path);
	daemon_signal(&d, SIGUSR2);
	wait_upgraded(version);
}

static void upgrade(void)
{
	upgrade_to(built("next_droverd"), NEXT);
}

static const char *version(void)
{
	ck_assert_int_eq(operator_run_args(control_path(), "version"), 0);
	return operator_output();
}

static void check_echo(const char *service)
{
	int fd = daemon_connect(&d, service);

	client_echo(fd);
	close(fd);
}

/* It is the program that it was, with the workers that it had. */
static void check_untouched(void)
{
	ck_assert_str_eq(version(), "drover " PACKAGE_VERSION "\n");
	ck_assert_uint_eq(daemon_saw(&d, "worker-end"), 0);
	ck_assert_uint_eq(daemon_saw(&d, "worker-drain"), 0);
	ck_assert_uint_eq(daemon_saw(&d, "taken-over"), 0);
	check_echo("s");
}

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

/* ---- It goes well ---- */

START_TEST(fifty_upgrades_under_load_cost_nobody_anything)
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
		upgrade();
		load_wait_done(&visitors, visitors.done + 1);
		upgrade_to(original, PACKAGE_VERSION);
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
	ck_assert_str_eq(process_link(d.pid, "exe"), program());
} END_TEST

START_TEST(whoever_asks_for_it_is_answered_by_the_new_program)
{
	daemon_start(&d, ECHO(""), control_path());
	ck_assert_str_eq(version(), "drover " PACKAGE_VERSION "\n");
	install(built("next_droverd"));
	ck_assert_int_eq(operator_run_args(control_path(), "upgrade"), 0);
	ck_assert_str_eq(operator_output(), "generation 2 serves, by drover " NEXT "\n");
	ck_assert_str_eq(version(), "drover " NEXT "\n");
	ck_assert_int_eq(operator_run_args(control_path(), "reload"), 0);
	check_echo("s");
} END_TEST

START_TEST(what_is_open_stays_open_and_new_clients_get_new_workers)
{
	pid_t old, new;
	int fd;

	daemon_start(&d, CONTROL SERVICES(SERVICE("s", "echo", "workers = 1;")), control_path());
	old = daemon_next_worker(&d, "s");
	fd = daemon_connect(&d, "s");
	client_echo(fd);
	upgrade();
	new = daemon_next_worker(&d, "s");
	ck_assert_int_ne(new, old);
	check_echo("s");
	ck_assert_uint_eq(daemon_saw(&d, "worker-end"), 0);
	client_echo(fd);
	upgrade_to(original, PACKAGE_VERSION);
	client_echo(fd);
	ck_assert_uint_eq(daemon_saw(&d, "worker-end pid=%d", old), 0);
	close(fd);
	daemon_wait_for(&d, "worker-end pid=%d how=exit value=0", old);
	daemon_wait_for(&d, "worker-end pid=%d how=exit value=0", new);
} END_TEST

START_TEST(counts_go_on)
{
	daemon_start(&d, ECHO(""), control_path());
	check_echo("s");
	daemon_wait_for(&d, "connection-end");
	upgrade();
	check_echo("s");
	daemon_wait_for(&d, "connection-end");
	daemon_wait_for(&d, "generation-gone");
	upgrade();
	ck_assert_int_eq(operator_run_args(control_path(), "--json", "services"), 0);
	ck_assert_ptr_nonnull(strstr(operator_output(), "\"accepted\":2,\"served\":2,"));
} END_TEST

START_TEST(a_program_that_was_started_lives_on)
{
	int fd;

	daemon_start(&d, SERVICES(EXEC("s", "argv = [ \"/bin/cat\" ];", "workers = 1;")));
	fd = daemon_connect(&d, "s");
	client_echo(fd);
	upgrade();
	client_echo(fd);
	close(fd);
	daemon_wait_for(&d, "program-end how=exit value=0");
	daemon_wait_for(&d, "generation-gone");
} END_TEST

START_TEST(files_stay_and_go_with_the_server)
{
	const char *pid_file = files_path("drover.pid"), *path = files_path("s.sock");
	struct stat before, after;
	int fd;

	daemon_start(&d, "pid_file = \"%s\";" CONTROL
	             SERVICES(SERVICE_AT("s", "\"unix:%s\"", "echo", "workers = 1;")),
	             pid_file, control_path(), path);
	ck_assert_int_eq(stat(path, &before), 0);
	upgrade();
	ck_assert_int_eq(stat(path, &after), 0);
	ck_assert_uint_eq(before.st_ino, after.st_ino);
	ck_assert_str_eq(files_read(pid_file), files_text("%d\n", d.pid));
	fd = client_connect(files_text("unix:%s", path));
	client_echo(fd);
	close(fd);
	daemon_signal(&d, SIGTERM);
	ck_assert_int_eq(daemon_join(&d), 0);
	ck_assert(!files_exist(pid_file));
	ck_assert(!files_exist(path));
	ck_assert(!files_exist(control_path()));
} END_TEST

START_TEST(a_service_that_sleeps_sleeps_on)
{
	daemon_start(&d, SERVICES(SERVICE("s", "echo", "workers = { min = 0; max = 2; };")));
	upgrade();
	ck_assert_uint_eq(daemon_saw(&d, "worker-start"), 0);
	check_echo("s");
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
	check_echo("cat");
	upgrade();
	check_echo("cat");
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
	install(built("next_droverd"));
	ck_assert_int_eq(kill(pid, SIGUSR2), 0);
	d.has_heirs = true;
	wait_upgraded(NEXT);
	ck_assert_str_eq(process_link(pid, "cwd"), "/");
	ck_assert_str_eq(process_link(pid, "exe"), program());
	check_echo("s");
	ck_assert_int_eq(kill(pid, SIGTERM), 0);
	process_wait_end(watch);
	ck_assert_ptr_nonnull(strstr(files_read(files_path("log.txt")), "upgraded to drover " NEXT));
	ck_assert_str_eq(daemon_errors(&d), "");
} END_TEST

START_TEST(logs_are_opened_anew_also_for_the_workers_of_before)
{
	const char *log = files_path("access.txt"), *renamed = files_path("access.1.txt");
	pid_t old;
	int fd;

	daemon_start(&d, "access_log = { target = \"%s\"; };"
	             SERVICES(SERVICE("s", "echo", "workers = 1;")), log);
	old = daemon_next_worker(&d, "s");
	fd = daemon_connect(&d, "s");
	client_echo(fd);
	upgrade();
	ck_assert_int_eq(rename(log, renamed), 0);
	daemon_signal(&d, SIGUSR1);
	daemon_wait_for(&d, "logs-switched pid=%d", old);
	close(fd);
	daemon_wait_for(&d, "worker-end pid=%d", old);
	ck_assert_uint_eq(files_count(files_read(log), "how=closed"), 1);
	ck_assert_str_eq(files_read(renamed), "");
} END_TEST

/* ---- What was ordered goes on ---- */

START_TEST(a_scaled_service_stays_scaled)
{
	daemon_start(&d, ECHO(""), control_path());
	daemon_signal(&d, SIGTTIN);
	for (int i = 0; i < 3; i++)
		daemon_next_worker(&d, "s");
	for (int i = 2; i < 4; i++) {
		upgrade();
		for (int n = 0; n < 3; n++)
			daemon_wait_for(&d, "worker-ready service=s generation=%d", i);
	}
	daemon_reload(&d, ECHO(""), control_path());
	daemon_wait_for(&d, "generation-gone generation=3");
	ck_assert_uint_eq(daemon_saw(&d, "worker-ready generation=4"), 2);
} END_TEST

START_TEST(a_drained_service_stays_drained)
{
	int fd;

	daemon_start(&d, CONTROL SERVICES(SERVICE("s", "echo", "workers = 1;")
	             SERVICE("t", "echo", "workers = 1;")), control_path());
	ck_assert_int_eq(operator_run_args(control_path(), "drain", "t"), 0);
	upgrade();
	check_echo("s");
	fd = daemon_connect(&d, "t");           /* waits in the queue */
	daemon_wait_for(&d, "generation-gone generation=1");
	ck_assert_uint_eq(daemon_saw(&d, "worker-start service=t generation=2"), 0);
	ck_assert_int_eq(operator_run_args(control_path(), "resume", "t"), 0);
	client_echo(fd);
	close(fd);
} END_TEST

START_TEST(a_server_at_rest_stays_at_rest)
{
	int fd;

	daemon_start(&d, ECHO(""), control_path());
	daemon_signal(&d, SIGWINCH);
	for (int i = 0; i < 2; i++)
		daemon_wait_for(&d, "worker-end");
	upgrade();
	ck_assert_uint_eq(daemon_saw(&d, "worker-start"), 2);
	daemon_wait_status(&d, "resting");
	fd = daemon_connect(&d, "s");
	daemon_reload(&d, ECHO(""), control_path());
	client_echo(fd);
	close(fd);
} END_TEST

START_TEST(a_service_that_fails_is_no_obstacle)
{
	daemon_start(&d, CONTROL SERVICES(SERVICE("bad", "echo", "workers = 1; %s")
	             SERVICE("s", "echo", "workers = 1;")), control_path(), harness_cannot_start());
	upgrade();
	check_echo("s");
	ck_assert_int_eq(operator_run_args(control_path(), "--json", "services"), 0);
	ck_assert_ptr_nonnull(strstr(operator_output(), "\"state\":\"failing\""));
} END_TEST

/* ---- What happens meanwhile ---- */

START_TEST(who_asks_during_a_reload_is_served_after_it)
{
	daemon_start(&d, ECHO(""), control_path());
	install(built("next_droverd"));
	daemon_signal(&d, SIGHUP);
	daemon_wait_for(&d, "reload-begin");
	daemon_signal(&d, SIGUSR2);
	daemon_wait_for(&d, "reload-done");
	wait_upgraded(NEXT);
	check_echo("s");
} END_TEST

START_TEST(a_reload_during_an_upgrade_follows_it)
{
	daemon_start(&d, ECHO(""), control_path());
	install(built("next_droverd"));
	daemon_signal(&d, SIGUSR2);
	daemon_wait_for(&d, "upgrade-begin");
	daemon_signal(&d, SIGHUP);
	wait_upgraded(NEXT);
	daemon_wait_for(&d, "reload-done generation=3");
	check_echo("s");
} END_TEST

START_TEST(a_server_can_be_stopped_in_the_middle_of_an_upgrade)
{
	static const int signals[] = { SIGTERM, SIGQUIT, SIGINT };
	static const char *const moments[] = {
		NULL, "upgrade-begin", "taken-over", "worker-start generation=2",
	};

	daemon_start(&d, ECHO(""), control_path());
	install(built("next_droverd"));
	d.may_end = true;
	daemon_signal(&d, SIGUSR2);
	if (moments[_i / 3])
		daemon_wait_for(&d, "%s", moments[_i / 3]);
	daemon_signal(&d, signals[_i % 3]);
	ck_assert_int_eq(daemon_join(&d), 0);
	ck_assert_uint_eq(daemon_saw(&d, "stopped"), 1);
} END_TEST

/* A script in between: the same process, before the new program has begun. */
START_TEST(workers_that_die_meanwhile_are_buried_and_replaced)
{
	pid_t workers[2];
	int fd;

	daemon_start(&d, ECHO(""), control_path());
	for (int i = 0; i < 2; i++)
		workers[i] = daemon_next_worker(&d, "s");
	install_script(files_text("test \"$1\" = -t || kill -KILL %d %d\nexec %s \"$@\"\n",
	                          workers[0], workers[1], built("next_droverd")));
	daemon_signal(&d, SIGUSR2);
	daemon_wait_for(&d, "taken-over");
	fd = daemon_connect(&d, "s");
	wait_upgraded(NEXT);
	for (int i = 0; i < 2; i++)
		daemon_wait_for(&d, "worker-end pid=%d how=signal value=%d", workers[i], SIGKILL);
	client_echo(fd);
	close(fd);
	upgrade_to(original, PACKAGE_VERSION);  /* what lies where it was started from */
} END_TEST

START_TEST(an_order_that_comes_meanwhile_is_not_lost)
{
	daemon_start(&d, ECHO(""), control_path());
	install_script(files_text("test \"$1\" = -t || kill -TTIN $$\nexec %s \"$@\"\n",
	                          built("next_droverd")));
	daemon_signal(&d, SIGUSR2);
	wait_upgraded(NEXT);
	for (int i = 0; i < 3; i++)
		daemon_wait_for(&d, "worker-ready service=s generation=2");
} END_TEST

/* ---- What the service manager is told ---- */

static void ask_for_watchdog(void)
{
	char pid[16];

	snprintf(pid, sizeof pid, "%d", getpid());
	setenv("WATCHDOG_USEC", "100000", 1);
	setenv("WATCHDOG_PID", pid, 1);
}

START_TEST(the_service_manager_is_told_as_of_a_reload)
{
	const struct event *reloading, *ready, *alive;

	d.before_exec = ask_for_watchdog;
	daemon_start(&d, ECHO(""), control_path());
	upgrade();
	reloading = daemon_wait_notice(&d, "RELOADING=1");
	ck_assert_int_gt(event_number(reloading, "MONOTONIC_USEC"), 0);
	ready = daemon_wait_notice(&d, "READY=1");
	ck_assert_uint_gt(ready->nr, reloading->nr);
	do
		alive = daemon_wait_notice(&d, "WATCHDOG=1");
	while (alive->nr < ready->nr);
} END_TEST

/* ---- It does not go well ---- */

static void check_refused(const char *reason)
{
	ck_assert_int_eq(operator_run_args(control_path(), "upgrade"), 1);
	daemon_wait_for(&d, "upgrade-failed reason=%s", reason);
	daemon_wait_notice(&d, "RELOADING=1");
	daemon_wait_notice(&d, "READY=1");
}

START_TEST(a_broken_configuration_refuses_the_upgrade)
{
	daemon_start(&d, ECHO(""), control_path());
	install(built("next_droverd"));
	daemon_config(&d, "nonsense = 1;\nmore = 2;\n");
	check_refused("check");
	ck_assert_uint_eq(files_count(operator_errors(), files_text("droverctl: %s:", d.config)), 2);
	check_untouched();
	daemon_config(&d, ECHO(""), control_path());
	ck_assert_int_eq(operator_run_args(control_path(), "upgrade"), 0);
} END_TEST

static const struct {
	const char *name, *script, *complaint;
} no_programs[] = {
	{ "fails its check", "echo 'too old for this' >&2; exit 78\n", "too old for this" },
	{ "is no droverd", "exit 0\n", "is no droverd that could take over" },
	{ "dies in its check", "kill -SEGV $$\n", "SEGV" },
	{ "does not understand the hand-over",
	  "test \"$1\" = -t && echo 'the hand-over: version 7' >&2; exit 70\n", "version 7" },
};

START_TEST(a_program_that_cannot_is_not_executed)
{
	daemon_start(&d, ECHO(""), control_path());
	files_write("row", "%s\n", no_programs[_i].name);
	install_script(no_programs[_i].script);
	check_refused("check");
	ck_assert_ptr_nonnull(strstr(operator_errors(), no_programs[_i].complaint));
	check_untouched();
	ck_assert_int_eq(operator_run_args(control_path(), "reload"), 0);
	upgrade();                      /* and a good one is taken again */
} END_TEST

START_TEST(a_program_that_is_not_there_is_not_executed)
{
	daemon_start(&d, ECHO(""), control_path());
	ck_assert_int_eq(unlink(program()), 0);
	check_refused("check");
	ck_assert_ptr_nonnull(strstr(operator_errors(), "No such file"));
	check_untouched();
} END_TEST

/* It passes the check, and is gone when it is to be executed. */
START_TEST(a_program_that_vanishes_after_its_check_changes_nothing)
{
	daemon_start(&d, ECHO(""), control_path());
	install_script(files_text("rm %s\nexec %s \"$@\"\n", program(), built("next_droverd")));
	check_refused("exec");
	check_untouched();
	upgrade();
} END_TEST

/* For doomed_droverd: where it is to fail from now on. */
static void set_doom(const char *where)
{
	ck_assert_int_eq(setenv("DOOM", files_write("doom", "%s", where), 1), 0);
}

START_TEST(a_program_that_cannot_take_over_gives_back)
{
	static const char *const dooms[] = { "init", "take", "load", "start" };
	int fd;

	set_doom(dooms[_i]);
	daemon_start(&d, CONTROL SERVICES(SERVICE("doomed", "echo", "workers = 1;")
	             SERVICE("s", "echo", "workers = 1;")), control_path());
	fd = daemon_connect(&d, "s");
	client_echo(fd);
	install(built("doomed_droverd"));
	check_refused("takeover");
	client_echo(fd);
	ck_assert_str_eq(version(), "drover " PACKAGE_VERSION "\n");
	check_echo("s");
	check_echo("doomed");
	ck_assert_str_eq(process_link(d.pid, "exe"), files_text("%s (deleted)", program()));
	ck_assert_int_eq(operator_run_args(control_path(), "reload"), 0);
	upgrade();
	client_echo(fd);
	close(fd);
	ck_assert_str_eq(version(), "drover " NEXT "\n");
	check_echo("doomed");
	ck_assert_uint_eq(daemon_saw(&d, "worker-end service=s how=signal"), 0);
} END_TEST

START_TEST(what_a_failed_program_has_accepted_is_served_to_its_end)
{
	const char *fifo = files_mkfifo("doom-waits");
	int old, fd;

	set_doom("start");
	ck_assert_int_eq(setenv("DOOM_WAITS", fifo, 1), 0);
	daemon_start(&d, CONTROL SERVICES(SERVICE("doomed", "echo", "workers = 1;")
	             SERVICE("s", "echo", "workers = 1; connections = 1;")), control_path());
	old = daemon_connect(&d, "s");          /* that worker has no room for another one */
	client_echo(old);
	install(built("doomed_droverd"));
	daemon_signal(&d, SIGUSR2);
	daemon_wait_for(&d, "worker-ready service=s generation=2");
	fd = daemon_connect(&d, "s");
	ck_assert_int_eq(event_number(daemon_accepted(&d, fd), "pid"),
	                 event_number(daemon_wait_for(&d, "worker-start service=s generation=2"), "pid"));
	close(open(fifo, O_WRONLY | O_CLOEXEC));
	daemon_wait_for(&d, "upgrade-failed reason=takeover");
	client_echo(fd);
	client_echo(old);
	upgrade();
	client_echo(fd);
	client_echo(old);
	close(fd);
	close(old);
	daemon_wait_for(&d, "generation-gone generation=2");
	ck_assert_uint_eq(daemon_saw(&d, "worker-end service=s how=signal"), 0);
} END_TEST

/* The old program has what it was running with, and not what has become of the file. */
START_TEST(who_is_back_does_not_need_the_file)
{
	set_doom("start");
	daemon_start(&d, CONTROL SERVICES(SERVICE("doomed", "echo", "workers = 1;")
	             SERVICE("s", "echo", "workers = 1;")), control_path());
	install_script(files_text("test \"$1\" = -t || rm -f %s\nexec %s \"$@\"\n", d.config,
	                          built("doomed_droverd")));
	check_refused("takeover");
	check_echo("s");
	check_echo("doomed");
	ck_assert_int_eq(operator_run_args(control_path(), "scale", "s", "3"), 0);
} END_TEST

START_TEST(a_program_that_cannot_listen_gives_back)
{
	const char *port;
	int somebody;

	daemon_start(&d, ECHO(""), control_path());
	somebody = client_listen(&port);
	daemon_config(&d, CONTROL SERVICES(SERVICE("s", "echo", "")
	              SERVICE_AT("t", "\"127.0.0.1:%s\"", "echo", "")), control_path(), port);
	install(built("next_droverd"));
	check_refused("takeover");
	ck_assert_ptr_nonnull(strstr(operator_errors(), port));
	ck_assert_str_eq(version(), "drover " PACKAGE_VERSION "\n");
	check_echo("s");
	close(somebody);
	upgrade();
	check_echo("t");
} END_TEST

/* Neither the new program nor the one before, which is back: what there is, serves. */
START_TEST(who_cannot_have_new_workers_keeps_the_old_ones)
{
	int fd;

	set_doom("");
	install(built("doomed_droverd"));
	daemon_start(&d, ECHO(""), control_path());
	fd = daemon_connect(&d, "s");
	client_echo(fd);
	set_doom("load");
	check_refused("start");
	client_echo(fd);
	check_echo("s");
	ck_assert_uint_eq(daemon_saw(&d, "worker-drain"), 0);
	ck_assert_int_eq(operator_run_args(control_path(), "drain", "s"), 1);
	ck_assert_int_eq(operator_run_args(control_path(), "resume", "s"), 1);
	daemon_signal(&d, SIGTTIN);
	daemon_barrier(&d);
	set_doom("");
	if (_i == 0)
		daemon_wait_for(&d, "worker-ready generation=2");       /* it tries by itself */
	else
		daemon_reload(&d, ECHO(""), control_path());
	for (int i = 0; i < 2; i++)
		daemon_wait_for(&d, "worker-drain");
	check_echo("s");
	client_echo(fd);
	close(fd);
	daemon_wait_for(&d, "generation-gone generation=1");
	upgrade();
} END_TEST

static void before_test(void)
{
	use_copy();
}

int main(void)
{
	Suite *s = suite_create("upgrade");
	TCase *tc = harness_case(s, "well");

	tcase_add_checked_fixture(tc, before_test, NULL);
	tcase_add_test(tc, fifty_upgrades_under_load_cost_nobody_anything);
	tcase_add_test(tc, whoever_asks_for_it_is_answered_by_the_new_program);
	tcase_add_test(tc, what_is_open_stays_open_and_new_clients_get_new_workers);
	tcase_add_test(tc, counts_go_on);
	tcase_add_test(tc, a_program_that_was_started_lives_on);
	tcase_add_test(tc, files_stay_and_go_with_the_server);
	tcase_add_test(tc, a_service_that_sleeps_sleeps_on);
	tcase_add_test(tc, it_works_without_a_configuration);
	tcase_add_test(tc, relative_paths_mean_what_they_meant_at_the_start);
	tcase_add_test(tc, logs_are_opened_anew_also_for_the_workers_of_before);

	tc = harness_case(s, "orders");
	tcase_add_checked_fixture(tc, before_test, NULL);
	tcase_add_test(tc, a_scaled_service_stays_scaled);
	tcase_add_test(tc, a_drained_service_stays_drained);
	tcase_add_test(tc, a_server_at_rest_stays_at_rest);
	tcase_add_test(tc, a_service_that_fails_is_no_obstacle);

	tc = harness_case(s, "meanwhile");
	tcase_add_checked_fixture(tc, before_test, NULL);
	tcase_add_test(tc, who_asks_during_a_reload_is_served_after_it);
	tcase_add_test(tc, a_reload_during_an_upgrade_follows_it);
	tcase_add_loop_test(tc, a_server_can_be_stopped_in_the_middle_of_an_upgrade, 0, 12);
	tcase_add_test(tc, workers_that_die_meanwhile_are_buried_and_replaced);
	tcase_add_test(tc, an_order_that_comes_meanwhile_is_not_lost);
	tcase_add_test(tc, the_service_manager_is_told_as_of_a_reload);

	tc = harness_case(s, "refused");
	tcase_add_checked_fixture(tc, before_test, NULL);
	tcase_add_test(tc, a_broken_configuration_refuses_the_upgrade);
	tcase_add_loop_test(tc, a_program_that_cannot_is_not_executed, 0,
	                    sizeof no_programs / sizeof no_programs[0]);
	tcase_add_test(tc, a_program_that_is_not_there_is_not_executed);
	tcase_add_test(tc, a_program_that_vanishes_after_its_check_changes_nothing);

	tc = harness_case(s, "back");
	tcase_add_checked_fixture(tc, before_test, NULL);
	tcase_add_loop_test(tc, a_program_that_cannot_take_over_gives_back, 0, 4);
	tcase_add_test(tc, what_a_failed_program_has_accepted_is_served_to_its_end);
	tcase_add_test(tc, who_is_back_does_not_need_the_file);
	tcase_add_test(tc, a_program_that_cannot_listen_gives_back);
	tcase_add_loop_test(tc, who_cannot_have_new_workers_keeps_the_old_ones, 0, 2);
	return harness_run(s);
}
