/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a handler is: a function from bytes to bytes, called when there are
 * some. It knows neither sockets nor time-outs; connection.c does.
 *
 * A new one is a file src/handlers/<name>.c that defines `handler_<name>`, and
 * a row in shared/handler_list.h.
 */
#ifndef DROVER_WORKER_HANDLER_H
#define DROVER_WORKER_HANDLER_H

#include <stddef.h>

#include "conf.h"
#include "handler_list.h"

struct connection;

enum handler_verdict {
	HANDLER_GO_ON,          /* the connection lives on */
	HANDLER_FINISH,         /* send what was replied, then close */
	HANDLER_FAIL,           /* close; it could not be served */
};

/* What a connection would have to take along to go on in another worker. */
enum handler_keeps {
	HANDLER_KEEPS_NOTHING,  /* between two calls all there is, is the socket */
	HANDLER_KEEPS_NOTE,     /* and handler_note() */
	HANDLER_KEEPS_SOCKET,   /* the socket itself is somebody else's: a program's */
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
};

/*
 * Sends bytes to the client, or keeps a copy until the client takes them; the
 * handler is not called again before it has (except `produce`, which replies
 * then). Trouble is noticed by the connection.
 */
void handler_reply(struct connection *c, const char *bytes, size_t len);

/* A number of the handler's own, per connection; 0 at the beginning. */
uint64_t *handler_note(struct connection *c);

/* The handler of that id, never NULL. */
const struct handler *handler_find(enum handler_id id);

#define X(name, kind) extern const struct handler handler_##name;
HANDLER_LIST(X)
#undef X

#endif
