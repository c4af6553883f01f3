/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Filters that work correctly: requests and answers, the order of clients, time-outs of
 * clients, and the end. filter_faults.c tests filters that do not.
 */
#include <config.h>
#include "filter_harness.h"
#include "operator.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- requests and answers ----------------------------------------------- */

START_TEST(each_line_has_its_answer)
{
	int fd;

	filter_start("", "");
	fd = filter_say("one\ntwo\r\n\nth");
	client_expect(fd, "one\ntwo\r\n\n");
	client_say(fd, "ree\n");
	client_expect(fd, "three\n");
	close(fd);
} END_TEST

START_TEST(a_last_line_needs_no_newline)
{
	int fd;

	filter_start("", "");
	fd = filter_say("one\ntwo");
	client_end(fd);
	ck_assert_str_eq(client_read_all(fd), "one\ntwo\n");
	close(fd);
} END_TEST

static const struct { const char *name, *framings, *question, *answer; } framings[] = {
	{ "netstring to line", "framing = \"netstring\"; filter_framing = \"line\";",
	  "5:hello,0:,", "5:hello,0:," },
	{ "line to netstring", "filter_framing = \"netstring\"; argv = \"/bin/cat\";",
	  "hello\n\n", "hello\n\n" },
	{ "line to length16", "filter_framing = \"length16\"; argv = \"/bin/cat\";",
	  "hello\nxy\n", "hello\nxy\n" },
	{ "line to length32", "filter_framing = \"length32\"; argv = \"/bin/cat\";",
	  "hello\nxy\n", "hello\nxy\n" },
	{ "fixed to line", "framing = \"fixed:3\"; filter_framing = \"line\";", "abcdef", "abcdef" },
	{ "fixed to itself", "framing = \"fixed:3\"; argv = \"/bin/cat\";", "abcdef", "abcdef" },
};

START_TEST(framings_are_converted)
{
	const char *keys = framings[_i].framings;

	daemon_start(&d, SERVICES(" s = { listen = \"127.0.0.1:0\"; workers = 1;"
	             " handler = { type = \"filter\"; %s %s %s }; };"),
	             strncmp(keys, "framing", 7) == 0 ? "" : "framing = \"line\";",
	             strstr(keys, "argv") ? "" : files_text("argv = \"%s\";", filter_odd()), keys);
	filter_check(framings[_i].question, framings[_i].answer);
} END_TEST

START_TEST(what_does_not_fit_the_filters_framing_is_refused)
{
	daemon_start(&d, SERVICES(" s = { listen = \"127.0.0.1:0\"; workers = 1; handler = {"
	             " type = \"filter\"; argv = \"%s\"; framing = \"netstring\";"
	             " filter_framing = \"line\"; }; };"), filter_odd());
	filter_expect_failure(filter_say("3:a\nb,"));
	filter_check("3:abc,", "3:abc,");
} END_TEST

START_TEST(a_request_that_is_too_long_ends_its_connection)
{
	int fd;

	filter_start("", "max_request = 10;");
	fd = filter_say("0123456789\n0123456789a\n");
	client_expect(fd, "0123456789\n");
	filter_expect_failure(fd);
	harness_contains(daemon_errors(&d), "more than max_request (10)");
	filter_check("hello\n", "hello\n");
} END_TEST

START_TEST(what_is_no_frame_ends_its_connection)
{
	daemon_start(&d, SERVICES(" s = { listen = \"127.0.0.1:0\"; workers = 1; handler = {"
	             " type = \"filter\"; argv = \"/bin/cat\"; framing = \"netstring\"; }; };"));
	filter_expect_failure(filter_say("hello"));
	filter_expect_failure(filter_say("3:abcd"));
	filter_check("3:abc,", "3:abc,");
} END_TEST

START_TEST(the_filter_may_be_told_the_address_of_the_client)
{
	const char *script = files_script("script", "while read -r ip port id && read -r line; do\n"
	                                  "echo $ip $port $id $line\ndone");
	const struct event *opened;
	int fd;

	daemon_start(&d, FILTER("argv = \"%s\"; prefix = \"peer\";", ""), script);
	fd = daemon_connect(&d, "s");
	opened = daemon_accepted(&d, fd);
	client_say(fd, "hello\n");
	client_expect(fd, files_text("127.0.0.1 %s %s hello\n", client_port(fd),
	                             event_word(opened, "id")));
	close(fd);
} END_TEST

START_TEST(a_terminal_makes_a_program_talk_at_once)
{
	daemon_start(&d, FILTER("argv = [ \"/usr/bin/tr\", \"a-z\", \"A-Z\" ]; pty = true;", ""));
	filter_check("hello\nyou\n", "HELLO\nYOU\n");
} END_TEST

static const struct { const char *name, *handler; } sharing[] = {
	{ "one process", "" },
	{ "many processes", "processes = 4;" },
	{ "many requests in one", "in_flight = 16;" },
	{ "both", "processes = 3; in_flight = 5;" },
	{ "a process each", "share = \"connection\";" },
	{ "recycled", "max_requests = 7;" },
	{ "all of it", "processes = 3; in_flight = 5; max_requests = 7;" },
	{ "terminals", "processes = 3; in_flight = 5; pty = true;" },
};

START_TEST(a_hundred_clients_get_their_own_answers)
{
	int fds[100];

	filter_start(sharing[_i].handler, "");
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = daemon_connect(&d, "s");
	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
			client_say(fds[i], files_text("%d of %zu\nand %zu\n", round, i, i));
		for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
			client_expect(fds[i], files_text("%d of %zu\nand %zu\n", round, i, i));
	}
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
} END_TEST

/* ---- turns -------------------------------------------------------------- */

#define MANY 10000

START_TEST(a_client_that_asks_ten_thousand_times_lets_others_in_between)
{
	char *text = malloc(6 * MANY + 6), *at = stpcpy(text, "late\n");
	int greedy, other;

	filter_start("", "");
	for (int i = 1; i < MANY; i++)
		at = stpcpy(at, "count\n");
	greedy = filter_say(text);
	filter_barrier();
	other = filter_say("count\n");
	filter_barrier();
	filter_release();
	client_expect(other, "2\n");
	client_expect(greedy, "late\n");
	for (int i = 1; i < MANY; i++)
		client_expect(greedy, files_text("%d\n", i + 2));
	close(greedy);
	close(other);
	free(text);
} END_TEST

START_TEST(a_client_that_never_reads_costs_only_itself)
{
	const struct event *opened;
	int mute;

	filter_start("", "timeouts = { write = \"300ms\"; };");
	mute = daemon_connect(&d, "s");
	opened = daemon_accepted(&d, mute);
	for (int i = 0; i < 40; i++)
		client_say(mute, "much 1000000\n");
	filter_check("hello\n", "hello\n");
	ck_assert_str_eq(event_word(daemon_ended(&d, opened), "how"), "write");
	filter_check("hello\n", "hello\n");
	close(mute);
} END_TEST

START_TEST(the_answer_for_a_client_that_has_left_is_for_no_other)
{
	const struct event *opened;
	int gone, fd;

	filter_start("", "");
	gone = daemon_connect(&d, "s");
	opened = daemon_accepted(&d, gone);
	client_say(gone, "late\n");
	filter_barrier();
	fd = filter_say("count\n");
	client_reset(gone);
	ck_assert_str_eq(event_word(daemon_ended(&d, opened), "how"), "reset");
	filter_release();
	client_expect(fd, "2\n");
	close(fd);
} END_TEST

START_TEST(a_connection_can_have_a_process_of_its_own)
{
	int one, two;

	filter_start("share = \"connection\";", "");
	one = filter_say("pid\ncount\n");
	two = filter_say("pid\n");
	ck_assert_str_ne(client_read_line(one), client_read_line(two));
	client_expect(one, "2\n");
	close(one);
	daemon_wait_for(&d, "filter-end reason=closed how=exit value=0 answered=2");
	client_say(two, "count\n");
	client_expect(two, "2\n");
	client_say(two, "die\n");
	client_expect_end(two);
	daemon_wait_for(&d, "filter-end reason=died how=exit value=3");
	close(two);
} END_TEST

START_TEST(a_process_is_replaced_after_so_many_requests)
{
	const char *first;
	int fd;

	filter_start("max_requests = 2;", "");
	fd = filter_say("pid\npid\npid\n");
	first = client_read_line(fd);
	ck_assert_str_eq(client_read_line(fd), first);
	ck_assert_str_ne(client_read_line(fd), first);
	daemon_wait_for(&d, "filter-end reason=recycled how=exit value=0 answered=2");
	close(fd);
} END_TEST

/* ---- time-outs ---------------------------------------------------------- */

START_TEST(half_a_request_runs_into_the_request_timeout)
{
	const struct event *opened;
	int fd;

	filter_start("", "timeouts = { request = \"200ms\"; };");
	fd = daemon_connect(&d, "s");
	opened = daemon_accepted(&d, fd);
	client_say(fd, "hello\nhel");
	client_expect(fd, "hello\n");
	ck_assert_str_eq(event_word(daemon_ended(&d, opened), "how"), "request");
	client_expect_end(fd);
	close(fd);
} END_TEST

START_TEST(a_request_that_waits_runs_into_the_request_timeout)
{
	const struct event *opened;
	int first, fd;

	filter_start("", "timeouts = { request = \"200ms\"; };");
	first = filter_say("late\n");
	opened = daemon_accepted(&d, first);
	fd = filter_say("hello\n");
	ck_assert_str_eq(event_word(daemon_ended(&d, opened), "how"), "request");
	ck_assert_str_eq(event_word(daemon_ended(&d, daemon_accepted(&d, fd)), "how"), "request");
	filter_release();
	filter_check("count\n", "2\n");
	close(first);
	close(fd);
} END_TEST

START_TEST(a_client_that_asks_nothing_is_idle)
{
	int fd;

	filter_start("", "timeouts = { idle = \"200ms\"; };");
	fd = filter_say("hello\n");
	client_expect(fd, "hello\n");
	ck_assert_str_eq(event_word(daemon_ended(&d, daemon_accepted(&d, fd)), "how"), "idle");
	client_expect_end(fd);
	close(fd);
} END_TEST

/* ---- the end ------------------------------------------------------------ */

START_TEST(a_stop_waits_for_the_request_under_way)
{
	int fd;

	filter_start("", "");
	fd = filter_say("late\n");
	client_end(fd);
	filter_barrier();
	daemon_signal(&d, SIGTERM);
	daemon_wait_for(&d, "stopping");
	filter_release();
	client_expect(fd, "late\n");
	client_expect_end(fd);
	close(fd);
	daemon_wait_for(&d, "filter-end reason=drained how=exit value=0 answered=1");
	ck_assert_int_eq(daemon_join(&d), 0);
} END_TEST

START_TEST(a_quick_stop_waits_for_nothing)
{
	int fd;

	filter_start("processes = 3;", "");
	fd = filter_say("late\n");
	filter_barrier();
	daemon_signal(&d, SIGINT);
	client_expect_gone(fd);
	for (int i = 0; i < 3; i++)
		daemon_wait_for(&d, "filter-end reason=drained");
	close(fd);
	daemon_join(&d);
} END_TEST

START_TEST(after_a_reload_new_processes_answer)
{
	const char *first;
	int old, new;

	filter_start("", "");
	old = filter_say("pid\n");
	first = client_read_line(old);
	daemon_reload(&d, FILTER("argv = \"%s\";", ""), filter_odd());
	for (int i = 0; i < 2; i++) {           /* after these its loop has turned: it accepts no more */
		client_say(old, "pid\n");
		client_expect(old, first);
	}
	new = filter_say("pid\n");
	ck_assert_str_ne(client_read_line(new), first);
	close(old);
	close(new);
	daemon_wait_for(&d, "filter-end reason=drained how=exit value=0");
} END_TEST

/* ---- what the operator sees --------------------------------------------- */

START_TEST(services_tell_what_filters_do)
{
	const char *socket = files_path("control.sock");
	int one, two;

	daemon_start(&d, "control = { socket = \"%s\"; };\n" FILTER("%s max_requests = 2;", ""), socket,
	             filter_argv("normal"));
	one = filter_say("a\nb\nlate\n");
	client_expect(one, "a\nb\n");
	two = filter_say("c\n");
	filter_barrier();
	ck_assert_int_eq(operator_run_args(socket, "--json", "services"), 0);
	harness_contains(operator_output(), "\"filter\":{\"processes\":1,\"queued\":1,"
	                 "\"answered\":2,\"replaced\":1}");
	ck_assert_int_eq(operator_run_args(socket, "--json", "connections"), 0);
	harness_contains(operator_output(), "\"phase\":\"handler\"");
	filter_release();
	client_expect(two, "c\n");
	close(one);
	close(two);
} END_TEST

int main(void)
{
	Suite *s = suite_create("filter");
	TCase *tc = harness_case(s, "requests");

	tcase_add_test(tc, each_line_has_its_answer);
	tcase_add_test(tc, a_last_line_needs_no_newline);
	tcase_add_loop_test(tc, framings_are_converted, 0, (int)ARRAY_SIZE(framings));
	tcase_add_test(tc, what_does_not_fit_the_filters_framing_is_refused);
	tcase_add_test(tc, a_request_that_is_too_long_ends_its_connection);
	tcase_add_test(tc, what_is_no_frame_ends_its_connection);
	tcase_add_test(tc, the_filter_may_be_told_the_address_of_the_client);
	tcase_add_test(tc, a_terminal_makes_a_program_talk_at_once);
	tcase_add_loop_test(tc, a_hundred_clients_get_their_own_answers, 0, (int)ARRAY_SIZE(sharing));

	tc = harness_case(s, "turns");
	tcase_add_test(tc, a_client_that_asks_ten_thousand_times_lets_others_in_between);
	tcase_add_test(tc, a_client_that_never_reads_costs_only_itself);
	tcase_add_test(tc, the_answer_for_a_client_that_has_left_is_for_no_other);
	tcase_add_test(tc, a_connection_can_have_a_process_of_its_own);
	tcase_add_test(tc, a_process_is_replaced_after_so_many_requests);

	tc = harness_case(s, "timeouts");
	tcase_add_test(tc, half_a_request_runs_into_the_request_timeout);
	tcase_add_test(tc, a_request_that_waits_runs_into_the_request_timeout);
	tcase_add_test(tc, a_client_that_asks_nothing_is_idle);

	tc = harness_case(s, "end");
	tcase_add_test(tc, a_stop_waits_for_the_request_under_way);
	tcase_add_test(tc, a_quick_stop_waits_for_nothing);
	tcase_add_test(tc, after_a_reload_new_processes_answer);

	tc = harness_case(s, "operator");
	tcase_add_test(tc, services_tell_what_filters_do);
	return harness_run(s);
}
