/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Connections with built-in handlers, and real time. Each test changes `service` first,
 * if it has to.
 */
#ifndef DROVER_TESTS_CONNECTION_HARNESS_H
#define DROVER_TESTS_CONNECTION_HARNESS_H

#include "clock.h"
#include "handlers.h"
#include "worker_harness.h"

static const char *no_program[] = { "/no/such/program", NULL };

static struct timer guard;
static const struct handler *begun;     /* it has begun in the worker */

/* ---- around each test --------------------------------------------------- */

static inline void fail_late(struct timer *t)
{
	(void)t;
	ck_abort_msg("nothing happened for too long");
}

static inline void set_up(void)
{
	service = (struct conf_service){
		.name = "test", .connections = SLOTS,
		.handler = { .program = no_program[0], .argv = no_program, .env = (const char **)(uintptr_t)none,
		             .pass_env = (const char **)(uintptr_t)none, .err = STDERR_CLIENT },
		.timeouts = { .idle = 10000, .write = 10000, .session = 20000, .linger = 10000 },
	};
	open_worker();
	begun = NULL;
	guard = (struct timer){ .fire = fail_late };
	loop_timer(&worker.loop, &guard, 15000);
}

/* As worker_end_now does. */
static inline void tear_down(void)
{
	struct connection *c;

	list_each(&worker.connections, c, struct connection, in_worker)
		connection_abort(c, END_STOPPED);
	list_each(&worker.lingering, c, struct connection, in_worker)
		connection_abort(c, END_STOPPED);
	timer_unset(&worker.loop.timers, &guard);
	if (begun)
		begun->end(&worker);
	begun = NULL;
	close_worker();
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
	if (!worker.handler->module || worker.handler == begun)
		return;
	if (begun)
		begun->end(&worker);
	begun = worker.handler;
	ck_assert_int_eq(begun->begin(&worker), 0);
}

/* A connection over a pair of unix sockets, or over the loopback. Returns the client's end. */
static inline int connect_pair(enum handler_id id)
{
	serve_with(id);
	return new_pair();
}

static inline int connect_tcp(enum handler_id id)
{
	serve_with(id);
	return new_tcp();
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

static inline void fill_with_alphabets(char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		bytes[i] = (char)('a' + i % 26);
}

/* A client that does not read: sends until neither side moves any more. */
static inline size_t stuff(int client)
{
	static char bytes[65536];
	size_t sum = 0;
	int stuck = 0;

	fill_with_alphabets(bytes, sizeof bytes);
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
	static char bytes[65536], want[26 + sizeof bytes];
	size_t sum = from;
	ssize_t n;

	fill_with_alphabets(want, sizeof want);
	while ((n = recv(client, bytes, sizeof bytes, MSG_DONTWAIT)) > 0) {
		/* one assertion: Check writes a message for each, and there are megabytes */
		ck_assert_msg(memcmp(bytes, want + sum % 26, (size_t)n) == 0, "other bytes, after %zu", sum);
		sum += (size_t)n;
	}
	return sum;
}

/* ---- how it ended ------------------------------------------------------- */

static inline void expect_end(const char *how)
{
	ck_assert_msg(strcmp(logged(0, "how"), how) == 0, "it ended as %s, not %s", logged(0, "how"),
	              how);
	ck_assert_int_eq(worker.n_open, 0);
	ck_assert_uint_eq(atomic_load(&worker.slot->served), 1);
}

#endif
