/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A connection, from the accepted socket to its last byte. It knows its states, its time-outs
 * and what to do when the other side fails. Only the handler knows what its bytes mean.
 */
#ifndef DROVER_WORKER_CONNECTION_H
#define DROVER_WORKER_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "address.h"
#include "connection_id.h"
#include "programs.h"
#include "proxy_header.h"

struct client_hold;
struct connection;
struct program;
struct proxied;
struct stream;
struct tls_link;
struct worker;

enum connection_end {           /* how a connection ended, for the access log */
	END_NOT_YET,
	END_CLOSED,             /* the client closed; everything was answered */
	END_SERVED,             /* the handler had nothing more to send */
	END_RESET,              /* the client is gone, or broke the connection off */
	END_HANDSHAKE,          /* time-outs */
	END_IDLE,
	END_REQUEST,
	END_WRITE,
	END_SESSION,
	END_STOPPED,            /* the worker had to end at once */
	END_KICKED,             /* the operator had it closed */
	END_EXIT,               /* the program ended */
	END_FAILED,             /* it could not be served */
	END_PROXY,              /* it did not begin with a valid PROXY header */
	END_TLS,                /* its TLS handshake failed, or what came later was no TLS */
	END_TRUNCATED,          /* over TLS: the client ended it without having said so */
	END_REFUSED,            /* the client that the header names was refused */
};

/* ---- for the worker ----------------------------------------------------- */

/*
 * Takes fd, a slot of the worker, and what the client holds under the limits of the service. NULL if
 * there is no memory: then all of this is still the caller's.
 */
struct connection *connection_new(struct worker *w, int fd, const struct endpoint *peer,
                                  const struct client_hold *hold);

/*
 * Begins to serve it; unless `expects` is PROXY_OFF, when a header of one of these versions has come;
 * and with TLS, when the handshake is over. It ends by itself, and may be gone afterwards.
 */
void connection_begin(struct connection *c, enum proxy_versions expects, bool tls);

/* The open connection of the worker that has that number; NULL: there is none. */
struct connection *connection_find(const struct worker *w, uint64_t number);

/* The operator wants it closed: ends it, or its program; the master is told when it is closed. */
void connection_kick(struct connection *c);

/* The worker has to end at once: ends all its connections, or tells their programs to end. */
void connection_stop_all(struct worker *w);

/* ---- for handlers: facts (what they may do with bytes is in handler.h) ---- */

struct worker *connection_worker(const struct connection *c);

/*
 * Its two addresses: those that a proxy has named, if there is one. Without, the local one is known
 * only if the handler runs programs, or for an access log.
 */
const struct endpoint *connection_peer(const struct connection *c);
const struct endpoint *connection_local(const struct connection *c);

/* The local one all the same, for the price of a system call if it is not known yet. */
const struct endpoint *connection_find_local(struct connection *c);

/* The user of a client of a unix socket when it connected; UINT32_MAX: it is not one, or not known. */
uint32_t connection_user(const struct connection *c);

/* How it has ended; END_NOT_YET before that. */
enum connection_end connection_how(const struct connection *c);

/*
 * The handler works on it from now on, outside its functions that are called for it; handler_go_on ends
 * that. So if that kills the worker, it is known for which connection.
 */
void connection_work_begins(const struct connection *c);

/* What the proxy has said of it that has named its addresses; NULL: none has. Lent. */
const struct proxied *connection_proxied(const struct connection *c);

/* "PID-NUMBER", unique on this machine while the worker lives. Returns buf. */
const char *connection_id(const struct connection *c, char buf[static CONNECTION_ID_MAX]);

/* "SERVICE PID-NUMBER": the name of a program of the connection in the log. Returns buf. */
const char *connection_program_name(const struct connection *c, char buf[static PROGRAM_NAME_MAX]);

/* What can be asked about its TLS; NULL: it has none. Lent. */
const struct tls_link *connection_tls(const struct connection *c);

/* How it ends if receiving from the client, or sending to it, has failed. */
enum connection_end connection_break(const struct connection *c);

/* Lends the client's stream, to handlers that run programs. */
struct stream *connection_stream(struct connection *c);

/* ---- for handlers that give it a program -------------------------------- */

/*
 * The program has the socket from now on, and our copy is closed. While the program runs, we
 * still look whether its client is gone or takes nothing of what waits for it, because the
 * program may wait for the client and not notice. Warns, once for a worker, if that cannot be
 * seen.
 */
void connection_give_socket(struct connection *c);

/*
 * p is the program of this new connection. It has the socket, or it gets the bytes, and then the
 * handler watches the stream.
 */
void connection_run_program(struct connection *c, struct program *p);

/* `in` bytes of the client have reached the program; `out` bytes have reached the client. */
void connection_relayed(struct connection *c, size_t in, size_t out);

/* The handler found that the client has sent its last byte: we do not wait for more. */
void connection_client_ended(struct connection *c);

/*
 * The client is gone, or cannot be served: closes its stream, and the connection will end as
 * `how` says. The program may go on; if it has ended, the connection ends, too.
 */
void connection_lost_client(struct connection *c, enum connection_end how);

/*
 * The program has ended, with that status of waitpid(2). What it wrote may still have to be
 * sent: one of the two functions below is called next. If the client does not take it, the
 * connection ends as idle.
 */
void connection_program_ended(struct connection *c, int status);

/* All that the program wrote is sent: if the program has ended, the connection ends, too. */
void connection_program_done(struct connection *c);

/* Bytes are left to be sent: the client gets time to take them, unless the program was told to end. */
void connection_program_unsent(struct connection *c);

#endif
