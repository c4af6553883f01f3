/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the connection*.c files share; no other file includes it. Each of them calls only those
 * that stand above it in Makefile.am. Their order is: time-outs, states, steps, programs,
 * the handshake, and last connection.c, which calls all of them on events.
 */
#ifndef DROVER_WORKER_CONNECTION_PRIVATE_H
#define DROVER_WORKER_CONNECTION_PRIVATE_H

#include <stdbool.h>

#include "board.h"
#include "buffer.h"
#include "connection.h"
#include "handler.h"
#include "client_limits.h"
#include "list.h"
#include "proxied.h"
#include "stream.h"
#include "tcp_peer.h"
#include "worker.h"

enum connection_state {
	CONNECTION_HANDSHAKE,   /* the handler does not have it; waiting for a PROXY header, or for TLS */
	CONNECTION_READ,        /* waiting for the client's bytes */
	CONNECTION_WAIT,        /* the handler has a request; nothing is read */
	CONNECTION_WRITE,       /* waiting for the client to take our bytes */
	CONNECTION_PRODUCE,     /* the handler sends unasked; the client's bytes are read as well */
	CONNECTION_PROGRAM,     /* the bytes are a program's; waiting for its end */
	CONNECTION_LINGER,      /* all is sent and our side is shut; waiting for the client's end */
	CONNECTION_DONE,        /* it only has to be freed */
};

struct connection {
	struct stream         stream;           /* the client's socket */
	struct timer          timer;            /* the next time-out that may be due */
	struct list           in_worker;        /* by age, while it holds a slot; then by age of lingering */
	struct worker        *worker;
	struct client_hold    hold;             /* under the limits of the service */
	struct board_connection *record;        /* while it holds a slot; its bytes are counted there */
	enum connection_state state;
	enum connection_end   how;
	enum connection_end   cut;              /* how it ends once its program ended or all is sent */
	enum proxy_versions   expects;          /* the header that must come first */
	enum refusal          refused;          /* END_REFUSED: why */
	bool                  wants_tls;        /* a TLS handshake comes before the handler */
	bool                  is_open;          /* the handler has it */
	bool                  client_ended;     /* it has sent its last byte */
	bool                  finish;           /* to be closed when `out` is empty */
	bool                  broken;           /* a reply failed: the client is gone */
	bool                  stirred;          /* bytes came that are unread, while it waited or before */
	bool                  kicked;           /* the master wants to know when it is closed */
	bool                  has_status;       /* its program has ended, */
	int                   status;           /* with this status of waitpid(2) */
	uint64_t              number;           /* within the worker, from 1 */
	uint64_t              note;             /* the handler's */
	void                 *state_of_handler;
	int64_t               opened_us;        /* when it was accepted */
	int64_t               opened_ms;        /* the same in the loop's time */
	int64_t               handshake_ms;     /* when its TLS handshake began */
	int64_t               request_ms;       /* when its request began to come; 0: there is none */
	int64_t               active_ms;        /* when bytes last moved that count, or the state changed */
	int64_t               untaken;          /* bytes in the kernel at the last look; 0: none or unknown */
	struct buffer         out;              /* what the client has not taken yet */
	struct program       *program;          /* while it runs */
	struct endpoint       peer, local;      /* the client, and what it connected to: perhaps a proxy */
	struct tls_link_facts *was_tls;         /* of a client that is gone; NULL: ask the stream */
	struct proxied       *proxied;          /* what the proxy said that has named them; NULL: none has */
	struct tcp_peer       client;           /* to be asked about while only a program has the socket */
};

/* ---- time-outs: connection_timeouts.c ----------------------------------- */

/* When it times out; *as becomes how it ends then. */
int64_t connection_deadline(const struct connection *c, enum connection_end *as);

/* Sets its timer so that it fires in time. It may fire too early: then it is set again. */
void connection_arm(struct connection *c);

/* ---- states: connection_state.c ----------------------------------------- */

/* The one place where its state changes. c may be gone afterwards. */
void connection_enter(struct connection *c, enum connection_state next);

/* Watches its stream for what its state waits for. False: that failed, and it is closed. */
bool connection_watch(struct connection *c);

/* Ends and closes it at once, without lingering; bytes that were not sent are lost. */
void connection_abort(struct connection *c, enum connection_end how);

/* Ends it in that way: when all is sent; at once. Both return its next state. */
enum connection_state connection_finish(struct connection *c, enum connection_end how);
enum connection_state connection_fail(struct connection *c, enum connection_end how);

/* The client's stream took n bytes: counts them. all: none are left to be sent. */
void connection_sent(struct connection *c, size_t n, bool all);

/* Writes its phase on the board: that of its state, but READING in the middle of a request. */
void connection_show_phase(const struct connection *c);

/* ---- bytes: connection_step.c ------------------------------------------- */

/* One function for each state: its stream is ready for `events`. Returns the next state. */
enum connection_state connection_step_read(struct connection *c, uint32_t events);
enum connection_state connection_step_wait(struct connection *c, uint32_t events);
enum connection_state connection_step_write(struct connection *c, uint32_t events);
enum connection_state connection_step_produce(struct connection *c, uint32_t events);
enum connection_state connection_step_linger(struct connection *c, uint32_t events);

/* Does what the handler's verdict says. Returns the next state. */
enum connection_state connection_step_obey(struct connection *c, enum handler_verdict verdict);

/* ---- programs: connection_program.c ------------------------------------- */

/* The same for CONNECTION_PROGRAM. */
enum connection_state connection_step_program(struct connection *c, uint32_t events);

/*
 * Tells its program to end; the connection then ends with it, as `how` says. If the program has
 * ended already, the connection is closed at once.
 */
void connection_end_program(struct connection *c, enum connection_end how);

/* ---- before the handler: connection_handshake.c ------------------------- */

/* The same for CONNECTION_HANDSHAKE. */
enum connection_state connection_step_handshake(struct connection *c, uint32_t events);

/* It took too long. Returns its next state. */
enum connection_state connection_handshake_timed_out(struct connection *c);

/*
 * Goes on with TLS, if it wants that, or else gives it to the handler. Returns the state that this
 * wants; it may have entered it already.
 */
enum connection_state connection_go_on(struct connection *c);

/* The two ends of its socket: with a proxy, its client and what that connected to are others. */
static inline const struct endpoint *connection_socket_peer(const struct connection *c)
{
	return c->proxied ? &c->proxied->peer : &c->peer;
}

static inline const struct endpoint *connection_socket_local(const struct connection *c)
{
	return c->proxied ? &c->proxied->local : &c->local;
}

/* ---- the board ---------------------------------------------------------- */

/*
 * Notes on the board that the worker works on c, until connection_work_done. If that kills the
 * worker, the note is still there.
 */
static inline void connection_work_on(const struct connection *c)
{
	board_set(&c->worker->slot->at_work, records_mark(&c->worker->records, c->record));
}

static inline void connection_work_done(const struct worker *w)
{
	board_set(&w->slot->at_work, 0);
}

static inline void connection_count_in(const struct connection *c, size_t bytes)
{
	board_add(&c->record->bytes_in, bytes);
	board_add(&c->worker->slot->bytes_in, bytes);
}

static inline void connection_count_out(const struct connection *c, size_t bytes)
{
	board_add(&c->record->bytes_out, bytes);
	board_add(&c->worker->slot->bytes_out, bytes);
}

#endif
