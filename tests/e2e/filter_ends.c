/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Things end while a filter has requests: connections, processes, workers,
 * generations, the server.
 */
#include <config.h>
#include "filter_harness.h"
#include "operator.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- connections -------------------------------------------------------- */

#define MANY 1000

/* text, `times` times; given to the caller. */
static char *repeat(const char *text, size_t times)
{
	const size_t len = strlen(text);
	char *all = malloc(len * times + 1), *at = all;

	for (size_t i = 0; i < times; i++)
		at = stpcpy(at, text);
	*at = '\0';
	return all;
}

static const struct { const char *name, *handler; } ways[] = {
	{ "one by one",         "" },
	{ "many in one",        "in_flight = 16;" },
	{ "a terminal",         "pty = true; in_flight = 4;" },
	{ "a process each",     "share = \"connection\";" },
	{ "recycled",           "max_requests = 7; in_flight = 3; processes = 2;" },
};

START_TEST(a_client_that_asks_much_and_closes_its_side_gets_all_answers)
{
	char *lines = repeat("line\n", MANY);
	int fd;

	filter_start(ways[_i].handler, "");
	fd = filter_say(lines);
	client_say(fd, "the last");
	client_end(fd);
	ck_assert_str_eq(client_read_all(fd), files_text("%sthe last\n", lines));
	close(fd);
	free(lines);
} END_TEST

START_TEST(a_client_that_leaves_in_the_middle_leaves_nothing_behind)
{
	char *lines = repeat("count\n", MANY);
	const struct event *opened;
	int gone, other;

	filter_start(ways[_i].handler, "");
	gone = filter_say(lines);
	opened = daemon_accepted(&d, gone);
	client_expect(gone, "1\n");
	client_reset(gone);
	other = filter_say("hello\nmy own\n");
	client_expect(other, "hello\nmy own\n");
	ck_assert_str_eq(event_word(daemon_ended(&d, opened), "how"), "reset");
	close(other);
	free(lines);
} END_TEST

START_TEST(a_client_that_is_kicked_does_not_get_its_answer_nor_does_another)
{
	const char *socket = files_path("control.sock");
	const struct event *opened;
	int fd, other;

	daemon_start(&d, "control = { socket = \"%s\"; };\n" FILTER("%s", ""), socket,
	             filter_argv("normal"));
	fd = filter_say("late\n");
	opened = daemon_accepted(&d, fd);
	filter_settle();
	other = filter_say("count\n");
	ck_assert_int_eq(operator_run_args(socket, "kick", event_word(opened, "id")), 0);
	ck_assert_str_eq(event_word(daemon_ended(&d, opened), "how"), "kick");
	client_expect_gone(fd);
	filter_release();
	client_expect(other, "2\n");
	close(fd);
	close(other);
} END_TEST

/* ---- time-outs ---------------------------------------------------------- */

START_TEST(a_session_ends_though_its_request_waits)
{
	const struct event *opened;
	int fd, other;

	filter_start("", "timeouts = { session = \"300ms\"; };");
	fd = filter_say("late\n");
	opened = daemon_accepted(&d, fd);
	ck_assert_str_eq(event_word(daemon_ended(&d, opened), "how"), "session");
	client_expect_end(fd);
	other = filter_say("count\n");
	filter_release();
	client_expect(other, "2\n");
	close(fd);
	close(other);
} END_TEST

/* Another connection is idle for longer meanwhile. */
START_TEST(a_client_that_waits_for_an_answer_is_not_idle)
{
	const struct event *idle;
	int fd, other;

	filter_start("", "timeouts = { idle = \"200ms\"; };");
	fd = filter_say("late\n");
	filter_settle();
	other = daemon_connect(&d, "s");
	idle = daemon_accepted(&d, other);
	ck_assert_str_eq(event_word(daemon_ended(&d, idle), "how"), "idle");
	filter_release();
	client_expect(fd, "late\n");
	close(fd);
	close(other);
} END_TEST

/* ---- workers ------------------------------------------------------------ */

/* The worker of fd turns its loop: if it has been told to go, it accepts no more after this. */
static void talk(int fd)
{
	for (int i = 0; i < 2; i++) {
		client_say(fd, "hello\n");
		client_expect(fd, "hello\n");
	}
}

#define PIPELINE 100

START_TEST(a_reload_in_the_middle_of_requests_loses_none)
{
	char *lines = repeat("line\n", PIPELINE);
	int old, half_closed, new;

	filter_start(ways[_i].handler, "");
	old = filter_say("late\n");
	client_say(old, lines);
	half_closed = filter_say(lines);
	client_end(half_closed);
	filter_settle();
	daemon_reload(&d, FILTER("argv = [ \"%s\", \"normal\" ];", ""), filter_odd());
	filter_release();
	client_expect(old, files_text("late\n%s", lines));
	ck_assert_str_eq(client_read_all(half_closed), lines);
	talk(old);
	new = filter_say("count\n");
	client_expect(new, "1\n");
	talk(old);
	close(old);
	close(half_closed);
	daemon_wait_for(&d, "generation-gone");
	close(new);
	free(lines);
} END_TEST

START_TEST(an_upgrade_in_the_middle_of_requests_loses_none)
{
	char *lines = repeat("line\n", PIPELINE);
	int old, new;

	filter_start("in_flight = 4;", "");
	old = filter_say("late\n");
	client_say(old, lines);
	filter_settle();
	daemon_signal(&d, SIGUSR2);
	daemon_wait_for(&d, "upgrade-done");
	filter_release();
	client_expect(old, files_text("late\n%s", lines));
	new = filter_say("hello\n");
	client_expect(new, "hello\n");
	close(old);
	daemon_wait_for(&d, "generation-gone");
	client_say(new, "count\n");
	client_expect(new, "2\n");
	close(new);
	free(lines);
} END_TEST

/* No worker is left to kill it: it gets the end of its input, and TERM. */
START_TEST(a_worker_that_dies_takes_its_filters_along)
{
	pid_t worker;
	int fd, program;

	filter_start("", "restart = { delay_min = \"10ms\"; };");
	worker = daemon_next_worker(&d, "s");
	program = process_watch((pid_t)event_number(daemon_wait_for(&d, "filter-start"), "program"));
	fd = filter_say("late\n");
	filter_settle();
	ck_assert_int_eq(kill(worker, SIGKILL), 0);
	process_wait_end(program);
	client_expect_gone(fd);
	close(fd);
	daemon_next_worker(&d, "s");
	filter_check("count\n", "1\n");
} END_TEST

/* ---- processes that do not end ------------------------------------------ */

static void expect_killed(const char *reason)
{
	const struct event *e = daemon_wait_for(&d, "filter-end reason=%s how=signal value=%d", reason,
	                                        SIGKILL);

	ck_assert_str_eq(process_status((pid_t)event_number(e, "program"), "State"), "");
}

/*
 * Recycled, of a worker that is replaced, and of a server that stops: all at
 * once, since each takes the seconds that it is given.
 */
START_TEST(a_filter_that_neither_end_nor_term_moves_is_killed_and_delays_no_client)
{
	static const char *const config = "shutdown_timeout = \"100ms\";"
		FILTER("max_requests = 1; %s", "");
	const char *argv = filter_argv("stubborn");
	const struct event *first, *second;
	int fd, late;

	daemon_start(&d, config, argv);
	fd = filter_say("count\ncount\n");
	first = daemon_accepted(&d, fd);
	client_expect(fd, "1\n1\n");           /* each from a process of its own */
	daemon_reload(&d, config, argv);
	talk(fd);
	close(fd);
	late = filter_say("late\n");
	second = daemon_accepted(&d, late);
	ck_assert_int_ne(event_number(first, "pid"), event_number(second, "pid"));
	filter_settle();
	ck_assert_uint_eq(daemon_saw(&d, "filter-end"), 0);
	daemon_signal(&d, SIGTERM);
	client_expect_gone(late);
	for (int i = 0; i < 4; i++)
		expect_killed("recycled");
	for (int i = 0; i < 2; i++)
		expect_killed("drained");
	ck_assert_int_eq(daemon_join(&d), 0);
	ck_assert_uint_eq(files_count(daemon_errors(&d), " did not end on TERM; killing it"), 6);
	ck_assert_uint_eq(daemon_saw(&d, "worker-end how=signal"), 0);
	close(late);
} END_TEST

/* ---- the address of the client ------------------------------------------ */

static const struct { const char *listen, *framings, *questions, *ip; } prefixes[] = {
	{ "127.0.0.1:0", "framing = \"line\";", "hello\nabcde\n", "127.0.0.1" },
	{ "[::1]:0",     "framing = \"line\";", "hello\nabcde\n", "::1" },
	{ NULL,          "framing = \"line\";", "hello\nabcde\n", "unix" },
	{ "127.0.0.1:0", "framing = \"line\"; filter_framing = \"fixed:6\";", "hello.\nabcde.\n",
	  "127.0.0.1" },
};

/* Each request has six bytes for the filter, which reads none of the next one. */
START_TEST(before_each_request_the_filter_reads_the_address_of_the_client)
{
	const char *said = files_path("said"), *listen = prefixes[_i].listen, *line;
	const struct event *opened;
	int fd;

	daemon_start(&d, SERVICES(" s = { listen = \"%s\"; workers = 1; handler = { type = \"filter\";"
	             " argv = \"%s\"; prefix = \"peer\"; in_flight = 3; %s }; };"),
	             listen ? listen : files_text("unix:%s", files_path("s.sock")),
	             files_script("script", "while read -r who; do echo \"$who\" >>%s\n"
	                          "dd bs=1 count=6 2>/dev/null\ndone", said), prefixes[_i].framings);
	fd = daemon_connect(&d, "s");
	opened = daemon_accepted(&d, fd);
	client_say(fd, prefixes[_i].questions);
	client_expect(fd, prefixes[_i].questions);
	line = files_text("%s %s %s\n", prefixes[_i].ip, client_port(fd), event_word(opened, "id"));
	ck_assert_str_eq(files_read(said), files_text("%s%s", line, line));
	close(fd);
} END_TEST

int main(void)
{
	Suite *s = suite_create("filter_ends");
	TCase *tc = harness_case(s, "connections");

	tcase_add_loop_test(tc, a_client_that_asks_much_and_closes_its_side_gets_all_answers, 0,
	                    (int)ARRAY_SIZE(ways));
	tcase_add_loop_test(tc, a_client_that_leaves_in_the_middle_leaves_nothing_behind, 0,
	                    (int)ARRAY_SIZE(ways));
	tcase_add_test(tc, a_client_that_is_kicked_does_not_get_its_answer_nor_does_another);
	for (int i = 0; i < (int)ARRAY_SIZE(prefixes); i++) {
		if (prefixes[i].listen && prefixes[i].listen[0] == '[' && !harness_has_ipv6())
			harness_skip("before_each_request_the_filter_reads_the_address_of_the_client", "there is no IPv6 here");
		else
			tcase_add_loop_test(tc, before_each_request_the_filter_reads_the_address_of_the_client, i, i + 1);
	}

	tc = harness_case(s, "timeouts");
	tcase_add_test(tc, a_session_ends_though_its_request_waits);
	tcase_add_test(tc, a_client_that_waits_for_an_answer_is_not_idle);

	tc = harness_case(s, "workers");
	tcase_add_loop_test(tc, a_reload_in_the_middle_of_requests_loses_none, 0, (int)ARRAY_SIZE(ways));
	tcase_add_test(tc, an_upgrade_in_the_middle_of_requests_loses_none);
	tcase_add_test(tc, a_worker_that_dies_takes_its_filters_along);

	tc = harness_case(s, "killed");
	tcase_add_test(tc, a_filter_that_neither_end_nor_term_moves_is_killed_and_delays_no_client);
	return harness_run(s);
}
