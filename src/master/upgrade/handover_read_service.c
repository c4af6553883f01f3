/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Every number is checked before it is used: one that is out of range could make the master write
 * beside a slot of the board, or signal a process that is not its own.
 */
#include <config.h>
#include "handover_read_service.h"

#include <signal.h>
#include <string.h>

#define PLACES_MAX  (1 << 20)           /* workers of a service */
#define SLOTS_MAX   (1 << 24)           /* connections of a worker */

/* ---- services ----------------------------------------------------------- */

static bool get_worker(const struct reading *r, const json_t *j, const struct handover_service *s,
                       struct handover_worker *w)
{
	const char *state_name;
	json_int_t place, born, until;
	int pid, state, retiring;

	/* Programs that had no pipe for words did not write "words". */
	w->past.leash.words = -1;
	if (!reading_unpack(r, j, "worker", "{s:I, s:i, s:i, s?i, s:s, s:b, s:I, s:I}", "place", &place,
	                    "pid", &pid, "leash", &w->past.leash.orders, "words", &w->past.leash.words,
	                    "state", &state_name, "retiring", &retiring, "born", &born, "until", &until) ||
	    !reading_get_word(r, &handover_states, state_name, &state))
		return false;
	if (pid <= 1)
		return reading_fail(r, "worker %d: no process", pid);
	if (place < 0 || (size_t)place >= s->past.n_places)
		return reading_fail(r, "worker %d: no such place", pid);
	for (const struct handover_worker *other = s->workers; other < w; other++)
		if (other->place == (size_t)place || other->past.pid == pid)
			return reading_fail(r, "worker %d: there is one already", pid);
	w->place = (size_t)place;
	w->past.pid = pid;
	w->past.state = (enum child_state)state;
	w->past.retiring = retiring;
	w->past.born_ms = born;
	w->past.until_ms = until;
	return true;
}

static bool get_workers(const struct reading *r, const json_t *list, struct handover_service *s)
{
	const json_t *item;
	size_t i;

	s->workers = reading_room(r, list, sizeof *s->workers);
	if (!s->workers)
		return false;
	json_array_foreach(list, i, item) {
		if (!get_worker(r, item, s, &s->workers[s->n_workers]))
			return false;
		s->n_workers++;
	}
	return true;
}

static bool get_pool_state(const struct reading *r, const json_t *j, struct pool_state *o)
{
	json_int_t delayed, window, delay, last, leaving = 0, limit = 0;
	int drained, failed;

	if (!reading_unpack(r, j, "orders", "{s:b, s:i, s:b, s:I, s?I, s?I, s:{s:I, s:i, s:I, s:I}}",
	                    "drained", &drained, "workers", &o->workers, "failed", &failed,
	                    "delayed", &delayed, "leaving", &leaving, "limit", &limit,
	                    "restart", "window", &window, "deaths", &o->restart.deaths, "delay", &delay, "last", &last))
		return false;
	if (o->workers < 0 || o->restart.deaths < 0 || delay < 0 || delayed < 0 || leaving < 0 ||
	    limit < 0)
		return reading_fail(r, "orders: a number is negative");
	o->drained = drained;
	o->failed = failed;
	o->delayed_ms = delayed;
	o->leaving_ms = leaving;
	o->limit = (uint64_t)limit;
	o->restart.window_ms = window;
	o->restart.delay_ms = delay;
	o->restart.last_ms = last;
	return true;
}

/* A counter that the program before did not have begins at 0. */
static bool get_counter(const struct reading *r, const json_t *j, const char *name, uint64_t *n)
{
	json_int_t said = 0;

	if (!reading_unpack(r, j, "totals", "{s?I}", name, &said))
		return false;
	*n = (uint64_t)said;
	return true;
}

/* A histogram that the program before did not have begins empty. */
static bool get_histogram(const struct reading *r, const json_t *times, const char *name,
                          struct histogram *h)
{
	const json_t *said = json_object_get(times, name);

	return !said || handover_get_histogram(said, h) ||
	       reading_fail(r, "times: %s is no histogram", name);
}

static bool get_histograms(const struct reading *r, const json_t *j, struct totals *t)
{
	const json_t *times = NULL;

	if (!reading_unpack(r, j, "totals", "{s?o}", "times", &times))
		return false;
	if (times && !json_is_object(times))
		return reading_fail(r, "times: not an object");
#define X(name) && get_histogram(r, times, #name, &t->name)
	return true BOARD_HISTOGRAMS(X);
#undef X
}

static bool get_totals(const struct reading *r, const json_t *j, struct totals *t)
{
	const json_t *deaths, *item;
	size_t i;

#define X(name) || !get_counter(r, j, #name, &t->name)
	if (!reading_unpack(r, j, "totals", "{s:o}", "deaths", &deaths) TOTALS(X) ||
	    !get_histograms(r, j, t))
		return false;
#undef X
	json_array_foreach(deaths, i, item) {
		json_int_t n;
		int signal;

		if (!reading_unpack(r, item, "deaths", "[i, I]", &signal, &n))
			return false;
		if (signal > 0 && signal < NSIG)
			t->by_signal[signal] = (uint64_t)n;
	}
	return true;
}

/* A part of shared memory. One that the program before did not have (NULL) gets no descriptor. */
static bool get_part(const struct reading *r, const json_t *j, const char *name, struct pool_memory_part *p)
{
	*p = (struct pool_memory_part){ .fd = -1 };
	return !j || reading_unpack(r, j, name, "{s:i, s:i}", "fd", &p->fd, "version", &p->version);
}

static bool get_state(const struct reading *r, const json_t *j, struct handover_state *s)
{
	const json_t *service, *sources, *tickets = NULL;
	json_int_t n_sources;

	if (!reading_unpack(r, j, "state", "{s:o, s:o, s:I, s?o}", "service", &service, "sources", &sources,
	                    "n_sources", &n_sources, "tickets", &tickets) ||
	    !reading_get_name(r, service, "service", &s->service) ||
	    !get_part(r, sources, "sources", &s->memory.sources) ||
	    !get_part(r, tickets, "tickets", &s->memory.tickets))
		return false;
	if (n_sources < SOURCES_MIN || n_sources > SOURCES_MAX)
		return reading_fail(r, "%s: the number of sources is out of range", s->service);
	s->memory.n_sources = (size_t)n_sources;
	return true;
}

bool handover_read_service_states(const struct reading *r, const json_t *list)
{
	struct handover *h = r->h;
	const json_t *item;
	size_t i;

	h->states = list ? reading_room(r, list, sizeof *h->states) : NULL;
	if (!h->states)
		return !list;
	json_array_foreach(list, i, item) {
		if (!get_state(r, item, &h->states[h->n_states]))
			return false;
		h->n_states++;
	}
	return true;
}

bool handover_read_service(const struct reading *r, const json_t *j, struct handover_service *s)
{
	const json_t *name, *handler, *orders, *totals, *board, *holds = NULL, *sockets, *workers;
	json_int_t drain, hang, places, state = (json_int_t)r->h->n_states;

	s->log_index = 0;               /* programs with one access log did not write it */
	if (!reading_unpack(r, j, "service",
	                    "{s:o, s:o, s:i, s:i, s:i, s:i, s:I, s:I, s:o, s:o,"
	                    " s:o, s?o, s?I, s?i, s:I, s:o, s:o}",
	                    "name", &name, "handler", &handler, "connections", &s->connections,
	                    "min", &s->min, "max", &s->max, "input", &s->input,
	                    "hang", &hang, "drain", &drain, "orders", &orders,
	                    "totals", &totals, "board", &board, "holds", &holds, "state_index", &state,
	                    "log_index", &s->log_index, "places", &places, "sockets", &sockets,
	                    "workers", &workers) ||
	    !reading_get_name(r, name, "service", &s->name) ||
	    !reading_get_name(r, handler, "handler", &s->handler) ||
	    !get_part(r, board, "board", &s->past.memory.board) ||
	    !get_part(r, holds, "holds", &s->past.memory.holds))
		return false;
	if (state < 0 || (size_t)state > r->h->n_states)
		return reading_fail(r, "%s: no such state", s->name);
	s->state = (size_t)state;
	if (s->connections < 1 || s->connections > SLOTS_MAX || places < 1 || places > PLACES_MAX ||
	    s->input < 0 || hang < 0 || drain < 0 || s->min < 0 || s->max < s->min)
		return reading_fail(r, "%s: a number is out of range", s->name);
	s->drain_ms = drain;
	s->hang_ms = hang;
	s->past.n_places = (size_t)places;
	return get_pool_state(r, orders, &s->past.state) && get_totals(r, totals, &s->past.totals) &&
	       reading_get_indices(r, sockets, s->name, &s->sockets, &s->n_sockets) &&
	       get_workers(r, workers, s);
}

/* ---- sources that crash workers ----------------------------------------- */

static bool get_times(const struct reading *r, const json_t *list, struct poison_source *s)
{
	const json_t *item;
	size_t i;

	if (json_array_size(list) > CONF_POISON_CRASHES_MAX)
		return reading_fail(r, "source: too many crashes");
	json_array_foreach(list, i, item)
		s->crashes_ms[s->n_crashes++] = json_integer_value(item);
	return true;
}

static bool get_source(const struct reading *r, const json_t *j, struct poison *history)
{
	struct poison_source s = { .n_crashes = 0 };
	const char *name;
	const json_t *crashes;
	json_int_t place, since, until, block, unblocked, changed;

	if (!reading_unpack(r, j, "source", "{s:I, s:s, s:o, s:I, s:I, s:i, s:I, s:I, s:I}", "place", &place,
	                    "source", &name, "crashes", &crashes, "since", &since, "until", &until,
	                    "counted", &s.counted, "block", &block, "free", &unblocked,
	                    "changed", &changed) ||
	    !get_times(r, crashes, &s))
		return false;
	s.since_ms = since;
	s.until_ms = until;
	s.block_ms = block;
	s.free_ms = unblocked;
	s.changed_ms = changed;
	if (source_id_parse(name, &s.source) != CIDR_OK || place < 0 ||
	    !poison_restore(history, (size_t)place, &s))
		return reading_fail(r, "source %.64s makes no sense", name);
	return true;
}

static bool is_another(const struct handover *h, const struct handover_poison *p)
{
	const struct handover_poison *other = h->poisons;

	while (other < p && strcmp(other->service, p->service) != 0)
		other++;
	return other == p;
}

static bool get_poison(const struct reading *r, const json_t *j, struct handover_poison *p)
{
	struct poison *history = arena_alloc(&r->h->arena, sizeof *history);
	const json_t *service, *sources, *item;
	size_t i;

	*p = (struct handover_poison){ .blocks.fd = -1, .history = history };
	if (!history)
		return reading_fail(r, "%m");
	if (!reading_unpack(r, j, "poison", "{s:o, s:{s:i, s:i}, s:o}", "service", &service, "blocks",
	                    "fd", &p->blocks.fd, "version", &p->blocks.version, "sources", &sources) ||
	    !reading_get_name(r, service, "service", &p->service))
		return false;
	if (p->blocks.fd < -1 || !is_another(r->h, p))
		return reading_fail(r, "%s: its blocks make no sense", p->service);
	json_array_foreach(sources, i, item)
		if (!get_source(r, item, history))
			return false;
	return true;
}

bool handover_read_service_poisons(const struct reading *r, const json_t *list)
{
	struct handover *h = r->h;
	const json_t *item;
	size_t i;

	if (!list)
		return true;
	h->poisons = reading_room(r, list, sizeof *h->poisons);
	if (!h->poisons)
		return false;
	json_array_foreach(list, i, item)
		if (!get_poison(r, item, &h->poisons[h->n_poisons++]))
			return false;
	return true;
}
