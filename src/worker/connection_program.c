/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Connections with a program, which has the socket itself or gets the bytes relayed: what the
 * end of the program means for the connection, and the other way round.
 */
#include <config.h>
#include "connection_private.h"

#include <errno.h>

#include "connection_log.h"
#include "exit_status.h"
#include "log.h"
#include "programs.h"
#include "text.h"

const char *connection_program_name(const struct connection *c, char buf[static PROGRAM_NAME_MAX])
{
	char id[CONNECTION_ID_MAX];
	struct text t = text_in(buf, PROGRAM_NAME_MAX);

	text_add_string(&t, c->worker->service->name);
	text_add_string(&t, " ");
	text_add_string(&t, connection_id(c, id));
	return buf;
}

void connection_run_program(struct connection *c, struct program *p)
{
	c->program = p;
	board_set(&c->record->program, (uint32_t)program_pid(p));
	board_add(&c->worker->slot->requests, 1);
	connection_enter(c, CONNECTION_PROGRAM);
}

enum connection_state connection_step_program(struct connection *c, uint32_t events)
{
	c->worker->handler->ready(c, events);
	return c->state;
}

/* A worker finds this out once: for its next connections it is the same, or differs only for a while. */
static void warn_if_unseen(const struct connection *c)
{
	struct worker *w = c->worker;
	enum tcp_peer_sight sight;

	if (c->client.gone_ms == 0 || w->knows_sight)
		return;
	sight = tcp_peer_try(&c->client, stream_socket(&c->stream), connection_socket_local(c),
	                     connection_socket_peer(c));
	w->knows_sight = sight != TCP_PEER_OVER;
	if (sight != TCP_PEER_UNSEEN)
		return;
	log_warn("%s: cannot ask the kernel about clients: %m%s; one that does not read keeps its program"
	         " until timeouts.session", w->service->name,
	         errno == ENOENT ? " (is the listener from another network namespace?)" :
	         errno == EAFNOSUPPORT ? " (does RestrictAddressFamilies= lack AF_NETLINK?)" : "");
}

void connection_give_socket(struct connection *c)
{
	c->client = tcp_peer_of(stream_socket(&c->stream));
	warn_if_unseen(c);
	/* We keep no copy of the socket, so that its close by the program ends or resets the connection. */
	stream_close(&c->stream, &c->worker->loop);
}

void connection_relayed(struct connection *c, size_t in, size_t out)
{
	connection_count_in(c, in);
	connection_sent(c, out, true);
	c->active_ms = c->worker->loop.now_ms;
}

static void tell_program_end(const struct connection *c, int status)
{
	char id[CONNECTION_ID_MAX];

	if (notify_is_heard(c->worker->start.events))
		worker_event(c->worker, "program-end id=%s program=%d how=%s value=%d",
		             connection_id(c, id), (int)program_pid(c->program),
		             exit_status_how(status), exit_status_value(status));
}

void connection_program_ended(struct connection *c, int status)
{
	tell_program_end(c, status);
	c->program = NULL;
	c->has_status = true;
	c->status = status;
	board_set(&c->record->program, 0);
	board_set(&c->record->phase, BOARD_PHASE_WRITING);
	c->active_ms = c->worker->loop.now_ms;
	connection_arm(c);
}

/* A program that has closed its socket may still have something to do. */
void connection_program_done(struct connection *c)
{
	if (c->has_status)
		connection_enter(c, connection_finish(c, c->cut == END_NOT_YET ? END_EXIT : c->cut));
}

/* If the program was told to end, its client has had time since then. */
void connection_program_unsent(struct connection *c)
{
	if (c->cut != END_NOT_YET)
		connection_end_program(c, c->cut);
}

void connection_client_ended(struct connection *c)
{
	c->client_ended = true;
}

void connection_lost_client(struct connection *c, enum connection_end how)
{
	if (c->cut == END_NOT_YET)
		c->cut = how;
	connection_log_keep_tls(c);
	stream_close(&c->stream, &c->worker->loop);
	connection_program_done(c);
}

void connection_end_program(struct connection *c, enum connection_end how)
{
	if (!c->program) {
		stream_reset_on_close(&c->stream);
		connection_abort(c, how);
		return;
	}
	if (c->cut == END_NOT_YET)
		c->cut = how;
	board_set(&c->record->phase, BOARD_PHASE_CLOSING);
	program_end(c->program);
}
