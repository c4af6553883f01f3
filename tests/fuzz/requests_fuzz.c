/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The bytes of a client, cut into requests for a handler that answers some at once and others
 * later, while the client is slow or sends no more: the handler gets each request once, in the
 * order in which framing.c finds them in all bytes together. This file is the handler, and stands
 * in for the connection, whose functions it defines.
 *
 * In a script (framed.h), 'g' lets the handler answer at once, 'w' later, and after 'b' the client
 * does not take the answer at once.
 */
#include <config.h>

#include <assert.h>
#include <stdlib.h>

#include "connection.h"
#include "framed.h"
#include "fuzz.h"
#include "log.h"
#include "requests.h"
#include "worker.h"

static struct {
	struct framed        in;
	struct requests      requests;
	struct framing_state model;     /* reads the same bytes by itself, */
	size_t               model_at;  /* and is here */
	size_t               came;      /* bytes that the client has sent */
	bool                 behind;    /* it has not taken an answer */
	bool                 ended;
	const char          *content;   /* of the request that waits, and a copy of it */
	char                *copy;
	size_t               content_len;
} t;

/* ---- the connection ----------------------------------------------------- */

struct worker *connection_worker(const struct connection *c)
{
	static const struct conf_service service = { .name = "s" };
	static struct worker worker = { .service = &service };

	(void)c;
	return &worker;
}

const char *connection_id(const struct connection *c, char buf[static CONNECTION_ID_MAX])
{
	(void)c;
	return connection_id_format(1, 1, buf);
}

bool handler_is_behind(const struct connection *c)
{
	(void)c;
	return t.behind;
}

void handler_request_begins(struct connection *c)
{
	(void)c;
}

void handler_request_ends(struct connection *c)
{
	(void)c;
}

/* ---- the handler -------------------------------------------------------- */

/* The next message in all bytes together, or what is left of the last line. */
static enum framing_status next_of_model(struct framing_part *part)
{
	enum framing_status status;

	status = framing_feed(&t.in.framing, &t.model, t.in.bytes + t.model_at, t.came - t.model_at, part);
	t.model_at += part->used;
	return status;
}

static void check_request(const struct request *r)
{
	struct framing_part part;
	const char *message = t.in.bytes + t.model_at;
	const enum framing_status status = next_of_model(&part);

	assert(r->content_len == part.content_len);
	assert(memcmp(r->content, message + part.content_at, part.content_len) == 0);
	if (!r->frame) {
		assert(t.ended && status == FRAMING_MORE && t.in.framing.kind == FRAMING_LINE);
		return;
	}
	assert(status == FRAMING_COMPLETE && r->frame_len == part.used);
	assert(memcmp(r->frame, message, part.used) == 0);
}

static void keep(const struct request *r)
{
	t.content = r->content;
	t.content_len = r->content_len;
	t.copy = malloc(r->content_len + 1);
	if (!t.copy)
		abort();
	memcpy(t.copy, r->content, r->content_len);
}

static enum handler_verdict serve(struct requests *q, const struct request *r)
{
	const char how = framed_next(&t.in, "gwb", 'g');

	assert(q == &t.requests && !t.copy);
	check_request(r);
	t.behind = how == 'b';
	if (how != 'w')
		return HANDLER_GO_ON;
	keep(r);
	return HANDLER_WAIT;
}

/* The answer to the request that waits; its bytes were lent until now. */
static enum handler_verdict answer(void)
{
	assert(memcmp(t.copy, t.content, t.content_len) == 0);
	free(t.copy);
	t.copy = NULL;
	requests_done(&t.requests);
	return requests_next(&t.requests);
}

/* ---- the client --------------------------------------------------------- */

/* What happens next to a connection that goes on. */
static enum handler_verdict go_on(void)
{
	const char *bytes = t.in.bytes + t.came;
	size_t piece;

	if (t.behind) {
		t.behind = false;
		return requests_next(&t.requests);
	}
	if (t.came == t.in.len) {
		assert(!t.ended);
		t.ended = true;
		return requests_ended(&t.requests);
	}
	piece = framed_piece(&t.in, t.in.len - t.came);
	t.came += piece;
	return requests_received(&t.requests, bytes, piece);
}

/* The connection ends: as well as the bytes are. */
static void check_end(enum handler_verdict v)
{
	struct framing_part part;
	const enum framing_status status = next_of_model(&part);

	if (v == HANDLER_FINISH)
		assert(t.ended && t.model_at == t.in.len && part.used == 0);
	else
		assert(v == HANDLER_GIVE_UP && (status == FRAMING_BROKEN || status == FRAMING_TOO_LONG ||
		       (t.ended && status == FRAMING_MORE)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum handler_verdict v = HANDLER_GO_ON;

	memset(&t, 0, sizeof t);
	if (!framed_parse(&t.in, (const char *)data, size))
		return 0;
	log_use(NULL, LOG_LEVEL_ERROR);
	t.requests = (struct requests){ .framing = &t.in.framing, .framing_text = t.in.name, .serve = serve };
	while (v == HANDLER_GO_ON || v == HANDLER_WAIT)
		v = v == HANDLER_WAIT ? answer() : go_on();
	check_end(v);
	requests_clear(&t.requests);
	return 0;
}
