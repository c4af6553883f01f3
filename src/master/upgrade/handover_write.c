/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Writes a hand-over as JSON to a memfd, which cannot be changed afterwards.
 */
#include <config.h>
#include "handover.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fd.h"
#include "handover_words.h"
#include "secret.h"

#define put  handover_put_bytes
#define INT  (json_int_t)

/* A list of what make returns for each of the n items, which are of size bytes; NULL without memory. */
static json_t *list_of(const void *items, size_t n, size_t size, json_t *(*make)(const void *item))
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < n; i++)
		if (json_array_append_new(list, make((const char *)items + i * size)) == -1) {
			json_decref(list);
			return NULL;
		}
	return list;
}
#define LIST_OF(items, n, make) list_of(items, n, sizeof *(items), make)

static json_t *make_string(const void *item)
{
	return put(*(const char *const *)item);
}

static json_t *make_size(const void *item)
{
	return json_integer(INT *(const size_t *)item);
}

static json_t *make_file(const struct listener_file *f)
{
	return json_pack("{s:I, s:I}", "dev", INT f->dev, "ino", INT f->ino);
}

static json_t *make_socket(const void *item)
{
	const struct handover_socket *s = item;

	return json_pack("{s:i, s:s, s:o, s:o, s:o, s:o, s:I, s:o, s:b}", "fd", s->fd,
	                 "kind", handover_kinds.names[s->kind], "key", handover_put_address(&s->key),
	                 "service", put(s->service), "device", put(s->device), "name", put(s->name),
	                 "position", INT s->position, "file", make_file(&s->file),
	                 "announced", s->announced);
}

static json_t *make_log(const void *item)
{
	const struct conf_log *l = item;

	return json_pack("{s:s, s:s, s:s, s:o}", "target", handover_targets.names[l->target],
	                 "format", handover_formats.names[l->format],
	                 "level", handover_levels.names[l->level], "path", put(l->path));
}

static json_t *make_worker(const void *item)
{
	const struct handover_worker *w = item;
	const struct child_past *p = &w->past;

	return json_pack("{s:I, s:i, s:i, s:i, s:s, s:b, s:I, s:I}", "place", INT w->place,
	                 "pid", (int)p->pid, "leash", p->leash.orders, "words", p->leash.words,
	                 "state", handover_states.names[p->state], "retiring", p->retiring,
	                 "born", INT p->born_ms, "until", INT p->until_ms);
}

static json_t *make_pool_state(const struct pool_state *o)
{
	const struct restart *r = &o->restart;

	return json_pack("{s:b, s:i, s:b, s:I, s:I, s:I, s:{s:I, s:i, s:I, s:I}}", "drained", o->drained,
	                 "workers", o->workers, "failed", o->failed, "delayed", INT o->delayed_ms,
	                 "leaving", INT o->leaving_ms, "limit", INT o->limit,
	                 "restart", "window", INT r->window_ms, "deaths", r->deaths,
	                 "delay", INT r->delay_ms, "last", INT r->last_ms);
}

/* Pairs of a signal and its number of deaths, for signals that had any. */
static json_t *make_deaths(const struct totals *t)
{
	json_t *deaths = json_array();

	for (int i = 1; deaths && i < NSIG; i++)
		if (t->by_signal[i] > 0)
			json_array_append_new(deaths, json_pack("[i, I]", i, INT t->by_signal[i]));
	return deaths;
}

static json_t *make_histograms(const struct totals *t)
{
#define FORMAT(name) "s:o, "
#define MEMBER(name) , #name, handover_put_histogram(&t->name)
	return json_pack("{" BOARD_HISTOGRAMS(FORMAT) "}" BOARD_HISTOGRAMS(MEMBER));
#undef FORMAT
#undef MEMBER
}

static json_t *make_totals(const struct totals *t)
{
#define FORMAT(name) "s:I, "
#define MEMBER(name) #name, INT t->name,
	return json_pack("{" TOTALS(FORMAT) "s:o, s:o}", TOTALS(MEMBER) "deaths", make_deaths(t),
	                 "times", make_histograms(t));
#undef FORMAT
#undef MEMBER
}

static json_t *make_part(const struct pool_memory_part *p)
{
	return json_pack("{s:i, s:i}", "fd", p->fd, "version", p->version);
}

static json_t *make_state(const void *item)
{
	const struct handover_state *s = item;

	return json_pack("{s:o, s:o, s:I, s:o}", "service", put(s->service),
	                 "sources", make_part(&s->memory.sources),
	                 "n_sources", INT s->memory.n_sources,
	                 "tickets", make_part(&s->memory.tickets));
}

static json_t *make_service(const void *item)
{
	const struct handover_service *s = item;

	return json_pack("{s:o, s:o, s:i, s:i, s:i, s:i, s:I, s:I, s:o, s:o, s:o, s:o, s:I, s:i, s:I, s:o,"
	                 " s:o}",
	                 "name", put(s->name), "handler", put(s->handler),
	                 "connections", s->connections, "min", s->min, "max", s->max,
	                 "input", s->input, "hang", INT s->hang_ms, "drain", INT s->drain_ms,
	                 "orders", make_pool_state(&s->past.state),
	                 "totals", make_totals(&s->past.totals),
	                 "board", make_part(&s->past.memory.board),
	                 "holds", make_part(&s->past.memory.holds),
	                 "state_index", INT s->state, "log_index", s->log_index,
	                 "places", INT s->past.n_places,
	                 "sockets", LIST_OF(s->sockets, s->n_sockets, make_size),
	                 "workers", LIST_OF(s->workers, s->n_workers, make_worker));
}

static json_t *make_times(const int64_t *times, int n)
{
	json_t *list = json_array();

	for (int i = 0; list && i < n; i++)
		json_array_append_new(list, json_integer(times[i]));
	return list;
}

static json_t *make_source(size_t place, const struct poison_source *s)
{
	char name[SOURCE_ID_TEXT_MAX];

	return json_pack("{s:I, s:s, s:o, s:I, s:I, s:i, s:I, s:I, s:I}", "place", INT place,
	                 "source", source_id_format(&s->source, name, sizeof name),
	                 "crashes", make_times(s->crashes_ms, s->n_crashes),
	                 "since", INT s->since_ms, "until", INT s->until_ms, "counted", s->counted,
	                 "block", INT s->block_ms, "free", INT s->free_ms, "changed", INT s->changed_ms);
}

static json_t *make_poison(const void *item)
{
	const struct handover_poison *p = item;
	json_t *sources = json_array();

	for (size_t i = 0; sources && i < POISON_SOURCES; i++)
		if (source_id_is_known(&p->history->sources[i].source))
			json_array_append_new(sources, make_source(i, &p->history->sources[i]));
	return json_pack("{s:o, s:o, s:o}", "service", put(p->service),
	                 "blocks", make_part(&p->blocks), "sources", sources);
}

static json_t *make_input(const void *item)
{
	const struct log_input *i = item;

	return json_pack("{s:s, s:I, s:i}", "to", handover_pipes.names[i->to],
	                 "log_index", INT i->access_log, "fd", i->fd);
}

static json_t *make_log_process(const struct log_process_past *p)
{
	if (p->n_inputs == 0)
		return json_null();
	return json_pack("{s:i, s:i, s:i, s:o}", "pid", (int)p->pid, "leash", p->leash.orders,
	                 "answers", p->leash.words, "inputs", LIST_OF(p->inputs, p->n_inputs, make_input));
}

/* Of the key process and the status process. */
static json_t *make_process(pid_t pid, const struct leash *l)
{
	return pid == 0 ? json_null() :
	       json_pack("{s:i, s:i, s:i}", "pid", (int)pid, "leash", l->orders, "answers", l->words);
}

static json_t *make_generation(const void *item)
{
	const struct handover_generation *g = item;

	return json_pack("{s:I, s:b, s:I, s:I, s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
	                 "number", INT g->number,
	                 "serves", g->serves, "shutdown", INT g->shutdown_ms,
	                 "lame_duck", INT g->lame_duck_ms, "balancers", g->balancers,
	                 "state_dir", put(g->state_dir),
	                 "log", make_log(&g->log), "access_log", make_log(&g->access_log),
	                 "service_logs", LIST_OF(g->service_logs, g->n_service_logs, make_log),
	                 "log_process", make_log_process(&g->log_process),
	                 "key_process", make_process(g->key_process.pid, &g->key_process.leash),
	                 "http_sockets", LIST_OF(g->http_sockets, g->n_http_sockets, make_size),
	                 "agent_sockets", LIST_OF(g->agent_sockets, g->n_agent_sockets, make_size),
	                 "services", LIST_OF(g->services, g->n_services, make_service));
}

static json_t *make_all(const struct handover *h)
{
	return json_pack(
		"{s:i, s:i, s:o, s:o, s:o, s:o, s:I, s:I, s:{s:I, s:I}, s:b, s:b, s:b, s:i,"
		" s:{s:i, s:o}, s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
		"major", HANDOVER_MAJOR, "pid", (int)h->pid, "version", put(h->version),
		"program", put(h->program), "text", put(h->text), "pid_file", put(h->pid_file),
		"numbers", INT h->n_numbers, "started", INT h->started_ms,
		"nofile", "soft", INT h->nofile.rlim_cur, "hard", INT h->nofile.rlim_max,
		"resting", h->suspended,
		"reload_again", h->reload_again, "upgrade_again", h->upgrade_again,
		"pending_scale", h->pending_scale,
		"control", "fd", h->control, "file", make_file(&h->control_file),
		"client", h->client,
		"notices", LIST_OF(h->notices, h->n_notices, make_string),
		"events", LIST_OF(h->events, h->n_events, make_string),
		"sockets", LIST_OF(h->sockets, h->n_sockets, make_socket),
		"states", LIST_OF(h->states, h->n_states, make_state),
		"poison", LIST_OF(h->poisons, h->n_poisons, make_poison),
		"status_process", make_process(h->status.pid, &h->status.leash),
		"generations", LIST_OF(h->generations, h->n_generations, make_generation));
}

/* Seals the memfd, so that it cannot be changed any more. 0, or -1 with errno. */
static int seal(int fd)
{
	return fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
}

int handover_write(const struct handover *h)
{
	json_t *all;
	char *text;
	int fd = -1;

	handover_words_wipe();
	all = make_all(h);
	text = all ? json_dumps(all, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;
	json_decref(all);
	if (!text) {
		errno = ENOMEM;
		return -1;
	}
	fd = memfd_create("drover-handover", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd != -1 && (fd_write_all(fd, text, strlen(text)) == -1 || seal(fd) == -1))
		fd = fd_drop(fd);
	secret_free(text);
	return fd;
}
