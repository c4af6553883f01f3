/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where /proc is not mounted, as in a narrow container: what needs it says so, and all
 * else works.
 */
#include <config.h>
#include "control_harness.h"

#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct daemon d;

/* An empty folder is /proc, for this process and its children. */
static bool hide_proc(void)
{
	return unshare(CLONE_NEWNS) == 0 &&
	       mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount("none", "/proc", "tmpfs", MS_RDONLY, NULL) == 0;
}

static void without_proc(void)
{
	if (!hide_proc())
		_exit(EXIT_FAILURE);
}

/* An address sanitizer needs it itself. */
static bool can_hide_proc(void)
{
#ifdef __SANITIZE_ADDRESS__
	return false;
#else
	const pid_t child = fork();
	int status = -1;

	if (child == 0)
		_exit(hide_proc() ? EXIT_SUCCESS : EXIT_FAILURE);
	return child > 0 && waitpid(child, &status, 0) == child && status == 0;
#endif
}

static const char *const config =
	CONTROL SERVICES(SERVICE_AT("s", "( { address = \"unix:%s\"; mode = \"0640\"; } )", "echo", "workers = 1;")
	                 EXEC("cat", "argv = \"/bin/cat\";", "workers = 1;"));

static void check_served(void)
{
	daemon_check_echo(&d, "s");
	daemon_check_echo(&d, "cat");
}

START_TEST(unix_sockets_and_programs_work)
{
	const char *path = files_path("s.sock");

	d.before_exec = without_proc;
	daemon_start(&d, config, control_path(), path);
	ck_assert_uint_eq(files_mode(path) & 07777, 0640);
	check_served();
	control_ask("{\"command\":\"status\"}", "\"ok\":true");
	daemon_reload(&d, config, control_path(), path);
	check_served();
	daemon_next_worker(&d, "s");
	ck_assert_int_eq(kill(daemon_next_worker(&d, "s"), SIGKILL), 0);
	check_served();
} END_TEST

START_TEST(an_upgrade_says_what_it_lacks)
{
	d.before_exec = without_proc;
	daemon_start(&d, config, control_path(), files_path("s.sock"));
	control_ask("{\"command\":\"upgrade\"}", "/proc was not there at the start");
	check_served();
} END_TEST

START_TEST(a_module_says_what_it_lacks)
{
	d.before_exec = without_proc;
	daemon_config(&d, SERVICES(" m = { listen = \"127.0.0.1:0\";"
	              " handler = { type = \"module\"; path = \"%s\"; }; };"),
	              process_built("tests/modules/any.so"));
	ck_assert_int_eq(daemon_run_args(&d, "-t", "-c", d.config), 78);
	harness_contains(daemon_errors(&d), "any.so: it cannot be loaded where /proc is not mounted");
} END_TEST

int main(void)
{
	Suite *s = suite_create("no_proc");
	TCase *tc = harness_case(s, "no proc");
	const bool can = can_hide_proc();

	harness_add_if(can, "/proc cannot be hidden here", tc, unix_sockets_and_programs_work);
	harness_add_if(can, "/proc cannot be hidden here", tc, an_upgrade_says_what_it_lacks);
	harness_add_if(can, "/proc cannot be hidden here", tc, a_module_says_what_it_lacks);
	return harness_run(s);
}
