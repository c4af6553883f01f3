/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Copies the state of all parts of the master into a hand-over. It does not know how that is written:
 * handover_write.c does.
 */
#include <config.h>
#include "handover_export.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf_keys.h"
#include "self.h"
#include "version.h"

#define TEXT_ROOM ((size_t)16 << 20)    /* address space: four times what a file may have */

/* failed is set when memory runs out; what had no room is left out, and handover_export fails at the end. */
struct writing {
	const struct master *m;
	struct handover     *h;
	bool                 failed;
};

static void *room(struct writing *w, size_t n, size_t size)
{
	void *items = arena_alloc(&w->h->arena, (n + 1) * size);

	w->failed |= !items;
	return items;
}

static size_t count(const struct list *l)
{
	size_t n = 0;

	for (const struct list *i = l->next; i != l; i = i->next)
		n++;
	return n;
}

/* ---- sockets ------------------------------------------------------------ */

static void add_sockets(struct writing *w)
{
	struct handover *h = w->h;
	struct listening *l;

	h->sockets = room(w, count(&w->m->sockets.all), sizeof *h->sockets);
	list_each(&w->m->sockets.all, l, struct listening, in_sockets)
		if (h->sockets) {
			l->index = h->n_sockets;
			h->sockets[h->n_sockets++] = (struct handover_socket){
				.fd = l->fd, .kind = l->kind, .key = l->key, .service = l->service,
				.device = l->device, .name = l->name, .position = l->position,
				.file = l->file, .announced = l->announced,
			};
		}
}

/* ---- what services have over all generations ---------------------------- */

static void add_states(struct writing *w)
{
	struct handover *h = w->h;
	struct service_state *s;

	h->states = room(w, count(&w->m->states.all), sizeof *h->states);
	list_each(&w->m->states.all, s, struct service_state, in_states)
		if (h->states) {
			s->index = h->n_states;
			h->states[h->n_states++] = (struct handover_state){
				.service = s->service, .memory = service_memory_past(&s->memory),
			};
		}
}

static void add_poisons(struct writing *w)
{
	const struct poison_watches *all = &w->m->states.poisons;
	struct handover *h = w->h;
	const struct poison_watch *p;

	h->poisons = room(w, count(&all->all), sizeof *h->poisons);
	list_each(&all->all, p, struct poison_watch, in_all)
		if (h->poisons)
			h->poisons[h->n_poisons++] = (struct handover_poison){
				.service = p->service, .history = &p->history,
				.blocks = { p->blocks ? blocks_fd(p->blocks) : -1, BLOCKS_VERSION },
			};
}

/* ---- generations -------------------------------------------------------- */

static void add_workers(struct writing *w, struct handover_service *s, const struct pool *p)
{
	s->workers = room(w, s->past.n_places, sizeof *s->workers);
	for (size_t i = 0; s->workers && i < s->past.n_places; i++) {
		const struct child_past past = pool_worker_past(p, i);

		if (past.state != CHILD_NONE)
			s->workers[s->n_workers++] = (struct handover_worker){ i, past };
	}
}

static void add_service(struct writing *w, struct handover_service *s, const struct service *service)
{
	const struct conf_service *conf = service->conf;

	*s = (struct handover_service){
		.name = conf->name, .handler = conf_keys_handlers[conf->handler.id],
		.connections = conf->connections, .min = conf->workers.min, .max = conf->workers.max,
		.input = (int)conf->crash_capture, .hang_ms = conf->hang_timeout,
		.drain_ms = conf->timeouts.drain, .past = pool_past(service->pool),
		.state = pool_service_state(service->pool)->index,
		.log_index = conf->access_log.target == LOG_TARGET_NONE ? -1 : (int)conf->access_log_index,
	};
	s->sockets = room(w, service->n_sockets, sizeof *s->sockets);
	for (size_t i = 0; s->sockets && i < service->n_sockets; i++)
		s->sockets[s->n_sockets++] = service->sockets[i]->index;
	add_workers(w, s, service->pool);
}

static size_t *indices_of(struct writing *w, const struct outlet_sockets *s, size_t *n)
{
	size_t *indices = room(w, s->n, sizeof *indices);

	for (*n = 0; indices && *n < s->n; ++*n)
		indices[*n] = s->sockets[*n]->index;
	return indices;
}

static void add_generation(struct writing *w, struct handover_generation *to,
                           const struct generation *g)
{
	*to = (struct handover_generation){
		.number = g->number, .serves = g == w->m->current,
		.shutdown_ms = g->conf->shutdown_timeout, .lame_duck_ms = g->lame_duck_ms,
		.balancers = g->conf->agent.balancers, .state_dir = g->conf->state_dir,
		.log = g->conf->log, .access_log = g->conf->access_log,
	};
	to->service_logs = room(w, g->conf->n_access_logs, sizeof *to->service_logs);
	for (size_t i = 1; to->service_logs && i < g->conf->n_access_logs; i++)
		to->service_logs[to->n_service_logs++] = *g->conf->access_logs[i];
	if (g->log_process)
		to->log_process = log_process_past(g->log_process);
	to->key_process = (struct key_holder_past){ .leash = { -1, -1 } };
	if (g->key_holder)
		to->key_process = key_holder_past(g->key_holder);
	to->http_sockets = indices_of(w, &g->http, &to->n_http_sockets);
	to->agent_sockets = indices_of(w, &g->balancers, &to->n_agent_sockets);
	to->services = room(w, g->n, sizeof *to->services);
	for (size_t i = 0; to->services && i < g->n; i++)
		add_service(w, &to->services[to->n_services++], &g->services[i]);
}

static void add_generations(struct writing *w)
{
	struct handover *h = w->h;
	const struct generation *g;

	h->generations = room(w, count(&w->m->generations), sizeof *h->generations);
	list_each(&w->m->generations, g, struct generation, in_master)
		if (h->generations)
			add_generation(w, &h->generations[h->n_generations++], g);
}

/* ---- the rest ----------------------------------------------------------- */

/*
 * The configuration as droverd -T prints it, because the files that it was loaded from may have
 * changed. It may hold passwords, so the text and the buffer of the stream are in the arena, which
 * is unmapped afterwards.
 */
static const char *text_of(struct writing *w)
{
	char *text = room(w, TEXT_ROOM, 1), *buffer = room(w, BUFSIZ, 1);
	FILE *out;

	if (master_serves_inherited(w->m))
		return w->m->last_text;
	out = text && buffer ? fmemopen(text, TEXT_ROOM, "w") : NULL;
	w->failed |= !out;
	if (out) {
		setvbuf(out, buffer, _IOFBF, BUFSIZ);
		conf_dump(w->m->current->conf, out);
		w->failed |= ferror(out) || fclose(out) == EOF;
	}
	return text;
}

struct messages {
	struct writing *w;
	const char    **list;           /* NULL while they are counted */
	size_t          n;
};

static void add_message(void *arg, const char *text)
{
	struct messages *s = arg;

	if (s->list) {
		s->list[s->n] = arena_strdup(&s->w->h->arena, text);
		s->w->failed |= !s->list[s->n];
	}
	s->n++;
}

static const char **messages_of(struct writing *w, const struct notify *from, size_t *n)
{
	struct messages s = { .w = w };

	s.list = room(w, notify_waiting(from), sizeof *s.list);
	notify_each_waiting(from, add_message, &s);
	*n = s.n;
	return s.list;
}

int handover_export(struct handover *h, const struct master *m)
{
	struct writing w = { .m = m, .h = h };
	const struct control_listener *listener = control_listener(m->control);
	const struct outcome *o = &m->outcome;

	h->pid = getpid();
	h->version = version_string;
	h->program = m->self->path;
	h->text = text_of(&w);
	h->pid_file = m->pid_file;
	h->n_numbers = m->n_generations;
	h->started_ms = m->started_ms;
	h->nofile = m->context.nofile;
	h->suspended = m->suspended;
	h->reload_again = m->reload_again;
	h->upgrade_again = m->upgrade.again;
	h->pending_scale = m->pending_scale;
	h->status = status_holder_past(m->status);
	h->control = listener->fd;
	h->control_file = listener->file;
	if (o->kind == OUTCOME_UPGRADE)
		h->client = o->client->watch.fd;
	h->notices = messages_of(&w, m->systemd, &h->n_notices);
	h->events = messages_of(&w, m->events, &h->n_events);
	add_sockets(&w);
	add_states(&w);
	add_poisons(&w);
	add_generations(&w);
	if (!w.failed)
		return handover_write(h);
	errno = ENOMEM;
	return -1;
}
