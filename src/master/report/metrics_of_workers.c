/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A row for each family: its name, what it means, and where its value is in struct report_worker.
 */
#include <config.h>
#include "metrics_of_workers.h"

#include <string.h>

#include "clock.h"
#include "text.h"

#define NUMBER_ROOM 24                  /* for a slot as the value of a label */

/* ---- values ------------------------------------------------------------- */

/* By the wall clock as it was at the start of the server: the same in each report. */
static double started(const struct report_data *d, const struct report_worker *w)
{
	const struct master *m = d->master;
	const struct timespec t = clock_before(&m->started, m->started_ms - w->worker.born_ms);

	return clock_seconds(&t);
}

static bool has_turned(const struct report_worker *w)
{
	return w->worker.said.turn_ms != 0;
}

static double since_turn(const struct report_data *d, const struct report_worker *w)
{
	return (double)report_ago_ms(d, w->worker.said.turn_ms) / 1000;
}

static double slots(const struct report_data *d, const struct report_worker *w)
{
	(void)d;
	return w->service->conf->connections;
}

static double open_connections(const struct report_data *d, const struct report_worker *w)
{
	(void)d;
	return w->worker.said.open;
}

static double refused(const struct report_data *d, const struct report_worker *w)
{
	uint64_t sum = 0;

	(void)d;
#define X(NAME, name, how, words) sum += w->worker.said.refused_##name;
	REFUSALS(X)
#undef X
	return (double)sum;
}

/* ---- the families ------------------------------------------------------- */

struct row {
	struct exposition_family family;
	bool   (*has)(const struct report_worker *w);   /* NULL: every worker has it */
	size_t   at;                    /* of a uint64_t in struct report_worker, if there is no function */
	double (*value)(const struct report_data *d, const struct report_worker *w);
};

#define GAUGE(name, help)          .family = { name, EXPOSITION_GAUGE, NULL, help }
#define GAUGE_IN(unit, name, help) .family = { name, EXPOSITION_GAUGE, unit, help }
#define SAID(name)                 .at = offsetof(struct report_worker, worker.said.name)
#define ITS_LIFE                   ", by the worker that is in the slot now."

static const struct exposition_family state =
	{ "drover_worker_state", EXPOSITION_GAUGE, NULL, "1 for what the worker in the slot is doing." };

static const struct row rows[] = {
	{ GAUGE_IN("seconds", "drover_worker_start_time_seconds",
	           "When the worker was started, since 1970."), .value = started },
	{ GAUGE_IN("seconds", "drover_worker_last_turn_age_seconds",
	           "How long ago the event loop of the worker last turned."),
	  .has = has_turned, .value = since_turn },
	{ GAUGE("drover_worker_slots", "Connections that the worker can have open."), .value = slots },
	{ GAUGE("drover_worker_connections_open", "Connections that the worker has open."),
	  .value = open_connections },
	{ GAUGE("drover_worker_connections_accepted", "Connections accepted" ITS_LIFE), SAID(accepted) },
	{ GAUGE("drover_worker_connections_served", "Connections ended" ITS_LIFE), SAID(served) },
	{ GAUGE("drover_worker_connections_refused", "Clients refused for any reason" ITS_LIFE),
	  .value = refused },
	{ GAUGE("drover_worker_connections_untracked", "Clients not counted by source" ITS_LIFE),
	  SAID(untracked) },
	{ GAUGE_IN("bytes", "drover_worker_received_bytes", "Bytes received" ITS_LIFE), SAID(bytes_in) },
	{ GAUGE_IN("bytes", "drover_worker_sent_bytes", "Bytes sent" ITS_LIFE), SAID(bytes_out) },
	{ GAUGE("drover_worker_requests", "How often bytes came from clients" ITS_LIFE), SAID(requests) },
};

/* ---- samples ------------------------------------------------------------ */

static bool is_shown(const struct report_data *d, const struct report_worker *w, const char *wanted)
{
	return w->generation == d->master->current &&
	       (!wanted || strcmp(wanted, w->service->conf->name) == 0);
}

static double value_of(const struct report_data *d, const struct report_worker *w, const struct row *row)
{
	if (row->value)
		return row->value(d, w);
	return (double)*(const uint64_t *)(const void *)((const char *)w + row->at);
}

/* Of one worker: row is NULL for its state. */
static void put(struct exposition *e, const struct report_data *d, const struct report_worker *w,
                const struct row *row)
{
	static const char *const states[] = { "starting", "accepting", "draining" };
	char slot[NUMBER_ROOM];
	struct text t = text_in(slot, sizeof slot);
	const struct exposition_label *labels = EXPOSITION_LABELS(
		{ "service", w->service->conf->name }, { "worker", slot });

	text_add_number(&t, w->place);
	if (!row)
		exposition_one_hot(e, labels, "state", states, sizeof states / sizeof states[0],
		                   board_state_name(w->worker.state));
	else if (!row->has || row->has(w))
		exposition_sample(e, labels, value_of(d, w, row));
}

static void put_family(struct exposition *e, const struct report_data *d, const char *wanted,
                       const struct exposition_family *family, const struct row *row)
{
	exposition_begin(e, family);
	for (size_t i = 0; i < d->n_workers; i++)
		if (is_shown(d, &d->workers[i], wanted))
			put(e, d, &d->workers[i], row);
}

void metrics_of_workers(struct exposition *e, const struct report_data *d, const char *wanted)
{
	put_family(e, d, wanted, &state, NULL);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		put_family(e, d, wanted, &rows[i].family, &rows[i]);
}
