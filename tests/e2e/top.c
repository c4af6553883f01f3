/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * droverctl top, on a terminal and without one: what it shows, its keys, and
 * how it leaves the terminal behind.
 */
#include <config.h>
#include "harness.h"

#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "operator.h"
#include "terminal.h"

static struct fake f;
static struct terminal t;

/* ---- without a terminal ------------------------------------------------- */

START_TEST(without_a_terminal_top_prints_once)
{
	fake_open(&f);
	fake_results(&f, "status", STATUS);
	ck_assert_int_eq(operator_run_args(f.path, "top"), 0);
	ck_assert_uint_eq(f.n_requests, 1);
	ck_assert_uint_eq(files_count(operator_output(), "drover 0.1.0"), 1);
	ck_assert_uint_eq(files_count(operator_output(), "\necho "), 1);
	ck_assert_ptr_null(strchr(operator_output(), '\033'));
	fake_close(&f);
} END_TEST

START_TEST(top_prints_as_often_as_it_is_told)
{
	fake_open(&f);
	fake_results(&f, "status", STATUS);
	ck_assert_int_eq(operator_run_args(f.path, "top", "-n", "3", "--delay=100ms"), 0);
	ck_assert_uint_eq(files_count(operator_output(), "drover 0.1.0"), 3);
	/* Rates are differences: there is none at first. */
	ck_assert_uint_eq(files_count(operator_output(), "accepted 1000 (0/s)"), 2);
	ck_assert_int_eq(operator_run_args(f.path, "top", "-d.1", "-n2", "--json"), 0);
	ck_assert(strcmp(operator_output(), STATUS "\n" STATUS "\n") == 0);
	fake_close(&f);
} END_TEST

START_TEST(top_goes_on_when_the_server_is_back)
{
	fake_open(&f);
	fake_breaks_off(&f, "status", "{\"ok\":true,\"result\":" STATUS "}\n");
	/* Each answer is followed by the end: every other round finds it, and connects again after that. */
	ck_assert_int_eq(operator_run_args(f.path, "top", "-d0.1", "-n3"), 0);
	ck_assert_uint_eq(files_count(operator_output(), "drover 0.1.0"), 2);
	ck_assert_str_eq(operator_errors(), "droverctl: drover closed the connection without an answer\n");
	ck_assert_uint_eq(f.n_requests, 2);
	fake_close(&f);
} END_TEST

/* ---- on a terminal ------------------------------------------------------ */

/* What the picture has where. */
enum { LINE_SERVER, LINE_SLOTS, LINE_COUNTS, LINE_TROUBLE, LINE_VIEWS, LINE_TITLES, LINE_FIRST };

/* A day between two rounds: what happens is what the test asks for. */
static void start_top(int rows, int cols, const char *delay)
{
	fake_open(&f);
	fake_results(&f, "status", STATUS_OF("192.3", SERVICES_OF_TWO));
	fake_results(&f, "workers", WORKERS);
	fake_results(&f, "connections", "{\"connections\":[" CONNECTION_OF("7-1", "a\\u001bb") "]}");
	fake_results(&f, "crashes", "{\"crashes\":[{\"name\":\"n-1\",\"time\":\"t\"},{\"name\":\"n-2\"}]}");
	terminal_start(&t, rows, cols, operator_program(),
	               (const char *const[]){ "droverctl", "-s", f.path, "top", "-d", delay, NULL });
}

static void end_top(void)
{
	terminal_type(&t, "q");
	ck_assert_int_eq(terminal_join(&t), 0);
	terminal_expect_restored(&t);
	terminal_close(&t);
	fake_close(&f);
}

START_TEST(top_takes_the_screen_and_gives_it_back)
{
	start_top(24, 120, "1d");
	terminal_wait_line(&t, 23, "q quit");
	ck_assert(t.is_alternate);
	ck_assert(t.is_cursor_hidden);
	ck_assert_str_eq(terminal_line(&t, LINE_SERVER),
	                 "drover 0.1.0, serving, up 3m12s, generation 3, pid 4711");
	ck_assert_str_eq(terminal_line(&t, LINE_TROUBLE), "");
	ck_assert_str_eq(terminal_line(&t, LINE_VIEWS), " services  workers  connections  crashes   1 of 2");
	ck_assert_int_eq(strncmp(terminal_line(&t, LINE_TITLES), "SERVICE  HANDLER", 16), 0);
	ck_assert_int_eq(strncmp(terminal_line(&t, LINE_FIRST), "alpha ", 6), 0);
	ck_assert_int_eq(strncmp(terminal_line(&t, LINE_FIRST + 1), "beta ", 5), 0);
	end_top();
} END_TEST

START_TEST(keys_switch_between_the_views)
{
	start_top(24, 120, "1d");
	terminal_wait_line(&t, LINE_FIRST, "alpha");
	terminal_type(&t, "\t");
	terminal_wait_line(&t, LINE_FIRST, "echo     4712");
	terminal_type(&t, "c");
	terminal_wait_line(&t, LINE_FIRST, "7-1");
	terminal_wait_for(&t, "a\\x1bb");
	terminal_type(&t, "\t");
	terminal_wait_line(&t, LINE_FIRST, "n-2 ");     /* of crashes the latest comes first */
	terminal_type(&t, "1x");
	terminal_wait_line(&t, LINE_FIRST, "n-2 ");
	terminal_wait_line(&t, LINE_FIRST + 1, "n-1 ");
	terminal_type(&t, "\033[Z\033[Z");
	terminal_wait_line(&t, LINE_FIRST, "echo     4712");
	terminal_type(&t, "1");
	terminal_wait_line(&t, LINE_FIRST, "alpha");
	end_top();
} END_TEST

START_TEST(keys_sort_by_any_column)
{
	start_top(24, 160, "1d");
	terminal_wait_line(&t, LINE_FIRST, "alpha");
	terminal_type(&t, "r");
	terminal_wait_line(&t, LINE_FIRST, "beta");
	/* Six columns on (no client waits, so there is no queue) are the accepted ones, the most first. The keypad is in its application mode. */
	terminal_type(&t, "r\033OC\033OC\033OC\033OC");
	terminal_wait_line(&t, LINE_FIRST, "alpha");
	terminal_type(&t, ">>");
	terminal_wait_line(&t, LINE_FIRST, "beta");
	/* Back to what is open. */
	terminal_type(&t, "\033OD\033OD");
	terminal_wait_line(&t, LINE_FIRST, "alpha");
	end_top();
} END_TEST

/* 80 columns are not enough for all that services have: a column that is gone to is shown. */
START_TEST(columns_scroll)
{
	start_top(24, 80, "1d");
	terminal_wait_line(&t, LINE_TITLES, "SERVICE  HANDLER");
	ck_assert_ptr_null(strstr(terminal_line(&t, LINE_TITLES), "REQUESTS"));        /* none was made */
	ck_assert_ptr_null(strstr(terminal_line(&t, LINE_TITLES), "127.0.0.1"));
	for (int i = 0; i < 16; i++)
		terminal_type(&t, ">");
	terminal_wait_for(&t, "127.0.0.1:7007");
	terminal_wait_without(&t, "HANDLER");
	ck_assert_int_eq(strncmp(terminal_line(&t, LINE_TITLES), "SERVICE  ", 9), 0);
	for (int i = 0; i < 16; i++)
		terminal_type(&t, "<");
	terminal_wait_line(&t, LINE_TITLES, "SERVICE  HANDLER");
	end_top();
} END_TEST

START_TEST(keys_scroll)
{
	start_top(LINE_FIRST + 2, 80, "1d");    /* room for one row */
	terminal_wait_line(&t, LINE_FIRST, "alpha");
	terminal_type(&t, "\033OB");
	terminal_wait_line(&t, LINE_FIRST, "beta");
	terminal_wait_for(&t, "2 of 2");
	terminal_type(&t, "jj\033OH");
	terminal_wait_line(&t, LINE_FIRST, "alpha");
	terminal_type(&t, "\033[6~");
	terminal_wait_line(&t, LINE_FIRST, "beta");
	terminal_type(&t, "k");
	terminal_wait_line(&t, LINE_FIRST, "alpha");
	end_top();
} END_TEST

START_TEST(a_key_asks_at_once_and_rates_are_told)
{
	start_top(24, 120, "1d");
	terminal_wait_line(&t, LINE_COUNTS, "accepted 1000, served 7");
	fake_results(&f, "status", STATUS_OF("1000", SERVICES_OF_TWO));
	terminal_type(&t, " ");
	terminal_wait_for(&t, "up 16m40s");
	terminal_wait_line(&t, LINE_COUNTS, "accepted 1000 (0/s), served 7 (0/s), requests 0 (0/s)");
	end_top();
} END_TEST

START_TEST(top_asks_again_by_itself)
{
	start_top(24, 120, "0.1");
	terminal_wait_line(&t, LINE_FIRST, "alpha");
	fake_results(&f, "status", STATUS_OF("1000", SERVICES_OF_TWO));
	terminal_wait_for(&t, "up 16m40s");
	end_top();
} END_TEST

START_TEST(the_picture_follows_the_size_of_the_terminal)
{
	start_top(24, 120, "1d");
	terminal_wait_line(&t, 23, "q quit");
	terminal_wait_for(&t, "LISTEN");
	terminal_resize(&t, 12, 60);
	terminal_wait_line(&t, 11, "q quit");
	terminal_wait_line(&t, LINE_SERVER, "drover 0.1.0");
	terminal_wait_without(&t, "LISTEN");
	terminal_resize(&t, 40, 150);
	terminal_wait_line(&t, 39, "q quit");
	terminal_wait_for(&t, "LISTEN");
	terminal_resize(&t, 1, 1);
	terminal_wait_line(&t, 0, "q");
	end_top();
} END_TEST

START_TEST(a_server_that_goes_away_is_shown_and_found_again)
{
	start_top(24, 120, "0.1");
	terminal_wait_line(&t, LINE_FIRST, "alpha");
	fake_close(&f);
	terminal_wait_line(&t, LINE_TROUBLE, files_text("cannot reach drover at %s", f.path));
	ck_assert_int_eq(strncmp(terminal_line(&t, LINE_FIRST), "alpha", 5), 0);
	fake_open(&f);
	terminal_wait_without(&t, "cannot reach");
	end_top();
} END_TEST

START_TEST(an_answer_that_does_not_come_is_told_and_waited_for)
{
	operator_hasten("");
	start_top(24, 120, "1d");
	terminal_wait_line(&t, LINE_FIRST, "alpha");
	fake_falls_silent(&f, "status", "");
	operator_hasten("answer");
	terminal_type(&t, " ");
	terminal_wait_line(&t, LINE_TROUBLE, "drover does not answer");
	ck_assert_int_eq(strncmp(terminal_line(&t, LINE_FIRST), "alpha", 5), 0);
	terminal_type(&t, "r");
	terminal_wait_line(&t, LINE_FIRST, "beta");     /* keys are obeyed meanwhile */
	client_say(f.clients[0].hook.fd,
	           "{\"ok\":true,\"result\":" STATUS_OF("1000", SERVICES_OF_TWO) "}\n");
	terminal_wait_without(&t, "drover does not answer");
	terminal_wait_for(&t, "up 16m40s");
	end_top();
} END_TEST

START_TEST(a_connection_that_ends_between_two_rounds_is_noticed)
{
	start_top(24, 120, "1d");
	terminal_wait_line(&t, LINE_FIRST, "alpha");
	for (size_t i = 0; i < FAKE_CLIENTS_MAX; i++)
		if (f.clients[i].hook.fd != -1)
			shutdown(f.clients[i].hook.fd, SHUT_RDWR);
	terminal_wait_line(&t, LINE_TROUBLE, "drover has closed the connection");
	terminal_type(&t, " ");
	terminal_wait_without(&t, "drover has closed");
	end_top();
} END_TEST

START_TEST(a_signal_ends_top_and_the_terminal_is_in_order)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT };

	start_top(24, 120, "1d");
	terminal_wait_line(&t, 23, "q quit");
	if (signals[_i] == SIGINT)
		terminal_type(&t, "\003");
	else
		ck_assert_int_eq(kill(t.pid, signals[_i]), 0);
	ck_assert_int_eq(terminal_join(&t), 128 + signals[_i]);
	terminal_expect_restored(&t);
	terminal_close(&t);
	fake_close(&f);
} END_TEST

START_TEST(top_ends_when_its_terminal_is_gone)
{
	start_top(24, 120, "1d");
	terminal_wait_line(&t, 23, "q quit");
	terminal_close(&t);
	terminal_join(&t);      /* by HUP, or because it can read no more */
	fake_close(&f);
} END_TEST

START_TEST(a_count_ends_top_on_a_terminal)
{
	fake_open(&f);
	fake_results(&f, "status", STATUS);
	terminal_start(&t, 24, 80, operator_program(),
	               (const char *const[]){ "droverctl", "-s", f.path, "top", "-n2", "-d.1", NULL });
	ck_assert_int_eq(terminal_join(&t), 0);
	ck_assert_uint_eq(f.n_requests, 2);
	terminal_expect_restored(&t);
	terminal_close(&t);
	fake_close(&f);
} END_TEST

START_TEST(on_a_terminal_that_can_do_little_top_is_plain)
{
	fake_open(&f);
	fake_results(&f, "status", STATUS);
	terminal_start(&t, 24, 120, "/usr/bin/env",
	               (const char *const[]){ "env", "TERM=dumb", operator_program(), "-s", f.path,
	                                      "top", "-n2", "-d.1", NULL });
	ck_assert_int_eq(terminal_join(&t), 0);
	ck_assert_str_eq(terminal_line(&t, 0), "drover 0.1.0, serving, up 3m12s, generation 3, pid 4711");
	terminal_wait_for(&t, "accepted 1000 (0/s)");
	terminal_close(&t);
	fake_close(&f);
} END_TEST

static void add_live(TCase *tc)
{
	const char *why = "there is no pseudo-terminal, or no description of xterm";
	bool can = terminal_is_possible();

	harness_add_if(can, why, tc, top_takes_the_screen_and_gives_it_back);
	harness_add_if(can, why, tc, keys_switch_between_the_views);
	harness_add_if(can, why, tc, keys_sort_by_any_column);
	harness_add_if(can, why, tc, columns_scroll);
	harness_add_if(can, why, tc, keys_scroll);
	harness_add_if(can, why, tc, a_key_asks_at_once_and_rates_are_told);
	harness_add_if(can, why, tc, top_asks_again_by_itself);
	harness_add_if(can, why, tc, the_picture_follows_the_size_of_the_terminal);
	harness_add_if(can, why, tc, a_server_that_goes_away_is_shown_and_found_again);
	harness_add_if(can, why, tc, an_answer_that_does_not_come_is_told_and_waited_for);
	harness_add_if(can, why, tc, a_connection_that_ends_between_two_rounds_is_noticed);
	harness_add_if(can, why, tc, top_ends_when_its_terminal_is_gone);
	harness_add_if(can, why, tc, a_count_ends_top_on_a_terminal);
	harness_add_if(can, why, tc, on_a_terminal_that_can_do_little_top_is_plain);
	if (can)
		tcase_add_loop_test(tc, a_signal_ends_top_and_the_terminal_is_in_order, 0, 4);
}

int main(void)
{
	Suite *s = suite_create("top");
	TCase *tc = harness_case(s, "plain");

	tcase_add_test(tc, without_a_terminal_top_prints_once);
	tcase_add_test(tc, top_prints_as_often_as_it_is_told);
	tcase_add_test(tc, top_goes_on_when_the_server_is_back);

	tc = harness_case(s, "live");
	add_live(tc);
	return harness_run(s);
}
