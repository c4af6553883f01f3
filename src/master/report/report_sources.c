/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Makes a tally of each state of a service (there are two while a reload has changed the size of its
 * table), and writes the sources of all of them that hold the most.
 */
#include <config.h>
#include "report_sources.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "json_value.h"
#include "report_data.h"
#include "report_tally.h"

/* A source and the service of which it is one: first the row, so that report_tally_compare does. */
struct found {
	struct report_tally_row     row;
	const struct service_state *state;
	const struct conf_limits   *limits;
};

struct answer {
	struct found *all;
	size_t        n;
	uint64_t      left_off;
	uint64_t      nameless, counted;        /* as in a tally */
	bool          failed;                   /* there is no memory */
};

/* ---- one state ---------------------------------------------------------- */

/* What limits its clients now: as the current generation says, if that uses the state. */
static const struct conf_limits *limits_of(const struct master *m, const struct service_state *state)
{
	static const struct conf_limits none;
	const struct conf_limits *limits = &none;
	const struct generation *g;

	list_each(&m->generations, g, struct generation, in_master)
		for (size_t i = 0; i < g->n; i++) {
			if (pool_service_state(g->services[i].pool) != state)
				continue;
			limits = &g->services[i].conf->limits;
			if (g == m->current)
				return limits;
		}
	return limits;
}

static void see_boards(struct report_tally *t, const struct master *m, const struct service_state *state)
{
	const struct generation *g;

	list_each(&m->generations, g, struct generation, in_master)
		for (size_t i = 0; i < g->n; i++) {
			const struct service *s = &g->services[i];
			const struct conf_source_prefix prefix = s->conf->limits.source_prefix;

			if (pool_service_state(s->pool) == state)
				report_tally_see(t, pool_board(s->pool), prefix.ipv4, prefix.ipv6);
		}
}

/* Keeps the first rows of t. */
static void keep(struct answer *a, const struct report_tally *t, const struct service_state *state,
                 const struct conf_limits *limits)
{
	const size_t n = t->n < REPORT_SOURCES_MAX ? t->n : REPORT_SOURCES_MAX;
	struct found *all = reallocarray(a->all, a->n + n + 1, sizeof *all);

	a->failed = a->failed || !all || t->failed;
	if (!all)
		return;
	a->all = all;
	for (size_t i = 0; i < n; i++)
		all[a->n++] = (struct found){ t->rows[i], state, limits };
	a->left_off += t->n - n;
	a->nameless += t->nameless;
	a->counted += t->counted;
}

static void look_at_state(struct answer *a, const struct master *m, const struct service_state *state)
{
	const struct conf_limits *limits = limits_of(m, state);
	struct report_tally t = { .rows = NULL };

	see_boards(&t, m, state);
	report_tally_count(&t, state->memory.sources, &limits->rate_per_source, clock_ns());
	keep(a, &t, state, limits);
	report_tally_free(&t);
}

/* ---- the answer --------------------------------------------------------- */

/* 0: it has none. One that is not counted is exempt, or came before there was a limit. */
static uint64_t limit_of(const struct found *f)
{
	return f->row.counted == 0 && f->row.open > 0 ? 0 : (uint64_t)f->limits->connections_per_source;
}

static json_t *source(const struct found *f)
{
	const uint64_t limit = limit_of(f);
	char name[SOURCE_ID_TEXT_MAX];

	return json_pack("{s:o, s:s?, s:o, s:o, s:o, s:b, s:o}",
		"service", json_value_text(f->state->service),
		"source", source_id_is_known(&f->row.source)
		          ? source_id_format(&f->row.source, name, sizeof name) : NULL,
		"connections", json_value_count(f->row.counted), "open", json_value_count(f->row.open),
		"limit", limit > 0 ? json_value_count(limit) : json_null(),
		"full", limit > 0 && f->row.counted >= limit,
		"wait", json_value_seconds((f->row.wait_ns + 999999) / 1000000));
}

static void put_answer(struct answer *a, struct answer_writer *o)
{
	json_t *list = json_array();

	if (a->n > 0)
		qsort(a->all, a->n, sizeof *a->all, report_tally_compare);
	for (size_t i = 0; i < a->n && i < REPORT_SOURCES_MAX; i++)
		json_array_append_new(list, source(&a->all[i]));
	a->left_off += a->n - json_array_size(list);
	answer_writer_result(o, json_pack("{s:o, s:o, s:{s:o, s:o}}", "sources", list,
		"left_off", json_value_count(a->left_off), "nameless",
		"sources", json_value_count(a->nameless), "connections", json_value_count(a->counted)));
}

void report_sources(void *data, const struct control_request *r, struct answer_writer *o)
{
	const struct report_data *d = data;
	const struct service_state *state;
	struct answer a = { .all = NULL };

	list_each(&d->master->states.all, state, struct service_state, in_states)
		if (!r->service || strcmp(r->service, state->service) == 0)
			look_at_state(&a, d->master, state);
	if (a.failed)
		answer_writer_answer(o, control_error_text(CONTROL_INTERNAL, "no memory"));
	else
		put_answer(&a, o);
	free(a.all);
}
