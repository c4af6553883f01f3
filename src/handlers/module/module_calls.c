/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The seam between connections, which want a verdict from each call, and modules, which call
 * functions for what they want.
 */
#include <config.h>
#include "module_calls.h"

#include <stdio.h>

#include "log.h"
#include "module_client.h"
#include "module_lend.h"
#include "units.h"

/* ---- verdicts ----------------------------------------------------------- */

/* The connection ends when all is sent. Bytes that are lent are not: until they are, it waits. */
static enum handler_verdict finish(struct module_client *k)
{
	if (!k || list_empty(&k->lent))
		return HANDLER_FINISH;
	k->finished = true;
	return HANDLER_WAIT;
}

/* What a call that returned `result` means. */
static enum handler_verdict verdict_of(struct module_worker *m, struct connection *c, int result)
{
	struct module_client *k = module_client_find(c);
	const enum module_ruling ruling = module_call_ends(m);

	if (result == -1 || ruling == MODULE_ABORT || (k && k->aborted))
		return HANDLER_FAIL;
	if (ruling == MODULE_FINISH || (k && k->finished))
		return finish(k);
	return k && k->paused ? HANDLER_WAIT : HANDLER_GO_ON;
}

/* What was decided in calls for others, or in none. */
static enum handler_verdict verdict_so_far(struct connection *c)
{
	struct module_worker *m = module_worker_of(c);

	module_call_begins(m, c);
	return verdict_of(m, c, 0);
}

/* The module has said how it ends: it is not called any more but for the end. */
static bool is_ending(const struct module_client *k)
{
	return k && (k->finished || k->aborted);
}

static void log_fault(struct connection *c, const char *what)
{
	const struct module_worker *m = module_worker_of(c);
	char id[CONNECTION_ID_MAX];

	log_about(LOG_LEVEL_ERROR, LOG_ABOUT(.connection = connection_id(c, id)),
	          "%s %s: the module %s %s %s; closing", m->worker->service->name, id, m->module->name,
	          m->module->version, what);
}

/* ---- bytes -------------------------------------------------------------- */

/*
 * The module has seen all of `rest`, and waits for more. While it has paused, nothing more comes, and
 * what came at once may be longer.
 */
static enum handler_verdict limit_rest(struct module_client *k, enum handler_verdict v)
{
	const rlim_t max = connection_worker(k->connection)->service->max_request;
	char limit[UNITS_TEXT_MAX], why[96];

	if (v != HANDLER_GO_ON || buffer_is_empty(&k->rest) || buffer_waiting(&k->rest) <= max)
		return v;
	snprintf(why, sizeof why, "has not consumed more than max_request (%s)",
	         units_format_size((int64_t)max, limit));
	log_fault(k->connection, why);
	return HANDLER_GIVE_UP;
}

/* Gives bytes to the module. *used becomes how many it has consumed. */
static enum handler_verdict give(struct connection *c, const char *bytes, size_t len, size_t *used)
{
	struct module_worker *m = module_worker_of(c);
	ptrdiff_t n = (ptrdiff_t)len;

	module_call_begins(m, c);
	if (m->module->data)
		n = m->module->data(module_handle(c), bytes, len);
	*used = n > 0 && (size_t)n <= len ? (size_t)n : 0;
	if (n >= -1 && n <= (ptrdiff_t)len)
		return verdict_of(m, c, n == -1 ? -1 : 0);
	module_call_ends(m);
	log_fault(c, "has consumed more than it got");
	return HANDLER_FAIL;
}

static enum handler_verdict give_rest(struct module_client *k)
{
	size_t used;
	const enum handler_verdict v = give(k->connection, buffer_first(&k->rest), buffer_waiting(&k->rest),
	                                    &used);

	buffer_take(&k->rest, used);
	return limit_rest(k, v);
}

/* What requests.c says, unless it is the end and bytes are lent. */
static enum handler_verdict of_requests(struct module_client *k, enum handler_verdict v)
{
	return v == HANDLER_FINISH || (v == HANDLER_GO_ON && k->finished) ? finish(k) : v;
}

/* A call for another connection has paused this one in the turn in which the bytes came. */
static enum handler_verdict keep_for_later(struct module_client *k, const char *bytes, size_t len)
{
	struct buffer *b = k->requests.framing ? &k->requests.in : &k->rest;

	return buffer_add(b, bytes, len) == -1 ? HANDLER_FAIL : HANDLER_WAIT;
}

/*
 * A call for another connection, or for none, has written to this one in the turn in which the bytes or
 * the end came: the client takes that first.
 */
static bool is_written_to(struct connection *c)
{
	return handler_is_behind(c) && !(module_worker_of(c)->module->flags & DROVER_PRODUCER);
}

static enum handler_verdict keep_until_taken(struct connection *c, const char *bytes, size_t len)
{
	struct module_client *k = module_client_of(c);

	if (!k || buffer_add(&k->rest, bytes, len) == -1)
		return HANDLER_FAIL;
	k->end_waits |= len == 0;
	k->resumed = true;
	return HANDLER_GO_ON;
}

enum handler_verdict module_received(struct connection *c, const char *bytes, size_t len)
{
	struct module_client *k = module_client_find(c);
	enum handler_verdict v;
	size_t used;

	if (is_ending(k))
		return verdict_so_far(c);
	if (k && k->paused)
		return keep_for_later(k, bytes, len);
	if (k && k->requests.framing)
		return of_requests(k, requests_received(&k->requests, bytes, len));
	if (is_written_to(c))
		return keep_until_taken(c, bytes, len);
	if (k && !buffer_is_empty(&k->rest))
		return buffer_add(&k->rest, bytes, len) == -1 ? HANDLER_FAIL : give_rest(k);
	v = give(c, bytes, len, &used);
	if (used == len || v == HANDLER_FAIL || v == HANDLER_FINISH || is_ending(module_client_find(c)))
		return v;
	k = module_client_of(c);
	if (!k || buffer_add(&k->rest, bytes + used, len - used) == -1)
		return HANDLER_FAIL;
	return limit_rest(k, v);
}

enum handler_verdict module_ended(struct connection *c)
{
	struct module_worker *m = module_worker_of(c);
	struct module_client *k = module_client_find(c);
	const bool has_rest = k && !buffer_is_empty(&k->rest);
	enum handler_verdict v;

	if (is_ending(k))
		return verdict_so_far(c);
	if (k && k->paused) {           /* as in keep_for_later */
		k->requests.ended = k->end_waits = true;
		return HANDLER_WAIT;
	}
	if (k && k->requests.framing)
		return of_requests(k, requests_ended(&k->requests));
	if (is_written_to(c))
		return keep_until_taken(c, "", 0);
	if (!m->module->ended)
		return finish(k);
	module_call_begins(m, c);
	v = verdict_of(m, c, m->module->ended(module_handle(c), has_rest ? buffer_first(&k->rest) : "",
	                                      has_rest ? buffer_waiting(&k->rest) : 0));
	k = module_client_find(c);
	if (k)
		k->ended = true;
	return v == HANDLER_GO_ON ? finish(k) : v;
}

/* ---- requests ----------------------------------------------------------- */

/* The function `serve` of requests.h. */
static enum handler_verdict serve(struct requests *q, const struct request *r)
{
	struct connection *c = q->connection;
	struct module_worker *m = module_worker_of(c);
	enum handler_verdict v;

	module_call_begins(m, c);
	v = verdict_of(m, c, m->module->request(module_handle(c), r->content, r->content_len));
	/* A request whose answer is the last one is done. */
	return v == HANDLER_WAIT && is_ending(module_client_find(c)) ? HANDLER_GO_ON : v;
}

/* ---- going on ----------------------------------------------------------- */

static enum handler_verdict give_end(struct module_client *k)
{
	/* As with bytes, not before the client has taken all; then it comes here again. */
	if (handler_is_behind(k->connection)) {
		k->resumed = true;
		return HANDLER_GO_ON;
	}
	k->end_waits = false;
	return module_ended(k->connection);
}

/* After resume: what the client has sent meanwhile comes now. */
static enum handler_verdict go_on(struct module_client *k)
{
	enum handler_verdict v;

	k->resumed = false;
	if (k->requests.framing) {
		if (k->requests.in_flight)
			requests_done(&k->requests);
		return of_requests(k, requests_next(&k->requests));
	}
	if (k->ended)
		return finish(k);
	v = buffer_is_empty(&k->rest) ? HANDLER_GO_ON : give_rest(k);
	return v == HANDLER_GO_ON && k->end_waits ? give_end(k) : v;
}

/* What follows from what was done to it; the client has taken everything, or else v is not final. */
static enum handler_verdict follow(struct module_client *k, enum handler_verdict v)
{
	if (v == HANDLER_GO_ON && k && k->resumed && !handler_is_behind(k->connection))
		return go_on(k);
	return v;
}

static enum handler_verdict call_taken(struct connection *c)
{
	struct module_worker *m = module_worker_of(c);

	module_call_begins(m, c);
	return verdict_of(m, c, m->module->taken ? m->module->taken(module_handle(c)) : 0);
}

/* The client has taken what it had, but that is not all, or the module is not to be told. */
static bool has_more_to_take(struct connection *c)
{
	struct module_client *k = module_client_find(c);

	return k && (!module_lend_continue(k) || is_ending(k));
}

enum handler_verdict module_taken(struct connection *c)
{
	struct module_client *k = module_client_find(c);
	const bool produces = module_worker_of(c)->module->flags & DROVER_PRODUCER;
	enum handler_verdict v;

	if (has_more_to_take(c))
		return verdict_so_far(c);
	/* For a producer, this call is for more; it comes here only when it has paused. */
	v = produces ? verdict_so_far(c) : call_taken(c);
	k = module_client_find(c);
	if (v == HANDLER_GO_ON && k && !k->resumed && k->requests.framing)
		return of_requests(k, requests_next(&k->requests));
	return follow(k, v);
}

enum handler_verdict module_produce(struct connection *c)
{
	struct module_client *k = module_client_find(c);
	enum handler_verdict v;

	if (has_more_to_take(c))
		return verdict_so_far(c);
	v = follow(k, verdict_so_far(c));
	return v == HANDLER_GO_ON && !handler_is_behind(c) ? call_taken(c) : v;
}

void module_call_timer(struct connection *c)
{
	struct module_worker *m = module_worker_of(c);
	enum handler_verdict v;

	connection_work_begins(c);
	if (is_ending(module_client_find(c))) {
		handler_go_on(c, verdict_so_far(c));
		return;
	}
	module_call_begins(m, c);
	v = verdict_of(m, c, m->module->timer ? m->module->timer(module_handle(c)) : 0);
	handler_go_on(c, follow(module_client_find(c), v));
}

void module_call_settle(struct connection *c)
{
	connection_work_begins(c);
	handler_go_on(c, follow(module_client_find(c), verdict_so_far(c)));
}

/* ---- the two ends ------------------------------------------------------- */

enum handler_verdict module_opened(struct connection *c)
{
	struct module_worker *m = module_worker_of(c);
	struct module_client *k;
	enum handler_verdict v;

	if (!m->module->open)
		return HANDLER_GO_ON;
	module_call_begins(m, c);
	m->may_frame = true;
	v = verdict_of(m, c, m->module->open(module_handle(c)));
	m->may_frame = false;
	k = module_client_find(c);
	if (k && k->requests.framing)
		k->requests.serve = serve;
	return v;
}

static int reason_of(enum connection_end how)
{
	switch (how) {
	case END_CLOSED:
		return DROVER_CLOSED;
	case END_SERVED:
		return DROVER_FINISHED;
	case END_HANDSHAKE: case END_IDLE: case END_REQUEST: case END_WRITE: case END_SESSION:
		return DROVER_TIMED_OUT;
	case END_STOPPED:
		return DROVER_STOPPED;
	case END_KICKED:
		return DROVER_KICKED;
	case END_RESET: case END_TLS: case END_TRUNCATED:
		return DROVER_RESET;
	case END_NOT_YET: case END_EXIT: case END_FAILED: case END_PROXY: case END_REFUSED:
		break;
	}
	return DROVER_FAILED;
}

void module_closed(struct connection *c)
{
	struct module_worker *m = module_worker_of(c);
	struct connection *const caller = m->current;
	const enum module_ruling ruling = m->ruling;

	/* Also while loans are given back, which calls the module as well. */
	module_call_begins(m, c);
	m->ruling = MODULE_CLOSING;
	if (m->module->close)
		m->module->close(module_handle(c), reason_of(connection_how(c)));
	module_client_free(c);
	m->current = caller;
	m->ruling = ruling;
}
