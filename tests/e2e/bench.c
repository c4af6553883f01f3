/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * drover-bench against the real daemon: all goes well, and is counted exactly.
 */
#include <config.h>
#include "bench_harness.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct daemon d;

/* ---- operations --------------------------------------------------------- */

#define ALL "\"127.0.0.1:0\", \"unix:%s\""

static const char *start_echo(int kind)
{
	daemon_start(&d, "services = { e = { listen = [ " ALL "%s ]; workers = 2;"
	             " handler = { type = \"echo\"; }; }; };\n", files_path("e.sock"),
	             harness_has_ipv6() ? ", \"[::1]:0\"" : "");
	return daemon_address(&d, "e", (size_t)kind);
}

static const struct { const char *name, *args[10]; double connections; } good[] = {
	{ "ping-pong", { "-n4", "-k200" }, 4 },
	{ "ping-pong in threads", { "-n5", "-t2", "-k200" }, 5 },
	{ "one at a time", { "-n3", "-k200", "--opening=1", "--size=20k" }, 3 },
	{ "connect", { "-mconnect", "-n4", "-k200" }, 200 },
	{ "connect in threads", { "-mconnect", "-n5", "-t3", "-k200" }, 200 },
	{ "connect, to the end", { "-mconnect", "-n4", "-k200", "--answer=eof", "--echo" }, 200 },
	{ "open-loop", { "-mopen-loop", "-n4", "-k200", "-r5000" }, 4 },
	{ "open-loop by chance", { "-mopen-loop", "-n4", "-t2", "-k200", "-r5000", "--arrivals=poisson" },
	  4 },
	{ "open-loop, new connections", { "-mopen-loop", "-n4", "-k200", "-r5000", "--new-connections" }, 200 },
	{ "lines", { "-n2", "-k200", "--answer=line", "--echo" }, 2 },
	{ "netstrings", { "-n2", "-k200", "--answer=netstring", "--message=hello", "--expect=hello" }, 2 },
	{ "lengths", { "-n2", "-k200", "--answer=length32", "--echo", "--size=100" }, 2 },
	{ "raw", { "-n2", "-k200", "--answer=line", "--raw", "--message=a b\\n", "--expect=a b" }, 2 },
};

enum { ADDRESSES = 3 };

START_TEST(operations_are_counted_exactly)
{
	const size_t row = (size_t)_i / ADDRESSES;
	const char *address = start_echo(_i % ADDRESSES), *args[12] = { address };

	files_write("row", "%s to %s\n", good[row].name, address);
	for (size_t i = 0; good[row].args[i]; i++)
		args[i + 1] = good[row].args[i];
	ck_assert_msg(bench_run_args(args) == 0, "%s\n%s", bench.said, bench_errors());
	bench_check_figures(200, 0);
	ck_assert_double_eq(bench_figure(NULL, "connections_opened"), good[row].connections);
	ck_assert_double_eq(bench_figure(NULL, "bytes_sent"), bench_figure(NULL, "bytes_received"));
	ck_assert_double_gt(bench_figure("latency_usec", "min"), 0);
	ck_assert_double_ge(bench_figure("latency_usec", "max"), bench_figure("latency_usec", "p50"));
	ck_assert_str_eq(bench_errors(), "");
} END_TEST

START_TEST(streams_go_both_ways)
{
	const char *address = start_echo(_i);

	ck_assert_int_eq(RUN("-mstream", "-n2", "-k100000", "--echo", address), 0);
	bench_check_figures(100000, 0);
	ck_assert_double_ge(bench_figure(NULL, "bytes_received"), 64 * 100000);
	ck_assert_double_ge(bench_figure(NULL, "bytes_sent"), bench_figure(NULL, "bytes_received"));
} END_TEST

START_TEST(streams_go_one_way)
{
	daemon_start(&d, SERVICES(SERVICE("out", "discard", "workers = 1;")
	                          SERVICE("in", "chargen", "workers = 1;")));
	ck_assert_int_eq(RUN("-mstream", "--stream=send", "-k9999", daemon_address(&d, "out", 0)), 0);
	bench_check_figures(9999, 0);
	ck_assert_double_eq(bench_figure(NULL, "bytes_received"), 0);
	ck_assert_int_eq(RUN("-mstream", "--stream=receive", "-k9999", daemon_address(&d, "in", 0)), 0);
	bench_check_figures(9999, 0);
	ck_assert_double_eq(bench_figure(NULL, "bytes_sent"), 0);
	ck_assert_int_eq(RUN("--answer=none", "-n2", "-k999", daemon_address(&d, "out", 0)), 0);
	bench_check_figures(999, 0);
} END_TEST

/* One connection, so that the daemon's count of its bytes is the count of all bytes. */
START_TEST(the_warm_up_is_not_counted)
{
	const char *address = start_echo(0);

	ck_assert_int_eq(RUN("-k10", "-w100ms", address), 0);
	bench_check_figures(10, 0);
	ck_assert_double_eq(bench_figure(NULL, "bytes_sent"), 640);
	ck_assert_int_gt(event_number(daemon_wait_for(&d, "connection-end"), "in"), 640);
} END_TEST

START_TEST(connects_keep_to_their_rate)
{
	const char *address = start_echo(0);

	ck_assert_int_eq(RUN("-mconnect", "-n4", "-k5", "--connect-rate=50/s", address), 0);
	bench_check_figures(5, 0);
	ck_assert_double_ge(bench_figure(NULL, "seconds"), .08);
} END_TEST

START_TEST(a_time_is_an_end)
{
	const char *address = start_echo(0);

	ck_assert_int_eq(RUN("-n2", "-d50ms", address), 0);
	ck_assert_double_eq_tol(bench_figure(NULL, "seconds"), .05, 1e-6);
	ck_assert_double_gt(bench_figure(NULL, "operations"), 0);
} END_TEST

/* The next would be due in an hour. */
START_TEST(the_last_operation_is_the_end)
{
	static const char *const args[][3] = {
		{ "-mopen-loop", "-r1/h" },
		{ "-mopen-loop", "-r1/h", "--new-connections" },
		{ "-mconnect", "--connect-rate=1/h" },
	};
	const char *address = start_echo(0);

	ck_assert_int_eq(RUN("-k1", address, args[_i][0], args[_i][1], args[_i][2]), 0);
	bench_check_figures(1, 0);
} END_TEST

START_TEST(sources_are_used_in_turn)
{
	daemon_start(&d, SERVICES(SERVICE("e", "echo", "workers = 1;")));
	ck_assert_int_eq(RUN("-mconnect", "-k4", "--source=127.0.0.8/30", daemon_address(&d, "e", 0)), 0);
	for (int i = 0; i < 4; i++) {
		const char *peer = event_word(daemon_wait_for(&d, "connection-open"), "peer");
		const char *want = i % 2 ? "127.0.0.10:" : "127.0.0.9:";

		ck_assert_msg(strncmp(peer, want, strlen(want)) == 0, "%s", peer);
	}
} END_TEST

/* ---- the gate ----------------------------------------------------------- */

START_TEST(at_the_gate_all_is_open_and_stays_so)
{
	static const char *const modes[] = { "ping-pong", "hold" };
	const char *address = start_echo(0);

	START("--gate", "-n8", "-m", modes[_i], _i ? "--size=9" : "-k100", address);
	bench_expect_line("begin\n");
	for (int i = 0; i < 8; i++)     /* only the first exchange shows that they were accepted */
		daemon_wait_for(&d, "connection-open");
	bench_say_line();                     /* this line ends the time in which connections are only held */
	bench_expect_line("end\n");
	daemon_barrier(&d);
	ck_assert_uint_eq(daemon_saw(&d, "connection-end"), 0);
	bench_say_line();
	ck_assert_int_eq(bench_join(), 0);
	bench_check_figures(_i ? 0 : 100, 0);
	ck_assert_double_eq(bench_figure(NULL, "connections_opened"), 8);
	for (int i = 0; i < 8; i++)
		daemon_wait_for(&d, "connection-end how=closed");
} END_TEST

START_TEST(a_gate_that_is_gone_is_70)
{
	const char *address = start_echo(0);

	START("--gate", "-k100", address);
	bench_expect_line("begin\n");
	if (_i) {
		bench_say_line();
		bench_expect_line("end\n");
	}
	close(bench.in);
	bench.in = open("/dev/null", O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(bench_join(), 70);
	ck_assert_str_eq(bench.said, "");
} END_TEST

START_TEST(an_interrupt_ends_early_with_a_report)
{
	const char *address = start_echo(0);

	START("--gate", "-n2", "-d1h", address);
	bench_expect_line("begin\n");
	bench_say_line();
	ck_assert_int_eq(kill(bench.pid, SIGINT), 0);
	ck_assert_int_eq(bench_join(), 0);
	ck_assert_double_eq(bench_figure(NULL, "errors"), 0);
	ck_assert_double_eq(bench_figure(NULL, "connections_opened"), 2);
} END_TEST

START_TEST(an_interrupt_while_opening_leads_to_no_gate)
{
	const char *address = start_echo(0);

	START("--gate", "-mhold", "-n2", "--connect-rate=1/h", address);
	daemon_wait_for(&d, "connection-open");
	ck_assert_int_eq(kill(bench.pid, SIGINT), 0);
	ck_assert_int_eq(bench_join(), 0);
	ck_assert_double_eq(bench_figure(NULL, "connections_opened"), 1);
} END_TEST

/* ---- reports ------------------------------------------------------------ */

START_TEST(a_report_can_be_saved_and_compared)
{
	const char *address = start_echo(0), *file = files_path("then.json");

	ck_assert_int_eq(RUN("-k20", "--save", file, address), 0);
	ck_assert_str_eq(files_read(file), bench.said);
	ck_assert_int_eq(RUN("-k20", "-n2", "--compare", file, address), 0);
	bench_check_figures(20, 0);           /* the table does not disturb the report */
	harness_contains(bench_errors(), "connections: then 1, now 2");
	harness_contains(bench_errors(), "operations/s");
} END_TEST

START_TEST(the_text_is_for_people)
{
	const char *address = start_echo(0), *said;

	ck_assert_int_eq(process_run_args(getenv("DROVER_BENCH"), "-k20", "-n2", address), 0);
	said = files_read(files_path("command-output"));
	harness_contains(said, "ping-pong to 127.0.0.1:");
	harness_contains(said, "p99.99");
	ck_assert_ptr_null(strchr(said, '\033'));       /* without a terminal, it shows no progress */
} END_TEST

START_TEST(wrong_usage_is_64)
{
	ck_assert_int_eq(RUN("-n", "none", "127.0.0.1:1"), 64);
	ck_assert_str_eq(bench.said, "");
	ck_assert_uint_eq(files_count(bench_errors(), "\n"), 1);
	ck_assert_int_eq(RUN("--compare", files_path("nowhere.json"), "127.0.0.1:1"), 64);
	harness_contains(bench_errors(), "nowhere.json");
} END_TEST

int main(void)
{
	const int n_good = ARRAY_SIZE(good) * ADDRESSES;
	Suite *s = suite_create("bench");
	TCase *tc = harness_case(s, "operations");

	signal(SIGPIPE, SIG_IGN);
	for (int i = 0; i < n_good; i++)
		if (i % ADDRESSES < 2 || harness_has_ipv6())
			tcase_add_loop_test(tc, operations_are_counted_exactly, i, i + 1);
	tcase_add_loop_test(tc, streams_go_both_ways, 0, 2);
	tcase_add_test(tc, streams_go_one_way);
	tcase_add_test(tc, the_warm_up_is_not_counted);
	tcase_add_test(tc, connects_keep_to_their_rate);
	tcase_add_test(tc, a_time_is_an_end);
	tcase_add_loop_test(tc, the_last_operation_is_the_end, 0, 3);
	tcase_add_test(tc, sources_are_used_in_turn);

	tc = harness_case(s, "gate");
	tcase_add_loop_test(tc, at_the_gate_all_is_open_and_stays_so, 0, 2);
	tcase_add_loop_test(tc, a_gate_that_is_gone_is_70, 0, 2);
	tcase_add_test(tc, an_interrupt_ends_early_with_a_report);
	tcase_add_test(tc, an_interrupt_while_opening_leads_to_no_gate);

	tc = harness_case(s, "report");
	tcase_add_test(tc, a_report_can_be_saved_and_compared);
	tcase_add_test(tc, the_text_is_for_people);
	tcase_add_test(tc, wrong_usage_is_64);
	return harness_run(s);
}
