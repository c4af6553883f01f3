/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Moves a connection from state to state, and ends it. It knows what a connection is watched for
 * in each state and what the board shows then. It does not know what is done in a state: that is
 * in connection_step.c, connection_program.c and connection_handshake.c.
 */
#include <config.h>
#include "connection_private.h"

#include <stdlib.h>

#include "connection_log.h"
#include "log.h"

static const struct {
	enum stream_wait wait;          /* what its stream is watched for */
	enum board_phase phase;         /* what the board shows; NONE: it has no record any more */
} states[] = {
	[CONNECTION_HANDSHAKE] = { STREAM_MORE_BYTES,    BOARD_PHASE_HANDSHAKE },
	[CONNECTION_READ]      = { STREAM_NEXT_BYTES,    BOARD_PHASE_IDLE },
	[CONNECTION_WAIT]      = { STREAM_NO_BYTES,      BOARD_PHASE_HANDLER },
	[CONNECTION_WRITE]     = { STREAM_ROOM,          BOARD_PHASE_WRITING },
	[CONNECTION_PRODUCE]   = { STREAM_BYTES_OR_ROOM, BOARD_PHASE_WRITING },
	[CONNECTION_PROGRAM]   = { STREAM_NOTHING,       BOARD_PHASE_PROGRAM },
	[CONNECTION_LINGER]    = { STREAM_BYTES,         BOARD_PHASE_NONE },
	[CONNECTION_DONE]      = { STREAM_NOTHING,       BOARD_PHASE_NONE },
};

void connection_show_phase(const struct connection *c)
{
	board_set(&c->record->phase, c->state == CONNECTION_READ && c->request_ms > 0
	                             ? BOARD_PHASE_READING : states[c->state].phase);
}

void connection_sent(struct connection *c, size_t n, bool all)
{
	connection_count_out(c, n);
	if (n > 0)
		c->active_ms = c->worker->loop.now_ms;
	/* All was taken: the next look is the first. That is the common case, and costs no system call. */
	c->untaken = all ? 0 : stream_untaken(&c->stream);
}

/* ---- the end ------------------------------------------------------------ */

static void end_connection(struct connection *c, enum connection_end how)
{
	struct worker *w = c->worker;
	uint64_t in, out;

	if (c->how != END_NOT_YET)
		return;
	c->how = how;
	if (c->is_open && w->handler->closed)
		w->handler->closed(c);
	list_remove(&c->in_worker);
	in = atomic_load_explicit(&c->record->bytes_in, memory_order_relaxed);
	out = atomic_load_explicit(&c->record->bytes_out, memory_order_relaxed);
	board_add_time(&w->slot->duration, w->loop.now_ms - c->opened_ms);
	worker_give_slot(w, c->record);
	c->record = NULL;
	/* A reader of the log or the event that looks at the board must find the connection counted. */
	connection_log_end(c, in, out);
}

static void free_connection(struct watch *w)
{
	struct connection *c = container_of(w, struct connection, stream.watch);

	free(c->was_tls);
	free(c->proxied);
	free(c);
}

static void close_now(struct connection *c)
{
	struct worker *w = c->worker;

	if (c->state == CONNECTION_LINGER) {
		list_remove(&c->in_worker);
		w->n_lingering--;
	}
	c->state = CONNECTION_DONE;
	buffer_clear(&c->out);
	timer_unset(&w->loop.timers, &c->timer);
	stream_retire(&c->stream, &w->loop, free_connection);
	limits_give(w, &c->hold, c->how == END_REFUSED || c->how == END_PROXY);
	if (c->kicked)
		worker_say_of(w, LEASH_KICK, c->number);
	worker_check_end(w);
}

/*
 * A lingering connection has given its slot back, but it still has a descriptor. So at most as
 * many linger as there are slots: if there are more, the oldest is closed.
 */
static void add_to_lingering(struct connection *c)
{
	struct worker *w = c->worker;

	list_append(&w->lingering, &c->in_worker);
	if (++w->n_lingering > w->service->connections)
		close_now(container_of(w->lingering.next, struct connection, in_worker));
}

void connection_abort(struct connection *c, enum connection_end how)
{
	end_connection(c, how);
	close_now(c);
}

/* ---- changing state ----------------------------------------------------- */

bool connection_watch(struct connection *c)
{
	struct loop *l = &c->worker->loop;
	const enum stream_wait wait = states[c->state].wait;
	const bool again = c->stirred && c->state == CONNECTION_READ;
	char id[CONNECTION_ID_MAX];

	if (c->state == CONNECTION_READ)
		c->stirred = false;
	/* Bytes that came while it waited are reported once more. */
	if ((again ? stream_watch_anew(&c->stream, l, wait) : stream_watch(&c->stream, l, wait)) == 0)
		return true;
	log_about(LOG_LEVEL_WARNING, LOG_ABOUT(.connection = connection_id(c, id)),
	          "%s: watch a connection: %m", c->worker->service->name);
	connection_abort(c, END_FAILED);
	return false;
}

void connection_enter(struct connection *c, enum connection_state next)
{
	if (next == c->state)
		return;
	if (next == CONNECTION_DONE) {
		close_now(c);
		return;
	}
	c->state = next;
	c->active_ms = c->worker->loop.now_ms;
	if (next == CONNECTION_LINGER)
		add_to_lingering(c);
	else
		connection_show_phase(c);
	if (connection_watch(c))
		connection_arm(c);
}

enum connection_end connection_break(const struct connection *c)
{
	const struct tls_link *l = stream_tls(&c->stream);

	if (!l || !tls_link_has_failed(l))
		return END_RESET;
	return tls_link_was_cut(l) ? END_TRUNCATED : END_TLS;
}

/* Not after a stop or a kick, which must not take time, and not if there is nothing to wait for. */
static bool may_linger(const struct connection *c)
{
	return stream_is_open(&c->stream) && !c->client_ended && c->worker->service->timeouts.linger > 0 &&
	       c->how != END_STOPPED && c->how != END_KICKED;
}

/*
 * All is sent. If the client has sent everything, too, closing loses nothing. Otherwise bytes of
 * the client that we have not read would make the kernel reset the connection, and the client
 * could lose what we sent. So we shut our side and read on for a while.
 */
enum connection_state connection_finish(struct connection *c, enum connection_end how)
{
	end_connection(c, how);
	if (how == END_FAILED)          /* not all is sent that the client may expect */
		return may_linger(c) && stream_break_off(&c->stream) == 0 ? CONNECTION_LINGER : CONNECTION_DONE;
	if (may_linger(c))
		return stream_end(&c->stream) == 0 ? CONNECTION_LINGER : CONNECTION_DONE;
	/* With TLS, closing alone would look as if the connection had been cut. */
	if (stream_tls(&c->stream) && stream_end(&c->stream) == 0 && stream_is_ending(&c->stream))
		return CONNECTION_LINGER;
	return CONNECTION_DONE;
}

enum connection_state connection_fail(struct connection *c, enum connection_end how)
{
	end_connection(c, how);
	return CONNECTION_DONE;
}
