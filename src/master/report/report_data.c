/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Adds up the figures of generations, pools and workers.
 */
#include <config.h>
#include "report_data.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "clock.h"
#include "listener.h"

static void add_counts(struct report_counts *sum, const struct report_counts *more)
{
	sum->workers += more->workers;
#define X(name) sum->name += more->name;
	BOARD_GAUGES(X)
#undef X
	totals_add(&sum->totals, &more->totals);
}

static void add_worker(struct report_counts *c, const struct board_worker_view *said)
{
	c->workers++;
#define X(name) c->name += said->name;
	BOARD_GAUGES(X)
#undef X
	totals_add_counters(&c->totals, said);
}

/* Keeps its living workers. Returns their counts, and those of ended ones. */
static struct report_counts count_pool(struct report_data *d, const struct generation *g,
                                       const struct service *service)
{
	struct report_counts c = { .totals = *pool_totals(service->pool) };

	for (size_t i = 0; i < pool_places(service->pool); i++) {
		struct report_worker *w = &d->workers[d->n_workers];

		*w = (struct report_worker){ g, service, i, pool_worker(service->pool, i) };
		if (w->worker.state == BOARD_FREE)
			continue;
		d->n_workers++;
		add_worker(&c, &w->worker.said);
	}
	return c;
}

/* If it fails, reason says why. */
static const char *state_of(const struct pool *p, char reason[BOARD_REASON_TEXT])
{
	const struct children_census c = pool_census(p);

	if (!pool_works(p))
		return c.starting + c.accepting + c.draining > 0 ? "draining" : "drained";
	if (pool_is_leaving(p))
		return "leaving";
	if (pool_has_failed(p)) {
		snprintf(reason, BOARD_REASON_TEXT, "a worker could not start, or ended before it accepted");
		return "failing";
	}
	if (pool_programs_fail(p, reason))
		return "failing";
	return pool_is_exhausted(p) ? "exhausted" : "serving";
}

static void describe_service(struct report_data *d, struct report_service *s, const struct service *service)
{
	s->data = d;
	s->service = service;
	s->state = state_of(service->pool, s->reason);
	s->census = pool_census(service->pool);
	s->slots = (uint64_t)s->census.accepting * (uint64_t)service->conf->connections;
	for (size_t i = 0; i < service->n_sockets; i++)
		listener_queue(service->sockets[i]->fd, &s->queue, &s->queue_limit);
	s->has_queue = s->queue_limit > 0;
}

static uint64_t room_in(uint64_t limit, uint64_t used)
{
	return limit > used ? limit - used : 0;
}

/*
 * limits.connections also counts the clients of workers that drain. The slots of workers that stand
 * still are of no use, but the others may have as many as that limit lets them.
 */
static void count_room(struct report_service *s)
{
	const struct conf_limits *limits = &s->service->conf->limits;
	uint64_t most, room;

	s->limit = pool_limit(s->service->pool);
	most = s->slots > s->limit ? s->slots : s->limit;
	room = room_in(most, s->open + s->lame);
	s->free = room_in(s->limit, s->open);
	if (s->free > room)
		s->free = room;
	if (limits->connections == 0 || limits->dry_run)
		return;
	room = room_in((uint64_t)limits->connections, s->counts.open);
	if (s->free > room)
		s->free = room;
}

/* Clients wait for the workers that hang, or for those that will replace them. */
static void judge_still(struct report_service *s)
{
	const bool would_serve = strcmp(s->state, "serving") == 0 || strcmp(s->state, "exhausted") == 0;

	s->stands_still = s->still > 0 && s->still >= (uint64_t)s->census.accepting;
	if (!s->stands_still || !would_serve)
		return;
	s->state = "failing";
	strcpy(s->reason, "its workers stand still");
}

static struct report_service *find_service(struct report_data *d, const char *name)
{
	for (size_t i = 0; i < d->n; i++)
		if (strcmp(d->services[i].service->conf->name, name) == 0)
			return &d->services[i];
	return NULL;
}

/* Without those of workers that drain: no other client can get their slots. */
static uint64_t open_of_accepting(const struct report_worker *w, const struct report_worker *end)
{
	uint64_t sum = 0;

	for (; w < end; w++)
		if (w->worker.state == BOARD_ACCEPTING)
			sum += w->worker.said.open;
	return sum;
}

static void count_still(struct report_service *s, const struct report_worker *w,
                        const struct report_worker *end)
{
	const uint64_t slots = (uint64_t)s->service->conf->connections;

	for (; w < end; w++)
		if (w->worker.still) {
			s->still++;
			s->lame += room_in(slots, w->worker.said.open);
		}
}

static void add_service_of(struct report_data *d, const struct generation *g, const struct service *service)
{
	struct report_service *s = find_service(d, service->conf->name);
	const size_t first = d->n_workers;
	const struct report_counts counts = count_pool(d, g, service);

	add_counts(&d->counts, &counts);
	if (!s)
		return;
	add_counts(&s->counts, &counts);
	if (g == d->master->current) {
		s->open = open_of_accepting(d->workers + first, d->workers + d->n_workers);
		count_still(s, d->workers + first, d->workers + d->n_workers);
	} else {
		const struct children_census c = pool_census(service->pool);

		s->census.draining += c.draining;
		s->census.starting += c.starting + c.accepting; /* a reload is on its way */
	}
}

static const char *phase_of(const struct master *m)
{
	return lifecycle_is_leaving(m->phase) ? "leaving" :
	       lifecycle_is_stopping(m->phase) ? "stopping" :
	       m->suspended && m->phase == PHASE_SERVING ? "resting" : lifecycle_phase_name(m->phase);
}

static size_t count_places(const struct master *m)
{
	const struct generation *g;
	size_t n = 0;

	list_each(&m->generations, g, struct generation, in_master)
		for (size_t i = 0; i < g->n; i++)
			n += pool_places(g->services[i].pool);
	return n;
}

int64_t report_ago_ms(const struct report_data *d, int64_t ms)
{
	return d->now_ms > ms ? d->now_ms - ms : 0;
}

/* Room for all places, and for one more that is looked at. */
static struct report_data *new_data(const struct master *m)
{
	struct report_data *d = calloc(1, sizeof *d + m->current->n * sizeof d->services[0]);

	if (d)
		d->workers = calloc(count_places(m) + 1, sizeof d->workers[0]);
	if (!d || !d->workers)
		_exit(EX_OSERR);
	return d;
}

void *report_gather(void *arg)
{
	const struct master *m = arg;
	const struct generation *current = m->current, *g;
	struct report_data *d = new_data(m);

	d->master = m;
	d->phase = phase_of(m);
	d->now_ms = clock_ms();
	clock_gettime(CLOCK_REALTIME, &d->now);
	d->n = current->n;
	for (size_t i = 0; i < d->n; i++)
		describe_service(d, &d->services[i], &current->services[i]);
	totals_add(&d->counts.totals, &m->gone);
	list_each(&m->generations, g, struct generation, in_master)
		for (size_t i = 0; i < g->n; i++)
			add_service_of(d, g, &g->services[i]);
	for (size_t i = 0; i < d->n; i++) {
		count_room(&d->services[i]);
		judge_still(&d->services[i]);
	}
	return d;
}
