/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A relay, and the far ends of its two sockets: a client and a program that say
 * and hear a known pattern, so that each byte tells where it belongs. The loop
 * is turned by hand.
 */
#ifndef DROVER_TESTS_RELAY_HARNESS_H
#define DROVER_TESTS_RELAY_HARNESS_H

#include "relay.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include "fd.h"
#include "unit.h"

#define SCRATCH 4096                    /* small: it comes to splicing soon */
#define PLENTY  ((size_t)64 << 20)      /* more than all buffers hold */

enum kind { KIND_UNIX, KIND_TCP, KINDS };       /* of the client's socket */

static const char *const kind_names[] = { "unix", "tcp" };

static struct loop loop;
static struct timer guard, tick;
static struct relay relay;
static char scratch[SCRATCH];

static int client, program;             /* the far ends */
static struct stream our_client;        /* what the relay has, and */
static int our_program;                 /* the socket of its other stream; lent */
static int listener;
static int n_fds;                       /* at the beginning */

/* What was told. */
static size_t moved_bytes[RELAY_DIRECTIONS];
static unsigned n_finished, n_lost;

/* What was said and heard of the pattern, and how it ended. */
static struct flow {
	size_t said, heard;
	bool   ended;                   /* the end of the stream was heard */
	int    error;                   /* or that, instead */
	bool   refused;                 /* the receiver takes nothing */
} flows[RELAY_DIRECTIONS];

/* ---- the owner ---------------------------------------------------------- */

static void on_moved(struct relay *r, enum relay_direction d, size_t n)
{
	ck_assert_ptr_eq(r, &relay);
	ck_assert_uint_gt(n, 0);
	moved_bytes[d] += n;
}

static void on_finished(struct relay *r)
{
	ck_assert_ptr_eq(r, &relay);
	n_finished++;
}

/* As a connection does. */
static void on_lost(struct relay *r)
{
	ck_assert_ptr_eq(r, &relay);
	n_lost++;
	relay_end(r);
	stream_close(&our_client, &loop);
}

static void on_client_ready(struct stream *s, uint32_t events)
{
	ck_assert_ptr_eq(s, &our_client);
	relay_client_ready(&relay, events);
}

static struct relay_owner owner = {
	.loop = &loop, .scratch = scratch, .scratch_len = SCRATCH,
	.max_pipes = 2,
	.moved = on_moved, .finished = on_finished, .lost = on_lost,
};

/* ---- turns -------------------------------------------------------------- */

static void stop(struct timer *t)
{
	(void)t;
	loop_stop(&loop);
}

static void fail_late(struct timer *t)
{
	(void)t;
	ck_abort_msg("nothing happened for too long");
}

/* For what is ready now. */
static inline void turn(void)
{
	loop_timer_at(&loop, &tick, 0);
	if (loop_run(&loop) != 0)       /* an assertion writes a message even if it holds */
		ck_abort_msg("the loop failed: %m");
}

/* Whether the relay has nothing to do. */
static inline bool is_quiet(void)
{
	struct epoll_event e[4];

	return epoll_wait(loop.epoll_fd, e, ARRAY_SIZE(e), 0) == 0;
}

/* Turns until there is nothing to do, and how many that took. One that spins never ends. */
static inline unsigned until_quiet(void)
{
	unsigned n = 0;

	while (!is_quiet()) {
		turn();
		if (++n == 20000)
			ck_abort_msg("it spins");
	}
	return n;
}

/* Over the loopback what was sent arrives soon, not always at once. */
#define UNTIL(condition) \
	do { \
		while (!(condition)) { \
			loop_timer(&loop, &tick, 1); \
			ck_assert_int_eq(loop_run(&loop), 0); \
		} \
	} while (0)

/* ---- the pattern -------------------------------------------------------- */

#define CHUNK  65536                    /* said or heard at once */
#define PERIOD 65521                    /* prime: nothing else has it */

static char pattern[RELAY_DIRECTIONS][PERIOD + CHUNK];

static inline void make_pattern(void)
{
	uint32_t x = 2463534242u;

	for (int d = 0; d < RELAY_DIRECTIONS; d++) {
		for (size_t i = 0; i < PERIOD; i++) {
			x ^= x << 13;
			x ^= x >> 17;
			x ^= x << 5;
			pattern[d][i] = (char)(x >> 8);
		}
		for (size_t i = PERIOD; i < PERIOD + CHUNK; i++)
			pattern[d][i] = pattern[d][i - PERIOD];
	}
}

static inline int speaker(enum relay_direction d)
{
	return d == RELAY_UP ? client : program;
}

static inline int hearer(enum relay_direction d)
{
	return d == RELAY_UP ? program : client;
}

/* Says up to n bytes more, as far as they are taken now. How many were. */
static inline size_t say(enum relay_direction d, size_t n)
{
	struct flow *s = &flows[d];
	ssize_t taken = send(speaker(d), pattern[d] + s->said % PERIOD, n < CHUNK ? n : CHUNK,
	                     MSG_DONTWAIT | MSG_NOSIGNAL);

	if (taken == -1)
		s->refused = errno != EAGAIN;
	s->said += taken > 0 ? (size_t)taken : 0;
	return taken > 0 ? (size_t)taken : 0;
}

/* Hears up to n bytes more, if they are there, and compares. How many were. */
static inline size_t hear(enum relay_direction d, size_t n)
{
	static char bytes[CHUNK];
	struct flow *s = &flows[d];
	ssize_t got;

	if (n == 0)             /* to recv(2) that would look like the end */
		return 0;
	got = recv(hearer(d), bytes, n < CHUNK ? n : CHUNK, MSG_DONTWAIT);
	if (got > 0)
		ck_assert_msg(memcmp(bytes, pattern[d] + s->heard % PERIOD, (size_t)got) == 0,
		              "other bytes, after %zu", s->heard);
	else if (got == 0)
		s->ended = true;
	else if (errno != EAGAIN)
		s->error = errno;
	s->heard += got > 0 ? (size_t)got : 0;
	return got > 0 ? (size_t)got : 0;
}

/* What is there now. */
static inline void hear_all(enum relay_direction d)
{
	while (hear(d, CHUNK) > 0)
		;
}

/* Until that number of bytes, in all, has been received. */
static inline void hear_until(enum relay_direction d, size_t total)
{
	UNTIL((hear(d, total - flows[d].heard), flows[d].heard == total));
}

static inline void hear_end(enum relay_direction d)
{
	UNTIL((hear_all(d), flows[d].ended || flows[d].error != 0));
	ck_assert_int_eq(flows[d].error, 0);
	ck_assert_uint_eq(flows[d].heard, flows[d].said);
}

/* Sends until nothing moves any more, because the receiver does not read. */
static inline void stuff(enum relay_direction d)
{
	for (int still = 0; still < 3; still++) {
		while (say(d, PLENTY) > 0)
			still = 0;
		until_quiet();
	}
	ck_assert_uint_lt(flows[d].said, PLENTY);
}

/* Sends and receives that number of bytes more, all at once. */
static inline void transfer(enum relay_direction d, size_t n)
{
	const size_t total = flows[d].said + n;

	UNTIL((say(d, total - flows[d].said), turn(), hear(d, PLENTY), flows[d].heard == total));
}

/* ---- sockets ------------------------------------------------------------ */

static inline void open_pair(int *ours, int *far)
{
	int ends[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	ck_assert_int_eq(fd_adopt(ends[0]), 0);
	*ours = ends[0];
	*far = ends[1];
}

/* Over the loopback, where a reset is a reset. */
static inline void open_tcp(int *ours, int *far)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
	                          .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof at;

	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&at, sizeof at), 0);
	ck_assert_int_eq(listen(listener, 1), 0);
	ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&at, &len), 0);
	*far = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(connect(*far, (struct sockaddr *)&at, len), 0);
	*ours = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	ck_assert_int_ne(*ours, -1);
	fd_close(&listener);
}

/* Both sockets, and a relay that has not begun. */
static inline void prepare(enum kind kind)
{
	int fd;

	if (kind == KIND_UNIX)
		open_pair(&fd, &client);
	else
		open_tcp(&fd, &client);
	open_pair(&our_program, &program);
	stream_open(&our_client, fd, kind == KIND_UNIX ? AF_UNIX : AF_INET, on_client_ready);
	relay_init(&relay, &owner, &our_client, our_program);
}

static inline void begin(enum kind kind)
{
	prepare(kind);
	ck_assert_int_eq(relay_begin(&relay), 0);
}

/* The client breaks the connection, as well as its socket can. */
static inline void reset_client(void)
{
	const struct linger now = { .l_onoff = 1, .l_linger = 0 };

	setsockopt(client, SOL_SOCKET, SO_LINGER, &now, sizeof now);
	fd_close(&client);
}

/* Whether that has reached us. Not recv(2): the error of a socket is told once. */
static inline bool is_hung_up(void)
{
	struct pollfd p = { .fd = stream_socket(&our_client) };

	return !stream_is_open(&our_client) || poll(&p, 1, 0) == 1;
}

/* ---- around the tests --------------------------------------------------- */

static void set_up(void)
{
	unit_block_sigpipe();
	client = program = our_program = listener = -1;
	memset(moved_bytes, 0, sizeof moved_bytes);
	memset(flows, 0, sizeof flows);
	n_finished = n_lost = 0;
	n_fds = unit_count_fds();
	ck_assert_int_eq(loop_init(&loop), 0);
	guard = (struct timer){ .fire = fail_late };
	tick = (struct timer){ .fire = stop };
	loop_timer(&loop, &guard, 10000);
}

/* Nothing is watched any more, and nothing is left open. */
static void tear_down(void)
{
	relay_end(&relay);
	relay_end(&relay);
	ck_assert_uint_eq(owner.n_pipes, 0);
	ck_assert_uint_eq(our_client.watch.events | relay.program.watch.events, 0);
	fd_close(&client);
	fd_close(&program);
	stream_close(&our_client, &loop);
	ck_assert(is_quiet());
	loop_fini(&loop);
	ck_assert_int_eq(unit_count_fds(), n_fds);
}

static inline int run(Suite *s)
{
	make_pattern();         /* once, before each test has a process of its own */
	return unit_run(s);
}

#endif
