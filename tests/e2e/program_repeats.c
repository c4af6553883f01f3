/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Programs that end at their start, again and again, with the same traceback on
 * their standard error: it is logged once and then counted, and nothing of a program
 * that is of use is lost.
 */
#include <config.h>
#include "filter_harness.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SOON "restart = { delay_min = \"10ms\"; delay_max = \"40ms\"; };"
#define TRACEBACK "echo 'Traceback (most recent call last):' >&2; echo '  File one, line 1' >&2; "
#define COUNTED(n) "s: programs that ended with the same words on standard error: " n " more\n"

static const struct { const char *handler, *end; } ways[] = {
	{ "type = \"filter\"; framing = \"line\";",                          "filter-end reason=died" },
	{ "type = \"filter\"; framing = \"line\"; pty = true;",              "filter-end reason=died" },
	{ "type = \"exec\"; warm = 1;",                                      "warm-end reason=crash" },
};

static void start(int way, const char *rest)
{
	daemon_start(&d, SERVICES(" s = { listen = \"127.0.0.1:0\"; workers = 1;"
	                          " handler = { %s argv = \"%s\"; }; %s };"),
	             ways[way].handler, files_path("script"), rest);
}

/* A shell that reads the one before goes on with it. */
static void script(const char *text)
{
	ck_assert_int_eq(rename(files_script("script.new", "%s", text), files_path("script")), 0);
}

static void wait_for_ends(int way, int n)
{
	for (int i = 0; i < n; i++)
		daemon_wait_for(&d, "%s", ways[way].end);
}

static size_t n_logged(const char *text)
{
	return files_count(daemon_errors(&d), text);
}

START_TEST(a_traceback_is_logged_once_and_then_counted)
{
	script(TRACEBACK "echo ImportError >&2; exit 1");
	start(_i, SOON);
	wait_for_ends(_i, 9);
	ck_assert_uint_eq(n_logged(": Traceback (most recent call last):\n"), 1);
	ck_assert_uint_eq(n_logged(":   File one, line 1\n"), 1);
	ck_assert_uint_eq(n_logged(": ImportError\n"), 1);
	ck_assert_uint_eq(n_logged(COUNTED("1")), 1);
	ck_assert_uint_eq(n_logged(COUNTED("2")), 1);
	ck_assert_uint_eq(n_logged(COUNTED("3")), 0);
	ck_assert_uint_eq(n_logged(COUNTED("4")), 1);
	ck_assert_uint_eq(n_logged(COUNTED("8")), 1);
} END_TEST

/* It says the same at first, so that lines had been held back. */
START_TEST(another_traceback_is_logged_in_full)
{
	script(TRACEBACK "echo ImportError >&2; exit 1");
	start(_i, SOON);
	wait_for_ends(_i, 3);
	script(TRACEBACK "echo KeyError >&2; exit 1");
	while (n_logged(": KeyError\n") == 0)
		wait_for_ends(_i, 1);
	wait_for_ends(_i, 3);
	ck_assert_uint_eq(n_logged(": Traceback (most recent call last):\n"), 2);
	ck_assert_uint_eq(n_logged(":   File one, line 1\n"), 2);
	ck_assert_uint_eq(n_logged(": KeyError\n"), 1);
} END_TEST

/* What it says first is what those that ended had said. */
START_TEST(one_that_works_says_all_that_it_has_said)
{
	int fd;

	script(TRACEBACK "exit 1");
	start(_i, SOON);
	wait_for_ends(_i, 3);
	ck_assert_uint_eq(n_logged(": Traceback"), 1);
	script(TRACEBACK "while read -r line; do echo \"$line\"; done");
	daemon_wait_for(&d, "service-works service=s");
	fd = filter_say("hello\n");
	client_expect(fd, "hello\n");
	ck_assert_uint_eq(n_logged(": Traceback"), 2);
	ck_assert_uint_eq(n_logged(":   File one, line 1\n"), 2);
	close(fd);
} END_TEST

/* It waits, and has neither answered nor ended. */
START_TEST(one_that_is_let_go_says_all_that_it_has_said)
{
	script(TRACEBACK "exit 1");
	start(_i, SOON);
	wait_for_ends(_i, 3);
	script(TRACEBACK "read -r line");
	daemon_wait_for(&d, "service-works service=s");
	daemon_stop(&d, SIGTERM);
	ck_assert_uint_eq(n_logged(": Traceback"), 2);
	ck_assert_uint_eq(n_logged(":   File one, line 1\n"), 2);
} END_TEST

/* What the programs of clients write is logged each time. */
START_TEST(programs_of_clients_are_logged_each_time)
{
	script(TRACEBACK "exit 1");
	daemon_start(&d, SERVICES(" s = { listen = \"127.0.0.1:0\"; workers = 1;"
	                          " handler = { type = \"exec\"; argv = \"%s\"; }; };"), files_path("script"));
	for (int i = 0; i < 3; i++) {
		int fd = daemon_connect(&d, "s");

		client_expect_end(fd);
		close(fd);
		daemon_wait_for(&d, "program-end how=exit value=1");
	}
	ck_assert_uint_eq(n_logged(": Traceback"), 3);
	ck_assert_uint_eq(n_logged("the same words"), 0);
} END_TEST

int main(void)
{
	Suite *s = suite_create("program_repeats");
	TCase *tc = harness_case(s, "repeats");

	tcase_add_loop_test(tc, a_traceback_is_logged_once_and_then_counted, 0, ARRAY_SIZE(ways));
	tcase_add_loop_test(tc, another_traceback_is_logged_in_full, 0, ARRAY_SIZE(ways));
	tcase_add_loop_test(tc, one_that_works_says_all_that_it_has_said, 0, ARRAY_SIZE(ways));
	tcase_add_loop_test(tc, one_that_is_let_go_says_all_that_it_has_said, 0, ARRAY_SIZE(ways));
	tcase_add_test(tc, programs_of_clients_are_logged_each_time);
	return harness_run(s);
}
