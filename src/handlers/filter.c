/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * filter: has long-lived programs answer the requests of clients. This file is the client's
 * side: it gives the requests that requests.c cuts from the client's bytes to the pool, and
 * frames the answers for the client. It does not know which program answers: filter_pool.c does.
 */
#include <config.h>
#include "handler.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buffer.h"
#include "client_facts.h"
#include "connection.h"
#include "filter_pool.h"
#include "requests.h"
#include "worker.h"

struct client {
	struct connection    *connection;
	struct requests       requests;
	struct filter_request request;          /* the request that waits for an answer, for the pool */
	char                 *prefix;           /* of each request; NULL: none is configured */
};

static const struct conf_filter *conf_of(const struct client *k)
{
	return &connection_worker(k->connection)->service->handler.filter;
}

static struct filter_pool *pool_of(const struct client *k)
{
	return connection_worker(k->connection)->state_of_handler;
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

/* ---- answers ------------------------------------------------------------ */

static void reply_framed(struct connection *c, const struct framing *f, const char *content,
                         size_t len)
{
	struct buffer b = { 0 };

	if (framing_add(f, content, len, &b) == -1)
		handler_reply_lost(c);
	else if (!buffer_is_empty(&b))
		handler_reply(c, buffer_first(&b), buffer_waiting(&b));
	buffer_clear(&b);
}

/* The request gets no answer. True: the client was sent `error_reply`, and may go on. */
static bool reply_error(struct client *k)
{
	const struct conf_filter *f = conf_of(k);

	if (!f->error_reply)
		return false;
	reply_framed(k->connection, &f->framing, f->error_reply, strlen(f->error_reply));
	return true;
}

/* ---- requests ----------------------------------------------------------- */

/* Gives the request to the pool. False: it cannot be framed for the filter. */
static bool ask_pool(struct client *k, const struct request *r)
{
	const struct conf_filter *f = conf_of(k);

	if (!same_framing(f) && !framing_can_hold(&f->filter_framing, r->content, r->content_len))
		return false;
	k->request.prefix = k->prefix;
	k->request.content = r->content;
	k->request.content_len = r->content_len;
	k->request.frame = same_framing(f) ? r->frame : NULL;
	k->request.frame_len = r->frame_len;
	filter_pool_ask(pool_of(k), &k->request);
	return true;
}

static enum handler_verdict serve(struct requests *q, const struct request *r)
{
	struct client *k = container_of(q, struct client, requests);

	if (ask_pool(k, r))
		return HANDLER_WAIT;
	if (!reply_error(k))
		return requests_refuse(q, "the request does not fit into the filter's framing");
	return HANDLER_GO_ON;
}

/* ---- what the pool says ------------------------------------------------- */

static void on_answered(struct filter_request *r, const struct filter_answer *a)
{
	struct client *k = container_of(r, struct client, request);
	struct connection *c = k->connection;
	const struct conf_filter *f = conf_of(k);

	if (same_framing(f))
		handler_reply(c, a->frame, a->frame_len);
	else if (framing_can_hold(&f->framing, a->content, a->content_len))
		reply_framed(c, &f->framing, a->content, a->content_len);
	else if (!reply_error(k)) {
		handler_go_on(c, requests_refuse(&k->requests, "the answer does not fit into its framing"));
		return;
	}
	requests_done(&k->requests);
	handler_go_on(c, requests_next(&k->requests));
}

static void on_failed(struct filter_request *r)
{
	struct client *k = container_of(r, struct client, request);
	struct connection *c = k->connection;
	const bool was_asked = k->requests.in_flight;
	const bool told = was_asked && reply_error(k);

	if (was_asked)
		requests_done(&k->requests);
	/* If the connection has a process of its own, what that knew of the connection is lost with it. */
	if (conf_of(k)->share == FILTER_SHARE_CONNECTION)
		handler_go_on(c, was_asked && !told ? HANDLER_GIVE_UP : HANDLER_FINISH);
	else
		handler_go_on(c, told ? requests_next(&k->requests) : HANDLER_GIVE_UP);
}

/* ---- what the connection says ------------------------------------------- */

/* "ADDRESS PORT CONNECTION\n", or with the name before the end, which may have blanks. */
static int make_prefix(struct client *k)
{
	const bool with_subject = conf_of(k)->prefix == FILTER_PREFIX_PEER_SUBJECT;
	char *subject = with_subject ? client_facts_subject(k->connection) : NULL;
	int result = -1;

	const struct endpoint *peer = connection_peer(k->connection);
	char ip[ADDRESS_TEXT_MAX], id[CONNECTION_ID_MAX];

	endpoint_ip(peer, ip, sizeof ip);
	if (subject || !with_subject)
		result = asprintf(&k->prefix, "%s %u %s%s%s\n", ip[0] ? ip : "unix", (unsigned)peer->port,
		                  connection_id(k->connection, id), subject ? " " : "",
		                  subject ? subject : "");
	free(subject);
	if (result == -1)
		k->prefix = NULL;
	return result;
}

static enum handler_verdict filter_opened(struct connection *c)
{
	struct client *k = calloc(1, sizeof *k);

	if (!k)
		return HANDLER_FAIL;
	*handler_state(c) = k;
	k->connection = c;
	k->requests = (struct requests){ .connection = c, .framing = &conf_of(k)->framing,
	                                 .framing_text = conf_of(k)->framing_text, .serve = serve };
	filter_pool_open(pool_of(k), &k->request);
	if (conf_of(k)->prefix != FILTER_PREFIX_NONE && make_prefix(k) == -1)
		return HANDLER_FAIL;
	return HANDLER_GO_ON;
}

static enum handler_verdict filter_received(struct connection *c, const char *bytes, size_t len)
{
	return requests_received(&client_of(c)->requests, bytes, len);
}

static enum handler_verdict filter_ended(struct connection *c)
{
	return requests_ended(&client_of(c)->requests);
}

static enum handler_verdict filter_taken(struct connection *c)
{
	return requests_next(&client_of(c)->requests);
}

static void filter_closed(struct connection *c)
{
	struct client *k = client_of(c);

	if (!k)
		return;
	*handler_state(c) = NULL;
	filter_pool_close(pool_of(k), &k->request);
	requests_clear(&k->requests);
	free(k->prefix);
	free(k);
}

/* ---- what the worker says ----------------------------------------------- */

/* Input, output and standard error of each process; a new one may start before an old one has ended. */
static struct handler_descriptors descriptors(const struct conf_service *s)
{
	const struct conf_filter *f = &s->handler.filter;
	const rlim_t n = 3 * (rlim_t)(f->share == FILTER_SHARE_CONNECTION ? s->connections
	                                                                  : f->processes);

	return (struct handler_descriptors){ .needed = n, .wanted = 2 * n };
}

static int filter_begin(struct worker *w)
{
	static const struct filter_asker asker = { .answered = on_answered, .failed = on_failed };

	w->state_of_handler = filter_pool_new(w, &asker);
	return w->state_of_handler ? 0 : -1;
}

static void filter_idle(struct worker *w)
{
	filter_pool_release(w->state_of_handler);
}

static void filter_end_worker(struct worker *w)
{
	filter_pool_free(w->state_of_handler);
}

const struct handler handler_filter = {
	.name = "filter",
	.keeps = HANDLER_KEEPS_NOTHING,
	.opened = filter_opened,
	.received = filter_received,
	.ended = filter_ended,
	.taken = filter_taken,
	.closed = filter_closed,
	.descriptors = descriptors,
	.begin = filter_begin,
	.idle = filter_idle,
	.end = filter_end_worker,
};
