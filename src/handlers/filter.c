/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Programs that stay and answer, request by request. Here is the client's side:
 * its bytes are cut into requests, of which one at a time is on its way, and the
 * answers are framed for it. Nothing is read from a client whose request waits.
 */
#include <config.h>
#include "handler.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buffer.h"
#include "connection.h"
#include "filter_pool.h"
#include "log.h"
#include "units.h"
#include "worker.h"

struct client {
	struct connection    *connection;
	struct filter_request request;
	bool                  asking;           /* the request is with the pool */
	bool                  ended;            /* there will be no more bytes */
	struct buffer         in;               /* bytes that are not answered yet */
	size_t                fed;              /* of these, those of the present frame so far */
	struct framing_state  framing;
	char                 *prefix;           /* NULL: none is wanted */
};

static const struct conf_filter *conf_of(const struct client *k)
{
	return &k->connection->worker->service->handler.filter;
}

static struct filter_pool *pool_of(const struct client *k)
{
	return k->connection->worker->state_of_handler;
}

static struct client *client_of(struct connection *c)
{
	return *handler_state(c);
}

static bool same_framing(const struct conf_filter *f)
{
	return f->framing.kind == f->filter_framing.kind &&
	       (f->framing.kind != FRAMING_FIXED || f->framing.size == f->filter_framing.size);
}

/* The reason why a connection is closed: the client's own doing. */
static enum handler_verdict refuse(const struct client *k, const char *why)
{
	char id[CONNECTION_ID_MAX];

	log_info("%s %s: %s; closing", k->connection->worker->service->name,
	         connection_id(k->connection, id), why);
	return HANDLER_GIVE_UP;
}

/* ---- answers ------------------------------------------------------------ */

static void reply_framed(struct connection *c, const struct framing *f, const char *content,
                         size_t len)
{
	char header[FRAMING_HEADER_MAX], trailer[1];
	struct buffer b = { 0 };

	if (buffer_add(&b, header, framing_header(f, len, header)) == 0 &&
	    buffer_add(&b, content, len) == 0 &&
	    buffer_add(&b, trailer, framing_trailer(f, trailer)) == 0) {
		if (!buffer_is_empty(&b))
			handler_reply(c, buffer_first(&b), buffer_waiting(&b));
	} else {
		c->broken = true;
	}
	buffer_clear(&b);
}

/* The request is done with: the next one begins behind it. */
static void drop_request(struct client *k)
{
	k->asking = false;
	buffer_take(&k->in, k->fed);
	k->fed = 0;
	handler_request_ends(k->connection);
}

/* There is no answer to the request. True: the client has been told, and may go on. */
static bool reply_error(struct client *k)
{
	const struct conf_filter *f = conf_of(k);

	if (!f->error_reply)
		return false;
	reply_framed(k->connection, &f->framing, f->error_reply, strlen(f->error_reply));
	return true;
}

/* ---- requests ----------------------------------------------------------- */

/* The frame, whose content is this, goes to the pool. False: the filter cannot take such a one. */
static bool ask(struct client *k, const char *content, size_t len, bool framed)
{
	const struct conf_filter *f = conf_of(k);

	if (!same_framing(f) && !framing_can_hold(&f->filter_framing, content, len))
		return false;
	k->request.prefix = k->prefix;
	k->request.content = content;
	k->request.content_len = len;
	k->request.frame = framed && same_framing(f) ? buffer_first(&k->in) : NULL;
	k->request.frame_len = k->fed;
	k->asking = true;
	handler_request_begins(k->connection);
	filter_pool_ask(pool_of(k), &k->request);
	return true;
}

static enum handler_verdict ask_or_refuse(struct client *k, const char *content, size_t len,
                                          bool framed)
{
	if (ask(k, content, len, framed))
		return HANDLER_WAIT;
	if (!reply_error(k))
		return refuse(k, "the request does not fit into the filter's framing");
	drop_request(k);
	return HANDLER_GO_ON;
}

/* Only a line needs no mark to be whole. */
static enum handler_verdict ask_last(struct client *k)
{
	if (conf_of(k)->framing.kind != FRAMING_LINE)
		return refuse(k, "its last request is not complete");
	return ask_or_refuse(k, buffer_first(&k->in), k->fed, false);
}

/* What there is is looked at up to the end of a frame. */
static enum framing_status feed(struct client *k)
{
	struct framing_part part;
	enum framing_status status;

	status = framing_feed(&conf_of(k)->framing, &k->framing, buffer_first(&k->in) + k->fed,
	                      buffer_waiting(&k->in) - k->fed, &part);
	k->fed += part.used;
	return status;
}

/* Bytes that have not been looked at yet. GO_ON: no request has come out of it. */
static enum handler_verdict look(struct client *k)
{
	char limit[UNITS_TEXT_MAX], why[96];

	switch (feed(k)) {
	case FRAMING_MORE:
		return HANDLER_GO_ON;
	case FRAMING_COMPLETE:
		return ask_or_refuse(k, buffer_first(&k->in) + k->framing.header,
		                     (size_t)k->framing.content, true);
	case FRAMING_TOO_LONG:
		snprintf(why, sizeof why, "its request has more than max_request (%s)",
		         units_format_size((int64_t)conf_of(k)->framing.max, limit));
		return refuse(k, why);
	case FRAMING_BROKEN:
		break;
	}
	snprintf(why, sizeof why, "what it sends is no %s", conf_of(k)->framing_text);
	return refuse(k, why);
}

/* To the next request, or to where the client has to say or to take something first. */
static enum handler_verdict advance(struct client *k)
{
	enum handler_verdict v = k->asking ? HANDLER_WAIT : HANDLER_GO_ON;

	while (v == HANDLER_GO_ON) {
		if (buffer_is_empty(&k->in))
			return k->ended ? HANDLER_FINISH : HANDLER_GO_ON;
		if (handler_is_behind(k->connection))
			return HANDLER_GO_ON;
		if (k->fed < buffer_waiting(&k->in)) {
			v = look(k);
		} else if (k->ended) {
			v = ask_last(k);
		} else {                /* the rest of it has not come yet */
			handler_request_begins(k->connection);
			return HANDLER_GO_ON;
		}
	}
	return v;
}

/* ---- what the pool says ------------------------------------------------- */

static void answered(struct filter_request *r, const struct filter_answer *a)
{
	struct client *k = container_of(r, struct client, request);
	struct connection *c = k->connection;
	const struct conf_filter *f = conf_of(k);

	if (same_framing(f))
		handler_reply(c, a->frame, a->frame_len);
	else if (framing_can_hold(&f->framing, a->content, a->content_len))
		reply_framed(c, &f->framing, a->content, a->content_len);
	else if (!reply_error(k)) {
		handler_go_on(c, refuse(k, "the answer does not fit into its framing"));
		return;
	}
	drop_request(k);
	handler_go_on(c, advance(k));
}

static void failed(struct filter_request *r)
{
	struct client *k = container_of(r, struct client, request);
	struct connection *c = k->connection;
	const bool was_asked = k->asking;
	const bool told = was_asked && reply_error(k);

	if (was_asked)
		drop_request(k);
	/* A process of its own takes what it knew along. */
	if (conf_of(k)->share == FILTER_SHARE_CONNECTION)
		handler_go_on(c, was_asked && !told ? HANDLER_GIVE_UP : HANDLER_FINISH);
	else
		handler_go_on(c, told ? advance(k) : HANDLER_GIVE_UP);
}

/* ---- what the connection says ------------------------------------------- */

/* "ADDRESS PORT CONNECTION\n" */
static int make_prefix(struct client *k)
{
	const struct connection *c = k->connection;
	char ip[ADDRESS_TEXT_MAX], id[CONNECTION_ID_MAX];

	endpoint_ip(&c->peer, ip, sizeof ip);
	return asprintf(&k->prefix, "%s %u %s\n", ip[0] ? ip : "unix", (unsigned)c->peer.port,
	                connection_id(c, id));
}

static enum handler_verdict opened(struct connection *c)
{
	struct client *k = calloc(1, sizeof *k);

	if (!k)
		return HANDLER_FAIL;
	*handler_state(c) = k;
	k->connection = c;
	filter_pool_open(pool_of(k), &k->request);
	if (conf_of(k)->prefix == FILTER_PREFIX_PEER && make_prefix(k) == -1) {
		k->prefix = NULL;
		return HANDLER_FAIL;
	}
	return HANDLER_GO_ON;
}

static enum handler_verdict received(struct connection *c, const char *bytes, size_t len)
{
	struct client *k = client_of(c);

	if (buffer_add(&k->in, bytes, len) == -1)
		return HANDLER_FAIL;
	return advance(k);
}

static enum handler_verdict ended(struct connection *c)
{
	struct client *k = client_of(c);

	k->ended = true;
	return advance(k);
}

static enum handler_verdict taken(struct connection *c)
{
	return advance(client_of(c));
}

static void closed(struct connection *c)
{
	struct client *k = client_of(c);

	if (!k)
		return;
	*handler_state(c) = NULL;
	filter_pool_close(pool_of(k), &k->request);
	buffer_clear(&k->in);
	free(k->prefix);
	free(k);
}

/* ---- what the worker says ----------------------------------------------- */

static int begin(struct worker *w)
{
	static const struct filter_asker asker = { .answered = answered, .failed = failed };

	w->state_of_handler = filter_pool_new(w, &asker);
	return w->state_of_handler ? 0 : -1;
}

static void rest(struct worker *w)
{
	filter_pool_rest(w->state_of_handler);
}

static void end(struct worker *w)
{
	filter_pool_free(w->state_of_handler);
}

const struct handler handler_filter = {
	.name = "filter",
	.keeps = HANDLER_KEEPS_NOTHING,
	.opened = opened,
	.received = received,
	.ended = ended,
	.taken = taken,
	.closed = closed,
	.begin = begin,
	.rest = rest,
	.end = end,
};
