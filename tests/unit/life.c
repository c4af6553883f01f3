/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A worker in a process of its own, without a master: what its board says from
 * its birth to its end.
 */
#include <config.h>
#include "life.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "clock.h"
#include "leash.h"
#include "unit.h"

#define ME 1                            /* its slot, of three */

static const char *const none[] = { NULL };
static struct conf_service service;
static struct board *board;
static struct board_worker_view w;
static struct board_connection_view c;
static int listener, leash;
static pid_t worker;
static int64_t forked_ms;

static int listen_on_loopback(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
	                          .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
	ck_assert_int_eq(listen(fd, 8), 0);
	return fd;
}

/* As the master does before it forks: the worker reads them. */
static void block_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGQUIT);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

static void set_up(void)
{
	struct worker_start start;
	int its;

	log_use(NULL, LOG_LEVEL_ERROR);
	service = (struct conf_service){
		.name = "test", .connections = 4, .directory = "/", .umask = CONF_KEEP,
		.handler = { .id = HANDLER_ID_echo, .env = (const char **)(uintptr_t)none,
		             .pass_env = (const char **)(uintptr_t)none },
		.identity = { .uid = (uid_t)CONF_KEEP, .gid = (gid_t)CONF_KEEP },
		.timeouts = { .idle = 10000, .write = 10000 },
	};
	board = board_new(3, 4, 0);
	board_reset(board, ME, BOARD_STARTING);
	listener = listen_on_loopback();
	ck_assert_int_eq(leash_open(&leash, &its), 0);
	start = (struct worker_start){ .service = &service, .listeners = &listener,
	                               .n_listeners = 1, .leash = its, .board = board,
	                               .slot = ME, .log_level = LOG_LEVEL_ERROR };
	forked_ms = clock_ms();
	block_signals();
	worker = fork();
	if (worker == 0)
		life_of_worker(&start);
	close(its);
}

static void tear_down(void)
{
	board_free(&board);
	close(listener);
	close(leash);
}

static void await_ready(void)
{
	struct leash_message m;

	ck_assert_int_eq(poll(&(struct pollfd){ .fd = leash, .events = POLLIN }, 1, -1), 1);
	ck_assert_int_eq(leash_receive(leash, &m), LEASH_OK);
	ck_assert_int_eq(m.word, LEASH_READY);
}

static int join(void)
{
	int status;

	ck_assert_int_eq(waitpid(worker, &status, 0), worker);
	return status;
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
	ck_assert_uint_eq(w.bytes_out, 10);
	ck_assert_int_ge(w.turn_ms, turned);
	ck_assert(!w.at_work);
	ck_assert(!board_view_connection(board, ME, 0, &c));
	for (size_t i = 0; i < 3; i += 2) {     /* nobody else's slot was touched */
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

int main(void)
{
	Suite *s = suite_create("life");
	TCase *tc = unit_case(s, "life", set_up, tear_down);

	tcase_add_test(tc, the_board_follows_a_worker);
	tcase_add_test(tc, what_a_killed_worker_said_is_still_there);
	return unit_run(s);
}
