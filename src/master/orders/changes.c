/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The orders of control clients: checks what only a client can get wrong, calls the function that a
 * signal would call as well, and answers when the order is done. What an order does to workers is
 * in the other files of this folder.
 */
#include <config.h>
#include "changes.h"

#include <errno.h>
#include <string.h>

#include "connection_id.h"
#include "drain.h"
#include "kick.h"
#include "programs.h"
#include "reload.h"
#include "reopen_logs.h"
#include "scale.h"
#include "stop.h"
#include "unblock.h"
#include "upgrade.h"

#define REOPEN_MS 10000                         /* a log process may have to wait for a disk */
#define KICK_MS (PROGRAM_KILL_MS + 5000)        /* a program may take the first part to end */

const struct service *changes_find(const struct master *m, const char *service)
{
	return generation_find(m->current, service);
}

/* The workers of the service of that name, in all generations. */
static int workers_of(const struct master *m, const char *service)
{
	struct generation *g;
	int sum = 0;

	list_each(&m->generations, g, struct generation, in_master)
		for (size_t i = 0; i < g->n; i++) {
			const struct children_census c = pool_census(g->services[i].pool);

			if (strcmp(g->services[i].conf->name, service) == 0)
				sum += c.starting + c.accepting + c.draining;
		}
	return sum;
}

/* ---- the whole server --------------------------------------------------- */

void changes_reload(struct master *m, struct control_client *c, const struct control_request *r)
{
	(void)r;
	outcome_begin(&m->outcome, c, OUTCOME_RELOAD, NULL, 0);
	reload_begin(m);
}

void changes_upgrade(struct master *m, struct control_client *c, const struct control_request *r)
{
	(void)r;
	outcome_begin(&m->outcome, c, OUTCOME_UPGRADE, NULL, 0);
	upgrade_begin(m);
}

/* Also accepted while the server stops: to stop it sooner, or only to wait for its end. */
void changes_stop(struct master *m, struct control_client *c, const struct control_request *r)
{
	const enum order order = r->now ? ORDER_STOP_NOW : ORDER_STOP_DRAIN;

	c->last_words = json_pack("{s:b}", "stopped", 1);
	control_client_hold(c, CLIENT_WAITING);
	if (master_permit(m, order) == PERMIT_NOW)
		stop_begin(m, order);
}

static json_t *reopened(void)
{
	return json_pack("{s:b}", "reopened", 1);
}

void changes_reopen_logs(struct master *m, struct control_client *c,
                         const struct control_request *r)
{
	(void)r;
	if (m->reopening.kind != OUTCOME_NONE)
		control_client_refuse(c, CONTROL_BUSY, "%s is under way: one change at a time",
		                      outcome_name(&m->reopening));
	else if (!reopen_logs(m))
		control_client_refuse(c, CONTROL_REFUSED, "a log could not be opened, and goes on"
		                      " as it was (the server's log says why)");
	else if (reopen_logs_is_under_way(m))
		outcome_begin(&m->reopening, c, OUTCOME_REOPEN, NULL, REOPEN_MS);
	else
		control_client_answer(c, reopened());
}

/* ---- a service ---------------------------------------------------------- */

static void begin_outcome(struct master *m, struct control_client *c, enum outcome_kind kind,
                          const struct service *s, int64_t limit_ms)
{
	outcome_begin(&m->outcome, c, kind, s->conf->name, limit_ms);
	changes_check(m);               /* there may be nothing to wait for */
}

void changes_scale(struct master *m, struct control_client *c, const struct control_request *r)
{
	const struct service *s = changes_find(m, r->service);
	const int from = pool_target(s->pool), max = s->conf->workers.max;
	int to;

	if (!scale_parse(r->to, from, &to)) {
		control_client_refuse(c, CONTROL_BAD_REQUEST, "to must be a number of workers,"
		                      " or +N or -N");
	} else if (!pool_works(s->pool)) {
		control_client_refuse(c, CONTROL_REFUSED, "service \"%s\" is drained (resume it"
		                      " first)", r->service);
	} else if (to < 1 || to > max) {
		control_client_refuse(c, CONTROL_REFUSED, "service \"%s\" can have 1 to %d workers,"
		                      " not %d", r->service, max, to);
	} else {
		scale_service(s, r->to, to);
		m->outcome.from = from;
		m->outcome.to = to;
		begin_outcome(m, c, OUTCOME_SCALE, s, s->conf->timeouts.start);
	}
}

void changes_drain(struct master *m, struct control_client *c, const struct control_request *r)
{
	const struct service *s = changes_find(m, r->service);

	drain_service(m, s);
	begin_outcome(m, c, OUTCOME_DRAIN, s, 0);
}

void changes_resume(struct master *m, struct control_client *c, const struct control_request *r)
{
	const struct service *s = changes_find(m, r->service);

	drain_resume(m, s);
	begin_outcome(m, c, OUTCOME_RESUME, s, s->conf->timeouts.start);
}

/* ---- a connection ------------------------------------------------------- */

static void no_such_connection(struct control_client *c, const char *id)
{
	control_client_refuse(c, CONTROL_NO_SUCH_CONNECTION, "there is no connection \"%s\"", id);
}

void changes_kick(struct master *m, struct control_client *c, const struct control_request *r)
{
	pid_t worker;
	uint64_t number;

	if (!connection_id_parse(r->connection, &worker, &number)) {
		no_such_connection(c, r->connection);
		return;
	}
	switch (kick_connection(m, worker, number)) {
	case POOL_KICK_TOLD:
		m->outcome.worker = worker;
		m->outcome.number = number;
		outcome_begin(&m->outcome, c, OUTCOME_KICK, NULL, KICK_MS);
		break;
	case POOL_KICK_NOT_OURS:
		no_such_connection(c, r->connection);
		break;
	case POOL_KICK_FAILED:
		control_client_refuse(c, CONTROL_REFUSED, "tell worker %d: %s", (int)worker,
		                      strerror(errno));
		break;
	}
}

void changes_kicked(struct master *m, pid_t worker, uint64_t number, bool found)
{
	struct outcome *o = &m->outcome;
	char id[CONNECTION_ID_MAX];

	if (o->kind != OUTCOME_KICK || o->worker != worker || o->number != number)
		return;
	connection_id_format(worker, number, id);
	if (found)
		outcome_done(o, json_pack("{s:s}", "connection", id));
	else
		outcome_fail(o, CONTROL_NO_SUCH_CONNECTION, "there is no connection \"%s\"", id);
}

void changes_worker_is_gone(struct master *m, pid_t worker)
{
	changes_kicked(m, worker, m->outcome.number, true);
}

/* ---- a source ----------------------------------------------------------- */

/* Workers see at once that the source is not blocked any more: there is nothing to wait for. */
void changes_unblock(struct master *m, struct control_client *c, const struct control_request *r)
{
	char complaint[CIDR_COMPLAINT_MAX];
	json_t *lifted = json_array();
	struct source_id source;
	const enum cidr_error error = source_id_parse(r->prefix, &source);

	if (error != CIDR_OK)
		control_client_refuse(c, CONTROL_BAD_REQUEST, "%s",
		                      cidr_complaint(error, r->prefix, &source.prefix, complaint));
	else if (!unblock_source(m, &source, lifted))
		control_client_refuse(c, CONTROL_NO_SUCH_BLOCK, "nothing is blocked under %s", r->prefix);
	else
		control_client_answer(c, json_pack("{s:O}", "unblocked", lifted));
	json_decref(lifted);
}

/* ---- is it done? -------------------------------------------------------- */

static void tell_scaled(struct outcome *o)
{
	outcome_done(o, json_pack("{s:s, s:i, s:i}", "service", o->service, "from", o->from,
	                          "to", o->to));
}

static void tell_service(struct outcome *o)
{
	outcome_done(o, json_pack("{s:s}", "service", o->service));
}

static void check_start(struct master *m, void (*tell)(struct outcome *o))
{
	const struct service *s = changes_find(m, m->outcome.service);

	if (!pool_works(s->pool))
		outcome_fail(&m->outcome, CONTROL_REFUSED, "the workers of service \"%s\" were told"
		             " to rest meanwhile", m->outcome.service);
	else if (pool_has_failed(s->pool))
		outcome_fail(&m->outcome, CONTROL_REFUSED, "a worker of service \"%s\" could not"
		             " start; it is tried again", m->outcome.service);
	else if (pool_is_complete(s->pool))
		tell(&m->outcome);
}

void changes_check(struct master *m)
{
	if (m->reopening.kind != OUTCOME_NONE && !reopen_logs_is_under_way(m))
		outcome_done(&m->reopening, reopened());
	switch (m->outcome.kind) {
	case OUTCOME_NONE:
	case OUTCOME_RELOAD:
	case OUTCOME_UPGRADE:
	case OUTCOME_KICK:
	case OUTCOME_REOPEN:
		break;
	case OUTCOME_SCALE:
		check_start(m, tell_scaled);
		break;
	case OUTCOME_RESUME:
		check_start(m, tell_service);
		break;
	case OUTCOME_DRAIN:
		if (workers_of(m, m->outcome.service) == 0 &&
		    !pool_is_leaving(changes_find(m, m->outcome.service)->pool))
			tell_service(&m->outcome);
		break;
	}
}

void changes_expired(struct timer *t)
{
	struct outcome *o = container_of(t, struct outcome, limit);
	char id[CONNECTION_ID_MAX];

	if (o->kind == OUTCOME_KICK)
		outcome_fail(o, CONTROL_REFUSED, "connection %s is still open after %d s",
		             connection_id_format(o->worker, o->number, id), KICK_MS / 1000);
	else if (o->kind == OUTCOME_REOPEN)
		outcome_fail(o, CONTROL_REFUSED, "after %d s, a log process still writes to the old"
		             " files", REOPEN_MS / 1000);
	else
		outcome_fail(o, CONTROL_REFUSED, "not all workers of service \"%s\" accept after"
		             " timeouts.start; they are waited for", o->service);
}
