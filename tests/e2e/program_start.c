/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which file a program is, by which name it is called, and where it stands,
 * however it is started: for a connection, warm, or as a filter. What it finds
 * beside that is tested in exec.c.
 */
#include <config.h>
#include "harness.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct daemon d;

/* A handler for each way to start a program that answers lines. */
static const struct { const char *name, *handler; } ways[] = {
	{ "exec",     "type = \"exec\";" },
	{ "warm",     "type = \"exec\"; warm = 1;" },
	{ "filter",   "type = \"filter\"; framing = \"line\";" },
	{ "terminal", "type = \"filter\"; framing = \"line\"; pty = true;" },
};

/* A service "s" with a program that is started in one of these ways. */
static void start(int way, const char *program, const char *rest)
{
	daemon_start(&d, SERVICES(" s = { listen = \"127.0.0.1:0\"; workers = 1;"
	                          " handler = { %s %s }; %s };"),
	             ways[way].handler, program, rest);
}

static void check_answer(const char *question, const char *answer)
{
	int fd = daemon_connect(&d, "s");

	client_say(fd, question);
	client_expect(fd, answer);
	close(fd);
}

/* ---- the name ----------------------------------------------------------- */

#define SAYS_ITS_NAME "while read -r line; do echo \\\"$0: $line\\\"; done"

START_TEST(a_program_is_called_as_argv_says)
{
	start(_i, "program = \"/bin/sh\"; argv = [ \"-another name\", \"-c\", \"" SAYS_ITS_NAME "\" ];", "");
	check_answer("hello\n", "-another name: hello\n");
} END_TEST

START_TEST(a_script_sees_its_file_whatever_it_is_called)
{
	const char *script = files_script("script", "while read -r line; do echo \"$0: $line\"; done");

	start(_i, files_text("program = \"%s\"; argv = \"name\";", script), "");
	check_answer("hello\n", files_text("%s: hello\n", script));
} END_TEST

START_TEST(a_shell_with_a_dash_is_a_login_shell)
{
	files_write(".profile", "FROM=profile\n");
	start(0, files_text("program = \"/bin/sh\"; argv = [ \"-sh\" ]; env = [ \"HOME=%s\" ];",
	                    files_path("")), "");
	check_answer("echo $FROM\nexit\n", "profile\n");
} END_TEST

static const char *busybox(void)
{
	return access("/bin/busybox", X_OK) == 0 ? "/bin/busybox" : "/usr/bin/busybox";
}

START_TEST(busybox_is_the_applet_that_argv_names)
{
	start(_i, files_text("program = \"%s\"; argv = [ \"cat\" ];", busybox()), "");
	check_answer("meow\n", "meow\n");
} END_TEST

START_TEST(a_program_that_cannot_be_started_is_named_not_what_it_is_called)
{
	const char *script = files_script("script", "echo here I am");
	int fd;

	start(0, files_text("program = \"%s\"; argv = [ \"/bin/echo\" ];", script), "");
	ck_assert_int_eq(unlink(script), 0);
	fd = daemon_connect(&d, "s");
	client_expect_gone(fd);
	close(fd);
	daemon_wait_for(&d, "accept-paused reason=program");
	harness_contains(daemon_errors(&d), files_text("start %s: ", script));
} END_TEST

START_TEST(the_effective_configuration_has_the_file)
{
	daemon_config(&d, SERVICES(EXEC("s", "program = \"/bin/sh\"; argv = \"-sh\";", "")
	                           EXEC("t", "argv = \"/bin/cat\";", "")));
	ck_assert_int_eq(daemon_run_args(&d, "-T", "-c", d.config), 0);
	harness_contains(daemon_output(&d), "program = \"/bin/sh\";");
	harness_contains(daemon_output(&d), "argv = [ \"-sh\" ];");
	harness_contains(daemon_output(&d), "program = \"/bin/cat\";");
} END_TEST

/* ---- the directory ------------------------------------------------------ */

enum { WARM = 1 };

/* A service in the link "current" to one of two folders; its program says what a file there says. */
static void start_in_release(int way, const char *more)
{
	files_mkdir("1");
	files_mkdir("2");
	files_write("1/release", "one\n");
	files_write("2/release", "two\n");
	ck_assert_int_eq(symlink("1", files_path("current")), 0);
	files_script("script", "while read -r line; do cat release; done");
	start(way, files_text("argv = \"%s\"; %s", files_path("script"), more),
	      files_text("directory = \"%s\";", files_path("current")));
}

static void release_the_second(void)
{
	ck_assert_int_eq(symlink("2", files_path("next")), 0);
	ck_assert_int_eq(rename(files_path("next"), files_path("current")), 0);
}

START_TEST(a_directory_is_looked_up_for_each_program)
{
	/* A filter of its own for each connection, so that it is known when one is started. */
	start_in_release(_i, _i > WARM ? "share = \"connection\";" : "");
	check_answer("?\n", "one\n");
	if (_i == WARM) {       /* the next one waits in the first release by then */
		daemon_wait_for(&d, "warm-start");
		daemon_wait_for(&d, "warm-start");
	}
	release_the_second();
	if (_i == WARM)
		check_answer("?\n", "one\n");
	else
		files_remove_tree(files_path("1"));
	check_answer("?\n", "two\n");
} END_TEST

START_TEST(a_program_without_its_directory_is_not_started)
{
	int fd;

	start_in_release(_i, "");
	ck_assert_int_eq(unlink(files_path("current")), 0);
	fd = daemon_connect(&d, "s");
	daemon_wait_for(&d, _i == WARM ? "warm-delayed" : "accept-paused reason=program");
	harness_contains(daemon_errors(&d),
	                 files_text("start %s: enter %s: No such file or directory",
	                            files_path("script"), files_path("current")));
	close(fd);
} END_TEST

int main(void)
{
	Suite *s = suite_create("program_start");
	TCase *tc = harness_case(s, "name");

	tcase_add_loop_test(tc, a_program_is_called_as_argv_says, 0, ARRAY_SIZE(ways));
	tcase_add_loop_test(tc, a_script_sees_its_file_whatever_it_is_called, 0, ARRAY_SIZE(ways));
	tcase_add_test(tc, a_shell_with_a_dash_is_a_login_shell);
	if (access(busybox(), X_OK) == 0)
		tcase_add_loop_test(tc, busybox_is_the_applet_that_argv_names, 0, ARRAY_SIZE(ways));
	else
		harness_skip("busybox_is_the_applet_that_argv_names", "no busybox");
	tcase_add_test(tc, a_program_that_cannot_be_started_is_named_not_what_it_is_called);
	tcase_add_test(tc, the_effective_configuration_has_the_file);

	tc = harness_case(s, "directory");
	tcase_add_loop_test(tc, a_directory_is_looked_up_for_each_program, 0, ARRAY_SIZE(ways));
	tcase_add_loop_test(tc, a_program_without_its_directory_is_not_started, 0, WARM + 1);
	return harness_run(s);
}
