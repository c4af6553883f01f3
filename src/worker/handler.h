/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A handler turns the bytes of a client into an answer. It is called when there are bytes, and
 * knows neither sockets nor time-outs; connection.c does. handlers.h lists all handlers; the
 * master gives a worker the one that it needs.
 *
 * To add one, add a file src/handlers/<name>.c that defines `handler_<name>`, and a row in
 * shared/handler_list.h.
 */
#ifndef DROVER_WORKER_HANDLER_H
#define DROVER_WORKER_HANDLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>

struct conf_service;
struct connection;
struct drover_module;
struct worker;

enum handler_verdict {
	HANDLER_GO_ON,          /* the connection goes on */
	HANDLER_WAIT,           /* the same, but nothing is read from it until handler_go_on */
	HANDLER_FINISH,         /* send what was replied, then close */
	HANDLER_GIVE_UP,        /* the same; the client could not be served */
	HANDLER_FAIL,           /* close; the client could not be served */
};

/* What must be moved with a connection if it is to go on in another worker. */
enum handler_keeps {
	HANDLER_KEEPS_NOTHING,  /* between two calls there is only the socket */
	HANDLER_KEEPS_NOTE,     /* the socket and handler_note() */
	HANDLER_KEEPS_PROGRAM,  /* a program, which talks to the client through us */
	HANDLER_KEEPS_SOCKET,   /* the socket itself, which belongs to a program */
};

/* Descriptors that the handler uses in a worker, beside one for each connection. */
struct handler_descriptors {
	rlim_t needed;          /* if all slots of the worker are in use */
	rlim_t wanted;          /* the same while programs are replaced, and with optional ones */
};

struct handler {
	const char        *name;
	enum handler_keeps keeps;
	const struct drover_module *module;     /* what it is made of, if that is compiled in; else NULL */

	/* Any of the functions may be NULL. */
	enum handler_verdict (*opened)(struct connection *c);
	/* The client sent something; NULL: it is thrown away. */
	enum handler_verdict (*received)(struct connection *c, const char *bytes, size_t len);
	/* The client sends no more; NULL: finish. */
	enum handler_verdict (*ended)(struct connection *c);
	/* All was sent, and the handler may send more, unasked. */
	enum handler_verdict (*produce)(struct connection *c);
	/* The client was slow, and has now taken all that was replied; NULL: go on. */
	enum handler_verdict (*taken)(struct connection *c);
	/* A program gets the bytes, and the handler watches the stream, which is ready for events. */
	void (*ready)(struct connection *c, uint32_t events);
	/* The connection ends: frees *handler_state(). Nothing is called for c after that. */
	void (*closed)(struct connection *c);

	/* How many descriptors the handler uses for that service; NULL: none. */
	struct handler_descriptors (*descriptors)(const struct conf_service *s);
	/* The worker begins, and does not accept yet. 0, or -1 with errno: it cannot begin. */
	int  (*begin)(struct worker *w);
	/* The worker begins to drain: it may still accept a few connections. */
	void (*drain)(struct worker *w);
	/* The worker has no connection, and will have none any more. May be called more than once. */
	void (*idle)(struct worker *w);
	/* The worker exits. */
	void (*end)(struct worker *w);
};

/*
 * Sends bytes to the client, or keeps a copy until the client takes them. Until then the handler
 * gets no more of the client's bytes, unless it has a `produce`, which replies then. Errors are
 * noticed by the connection.
 */
void handler_reply(struct connection *c, const char *bytes, size_t len);

/* As handler_reply, but nothing is sent in this turn of the loop, so that others have theirs. */
void handler_reply_later(struct connection *c, const char *bytes, size_t len);

/*
 * There is no memory for a reply, and the client must not get a part of it: the connection ends
 * with the handler's next verdict.
 */
void handler_reply_lost(struct connection *c);

/* A number that belongs to the handler, one for each connection; 0 at the beginning. */
uint64_t *handler_note(struct connection *c);

/* A pointer that belongs to the handler, one for each connection; NULL at the beginning. */
void **handler_state(struct connection *c);

/*
 * Tells what the handler has decided after HANDLER_WAIT. Must be called after it has replied, and
 * not from within one of its functions above. c may be gone afterwards.
 */
void handler_go_on(struct connection *c, enum handler_verdict verdict);

/* Whether the client has not taken all that was replied yet. `taken` is called when it has. */
bool handler_is_behind(const struct connection *c);

/* The bytes that were replied and that the client has not taken. */
size_t handler_unsent(const struct connection *c);

/* The handler has said that it finishes; a reply has failed: in both cases nothing more is sent. */
bool handler_is_finishing(const struct connection *c);
bool handler_is_broken(const struct connection *c);

/*
 * A request of the client has begun to come in; it has been answered. The time-out `request` and
 * the board need this. May be called more than once.
 */
void handler_request_begins(struct connection *c);
void handler_request_ends(struct connection *c);

#endif
