/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A connection: from the accepted socket to its last byte. Its states, its
 * time-outs and what to do when the other side fails; what its bytes mean is
 * the handler's affair.
 */
#ifndef DROVER_WORKER_CONNECTION_H
#define DROVER_WORKER_CONNECTION_H

#include <stdbool.h>
#include <stdint.h>

#include "address.h"
#include "buffer.h"
#include "board.h"
#include "connection_id.h"
#include "handler.h"
#include "list.h"
#include "stream.h"
#include "tcp_peer.h"

struct program;
struct worker;

enum connection_state {
	CONNECTION_READ,        /* waiting for the client's bytes */
	CONNECTION_WAIT,        /* the handler has a request; nothing is read */
	CONNECTION_WRITE,       /* waiting for the client to take ours */
	CONNECTION_PRODUCE,     /* the handler sends unasked; what comes is read as well */
	CONNECTION_PROGRAM,     /* the bytes are a program's; waiting for its end */
	CONNECTION_LINGER,      /* all is sent and our side shut; waiting for the client's */
	CONNECTION_DONE,        /* nothing is left but to free it */
};

enum connection_end {           /* how a connection ended, for the access log */
	END_NOT_YET,
	END_CLOSED,             /* the client closed; everything was answered */
	END_SERVED,             /* the handler had no more to say */
	END_RESET,              /* the client vanished, or broke the transfer */
	END_IDLE,               /* time-outs */
	END_REQUEST,
	END_WRITE,
	END_SESSION,
	END_STOPPED,            /* the worker had to go */
	END_KICKED,             /* the operator wanted it */
	END_EXIT,               /* the program ended */
	END_FAILED,             /* it could not be served */
};

struct connection {
	struct stream         stream;           /* the client's socket */
	struct timer          timer;            /* the next time-out that may be due */
	struct list           in_worker;        /* by age, while it holds a slot; then by age of lingering */
	struct worker        *worker;
	struct board_connection *record;        /* while it holds a slot; its bytes are counted there */
	enum connection_state state;
	enum connection_end   how;
	enum connection_end   cut;              /* how it ends when its program, or what is to be sent, has ended */
	bool                  client_ended;     /* it has sent its last byte */
	bool                  finish;           /* to be closed when `out` is empty */
	bool                  broken;           /* a reply failed: nobody is there */
	bool                  stirred;          /* while it waited, or before, something came */
	bool                  kicked;           /* the master wants to know when it is closed */
	bool                  has_status;       /* its program has ended */
	int                   status;           /* with that, as from waitpid(2) */
	uint64_t              number;           /* within the worker, from 1 */
	uint64_t              note;             /* the handler's */
	void                 *state_of_handler;
	int64_t               opened_us;        /* when it was accepted */
	int64_t               opened_ms;        /* the same in the loop's time */
	int64_t               request_ms;       /* when its request began to come; 0: none is open */
	int64_t               active_ms;        /* when a byte last went a way that counts, or the state changed */
	int64_t               untaken;          /* bytes in the kernel, as of the last look; 0: not known */
	struct buffer         out;              /* what the client has not taken yet */
	struct program       *program;          /* while it runs */
	struct endpoint       peer, local;
	struct tcp_peer       client;           /* while a program has the socket, and we have not */
};

/*
 * Takes fd, and a slot of the worker. NULL if there is no memory: then fd is still the caller's.
 */
struct connection *connection_new(struct worker *w, int fd, const struct endpoint *peer);

/* Begins to serve it. It ends by itself, and may be gone afterwards. */
void connection_begin(struct connection *c);

/* Ends it at once and without lingering; what it still had to send is lost. */
void connection_abort(struct connection *c, enum connection_end how);

/* The program of a new connection, which has the socket, or its bytes: for its handler. */
void connection_run_program(struct connection *c, struct program *p);

/* So many bytes of the client have reached the program; so many the client. */
void connection_relayed(struct connection *c, size_t in, size_t out);

/*
 * The socket is the program's from now on, and ours is closed. Whether its client is gone,
 * or takes nothing of what waits for it, is looked for as long as the program runs: the
 * program may wait for it and not know. Warns, once a worker, where that cannot be seen.
 */
void connection_give_socket(struct connection *c);

/* The client of a program is gone, and its socket closed: the program may go on. */
void connection_lost_client(struct connection *c);

/*
 * Tells its program to end; that is then how the connection ended. If the program
 * has ended before, so does the connection, at once.
 */
void connection_end_program(struct connection *c, enum connection_end how);

/* The operator wants it gone: ends it, or its program; the master is told when it is closed. */
void connection_kick(struct connection *c);

/*
 * Its program has ended, with that status of waitpid(2). What it said may still have
 * to be sent; if the client does not take that, the connection ends as idle.
 */
void connection_program_ended(struct connection *c, int status);

/* And now nothing is to be sent any more: the connection ends. */
void connection_program_done(struct connection *c);

/* "PID-NUMBER", unique on this machine while the worker lives. Returns buf. */
const char *connection_id(const struct connection *c, char buf[static CONNECTION_ID_MAX]);

#endif
