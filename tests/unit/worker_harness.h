/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A worker that has no listeners, with one connection or some: the client is at the
 * other end of a pair of sockets. The loop is turned by hand; how a connection ended is
 * read from the access log. What is served, and by whom, is up to who includes this.
 */
#ifndef DROVER_TESTS_WORKER_HARNESS_H
#define DROVER_TESTS_WORKER_HARNESS_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "admission.h"
#include "connection_private.h"
#include "unit.h"
#include "worker.h"

#define SLOTS 4

static const char *const none[] = { NULL };

static struct conf_service service;     /* set before open_worker */
static struct pool_memory memory;
static struct service_memory service_memory;
static struct worker worker;
static struct timer tick;               /* stops the loop */
static struct endpoint peer;            /* who the client is said to be */
static struct conf_listen anywhere;     /* the only listener of the service */
static const size_t its_index;
static int listener;                    /* on the loopback, for who needs a real client */
static bool is_accepting;

/* ---- the worker --------------------------------------------------------- */

static inline void stop(struct timer *t)
{
	(void)t;
	loop_stop(&worker.loop);
}

static inline int64_t reserve(void *arg)
{
	return limits_reserve(arg);
}

static inline void unreserve(void *arg)
{
	limits_unreserve(arg);
}

static inline void left_waiting(void *arg)
{
	limits_left_waiting(arg);
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

/* With a folder, in which the access log is. */
static inline void open_worker(void)
{
	static const struct acceptor_options options = { .service = "test" };
	const struct acceptor_owner owner = {
		.arg = &worker, .reserve = reserve, .unreserve = unreserve,
		.left_waiting = left_waiting, .has_room = yes, .paused = on_paused,
		.resumed = on_resumed,
	};

	unit_enter_folder();
	unit_block_sigpipe();
	log_use(NULL, LOG_LEVEL_ERROR);
	worker = (struct worker){ .service = &service, .pid = getpid() };
	list_init(&worker.connections);
	list_init(&worker.lingering);
	ck_assert_int_eq(loop_init(&worker.loop), 0);
	ck_assert_int_eq(pool_memory_make(&memory, &(struct pool_memory_size){ 1, SLOTS, 0 }), 0);
	service.listen = &anywhere;
	worker.start.listens = &its_index;
	ck_assert_int_eq(service_memory_make(&service_memory, SOURCES_MIN), 0);
	ck_assert_int_eq(holds_enter(memory.holds, 0), 0);
	worker.start.memory = &memory;
	worker.start.service_memory = &service_memory;
	worker.start.leash = (struct leash){ -1, -1 };
	worker.slot = board_slot(memory.board, 0);
	ck_assert_int_eq(records_init(&worker.records, memory.board, 0), 0);
	worker.start.access_log = log_sink_open(LOG_TARGET_FILE, "access", LOG_FORMAT_TEXT);
	worker.scratch = malloc(WORKER_SCRATCH);
	worker.acceptor = acceptor_new(&worker.loop, &owner, &options, NULL, 0);
	ck_assert_int_eq(programs_init(&worker.programs, &worker.loop, &service, &worker.limits,
	                               board_stderr_paid(memory.board)), 0);
	limits_init(&worker);
	is_accepting = true;
	peer = (struct endpoint){ .family = AF_INET, .port = 1234, .ip = { 10, 0, 0, 7 } };
	tick = (struct timer){ .fire = stop };
	listener = -1;
}

/* Each connection must be gone. */
static inline void close_worker(void)
{
	ck_assert_int_eq(worker.n_open, 0);
	ck_assert_int_eq(worker.n_lingering, 0);
	timer_unset(&worker.loop.timers, &tick);
	acceptor_close(&worker.acceptor);
	ck_assert_uint_eq(worker.loop.timers.n, 0);     /* none is left of the dead */
	programs_fini(&worker.programs);
	loop_fini(&worker.loop);
	log_sink_close(&worker.start.access_log);
	records_fini(&worker.records);
	pool_memory_free(&memory);
	service_memory_free(&service_memory);
	free(worker.scratch);
	if (listener != -1)
		close(listener);
	unit_leave_folder();
}

/* Timers fire at their times, and no real time passes. */
static inline void skip(int64_t ms)
{
	struct loop *l = &worker.loop;
	const int64_t end_ms = l->now_ms + ms;

	while (timer_next(&l->timers) <= end_ms) {
		l->now_ms = timer_next(&l->timers) > l->now_ms ? timer_next(&l->timers) : l->now_ms;
		timer_run(&l->timers, l->now_ms);
	}
	l->now_ms = end_ms;
}

/* ---- clients ------------------------------------------------------------ */

static inline struct connection *newest(void)
{
	ck_assert(!list_empty(&worker.connections));
	return container_of(worker.connections.prev, struct connection, in_worker);
}

/* A connection over a pair of unix sockets. Returns the client's end. */
static inline int new_pair(void)
{
	int ends[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
	admission_decide(&worker, ends[0], 0, &peer);
	return ends[1];
}

/* The same over the loopback, where a reset is a reset. */
static inline int new_tcp(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
	                          .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof at;
	int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), fd;

	if (listener == -1) {
		listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		ck_assert_int_eq(bind(listener, (struct sockaddr *)&at, sizeof at), 0);
		ck_assert_int_eq(listen(listener, 8), 0);
	}
	ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&at, &len), 0);
	ck_assert_int_eq(connect(client, (struct sockaddr *)&at, len), 0);
	fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	ck_assert_int_ne(fd, -1);
	admission_decide(&worker, fd, 0, &peer);
	return client;
}

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

#endif
