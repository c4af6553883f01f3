/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Cuts the bytes of a client into requests, for handlers that answer request by request.
 *
 * The handler has one request of a client at a time. What the client sent behind it is kept
 * until it is done, and until the client has taken the answer.
 */
#ifndef DROVER_HANDLERS_REQUESTS_H
#define DROVER_HANDLERS_REQUESTS_H

#include <stdbool.h>
#include <stddef.h>

#include "buffer.h"
#include "framing.h"
#include "handler.h"

struct request {
	const char *content;
	size_t      content_len;
	const char *frame;              /* the same as the client framed it; NULL: the end of its bytes ended it */
	size_t      frame_len;
};

/* Those of one client. The handler sets the first four; the rest is zero at the beginning. */
struct requests {
	struct connection    *connection;
	const struct framing *framing;
	const char           *framing_text;     /* as it is written in the configuration */
	/*
	 * Answers a request, whose bytes are lent until it is done. HANDLER_GO_ON: it is done.
	 * HANDLER_WAIT: it will be, and requests_done is called then. Others end the connection.
	 */
	enum handler_verdict (*serve)(struct requests *q, const struct request *r);

	struct buffer         in;               /* bytes of requests that are not done */
	size_t                cut;              /* of these, those that belong to the first request */
	struct framing_state  state;            /* where in the first request its last byte is */
	bool                  in_flight;        /* the handler has the first request */
	bool                  ended;            /* the client sends no more */
};

void requests_clear(struct requests *q);

/*
 * For the functions of the handler: `received` and `ended` return what these two do, and
 * `taken` what requests_next does; there must be no `produce`. All serve the requests that
 * there are, up to one that waits. A request that is too long or broken ends the
 * connection, and so does one that is not whole when the client ends; only a line is whole
 * without its end.
 */
enum handler_verdict requests_received(struct requests *q, const char *bytes, size_t len);
enum handler_verdict requests_ended(struct requests *q);
enum handler_verdict requests_next(struct requests *q);

/* The request that waits is done. What requests_next says then is for handler_go_on. */
void requests_done(struct requests *q);

/* Logs why the connection is closed, which is the client's own doing. HANDLER_GIVE_UP. */
enum handler_verdict requests_refuse(const struct requests *q, const char *why);

#endif
