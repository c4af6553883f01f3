/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What programs say on their standard error, and what they leave behind there:
 * how much of it is logged, and for how long.
 */
#include <config.h>
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct daemon d;

/* A handler for each way to start a program that answers lines. */
static const char *const ways[] = {
	"type = \"exec\";",
	"type = \"exec\"; warm = 1;",
	"type = \"filter\"; framing = \"line\";",
	"type = \"filter\"; framing = \"line\"; pty = true;",
};

static void start(int way, const char *handler, const char *script)
{
	daemon_start(&d, SERVICES(" s = { listen = \"127.0.0.1:0\"; workers = 1;"
	                          " handler = { %s argv = \"%s\"; %s }; };"),
	             ways[way], files_script("script", "%s", script), handler);
}

static void ask(const char *question, const char *answer)
{
	int fd = daemon_connect(&d, "s");

	client_say(fd, question);
	client_expect(fd, answer);
	close(fd);
}

static const char *log_after_stop(void)
{
	daemon_stop(&d, SIGTERM);
	return daemon_errors(&d);
}

/* ---- how much ----------------------------------------------------------- */

#define LINES 20000
#define FLOODS "while read -r line; do yes 'a line of no interest' | head -n 20000 >&2; echo done; done"

/* The number before that text in the log. */
static long number_before(const char *log, const char *text)
{
	const char *p = strstr(log, text);

	ck_assert_msg(p != NULL, "no \"%s\" in the log:\n%s", text, log);
	while (p > log && p[-1] >= '0' && p[-1] <= '9')
		p--;
	return strtol(p, NULL, 10);
}

START_TEST(what_is_beyond_the_rate_is_dropped_and_counted)
{
	const char *log;
	size_t logged;

	start(_i, "stderr_rate = \"1k\";", FLOODS);
	ask("go\n", "done\n");
	log = log_after_stop();
	logged = files_count(log, ": a line of no interest\n");
	ck_assert_uint_gt(logged, 10);
	ck_assert_int_eq(number_before(log, " lines ("), LINES - (long)logged);
	ck_assert_uint_eq(files_count(log, "s: programs write more than 1k a second"), 1);
	ck_assert_uint_eq(files_count(log, "s: dropped "), 1);
} END_TEST

/* More than the default rate lets through, and less than the pipe to the test holds. */
START_TEST(without_a_rate_all_is_logged)
{
	start(0, "stderr_rate = 0;", "read -r line; yes 'a line of no interest' | head -n 5000 >&2; echo done");
	ask("go\n", "done\n");
	ck_assert_uint_eq(files_count(log_after_stop(), ": a line of no interest\n"), 5000);
} END_TEST

START_TEST(a_default_rate_holds_a_traceback_and_no_flood)
{
	const char *log;

	start(0, "", "read -r line; yes 'part of a traceback' | head -n 500 >&2; echo said; read -r line;"
	             " yes 'a line of no interest' | head -n 200000 >&2; echo done");
	ask("go\ngo\n", "said\ndone\n");
	log = log_after_stop();
	ck_assert_uint_eq(files_count(log, ": part of a traceback\n"), 500);
	ck_assert_uint_eq(files_count(log, "dropping the rest"), 1);
} END_TEST

/* ---- how long ----------------------------------------------------------- */

/* Opened for both, so that open(2) does not wait. */
static int open_fifo(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	ck_assert_msg(fd != -1, "%s: %m", path);
	return fd;
}

/*
 * The program leaves a job that has none of its connection, in a session of its own: what
 * is left of a filter in its group may be killed. The job writes to its standard error when
 * it is told to, and says that it is still alive.
 */
START_TEST(a_job_in_the_background_can_write_when_its_program_has_ended)
{
	const char *in = files_mkfifo("in"), *out = files_mkfifo("out"), *up = files_mkfifo("up");
	int to = open_fifo(in), from = open_fifo(out), kept = open_fifo(up);
	char c;

	start(_i, "", files_text("read -r line; setsid sh -c 'echo >%s; read -r x; echo late >&2; echo y'"
	                         " <%s >%s & read -r is_up <%s; echo done", up, in, out, up));
	ask("go\n", "done\n");
	if (_i < 2)
		daemon_wait_for(&d, "program-end how=exit value=0");
	ck_assert_int_eq(write(to, "\n", 1), 1);
	turn_until_ready(from, POLLIN);
	ck_assert_int_eq(read(from, &c, 1), 1);
	ck_assert_int_eq(c, 'y');
	ck_assert_uint_eq(files_count(log_after_stop(), ": late\n"), 1);
	close(kept);
	close(to);
	close(from);
} END_TEST

START_TEST(a_stop_does_not_wait_for_a_job_in_the_background)
{
	const char *in = files_mkfifo("in"), *out = files_mkfifo("out");
	int to = open_fifo(in), from = open_fifo(out);
	char c;

	start(0, "", files_text("read -r line; echo done;"
	                        " (trap '' PIPE; read -r x; echo late >&2; echo y) <%s >%s &", in, out));
	ask("go\n", "done\n");
	daemon_wait_for(&d, "program-end how=exit value=0");
	ck_assert_uint_eq(files_count(log_after_stop(), "late"), 0);
	ck_assert_int_eq(write(to, "\n", 1), 1);
	turn_until_ready(from, POLLIN);
	ck_assert_int_eq(read(from, &c, 1), 1);
	close(to);
	close(from);
} END_TEST

int main(void)
{
	Suite *s = suite_create("program_stderr");
	TCase *tc = harness_case(s, "rate");

	tcase_add_loop_test(tc, what_is_beyond_the_rate_is_dropped_and_counted, 0, ARRAY_SIZE(ways));
	tcase_add_test(tc, without_a_rate_all_is_logged);
	tcase_add_test(tc, a_default_rate_holds_a_traceback_and_no_flood);

	tc = harness_case(s, "left");
	tcase_add_loop_test(tc, a_job_in_the_background_can_write_when_its_program_has_ended, 0, ARRAY_SIZE(ways));
	tcase_add_test(tc, a_stop_does_not_wait_for_a_job_in_the_background);
	return harness_run(s);
}
