/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Cuts the bytes of a client into requests, for handlers that answer request by request.
 *
 * The handler has one request of a client at a time. What the client sent after it is kept until
 * that request is done and the client has taken the answer.
 *
 * With FRAMING_RAW a request is all that has come when the handler can take one. Since nothing is
 * read while it has one, that is what one read brought.
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
	const char *frame;              /* the same in its frame; NULL: the client's end was its end */
	size_t      frame_len;
};

/* The requests of one client. The handler sets the first four members; the rest begins as zero. */
struct requests {
	struct connection    *connection;
	const struct framing *framing;
	const char           *framing_text;     /* as it is written in the configuration */
	/*
	 * Answers a request, whose bytes are lent until it is done. HANDLER_GO_ON: it is done.
	 * HANDLER_WAIT: it is not done yet, and the handler will call requests_done. Other
	 * verdicts end the connection.
	 */
	enum handler_verdict (*serve)(struct requests *q, const struct request *r);

	struct buffer         in;               /* bytes of requests that are not done */
	size_t                cut;              /* bytes of `in` that belong to the first request */
	struct framing_state  state;            /* after the last of these bytes */
	bool                  in_flight;        /* the handler has the first request */
	bool                  ended;            /* the client sends no more */
};

/* Frees the bytes that are kept. */
void requests_clear(struct requests *q);

/*
 * The handler's functions `received`, `ended` and `taken` return what these three return; the
 * handler must have no `produce`. Each serves the requests that have come, up to one that waits. A
 * request that is too long or broken ends the connection, and so does one that is incomplete when
 * the client sends no more; only a line is complete without its end. With FRAMING_RAW none of this
 * can happen: a request that would be too long is cut.
 */
enum handler_verdict requests_received(struct requests *q, const char *bytes, size_t len);
enum handler_verdict requests_ended(struct requests *q);
enum handler_verdict requests_next(struct requests *q);

/* The request that waits is done. Next, give what requests_next returns to handler_go_on. */
void requests_done(struct requests *q);

/* Logs why the connection is closed: the client has caused it. Returns HANDLER_GIVE_UP. */
enum handler_verdict requests_refuse(const struct requests *q, const char *why);

#endif
