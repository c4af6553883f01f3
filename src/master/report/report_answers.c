/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Writes figures as JSON. Lists are written item by item: there may be a hundred thousand
 * connections.
 */
#include <config.h>
#include "report_answers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "conf_keys.h"
#include "connection_id.h"
#include "json_value.h"
#include "report_certificates.h"
#include "report_data.h"
#include "signals.h"
#include "version.h"

static bool is_wanted(const struct control_request *r, const char *service)
{
	return !r->service || strcmp(r->service, service) == 0;
}

/* ---- services ----------------------------------------------------------- */

static json_t *listeners(const struct service *k)
{
	json_t *list = json_array();
	char text[ADDRESS_TEXT_MAX];

	for (size_t i = 0; i < k->n_sockets; i++)
		json_array_append_new(list, json_value_text(address_format(&k->sockets[i]->address,
		                                                           text, sizeof text)));
	return list;
}

static json_t *deaths(const struct report_service *s)
{
	const uint64_t *by_signal = s->counts.totals.by_signal;
	json_t *object = json_object();
	char name[32];

	for (int i = 1; i < NSIG; i++) {
		if (by_signal[i] == 0)
			continue;
		snprintf(name, sizeof name, "SIG%s", signals_name(i));
		json_object_set_new(object, name, json_value_count(by_signal[i]));
	}
	return object;
}

static json_t *queue(const struct report_service *s)
{
	return s->has_queue ? json_pack("{s:o, s:o}", "length", json_value_count((uint64_t)s->queue),
	                                "limit", json_value_count((uint64_t)s->queue_limit)) : json_null();
}

static json_t *workers_of(const struct report_service *s)
{
	return json_pack("{s:i, s:i, s:i, s:i, s:i, s:i}", "starting", s->census.starting,
	                 "accepting", s->census.accepting, "draining", s->census.draining,
	                 "wanted", pool_target(s->service->pool),
	                 "min", s->service->conf->workers.min,
	                 "max", s->service->conf->workers.max);
}

static json_t *refused(const struct totals *t)
{
	json_t *object = json_object();

#define X(NAME, name, how, words) \
	json_object_set_new(object, #name, json_value_count(t->refused_##name));
	REFUSALS(X)
#undef X
	return object;
}

/* The counters that every handler has. */
static void add_totals(json_t *object, const struct totals *t)
{
	json_object_set_new(object, "accepted", json_value_count(t->accepted));
	json_object_set_new(object, "served", json_value_count(t->served));
	json_object_set_new(object, "bytes_in", json_value_count(t->bytes_in));
	json_object_set_new(object, "bytes_out", json_value_count(t->bytes_out));
	json_object_set_new(object, "requests", json_value_count(t->requests));
	json_object_set_new(object, "refused", refused(t));
	json_object_set_new(object, "untracked", json_value_count(t->untracked));
}

/* null: the service has another handler. */
static json_t *filter(const struct report_service *s)
{
	const struct report_counts *c = &s->counts;

	if (s->service->conf->handler.kind != HANDLER_FILTER)
		return json_null();
	return json_pack("{s:o, s:o, s:o, s:o}", "processes", json_value_count(c->filters),
	                 "queued", json_value_count(c->queued),
	                 "answered", json_value_count(c->totals.answered),
	                 "replaced", json_value_count(c->totals.replaced));
}

/* null: the service has no warm programs. */
static json_t *warm(const struct report_service *s)
{
	const struct report_counts *c = &s->counts;

	if (s->service->conf->handler.kind != HANDLER_WARM)
		return json_null();
	return json_pack("{s:o, s:o, s:o, s:o}", "waiting", json_value_count(c->warm),
	                 "joined", json_value_count(c->totals.joined),
	                 "cold", json_value_count(c->totals.cold),
	                 "crashed", json_value_count(c->totals.crashed));
}

/* null: the service has no such times, or does not measure them. */
static json_t *histogram(const struct histogram *h, bool has_it)
{
	json_t *buckets;

	if (!has_it)
		return json_null();
	buckets = json_array();
	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
		json_array_append_new(buckets, json_value_count(h->buckets[i]));
	return json_pack("{s:o, s:o, s:o}", "count", json_value_count(histogram_count(h)),
	                 "sum", json_value_seconds((int64_t)h->sum_ms), "buckets", buckets);
}

static json_t *times(const struct report_service *s)
{
	const struct conf_service *conf = s->service->conf;
	const struct totals *t = &s->counts.totals;

	return json_pack("{s:o, s:o, s:o, s:o}", "duration", histogram(&t->duration, true),
	                 "accept_wait", histogram(&t->accept_wait, conf->measures_queue),
	                 "answer", histogram(&t->answer, conf->handler.kind == HANDLER_FILTER),
	                 "handshake", histogram(&t->handshake, conf->tls.on));
}

static json_t *service(const struct report_service *s)
{
	const struct conf_service *conf = s->service->conf;
	json_t *object = json_pack("{s:o, s:s, s:s, s:b, s:o, s:o, s:{s:o, s:o, s:o, s:o}, s:o}",
		"name", json_value_text(conf->name), "handler", conf_keys_handlers[conf->handler.id],
		"state", s->state, "serves", pool_can_serve(s->service->pool) && !s->stands_still,
		"listen", listeners(s->service), "workers", workers_of(s),
		"slots", "open", json_value_count(s->open), "max", json_value_count(s->slots),
		"limit", json_value_count(s->limit), "free", json_value_count(s->free),
		"queue", queue(s));

	json_object_set_new(object, "reason", json_value_text_or_null(s->reason));
	add_totals(object, &s->counts.totals);
	json_object_set_new(object, "lost", json_value_count(s->counts.totals.lost));
	json_object_set_new(object, "filter", filter(s));
	json_object_set_new(object, "warm", warm(s));
	json_object_set_new(object, "times", times(s));
	json_object_set_new(object, "deaths", deaths(s));
	json_object_set_new(object, "restart_delay",
	                    json_value_seconds(pool_delay_ms(s->service->pool)));
	return object;
}

void report_services(void *data, const struct control_request *r, struct answer_writer *o)
{
	const struct report_data *d = data;

	answer_writer_begin_list(o, "services");
	for (size_t i = 0; i < d->n; i++)
		if (is_wanted(r, d->services[i].service->conf->name))
			answer_writer_item(o, service(&d->services[i]));
	answer_writer_end_list(o);
}

/* ---- the server --------------------------------------------------------- */

/* The configuration of workers that another program has left is not known in full. */
static int balancers(const struct master *m)
{
	const int n = m->current->conf->agent.balancers;

	return n > 0 ? n : 1;
}

static json_t *totals(const struct report_counts *c)
{
	json_t *object = json_pack("{s:o, s:o}", "workers", json_value_count(c->workers),
	                           "open", json_value_count(c->open));

	add_totals(object, &c->totals);
	json_object_set_new(object, "lost", json_value_count(c->totals.lost));
	return object;
}

static json_t *last_reload(const struct master *m)
{
	char at[CLOCK_TEXT_MAX];

	return json_pack("{s:s, s:b, s:o}", "at", clock_utc(&m->last_load.at, at), "ok", m->last_load.ok,
	                 "reason", json_value_text_or_null(m->last_load.ok ? NULL : m->refused));
}

json_t *report_answers_status(const struct report_data *d)
{
	const struct master *m = d->master;
	const char *file = m->source.text ? NULL : m->source.file;
	json_t *services = json_array();

	for (size_t i = 0; i < d->n; i++)
		json_array_append_new(services, service(&d->services[i]));
	return json_pack("{s:s, s:i, s:o, s:o, s:s, s:i, s:o, s:o, s:o, s:o, s:o, s:o}",
		"version", version_string, "pid", (int)getppid(),
		"uptime", json_value_seconds(d->now_ms - m->started_ms),
		"generation", json_value_count(m->current->number), "phase", d->phase, "balancers", balancers(m),
		"config", json_value_text_or_null(file),
		"refused", json_value_text_or_null(m->refused),
		"last_reload", last_reload(m), "services", services, "totals", totals(&d->counts),
		"certificates", report_certificates_short(d));
}

void report_status(void *data, const struct control_request *r, struct answer_writer *o)
{
	(void)r;
	answer_writer_result(o, report_answers_status(data));
}

/* ---- workers and connections -------------------------------------------- */

json_t *report_answers_worker(const struct report_data *d, const struct report_worker *at)
{
	const struct pool_worker *w = &at->worker;
	struct totals done = { 0 };
	json_t *object = json_pack("{s:o, s:i, s:o, s:s, s:o, s:o, s:i}",
		"service", json_value_text(at->service->conf->name), "pid", (int)w->pid,
		"generation", json_value_count(at->generation->number), "state", board_state_name(w->state),
		"age", json_value_seconds(report_ago_ms(d, w->born_ms)),
		"open", json_value_count(w->said.open),
		"slots", at->service->conf->connections);

	totals_add_counters(&done, &w->said);
	add_totals(object, &done);
	json_object_set_new(object, "last_turn", w->said.turn_ms == 0 ? json_null() :
	                    json_value_seconds(report_ago_ms(d, w->said.turn_ms)));
	return object;
}

void report_workers(void *data, const struct control_request *r, struct answer_writer *o)
{
	const struct report_data *d = data;

	answer_writer_begin_list(o, "workers");
	for (size_t i = 0; i < d->n_workers; i++)
		if (is_wanted(r, d->workers[i].service->conf->name))
			answer_writer_item(o, report_answers_worker(d, &d->workers[i]));
	answer_writer_end_list(o);
}

json_t *report_answers_connection(const struct report_data *d, const struct report_worker *at,
                                  const struct board_connection_view *v)
{
	const int64_t age_ms = report_ago_ms(d, v->since_ms);
	const struct timespec since = clock_before(&d->now, age_ms);
	const bool is_proxied = v->via.family != 0;
	char id[CONNECTION_ID_MAX], peer[ADDRESS_TEXT_MAX], via[ADDRESS_TEXT_MAX], text[CLOCK_TEXT_MAX];

	return json_pack("{s:s, s:o, s:i, s:s, s:s?, s:s, s:o, s:s, s:o, s:o, s:o}",
		"id", connection_id_format(at->worker.pid, v->number, id),
		"service", json_value_text(at->service->conf->name), "worker", (int)at->worker.pid,
		"peer", endpoint_format(&v->peer, peer, sizeof peer),
		"via", is_proxied ? endpoint_format(&v->via, via, sizeof via) : NULL,
		"since", clock_utc(&since, text), "age", json_value_seconds(age_ms),
		"phase", board_phase_name(v->phase), "bytes_in", json_value_count(v->bytes_in),
		"bytes_out", json_value_count(v->bytes_out),
		"program", json_value_process(v->program));
}

static void put_connections(const struct report_data *d, const struct report_worker *at,
                            struct answer_writer *o)
{
	const struct board *b = pool_board(at->service->pool);
	struct board_connection_view v;

	for (size_t k = 0; k < board_connections(b) && !o->failed; k++)
		if (board_view_connection(b, at->place, k, &v))
			answer_writer_item(o, report_answers_connection(d, at, &v));
}

void report_connections(void *data, const struct control_request *r, struct answer_writer *o)
{
	const struct report_data *d = data;

	answer_writer_begin_list(o, "connections");
	for (size_t i = 0; i < d->n_workers; i++)
		if (is_wanted(r, d->workers[i].service->conf->name))
			put_connections(d, &d->workers[i], o);
	answer_writer_end_list(o);
}

/* ---- check -------------------------------------------------------------- */

/* What a check has found: errors as lines, and warnings as JSON strings. */
struct findings {
	FILE   *lines;
	json_t *warnings;
};

static void keep_complaint(void *arg, enum conf_weight weight, const char *line)
{
	struct findings *f = arg;

	if (weight == CONF_WARNING)
		json_array_append_new(f->warnings, json_value_text(line));
	else
		fprintf(f->lines, "%s%s", ftell(f->lines) > 0 ? "\n" : "", line);
}

static json_t *check_result(const struct findings *f)
{
	json_t *result = json_pack("{s:b}", "ok", 1);

	if (json_array_size(f->warnings) > 0)
		json_object_set(result, "warnings", f->warnings);
	return result;
}

void report_check(void *data, const struct control_request *r, struct answer_writer *o)
{
	const struct master *m = data;
	struct arena a = { .base = NULL };
	char *complaints = NULL;
	size_t len;
	struct findings f = { open_memstream(&complaints, &len), json_array() };
	const struct conf *conf;

	(void)r;
	if (!f.lines || !f.warnings || arena_open(&a, CONF_ARENA_SIZE) == -1) {
		answer_writer_answer(o, control_error_text(CONTROL_INTERNAL, "no memory"));
		return;
	}
	conf_load_for(CONF_FOR_DAEMON, &a, m->source.file, m->source.text,
	              master_serves_inherited(m) ? NULL : m->current->conf, keep_complaint,
	              &f, &conf);
	fclose(f.lines);
	answer_writer_answer(o, conf ? control_answer_text(check_result(&f))
	                          : control_error_text(CONTROL_REFUSED, complaints));
	json_decref(f.warnings);
	free(complaints);
}
