/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A handler: a function from bytes to bytes, which is called when there are some. It knows
 * neither sockets nor time-outs; connection.c does. handlers.h lists all handlers; the master
 * gives a worker the one that it needs.
 *
 * A new one is a file src/handlers/<name>.c that defines `handler_<name>`, and
 * a row in shared/handler_list.h.
 */
#ifndef DROVER_WORKER_HANDLER_H
#define DROVER_WORKER_HANDLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>

struct conf_service;
struct connection;
struct worker;

enum handler_verdict {
	HANDLER_GO_ON,          /* the connection lives on */
	HANDLER_WAIT,           /* and nothing is read from it until handler_go_on */
	HANDLER_FINISH,         /* send what was replied, then close */
	HANDLER_GIVE_UP,        /* the same, but it could not be served */
	HANDLER_FAIL,           /* close; it could not be served */
};

/* What a connection would have to take along to go on in another worker. */
enum handler_keeps {
	HANDLER_KEEPS_NOTHING,  /* between two calls there is only the socket */
	HANDLER_KEEPS_NOTE,     /* and handler_note() */
	HANDLER_KEEPS_PROGRAM,  /* a program, which talks to the client through us */
	HANDLER_KEEPS_SOCKET,   /* the socket itself, which belongs to a program */
};

/* Of a worker, beside one for each connection. */
struct handler_descriptors {
	rlim_t needed;          /* if all its slots are in use */
	rlim_t wanted;          /* also while programs are replaced, and for what it can do without */
};

struct handler {
	const char        *name;
	enum handler_keeps keeps;

	/* Any may be NULL. */
	enum handler_verdict (*opened)(struct connection *c);
	/* The client sent something; NULL: it is thrown away. */
	enum handler_verdict (*received)(struct connection *c, const char *bytes, size_t len);
	/* The client sends no more; NULL: finish. */
	enum handler_verdict (*ended)(struct connection *c);
	/* All was sent, and there is more to say, unasked. */
	enum handler_verdict (*produce)(struct connection *c);
	/* The client was slow, and has taken all that was replied; NULL: go on. */
	enum handler_verdict (*taken)(struct connection *c);
	/* A program has the client's bytes, and the handler watches the stream: what it is ready for. */
	void (*ready)(struct connection *c, uint32_t events);
	/* It ends: frees *handler_state(). Nothing is called for c after that. */
	void (*closed)(struct connection *c);

	/* How many descriptors it uses for that service; NULL: none. */
	struct handler_descriptors (*descriptors)(const struct conf_service *s);
	/* The worker begins, before it accepts: 0, or -1 with errno if it cannot. */
	int  (*begin)(struct worker *w);
	/* It begins to drain: there may be a few connections more. */
	void (*drain)(struct worker *w);
	/* It has no connection, and will have none any more; may be called again. */
	void (*idle)(struct worker *w);
	/* It exits. */
	void (*end)(struct worker *w);
};

/*
 * Sends bytes to the client, or keeps a copy until the client takes them; no
 * more of the client's bytes come before it has (except where there is a
 * `produce`, which replies then). Trouble is noticed by the connection.
 */
void handler_reply(struct connection *c, const char *bytes, size_t len);

/*
 * There is no memory for what was to be replied, and the client is not to get a part of it:
 * the connection ends with the handler's next verdict.
 */
void handler_reply_lost(struct connection *c);

/* A number of the handler's own, per connection; 0 at the beginning. */
uint64_t *handler_note(struct connection *c);

/* A pointer of the handler's own, per connection; NULL at the beginning. */
void **handler_state(struct connection *c);

/*
 * What the handler has decided after HANDLER_WAIT: to be called from outside of
 * its functions, after it has replied. c may be gone afterwards.
 */
void handler_go_on(struct connection *c, enum handler_verdict verdict);

/* Whether the client has still to take what was replied: `taken` tells when it has. */
bool handler_is_behind(const struct connection *c);

/*
 * A request of the client has begun to come in, and has been answered: for the
 * time-out `request` and for the board. More than once is fine.
 */
void handler_request_begins(struct connection *c);
void handler_request_ends(struct connection *c);

#endif
