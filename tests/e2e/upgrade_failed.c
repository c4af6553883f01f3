/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An upgrade that fails: the program that runs goes on, and no client notices.
 */
#include <config.h>
#include "upgrade_harness.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "operator.h"

static struct daemon d;

/* It is the program that it was, with the workers that it had. */
static void check_untouched(void)
{
	ck_assert_str_eq(upgrade_version(), "drover " PACKAGE_VERSION "\n");
	ck_assert_uint_eq(daemon_saw(&d, "worker-end"), 0);
	ck_assert_uint_eq(daemon_saw(&d, "worker-drain"), 0);
	ck_assert_uint_eq(daemon_saw(&d, "taken-over"), 0);
	daemon_check_echo(&d, "s");
}

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
	upgrade_install(upgrade_built("next_droverd"));
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
	upgrade_install_script(no_programs[_i].script);
	check_refused("check");
	harness_contains(operator_errors(), no_programs[_i].complaint);
	check_untouched();
	ck_assert_int_eq(operator_run_args(control_path(), "reload"), 0);
	upgrade_to_next(&d);                      /* and a good one is taken again */
} END_TEST

START_TEST(a_program_that_is_not_there_is_not_executed)
{
	daemon_start(&d, ECHO(""), control_path());
	ck_assert_int_eq(unlink(upgrade_program()), 0);
	check_refused("check");
	harness_contains(operator_errors(), "No such file");
	check_untouched();
} END_TEST

/* It passes the check, and is gone when it is to be executed. */
START_TEST(a_program_that_vanishes_after_its_check_changes_nothing)
{
	daemon_start(&d, ECHO(""), control_path());
	upgrade_install_script(files_text("rm %s\nexec %s \"$@\"\n", upgrade_program(),
	                                  upgrade_built("next_droverd")));
	check_refused("exec");
	check_untouched();
	upgrade_to_next(&d);
} END_TEST

static void set_doom(const char *where);

START_TEST(a_process_that_cannot_be_started_is_what_the_refusal_says)
{
	set_doom("");
	upgrade_install(upgrade_built("doomed_droverd"));
	daemon_start(&d, ECHO(""), control_path());
	set_doom("fork");
	check_refused("check");
	harness_contains(operator_errors(), "start the process that asks the new program:"
	                 " Resource temporarily unavailable");
	daemon_signal(&d, SIGHUP);
	daemon_wait_for(&d, "reload-failed reason=check");
	ck_assert_int_eq(operator_run_args(control_path(), "version"), 0);
	set_doom("");
	upgrade_to_next(&d);
} END_TEST

/* ---- It is back ---- */

/* For doomed_droverd: where it is to fail from now on. */
static void set_doom(const char *where)
{
	ck_assert_int_eq(setenv("DOOM", files_write("doom", "%s", where), 1), 0);
}

/* How many descriptors of the master are of files with that in their name. */
static size_t n_descriptors(const char *part)
{
	DIR *all = opendir(files_text("/proc/%d/fd", d.pid));
	const struct dirent *e;
	char to[PATH_MAX];
	size_t n = 0;

	ck_assert_ptr_nonnull(all);
	while ((e = readdir(all))) {
		/* one of another kind may be closed meanwhile */
		const ssize_t len = readlinkat(dirfd(all), e->d_name, to, sizeof to - 1);

		to[len > 0 ? len : 0] = '\0';
		n += strstr(to, part) != NULL;
	}
	closedir(all);
	return n;
}

START_TEST(a_program_that_cannot_take_over_gives_back)
{
	static const char *const dooms[] = { "init", "take", "half", "load", "start" };
	int fd;

	set_doom(dooms[_i]);
	daemon_start(&d, CONTROL SERVICES(SERVICE("doomed", "echo", "workers = 1; poison = true;")
	             SERVICE("s", "echo", "workers = 1; poison = true;")), control_path());
	fd = daemon_connect_echo(&d, "s");
	upgrade_install(upgrade_built("doomed_droverd"));
	check_refused("takeover");
	client_echo(fd);
	ck_assert_str_eq(upgrade_version(), "drover " PACKAGE_VERSION "\n");
	daemon_check_echo(&d, "s");
	daemon_check_echo(&d, "doomed");
	ck_assert_str_eq(process_link(d.pid, "exe"), files_text("%s (deleted)", upgrade_program()));
	ck_assert_uint_eq(n_descriptors("drover-handover"), 0);
	ck_assert_uint_eq(n_descriptors(upgrade_program()), 1);         /* of the program itself */
	ck_assert_int_eq(operator_run_args(control_path(), "reload"), 0);
	upgrade_to_next(&d);
	client_echo(fd);
	close(fd);
	ck_assert_str_eq(upgrade_version(), "drover " NEXT "\n");
	daemon_check_echo(&d, "doomed");
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
	old = daemon_connect_echo(&d, "s");      /* that worker has no room for another one */
	upgrade_install(upgrade_built("doomed_droverd"));
	daemon_signal(&d, SIGUSR2);
	daemon_wait_for(&d, "worker-ready service=s generation=2");
	fd = daemon_connect(&d, "s");
	ck_assert_int_eq(event_number(daemon_accepted(&d, fd), "pid"),
	                 event_number(daemon_wait_for(&d, "worker-start service=s generation=2"), "pid"));
	close(open(fifo, O_WRONLY | O_CLOEXEC));
	daemon_wait_for(&d, "upgrade-failed reason=takeover");
	client_echo(fd);
	client_echo(old);
	upgrade_to_next(&d);
	client_echo(fd);
	client_echo(old);
	close(fd);
	close(old);
	daemon_wait_for(&d, "generation-gone generation=2");
	ck_assert_uint_eq(daemon_saw(&d, "worker-end service=s how=signal"), 0);
} END_TEST

START_TEST(an_order_to_a_program_that_gives_back_is_not_lost)
{
	const char *fifo = files_mkfifo("doom-waits");

	set_doom("start");
	ck_assert_int_eq(setenv("DOOM_WAITS", fifo, 1), 0);
	daemon_start(&d, CONTROL SERVICES(SERVICE("doomed", "echo", "workers = 1;")
	             SERVICE("s", "echo", "workers = 1;")), control_path());
	upgrade_install(upgrade_built("doomed_droverd"));
	daemon_signal(&d, SIGUSR2);
	daemon_wait_for(&d, "worker-ready service=s generation=2");
	daemon_signal(&d, SIGTTIN);
	daemon_barrier(&d);
	close(open(fifo, O_WRONLY | O_CLOEXEC));
	daemon_wait_for(&d, "upgrade-failed reason=takeover");
	for (int i = 0; i < 2; i++)
		daemon_wait_for(&d, "worker-ready service=s generation=3");
	daemon_reload(&d, CONTROL SERVICES(SERVICE("s", "echo", "workers = 1;")), control_path());
	daemon_wait_for(&d, "generation-gone generation=3");
	ck_assert_uint_eq(daemon_saw(&d, "worker-ready service=s generation=4"), 1);
} END_TEST

/* The old program has what it was running with, and not what has become of the file. */
START_TEST(a_program_that_is_back_does_not_need_the_file)
{
	set_doom("start");
	daemon_start(&d, CONTROL SERVICES(SERVICE("doomed", "echo", "workers = 1;")
	             SERVICE("s", "echo", "workers = 1;")), control_path());
	upgrade_install_script(files_text("test \"$1\" = -t || rm -f %s\nexec %s \"$@\"\n", d.config,
	                                  upgrade_built("doomed_droverd")));
	check_refused("takeover");
	daemon_check_echo(&d, "s");
	daemon_check_echo(&d, "doomed");
	ck_assert_int_eq(operator_run_args(control_path(), "scale", "s", "3"), 0);
} END_TEST

START_TEST(a_program_that_cannot_listen_gives_back)
{
	const char *port;
	int occupant;

	daemon_start(&d, ECHO(""), control_path());
	occupant = client_listen(&port);
	daemon_config(&d, CONTROL SERVICES(SERVICE("s", "echo", "")
	              SERVICE_AT("t", "\"127.0.0.1:%s\"", "echo", "")), control_path(), port);
	upgrade_install(upgrade_built("next_droverd"));
	check_refused("takeover");
	harness_contains(operator_errors(), port);
	ck_assert_str_eq(upgrade_version(), "drover " PACKAGE_VERSION "\n");
	daemon_check_echo(&d, "s");
	close(occupant);
	upgrade_to_next(&d);
	daemon_check_echo(&d, "t");
} END_TEST

/* Neither the new program nor the one before, which is back: what there is, serves. */
START_TEST(a_program_that_cannot_have_new_workers_keeps_the_old_ones)
{
	long long generation = 2;
	int fd;

	set_doom("");
	upgrade_install(upgrade_built("doomed_droverd"));
	daemon_start(&d, ECHO(""), control_path());
	fd = daemon_connect_echo(&d, "s");
	set_doom("load");
	check_refused("start");
	client_echo(fd);
	daemon_check_echo(&d, "s");
	ck_assert_uint_eq(daemon_saw(&d, "worker-drain"), 0);
	ck_assert_int_eq(operator_run_args(control_path(), "drain", "s"), 1);
	ck_assert_int_eq(operator_run_args(control_path(), "resume", "s"), 1);
	daemon_signal(&d, SIGTTIN);
	daemon_barrier(&d);
	set_doom("");
	if (_i == 0)
		for (int i = 0; i < 3; i++)     /* it tries by itself, and has not forgotten the order */
			daemon_wait_for(&d, "worker-ready generation=2");
	else
		generation = daemon_reload(&d, ECHO(""), control_path());
	for (int i = 0; i < 2; i++)
		daemon_wait_for(&d, "worker-drain");
	daemon_check_echo(&d, "s");
	client_echo(fd);
	close(fd);
	daemon_wait_for(&d, "generation-gone generation=1");
	ck_assert_uint_eq(daemon_saw(&d, "worker-ready generation=%lld", generation), _i == 0 ? 3 : 2);
	upgrade_to_next(&d);
} END_TEST

/* The new program can listen there no more than the old one, which goes on with what it has. */
START_TEST(a_unix_socket_that_cannot_be_made_again_refuses_the_upgrade_and_ends_nothing)
{
	const char *path = files_text("%s/s.sock", files_mkdir("sub"));
	int fd;

	daemon_start(&d, "control = { socket = \"%s\"; };\n"
	             SERVICES(SERVICE_AT("s", "[ \"127.0.0.1:0\", \"unix:%s\" ]", "echo", "workers = 1;")),
	             control_path(), path);
	daemon_next_worker(&d, "s");
	fd = client_connect_echo(files_text("unix:%s", path));
	files_remove_tree(files_path("sub"));
	upgrade_install(upgrade_built("next_droverd"));
	ck_assert_int_eq(operator_run_args(control_path(), "upgrade"), 1);
	daemon_wait_for(&d, "upgrade-failed reason=takeover");
	harness_contains(operator_errors(), "No such file");
	client_echo(fd);
	daemon_check_echo(&d, "s");
	/* And workers are replaced as ever. */
	ck_assert_int_eq(kill(daemon_next_worker(&d, "s"), SIGKILL), 0);
	daemon_next_worker(&d, "s");
	close(fd);
} END_TEST

int main(void)
{
	Suite *s = suite_create("upgrade_failed");
	TCase *tc = upgrade_case(s, "refused");

	tcase_add_test(tc, a_unix_socket_that_cannot_be_made_again_refuses_the_upgrade_and_ends_nothing);
	tcase_add_test(tc, a_broken_configuration_refuses_the_upgrade);
	tcase_add_loop_test(tc, a_program_that_cannot_is_not_executed, 0,
	                    sizeof no_programs / sizeof no_programs[0]);
	tcase_add_test(tc, a_program_that_is_not_there_is_not_executed);
	tcase_add_test(tc, a_process_that_cannot_be_started_is_what_the_refusal_says);
	tcase_add_test(tc, a_program_that_vanishes_after_its_check_changes_nothing);

	tc = upgrade_case(s, "back");
	tcase_add_loop_test(tc, a_program_that_cannot_take_over_gives_back, 0, 5);
	tcase_add_test(tc, what_a_failed_program_has_accepted_is_served_to_its_end);
	tcase_add_test(tc, an_order_to_a_program_that_gives_back_is_not_lost);
	tcase_add_test(tc, a_program_that_is_back_does_not_need_the_file);
	tcase_add_test(tc, a_program_that_cannot_listen_gives_back);
	tcase_add_loop_test(tc, a_program_that_cannot_have_new_workers_keeps_the_old_ones, 0, 2);
	return harness_run(s);
}
