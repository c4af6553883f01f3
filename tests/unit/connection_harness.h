/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Connections of a worker that has no listeners, with a client at the other end
 * of a socket pair. The loop is turned by hand; how a connection ended is read
 * from the access log. Each test changes `service` first, if it has to.
 */
#ifndef DROVER_TESTS_CONNECTION_HARNESS_H
#define DROVER_TESTS_CONNECTION_HARNESS_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "clock.h"
#include "connection.h"
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
static bool is_accepting;

/* ---- the worker --------------------------------------------------------- */

static inline void stop(struct timer *t)
{
	(void)t;
	loop_stop(&worker.loop);
}

static inline void fail_late(struct timer *t)
{
	(void)t;
	ck_abort_msg("nothing happened for too long");
}

static inline bool yes(void *arg)
{
	return worker_has_room(arg);
}

static inline void on_paused(void *arg, const char *reason)
{
	(void)arg, (void)reason;
	is_accepting = false;
}

static inline void on_resumed(void *arg)
{
	(void)arg;
}

static inline void set_up(void)
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
static inline void tear_down(void)
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

/* ---- time --------------------------------------------------------------- */

/* One turn, for what is ready now. */
static inline void turn(void)
{
	loop_timer_at(&worker.loop, &tick, 0);
	loop_run(&worker.loop);
}

static inline void turns(int n)
{
	while (n-- > 0)
		turn();
}

/* Real time passes, as short as can be. */
static inline void pass(int64_t ms)
{
	int64_t end = clock_ms() + ms;

	worker.loop.now_ms = clock_ms();
	while (clock_ms() < end) {
		loop_timer_at(&worker.loop, &tick, end);
		loop_run(&worker.loop);
	}
}

/* Until the client has something to read, or its end. */
static inline void until_readable(int client)
{
	struct pollfd p = { .fd = client, .events = POLLIN };

	while (poll(&p, 1, 0) == 0) {
		loop_timer(&worker.loop, &tick, 1);
		loop_run(&worker.loop);
	}
}

/* ---- clients ------------------------------------------------------------ */

static inline void serve_with(enum handler_id id)
{
	service.handler.id = id;
	worker.handler = handler_find(&service.handler);
}

static inline struct connection *newest(void)
{
	ck_assert(!list_empty(&worker.connections));
	return container_of(worker.connections.prev, struct connection, in_worker);
}

/* A connection over a pair of unix sockets. Returns the client's end. */
static inline int connect_pair(enum handler_id id)
{
	int ends[2];

	serve_with(id);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
	connection_new(&worker, ends[0], &peer);
	return ends[1];
}

/* The same over the loopback, where a reset is a reset. */
static inline int connect_tcp(enum handler_id id)
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

static inline void say(int client, const char *text)
{
	ck_assert_int_eq(write(client, text, strlen(text)), (ssize_t)strlen(text));
}

/* What is there to read now; NULL at the end. */
static inline const char *hear(int client)
{
	static char text[4096];
	ssize_t n = recv(client, text, sizeof text - 1, MSG_DONTWAIT);

	if (n == 0)
		return NULL;
	text[n > 0 ? n : 0] = '\0';
	return text;
}

/* A client that does not read: sends until neither side moves any more. */
static inline size_t stuff(int client)
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
static inline size_t gather(int client, size_t from)
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

/* ---- how it ended ------------------------------------------------------- */

/* What the access log says of a key, in its line of that number from 0. */
static inline const char *logged(int line, const char *key)
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

static inline void expect_end(const char *how)
{
	ck_assert_msg(strcmp(logged(0, "how"), how) == 0, "it ended as %s, not %s", logged(0, "how"),
	              how);
	ck_assert_int_eq(worker.n_open, 0);
	ck_assert_uint_eq(atomic_load(&worker.slot->served), 1);
}

#endif
