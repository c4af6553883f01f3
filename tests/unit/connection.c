/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Connections, with a worker that has no listeners and a client at the other
 * end of a socket pair. The loop is turned by hand; how a connection ended is
 * read from the access log.
 */
#include <config.h>
#include "connection.h"

#include <ctype.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#include "clock.h"
#include "unit.h"
#include "worker.h"

#define SLOTS 4

static const char *const none[] = { NULL };
static const char *no_program[] = { "/no/such/program", NULL };

static struct conf_service service;
static struct worker worker;
static struct timer guard, tick;
static struct endpoint peer;            /* who the client is said to be */
static int listener;                    /* on the loopback, for who needs a real client */

/* ---- the worker --------------------------------------------------------- */

static bool is_accepting;

static void stop(struct timer *t)
{
	(void)t;
	loop_stop(&worker.loop);
}

static void fail_late(struct timer *t)
{
	(void)t;
	ck_abort_msg("nothing happened for too long");
}

static bool yes(void *arg)
{
	return worker_has_room(arg);
}

static void on_paused(void *arg, const char *reason)
{
	(void)arg, (void)reason;
	is_accepting = false;
}

static void on_resumed(void *arg)
{
	(void)arg;
}

static void set_up(void)
{
	static const struct acceptor_options options = { .service = "test" };
	const struct acceptor_owner owner = {
		.arg = &worker, .has_room = yes, .paused = on_paused, .resumed = on_resumed,
	};

	unit_enter_folder();
	unit_block_sigpipe();
	log_use(NULL, LOG_LEVEL_ERROR);
	service = (struct conf_service){
		.name = "test", .connections = SLOTS,
		.handler = { .argv = no_program, .env = (const char **)(uintptr_t)none,
		             .pass_env = (const char **)(uintptr_t)none, .err = STDERR_CLIENT },
		.timeouts = { .idle = 10000, .write = 10000, .session = 20000, .linger = 10000 },
	};
	worker = (struct worker){ .service = &service, .pid = getpid() };
	list_init(&worker.connections);
	list_init(&worker.lingering);
	ck_assert_int_eq(loop_init(&worker.loop), 0);
	worker.start.board = board_new(1, SLOTS, 0);
	worker.slot = board_slot(worker.start.board, 0);
	ck_assert_int_eq(records_init(&worker.records, worker.start.board, 0), 0);
	worker.start.access_log = log_sink_open(LOG_TARGET_FILE, "access", LOG_FORMAT_TEXT);
	worker.scratch = malloc(WORKER_SCRATCH);
	worker.acceptor = acceptor_new(&worker.loop, &owner, &options, NULL, 0);
	ck_assert_int_eq(programs_init(&worker.programs, &worker.loop, &service, &worker.limits), 0);
	is_accepting = true;
	peer = (struct endpoint){ .family = AF_INET, .port = 1234, .ip = { 10, 0, 0, 7 } };
	guard = (struct timer){ .fire = fail_late };
	tick = (struct timer){ .fire = stop };
	loop_timer(&worker.loop, &guard, 15000);
	listener = -1;
}

/* As life.c does on TERM; each connection must then be gone. */
static void tear_down(void)
{
	struct connection *c;

	list_each(&worker.connections, c, struct connection, in_worker)
		connection_abort(c, END_STOPPED);
	list_each(&worker.lingering, c, struct connection, in_worker)
		connection_abort(c, END_STOPPED);
	ck_assert_int_eq(worker.n_open, 0);
	ck_assert_int_eq(worker.n_lingering, 0);
	timer_unset(&worker.loop.timers, &guard);
	timer_unset(&worker.loop.timers, &tick);
	acceptor_close(&worker.acceptor);
	ck_assert_uint_eq(worker.loop.timers.n, 0);     /* none is left of the dead */
	programs_fini(&worker.programs);
	loop_fini(&worker.loop);
	log_sink_close(&worker.start.access_log);
	records_fini(&worker.records);
	board_free(&worker.start.board);
	free(worker.scratch);
	if (listener != -1)
		close(listener);
	unit_leave_folder();
}

/* One turn, for what is ready now. */
static void turn(void)
{
	loop_timer_at(&worker.loop, &tick, 0);
	loop_run(&worker.loop);
}

static void turns(int n)
{
	while (n-- > 0)
		turn();
}

/* Real time passes, as short as can be. */
static void pass(int64_t ms)
{
	int64_t end = clock_ms() + ms;

	worker.loop.now_ms = clock_ms();
	while (clock_ms() < end) {
		loop_timer_at(&worker.loop, &tick, end);
		loop_run(&worker.loop);
	}
}

/* Until the client has something to read, or its end. */
static void until_readable(int client)
{
	struct pollfd p = { .fd = client, .events = POLLIN };

	while (poll(&p, 1, 0) == 0) {
		loop_timer(&worker.loop, &tick, 1);
		loop_run(&worker.loop);
	}
}

static void serve_with(enum handler_id id)
{
	service.handler.id = id;
	worker.handler = handler_find(&service.handler);
}

static struct connection *newest(void)
{
	ck_assert(!list_empty(&worker.connections));
	return container_of(worker.connections.prev, struct connection, in_worker);
}

/* A connection over a pair of unix sockets. Returns the client's end. */
static int connect_pair(enum handler_id id)
{
	int ends[2];

	serve_with(id);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
	connection_new(&worker, ends[0], &peer);
	return ends[1];
}

/* The same over the loopback, where a reset is a reset. */
static int connect_tcp(enum handler_id id)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
	                          .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof at;
	int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), fd;

	serve_with(id);
	if (listener == -1) {
		listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		ck_assert_int_eq(bind(listener, (struct sockaddr *)&at, sizeof at), 0);
		ck_assert_int_eq(listen(listener, 8), 0);
	}
	ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&at, &len), 0);
	ck_assert_int_eq(connect(client, (struct sockaddr *)&at, len), 0);
	fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	ck_assert_int_ne(fd, -1);
	connection_new(&worker, fd, &peer);
	return client;
}

static void say(int client, const char *text)
{
	ck_assert_int_eq(write(client, text, strlen(text)), (ssize_t)strlen(text));
}

/* What is there to read now; NULL at the end. */
static const char *hear(int client)
{
	static char text[4096];
	ssize_t n = recv(client, text, sizeof text - 1, MSG_DONTWAIT);

	if (n == 0)
		return NULL;
	text[n > 0 ? n : 0] = '\0';
	return text;
}

/* What the access log says of a key, in its line of that number from 0. */
static const char *logged(int line, const char *key)
{
	static char value[128];
	const char *p = unit_read_file("access");
	char want[64];

	for (; line > 0 && p; line--)
		p = strchr(p, '\n') ? strchr(p, '\n') + 1 : NULL;
	snprintf(want, sizeof want, " %s=", key);
	p = p ? strstr(p, want) : NULL;
	if (!p)
		return "(nothing)";
	p += strlen(want);
	snprintf(value, sizeof value, "%.*s", (int)strcspn(p, " \n"), p);
	return value;
}

static void expect_end(const char *how)
{
	ck_assert_msg(strcmp(logged(0, "how"), how) == 0, "it ended as %s, not %s", logged(0, "how"),
	              how);
	ck_assert_int_eq(worker.n_open, 0);
	ck_assert_uint_eq(atomic_load(&worker.slot->served), 1);
}

/* A client that does not read: sends until neither side moves any more. */
static size_t stuff(int client)
{
	static char bytes[65536];
	size_t sum = 0;
	int stuck = 0;

	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (char)('a' + i % 26);
	while (stuck < 3) {
		/* whole alphabets as far as possible: the position tells the letter */
		size_t from = sum % 26;
		ssize_t n = send(client, bytes + from, sizeof bytes - from, MSG_DONTWAIT);

		stuck = n > 0 ? 0 : stuck + 1;
		sum += n > 0 ? (size_t)n : 0;
		turn();
	}
	return sum;
}

/* Reads until there is nothing more, and checks each byte. Returns how many. */
static size_t gather(int client, size_t from)
{
	static char bytes[65536];
	size_t sum = from;
	ssize_t n;

	while ((n = recv(client, bytes, sizeof bytes, MSG_DONTWAIT)) > 0) {
		for (ssize_t i = 0; i < n; i++)
			ck_assert_int_eq(bytes[i], (char)('a' + (sum + (size_t)i) % 26));
		sum += (size_t)n;
	}
	return sum;
}

/* ---- bytes -------------------------------------------------------------- */

START_TEST(what_comes_goes_back)
{
	int client = connect_pair(HANDLER_ID_echo);

	say(client, "hello");
	turn();
	ck_assert_str_eq(hear(client), "hello");
	say(client, "again");
	turn();
	ck_assert_str_eq(hear(client), "again");
	ck_assert_int_eq(worker.n_open, 1);
	ck_assert_uint_eq(atomic_load(&worker.slot->open), 1);
	ck_assert(buffer_is_empty(&newest()->out));      /* no buffer in the common case */
	close(client);
	turns(2);
	expect_end("closed");
	ck_assert_str_eq(logged(0, "in"), "10");
	ck_assert_str_eq(logged(0, "out"), "10");
	ck_assert_str_eq(logged(0, "peer"), "10.0.0.7:1234");
	ck_assert_uint_eq(atomic_load(&worker.slot->open), 0);
} END_TEST

START_TEST(who_closed_its_half_still_gets_all)
{
	int client = connect_pair(HANDLER_ID_echo);

	say(client, "last words");
	shutdown(client, SHUT_WR);
	turns(3);
	ck_assert_str_eq(hear(client), "last words");
	ck_assert_ptr_null(hear(client));
	expect_end("closed");
	ck_assert_int_eq(worker.n_lingering, 0);
	close(client);
} END_TEST

START_TEST(a_client_that_does_not_read_costs_a_buffer_until_it_does)
{
	int client = connect_pair(HANDLER_ID_echo);
	struct connection *c = newest();
	size_t sent = stuff(client), got = 0;

	ck_assert_int_eq(c->state, CONNECTION_WRITE);
	ck_assert(!buffer_is_empty(&c->out));
	ck_assert_uint_le(buffer_waiting(&c->out), WORKER_SCRATCH);  /* it reads no more meanwhile */
	while (got < sent) {
		got = gather(client, got);
		turn();
	}
	ck_assert_uint_eq(got, sent);
	ck_assert(buffer_is_empty(&c->out));
	ck_assert_int_eq(c->state, CONNECTION_READ);
	say(client, "!");
	turn();
	ck_assert_str_eq(hear(client), "!");
	close(client);
} END_TEST

START_TEST(what_waits_is_sent_before_it_ends)
{
	int client = connect_pair(HANDLER_ID_echo);
	size_t sent = stuff(client), got = 0;

	shutdown(client, SHUT_WR);
	while (got < sent) {
		got = gather(client, got);
		turn();
	}
	turns(2);
	ck_assert_ptr_null(hear(client));
	expect_end("closed");
	close(client);
} END_TEST

START_TEST(a_client_that_vanishes_is_a_reset)
{
	const struct linger now = { .l_onoff = 1 };
	int client = connect_tcp(HANDLER_ID_echo);

	setsockopt(client, SOL_SOCKET, SO_LINGER, &now, sizeof now);
	close(client);
	turns(2);
	expect_end("reset");
} END_TEST

START_TEST(a_client_that_vanishes_while_output_waits_is_a_reset)
{
	int client = connect_pair(HANDLER_ID_echo);

	stuff(client);
	ck_assert(!buffer_is_empty(&newest()->out));
	close(client);
	turns(3);
	expect_end("reset");
} END_TEST

START_TEST(what_is_thrown_away_is_counted)
{
	int client = connect_pair(HANDLER_ID_discard);

	say(client, "hello");
	turn();
	ck_assert_str_eq(hear(client), "");
	shutdown(client, SHUT_WR);
	turns(2);
	ck_assert_ptr_null(hear(client));
	expect_end("closed");
	ck_assert_str_eq(logged(0, "in"), "5");
	ck_assert_str_eq(logged(0, "out"), "0");
	close(client);
} END_TEST

/* Urgent data splits a stream: recv(2) stops at its mark, though there is more. */
START_TEST(nothing_is_left_behind_urgent_data)
{
	int client = connect_tcp(HANDLER_ID_echo);
	char all[8] = "";

	say(client, "abc");
	ck_assert_int_eq(send(client, "X", 1, MSG_OOB), 1);
	say(client, "def");
	turns(5);
	recv(client, all, sizeof all - 1, MSG_DONTWAIT);
	ck_assert_str_eq(all, "abcdef");
	close(client);
} END_TEST

/* So do descriptors that nobody asked for, on a unix socket. */
START_TEST(nothing_is_left_behind_a_descriptor)
{
	int client, before;
	struct iovec iov = { .iov_base = (char[]){ "abc" }, .iov_len = 3 };
	union { struct cmsghdr header; char room[CMSG_SPACE(sizeof(int))]; } extra = { 0 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &extra,
	                      .msg_controllen = sizeof extra };

	peer = (struct endpoint){ .family = AF_UNIX };
	client = connect_pair(HANDLER_ID_echo);
	extra.header.cmsg_level = SOL_SOCKET;
	extra.header.cmsg_type = SCM_RIGHTS;
	extra.header.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&extra.header), &(int){ STDERR_FILENO }, sizeof(int));
	before = unit_count_fds();
	ck_assert_int_eq(sendmsg(client, &msg, 0), 3);
	say(client, "def");
	turns(5);
	ck_assert_str_eq(hear(client), "abcdef");
	ck_assert_int_eq(unit_count_fds(), before);
	close(client);
} END_TEST

/* More than is read at once, and the end together with it. */
START_TEST(a_large_burst_is_answered_without_another_word)
{
	static char burst[3 * WORKER_SCRATCH + 5], back[sizeof burst];
	int client = connect_tcp(HANDLER_ID_echo);
	size_t sent = 0, got = 0;
	int i = 0;

	for (size_t k = 0; k < sizeof burst; k++)
		burst[k] = (char)(k % 251);
	while (got < sizeof burst) {
		ssize_t n = sent == sizeof burst ? 0 :
		            send(client, burst + sent, sizeof burst - sent, MSG_DONTWAIT);

		sent += n > 0 ? (size_t)n : 0;
		turn();
		n = recv(client, back + got, sizeof back - got, MSG_DONTWAIT);
		got += n > 0 ? (size_t)n : 0;
		ck_assert_int_lt(i++, 100000);
	}
	ck_assert_int_eq(memcmp(burst, back, sizeof burst), 0);
	close(client);
} END_TEST

START_TEST(connections_have_numbers_of_their_own)
{
	int one = connect_pair(HANDLER_ID_echo), other = connect_pair(HANDLER_ID_echo);
	char id[CONNECTION_ID_MAX], want[CONNECTION_ID_MAX];

	snprintf(want, sizeof want, "%d-2", (int)getpid());
	ck_assert_str_eq(connection_id(newest(), id), want);
	ck_assert_int_eq(worker.n_open, 2);
	close(one);
	close(other);
} END_TEST

/* ---- handlers that speak first ------------------------------------------ */

START_TEST(who_has_spoken_closes_first_and_lingers)
{
	int client = connect_tcp(HANDLER_ID_daytime);
	const char *text;

	say(client, "unread bytes would make a plain close a reset");
	turns(2);
	text = hear(client);
	ck_assert_ptr_nonnull(text);
	ck_assert(isupper((unsigned char)text[0]) && strstr(text, "\r\n"));
	ck_assert_ptr_null(hear(client));
	expect_end("served");
	ck_assert_int_eq(worker.n_lingering, 1);
	say(client, "and more");
	turns(2);
	ck_assert_int_eq(worker.n_lingering, 1);
	close(client);
	turns(2);
	ck_assert_int_eq(worker.n_lingering, 0);
} END_TEST

START_TEST(without_lingering_it_is_closed_at_once)
{
	int client;

	service.timeouts.linger = 0;
	client = connect_pair(HANDLER_ID_daytime);
	ck_assert_ptr_nonnull(strstr(hear(client), "\r\n"));
	ck_assert_ptr_null(hear(client));
	turn();
	expect_end("served");
	ck_assert_int_eq(worker.n_lingering, 0);
	/* The dead has no timer: it would fire into freed memory. */
	ck_assert_uint_eq(worker.loop.timers.n, 1);
	close(client);
} END_TEST

START_TEST(the_binary_time_has_four_bytes)
{
	int client = connect_pair(HANDLER_ID_time);
	unsigned char bytes[8];
	int64_t seconds;

	ck_assert_int_eq(recv(client, bytes, sizeof bytes, MSG_DONTWAIT), 4);
	seconds = ((int64_t)bytes[0] << 24 | bytes[1] << 16 | bytes[2] << 8 | bytes[3]) - 2208988800;
	ck_assert_int_le(llabs((int64_t)(uint32_t)(time(NULL) - seconds)), 5);
	close(client);
} END_TEST

START_TEST(chargen_goes_on_as_long_as_the_client_reads)
{
	static char text[3 * 74 * 95 + 1];
	int client = connect_pair(HANDLER_ID_chargen);
	size_t len = 0;

	while (len < sizeof text - 1) {
		ssize_t n = recv(client, text + len, sizeof text - 1 - len, MSG_DONTWAIT);

		len += n > 0 ? (size_t)n : 0;
		turn();
	}
	for (size_t line = 0; line < 3 * 95; line++) {
		const char *p = text + line * 74;

		ck_assert_int_eq(p[0], (char)(' ' + line % 95));
		ck_assert_int_eq(p[72], '\r');
		ck_assert_int_eq(p[73], '\n');
	}
	close(client);
	turns(3);
	ck_assert_int_eq(worker.n_open, 0);
} END_TEST

START_TEST(chargen_rests_while_the_client_does_not_read)
{
	int client = connect_pair(HANDLER_ID_chargen);
	struct connection *c = newest();
	struct epoll_event e;
	uint64_t out;

	turns(1000);
	out = atomic_load(&c->record->bytes_out);
	ck_assert_uint_gt(out, 0);
	ck_assert_uint_lt(buffer_waiting(&c->out), 65536);
	turns(10);
	ck_assert_uint_eq(atomic_load(&c->record->bytes_out), out);
	/* It is not ready either: the loop sleeps. */
	ck_assert_int_eq(epoll_wait(worker.loop.epoll_fd, &e, 1, 0), 0);
	close(client);
	turns(3);
	expect_end("reset");
} END_TEST

START_TEST(chargen_stops_when_the_client_says_no_more)
{
	int client = connect_pair(HANDLER_ID_chargen);
	char bytes[65536];
	int i = 0;

	say(client, "is thrown away");
	turns(5);
	shutdown(client, SHUT_WR);
	while (worker.n_open > 0) {
		ck_assert_int_lt(i++, 10000);
		while (recv(client, bytes, sizeof bytes, MSG_DONTWAIT) > 0)
			;
		turn();
	}
	expect_end("closed");
	ck_assert_str_eq(logged(0, "in"), "14");
	close(client);
} END_TEST

/* ---- time-outs ---------------------------------------------------------- */

START_TEST(an_idle_client_is_sent_away)
{
	int client;

	service.timeouts.idle = 30;
	client = connect_tcp(HANDLER_ID_echo);
	pass(15);
	say(client, "x");
	turn();
	ck_assert_str_eq(hear(client), "x");
	pass(20);
	ck_assert_int_eq(worker.n_open, 1);     /* counted from its last byte */
	until_readable(client);
	ck_assert_ptr_null(hear(client));
	expect_end("idle");
	ck_assert_int_eq(worker.n_lingering, 1);
	close(client);
} END_TEST

START_TEST(a_client_that_takes_nothing_is_reset)
{
	char byte;
	int client;

	service.timeouts.write = 30;
	client = connect_tcp(HANDLER_ID_echo);
	stuff(client);
	ck_assert(!buffer_is_empty(&newest()->out));
	while (worker.n_open > 0)
		pass(5);
	expect_end("write");
	ck_assert_int_eq(worker.n_lingering, 0);
	while (recv(client, &byte, 1, 0) == 1)
		;
	ck_assert_int_eq(errno, ECONNRESET);
	close(client);
} END_TEST

START_TEST(a_chargen_client_that_sends_but_does_not_read_times_out)
{
	int client;

	service.timeouts.write = 30;
	client = connect_pair(HANDLER_ID_chargen);
	turns(1000);
	for (int i = 0; i < 1000 && worker.n_open > 0; i++) {
		send(client, "x", 1, MSG_DONTWAIT);     /* only what it takes counts */
		pass(5);
	}
	expect_end("write");
	close(client);
} END_TEST

/* It sends nothing: a plain close would leave what it was sent in the kernel for minutes. */
START_TEST(a_chargen_client_that_takes_nothing_is_reset)
{
	static char bytes[65536];
	ssize_t n;
	int client;

	service.timeouts.write = 30;
	client = connect_tcp(HANDLER_ID_chargen);
	while (worker.n_open > 0)
		pass(5);
	expect_end("write");
	ck_assert_int_eq(worker.n_lingering, 0);
	turn();
	while ((n = recv(client, bytes, sizeof bytes, MSG_DONTWAIT)) > 0)
		;
	ck_assert_int_eq(n, -1);
	ck_assert_msg(errno == ECONNRESET, "%m");
	close(client);
} END_TEST

START_TEST(a_session_does_not_end_lingering)
{
	int client;

	service.timeouts.session = 20;
	client = connect_pair(HANDLER_ID_daytime);
	pass(60);
	ck_assert_int_eq(worker.n_lingering, 1);
	close(client);
} END_TEST

START_TEST(a_session_has_its_time_however_busy_it_is)
{
	int client;

	service.timeouts.session = 40;
	client = connect_pair(HANDLER_ID_echo);
	while (worker.n_open > 0) {
		send(client, "x", 1, MSG_NOSIGNAL);
		pass(5);
	}
	expect_end("session");
	close(client);
} END_TEST

START_TEST(time_outs_of_0_are_never)
{
	int client;

	service.timeouts = (struct conf_timeouts){ 0 };
	client = connect_pair(HANDLER_ID_echo);
	ck_assert_uint_eq(worker.loop.timers.n, 1);     /* the guard */
	say(client, "x");
	turn();
	ck_assert_str_eq(hear(client), "x");
	ck_assert_uint_eq(worker.loop.timers.n, 1);
	close(client);
	turns(2);
	expect_end("closed");
} END_TEST

START_TEST(lingering_has_its_time_however_much_comes)
{
	int client;

	service.timeouts.linger = 40;
	client = connect_pair(HANDLER_ID_daytime);
	ck_assert_int_eq(worker.n_lingering, 1);
	while (worker.n_lingering > 0) {
		send(client, "x", 1, MSG_NOSIGNAL);
		pass(5);
	}
	expect_end("served");
	close(client);
} END_TEST

START_TEST(no_more_linger_than_there_are_slots)
{
	int clients[SLOTS + 2];

	for (int i = 0; i < SLOTS + 2; i++) {
		clients[i] = connect_pair(HANDLER_ID_daytime);
		turn();
		ck_assert_int_eq(worker.n_open, 0);     /* it gave its slot back */
		ck_assert_int_eq(worker.n_lingering, i < SLOTS ? i + 1 : SLOTS);
	}
	for (int i = 0; i < SLOTS + 2; i++) {           /* the oldest two are gone */
		errno = 0;
		ck_assert_int_eq(send(clients[i], "x", 1, MSG_NOSIGNAL | MSG_DONTWAIT),
		                 i < 2 ? -1 : 1);
		ck_assert_int_eq(errno, i < 2 ? EPIPE : 0);
		close(clients[i]);
	}
} END_TEST

/* ---- failures ----------------------------------------------------------- */

START_TEST(a_program_that_cannot_start_ends_the_connection_and_pauses_accepting)
{
	int client = connect_pair(HANDLER_ID_exec);

	turn();
	expect_end("failed");
	ck_assert(!is_accepting);
	ck_assert_ptr_null(hear(client));
	ck_assert_int_eq(worker.n_lingering, 0);
	/* Beside the guard's and the acceptor's there is no timer: the dead has none. */
	ck_assert_uint_eq(worker.loop.timers.n, 2);
	close(client);
} END_TEST

START_TEST(one_that_is_aborted_is_gone_with_what_it_had_to_send)
{
	int client = connect_pair(HANDLER_ID_echo);

	stuff(client);
	connection_abort(newest(), END_STOPPED);
	turn();
	expect_end("stop");
	close(client);
} END_TEST

/* ---- what the board says ------------------------------------------------ */

static struct board_connection_view seen;

/* Record k of the worker; false if it is free. */
static bool look(size_t k)
{
	memset(&seen, 0, sizeof seen);
	return board_view_connection(worker.start.board, 0, k, &seen);
}

static struct board_worker_view look_at_worker(void)
{
	struct board_worker_view v;

	board_view(worker.start.board, 0, &v);
	return v;
}

START_TEST(the_board_shows_a_connection_and_what_it_does)
{
	int64_t before = worker.loop.now_ms;
	int client = connect_pair(HANDLER_ID_echo);
	struct board_worker_view v;

	ck_assert(look(0));
	ck_assert_int_eq(seen.phase, BOARD_PHASE_IDLE);
	ck_assert_uint_eq(seen.number, 1);
	ck_assert_int_eq(seen.since_ms, before);
	ck_assert_int_eq(memcmp(&seen.peer, &peer, sizeof peer), 0);
	ck_assert_int_eq(seen.program, 0);
	say(client, "hello");
	turn();
	say(client, "hi");
	turn();
	ck_assert(look(0));
	ck_assert_int_eq(seen.phase, BOARD_PHASE_IDLE);
	ck_assert_uint_eq(seen.bytes_in, 7);
	ck_assert_uint_eq(seen.bytes_out, 7);
	v = look_at_worker();
	ck_assert_uint_eq(v.open, 1);
	ck_assert_uint_eq(v.accepted, 1);
	ck_assert_uint_eq(v.served, 0);
	ck_assert_uint_eq(v.bytes_in, 7);
	ck_assert_uint_eq(v.bytes_out, 7);
	ck_assert_uint_eq(v.requests, 2);
	ck_assert(!v.at_work);
	close(client);
	turns(2);
	ck_assert(!look(0));
	v = look_at_worker();
	ck_assert_uint_eq(v.open, 0);
	ck_assert_uint_eq(v.served, 1);
	ck_assert_uint_eq(v.bytes_out, 7);      /* the sum stays */
} END_TEST

START_TEST(the_board_shows_who_does_not_read)
{
	int client = connect_pair(HANDLER_ID_echo);
	size_t sent = stuff(client), got = 0;

	ck_assert(look(0));
	ck_assert_int_eq(seen.phase, BOARD_PHASE_WRITING);
	ck_assert_uint_gt(seen.bytes_in, seen.bytes_out);
	while (got < sent) {
		got = gather(client, got);
		turn();
	}
	ck_assert(look(0));
	ck_assert_int_eq(seen.phase, BOARD_PHASE_IDLE);
	ck_assert_uint_eq(seen.bytes_in, sent);
	ck_assert_uint_eq(seen.bytes_out, sent);
	close(client);
} END_TEST

START_TEST(the_board_shows_who_is_written_to_unasked)
{
	int client = connect_pair(HANDLER_ID_chargen);

	turns(2);
	ck_assert(look(0));
	ck_assert_int_eq(seen.phase, BOARD_PHASE_WRITING);
	ck_assert_uint_gt(seen.bytes_out, 0);
	ck_assert_uint_eq(look_at_worker().requests, 0);
	close(client);
} END_TEST

START_TEST(what_lingers_has_no_record_any_more)
{
	int client = connect_tcp(HANDLER_ID_daytime);

	ck_assert_int_eq(worker.n_lingering, 1);
	ck_assert(!look(0));
	say(client, "too late");
	turns(2);
	ck_assert_int_eq(worker.n_lingering, 1);
	ck_assert_uint_eq(look_at_worker().bytes_in, 0);
	ck_assert_uint_gt(look_at_worker().bytes_out, 0);
	close(client);
} END_TEST

START_TEST(records_are_used_again)
{
	int one = connect_pair(HANDLER_ID_echo), other = connect_pair(HANDLER_ID_echo), third;

	ck_assert(look(0) && look(1) && !look(2));
	close(one);
	turns(2);
	ck_assert(!look(0) && look(1));
	ck_assert_uint_eq(seen.number, 2);
	third = connect_pair(HANDLER_ID_echo);
	ck_assert(look(0));
	ck_assert_uint_eq(seen.number, 3);
	ck_assert_uint_eq(seen.bytes_in, 0);
	ck_assert(look(1) && !look(2));
	close(other);
	close(third);
} END_TEST

/* More than once through all records: each gets one, and none is lost. */
START_TEST(there_is_a_record_for_each_slot)
{
	int clients[SLOTS];

	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < SLOTS; i++)
			clients[i] = connect_pair(HANDLER_ID_echo);
		for (size_t k = 0; k < SLOTS; k++)
			ck_assert(look(k));
		ck_assert(!worker_has_room(&worker));
		for (int i = 0; i < SLOTS; i++)
			close(clients[i]);
		turns(2);
		for (size_t k = 0; k < SLOTS; k++)
			ck_assert(!look(k));
	}
} END_TEST

/* A program that reads to the end: it goes with its client, whatever happens to us. */
static const char *cat[] = { "/bin/cat", NULL };

START_TEST(the_board_shows_the_program)
{
	const struct endpoint from = peer;
	siginfo_t info;
	int ends[2];
	pid_t pid;

	serve_with(HANDLER_ID_exec);
	worker.programs.argv = (char *const *)(uintptr_t)cat;
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	connection_new(&worker, ends[0], &from);
	pid = program_pid(newest()->program);
	ck_assert(look(0));
	ck_assert_int_eq(seen.phase, BOARD_PHASE_PROGRAM);
	ck_assert_int_eq(seen.program, pid);
	ck_assert_uint_eq(look_at_worker().requests, 1);
	ck_assert(!look_at_worker().at_work);
	connection_end_program(newest(), END_SESSION);
	ck_assert(look(0));
	ck_assert_int_eq(seen.phase, BOARD_PHASE_CLOSING);
	ck_assert_int_eq(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	programs_reap(&worker.programs);
	ck_assert(!look(0));
	expect_end("session");
	close(ends[1]);
	turn();
} END_TEST

/* ---- what the board says meanwhile -------------------------------------- */

static struct board_worker_view meanwhile;

static enum handler_verdict note_meanwhile(struct connection *c)
{
	meanwhile = look_at_worker();
	ck_assert_ptr_eq(board_records(worker.start.board, 0) + meanwhile.work, c->record);
	ck_assert(look(meanwhile.work));
	ck_assert_int_eq(seen.phase, BOARD_PHASE_HANDLER);
	ck_assert_uint_eq(seen.number, c->number);
	return HANDLER_GO_ON;
}

static enum handler_verdict note_bytes(struct connection *c, const char *bytes, size_t len)
{
	(void)bytes;
	ck_assert_uint_eq(c->record->bytes_in, len);    /* they are counted before they are handled */
	return note_meanwhile(c);
}

static enum handler_verdict die(struct connection *c, const char *bytes, size_t len)
{
	(void)c, (void)bytes, (void)len;
	raise(SIGKILL);
	return HANDLER_GO_ON;
}

/* The second of two connections, with a handler of the test's own. */
static int connect_second(const struct handler *h)
{
	int ends[2];

	worker.handler = h;
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
	connection_new(&worker, ends[0], &peer);
	return ends[1];
}

START_TEST(the_board_shows_who_is_being_served)
{
	static const struct handler h = {
		.opened = note_meanwhile, .received = note_bytes, .ended = note_meanwhile,
	};
	int other = connect_pair(HANDLER_ID_echo), client = connect_second(&h);

	ck_assert(meanwhile.at_work);
	ck_assert_uint_eq(meanwhile.work, 1);
	ck_assert(!look_at_worker().at_work);
	meanwhile.at_work = false;
	say(client, "hello");
	turn();
	ck_assert(meanwhile.at_work);
	ck_assert_uint_eq(meanwhile.work, 1);
	ck_assert_uint_eq(meanwhile.requests, 1);
	ck_assert(!look_at_worker().at_work);
	ck_assert(look(1));
	ck_assert_int_eq(seen.phase, BOARD_PHASE_IDLE);
	meanwhile.at_work = false;
	shutdown(client, SHUT_WR);
	turn();
	ck_assert(meanwhile.at_work);
	ck_assert(!look_at_worker().at_work);
	close(client);
	close(other);
} END_TEST

START_TEST(who_was_being_served_when_the_worker_died_is_still_there)
{
	static const struct handler h = { .received = die };
	int other = connect_pair(HANDLER_ID_echo), client = connect_second(&h);
	struct board_worker_view v;
	pid_t child;
	int status;

	say(client, "hello");
	child = fork();
	if (child == 0) {
		turn();
		_exit(0);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFSIGNALED(status));
	v = look_at_worker();
	ck_assert(v.at_work);
	ck_assert_uint_eq(v.work, 1);
	ck_assert(look(v.work));
	ck_assert_uint_eq(seen.number, 2);
	ck_assert_uint_eq(seen.bytes_in, 5);
	close(client);
	close(other);
} END_TEST

/* ---- a handler that answers later --------------------------------------- */

static struct {
	struct connection *c;
	size_t             n_received, n_taken, n_closed;
	enum handler_verdict then;      /* what `taken` says */
} later;

static enum handler_verdict later_received(struct connection *c, const char *bytes, size_t len)
{
	(void)bytes, (void)len;
	later.c = c;
	later.n_received++;
	handler_request_begins(c);
	return HANDLER_WAIT;
}

static enum handler_verdict later_taken(struct connection *c)
{
	(void)c;
	later.n_taken++;
	return later.then;
}

static void later_closed(struct connection *c)
{
	ck_assert_ptr_eq(*handler_state(c), NULL);
	later.n_closed++;
}

static const struct handler later_handler = {
	.name = "later", .received = later_received, .taken = later_taken, .closed = later_closed,
};

static int connect_later(void)
{
	int client = connect_tcp(HANDLER_ID_echo);
	struct connection *c = newest();

	worker.handler = &later_handler;
	memset(&later, 0, sizeof later);
	say(client, "first");
	turn();
	ck_assert_ptr_eq(later.c, c);
	ck_assert_int_eq(c->state, CONNECTION_WAIT);
	ck_assert_uint_eq(atomic_load(&c->record->phase), BOARD_PHASE_HANDLER);
	return client;
}

START_TEST(nothing_is_read_while_a_request_waits)
{
	int client = connect_later();

	say(client, "second");
	turns(3);
	ck_assert_uint_eq(later.n_received, 1);
	handler_reply(later.c, "answer", 6);
	handler_request_ends(later.c);
	handler_go_on(later.c, HANDLER_GO_ON);
	ck_assert_int_eq(later.c->state, CONNECTION_READ);
	turn();
	ck_assert_uint_eq(later.n_received, 2);         /* what had come meanwhile is told */
	until_readable(client);
	ck_assert_str_eq(hear(client), "answer");
	handler_go_on(later.c, HANDLER_FINISH);
	turns(2);
	ck_assert_uint_eq(later.n_closed, 1);
	expect_end("served");
	close(client);
} END_TEST

START_TEST(the_end_of_what_a_client_sends_waits_as_well)
{
	int client = connect_later();

	shutdown(client, SHUT_WR);
	turns(3);
	ck_assert_int_eq(later.c->state, CONNECTION_WAIT);
	handler_reply(later.c, "answer", 6);
	handler_go_on(later.c, HANDLER_GO_ON);
	turns(2);
	until_readable(client);
	ck_assert_str_eq(hear(client), "answer");
	expect_end("closed");
	close(client);
} END_TEST

START_TEST(who_gives_up_says_so_and_lingers)
{
	int client = connect_later();

	handler_reply(later.c, "sorry", 5);
	handler_go_on(later.c, HANDLER_GIVE_UP);
	expect_end("failed");
	ck_assert_int_eq(worker.n_lingering, 1);
	until_readable(client);
	ck_assert_str_eq(hear(client), "sorry");
	close(client);
	turns(2);
} END_TEST

START_TEST(a_slow_client_takes_its_answer_before_the_next_request)
{
	static char big[8 << 20];
	int client = connect_later();
	char got[65536];

	handler_reply(later.c, big, sizeof big);
	ck_assert(handler_is_behind(later.c));
	handler_go_on(later.c, HANDLER_GO_ON);
	ck_assert_int_eq(later.c->state, CONNECTION_WRITE);
	later.then = HANDLER_WAIT;
	while (later.n_taken == 0) {
		while (recv(client, got, sizeof got, MSG_DONTWAIT) > 0)
			;
		pass(1);
	}
	ck_assert_int_eq(later.c->state, CONNECTION_WAIT);
	close(client);
} END_TEST

START_TEST(who_resets_while_it_waits_is_gone)
{
	int client = connect_later();
	const struct linger now = { .l_onoff = 1 };

	setsockopt(client, SOL_SOCKET, SO_LINGER, &now, sizeof now);
	close(client);
	turns(2);
	ck_assert_uint_eq(later.n_closed, 1);
	expect_end("reset");
} END_TEST

START_TEST(a_request_has_its_own_time)
{
	int client;

	service.timeouts.request = 5;
	client = connect_later();
	pass(10);
	expect_end("request");
	ck_assert_uint_eq(later.n_closed, 1);
	close(client);
	turns(2);
} END_TEST

int main(void)
{
	Suite *s = suite_create("connection");
	TCase *bytes = unit_case(s, "bytes", set_up, tear_down);
	TCase *speakers = unit_case(s, "speakers", set_up, tear_down);
	TCase *timeouts = unit_case(s, "timeouts", set_up, tear_down);
	TCase *failures = unit_case(s, "failures", set_up, tear_down);
	TCase *board = unit_case(s, "board", set_up, tear_down);
	TCase *later_case = unit_case(s, "later", set_up, tear_down);

	tcase_add_test(bytes, what_comes_goes_back);
	tcase_add_test(bytes, who_closed_its_half_still_gets_all);
	tcase_add_test(bytes, a_client_that_does_not_read_costs_a_buffer_until_it_does);
	tcase_add_test(bytes, what_waits_is_sent_before_it_ends);
	tcase_add_test(bytes, a_client_that_vanishes_is_a_reset);
	tcase_add_test(bytes, a_client_that_vanishes_while_output_waits_is_a_reset);
	tcase_add_test(bytes, what_is_thrown_away_is_counted);
	tcase_add_test(bytes, nothing_is_left_behind_urgent_data);
	tcase_add_test(bytes, nothing_is_left_behind_a_descriptor);
	tcase_add_test(bytes, a_large_burst_is_answered_without_another_word);
	tcase_add_test(bytes, connections_have_numbers_of_their_own);
	tcase_add_test(speakers, who_has_spoken_closes_first_and_lingers);
	tcase_add_test(speakers, without_lingering_it_is_closed_at_once);
	tcase_add_test(speakers, the_binary_time_has_four_bytes);
	tcase_add_test(speakers, chargen_goes_on_as_long_as_the_client_reads);
	tcase_add_test(speakers, chargen_rests_while_the_client_does_not_read);
	tcase_add_test(speakers, chargen_stops_when_the_client_says_no_more);
	tcase_add_test(timeouts, an_idle_client_is_sent_away);
	tcase_add_test(timeouts, a_client_that_takes_nothing_is_reset);
	tcase_add_test(timeouts, a_chargen_client_that_sends_but_does_not_read_times_out);
	tcase_add_test(timeouts, a_chargen_client_that_takes_nothing_is_reset);
	tcase_add_test(timeouts, a_session_does_not_end_lingering);
	tcase_add_test(timeouts, a_session_has_its_time_however_busy_it_is);
	tcase_add_test(timeouts, time_outs_of_0_are_never);
	tcase_add_test(timeouts, lingering_has_its_time_however_much_comes);
	tcase_add_test(timeouts, no_more_linger_than_there_are_slots);
	tcase_add_test(failures, a_program_that_cannot_start_ends_the_connection_and_pauses_accepting);
	tcase_add_test(failures, one_that_is_aborted_is_gone_with_what_it_had_to_send);
	tcase_add_test(board, the_board_shows_a_connection_and_what_it_does);
	tcase_add_test(board, the_board_shows_who_does_not_read);
	tcase_add_test(board, the_board_shows_who_is_written_to_unasked);
	tcase_add_test(board, what_lingers_has_no_record_any_more);
	tcase_add_test(board, records_are_used_again);
	tcase_add_test(board, there_is_a_record_for_each_slot);
	tcase_add_test(board, the_board_shows_the_program);
	tcase_add_test(board, the_board_shows_who_is_being_served);
	tcase_add_test(board, who_was_being_served_when_the_worker_died_is_still_there);
	tcase_add_test(later_case, nothing_is_read_while_a_request_waits);
	tcase_add_test(later_case, the_end_of_what_a_client_sends_waits_as_well);
	tcase_add_test(later_case, who_gives_up_says_so_and_lingers);
	tcase_add_test(later_case, a_slow_client_takes_its_answer_before_the_next_request);
	tcase_add_test(later_case, who_resets_while_it_waits_is_gone);
	tcase_add_test(later_case, a_request_has_its_own_time);
	return unit_run(s);
}
