/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a connection of a module has beside the connection itself: bytes that the module has not
 * consumed, bytes that it has lent, its timer, its requests. It is made when the first of these is
 * needed: a handler such as echo needs none.
 */
#ifndef DROVER_HANDLERS_MODULE_MODULE_CLIENT_H
#define DROVER_HANDLERS_MODULE_MODULE_CLIENT_H

#include "buffer.h"
#include "module_worker.h"
#include "requests.h"

struct module_client {
	struct connection *connection;
	struct list        in_touched;  /* empty: it is not touched */
	struct buffer      rest;        /* what the module has not consumed */
	struct list        lent;        /* what it has lent, in the order in which it is sent */
	struct timer       timer;
	struct requests    requests;    /* framing NULL: the module gets bytes */
	struct framing     framing;
	char               framing_text[FRAMING_TEXT_MAX];
	bool               paused;
	bool               resumed;     /* and what that leads to has not happened yet */
	bool               end_waits;   /* the client sends no more; the module is told after resume */
	bool               ended;       /* the module knows that the client sends no more */
	bool               finished;    /* it has called finish; */
	bool               aborted;     /* abort */
};

/* That of c, if it has one; NULL: it has none. */
static inline struct module_client *module_client_find(struct connection *c)
{
	return *handler_state(c);
}

/* That of c, made now if it had none. NULL with ENOMEM; then the connection will be closed. */
struct module_client *module_client_of(struct connection *c);

/* Frees that of c, if there is one. */
void module_client_free(struct connection *c);

/*
 * The module has done something to c: if that was in a call for another connection, or for none, its
 * connection goes on accordingly at the end of this turn of the loop.
 */
void module_client_touch(struct connection *c);

#endif
