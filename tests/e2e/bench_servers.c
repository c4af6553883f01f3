/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * drover-bench against servers of the test's own, which do what a good server
 * does not: answer late or wrongly, say too much, close too early.
 */
#include <config.h>
#include "bench_harness.h"

#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define MS 1000000

/* ---- errors ------------------------------------------------------------- */

static void answers_wrong(struct guest *g)
{
	if (g->len) {
		g->bytes[g->len - 1] ^= 1;
		guest_echo(g);
	}
}

static void ends_early(struct guest *g)
{
	if (g->len) {
		guest_give(g, g->bytes, g->len / 2);
		guest_leave(g);
	}
}

static void says_too_much(struct guest *g)
{
	if (g->len && g->len < sizeof g->bytes) {
		g->len++;
		guest_echo(g);
	}
}

static void says_nothing(struct guest *g)
{
	g->len = 0;
}

static void resets(struct guest *g)
{
	if (g->len) {
		turn_remove(&g->hook);
		client_reset(g->hook.fd);
		g->hook.fd = -1;
	}
}

static void says_long_lines(struct guest *g)
{
	if (g->len)
		guest_give(g, "a line that is long\n", 20);
	g->len = 0;
}

/* Each gets what was meant for the other. */
static void mixes_up(struct guest *g)
{
	struct guest *first = &g->server->guests[0], *second = &g->server->guests[1];

	if (!first->len || !second->len)
		return;
	guest_give(first, second->bytes, second->len);
	guest_give(second, first->bytes, first->len);
	first->len = second->len = 0;
}

static const struct { const char *kind; void (*serve)(struct guest *g); const char *args[8]; double n; }
bad[] = {
	{ "wrong-answer", answers_wrong, { "-n2", "-k5" }, 5 },
	{ "wrong-answer", mixes_up, { "-n2", "-k2" }, 2 },
	{ "wrong-answer", says_long_lines, { "-k3", "--answer=line", "--expect=short" }, 3 },
	{ "early-end", ends_early, { "-n2", "-k5" }, 5 },
	{ "early-end", ends_early, { "-mconnect", "-n2", "-k5" }, 5 },
	{ "unasked", says_too_much, { "-k5" }, 5 },
	{ "timeout", says_nothing, { "-n2", "-k2", "-T50ms" }, 2 },
	{ "reset", resets, { "-n2", "-k5" }, 5 },
	{ "too-long", says_long_lines, { "-k5", "--answer=line", "--max-answer=8" }, 5 },
	{ "bad-frame", says_long_lines, { "-k5", "--answer=netstring" }, 5 },
};

START_TEST(what_is_wrong_has_a_kind_and_status_1)
{
	const char *args[10] = { NULL };
	size_t n = 0;

	server_start(bad[_i].serve, false);
	for (; bad[_i].args[n]; n++)
		args[n] = bad[_i].args[n];
	args[n] = server.address;
	ck_assert_msg(bench_run_args(args) == 1, "%s\n%s", bench.said, bench_errors());
	ck_assert_msg(bench_figure("errors_by_kind", bad[_i].kind) == bad[_i].n, "%s", bench.said);
	bench_check_figures(0, bad[_i].n);
} END_TEST

static void answers_once(struct guest *g)
{
	if (g->len) {
		guest_echo(g);
		guest_leave(g);
	}
}

START_TEST(a_connection_that_failed_is_opened_again)
{
	server_start(answers_once, false);
	ck_assert_int_eq(RUN("-k6", server.address), 1);
	ck_assert_double_ge(bench_figure(NULL, "operations"), 1);
	ck_assert_double_eq(bench_figure(NULL, "operations") + bench_figure(NULL, "errors"), 6);
	ck_assert_uint_ge(server.n_guests, 2);
	ck_assert_double_eq(bench_figure(NULL, "connections_opened"), server.n_guests);
} END_TEST

/* Its queue has room for a few: the others have to try again, which is no error. */
START_TEST(the_queue_of_a_unix_socket_is_waited_for)
{
	server_start(guest_echo, true);
	ck_assert_int_eq(RUN("-n60", "-k200", "-t2", server.address), 0);
	bench_check_figures(200, 0);
	ck_assert_double_eq(bench_figure(NULL, "connections_opened"), 60);
} END_TEST

START_TEST(after_many_errors_it_gives_up)
{
	server_start(answers_wrong, false);
	ck_assert_int_eq(RUN("-d1h", "--max-errors=3", server.address), 1);
	ck_assert_double_ge(bench_figure(NULL, "errors"), 3);
	harness_contains(bench_errors(), "gave up");
} END_TEST

static void gives_all_and_leaves(struct guest *g)
{
	if (g->len == 0)
		return;
	bench_stop();
	guest_echo(g);
	guest_leave(g);
	bench_go_on();
}

/* The end comes together with the answer, and nothing will come after it. */
START_TEST(an_end_behind_an_answer_is_seen)
{
	server_start(gives_all_and_leaves, _i);
	START("--gate", "-mhold", "-n2", "--size=9", server.address);
	bench_expect_line("begin\n");
	bench_say_line();
	bench_expect_line("end\n");
	bench_say_line();
	ck_assert_int_eq(bench_join(), 1);
	bench_check_figures(0, 2);
	ck_assert_double_eq(bench_figure("errors_by_kind", "early-end"), 2);
} END_TEST

static void speaks_first(struct guest *g)
{
	if (g->len == 0)
		guest_give(g, "hello", 5);
}

/* While it makes the other connects, the first are made and greeted. */
START_TEST(what_comes_with_the_connect_is_seen)
{
	server_start(speaks_first, false);
	ck_assert_msg(RUN("-mconnect", "-n8", "-k64", "--size=0", "--answer=length:5",
	                  server.address) == 0, "%s\n%s", bench.said, bench_errors());
	bench_check_figures(64, 0);
} END_TEST

START_TEST(no_server_is_69)
{
	const char *port, *address;
	int fd = client_listen(&port);

	address = files_text("127.0.0.1:%s", port);
	close(fd);
	ck_assert_int_eq(RUN("-n3", address), 69);
	ck_assert_double_eq(bench_figure("errors_by_kind", "refused"), 3);
	ck_assert_int_eq(RUN("-mconnect", "-k3", address), 69);
	ck_assert_double_eq(bench_figure("errors_by_kind", "refused"), 3);
	ck_assert_int_eq(RUN("-n2", files_text("unix:%s", files_path("nobody"))), 69);
	ck_assert_double_eq(bench_figure("errors_by_kind", "unreachable"), 2);
} END_TEST

/* Root may raise any limit, unless it gives that up. */
static void few_descriptors(void)
{
	setrlimit(RLIMIT_NOFILE, &(struct rlimit){ 64, 64 });
	process_give_up(CAP_SYS_RESOURCE);      /* fails for a process that does not have it */
}

START_TEST(too_few_descriptors_are_71_before_anything_begins)
{
	server_start(guest_echo, false);
	bench_before_exec = few_descriptors;
	ck_assert_int_eq(RUN("-n100", "-k1", server.address), 71);
	harness_contains(bench_errors(), "ulimit");
	ck_assert_uint_eq(server.n_guests, 0);
} END_TEST

/* Over a unix socket the end is there before the line is. */
START_TEST(a_held_connection_that_is_lost_is_an_error)
{
	server_start(says_nothing, true);
	START("--gate", "-mhold", "-n3", server.address);
	bench_expect_line("begin\n");
	while (server.n_guests < 3)
		turn_once();
	guest_leave(&server.guests[1]);
	bench_say_line();
	bench_expect_line("end\n");
	bench_say_line();
	ck_assert_int_eq(bench_join(), 1);
	ck_assert_double_eq(bench_figure("errors_by_kind", "early-end"), 1);
	ck_assert_double_eq(bench_figure(NULL, "connections_opened"), 3);
} END_TEST

/* ---- open-loop ---------------------------------------------------------- */

enum { STALL_MS = 200 };

static struct turn_hook stall;

static void on_stall_end(struct turn_hook *h, short revents)
{
	(void)revents;
	turn_remove(h);
	close(h->fd);
	guest_echo(&server.guests[0]);
}

/* The first request is answered late, the others at once. */
static void stalls(struct guest *g)
{
	static const struct itimerspec after = { .it_value = { .tv_nsec = STALL_MS * MS } };
	static bool has_stalled;

	if (!g->len)
		return;
	if (has_stalled) {
		guest_echo(g);
		return;
	}
	has_stalled = true;
	stall = (struct turn_hook){ .fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC), .events = POLLIN,
	                            .ready = on_stall_end };
	timerfd_settime(stall.fd, 0, &after, NULL);
	turn_add(&stall);
}

/*
 * Ten arrivals within ten milliseconds, on one connection: all but the first
 * find it taken, and however fast they are answered then, they have waited.
 */
START_TEST(a_connection_that_waits_behind_a_late_answer_is_late_too)
{
	server_start(stalls, false);
	ck_assert_int_eq(RUN("-mopen-loop", "-r1000", "-k10", server.address), 0);
	bench_check_figures(10, 0);
	ck_assert_double_ge(bench_figure("latency_usec", "max"), STALL_MS * 1000);
	ck_assert_double_ge(bench_figure("latency_usec", "min"), (STALL_MS - 10) * 1000);
} END_TEST

START_TEST(arrivals_that_were_not_served_are_counted)
{
	server_start(says_nothing, false);
	ck_assert_int_eq(RUN("-mopen-loop", "-r1000", "-d50ms", "-T100ms", server.address), 0);
	bench_check_figures(0, 0);
	ck_assert_double_eq(bench_figure(NULL, "arrivals_unserved"), 49);
} END_TEST

/* ---- PROXY -------------------------------------------------------------- */

static void says_ok(struct guest *g)
{
	if (g->len && memmem(g->bytes, g->len, "\nhello\n", 7))
		guest_give(g, "ok\n", 3);
}

START_TEST(a_proxy_header_goes_before_the_first_message)
{
	const char *from = _i ? "10.9.8.7" : "127.0.0.1";
	const char *want, *port;

	server_start(says_ok, false);
	port = strchr(server.address, ':') + 1;
	ck_assert_int_eq(RUN("-k1", "--proxy=v1", "--message=hello", "--answer=line", "--expect=ok",
	                     server.address, _i ? "--proxy-source=10.9.8.7" : NULL), 0);
	want = files_text("PROXY TCP4 %s 127.0.0.1 ", from);
	ck_assert_msg(strncmp(server.guests[0].bytes, want, strlen(want)) == 0, "%s",
	              server.guests[0].bytes);
	harness_contains(server.guests[0].bytes, files_text(" %s\r\nhello\n", port));
} END_TEST

/* Holds for any number of connections at once. */
START_TEST(clients_of_proxy_headers_are_named_in_turn)
{
	server_start(says_ok, false);
	ck_assert_int_eq(RUN("-mhold", "-n4", "--opening=4", "--message=hello", "--answer=line", "-d1ms",
	                     "--proxy=v1", "--proxy-source=10.0.0.0/24", server.address), 0);
	ck_assert_uint_eq(server.n_guests, 4);
	for (int host = 1; host <= 4; host++) {
		const char *want = files_text("PROXY TCP4 10.0.0.%d ", host);
		int n = 0;

		for (int i = 0; i < 4; i++)
			n += strncmp(server.guests[i].bytes, want, strlen(want)) == 0;
		ck_assert_msg(n == 1, "%s: %d", want, n);
	}
} END_TEST

int main(void)
{
	Suite *s = suite_create("bench_servers");
	TCase *tc = harness_case(s, "errors");

	signal(SIGPIPE, SIG_IGN);
	tcase_add_loop_test(tc, what_is_wrong_has_a_kind_and_status_1, 0, ARRAY_SIZE(bad));
	tcase_add_test(tc, a_connection_that_failed_is_opened_again);
	tcase_add_test(tc, the_queue_of_a_unix_socket_is_waited_for);
	tcase_add_test(tc, after_many_errors_it_gives_up);
	tcase_add_loop_test(tc, an_end_behind_an_answer_is_seen, 0, 2);
	tcase_add_test(tc, what_comes_with_the_connect_is_seen);
	tcase_add_test(tc, a_held_connection_that_is_lost_is_an_error);
	tcase_add_test(tc, no_server_is_69);
	tcase_add_test(tc, too_few_descriptors_are_71_before_anything_begins);

	tc = harness_case(s, "open-loop");
	tcase_add_test(tc, a_connection_that_waits_behind_a_late_answer_is_late_too);
	tcase_add_test(tc, arrivals_that_were_not_served_are_counted);

	tc = harness_case(s, "proxy");
	tcase_add_loop_test(tc, a_proxy_header_goes_before_the_first_message, 0, 2);
	tcase_add_test(tc, clients_of_proxy_headers_are_named_in_turn);
	return harness_run(s);
}
