/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A process of a filter is lost: what happens to the requests that it has, and
 * to those that wait for it.
 */
#include <config.h>
#include "filter_harness.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- several requests inside -------------------------------------------- */

#define INSIDE 4

/* They ask in this order, and all at once. */
static const char *const questions[INSIDE] = { "one\n", NULL, "three\n", "count\n" };

/*
 * What they get: from a filter that reads all that there is, and from a careful
 * one that leaves the third and the fourth request for the next process.
 */
static const struct { const char *mood, *answers[INSIDE]; } readers[] = {
	{ "normal",  { "one\n", NULL, NULL, NULL } },
	{ "careful", { "one\n", NULL, "three\n", "2\n" } },
};

static const struct { const char *question, *end; } poisons[] = {
	{ "die\n",       "reason=died how=exit value=3 answered=1" },
	{ "half\n",      "reason=died how=exit value=3 answered=1" },
	{ "hang\n",      "reason=timeout how=signal value=9 answered=1" },
	{ "endless\n",   "reason=too-long how=signal value=9 answered=1" },
};

#define INSIDE_CASES (int)(ARRAY_SIZE(readers) * ARRAY_SIZE(poisons))

static void ask_at_once(int fds[INSIDE], const char *poison)
{
	const pid_t worker = daemon_next_worker(&d, "s");

	for (size_t i = 0; i < INSIDE; i++) {
		fds[i] = daemon_connect(&d, "s");
		daemon_accepted(&d, fds[i]);
	}
	filter_hold(worker);
	for (size_t i = 0; i < INSIDE; i++)
		client_say(fds[i], questions[i] ? questions[i] : poison);
	filter_go_on(worker);
}

/* The worker has given it up: it accepted it before, and that event was taken. */
static void expect_closed(int fd)
{
	client_expect_end(fd);
	daemon_wait_for(&d, "connection-end how=failed");
	close(fd);
}

START_TEST(a_request_that_was_read_fails_with_it_and_the_others_go_to_the_next)
{
	const size_t reader = (size_t)_i % ARRAY_SIZE(readers), poison = (size_t)_i / ARRAY_SIZE(readers);
	int fds[INSIDE];

	filter_start_in(readers[reader].mood, "in_flight = 8; timeout = \"300ms\";", "max_request = 1000;");
	ask_at_once(fds, poisons[poison].question);
	daemon_wait_for(&d, "filter-end %s", poisons[poison].end);
	for (size_t i = 0; i < INSIDE; i++) {
		if (!readers[reader].answers[i]) {
			expect_closed(fds[i]);
			continue;
		}
		client_expect(fds[i], readers[reader].answers[i]);
		client_say(fds[i], "again\n");
		client_expect(fds[i], "again\n");
		close(fds[i]);
	}
	ck_assert_uint_eq(daemon_saw(&d, "filter-delayed"), 0);
} END_TEST

START_TEST(each_request_that_fails_gets_the_error_reply)
{
	const size_t reader = (size_t)_i % ARRAY_SIZE(readers), poison = (size_t)_i / ARRAY_SIZE(readers);
	int fds[INSIDE];

	filter_start_in(readers[reader].mood,
	                "in_flight = 8; timeout = \"300ms\"; error_reply = \"sorry\";",
	                "max_request = 1000;");
	ask_at_once(fds, poisons[poison].question);
	for (size_t i = 0; i < INSIDE; i++) {
		client_expect(fds[i], readers[reader].answers[i] ? readers[reader].answers[i] : "sorry\n");
		client_say(fds[i], files_text("again %zu\n", i));
	}
	for (size_t i = 0; i < INSIDE; i++) {
		client_expect(fds[i], files_text("again %zu\n", i));
		close(fds[i]);
	}
	daemon_wait_for(&d, "filter-end %s", poisons[poison].end);
} END_TEST

/* Poison between the lines of many: each answer is that of its own line, or "sorry". */
START_TEST(no_answer_is_swapped_however_often_it_dies)
{
	int fds[20];

	filter_start_in("careful", "in_flight = 7; processes = 2; error_reply = \"sorry\";", "");
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = filter_say(files_text("%zu a\n%s%zu b\n%zu c\n", i, i % 3 ? "" : "die\n", i, i));
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		client_expect(fds[i], files_text("%zu a\n%s%zu b\n%zu c\n", i, i % 3 ? "" : "sorry\n", i, i));
		close(fds[i]);
	}
	ck_assert_uint_eq(daemon_saw(&d, "filter-delayed"), 0);
} END_TEST

/* ---- alone -------------------------------------------------------------- */

START_TEST(half_an_answer_is_none)
{
	filter_start("error_reply = \"sorry\";", "");
	filter_check("half\nhello\n", "sorry\nhello\n");
	filter_check("hello\n", "hello\n");
} END_TEST

START_TEST(a_process_that_reads_no_more_is_replaced)
{
	int fd;

	filter_start("", "");
	fd = filter_say("deaf\ncount\n");
	client_expect(fd, "deaf\n1\n");
	daemon_wait_for(&d, "filter-end reason=died how=signal value=9 answered=1");
	close(fd);
} END_TEST

START_TEST(a_filter_on_a_terminal_may_die)
{
	int fd;

	filter_start("pty = true; error_reply = \"sorry\"; timeout = \"300ms\";", "");
	fd = filter_say("one\ndie\ntwo\nhang\ncount\n");
	client_expect(fd, "one\nsorry\ntwo\nsorry\n1\n");
	daemon_wait_for(&d, "filter-end reason=died how=exit value=3");
	daemon_wait_for(&d, "filter-end reason=timeout how=signal value=9");
	close(fd);
} END_TEST

static const struct { const char *handler, *question, *answer; } replacements[] = {
	{ "error_reply = \"sorry\";",             "die\nhello\n",   "sorry\nhello\n" },
	{ "error_reply = \"sorry\"; pty = true;", "die\nhello\n",   "sorry\nhello\n" },
	{ "max_requests = 1;",                    "hello\nhello\n", "hello\nhello\n" },
	{ "share = \"connection\";",              "hello\nhello\n", "hello\nhello\n" },
};

#define REPLACEMENTS 20

START_TEST(replaced_processes_leave_nothing_behind)
{
	pid_t worker;
	size_t before;

	filter_start(replacements[_i].handler, "");
	worker = daemon_next_worker(&d, "s");
	before = filter_descriptors(worker);
	for (int i = 0; i < REPLACEMENTS; i++) {
		filter_check(replacements[_i].question, replacements[_i].answer);
		daemon_wait_for(&d, "filter-end");
	}
	/* Not even one for each; a connection and a process may be coming or going. */
	ck_assert_uint_lt(filter_descriptors(worker), before + REPLACEMENTS);
} END_TEST

/* ---- a process of one's own --------------------------------------------- */

/* Its death is noticed when its client has just asked: there is no request for the next one then. */
START_TEST(a_client_that_asks_when_its_process_has_died_is_told_once)
{
	const char *path = files_path("s.sock");
	char *reply = calloc(1, 2000001);
	pid_t worker, program;
	int fd;

	memset(reply, 'x', 2000000);
	daemon_start(&d, SERVICES(" s = { listen = \"unix:%s\"; workers = 1; max_request = \"2M\"; handler = {"
	             " type = \"filter\"; framing = \"line\"; %s share = \"connection\";"
	             " error_reply = \"%s\"; }; };"), path, filter_argv("normal"), reply);
	worker = daemon_next_worker(&d, "s");
	fd = filter_say("hello\n");
	daemon_accepted(&d, fd);
	client_expect(fd, "hello\n");
	program = (pid_t)event_number(daemon_wait_for(&d, "filter-start"), "program");
	filter_settle();                        /* its process ends, too: that is not to come later */
	daemon_wait_for(&d, "filter-end reason=closed");
	filter_hold(worker);
	client_say(fd, "hello\n");
	ck_assert_int_eq(kill(program, SIGKILL), 0);
	while (process_status(program, "State")[0] != 'Z')
		;
	filter_go_on(worker);
	daemon_wait_for(&d, "filter-end reason=died");
	client_receive(fd, reply, 2000001);
	ck_assert_int_eq(reply[2000000], '\n');
	client_expect_end(fd);
	filter_settle();
	ck_assert_uint_eq(daemon_saw(&d, "filter-start"), 3);
	close(fd);
	free(reply);
} END_TEST

START_TEST(the_error_reply_is_the_last_word_of_a_process_of_ones_own)
{
	int fd;

	filter_start("share = \"connection\"; error_reply = \"sorry\";", "");
	fd = filter_say("hello\ndie\nhello\n");
	client_expect(fd, "hello\nsorry\n");
	client_expect_end(fd);
	close(fd);
	filter_check("count\n", "1\n");
} END_TEST

int main(void)
{
	Suite *s = suite_create("filter_lost");
	TCase *tc = harness_case(s, "inside");

	tcase_add_loop_test(tc, a_request_that_was_read_fails_with_it_and_the_others_go_to_the_next, 0, INSIDE_CASES);
	tcase_add_loop_test(tc, each_request_that_fails_gets_the_error_reply, 0, INSIDE_CASES);
	tcase_add_test(tc, no_answer_is_swapped_however_often_it_dies);

	tc = harness_case(s, "alone");
	tcase_add_test(tc, half_an_answer_is_none);
	tcase_add_test(tc, a_process_that_reads_no_more_is_replaced);
	tcase_add_test(tc, a_filter_on_a_terminal_may_die);
	tcase_add_loop_test(tc, replaced_processes_leave_nothing_behind, 0, (int)ARRAY_SIZE(replacements));
	tcase_add_test(tc, a_client_that_asks_when_its_process_has_died_is_told_once);
	tcase_add_test(tc, the_error_reply_is_the_last_word_of_a_process_of_ones_own);
	return harness_run(s);
}
