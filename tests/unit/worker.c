/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A worker in a process of its own, without a master: what its board says from
 * its birth to its end.
 */
#include <config.h>
#include "worker.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "clock.h"
#include "handlers.h"
#include "leash.h"
#include "unit.h"

#define ME 1                            /* its slot, of three */
#define WAITED_MS 20
#define TICK_MS 10                      /* of the kernel, at most */

static const char *const none[] = { NULL };
static struct conf_service service;
static struct pool_memory memory;
static struct service_memory service_memory;
static struct board *board;            /* in it */
static struct board_worker_view w;
static struct board_connection_view c;
static int listener;
static struct leash leash;
static pid_t worker;
static int64_t forked_ms, shutdown_timeout_ms;
static bool is_late;                    /* a client waits before it begins, and that is measured */
static int early;                       /* that client */
static pid_t master;                    /* as the worker knows it; 0: another process */

static int listen_on_loopback(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
	                          .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
	ck_assert_int_eq(listen(fd, 8), 0);
	return fd;
}

static int connect_to_it(void)
{
	struct sockaddr_in at;
	socklen_t len = sizeof at;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&at, &len), 0);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
	return fd;
}

/* As the master does before it forks: the worker reads them. */
static void block_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGQUIT);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

static void set_up_worker(void)
{
	static struct conf_listen anywhere;
	static const size_t first;
	struct worker_start start;
	struct leash its;

	log_use(NULL, LOG_LEVEL_ERROR);
	service = (struct conf_service){
		.name = "test", .listen = &anywhere, .connections = 4, .directory = "/", .umask = CONF_KEEP,
		.handler = { .id = HANDLER_ID_echo, .env = (const char **)(uintptr_t)none,
		             .pass_env = (const char **)(uintptr_t)none },
		.identity = { .uid = (uid_t)CONF_KEEP, .gid = (gid_t)CONF_KEEP },
		.timeouts = { .idle = 600000, .write = 600000 }, .measures_queue = is_late,
	};
	ck_assert_int_eq(pool_memory_make(&memory, &(struct pool_memory_size){ 3, 4, 0 }), 0);
	ck_assert_int_eq(service_memory_make(&service_memory, SOURCES_MIN), 0);
	board = memory.board;
	board_reset(board, ME, BOARD_STARTING);
	listener = listen_on_loopback();
	if (is_late) {
		early = connect_to_it();
		poll(NULL, 0, WAITED_MS);
	}
	ck_assert_int_eq(leash_open(&leash, &its), 0);
	start = (struct worker_start){ .service = &service, .handler = &handler_echo, .module = -1,
	                               .listeners = &listener, .listens = &first, .n_listeners = 1,
	                               .leash = its, .memory = &memory,
	                               .service_memory = &service_memory, .slot = ME, .log_level = LOG_LEVEL_ERROR,
	                               .master = master, .shutdown_timeout_ms = shutdown_timeout_ms };
	forked_ms = clock_ms();
	block_signals();
	worker = fork();
	if (worker == 0)
		worker_main(&start);
	leash_close(&its);
}

static void set_up(void)
{
	master = 0;
	shutdown_timeout_ms = 0;
	set_up_worker();
}

static void set_up_late(void)
{
	master = 0;
	shutdown_timeout_ms = 0;
	is_late = true;
	set_up_worker();
}

/* The test, which sends the signals, is the master. */
static void set_up_under_us(void)
{
	master = getpid();
	shutdown_timeout_ms = 0;
	set_up_worker();
}

static void set_up_short(void)
{
	master = 0;
	shutdown_timeout_ms = 50;
	set_up_worker();
}

static void tear_down(void)
{
	pool_memory_free(&memory);
	service_memory_free(&service_memory);
	close(listener);
	leash_close(&leash);
}

static void await_ready(void)
{
	struct leash_message m;

	ck_assert_int_eq(poll(&(struct pollfd){ .fd = leash.words, .events = POLLIN }, 1, -1), 1);
	ck_assert_int_eq(leash_hear(&leash, &m), LEASH_OK);
	ck_assert_int_eq(m.word, LEASH_READY);
}

static int join(void)
{
	int status;

	ck_assert_int_eq(waitpid(worker, &status, 0), worker);
	return status;
}

static void echo(int fd, const char *text)
{
	char back[64] = "";
	size_t len = strlen(text);

	ck_assert_int_eq(send(fd, text, len, 0), (ssize_t)len);
	ck_assert_int_eq(recv(fd, back, len, MSG_WAITALL), (ssize_t)len);
	ck_assert_str_eq(back, text);
}

START_TEST(the_board_follows_a_worker)
{
	int64_t turned;
	int fd;

	await_ready();
	board_view(board, ME, &w);
	ck_assert_int_eq(w.state, BOARD_ACCEPTING);
	ck_assert_int_eq(w.pid, worker);
	ck_assert_int_le(w.born_ms, clock_ms());
	ck_assert_int_ge(w.born_ms, forked_ms);
	fd = connect_to_it();
	echo(fd, "hello");
	echo(fd, "again");              /* it has done all that the first one took */
	board_view(board, ME, &w);
	turned = w.turn_ms;
	ck_assert_int_ge(turned, w.born_ms);
	ck_assert_uint_eq(w.open, 1);
	ck_assert_uint_eq(w.accepted, 1);
	ck_assert_uint_eq(w.requests, 2);
	ck_assert_uint_eq(w.bytes_in, 10);
	ck_assert_uint_ge(w.bytes_out, 5);
	ck_assert(board_view_connection(board, ME, 0, &c));
	ck_assert_int_eq(c.peer.family, AF_INET);
	ck_assert_uint_eq(c.bytes_in, 10);
	ck_assert(!board_view_connection(board, ME, 1, &c));
	kill(worker, SIGQUIT);
	close(fd);
	ck_assert_int_eq(join(), 0);
	board_view(board, ME, &w);
	ck_assert_int_eq(w.state, BOARD_DRAINING);
	ck_assert_uint_eq(w.open, 0);
	ck_assert_uint_eq(w.served, 1);
	ck_assert_uint_eq(histogram_count(&w.duration), 1);
	ck_assert_int_le((int64_t)w.duration.sum_ms, clock_ms() - forked_ms);
	ck_assert_uint_eq(histogram_count(&w.accept_wait), 0);  /* it was not to be measured */
	ck_assert_uint_eq(w.bytes_out, 10);
	ck_assert_int_ge(w.turn_ms, turned);
	ck_assert(!w.at_work);
	ck_assert(!board_view_connection(board, ME, 0, &c));
	for (size_t i = 0; i < 3; i += 2) {     /* no other slot was touched */
		board_view(board, i, &w);
		ck_assert_int_eq(w.state, BOARD_FREE);
		ck_assert_uint_eq(w.accepted + w.bytes_in, 0);
	}
} END_TEST

START_TEST(what_a_killed_worker_said_is_still_there)
{
	int fd;

	await_ready();
	fd = connect_to_it();
	echo(fd, "hello");
	echo(fd, "again");
	kill(worker, SIGKILL);
	ck_assert(WIFSIGNALED(join()));
	board_view(board, ME, &w);
	ck_assert_uint_eq(w.open, 1);
	ck_assert_uint_eq(w.bytes_in, 10);
	ck_assert(board_view_connection(board, ME, 0, &c));
	board_reset(board, ME, BOARD_FREE);
	ck_assert(!board_view_connection(board, ME, 0, &c));
	close(fd);
} END_TEST

START_TEST(the_board_keeps_how_long_clients_have_waited)
{
	await_ready();
	echo(early, "hello");
	echo(early, "again");
	board_view(board, ME, &w);
	ck_assert_uint_eq(histogram_count(&w.accept_wait), 1);
	ck_assert_uint_ge(w.accept_wait.sum_ms, WAITED_MS - TICK_MS);
	ck_assert_uint_le(w.accept_wait.sum_ms, (uint64_t)(clock_ms() - forked_ms) + WAITED_MS + TICK_MS);
	close(early);
	kill(worker, SIGQUIT);
	ck_assert_int_eq(join(), 0);
	board_view(board, ME, &w);
	ck_assert_uint_eq(histogram_count(&w.duration), 1);
} END_TEST

/* ---- Signals ---- */

/* A connection that does not end by itself. */
static int hold(void)
{
	int fd;

	await_ready();
	fd = connect_to_it();
	echo(fd, "hello");
	return fd;
}

static void expect_cut(int fd)
{
	char byte;

	ck_assert_int_le(recv(fd, &byte, 1, 0), 0);
	close(fd);
	ck_assert_int_eq(join(), 0);
}

static void await_word(enum leash_word word)
{
	struct leash_message m;

	ck_assert_int_eq(poll(&(struct pollfd){ .fd = leash.words, .events = POLLIN }, 1, -1), 1);
	ck_assert_int_eq(leash_hear(&leash, &m), LEASH_OK);
	ck_assert_int_eq(m.word, word);
}

/* Two round trips: what reached it before the first, it has obeyed. */
static void expect_served(int fd)
{
	echo(fd, "still");
	echo(fd, "there");
	close(fd);
	ck_assert_int_eq(join(), 0);
}

static const int gentle[] = { SIGTERM, SIGQUIT };

START_TEST(a_worker_that_is_told_to_go_from_outside_drains_and_says_so)
{
	int fd = hold();

	kill(worker, gentle[_i]);
	await_word(LEASH_DRAIN);
	kill(worker, gentle[_i]);               /* once more means nothing */
	expect_served(fd);
} END_TEST

START_TEST(int_from_outside_ends_it_at_once)
{
	int fd = hold();

	kill(worker, SIGINT);
	expect_cut(fd);
} END_TEST

START_TEST(draining_from_outside_takes_no_longer_than_shutdown_timeout)
{
	int fd = hold();

	kill(worker, gentle[_i]);
	expect_cut(fd);
} END_TEST

/* What a master that is broken might say. */
START_TEST(after_an_order_that_is_malformed_it_drains_and_says_so)
{
	int fd = hold();

	ck_assert_int_eq(send(leash.orders, "?", 1, MSG_NOSIGNAL), 1);
	await_word(LEASH_DRAIN);
	expect_served(fd);
} END_TEST

START_TEST(an_order_that_is_not_known_means_nothing)
{
	int fd = hold();

	ck_assert_int_eq(leash_order(&leash, &(struct leash_message){ .word = LEASH_WORDS }), 0);
	echo(fd, "still");
	ck_assert_int_eq(leash_order(&leash, &(struct leash_message){ .word = LEASH_END }), 0);
	expect_cut(fd);
} END_TEST

START_TEST(an_order_to_end_ends_it_at_once)
{
	int fd = hold();

	ck_assert_int_eq(leash_order(&leash, &(struct leash_message){ .word = LEASH_END }), 0);
	expect_cut(fd);
} END_TEST

/* As the program before us had it. */
START_TEST(term_from_the_master_ends_it_at_once)
{
	int fd = hold();

	kill(worker, SIGTERM);
	expect_cut(fd);
} END_TEST

START_TEST(quit_from_the_master_is_an_order_to_drain)
{
	struct leash_message m;
	int fd = hold();

	kill(worker, SIGQUIT);
	expect_served(fd);
	ck_assert_int_eq(leash_hear(&leash, &m), LEASH_CLOSED);         /* nothing was said of it */
} END_TEST

int main(void)
{
	Suite *s = suite_create("worker");
	TCase *tc = unit_case(s, "worker", set_up, tear_down);

	tcase_add_test(tc, the_board_follows_a_worker);
	tcase_add_test(tc, what_a_killed_worker_said_is_still_there);

	tc = unit_case(s, "late", set_up_late, tear_down);
	tcase_add_test(tc, the_board_keeps_how_long_clients_have_waited);

	tc = unit_case(s, "outside", set_up, tear_down);
	tcase_add_loop_test(tc, a_worker_that_is_told_to_go_from_outside_drains_and_says_so, 0, 2);
	tcase_add_test(tc, int_from_outside_ends_it_at_once);
	tcase_add_test(tc, after_an_order_that_is_malformed_it_drains_and_says_so);
	tcase_add_test(tc, an_order_that_is_not_known_means_nothing);
	tcase_add_test(tc, an_order_to_end_ends_it_at_once);

	tc = unit_case(s, "limit", set_up_short, tear_down);
	tcase_add_loop_test(tc, draining_from_outside_takes_no_longer_than_shutdown_timeout, 0, 2);

	tc = unit_case(s, "master", set_up_under_us, tear_down);
	tcase_add_test(tc, term_from_the_master_ends_it_at_once);
	tcase_add_test(tc, quit_from_the_master_is_an_order_to_drain);
	return unit_run(s);
}
