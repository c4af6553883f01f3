/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads a hand-over: JSON in a memfd. Each value is checked before it is used. Keys that are not
 * known are ignored.
 */
#include <config.h>
#include "handover.h"

#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "handover_words.h"
#include "secret.h"

#define SIZE_LIMIT  (16 << 20)          /* bytes of it */
#define PLACES_MAX  (1 << 20)           /* workers of a service */
#define SLOTS_MAX   (1 << 24)           /* connections of a worker */
#define SCALE_MAX   (1 << 20)           /* workers more or fewer that were ordered */

struct reading {
	struct handover *h;
	char            *why;
	size_t           size;
};

static bool fail_reading(const struct reading *r, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static bool fail_reading(const struct reading *r, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(r->why, r->size, format, ap);
	va_end(ap);
	return false;
}

/* json_unpack(3) with the keys that are wanted; object names j in errors. */
static bool unpack(const struct reading *r, const json_t *j, const char *object, const char *format, ...)
{
	json_error_t e;
	va_list ap;
	int result;

	va_start(ap, format);
	result = json_vunpack_ex((json_t *)(uintptr_t)j, &e, 0, format, ap);    /* only reads it */
	va_end(ap);
	return result == 0 || fail_reading(r, "%s: %s", object, e.text);
}

static bool get(const struct reading *r, const json_t *j, const char *object, const char **bytes)
{
	return handover_get_bytes(&r->h->arena, j, bytes) ||
	       fail_reading(r, "%s: not a string of bytes", object);
}

/* As get, but null and the empty string are errors. */
static bool get_name(const struct reading *r, const json_t *j, const char *object, const char **name)
{
	return get(r, j, object, name) && ((*name && **name) || fail_reading(r, "%s: no name", object));
}

static bool get_word(const struct reading *r, const struct handover_words *w, const char *name,
                     int *value)
{
	*value = handover_word(w, name);
	return *value != -1 || fail_reading(r, "\"%s\" is not known", name);
}

/* Room for as many items of that size as the list has; NULL with the reason in why. */
static void *room(const struct reading *r, const json_t *list, size_t size)
{
	void *items = NULL;

	if (!json_is_array(list))
		fail_reading(r, "a list is missing");
	else if (!(items = arena_alloc(&r->h->arena, (json_array_size(list) + 1) * size)))
		fail_reading(r, "%m");
	return items;
}

static bool get_strings(const struct reading *r, const json_t *list, const char ***strings, size_t *n)
{
	const json_t *item;
	size_t i;

	*strings = room(r, list, sizeof **strings);
	if (!*strings)
		return false;
	json_array_foreach(list, i, item)
		if (!get_name(r, item, "message", &(*strings)[(*n)++]))
			return false;
	return true;
}

static bool get_file(const struct reading *r, const json_t *j, struct listener_file *f)
{
	json_int_t dev, ino;

	if (!unpack(r, j, "file", "{s:I, s:I}", "dev", &dev, "ino", &ino))
		return false;
	*f = (struct listener_file){ .dev = (dev_t)dev, .ino = (ino_t)ino };
	return true;
}

/* ---- sockets ------------------------------------------------------------ */

static bool fits(enum listen_kind kind, const struct address *key)
{
	const sa_family_t family = key->u.sa.sa_family;

	switch (kind) {
	case LISTEN_INET:
		return (family == AF_INET && key->len == sizeof key->u.in) ||
		       (family == AF_INET6 && key->len == sizeof key->u.in6);
	case LISTEN_UNIX:
		return family == AF_UNIX && key->len > sizeof family;
	case LISTEN_SYSTEMD:
		return key->len == 0;
	}
	return false;
}

static bool get_socket(const struct reading *r, const json_t *j, struct handover_socket *s)
{
	const json_t *key, *service, *device, *name, *file;
	const char *kind_name;
	json_int_t position;
	int kind, announced;

	if (!unpack(r, j, "socket", "{s:i, s:s, s:o, s:o, s:o, s:o, s:I, s:o, s:b}", "fd", &s->fd,
	            "kind", &kind_name, "key", &key, "service", &service, "device", &device,
	            "name", &name, "position", &position, "file", &file, "announced", &announced) ||
	    !get_word(r, &handover_kinds, kind_name, &kind) ||
	    !get(r, service, "service", &s->service) || !get(r, device, "device", &s->device) ||
	    !get(r, name, "name", &s->name) || !get_file(r, file, &s->file))
		return false;
	s->kind = (enum listen_kind)kind;
	s->position = (size_t)position;
	s->announced = announced;
	if (!s->service || (s->kind == LISTEN_SYSTEMD) != (s->name != NULL))
		return fail_reading(r, "a socket without its name");
	if (!handover_get_address(key, &s->key) || !fits(s->kind, &s->key))
		return fail_reading(r, "a socket without its address");
	return true;
}

static bool get_sockets(const struct reading *r, const json_t *list)
{
	struct handover *h = r->h;
	const json_t *item;
	size_t i;

	h->sockets = room(r, list, sizeof *h->sockets);
	if (!h->sockets)
		return false;
	json_array_foreach(list, i, item)
		if (!get_socket(r, item, &h->sockets[h->n_sockets++]))
			return false;
	return true;
}

/* ---- services ----------------------------------------------------------- */

static bool get_worker(const struct reading *r, const json_t *j, const struct handover_service *s,
                       struct handover_worker *w)
{
	const char *state_name;
	json_int_t place, born, until;
	int pid, state, retiring;

	/* Programs that had no pipe for words did not write "words". */
	w->past.leash.words = -1;
	if (!unpack(r, j, "worker", "{s:I, s:i, s:i, s?i, s:s, s:b, s:I, s:I}", "place", &place,
	            "pid", &pid, "leash", &w->past.leash.orders, "words", &w->past.leash.words, "state", &state_name,
	            "retiring", &retiring, "born", &born, "until", &until) ||
	    !get_word(r, &handover_states, state_name, &state))
		return false;
	if (pid <= 1)
		return fail_reading(r, "worker %d: no process", pid);
	if (place < 0 || (size_t)place >= s->past.n_places)
		return fail_reading(r, "worker %d: no such place", pid);
	for (const struct handover_worker *other = s->workers; other < w; other++)
		if (other->place == (size_t)place || other->past.pid == pid)
			return fail_reading(r, "worker %d: there is one already", pid);
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

	s->workers = room(r, list, sizeof *s->workers);
	if (!s->workers)
		return false;
	json_array_foreach(list, i, item) {
		if (!get_worker(r, item, s, &s->workers[s->n_workers]))
			return false;
		s->n_workers++;
	}
	return true;
}

static bool get_indices(const struct reading *r, const json_t *list, struct handover_service *s)
{
	const json_t *item;
	size_t i;

	s->sockets = room(r, list, sizeof *s->sockets);
	if (!s->sockets)
		return false;
	if (json_array_size(list) > CONF_LISTEN_MAX)
		return fail_reading(r, "%s: too many sockets", s->name);
	json_array_foreach(list, i, item) {
		const json_int_t index = json_is_integer(item) ? json_integer_value(item) : -1;

		if (index < 0 || (size_t)index >= r->h->n_sockets)
			return fail_reading(r, "%s: no such socket", s->name);
		s->sockets[s->n_sockets++] = (size_t)index;
	}
	return true;
}

static bool get_pool_state(const struct reading *r, const json_t *j, struct pool_state *o)
{
	json_int_t delayed, window, delay, last;
	int drained, failed;

	if (!unpack(r, j, "orders", "{s:b, s:i, s:b, s:I, s:{s:I, s:i, s:I, s:I}}",
	            "drained", &drained, "workers", &o->workers, "failed", &failed,
	            "delayed", &delayed, "restart", "window", &window,
	            "deaths", &o->restart.deaths, "delay", &delay, "last", &last))
		return false;
	if (o->workers < 0 || o->restart.deaths < 0 || delay < 0 || delayed < 0)
		return fail_reading(r, "orders: a number is negative");
	o->drained = drained;
	o->failed = failed;
	o->delayed_ms = delayed;
	o->restart.window_ms = window;
	o->restart.delay_ms = delay;
	o->restart.last_ms = last;
	return true;
}

/* A counter that the program before did not have begins at 0. */
static bool get_counter(const struct reading *r, const json_t *j, const char *name, uint64_t *n)
{
	json_int_t said = 0;

	if (!unpack(r, j, "totals", "{s?I}", name, &said))
		return false;
	*n = (uint64_t)said;
	return true;
}

static bool get_totals(const struct reading *r, const json_t *j, struct totals *t)
{
	const json_t *deaths, *item;
	size_t i;

#define X(name) || !get_counter(r, j, #name, &t->name)
	if (!unpack(r, j, "totals", "{s:o}", "deaths", &deaths) TOTALS(X))
		return false;
#undef X
	json_array_foreach(deaths, i, item) {
		json_int_t n;
		int signal;

		if (!unpack(r, item, "deaths", "[i, I]", &signal, &n))
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
	return !j || unpack(r, j, name, "{s:i, s:i}", "fd", &p->fd, "version", &p->version);
}

static bool get_state(const struct reading *r, const json_t *j, struct handover_state *s)
{
	const json_t *service, *sources, *tickets = NULL;
	json_int_t n_sources;

	if (!unpack(r, j, "state", "{s:o, s:o, s:I, s?o}", "service", &service, "sources", &sources,
	            "n_sources", &n_sources, "tickets", &tickets) ||
	    !get_name(r, service, "service", &s->service) ||
	    !get_part(r, sources, "sources", &s->memory.sources) ||
	    !get_part(r, tickets, "tickets", &s->memory.tickets))
		return false;
	if (n_sources < SOURCES_MIN || n_sources > SOURCES_MAX)
		return fail_reading(r, "%s: the number of sources is out of range", s->service);
	s->memory.n_sources = (size_t)n_sources;
	return true;
}

static bool get_states(const struct reading *r, const json_t *list)
{
	struct handover *h = r->h;
	const json_t *item;
	size_t i;

	h->states = list ? room(r, list, sizeof *h->states) : NULL;
	if (!h->states)
		return !list;
	json_array_foreach(list, i, item) {
		if (!get_state(r, item, &h->states[h->n_states]))
			return false;
		h->n_states++;
	}
	return true;
}

static bool get_service(const struct reading *r, const json_t *j, struct handover_service *s)
{
	const json_t *name, *handler, *orders, *totals, *board, *holds = NULL, *sockets, *workers;
	json_int_t drain, hang, places, state = (json_int_t)r->h->n_states;

	s->log_index = 0;               /* programs with one access log did not write it */
	if (!unpack(r, j, "service",
	            "{s:o, s:o, s:i, s:i, s:i, s:i, s:I, s:I, s:o, s:o, s:o, s?o, s?I, s?i, s:I, s:o, s:o}",
	            "name", &name, "handler", &handler, "connections", &s->connections,
	            "min", &s->min, "max", &s->max, "input", &s->input,
	            "hang", &hang, "drain", &drain, "orders", &orders,
	            "totals", &totals, "board", &board, "holds", &holds, "state_index", &state,
	            "log_index", &s->log_index, "places", &places, "sockets", &sockets,
	            "workers", &workers) ||
	    !get_name(r, name, "service", &s->name) || !get_name(r, handler, "handler", &s->handler) ||
	    !get_part(r, board, "board", &s->past.memory.board) ||
	    !get_part(r, holds, "holds", &s->past.memory.holds))
		return false;
	if (state < 0 || (size_t)state > r->h->n_states)
		return fail_reading(r, "%s: no such state", s->name);
	s->state = (size_t)state;
	if (s->connections < 1 || s->connections > SLOTS_MAX || places < 1 || places > PLACES_MAX ||
	    s->input < 0 || hang < 0 || drain < 0 || s->min < 0 || s->max < s->min)
		return fail_reading(r, "%s: a number is out of range", s->name);
	s->drain_ms = drain;
	s->hang_ms = hang;
	s->past.n_places = (size_t)places;
	return get_pool_state(r, orders, &s->past.state) && get_totals(r, totals, &s->past.totals) &&
	       get_indices(r, sockets, s) && get_workers(r, workers, s);
}

/* ---- sources that crash workers ----------------------------------------- */

static bool get_times(const struct reading *r, const json_t *list, struct poison_source *s)
{
	const json_t *item;
	size_t i;

	if (json_array_size(list) > CONF_POISON_CRASHES_MAX)
		return fail_reading(r, "source: too many crashes");
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

	if (!unpack(r, j, "source", "{s:I, s:s, s:o, s:I, s:I, s:i, s:I, s:I, s:I}", "place", &place,
	            "source", &name, "crashes", &crashes, "since", &since, "until", &until,
	            "counted", &s.counted, "block", &block, "free", &unblocked, "changed", &changed) ||
	    !get_times(r, crashes, &s))
		return false;
	s.since_ms = since;
	s.until_ms = until;
	s.block_ms = block;
	s.free_ms = unblocked;
	s.changed_ms = changed;
	if (source_id_parse(name, &s.source) != CIDR_OK || place < 0 ||
	    !poison_restore(history, (size_t)place, &s))
		return fail_reading(r, "source %.64s makes no sense", name);
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
		return fail_reading(r, "%m");
	if (!unpack(r, j, "poison", "{s:o, s:{s:i, s:i}, s:o}", "service", &service, "blocks",
	            "fd", &p->blocks.fd, "version", &p->blocks.version, "sources", &sources) ||
	    !get_name(r, service, "service", &p->service))
		return false;
	if (p->blocks.fd < -1 || !is_another(r->h, p))
		return fail_reading(r, "%s: its blocks make no sense", p->service);
	json_array_foreach(sources, i, item)
		if (!get_source(r, item, history))
			return false;
	return true;
}

/* Earlier programs did not write it. */
static bool get_poisons(const struct reading *r, const json_t *list)
{
	struct handover *h = r->h;
	const json_t *item;
	size_t i;

	if (!list)
		return true;
	h->poisons = room(r, list, sizeof *h->poisons);
	if (!h->poisons)
		return false;
	json_array_foreach(list, i, item)
		if (!get_poison(r, item, &h->poisons[h->n_poisons++]))
			return false;
	return true;
}

/* ---- generations -------------------------------------------------------- */

static bool get_log(const struct reading *r, const json_t *j, struct conf_log *l)
{
	const char *target_name, *format_name, *level_name;
	const json_t *path;
	int target, format, level;

	if (!unpack(r, j, "log", "{s:s, s:s, s:s, s:o}", "target", &target_name,
	            "format", &format_name, "level", &level_name, "path", &path) ||
	    !get_word(r, &handover_targets, target_name, &target) ||
	    !get_word(r, &handover_formats, format_name, &format) ||
	    !get_word(r, &handover_levels, level_name, &level) || !get(r, path, "path", &l->path))
		return false;
	if ((target == LOG_TARGET_FILE) != (l->path != NULL))
		return fail_reading(r, "a log without its file");
	l->target = (enum log_target)target;
	l->format = (enum log_format)format;
	l->level = (enum log_level)level;
	return true;
}

static bool get_services(const struct reading *r, const json_t *list, struct handover_generation *g)
{
	const json_t *item;
	size_t i;

	g->services = room(r, list, sizeof *g->services);
	if (!g->services)
		return false;
	json_array_foreach(list, i, item)
		if (!get_service(r, item, &g->services[g->n_services++]))
			return false;
	return true;
}

static bool get_inputs(const struct reading *r, const json_t *list, struct log_process_past *p)
{
	struct log_input *inputs = room(r, list, sizeof *inputs);
	const json_t *item;
	size_t i;

	if (!inputs)
		return false;
	p->inputs = inputs;             /* those read so far count, even if the next one is refused */
	json_array_foreach(list, i, item) {
		const char *name;
		json_int_t index = 0;
		int to;

		if (!unpack(r, item, "input", "{s:s, s?I, s:i}", "to", &name, "log_index", &index,
		            "fd", &inputs[i].fd) ||
		    !get_word(r, &handover_pipes, name, &to))
			return false;
		inputs[i].to = (enum log_pipe)to;
		inputs[i].access_log = (size_t)index;
		p->n_inputs++;
	}
	return true;
}

/* Programs whose workers had the files themselves did not write it. */
static bool get_log_process(const struct reading *r, const json_t *j, struct log_process_past *p)
{
	const json_t *inputs;
	int pid;

	*p = (struct log_process_past){ .leash = { -1, -1 } };
	if (!j || json_is_null(j))
		return true;
	if (!unpack(r, j, "log process", "{s:i, s:i, s:i, s:o}", "pid", &pid, "leash", &p->leash.orders,
	            "answers", &p->leash.words, "inputs", &inputs))
		return false;
	if (pid < 0 || pid == 1 || (pid == 0) != (p->leash.orders == -1) ||
	    (pid == 0) != (p->leash.words == -1))
		return fail_reading(r, "log process %d: no process", pid);
	p->pid = pid;
	return get_inputs(r, inputs, p);
}

/* Programs without TLS did not write it. */
static bool get_key_process(const struct reading *r, const json_t *j, struct key_holder_past *p)
{
	int pid;

	*p = (struct key_holder_past){ .leash = { -1, -1 } };
	if (!j || json_is_null(j))
		return true;
	if (!unpack(r, j, "key process", "{s:i, s:i, s:i}", "pid", &pid, "leash", &p->leash.orders,
	            "answers", &p->leash.words))
		return false;
	if (pid <= 1)
		return fail_reading(r, "key process %d: no process", pid);
	p->pid = pid;
	return true;
}

/* Programs with one access log did not write it. */
static bool get_service_logs(const struct reading *r, const json_t *list, struct handover_generation *g)
{
	const json_t *item;
	size_t i;

	if (!list)
		return true;
	g->service_logs = room(r, list, sizeof *g->service_logs);
	if (!g->service_logs)
		return false;
	json_array_foreach(list, i, item)
		if (!get_log(r, item, &g->service_logs[g->n_service_logs++]))
			return false;
	return true;
}

/* What is written to them must lead to one of them. */
static bool check_log_indices(const struct reading *r, const struct handover_generation *g)
{
	for (size_t i = 0; i < g->n_services; i++)
		if (g->services[i].log_index < -1 || g->services[i].log_index > (int)g->n_service_logs)
			return fail_reading(r, "%s: no such access log", g->services[i].name);
	for (size_t i = 0; i < g->log_process.n_inputs; i++)
		if (g->log_process.inputs[i].access_log > g->n_service_logs)
			return fail_reading(r, "log process: no such access log");
	return true;
}

static bool get_generation(const struct reading *r, const json_t *j, struct handover_generation *g)
{
	const json_t *log, *access_log, *services, *state_dir;
	const json_t *service_logs = NULL, *log_process = NULL, *key_process = NULL;
	json_int_t number, shutdown;
	int serves;

	if (!unpack(r, j, "generation", "{s:I, s:b, s:I, s:o, s:o, s:o, s?o, s?o, s?o, s:o}",
	            "number", &number, "serves", &serves, "shutdown", &shutdown, "state_dir", &state_dir,
	            "log", &log, "access_log", &access_log, "service_logs", &service_logs,
	            "log_process", &log_process,
	            "key_process", &key_process, "services", &services) ||
	    !get_name(r, state_dir, "state_dir", &g->state_dir) ||
	    !get_log(r, log, &g->log) || !get_log(r, access_log, &g->access_log) ||
	    !get_service_logs(r, service_logs, g) ||
	    !get_log_process(r, log_process, &g->log_process) ||
	    !get_key_process(r, key_process, &g->key_process))
		return false;
	if (number < 1 || number > r->h->n_numbers || shutdown < 0)
		return fail_reading(r, "generation: a number is out of range");
	g->number = (unsigned int)number;
	g->serves = serves;
	g->shutdown_ms = shutdown;
	return get_services(r, services, g) && check_log_indices(r, g);
}

static bool get_generations(const struct reading *r, const json_t *list)
{
	struct handover *h = r->h;
	const json_t *item;
	size_t i, n_serving = 0;

	h->generations = room(r, list, sizeof *h->generations);
	if (!h->generations)
		return false;
	json_array_foreach(list, i, item) {
		struct handover_generation *g = &h->generations[h->n_generations++];

		if (!get_generation(r, item, g))
			return false;
		n_serving += g->serves;
	}
	return n_serving == 1 || fail_reading(r, "%zu generations serve", n_serving);
}

/* ---- all of it ---------------------------------------------------------- */

static bool get_major(const struct reading *r, const json_t *root)
{
	int major;

	return unpack(r, root, "hand-over", "{s:i}", "major", &major) &&
	       (major == HANDOVER_MAJOR ||
	        fail_reading(r, "it is written in version %d, and this program knows %d", major,
	                     HANDOVER_MAJOR));
}

static bool get_all(const struct reading *r, const json_t *root)
{
	struct handover *h = r->h;
	const json_t *version, *program, *text, *pid_file, *file, *notices, *events, *sockets, *generations,
	             *states = NULL, *poisons = NULL;
	int pid, suspended, reload_again, upgrade_again, scale = 0;
	json_int_t numbers, started, soft = 0, hard = 0;

	/* Earlier programs lack "nofile", which came when the master raised its own, and "pending_scale". */
	if (!unpack(r, root, "hand-over",
	            "{s:i, s:o, s:o, s:o, s:o, s:I, s:I, s?{s:I, s:I}, s:b, s:b, s:b, s?i, s:{s:i, s:o}, s:i,"
	            " s:o, s:o, s:o, s?o, s?o, s:o}", "pid", &pid, "version", &version, "program", &program,
	            "text", &text, "pid_file", &pid_file, "numbers", &numbers, "started", &started,
	            "nofile", "soft", &soft, "hard", &hard, "resting", &suspended, "reload_again",
	            &reload_again, "upgrade_again", &upgrade_again, "pending_scale", &scale,
	            "control", "fd", &h->control, "file", &file,
	            "client", &h->client, "notices", &notices, "events", &events,
	            "sockets", &sockets, "states", &states, "poison", &poisons,
	            "generations", &generations) ||
	    !get_name(r, version, "version", &h->version) || !get(r, program, "program", &h->program) ||
	    !get_name(r, text, "text", &h->text) || !get(r, pid_file, "pid_file", &h->pid_file) ||
	    !get_file(r, file, &h->control_file))
		return false;
	if (numbers < 1 || numbers > UINT_MAX || h->control < -1 || h->client < -1 ||
	    scale < -SCALE_MAX || scale > SCALE_MAX)
		return fail_reading(r, "hand-over: a number is out of range");
	h->pid = pid;
	h->n_numbers = (unsigned int)numbers;
	h->started_ms = started;
	h->nofile = (struct rlimit){ (rlim_t)soft, (rlim_t)hard };
	h->suspended = suspended;
	h->reload_again = reload_again;
	h->upgrade_again = upgrade_again;
	h->pending_scale = scale;
	return get_strings(r, notices, &h->notices, &h->n_notices) &&
	       get_strings(r, events, &h->events, &h->n_events) &&
	       get_sockets(r, sockets) && get_states(r, states) && get_poisons(r, poisons) &&
	       get_generations(r, generations);
}

/* All bytes of fd, which the caller frees by secret_free; NULL with errno. */
static char *load_json(int fd, size_t *len)
{
	struct stat st;
	char *text;
	ssize_t n;

	if (fstat(fd, &st) == -1)
		return NULL;
	if (!S_ISREG(st.st_mode) || st.st_size > SIZE_LIMIT) {
		errno = EINVAL;
		return NULL;
	}
	text = malloc((size_t)st.st_size + 1);
	n = text ? pread(fd, text, (size_t)st.st_size, 0) : -1;
	if (n == -1) {
		secret_free(text);
		return NULL;
	}
	*len = (size_t)n;
	return text;
}

bool handover_read(struct handover *h, int fd, char *why, size_t size)
{
	const struct reading r = { .h = h, .why = why, .size = size };
	json_error_t e;
	size_t len;
	char *text = load_json(fd, &len);
	json_t *root;
	bool result;

	handover_words_wipe();
	root = text ? json_loadb(text, len, JSON_REJECT_DUPLICATES, &e) : NULL;
	if (root)
		result = get_major(&r, root) && get_all(&r, root);
	else
		result = text ? fail_reading(&r, "%s", e.text) : fail_reading(&r, "%m");
	json_decref(root);
	secret_free(text);
	return result;
}
