/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Writes a line of the access log and an event for a connection, and does nothing where neither
 * is wanted.
 */
#include <config.h>
#include "connection_log.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "access_log.h"
#include "clock.h"
#include "connection_private.h"
#include "worker.h"

static const char *const end_names[] = {
	[END_NOT_YET] = "open",
	[END_CLOSED] = "closed",
	[END_SERVED] = "served",
	[END_RESET] = "reset",
	[END_HANDSHAKE] = "handshake",
	[END_IDLE] = "idle",
	[END_REQUEST] = "request",
	[END_WRITE] = "write",
	[END_SESSION] = "session",
	[END_STOPPED] = "stop",
	[END_KICKED] = "kick",
	[END_EXIT] = "exit",
	[END_FAILED] = "failed",
	[END_PROXY] = "proxy",
	[END_TLS] = "tls",
	[END_TRUNCATED] = "truncated",
};

const char *connection_id(const struct connection *c, char buf[static CONNECTION_ID_MAX])
{
	return connection_id_format(c->worker->pid, c->number, buf);
}

void connection_log_find_local(struct connection *c)
{
	struct sockaddr_storage at;
	socklen_t len = sizeof at;

	if (getsockname(stream_socket(&c->stream), (struct sockaddr *)&at, &len) == 0)
		c->local = endpoint_of((struct sockaddr *)&at, len);
}

/* The local address costs a system call: it is looked up only if it is needed. */
void connection_log_begin(struct connection *c)
{
	const struct worker *w = c->worker;

	if (!w->start.access_log && w->handler->keeps < HANDLER_KEEPS_PROGRAM)
		return;
	connection_log_find_local(c);
	c->opened_us = clock_us();
}

void connection_log_open(struct connection *c)
{
	struct worker *w = c->worker;
	char id[CONNECTION_ID_MAX], from[ADDRESS_TEXT_MAX], via[ADDRESS_TEXT_MAX] = "";

	if (!notify_is_heard(w->start.events))
		return;
	if (c->proxied)
		endpoint_format(&c->proxied->peer, via, sizeof via);
	worker_event(w, "connection-open id=%s peer=%s%s%s", connection_id(c, id),
	             endpoint_format(&c->peer, from, sizeof from), c->proxied ? " via=" : "", via);
}

/* Its end, as the access log names it. */
static const char *end_name(const struct connection *c)
{
	return c->how == END_REFUSED ? refusal_how(c->refused) : end_names[c->how];
}

static bool is_logged(const struct connection *c)
{
	const struct worker *w = c->worker;

	return w->start.access_log && (c->how != END_REFUSED || w->service->access_log.refused);
}

void connection_log_keep_tls(struct connection *c)
{
	if (!c->worker->start.access_log || !stream_tls(&c->stream) || c->was_tls)
		return;
	c->was_tls = malloc(sizeof *c->was_tls);
	if (!c->was_tls)                /* the line will lack it */
		return;
	tls_link_facts(stream_tls(&c->stream), c->was_tls);
	c->was_tls->error = NULL;       /* is the link's */
}

void connection_log_end(const struct connection *c, uint64_t in, uint64_t out)
{
	const struct worker *w = c->worker;
	const struct tls_link *link = stream_tls(&c->stream);
	struct tls_link_facts tls;
	char id[CONNECTION_ID_MAX];

	if (is_logged(c) && link)
		tls_link_facts(link, &tls);
	if (is_logged(c))
		access_log_put(w->start.access_log, &w->service->access_log.template, &(struct access_record){
			.service = w->service->name,
			.id = connection_id(c, id),
			.peer = &c->peer,
			.via = c->proxied ? &c->proxied->peer : NULL,
			.local = &c->local,
			.unique_id = c->proxied ? c->proxied->unique_id : NULL,
			.authority = c->proxied ? c->proxied->authority : NULL,
			.duration_us = clock_us() - c->opened_us,
			.counted = w->handler->keeps != HANDLER_KEEPS_SOCKET,
			.bytes_in = in,
			.bytes_out = out,
			.how = end_name(c),
			.tls = link ? &tls : c->was_tls,
			.has_status = c->has_status,
			.status = c->status,
		});
	if (notify_is_heard(w->start.events))
		worker_event(w, "connection-end id=%s how=%s in=%" PRIu64 " out=%" PRIu64,
		             connection_id(c, id), end_name(c), in, out);
}
