/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A stream over a pair of unix sockets and over the loopback: what is told of, how often, and
 * what the client sees of its end.
 */
#include <config.h>
#include "stream.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include "fd.h"
#include "unit.h"

static struct loop loop;
static struct timer tick;
static struct stream stream;
static int client;
static uint32_t told;                   /* by the last call of `ready` */
static int n_told;
static char bytes[16];

static void on_ready(struct stream *s, uint32_t events)
{
	ck_assert_ptr_eq(s, &stream);
	told = events;
	n_told++;
}

static void stop(struct timer *t)
{
	(void)t;
	loop_stop(&loop);
}

static void turn(void)
{
	loop_timer_at(&loop, &tick, 0);
	ck_assert_int_eq(loop_run(&loop), 0);
}

static void connect_pair(void)
{
	int ends[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
	stream_open(&stream, ends[0], AF_UNIX, on_ready);
	client = ends[1];
}

static void connect_tcp(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof at;
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), fd;

	client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&at, sizeof at), 0);
	ck_assert_int_eq(listen(listener, 1), 0);
	ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&at, &len), 0);
	ck_assert_int_eq(connect(client, (struct sockaddr *)&at, len), 0);
	fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	ck_assert_int_ne(fd, -1);
	fd_close(&listener);
	stream_open(&stream, fd, AF_INET, on_ready);
}

static void set_up(void)
{
	unit_block_sigpipe();
	ck_assert_int_eq(loop_init(&loop), 0);
	tick = (struct timer){ .fire = stop };
	n_told = 0;
}

static void tear_down(void)
{
	stream_close(&stream, &loop);
	stream_close(&stream, &loop);
	ck_assert(!stream_is_open(&stream));
	fd_close(&client);
	loop_fini(&loop);
}

/* Over the loopback what was sent arrives soon, not always at once. */
static void until_told(int n)
{
	while (n_told < n) {
		loop_timer(&loop, &tick, 1);
		ck_assert_int_eq(loop_run(&loop), 0);
	}
}

START_TEST(next_bytes_are_told_of_once_and_again_on_demand)
{
	connect_tcp();
	ck_assert_int_eq(stream_watch(&stream, &loop, STREAM_NEXT_BYTES), 0);
	ck_assert_int_eq(send(client, "ab", 2, 0), 2);
	until_told(1);
	turn();
	ck_assert_int_eq(n_told, 1);
	ck_assert_int_eq(stream_watch(&stream, &loop, STREAM_NEXT_BYTES), 0);   /* as it was */
	turn();
	ck_assert_int_eq(n_told, 1);
	ck_assert_int_eq(stream_watch_anew(&stream, &loop, STREAM_NEXT_BYTES), 0);
	turn();
	ck_assert_int_eq(n_told, 2);
	ck_assert_uint_eq(told & EPOLLIN, EPOLLIN);
	ck_assert_int_eq(stream_receive(&stream, bytes, 1), 1);
	ck_assert(stream_has_more(&stream, 1, 1, told));
	ck_assert_int_eq(stream_receive(&stream, bytes, sizeof bytes), 1);
	ck_assert(!stream_has_more(&stream, 1, sizeof bytes, told));
	ck_assert(stream_has_more(&stream, 1, sizeof bytes, told | EPOLLRDHUP));
	ck_assert(stream_has_more(&stream, 1, sizeof bytes, told | EPOLLPRI));
} END_TEST

/* A short read proves nothing there: it may have stopped at a descriptor. */
START_TEST(over_a_unix_socket_bytes_are_told_of_until_they_are_received)
{
	connect_pair();
	ck_assert_int_eq(stream_watch(&stream, &loop, STREAM_NEXT_BYTES), 0);
	ck_assert_int_eq(send(client, "a", 1, 0), 1);
	turn();
	turn();
	ck_assert_int_eq(n_told, 2);
	ck_assert_int_eq(stream_watch(&stream, &loop, STREAM_NO_BYTES), 0);
	turn();
	ck_assert_int_eq(n_told, 2);
	ck_assert_int_eq(stream_watch_anew(&stream, &loop, STREAM_NEXT_BYTES), 0);
	turn();
	ck_assert_int_eq(n_told, 3);
	ck_assert_int_eq(stream_receive(&stream, bytes, sizeof bytes), 1);
	ck_assert(!stream_has_more(&stream, 1, 1, EPOLLIN));    /* it would be told */
} END_TEST

static const struct { enum stream_wait wait; uint32_t told; } rows[] = {
	{ STREAM_NOTHING,       0 },
	{ STREAM_BYTES,         EPOLLIN },
	{ STREAM_ROOM,          EPOLLOUT },
	{ STREAM_BYTES_OR_ROOM, EPOLLIN | EPOLLOUT },
	{ STREAM_GONE,          0 },
};

START_TEST(nothing_else_is_told_of)
{
	connect_pair();
	ck_assert_int_eq(send(client, "a", 1, 0), 1);
	told = 0;
	ck_assert_int_eq(stream_watch(&stream, &loop, rows[_i].wait), 0);
	turn();
	ck_assert_uint_eq(told, rows[_i].told);
} END_TEST

START_TEST(that_the_client_is_gone_is_told_once)
{
	connect_pair();
	ck_assert_int_eq(stream_watch(&stream, &loop, STREAM_GONE), 0);
	fd_close(&client);
	turn();
	turn();
	ck_assert_int_eq(n_told, 1);
	ck_assert_uint_eq(told & EPOLLHUP, EPOLLHUP);
	ck_assert_int_eq(stream_send(&stream, "a", 1), -1);     /* and no SIGPIPE */
	ck_assert(!fd_not_yet(errno));
} END_TEST

START_TEST(the_client_reads_the_end_and_can_still_send)
{
	connect_pair();
	ck_assert_int_eq(stream_send(&stream, "a", 1), 1);
	ck_assert_int_eq(stream_end(&stream), 0);
	ck_assert_int_eq(recv(client, bytes, sizeof bytes, 0), 1);
	ck_assert_int_eq(recv(client, bytes, sizeof bytes, 0), 0);
	ck_assert_int_eq(send(client, "b", 1, 0), 1);
	ck_assert_int_eq(stream_receive(&stream, bytes, sizeof bytes), 1);
	ck_assert_int_eq(stream_receive(&stream, bytes, sizeof bytes), -1);
	ck_assert(fd_not_yet(errno));
} END_TEST

START_TEST(a_peer_that_is_hung_up_on_reads_no_error)
{
	connect_pair();
	ck_assert_int_eq(send(client, "unread", 6, 0), 6);
	stream_hang_up(&stream, &loop, bytes, 2);
	ck_assert(!stream_is_open(&stream));
	stream_hang_up(&stream, &loop, bytes, 2);
	ck_assert_int_eq(recv(client, bytes, sizeof bytes, 0), 0);
} END_TEST

START_TEST(bytes_go_through_a_pipe)
{
	int pipe[2];

	connect_pair();
	ck_assert(stream_can_splice(&stream));
	ck_assert_int_eq(pipe2(pipe, O_CLOEXEC | O_NONBLOCK), 0);
	ck_assert_int_eq(send(client, "abc", 3, 0), 3);
	ck_assert_int_eq(stream_splice_in(&stream, pipe[1], 100), 3);
	ck_assert_int_eq(stream_splice_out(&stream, pipe[0], 3), 3);
	ck_assert_int_eq(recv(client, bytes, sizeof bytes, 0), 3);
	ck_assert_int_eq(memcmp(bytes, "abc", 3), 0);
	fd_close(&pipe[0]);
	fd_close(&pipe[1]);
} END_TEST

START_TEST(what_the_client_has_not_taken_is_known_and_reset_with_it)
{
	static char much[65536];

	connect_tcp();
	while (stream_send(&stream, much, sizeof much) > 0)
		;
	ck_assert_int_gt(stream_untaken(&stream), 0);
	stream_reset_on_close(&stream);
	stream_close(&stream, &loop);
	ck_assert_int_eq(stream_untaken(&stream), 0);
	while (recv(client, much, sizeof much, 0) > 0)
		;
	ck_assert_int_eq(errno, ECONNRESET);
} END_TEST

int main(void)
{
	Suite *s = suite_create("stream");
	TCase *tc = unit_case(s, "stream", set_up, tear_down);

	tcase_add_test(tc, next_bytes_are_told_of_once_and_again_on_demand);
	tcase_add_test(tc, over_a_unix_socket_bytes_are_told_of_until_they_are_received);
	tcase_add_loop_test(tc, nothing_else_is_told_of, 0, ARRAY_SIZE(rows));
	tcase_add_test(tc, that_the_client_is_gone_is_told_once);
	tcase_add_test(tc, the_client_reads_the_end_and_can_still_send);
	tcase_add_test(tc, a_peer_that_is_hung_up_on_reads_no_error);
	tcase_add_test(tc, bytes_go_through_a_pipe);
	tcase_add_test(tc, what_the_client_has_not_taken_is_known_and_reset_with_it);
	return unit_run(s);
}
