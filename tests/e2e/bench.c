/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * drover-bench against the real daemon, where all goes well, and against
 * servers of the test's own, where it does not.
 */
#include <config.h>
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARGS_MAX 32
#define MS       1000000

static struct daemon d;

/* ---- running drover-bench ----------------------------------------------- */

struct run {
	pid_t pid;
	int   pidfd;
	int   in, out;                  /* our ends of its standard input and output */
	const char *said;               /* all of its standard output, when it has ended */
	int   status;
};

static struct run bench;
static void (*before_exec)(void);

/* With --json --quiet before the given arguments, which end in NULL. */
static void start(const char *const *args)
{
	const char *argv[ARGS_MAX] = { getenv("DROVER_BENCH"), "--json", "--quiet" };
	const char *errors = files_path("bench.txt");
	int in[2], out[2];
	size_t n = 3;

	ck_assert_msg(argv[0], "DROVER_BENCH must name the program to be tested");
	for (; *args; args++)
		argv[n++] = *args;
	ck_assert(n < ARGS_MAX && pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0);
	bench = (struct run){ .pid = fork(), .in = in[1], .out = out[0] };
	ck_assert_int_ne(bench.pid, -1);
	if (bench.pid == 0) {
		dup2(in[0], STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		dup2(open(errors, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644), STDERR_FILENO);
		if (before_exec)
			before_exec();
		execv(argv[0], (char *const *)argv);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	bench.pidfd = process_watch(bench.pid);
}

static void expect_line(const char *line)
{
	char byte, got[64] = "";
	size_t n = 0;

	do {
		turn_until_ready(bench.out, POLLIN);
		ck_assert_msg(read(bench.out, &byte, 1) == 1, "ended: %s",
		              files_read(files_path("bench.txt")));
		got[n++] = byte;
	} while (byte != '\n' && n < sizeof got - 1);
	ck_assert_str_eq(got, line);
}

static void say_line(void)
{
	ck_assert_int_eq(write(bench.in, "\n", 1), 1);
}

/* Waits for its end. Returns the exit status, or 128 and the signal. */
static int join(void)
{
	char buf[4096], *said;
	size_t size;
	ssize_t n;
	FILE *all = open_memstream(&said, &size);

	for (;;) {
		turn_until_ready(bench.out, POLLIN);
		n = read(bench.out, buf, sizeof buf);
		if (n <= 0)
			break;
		fwrite(buf, 1, (size_t)n, all);
	}
	fclose(all);
	bench.said = files_text("%s", said);
	free(said);
	turn_until_ready(bench.pidfd, POLLIN);
	ck_assert_int_eq(waitpid(bench.pid, &bench.status, 0), bench.pid);
	close(bench.pidfd);
	close(bench.in);
	close(bench.out);
	return WIFEXITED(bench.status) ? WEXITSTATUS(bench.status) : 128 + WTERMSIG(bench.status);
}

static int run_args(const char *const *args)
{
	start(args);
	return join();
}

#define START(...) start((const char *const[]){ __VA_ARGS__, NULL })
#define RUN(...) run_args((const char *const[]){ __VA_ARGS__, NULL })

static const char *errors(void)
{
	return files_read(files_path("bench.txt"));
}

/* A number of its report: a member, or the member of a member. */
static double figure(const char *group, const char *name)
{
	json_error_t error;
	json_t *report = json_loads(bench.said, 0, &error);
	const json_t *value;
	double n;

	ck_assert_msg(report, "%s in:\n%s\n%s", error.text, bench.said, errors());
	value = json_object_get(group ? json_object_get(report, group) : report, name);
	n = json_is_number(value) ? json_number_value(value) : 0;
	json_decref(report);
	return n;
}

static void check_figures(double operations, double n_errors)
{
	ck_assert_msg(figure(NULL, "operations") == operations && figure(NULL, "errors") == n_errors,
	              "%s", bench.said);
}

/* ---- servers of our own ------------------------------------------------- */

struct server;

/* A connection of a server of ours. */
struct guest {
	struct turn_hook hook;
	struct server   *server;
	unsigned         nr;            /* in the order of accepting, from 0 */
	size_t           len;
	char             bytes[8192];   /* that came and were not taken yet */
};

#define GUESTS_MAX 64

struct server {
	/* Called when a connection is new (len is 0), and when bytes have come. */
	void           (*serve)(struct guest *g);
	struct turn_hook hook;
	const char      *address;
	unsigned         n_guests;
	struct guest     guests[GUESTS_MAX];
};

static struct server server;

static void leave(struct guest *g)
{
	turn_remove(&g->hook);
	if (g->hook.fd != -1)
		close(g->hook.fd);
	g->hook.fd = -1;
}

static void on_bytes(struct turn_hook *h, short revents)
{
	struct guest *g = container_of(h, struct guest, hook);
	ssize_t n = recv(h->fd, g->bytes + g->len, sizeof g->bytes - g->len, MSG_DONTWAIT);

	(void)revents;
	if (n == -1 && errno == EAGAIN)
		return;
	if (n <= 0) {
		leave(g);
		return;
	}
	g->len += (size_t)n;
	g->server->serve(g);
}

static void on_guest(struct turn_hook *h, short revents)
{
	struct server *s = container_of(h, struct server, hook);
	struct guest *g = &s->guests[s->n_guests];

	(void)revents;
	ck_assert_uint_lt(s->n_guests, GUESTS_MAX);
	*g = (struct guest){ .server = s, .nr = s->n_guests++ };
	g->hook = (struct turn_hook){ .fd = accept4(h->fd, NULL, NULL, SOCK_CLOEXEC), .events = POLLIN,
	                              .ready = on_bytes };
	ck_assert_int_ne(g->hook.fd, -1);
	turn_add(&g->hook);
	s->serve(g);
}

static void serve(void (*how)(struct guest *g), bool on_unix)
{
	const char *port;

	server.serve = how;
	server.hook = (struct turn_hook){ .events = POLLIN, .ready = on_guest };
	if (on_unix) {
		server.hook.fd = client_listen_unix(files_path("own.sock"));
		server.address = files_text("unix:%s", files_path("own.sock"));
	} else {
		server.hook.fd = client_listen(&port);
		server.address = files_text("127.0.0.1:%s", port);
	}
	turn_add(&server.hook);
}

static void give(struct guest *g, const char *bytes, size_t len)
{
	client_send(g->hook.fd, bytes, len);
}

static void echo_all(struct guest *g)
{
	if (g->len)
		give(g, g->bytes, g->len);
	g->len = 0;
}

/* ---- where all goes well ------------------------------------------------ */

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
	{ "open-loop anew", { "-mopen-loop", "-n4", "-k200", "-r5000", "--new-connections" }, 200 },
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
	ck_assert_msg(run_args(args) == 0, "%s\n%s", bench.said, errors());
	check_figures(200, 0);
	ck_assert_double_eq(figure(NULL, "connections_opened"), good[row].connections);
	ck_assert_double_eq(figure(NULL, "bytes_sent"), figure(NULL, "bytes_received"));
	ck_assert_double_gt(figure("latency_usec", "min"), 0);
	ck_assert_double_ge(figure("latency_usec", "max"), figure("latency_usec", "p50"));
	ck_assert_str_eq(errors(), "");
} END_TEST

START_TEST(streams_go_both_ways)
{
	const char *address = start_echo(_i);

	ck_assert_int_eq(RUN("-mstream", "-n2", "-k100000", "--echo", address), 0);
	check_figures(100000, 0);
	ck_assert_double_ge(figure(NULL, "bytes_received"), 64 * 100000);
	ck_assert_double_ge(figure(NULL, "bytes_sent"), figure(NULL, "bytes_received"));
} END_TEST

START_TEST(streams_go_one_way)
{
	daemon_start(&d, SERVICES(SERVICE("out", "discard", "workers = 1;")
	                          SERVICE("in", "chargen", "workers = 1;")));
	ck_assert_int_eq(RUN("-mstream", "--stream=send", "-k9999", daemon_address(&d, "out", 0)), 0);
	check_figures(9999, 0);
	ck_assert_double_eq(figure(NULL, "bytes_received"), 0);
	ck_assert_int_eq(RUN("-mstream", "--stream=receive", "-k9999", daemon_address(&d, "in", 0)), 0);
	check_figures(9999, 0);
	ck_assert_double_eq(figure(NULL, "bytes_sent"), 0);
	ck_assert_int_eq(RUN("--answer=none", "-n2", "-k999", daemon_address(&d, "out", 0)), 0);
	check_figures(999, 0);
} END_TEST

/* One connection, so that the daemon's count of its bytes is that of all. */
START_TEST(the_warm_up_is_not_counted)
{
	const char *address = start_echo(0);

	ck_assert_int_eq(RUN("-k10", "-w100ms", address), 0);
	check_figures(10, 0);
	ck_assert_double_eq(figure(NULL, "bytes_sent"), 640);
	ck_assert_int_gt(event_number(daemon_wait_for(&d, "connection-end"), "in"), 640);
} END_TEST

START_TEST(connects_keep_to_their_rate)
{
	const char *address = start_echo(0);

	ck_assert_int_eq(RUN("-mconnect", "-n4", "-k5", "--connect-rate=50/s", address), 0);
	check_figures(5, 0);
	ck_assert_double_ge(figure(NULL, "seconds"), .08);
} END_TEST

START_TEST(a_time_is_an_end)
{
	const char *address = start_echo(0);

	ck_assert_int_eq(RUN("-n2", "-d50ms", address), 0);
	ck_assert_double_eq_tol(figure(NULL, "seconds"), .05, 1e-6);
	ck_assert_double_gt(figure(NULL, "operations"), 0);
} END_TEST

/* ---- where something is wrong ------------------------------------------- */

static void answers_wrong(struct guest *g)
{
	if (g->len) {
		g->bytes[g->len - 1] ^= 1;
		echo_all(g);
	}
}

static void ends_early(struct guest *g)
{
	if (g->len) {
		give(g, g->bytes, g->len / 2);
		leave(g);
	}
}

static void says_too_much(struct guest *g)
{
	if (g->len && g->len < sizeof g->bytes) {
		g->len++;
		echo_all(g);
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
		give(g, "a line that is long\n", 20);
	g->len = 0;
}

/* Each gets what was meant for the other. */
static void mixes_up(struct guest *g)
{
	struct guest *first = &g->server->guests[0], *second = &g->server->guests[1];

	if (!first->len || !second->len)
		return;
	give(first, second->bytes, second->len);
	give(second, first->bytes, first->len);
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

	serve(bad[_i].serve, false);
	for (; bad[_i].args[n]; n++)
		args[n] = bad[_i].args[n];
	args[n] = server.address;
	ck_assert_msg(run_args(args) == 1, "%s\n%s", bench.said, errors());
	ck_assert_msg(figure("errors_by_kind", bad[_i].kind) == bad[_i].n, "%s", bench.said);
	check_figures(0, bad[_i].n);
} END_TEST

static void answers_once(struct guest *g)
{
	if (g->len) {
		echo_all(g);
		leave(g);
	}
}

START_TEST(a_connection_that_failed_is_opened_again)
{
	serve(answers_once, false);
	ck_assert_int_eq(RUN("-k6", server.address), 1);
	ck_assert_double_ge(figure(NULL, "operations"), 1);
	ck_assert_double_eq(figure(NULL, "operations") + figure(NULL, "errors"), 6);
	ck_assert_uint_ge(server.n_guests, 2);
	ck_assert_double_eq(figure(NULL, "connections_opened"), server.n_guests);
} END_TEST

/* Its queue has room for a few: the others are told to try again, which is no error. */
START_TEST(the_queue_of_a_unix_socket_is_waited_for)
{
	serve(echo_all, true);
	ck_assert_int_eq(RUN("-n60", "-k200", "-t2", server.address), 0);
	check_figures(200, 0);
	ck_assert_double_eq(figure(NULL, "connections_opened"), 60);
} END_TEST

START_TEST(after_many_errors_it_gives_up)
{
	serve(answers_wrong, false);
	ck_assert_int_eq(RUN("-d1h", "--max-errors=3", server.address), 1);
	ck_assert_double_ge(figure(NULL, "errors"), 3);
	ck_assert_ptr_nonnull(strstr(errors(), "gave up"));
} END_TEST

START_TEST(nobody_there_is_69)
{
	const char *port, *address;
	int fd = client_listen(&port);

	address = files_text("127.0.0.1:%s", port);
	close(fd);
	ck_assert_int_eq(RUN("-n3", address), 69);
	ck_assert_double_eq(figure("errors_by_kind", "refused"), 3);
	ck_assert_int_eq(RUN("-mconnect", "-k3", address), 69);
	ck_assert_double_eq(figure("errors_by_kind", "refused"), 3);
	ck_assert_int_eq(RUN("-n2", files_text("unix:%s", files_path("nobody"))), 69);
	ck_assert_double_eq(figure("errors_by_kind", "unreachable"), 2);
} END_TEST

START_TEST(wrong_usage_is_64)
{
	ck_assert_int_eq(RUN("-n", "none", "127.0.0.1:1"), 64);
	ck_assert_str_eq(bench.said, "");
	ck_assert_uint_eq(files_count(errors(), "\n"), 1);
	ck_assert_int_eq(RUN("--compare", files_path("nowhere.json"), "127.0.0.1:1"), 64);
	ck_assert_ptr_nonnull(strstr(errors(), "nowhere.json"));
} END_TEST

/* Root may raise any limit, unless it gives that up. */
static void few_descriptors(void)
{
	setrlimit(RLIMIT_NOFILE, &(struct rlimit){ 64, 64 });
	prctl(PR_CAPBSET_DROP, CAP_SYS_RESOURCE);
}

START_TEST(too_few_descriptors_are_71_before_anything_begins)
{
	serve(echo_all, false);
	before_exec = few_descriptors;
	ck_assert_int_eq(RUN("-n100", "-k1", server.address), 71);
	ck_assert_ptr_nonnull(strstr(errors(), "ulimit"));
	ck_assert_uint_eq(server.n_guests, 0);
} END_TEST

/* ---- open-loop ---------------------------------------------------------- */

enum { STALL_MS = 200 };

static struct turn_hook stall;

static void on_stall_end(struct turn_hook *h, short revents)
{
	(void)revents;
	turn_remove(h);
	close(h->fd);
	echo_all(&server.guests[0]);
}

/* The first request is answered late, the others at once. */
static void stalls(struct guest *g)
{
	static const struct itimerspec after = { .it_value = { .tv_nsec = STALL_MS * MS } };
	static bool has_stalled;

	if (!g->len)
		return;
	if (has_stalled) {
		echo_all(g);
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
START_TEST(who_waits_behind_a_late_answer_is_late_too)
{
	serve(stalls, false);
	ck_assert_int_eq(RUN("-mopen-loop", "-r1000", "-k10", server.address), 0);
	check_figures(10, 0);
	ck_assert_double_ge(figure("latency_usec", "max"), STALL_MS * 1000);
	ck_assert_double_ge(figure("latency_usec", "min"), (STALL_MS - 10) * 1000);
} END_TEST

START_TEST(arrivals_that_nobody_served_are_counted)
{
	serve(says_nothing, false);
	ck_assert_int_eq(RUN("-mopen-loop", "-r1000", "-d50ms", "-T100ms", server.address), 0);
	check_figures(0, 0);
	ck_assert_double_eq(figure(NULL, "arrivals_unserved"), 49);
} END_TEST

/* ---- addresses and headers ---------------------------------------------- */

static void says_ok(struct guest *g)
{
	if (g->len && memmem(g->bytes, g->len, "\nhello\n", 7))
		give(g, "ok\n", 3);
}

START_TEST(a_proxy_header_goes_before_the_first_message)
{
	const char *from = _i ? "10.9.8.7" : "127.0.0.1";
	const char *want, *port;

	serve(says_ok, false);
	port = strchr(server.address, ':') + 1;
	ck_assert_int_eq(RUN("-k1", "--proxy=v1", "--message=hello", "--answer=line", "--expect=ok",
	                     server.address, _i ? "--proxy-source=10.9.8.7" : NULL), 0);
	want = files_text("PROXY TCP4 %s 127.0.0.1 ", from);
	ck_assert_msg(strncmp(server.guests[0].bytes, want, strlen(want)) == 0, "%s",
	              server.guests[0].bytes);
	ck_assert_ptr_nonnull(strstr(server.guests[0].bytes, files_text(" %s\r\nhello\n", port)));
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
	expect_line("begin\n");
	for (int i = 0; i < 8; i++)     /* that they were accepted is known from the first exchange */
		daemon_wait_for(&d, "connection-open");
	say_line();                     /* where nothing is done, the one that ends the holding */
	expect_line("end\n");
	daemon_barrier(&d);
	ck_assert_uint_eq(daemon_saw(&d, "connection-end"), 0);
	say_line();
	ck_assert_int_eq(join(), 0);
	check_figures(_i ? 0 : 100, 0);
	ck_assert_double_eq(figure(NULL, "connections_opened"), 8);
	for (int i = 0; i < 8; i++)
		daemon_wait_for(&d, "connection-end how=closed");
} END_TEST

START_TEST(a_gate_that_is_gone_is_70)
{
	const char *address = start_echo(0);

	START("--gate", "-k100", address);
	expect_line("begin\n");
	if (_i) {
		say_line();
		expect_line("end\n");
	}
	close(bench.in);
	bench.in = open("/dev/null", O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(join(), 70);
	ck_assert_str_eq(bench.said, "");
} END_TEST

/* Over a unix socket the end is there before the line is. */
START_TEST(a_held_connection_that_is_lost_is_an_error)
{
	serve(says_nothing, true);
	START("--gate", "-mhold", "-n3", server.address);
	expect_line("begin\n");
	while (server.n_guests < 3)
		turn_once();
	leave(&server.guests[1]);
	say_line();
	expect_line("end\n");
	say_line();
	ck_assert_int_eq(join(), 1);
	ck_assert_double_eq(figure("errors_by_kind", "early-end"), 1);
	ck_assert_double_eq(figure(NULL, "connections_opened"), 3);
} END_TEST

START_TEST(an_interrupt_ends_early_with_a_report)
{
	const char *address = start_echo(0);

	START("--gate", "-n2", "-d1h", address);
	expect_line("begin\n");
	say_line();
	ck_assert_int_eq(kill(bench.pid, SIGINT), 0);
	ck_assert_int_eq(join(), 0);
	ck_assert_double_eq(figure(NULL, "errors"), 0);
	ck_assert_double_eq(figure(NULL, "connections_opened"), 2);
} END_TEST

/* ---- reports ------------------------------------------------------------ */

START_TEST(a_report_can_be_saved_and_compared)
{
	const char *address = start_echo(0), *file = files_path("then.json");

	ck_assert_int_eq(RUN("-k20", "--save", file, address), 0);
	ck_assert_str_eq(files_read(file), bench.said);
	ck_assert_int_eq(RUN("-k20", "-n2", "--compare", file, address), 0);
	check_figures(20, 0);           /* the table does not disturb the report */
	ck_assert_ptr_nonnull(strstr(errors(), "connections: then 1, now 2"));
	ck_assert_ptr_nonnull(strstr(errors(), "operations/s"));
} END_TEST

START_TEST(the_text_is_for_people)
{
	const char *address = start_echo(0), *said;

	ck_assert_int_eq(process_run_args(getenv("DROVER_BENCH"), "-k20", "-n2", address), 0);
	said = files_read(files_path("command-output"));
	ck_assert_ptr_nonnull(strstr(said, "ping-pong to 127.0.0.1:"));
	ck_assert_ptr_nonnull(strstr(said, "p99.99"));
	ck_assert_ptr_null(strchr(said, '\033'));       /* no progress where there is no terminal */
} END_TEST

int main(void)
{
	const int n_good = ARRAY_SIZE(good) * ADDRESSES;
	Suite *s = suite_create("bench");
	TCase *tc = harness_case(s, "good");

	signal(SIGPIPE, SIG_IGN);
	for (int i = 0; i < n_good; i++)
		if (i % ADDRESSES < 2 || harness_has_ipv6())
			tcase_add_loop_test(tc, operations_are_counted_exactly, i, i + 1);
	tcase_add_loop_test(tc, streams_go_both_ways, 0, 2);
	tcase_add_test(tc, streams_go_one_way);
	tcase_add_test(tc, the_warm_up_is_not_counted);
	tcase_add_test(tc, connects_keep_to_their_rate);
	tcase_add_test(tc, a_time_is_an_end);

	tc = harness_case(s, "bad");
	tcase_add_loop_test(tc, what_is_wrong_has_a_kind_and_status_1, 0, ARRAY_SIZE(bad));
	tcase_add_test(tc, a_connection_that_failed_is_opened_again);
	tcase_add_test(tc, the_queue_of_a_unix_socket_is_waited_for);
	tcase_add_test(tc, after_many_errors_it_gives_up);
	tcase_add_test(tc, nobody_there_is_69);
	tcase_add_test(tc, wrong_usage_is_64);
	tcase_add_test(tc, too_few_descriptors_are_71_before_anything_begins);

	tc = harness_case(s, "open-loop");
	tcase_add_test(tc, who_waits_behind_a_late_answer_is_late_too);
	tcase_add_test(tc, arrivals_that_nobody_served_are_counted);

	tc = harness_case(s, "addresses");
	tcase_add_loop_test(tc, a_proxy_header_goes_before_the_first_message, 0, 2);
	tcase_add_test(tc, sources_are_used_in_turn);

	tc = harness_case(s, "gate");
	tcase_add_loop_test(tc, at_the_gate_all_is_open_and_stays_so, 0, 2);
	tcase_add_loop_test(tc, a_gate_that_is_gone_is_70, 0, 2);
	tcase_add_test(tc, a_held_connection_that_is_lost_is_an_error);
	tcase_add_test(tc, an_interrupt_ends_early_with_a_report);

	tc = harness_case(s, "report");
	tcase_add_test(tc, a_report_can_be_saved_and_compared);
	tcase_add_test(tc, the_text_is_for_people);
	return harness_run(s);
}
