/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A row for each family: its name, what it means, and where its value is in struct report_service.
 * Where a family has more labels than the service, a function writes the samples.
 */
#include <config.h>
#include "metrics_of_services.h"

#include <stdio.h>
#include <string.h>

#include "histogram.h"
#include "signals.h"
#include "source_census.h"
#include "text.h"

#define NAME_ROOM   512                 /* for a name in a certificate, printable */
#define NUMBER_ROOM 24                  /* for a number that is the value of a label */

#define LABELS(s) EXPOSITION_LABELS({ "service", (s)->service->conf->name })
#define LABELS_AND(s, label, is) \
	EXPOSITION_LABELS({ "service", (s)->service->conf->name }, { label, is })

/* ---- which services have it --------------------------------------------- */

static bool has_queue(const struct report_service *s)
{
	return s->has_queue;
}

static bool has_filter(const struct report_service *s)
{
	return s->service->conf->handler.kind == HANDLER_FILTER;
}

static bool has_warm(const struct report_service *s)
{
	return s->service->conf->handler.kind == HANDLER_WARM;
}

/* Others are not counted. */
static bool has_sources(const struct report_service *s)
{
	const struct conf_limits *l = &s->service->conf->limits;

	return l->connections_per_source > 0 || l->rate_per_source.interval_ns > 0;
}

static bool has_poison(const struct report_service *s)
{
	return s->service->conf->poison.on;
}

static bool has_tls(const struct report_service *s)
{
	return s->service->conf->tls.on;
}

/* ---- values ------------------------------------------------------------- */

static double wanted_workers(const struct report_service *s)
{
	return pool_target(s->service->pool);
}

static double min_workers(const struct report_service *s)
{
	return s->service->conf->workers.min;
}

static double max_workers(const struct report_service *s)
{
	return s->service->conf->workers.max;
}

static double queue_length(const struct report_service *s)
{
	return (double)s->queue;
}

static double queue_limit(const struct report_service *s)
{
	return (double)s->queue_limit;
}

static double restart_delay(const struct report_service *s)
{
	return (double)pool_delay_ms(s->service->pool) / 1000;
}

static double source_entries(const struct report_service *s)
{
	return (double)sources_entries(pool_service_state(s->service->pool)->memory.sources);
}

static double blocked_sources(const struct report_service *s)
{
	const struct poison_watch *w = pool_service_state(s->service->pool)->poison;
	int n = 0;

	for (size_t i = 0; i < POISON_SOURCES; i++)
		n += poison_is_blocked(&w->history.sources[i]);
	return n;
}

/* Connections of all generations are in the same table, unless a reload has changed its size. */
static double used_entries(const struct report_service *s)
{
	const struct report_data *d = s->data;
	const struct service_state *state = pool_service_state(s->service->pool);
	struct source_census c;

	source_census_begin(&c, sources_entries(state->memory.sources));
	for (size_t i = 0; i < d->n_workers; i++) {
		const struct pool *p = d->workers[i].service->pool;

		if (pool_service_state(p) == state)
			source_census_see(&c, pool_board(p), d->workers[i].place);
	}
	return (double)source_census_end(&c);
}

/* ---- more labels -------------------------------------------------------- */

static void put_state(struct exposition *e, const struct report_service *s)
{
	static const char *const states[] = { "serving", "exhausted", "failing", "leaving", "draining", "drained" };

	exposition_one_hot(e, LABELS(s), "state", states, sizeof states / sizeof states[0], s->state);
}

static void put_workers(struct exposition *e, const struct report_service *s)
{
	exposition_sample(e, LABELS_AND(s, "state", "starting"), s->census.starting);
	exposition_sample(e, LABELS_AND(s, "state", "accepting"), s->census.accepting);
	exposition_sample(e, LABELS_AND(s, "state", "draining"), s->census.draining);
}

static void put_refused(struct exposition *e, const struct report_service *s)
{
#define X(NAME, name, how, words) \
	exposition_sample(e, LABELS_AND(s, "reason", #name), (double)s->counts.totals.refused_##name);
	REFUSALS(X)
#undef X
}

/* Those that a worker is likely to die by are there before one does: a rate needs a first 0. */
static bool is_common(int signal)
{
	switch (signal) {
	case SIGABRT:
	case SIGBUS:
	case SIGFPE:
	case SIGILL:
	case SIGKILL:
	case SIGSEGV:
	case SIGSYS:
		return true;
	default:
		return false;
	}
}

/* Signals that have no names of their own are one. */
static void put_deaths(struct exposition *e, const struct report_service *s)
{
	const uint64_t *by_signal = s->counts.totals.by_signal;
	uint64_t nameless = 0;
	char name[32];

	for (int i = 1; i < NSIG; i++) {
		if (i >= __SIGRTMIN) {
			nameless += by_signal[i];
		} else if (by_signal[i] > 0 || is_common(i)) {
			snprintf(name, sizeof name, "SIG%s", signals_name(i));
			exposition_sample(e, LABELS_AND(s, "signal", name), (double)by_signal[i]);
		}
	}
	if (nameless > 0)
		exposition_sample(e, LABELS_AND(s, "signal", "SIGRT"), (double)nameless);
}

/* Pairs may have the same names, with keys of different kinds: their places tell them apart. */
static void put_certificate(struct exposition *e, const struct report_service *s, size_t i, int64_t value)
{
	const char *first = s->service->conf->tls.certificates[i].names[0];
	char number[NUMBER_ROOM], name[NAME_ROOM];
	struct text t = text_in(name, sizeof name);

	snprintf(number, sizeof number, "%zu", i);
	text_add_safe(&t, first ? first : "", first ? strlen(first) : 0);
	exposition_sample(e, EXPOSITION_LABELS({ "service", s->service->conf->name },
	                                       { "certificate", number }, { "name", name }), (double)value);
}

static void put_not_before(struct exposition *e, const struct report_service *s)
{
	const struct conf_tls *tls = &s->service->conf->tls;

	for (size_t i = 0; i < tls->n_certificates; i++)
		put_certificate(e, s, i, tls->certificates[i].not_before);
}

static void put_not_after(struct exposition *e, const struct report_service *s)
{
	const struct conf_tls *tls = &s->service->conf->tls;

	for (size_t i = 0; i < tls->n_certificates; i++)
		put_certificate(e, s, i, tls->certificates[i].not_after);
}

/* ---- times --------------------------------------------------------------- */

static bool has_waits(const struct report_service *s)
{
	return s->service->conf->measures_queue;
}

static void put_times(struct exposition *e, const struct report_service *s, const struct histogram *h)
{
	double bounds[HISTOGRAM_BUCKETS - 1];

	for (size_t i = 0; i < HISTOGRAM_BUCKETS - 1; i++)
		bounds[i] = (double)histogram_bound_ms(i) / 1000;
	exposition_histogram(e, LABELS(s), &(struct exposition_histogram){
		.bounds = bounds, .n_bounds = HISTOGRAM_BUCKETS - 1, .counts = h->buckets,
		.sum = (double)h->sum_ms / 1000 });
}

#define X(name) \
	static void put_##name(struct exposition *e, const struct report_service *s) \
	{ \
		put_times(e, s, &s->counts.totals.name); \
	}
BOARD_HISTOGRAMS(X)
#undef X

/* ---- the families ------------------------------------------------------- */

struct row {
	struct exposition_family family;
	bool   (*has)(const struct report_service *s);  /* NULL: every service has it */
	size_t   at;                    /* of a uint64_t in struct report_service, unless there is */
	double (*value)(const struct report_service *s);        /* one of these two */
	void   (*put)(struct exposition *e, const struct report_service *s);
};

#define GAUGE(name, help)             .family = { name, EXPOSITION_GAUGE, NULL, help }
#define GAUGE_IN(unit, name, help)    .family = { name, EXPOSITION_GAUGE, unit, help }
#define COUNTER(name, help)           .family = { name, EXPOSITION_COUNTER, NULL, help }
#define COUNTER_IN(unit, name, help)  .family = { name, EXPOSITION_COUNTER, unit, help }
#define TIMES(name, help)             .family = { name, EXPOSITION_HISTOGRAM, "seconds", help }
#define AT(member)                    .at = offsetof(struct report_service, member)
#define TOTAL(name)                   AT(counts.totals.name)

static const struct row rows[] = {
	{ GAUGE("drover_service_state", "1 for the state that the service is in."), .put = put_state },
	{ GAUGE("drover_service_workers", "Workers of the service by state, of all generations."),
	  .put = put_workers },
	{ GAUGE("drover_service_workers_wanted", "Workers that the service is to have now."),
	  .value = wanted_workers },
	{ GAUGE("drover_service_workers_min", "The least number of workers that is configured."),
	  .value = min_workers },
	{ GAUGE("drover_service_workers_max", "The greatest number of workers that is configured."),
	  .value = max_workers },
	{ GAUGE("drover_service_slots", "Connections that the accepting workers can have open."), AT(slots) },
	{ GAUGE("drover_service_slots_used", "Connections that the accepting workers have open."), AT(open) },
	{ GAUGE("drover_service_slots_limit", "Connections that the service can have with as many workers as it may."),
	  AT(limit) },
	{ GAUGE("drover_service_slots_free", "Connections that it can have beside those that are open."),
	  AT(free) },
	{ GAUGE("drover_service_queue_length", "Clients that wait to be accepted in the queues of TCP listeners."),
	  .has = has_queue, .value = queue_length },
	{ GAUGE("drover_service_queue_limit", "Clients that can wait there."),
	  .has = has_queue, .value = queue_limit },
	{ GAUGE_IN("seconds", "drover_service_restart_delay_seconds",
	           "How long it takes until the next worker is started, after deaths."), .value = restart_delay },

	{ GAUGE("drover_connections_open", "Connections that all workers of the service have open."),
	  AT(counts.open) },
	{ COUNTER("drover_connections_accepted", "Connections that were accepted."), TOTAL(accepted) },
	{ COUNTER("drover_connections_served", "Connections that have ended."), TOTAL(served) },
	{ COUNTER("drover_connections_lost", "Connections that ended because their worker died."), TOTAL(lost) },
	{ COUNTER("drover_connections_refused", "Clients that were refused, by reason."), .put = put_refused },
	{ COUNTER("drover_connections_untracked", "Clients that were not counted by source, for lack of room."),
	  TOTAL(untracked) },
	{ COUNTER_IN("bytes", "drover_received_bytes", "Bytes received from clients."), TOTAL(bytes_in) },
	{ COUNTER_IN("bytes", "drover_sent_bytes", "Bytes sent to clients."), TOTAL(bytes_out) },
	{ COUNTER("drover_requests", "How often bytes came from clients; for a program, 1 for each."),
	  TOTAL(requests) },
	{ COUNTER("drover_worker_deaths", "Workers that were ended by a signal, by signal."), .put = put_deaths },

	{ TIMES("drover_connection_duration_seconds", "How long connections were open, at their ends."),
	  .put = put_duration },
	{ TIMES("drover_accept_wait_seconds", "How long TCP clients waited in the accept queue."),
	  .has = has_waits, .put = put_accept_wait },
	{ TIMES("drover_filter_answer_seconds", "How long the filter took to answer requests."),
	  .has = has_filter, .put = put_answer },
	{ TIMES("drover_tls_handshake_seconds", "How long TLS handshakes took that succeeded."),
	  .has = has_tls, .put = put_handshake },

	{ GAUGE("drover_filter_processes", "Processes of the filter that serve."),
	  .has = has_filter, AT(counts.filters) },
	{ GAUGE("drover_filter_queue_length", "Requests that wait for a process of the filter."),
	  .has = has_filter, AT(counts.queued) },
	{ COUNTER("drover_filter_requests_answered", "Requests that the filter has answered."),
	  .has = has_filter, TOTAL(answered) },
	{ COUNTER("drover_filter_processes_replaced", "Processes of the filter that had to be replaced."),
	  .has = has_filter, TOTAL(replaced) },

	{ GAUGE("drover_warm_programs_waiting", "Programs that wait for a connection."),
	  .has = has_warm, AT(counts.warm) },
	{ COUNTER("drover_warm_connections_joined", "Connections that were joined to a waiting program."),
	  .has = has_warm, TOTAL(joined) },
	{ COUNTER("drover_warm_connections_cold", "Connections for which a program had to be started."),
	  .has = has_warm, TOTAL(cold) },
	{ COUNTER("drover_warm_programs_crashed", "Programs that crashed while they waited."),
	  .has = has_warm, TOTAL(crashed) },

	{ GAUGE("drover_source_entries", "Sources that have connections, if the service has limits for sources."),
	  .has = has_sources, .value = used_entries },
	{ GAUGE("drover_source_entries_max", "Sources for which there is room."),
	  .has = has_sources, .value = source_entries },
	{ GAUGE("drover_sources_blocked", "Sources that are refused because their requests crashed workers."),
	  .has = has_poison, .value = blocked_sources },

	{ GAUGE_IN("seconds", "drover_tls_certificate_not_before_timestamp_seconds",
	           "When the certificate becomes valid, since 1970."), .has = has_tls, .put = put_not_before },
	{ GAUGE_IN("seconds", "drover_tls_certificate_not_after_timestamp_seconds",
	           "When the certificate expires, since 1970."), .has = has_tls, .put = put_not_after },
};

static double value_at(const struct report_service *s, size_t at)
{
	return (double)*(const uint64_t *)(const void *)((const char *)s + at);
}

static void put_row(struct exposition *e, const struct row *row, const struct report_service *s)
{
	if (row->has && !row->has(s))
		return;
	if (row->put)
		row->put(e, s);
	else
		exposition_sample(e, LABELS(s), row->value ? row->value(s) : value_at(s, row->at));
}

void metrics_of_services(struct exposition *e, const struct report_data *d, const char *wanted)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		exposition_begin(e, &rows[i].family);
		for (size_t k = 0; k < d->n; k++)
			if (!wanted || strcmp(wanted, d->services[k].service->conf->name) == 0)
				put_row(e, &rows[i], &d->services[k]);
	}
}
