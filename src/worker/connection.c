/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Begins connections, and calls what has to be done when their sockets are ready and when they
 * time out. It changes no state by itself: connection_state.c does that.
 */
#include <config.h>
#include "connection_private.h"

#include <stdlib.h>

#include "client_block.h"
#include "connection_log.h"

/* What is done when its stream is ready. */
static enum connection_state (*const steps[])(struct connection *c, uint32_t events) = {
	[CONNECTION_HANDSHAKE] = connection_step_handshake,
	[CONNECTION_READ]      = connection_step_read,
	[CONNECTION_WAIT]      = connection_step_wait,
	[CONNECTION_WRITE]     = connection_step_write,
	[CONNECTION_PRODUCE]   = connection_step_produce,
	[CONNECTION_PROGRAM]   = connection_step_program,
	[CONNECTION_LINGER]    = connection_step_linger,
};

static void on_connection_event(struct stream *s, uint32_t events)
{
	struct connection *c = container_of(s, struct connection, stream);

	connection_work_on(c);
	connection_enter(c, steps[c->state](c, events));
	connection_work_done(c->worker);
}

/* ---- time-outs ---------------------------------------------------------- */

static bool was_timed_out(const struct connection *c)
{
	return c->how == END_IDLE || c->how == END_REQUEST || c->how == END_WRITE ||
	       c->how == END_SESSION;
}

/*
 * The client has made progress if it has less to take than at the last look. If it is not
 * known how much that was, it counts as progress.
 */
static void look_for_progress(struct connection *c)
{
	const int64_t before = c->untaken;

	c->untaken = stream_untaken(&c->stream);
	if (before == 0 ? c->untaken > 0 : c->untaken < before)
		c->active_ms = c->worker->loop.now_ms;
}

static void time_out(struct connection *c)
{
	enum connection_end as = END_NOT_YET;

	if (tcp_peer_is_gone(&c->client, connection_socket_local(c), connection_socket_peer(c),
	                     c->worker->loop.now_ms)) {
		connection_end_program(c, END_RESET);
		return;
	}
	look_for_progress(c);
	if (connection_deadline(c, &as) > c->worker->loop.now_ms) {
		connection_arm(c);
	} else if (c->state == CONNECTION_LINGER) {
		if (was_timed_out(c) && stream_untaken(&c->stream) > 0)
			stream_reset_on_close(&c->stream);
		connection_enter(c, CONNECTION_DONE);
	} else if (c->state == CONNECTION_PROGRAM) {
		connection_end_program(c, as);
	} else if (c->state == CONNECTION_HANDSHAKE) {
		connection_enter(c, as == END_HANDSHAKE ? connection_handshake_timed_out(c)
		                                        : connection_fail(c, as));
	} else if (!buffer_is_empty(&c->out) || as == END_WRITE) {
		stream_reset_on_close(&c->stream);
		connection_enter(c, connection_fail(c, as));
	} else {
		connection_enter(c, connection_finish(c, as));
	}
}

static void on_connection_timer(struct timer *t)
{
	struct connection *c = container_of(t, struct connection, timer);

	connection_work_on(c);
	time_out(c);
	connection_work_done(c->worker);
}

/* ---- the begin ---------------------------------------------------------- */

struct connection *connection_new(struct worker *w, int fd, const struct endpoint *peer,
                                  const struct client_hold *hold)
{
	struct connection *c = calloc(1, sizeof *c);

	if (!c)
		return NULL;
	stream_open(&c->stream, fd, peer->family, on_connection_event);
	c->timer.fire = on_connection_timer;
	c->worker = w;
	c->peer = *peer;
	c->opened_ms = c->active_ms = w->loop.now_ms;
	c->hold = *hold;
	c->record = worker_take_slot(w, peer);
	if (peer->family == AF_UNIX)
		board_set(&c->record->user, 1 + (uint32_t)client_block_user(fd));
	board_set(&c->record->source, sources_of_hold(hold->source));
	c->number = w->accepted;
	list_append(&w->connections, &c->in_worker);
	return c;
}

/* Waits for its header, or for more of its handshake. */
static void begin_handshake(struct connection *c)
{
	connection_show_phase(c);
	if (connection_watch(c))
		connection_arm(c);
}

void connection_begin(struct connection *c, enum proxy_versions expects, bool tls)
{
	struct worker *w = c->worker;
	enum connection_state next = CONNECTION_HANDSHAKE;

	c->expects = expects;
	c->wants_tls = tls;
	connection_log_begin(c);
	connection_work_on(c);
	if (expects == PROXY_OFF)
		next = connection_go_on(c);
	if (next == CONNECTION_HANDSHAKE)
		begin_handshake(c);
	else
		connection_enter(c, next);
	connection_work_done(w);
}

/* ---- for the worker ----------------------------------------------------- */

static void end_now(struct connection *c, enum connection_end how)
{
	if (c->state == CONNECTION_PROGRAM)
		connection_end_program(c, how);
	else
		connection_abort(c, how);
}

struct connection *connection_find(const struct worker *w, uint64_t number)
{
	struct connection *c;

	list_each(&w->connections, c, struct connection, in_worker)
		if (c->number == number)
			return c;
	return NULL;
}

void connection_kick(struct connection *c)
{
	c->kicked = true;
	end_now(c, END_KICKED);
}

void connection_stop_all(struct worker *w)
{
	struct connection *c;

	list_each(&w->connections, c, struct connection, in_worker)
		end_now(c, END_STOPPED);
	list_each(&w->lingering, c, struct connection, in_worker)
		connection_abort(c, END_STOPPED);
}

/* ---- for handlers ------------------------------------------------------- */

struct worker *connection_worker(const struct connection *c)
{
	return c->worker;
}

const struct endpoint *connection_peer(const struct connection *c)
{
	return &c->peer;
}

const struct endpoint *connection_local(const struct connection *c)
{
	return &c->local;
}

const struct endpoint *connection_find_local(struct connection *c)
{
	if (c->local.family == AF_UNSPEC)
		connection_log_find_local(c);
	return &c->local;
}

uint32_t connection_user(const struct connection *c)
{
	const uint32_t user = c->record ? atomic_load_explicit(&c->record->user, memory_order_relaxed) : 0;

	return user == 0 ? UINT32_MAX : user - 1;
}

enum connection_end connection_how(const struct connection *c)
{
	return c->how;
}

void connection_work_begins(const struct connection *c)
{
	connection_work_on(c);
}

const struct proxied *connection_proxied(const struct connection *c)
{
	return c->proxied;
}

const struct tls_link *connection_tls(const struct connection *c)
{
	return stream_tls(&c->stream);
}

struct stream *connection_stream(struct connection *c)
{
	return &c->stream;
}
