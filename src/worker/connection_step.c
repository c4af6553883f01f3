/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads and writes the bytes of a connection. The common case is one call of
 * connection_step_read: bytes come, the handler replies, the socket takes the whole reply, and
 * nothing has to be kept. Buffers exist only while a client is slower than its handler. Each
 * step returns the next state, and its caller changes to that.
 */
#include <config.h>
#include "connection_private.h"

#include <errno.h>

#include "fd.h"

enum connection_state connection_step_obey(struct connection *c, enum handler_verdict verdict)
{
	if (c->broken)
		return connection_fail(c, connection_break(c));
	if (verdict == HANDLER_FAIL)
		return connection_fail(c, END_FAILED);
	c->finish |= verdict == HANDLER_FINISH || verdict == HANDLER_GIVE_UP;
	if (verdict == HANDLER_GIVE_UP)
		c->cut = END_FAILED;
	if (c->worker->handler->produce && !c->finish && verdict != HANDLER_WAIT)
		return CONNECTION_PRODUCE;
	if (!buffer_is_empty(&c->out))
		return CONNECTION_WRITE;
	if (c->finish && c->cut != END_NOT_YET)
		return connection_finish(c, c->cut);
	if (c->finish)
		return connection_finish(c, c->client_ended ? END_CLOSED : END_SERVED);
	return verdict == HANDLER_WAIT ? CONNECTION_WAIT : CONNECTION_READ;
}

/* ---- the steps ---------------------------------------------------------- */

/* Copies what is in scratch to the board, for the master, in case the handler crashes on it. */
static __attribute__((noinline)) void keep_input(const struct connection *c, size_t bytes)
{
	const struct worker *w = c->worker;

	board_keep_input(w->input, board_input_size(w->start.memory->board), c->number, w->scratch, bytes);
}

/* Reads once and gives the bytes to the handler; *got becomes what stream_receive returned. */
static enum connection_state read_once(struct connection *c, ssize_t *got)
{
	const struct handler *h = c->worker->handler;
	ssize_t n = *got = stream_receive(&c->stream, c->worker->scratch, WORKER_SCRATCH);

	if (n > 0) {
		if (c->worker->input)
			keep_input(c, (size_t)n);
		connection_count_in(c, (size_t)n);
		board_add(&c->worker->slot->requests, 1);
		if (c->state != CONNECTION_PRODUCE)     /* in that state only what the client takes counts */
			c->active_ms = c->worker->loop.now_ms;
		return connection_step_obey(c, h->received ? h->received(c, c->worker->scratch, (size_t)n)
		                           : HANDLER_GO_ON);
	}
	if (n == -1)
		return fd_not_yet(errno) ? c->state : connection_fail(c, connection_break(c));
	c->client_ended = true;
	return connection_step_obey(c, h->ended ? h->ended(c) : HANDLER_FINISH);
}

enum connection_state connection_step_read(struct connection *c, uint32_t events)
{
	enum connection_state next;
	ssize_t got;
	bool more;

	/* This loop ends: what can come before the end of the stream is limited by the socket's buffer. */
	do
		next = read_once(c, &got);
	while (next == CONNECTION_READ && got > 0 && events & STREAM_AT_END);
	more = got > 0 && stream_has_more(&c->stream, (size_t)got, WORKER_SCRATCH, events);
	/* A fast client must not delay the others: the rest of its bytes is reported in the next turn. */
	if (next == CONNECTION_READ && more &&
	    stream_watch_anew(&c->stream, &c->worker->loop, STREAM_NEXT_BYTES) == -1)
		return connection_fail(c, END_FAILED);
	c->stirred = next == CONNECTION_WAIT && more;
	return next;
}

/* What the client sends stays unread while the handler has a request. If it is gone, the connection ends. */
enum connection_state connection_step_wait(struct connection *c, uint32_t events)
{
	if (events & (EPOLLHUP | EPOLLERR))
		return connection_fail(c, END_RESET);
	c->stirred = true;
	return CONNECTION_WAIT;
}

/* Sends as much of `out` as the client takes. False if the client is gone. */
static bool send_pending(struct connection *c)
{
	ssize_t n;

	if (buffer_is_empty(&c->out))
		return true;
	n = stream_send(&c->stream, buffer_first(&c->out), buffer_waiting(&c->out));
	if (n == -1)
		return fd_not_yet(errno);
	buffer_take(&c->out, (size_t)n);
	connection_sent(c, (size_t)n, buffer_is_empty(&c->out));
	return true;
}

enum connection_state connection_step_write(struct connection *c, uint32_t events)
{
	const struct handler *h = c->worker->handler;

	(void)events;
	if (!send_pending(c))
		return connection_fail(c, connection_break(c));
	if (!buffer_is_empty(&c->out))
		return CONNECTION_WRITE;
	return connection_step_obey(c, h->taken && !c->finish ? h->taken(c) : HANDLER_GO_ON);
}

enum connection_state connection_step_produce(struct connection *c, uint32_t events)
{
	enum connection_state next = CONNECTION_PRODUCE;

	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
		ssize_t got;

		next = read_once(c, &got);      /* once: this state is level-triggered */
	}
	if (next != CONNECTION_PRODUCE || !(events & EPOLLOUT))
		return next;
	if (!send_pending(c))
		return connection_fail(c, connection_break(c));
	return buffer_is_empty(&c->out) ? connection_step_obey(c, c->worker->handler->produce(c))
	                                : CONNECTION_PRODUCE;
}

/* Throws away what the client sends, for as long as the time-out `linger` allows. */
enum connection_state connection_step_linger(struct connection *c, uint32_t events)
{
	ssize_t n = stream_receive(&c->stream, c->worker->scratch, WORKER_SCRATCH);

	(void)events;
	if (n > 0 || (n == -1 && fd_not_yet(errno)))
		return CONNECTION_LINGER;
	return CONNECTION_DONE;
}

/* ---- what handlers may do ----------------------------------------------- */

void handler_reply(struct connection *c, const char *bytes, size_t len)
{
	ssize_t n = 0;

	if (c->broken || len == 0)
		return;
	if (buffer_is_empty(&c->out)) {
		n = stream_send(&c->stream, bytes, len);
		if (n == -1 && !fd_not_yet(errno)) {
			c->broken = true;
			return;
		}
		n = n == -1 ? 0 : n;
		connection_sent(c, (size_t)n, (size_t)n == len);
	}
	if (buffer_add(&c->out, bytes + n, len - (size_t)n) == -1)
		c->broken = true;
}

void handler_reply_later(struct connection *c, const char *bytes, size_t len)
{
	if (!c->broken && len > 0 && buffer_add(&c->out, bytes, len) == -1)
		c->broken = true;
}

void handler_reply_lost(struct connection *c)
{
	c->broken = true;
}

uint64_t *handler_note(struct connection *c)
{
	return &c->note;
}

void **handler_state(struct connection *c)
{
	return &c->state_of_handler;
}

void handler_go_on(struct connection *c, enum handler_verdict verdict)
{
	struct worker *w = c->worker;

	connection_work_on(c);
	connection_enter(c, connection_step_obey(c, verdict));
	connection_work_done(w);
}

bool handler_is_behind(const struct connection *c)
{
	return !buffer_is_empty(&c->out);
}

size_t handler_unsent(const struct connection *c)
{
	return buffer_is_empty(&c->out) ? 0 : buffer_waiting(&c->out);
}

bool handler_is_finishing(const struct connection *c)
{
	return c->finish;
}

bool handler_is_broken(const struct connection *c)
{
	return c->broken;
}

void handler_request_begins(struct connection *c)
{
	if (c->request_ms > 0)
		return;
	c->request_ms = c->worker->loop.now_ms;
	connection_show_phase(c);
	if (c->worker->service->timeouts.request > 0)
		connection_arm(c);
}

void handler_request_ends(struct connection *c)
{
	c->request_ms = 0;
}
