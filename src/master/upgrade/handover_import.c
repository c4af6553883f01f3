/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Makes generations from a hand-over. Their configuration is a sketch: enough to show them, to let
 * their workers drain, and to free them.
 */
#include <config.h>
#include "handover_import.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "conf_keys.h"
#include "fd.h"
#include "log.h"

struct taking {
	struct master         *m;
	const struct handover *h;
	struct listening     **sockets;         /* by index */
	struct service_state **states;          /* by index */
	size_t                 n_poisons;       /* that are taken, and have us as a user */
	struct copy           *copies;          /* of the descriptors of memory */
	size_t                 n_copies;
};

/* ---- memory ------------------------------------------------------------- */

/* Who takes memory may close its descriptor. The program before needs it under its number if we fail. */
struct copy {
	int number, fd;
};

static bool copy(struct taking *t, int number)
{
	struct copy *c = &t->copies[t->n_copies];

	if (number == -1)
		return true;
	*c = (struct copy){ number, fcntl(number, F_DUPFD_CLOEXEC, 0) };
	t->n_copies += c->fd != -1;
	return c->fd != -1;
}

static bool copy_services(struct taking *t, const struct handover_generation *g)
{
	for (size_t i = 0; i < g->n_services; i++) {
		const struct pool_memory_past *memory = &g->services[i].past.memory;

		if (!copy(t, memory->board.fd) || !copy(t, memory->holds.fd))
			return false;
	}
	return true;
}

static bool copy_memory(struct taking *t)
{
	const struct handover *h = t->h;
	size_t n = 2 * h->n_states + h->n_poisons;

	for (size_t i = 0; i < h->n_generations; i++)
		n += 2 * h->generations[i].n_services;
	t->copies = calloc(n + 1, sizeof *t->copies);
	if (!t->copies)
		return false;
	for (size_t i = 0; i < h->n_states; i++)
		if (!copy(t, h->states[i].memory.sources.fd) || !copy(t, h->states[i].memory.tickets.fd))
			return false;
	for (size_t i = 0; i < h->n_poisons; i++)
		if (!copy(t, h->poisons[i].blocks.fd))
			return false;
	for (size_t i = 0; i < h->n_generations; i++)
		if (!copy_services(t, &h->generations[i]))
			return false;
	return true;
}

static void end_copies(struct taking *t, bool give_back)
{
	for (size_t i = 0; i < t->n_copies; i++) {
		if (give_back)
			dup3(t->copies[i].fd, t->copies[i].number, O_CLOEXEC);
		close(t->copies[i].fd);
	}
	free(t->copies);
}

/* ---- sockets ------------------------------------------------------------ */

static bool take_sockets(struct taking *t)
{
	const struct handover *h = t->h;

	for (size_t i = 0; i < h->n_sockets; i++) {
		const struct handover_socket *s = &h->sockets[i];
		const struct listening like = {
			.fd = s->fd, .kind = s->kind, .key = s->key, .position = s->position,
			/* Copied, not changed: the members are not const for their owner. */
			.service = (char *)(uintptr_t)s->service, .device = (char *)(uintptr_t)s->device,
			.name = (char *)(uintptr_t)s->name, .file = s->file, .announced = s->announced,
		};

		t->sockets[i] = sockets_adopt(&t->m->sockets, &like);
		if (!t->sockets[i])
			return false;
	}
	return true;
}

/* ---- what services have over all generations ---------------------------- */

static bool take_poisons(struct taking *t)
{
	for (; t->n_poisons < t->h->n_poisons; t->n_poisons++) {
		const struct handover_poison *p = &t->h->poisons[t->n_poisons];

		if (!poison_watch_adopt(&t->m->states.poisons, p->service, p->blocks.fd, p->blocks.version,
		                        p->history))
			return false;
	}
	return true;
}

/* The states have their shares of them by now. */
static void release_poisons(struct taking *t)
{
	while (t->n_poisons > 0) {
		const char *service = t->h->poisons[--t->n_poisons].service;
		struct poison_watch *w = poison_watch_find(&t->m->states.poisons, service);

		poison_watch_release(&w);
	}
}

static bool take_states(struct taking *t)
{
	const struct handover *h = t->h;

	for (size_t i = 0; i < h->n_states; i++) {
		t->states[i] = service_states_adopt(&t->m->states, h->states[i].service, &h->states[i].memory);
		if (!t->states[i])
			return false;
	}
	return true;
}

/* The services have their shares of them by now. */
static void release_states(struct taking *t)
{
	for (size_t i = 0; i < t->h->n_states; i++)
		service_state_release(&t->states[i]);
}

/* For one more user; NULL: there is none. */
static struct service_state *share_state(const struct taking *t, size_t i)
{
	struct service_state *s = i < t->h->n_states ? t->states[i] : NULL;

	if (s)
		service_state_share(s);
	return s;
}

/* ---- the sketch of a configuration -------------------------------------- */

/* The first handler stands for one that only the other program has, because its name is not kept. */
static enum handler_id handler_of(const char *name)
{
	for (int i = 0; conf_keys_handlers[i]; i++)
		if (strcmp(conf_keys_handlers[i], name) == 0)
			return (enum handler_id)i;
	return (enum handler_id)0;
}

static struct conf_service *sketch_service(struct arena *a, const struct handover_service *s,
                                           const struct conf *all)
{
	struct conf_service *conf = arena_alloc(a, sizeof *conf);

	if (!conf)
		return NULL;
	*conf = (struct conf_service){
		.name = arena_strdup(a, s->name), .enabled = true, .connections = s->connections,
		.handler = { .id = handler_of(s->handler) },
		.crash_capture = (size_t)s->input, .hang_timeout = s->hang_ms,
		.workers = { .min = s->min, .max = s->max }, .timeouts = { .drain = s->drain_ms },
		.limits = { .source_prefix = CONF_SOURCE_PREFIX },      /* what it was is not handed over */
	};
	if (s->log_index >= 0) {
		conf->access_log_index = (size_t)s->log_index;
		conf->access_log = *all->access_logs[s->log_index];
	}
	return conf->name ? conf : NULL;
}

static bool sketch_log(struct arena *a, struct conf_log *to, const struct conf_log *from)
{
	*to = *from;
	to->path = from->path ? arena_strdup(a, from->path) : NULL;
	return !from->path || to->path;
}

/* The access log of the generation, and those of its services. */
static bool sketch_access_logs(struct arena *a, struct conf *conf, const struct handover_generation *g)
{
	conf->access_logs = arena_alloc(a, (g->n_service_logs + 1) * sizeof *conf->access_logs);
	if (!conf->access_logs || !sketch_log(a, &conf->access_log, &g->access_log))
		return false;
	conf->access_logs[conf->n_access_logs++] = &conf->access_log;
	for (size_t i = 0; i < g->n_service_logs; i++) {
		struct conf_log *log = arena_alloc(a, sizeof *log);

		if (!log || !sketch_log(a, log, &g->service_logs[i]))
			return false;
		conf->access_logs[conf->n_access_logs++] = log;
	}
	return true;
}

static struct conf *sketch(struct arena *a, const struct handover_generation *g)
{
	struct conf *conf = arena_alloc(a, sizeof *conf);

	if (!conf)
		return NULL;
	conf->shutdown_timeout = g->shutdown_ms;
	conf->agent.balancers = g->balancers;
	conf->state_dir = arena_strdup(a, g->state_dir);
	conf->services = arena_alloc(a, (g->n_services + 1) * sizeof *conf->services);
	if (!conf->state_dir || !conf->services || !sketch_log(a, &conf->log, &g->log) ||
	    !sketch_access_logs(a, conf, g))
		return NULL;
	for (; conf->n_services < g->n_services; conf->n_services++) {
		struct conf_service *s = sketch_service(a, &g->services[conf->n_services], conf);

		if (!s)
			return NULL;
		conf->services[conf->n_services] = s;
	}
	return conf;
}

/* ---- generations -------------------------------------------------------- */

/* True for a child, dead or alive, that was not waited for. After that, its pid may be another process's. */
static bool is_our_child(pid_t pid)
{
	siginfo_t si;

	return waitid(P_PID, (id_t)pid, &si, WEXITED | WNOHANG | WNOWAIT) == 0;
}

static void take_workers(const struct handover_service *s, struct pool *p)
{
	for (size_t i = 0; i < s->n_workers; i++) {
		struct handover_worker *w = &s->workers[i];

		if (is_our_child(w->past.pid))
			pool_adopt_worker(p, w->place, &w->past);
		else
			leash_close(&w->past.leash);
	}
}

static bool take_service(struct taking *t, struct generation *g, const struct handover_service *s)
{
	struct service *service = &g->services[g->n];

	service->conf = g->conf->services[g->n];
	service->pool = pool_adopt(&g->context, service->conf, g->number, share_state(t, s->state),
	                           &s->past);
	if (!service->pool)
		return false;
	g->n++;
	for (size_t i = 0; i < s->n_sockets; i++) {
		service->sockets[service->n_sockets++] = t->sockets[s->sockets[i]];
		sockets_use(t->sockets[s->sockets[i]]);
	}
	take_workers(s, service->pool);
	return true;
}

static bool take_log_process(struct generation *g, const struct handover_generation *from)
{
	struct log_process_past past = from->log_process;

	if (past.n_inputs == 0)
		return true;
	if (past.pid != 0 && !is_our_child(past.pid)) {
		leash_close(&past.leash);
		past.pid = 0;
	}
	return generation_adopt_log_process(g, &past) == 0;
}

static bool take_key_process(struct generation *g, const struct handover_generation *from)
{
	struct key_holder_past past = from->key_process;

	if (past.pid == 0)
		return true;
	if (!is_our_child(past.pid)) {
		leash_close(&past.leash);
		past.pid = 0;
	}
	return generation_adopt_key_process(g, &past) == 0;
}

static void take_outlet(const struct taking *t, struct outlet_sockets *s, const size_t *indices, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		s->sockets[s->n++] = t->sockets[indices[i]];
		sockets_use(t->sockets[indices[i]]);
	}
}

static bool take_generation(struct taking *t, const struct handover_generation *from)
{
	struct master *m = t->m;
	struct generation *g;
	struct arena arena;
	struct conf *conf;

	if (arena_open(&arena, CONF_ARENA_SIZE) == -1)
		return false;
	conf = sketch(&arena, from);
	g = conf ? generation_adopt(&arena, conf, from->number, &m->sockets, &m->context) : NULL;
	if (!g)
		return false;
	g->lame_duck_ms = from->lame_duck_ms;
	list_append(&m->generations, &g->in_master);
	for (size_t i = 0; i < from->n_services; i++)
		if (!take_service(t, g, &from->services[i]))
			return false;
	take_outlet(t, &g->http, from->http_sockets, from->n_http_sockets);
	take_outlet(t, &g->balancers, from->agent_sockets, from->n_agent_sockets);
	if (!take_log_process(g, from) || !take_key_process(g, from))
		return false;
	if (from->serves)
		m->current = m->predecessor = g;
	return true;
}

static bool take_generations(struct taking *t)
{
	for (size_t i = 0; i < t->h->n_generations; i++)
		if (!take_generation(t, &t->h->generations[i]))
			return false;
	return true;
}

/* ---- the rest ----------------------------------------------------------- */

static bool take_texts(struct master *m, const struct handover *h)
{
	m->last_text = strdup(h->text);
	m->pid_file = h->pid_file ? strdup(h->pid_file) : NULL;
	return m->last_text && (m->pid_file || !h->pid_file);
}

static void take_control(struct master *m, const struct handover *h)
{
	struct control_client *client;

	if (h->control != -1)
		control_adopt(m->control, h->control, &h->control_file);
	client = h->client == -1 ? NULL : control_adopt_client(m->control, h->client);
	if (client)
		outcome_begin(&m->outcome, client, OUTCOME_UPGRADE, NULL, 0);
}

/* Without it the next one is missed until our own workers serve: its listeners are there. */
static void take_status_process(struct master *m, const struct handover *h)
{
	struct status_past past = h->status;

	if (past.pid == 0)
		return;
	if (!is_our_child(past.pid) || status_holder_adopt(m->status, &past) == -1)
		leash_close(&past.leash);
}

static void pass_on(struct notify *n, const char *const *messages, size_t n_messages)
{
	for (size_t i = 0; i < n_messages; i++)
		notify_send(n, "%s", messages[i]);
}

static bool take_all(struct taking *t)
{
	struct master *m = t->m;
	const struct handover *h = t->h;
	struct generation *g;

	if (!copy_memory(t) || !take_sockets(t) || !take_poisons(t) || !take_states(t) ||
	    !take_generations(t) || !take_texts(m, h))
		return false;
	take_control(m, h);
	take_status_process(m, h);
	pass_on(m->systemd, h->notices, h->n_notices);
	pass_on(m->events, h->events, h->n_events);
	m->n_generations = h->n_numbers;
	m->started = clock_before(&m->started, m->started_ms - h->started_ms);
	m->started_ms = h->started_ms;
	if (h->nofile.rlim_cur != 0)
		m->context.nofile = h->nofile;
	m->suspended = h->suspended;
	m->reload_again = h->reload_again;
	m->upgrade.again = h->upgrade_again;
	m->pending_scale = h->pending_scale;
	list_each(&m->generations, g, struct generation, in_master)
		generation_resume_log_process(g);
	return true;
}

bool handover_import(struct master *m, const struct handover *h, char *why, size_t size)
{
	struct taking t = { .m = m, .h = h };
	bool result;

	if (h->pid != getpid()) {
		snprintf(why, size, "it is for process %d", (int)h->pid);
		return false;
	}
	if (!handover_check(h, why, size))
		return false;
	t.sockets = calloc(h->n_sockets + 1, sizeof *t.sockets);
	t.states = calloc(h->n_states + 1, sizeof *t.states);
	result = t.sockets && t.states && take_all(&t);
	if (!result)
		snprintf(why, size, "take over what it names: %m");
	if (t.states)
		release_states(&t);
	release_poisons(&t);
	end_copies(&t, !result);
	free(t.states);
	free(t.sockets);
	return result;
}
