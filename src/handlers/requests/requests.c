/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Keeps the bytes of a client, finds where its requests end, and decides when the handler
 * gets the next one. It does not know what a request means, nor how it is answered.
 */
#include <config.h>
#include "requests.h"

#include <assert.h>
#include <stdio.h>

#include "connection.h"
#include "log.h"
#include "units.h"
#include "worker.h"

enum handler_verdict requests_refuse(const struct requests *q, const char *why)
{
	char id[CONNECTION_ID_MAX];

	log_about(LOG_LEVEL_INFO, LOG_ABOUT(.connection = id, .event = LOG_EVENT_REQUEST_REFUSED),
	          "%s %s: %s; closing", connection_worker(q->connection)->service->name,
	          connection_id(q->connection, id), why);
	return HANDLER_GIVE_UP;
}

/* The first request is done: removes its bytes, so that the next one becomes the first. */
static void drop_first(struct requests *q)
{
	buffer_take(&q->in, q->cut);
	q->cut = 0;
	handler_request_ends(q->connection);
}

static enum handler_verdict serve(struct requests *q, const struct request *r)
{
	const enum handler_verdict v = q->serve(q, r);

	q->in_flight = v == HANDLER_WAIT;
	if (v == HANDLER_WAIT)
		handler_request_begins(q->connection);
	else if (v == HANDLER_GO_ON)
		drop_first(q);
	return v;
}

static enum handler_verdict serve_first(struct requests *q)
{
	const char *frame = buffer_first(&q->in);

	return serve(q, &(struct request){
		.content = frame + q->state.header,
		.content_len = (size_t)q->state.content,
		.frame = frame,
		.frame_len = q->cut,
	});
}

/* The client sends no more. Only a line is complete without its end. */
static enum handler_verdict serve_last(struct requests *q)
{
	if (q->framing->kind != FRAMING_LINE)
		return requests_refuse(q, "its last request is not complete");
	return serve(q, &(struct request){ .content = buffer_first(&q->in), .content_len = q->cut });
}

/* Looks at the bytes after q->cut, up to the end of the first request. */
static enum framing_status look(struct requests *q)
{
	struct framing_part part;
	enum framing_status status;

	status = framing_feed(q->framing, &q->state, buffer_first(&q->in) + q->cut,
	                      buffer_waiting(&q->in) - q->cut, &part);
	q->cut += part.used;
	return status;
}

/* HANDLER_GO_ON: the handler has no request now. */
static enum handler_verdict look_and_serve(struct requests *q)
{
	char limit[UNITS_TEXT_MAX], why[96];

	switch (look(q)) {
	case FRAMING_MORE:
		return HANDLER_GO_ON;
	case FRAMING_COMPLETE:
		return serve_first(q);
	case FRAMING_TOO_LONG:
		snprintf(why, sizeof why, "its request has more than max_request (%s)",
		         units_format_size((int64_t)q->framing->max, limit));
		return requests_refuse(q, why);
	case FRAMING_BROKEN:
		break;
	}
	snprintf(why, sizeof why, "what it sends is no %s", q->framing_text);
	return requests_refuse(q, why);
}

/* Serves requests until one waits, or until the client has to send or to take something first. */
enum handler_verdict requests_next(struct requests *q)
{
	enum handler_verdict v = q->in_flight ? HANDLER_WAIT : HANDLER_GO_ON;

	while (v == HANDLER_GO_ON) {
		if (buffer_is_empty(&q->in))
			return q->ended ? HANDLER_FINISH : HANDLER_GO_ON;
		if (handler_is_behind(q->connection))
			return HANDLER_GO_ON;
		if (q->cut < buffer_waiting(&q->in)) {
			v = look_and_serve(q);
		} else if (q->ended) {
			v = serve_last(q);
		} else {                /* the rest of it has not come yet */
			handler_request_begins(q->connection);
			return HANDLER_GO_ON;
		}
	}
	return v;
}

void requests_done(struct requests *q)
{
	assert(q->in_flight);
	q->in_flight = false;
	drop_first(q);
}

enum handler_verdict requests_received(struct requests *q, const char *bytes, size_t len)
{
	assert(!q->in_flight);          /* the buffer may move the bytes, which are lent then */
	if (buffer_add(&q->in, bytes, len) == -1)
		return HANDLER_FAIL;
	return requests_next(q);
}

enum handler_verdict requests_ended(struct requests *q)
{
	q->ended = true;
	return requests_next(q);
}

void requests_clear(struct requests *q)
{
	buffer_clear(&q->in);
}
