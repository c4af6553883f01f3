/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What comes before the bytes of a connection: the header in which a proxy names the client, and the
 * TLS handshake. The header is looked at without being received until it is complete, and then
 * exactly its bytes are received; so a program that gets the socket finds the client's first byte, and TLS
 * its first message. Only after that does the handler get the connection. The header itself is read
 * by proxy_header.c, and TLS is tls_link.c's.
 */
#include <config.h>
#include "connection_private.h"

#include <errno.h>
#include <string.h>

#include "client_check.h"
#include "connection_log.h"
#include "fd.h"
#include "log.h"
#include "refusal.h"

/* ---- the handler -------------------------------------------------------- */

static enum connection_state open_connection(struct connection *c)
{
	const struct handler *h = c->worker->handler;
	enum handler_verdict verdict;

	connection_log_open(c);
	c->is_open = true;
	verdict = h->opened ? h->opened(c) : HANDLER_GO_ON;
	/* A handler that gives it to a program has changed the state already. */
	return c->state == CONNECTION_PROGRAM ? c->state : connection_step_obey(c, verdict);
}

static void tell_no_memory(const struct connection *c, const char *what)
{
	char id[CONNECTION_ID_MAX];

	log_about(LOG_LEVEL_WARNING, LOG_ABOUT(.connection = connection_id(c, id)), "%s: no memory for %s",
	          c->worker->service->name, what);
}

/* ---- TLS ---------------------------------------------------------------- */

static void note_failed_tls(struct connection *c, const char *why)
{
	const bool is_first = refusal_note(c->worker, REFUSAL_TLS, &(struct refused){
		.fd = -1, .peer = &c->peer, .via = c->proxied ? &c->proxied->peer : NULL });
	char id[CONNECTION_ID_MAX], from[ADDRESS_TEXT_MAX];

	/* Scanners and old clients fail often: the first one tells why. */
	log_about(is_first ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG,
	          LOG_ABOUT(.connection = id, .event = LOG_EVENT_TLS_FAILED),
	          "%s %s: TLS handshake with %s: %s; closing", c->worker->service->name,
	          connection_id(c, id), endpoint_format(&c->peer, from, sizeof from), why);
}

/* The client gets the time `linger` to take the alert that says why. */
static enum connection_state fail_tls(struct connection *c)
{
	struct tls_link_facts facts;

	/* So do some who check whether the server is there. */
	if (!tls_link_has_begun(stream_tls(&c->stream)))
		return connection_fail(c, tls_link_was_cut(stream_tls(&c->stream)) ? END_CLOSED : END_RESET);
	tls_link_facts(stream_tls(&c->stream), &facts);
	note_failed_tls(c, facts.error);
	return connection_finish(c, END_TLS);
}

static enum connection_state step_tls(struct connection *c)
{
	struct worker *w = c->worker;

	switch (stream_handshake(&c->stream)) {
	case TLS_UNDER_WAY:
		return CONNECTION_HANDSHAKE;
	case TLS_ESTABLISHED:
		board_add_time(&w->slot->handshake, w->loop.now_ms - c->handshake_ms);
		return open_connection(c);
	case TLS_FAILED:
		break;
	}
	return fail_tls(c);
}

/* A client that opens a connection for TLS usually has sent its first message by now. */
static enum connection_state begin_tls(struct connection *c)
{
	struct worker *w = c->worker;

	c->wants_tls = false;
	c->handshake_ms = w->loop.now_ms;
	if (stream_start_tls(&c->stream, &w->loop, w->tls) == 0)
		return step_tls(c);
	tell_no_memory(c, "TLS");
	return connection_fail(c, END_FAILED);
}

enum connection_state connection_go_on(struct connection *c)
{
	return c->wants_tls ? begin_tls(c) : open_connection(c);
}

enum connection_state connection_handshake_timed_out(struct connection *c)
{
	if (stream_tls(&c->stream))
		note_failed_tls(c, "timeouts.handshake is over");
	return connection_fail(c, END_HANDSHAKE);
}

/* ---- the PROXY header --------------------------------------------------- */

static enum connection_state refuse_header(struct connection *c, const char *why)
{
	const bool is_first = refusal_note(c->worker, REFUSAL_PROXY,
	                                   &(struct refused){ .fd = -1, .peer = &c->peer });
	char id[CONNECTION_ID_MAX], from[ADDRESS_TEXT_MAX];

	/* A proxy without the right setting sends none in each connection: the first one tells why. */
	log_about(is_first ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG,
	          LOG_ABOUT(.connection = id, .event = LOG_EVENT_PROXY_FAILED),
	          "%s %s: no PROXY header from %s: %s; closing", c->worker->service->name,
	          connection_id(c, id), endpoint_format(&c->peer, from, sizeof from), why);
	return connection_fail(c, END_PROXY);
}

/* The socket has taken no bytes before, and has room for these: it does not wait, even if it blocks. */
static void answer_refused(struct connection *c)
{
	const char *message = refusal_message(c->worker, c->refused);

	if (message && !c->wants_tls)   /* it would not be TLS */
		stream_send(&c->stream, message, strlen(message));
}

/* The client that the proxy has named may be refused: then the handler does not get it. */
static enum connection_state check_client(struct connection *c)
{
	const enum refusal why = client_check(c->worker, stream_socket(&c->stream), &c->peer, &c->hold);

	if (why == REFUSAL_NONE) {
		board_set(&c->record->source, sources_of_hold(c->hold.source));
		return connection_go_on(c);
	}
	refusal_note(c->worker, why, &(struct refused){
		.fd = -1, .peer = &c->peer, .via = c->proxied ? &c->proxied->peer : NULL });
	c->refused = why;
	answer_refused(c);
	return connection_fail(c, END_REFUSED);
}

/* From here on, the two ends of the connection are those that the header names. */
static int take_ends(struct connection *c, const struct proxy_header *h)
{
	c->proxied = proxied_new(h, &c->peer, &c->local);
	if (!c->proxied)
		return -1;
	c->peer = h->from;
	c->local = h->to;
	board_show_client(c->record, &c->peer, &c->proxied->peer);
	return 0;
}

/* The header is complete. more: there may be bytes behind it, which have been reported already. */
static enum connection_state take_header(struct connection *c, const struct proxy_header *h, bool more)
{
	struct worker *w = c->worker;

	if (h->names_client && take_ends(c, h) == -1) {
		tell_no_memory(c, "a PROXY header");
		return connection_fail(c, END_FAILED);
	}
	if (stream_skip(&c->stream, w->scratch, h->len) == -1)
		return connection_fail(c, END_RESET);
	c->stirred = more;
	return check_client(c);
}

static enum connection_state step_header(struct connection *c, uint32_t events)
{
	struct worker *w = c->worker;
	const ssize_t n = stream_peek(&c->stream, w->scratch, WORKER_SCRATCH);
	struct proxy_header h;

	if (n == -1)
		return fd_not_yet(errno) ? CONNECTION_HANDSHAKE : connection_fail(c, END_RESET);
	if (n == 0)                     /* many balancers check in this way whether the server is there */
		return connection_fail(c, END_CLOSED);
	switch (proxy_header_read(c->expects, w->scratch, (size_t)n, &h)) {
	case PROXY_HEADER_MORE:
		return events & STREAM_AT_END ? refuse_header(c, "the connection ends within it")
		                              : CONNECTION_HANDSHAKE;
	case PROXY_HEADER_OK:
		return take_header(c, &h, (size_t)n > h.len ||
		                   stream_has_more(&c->stream, (size_t)n, WORKER_SCRATCH, events));
	case PROXY_HEADER_BAD:
		break;
	}
	return refuse_header(c, h.why);
}

enum connection_state connection_step_handshake(struct connection *c, uint32_t events)
{
	return stream_tls(&c->stream) ? step_tls(c) : step_header(c, events);
}
