/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the connection*.c files share; no other file includes it. Each of them calls those that stand
 * above it in Makefile.am, and none below it: time-outs, states, steps and programs, and at
 * the top connection.c, which calls them on events.
 */
#ifndef DROVER_WORKER_CONNECTION_PRIVATE_H
#define DROVER_WORKER_CONNECTION_PRIVATE_H

#include <stdbool.h>

#include "board.h"
#include "buffer.h"
#include "connection.h"
#include "handler.h"
#include "list.h"
#include "stream.h"
#include "tcp_peer.h"
#include "worker.h"

enum connection_state {
	CONNECTION_READ,        /* waiting for the client's bytes */
	CONNECTION_WAIT,        /* the handler has a request; nothing is read */
	CONNECTION_WRITE,       /* waiting for the client to take ours */
	CONNECTION_PRODUCE,     /* the handler sends unasked; what comes is read as well */
	CONNECTION_PROGRAM,     /* the bytes are a program's; waiting for its end */
	CONNECTION_LINGER,      /* all is sent and our side shut; waiting for the client's */
	CONNECTION_DONE,        /* nothing is left but to free it */
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
	bool                  broken;           /* a reply failed: the client is gone */
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

/* ---- time-outs: connection_timeouts.c ----------------------------------- */

/* When it times out, and as what. */
int64_t connection_deadline(const struct connection *c, enum connection_end *as);

/* Makes its timer fire in time. It may fire early: then it looks again. */
void connection_arm(struct connection *c);

/* ---- states: connection_state.c ----------------------------------------- */

/* The one place where its state changes. c may be gone afterwards. */
void connection_enter(struct connection *c, enum connection_state next);

/* Watches it for what its state wants. False: that was not possible, and it is closed. */
bool connection_watch(struct connection *c);

/* Ends it at once and without lingering; what it still had to send is lost. */
void connection_abort(struct connection *c, enum connection_end how);

/* It ends in that way: after all is sent; at once. Where it has to go then. */
enum connection_state connection_finish(struct connection *c, enum connection_end how);
enum connection_state connection_fail(struct connection *c, enum connection_end how);

/* The client's stream took n bytes; all that there were, or some are left. They are counted. */
void connection_sent(struct connection *c, size_t n, bool all);

/* In the middle of a request it is not idle. */
void connection_show_phase(const struct connection *c);

/* ---- bytes: connection_step.c ------------------------------------------- */

/* One for each state: what its stream is ready for. Where it has to go then. */
enum connection_state connection_step_read(struct connection *c, uint32_t events);
enum connection_state connection_step_wait(struct connection *c, uint32_t events);
enum connection_state connection_step_write(struct connection *c, uint32_t events);
enum connection_state connection_step_produce(struct connection *c, uint32_t events);
enum connection_state connection_step_linger(struct connection *c, uint32_t events);

/* Where to go after the handler had its say. */
enum connection_state connection_step_obey(struct connection *c, enum handler_verdict verdict);

/* ---- programs: connection_program.c ------------------------------------- */

/* The step for the state in which the bytes are a program's. */
enum connection_state connection_step_program(struct connection *c, uint32_t events);

/*
 * Tells its program to end; that is then how the connection ended. If the program
 * has ended before, so does the connection, at once.
 */
void connection_end_program(struct connection *c, enum connection_end how);

/* ---- the board ---------------------------------------------------------- */

/* Until connection_work_done: what happens now, happens for c. Still there if that kills us. */
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
