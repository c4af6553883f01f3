/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Makes generations from a configuration or from a hand-over, gives orders to all their pools, and
 * frees them. It does not decide when one generation replaces another: reload.c and takeover.c do.
 */
#include <config.h>
#include "generation.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sysexits.h>
#include <unistd.h>

#include "log.h"

/* Bytes that may wait in the pipes of a log before lines are dropped. The services share them. */
#define LOG_ROOM     ((size_t)8 << 20)
#define LOG_ROOM_MIN ((size_t)64 << 10) /* the default of a pipe: pipe(7) */
#define LOG_ROOM_MAX ((size_t)1 << 20)  /* the limit for ordinary users: pipe(7) */

/* Logs the reason and keeps it. Returns exit_code. */
static int fail_generation(struct generation_failure *f, int exit_code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int fail_generation(struct generation_failure *f, int exit_code, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(f->text, sizeof f->text, format, ap);
	va_end(ap);
	log_err("%s", f->text);
	return f->exit_code = exit_code;
}

static int no_memory(struct generation_failure *f)
{
	return fail_generation(f, EX_OSERR, "make a new generation: %m");
}

/* A detached server has no standard error. 0, or an exit code after the reason was logged. */
static int check_log(const struct generation *g, const struct conf_log *log, struct generation_failure *f)
{
	if (!g->context.detached || log->target != LOG_TARGET_STDERR)
		return 0;
	return fail_generation(f, EX_CONFIG, "%s:%d: a detached server has no standard error to log to (the"
	                       " target must be \"syslog\", \"journal\" or a file)", log->place.file,
	                       log->place.line > 0 ? log->place.line : 1);
}

static int check_logs(const struct generation *g, struct generation_failure *f)
{
	int code = check_log(g, &g->conf->log, f);

	for (size_t i = 0; code == 0 && i < g->conf->n_access_logs; i++)
		code = check_log(g, g->conf->access_logs[i], f);
	return code;
}

static void forget_all(void *arg)
{
	const struct generation *g = arg;

	g->context.forget(g->context.arg, NULL);
}

static void on_log_process(void *arg)
{
	const struct generation *g = arg;

	g->context.changed(g->context.arg, NULL);
}

static void on_key_process(void *arg)
{
	const struct generation *g = arg;

	g->context.changed(g->context.arg, NULL);
}

/* 0, or -1 with errno. */
static int make_key_holder(struct generation *g)
{
	const struct key_holder_owner owner = {
		.loop = g->context.loop, .events = g->context.events, .conf = g->conf,
		.generation = g->number, .detached = g->context.detached,
		.forget = forget_all, .changed = on_key_process, .arg = g,
	};

	g->key_holder = key_holder_new(&owner);
	return g->key_holder ? 0 : -1;
}

/* 0, or -1 with errno. */
static int make_log_process(struct generation *g)
{
	const struct log_process_owner owner = {
		.loop = g->context.loop, .events = g->context.events, .logs = &g->logs,
		.generation = g->number, .detached = g->context.detached,
		.forget = forget_all, .changed = on_log_process, .arg = g,
	};

	g->log_process = log_process_new(&owner);
	return g->log_process ? 0 : -1;
}

/* 0, or an exit code after the reason was logged. */
static int open_logs(struct generation *g, struct generation_failure *f)
{
	const struct conf_log *which;
	const char *socket;

	if (check_logs(g, f) != 0)
		return EX_CONFIG;
	if (logs_open(&g->logs, g->conf, g->context.detached, &which) == -1) {
		socket = log_sink_socket(which->target);
		return fail_generation(f, errno == EACCES || errno == EPERM ? EX_NOPERM : EX_OSERR,
		                       "%s:%d: open the log \"%s\": %s%s%m", which->place.file, which->place.line,
		                       which->path ? which->path : log_target_name(which->target),
		                       socket ? socket : "", socket ? ": " : "");
	}
	if (logs_are_delicate(&g->logs) && make_log_process(g) == -1)
		return no_memory(f);
	return 0;
}

static size_t log_room(const struct generation *g)
{
	const size_t share = LOG_ROOM / g->conf->n_services;

	return share > LOG_ROOM_MAX ? LOG_ROOM_MAX : share < LOG_ROOM_MIN ? LOG_ROOM_MIN : share;
}

/* 0, or -1 with errno. */
static int open_log_pipes(struct generation *g, struct service *s)
{
	struct log_pipes readers;

	if (!g->log_process)
		return 0;
	if (log_pipes_open(&g->logs, logs_access_log(&g->logs, s->conf), log_room(g), &s->log_pipes,
	                   &readers) == -1)
		return -1;
	if (log_process_add(g->log_process, &readers, s->conf->access_log_index) == -1) {
		log_pipes_close(&readers);
		return -1;
	}
	return 0;
}

static int open_sockets(struct generation *g, const char *owner, const struct conf_listen *listen,
                        size_t n_listen, struct listening **sockets, size_t *n_sockets,
                        struct generation_failure *f)
{
	const struct sockets_wish wish = { .owner = owner, .listen = listen, .n_listen = n_listen,
	                                   .generation = g->number };
	struct sockets_error e;
	const int n = sockets_acquire(g->all_sockets, &wish, sockets, &e);

	if (n == -1)
		return fail_generation(f, e.exit_code, "%s:%d: %s", e.place.file, e.place.line, e.text);
	*n_sockets = (size_t)n;
	return 0;
}

/* 0, also if it is not configured; or an exit code after the reason was logged. */
static int open_outlet(struct generation *g, const char *key, const struct conf_outlet *o,
                       struct outlet_sockets *s, struct generation_failure *f)
{
	if (o->n_listen == 0)
		return 0;
	return open_sockets(g, key, o->listen, o->n_listen, s->sockets, &s->n, f);
}

/* It has to be the file that was checked. */
static int open_module(const struct service *s, struct generation_failure *f)
{
	const struct conf_module *m = &s->conf->handler.module;
	struct module_identity found;
	char why[MODULE_WHY_MAX];
	int fd;

	if (!m->path)
		return 0;
	fd = module_file_open(m->path, &found, why);
	if (fd == -1)
		return fail_generation(f, EX_CONFIG, "%s:%d: service \"%s\": open the module %s: %s",
		                       m->place.file, m->place.line, s->conf->name, m->path, why);
	pool_use_module(s->pool, fd);
	if (module_identity_is_same(&found, &m->file))
		return 0;
	return fail_generation(f, EX_TEMPFAIL, "%s:%d: service \"%s\": the module %s was replaced while it was"
	                       " checked (try again)", m->place.file, m->place.line, s->conf->name, m->path);
}

static int open_service(struct generation *g, struct service *s, const struct conf_service *conf,
                        struct generation_failure *f)
{
	int code;

	s->conf = conf;
	if (open_log_pipes(g, s) == -1)
		return fail_generation(f, EX_OSERR, "service \"%s\": open the pipes of its logs: %m",
		                       conf->name);
	code = open_sockets(g, conf->name, conf->listen, conf->n_listen, s->sockets, &s->n_sockets, f);
	if (code != 0)
		return code;
	s->pool = pool_new(&g->context, conf, g->number, g->conf->shutdown_timeout, s->sockets,
	                   s->n_sockets);
	if (!s->pool)
		return fail_generation(f, EX_OSERR, "service \"%s\": make its pool of workers: %m",
		                       conf->name);
	pool_use_logs(s->pool, logs_access_log(&g->logs, conf), &s->log_pipes);
	if (conf->tls.on && conf->tls.isolate_keys)
		pool_use_keys(s->pool, g->key_holder, (size_t)(s - g->services));
	return open_module(s, f);
}

static struct generation *make_generation(const struct conf *conf, struct arena *arena, unsigned int number,
                                          struct sockets *sockets, const struct pool_context *context)
{
	struct generation *g = calloc(1, sizeof *g + conf->n_services * sizeof g->services[0]);

	if (!g)
		return NULL;
	list_init(&g->in_master);
	g->number = number;
	g->arena = *arena;
	g->conf = conf;
	g->all_sockets = sockets;
	g->context = *context;
	for (size_t i = 0; i < conf->n_services; i++)
		g->services[i].log_pipes = LOG_PIPES_NONE;
	return g;
}

struct generation *generation_adopt(struct arena *arena, const struct conf *conf,
                                    unsigned int number, struct sockets *sockets,
                                    const struct pool_context *context)
{
	struct generation *g = make_generation(conf, arena, number, sockets, context);
	const struct conf_log *which;

	if (!g)
		arena_close(arena);
	else if (logs_open(&g->logs, conf, context->detached, &which) == -1)
		log_warn("open the log \"%s\" of the program before: %m",
		         which->path ? which->path : log_target_name(which->target));
	return g;
}

int generation_adopt_log_process(struct generation *g, const struct log_process_past *past)
{
	return make_log_process(g) == -1 ? -1 : log_process_adopt(g->log_process, past);
}

void generation_resume_log_process(struct generation *g)
{
	if (g->log_process)
		log_process_resume(g->log_process);
}

struct generation *generation_new(const struct conf_fetched *fetched, unsigned int number,
                                  struct sockets *sockets, const struct pool_context *context,
                                  struct generation_failure *failure)
{
	const struct conf *conf = fetched->conf;
	struct arena arena = fetched->arena;
	struct generation *g = make_generation(conf, &arena, number, sockets, context);

	if (!g) {
		no_memory(failure);
		arena_close(&arena);
		return NULL;
	}
	if (conf->agent.outlet.n_listen > 0)
		g->lame_duck_ms = conf->agent.lame_duck;
	failure->exit_code = open_logs(g, failure);
	if (failure->exit_code == 0 && key_holder_is_needed(conf) && make_key_holder(g) == -1)
		failure->exit_code = no_memory(failure);
	g->context.log = g->logs.log;
	g->context.log_level = g->logs.level;
	for (; failure->exit_code == 0 && g->n < conf->n_services; g->n++)
		failure->exit_code = open_service(g, &g->services[g->n], conf->services[g->n], failure);
	if (failure->exit_code == 0)
		failure->exit_code = open_outlet(g, "metrics.listen", &conf->metrics.outlet, &g->http, failure);
	if (failure->exit_code == 0)
		failure->exit_code = open_outlet(g, "agent.listen", &conf->agent.outlet, &g->balancers, failure);
	if (failure->exit_code != 0)
		generation_free(&g);
	return g;
}

static void release_all(struct generation *g, struct listening **sockets, size_t *n)
{
	while (*n > 0)
		sockets_release(g->all_sockets, sockets[--*n]);
}

static void release_sockets(struct generation *g, struct service *s)
{
	release_all(g, s->sockets, &s->n_sockets);
}

void generation_close_outlets(struct generation *g)
{
	release_all(g, g->http.sockets, &g->http.n);
	release_all(g, g->balancers.sockets, &g->balancers.n);
}

void generation_free(struct generation **gp)
{
	struct generation *g = *gp;

	*gp = NULL;
	if (!g)
		return;
	list_remove(&g->in_master);
	for (size_t i = 0; i < g->conf->n_services; i++) {
		pool_free(&g->services[i].pool);
		release_sockets(g, &g->services[i]);
		log_pipes_close(&g->services[i].log_pipes);
	}
	generation_close_outlets(g);
	key_holder_free(&g->key_holder);
	log_process_free(&g->log_process);
	logs_close(&g->logs);
	arena_close(&g->arena);
	free(g);
}

int generation_start_log_process(struct generation *g, struct generation_failure *failure)
{
	if (!g->log_process || log_process_start(g->log_process) == 0)
		return 0;
	return fail_generation(failure, EX_OSERR, "start the log process: %m");
}

int generation_start_key_process(struct generation *g, struct generation_failure *failure)
{
	if (!g->key_holder || key_holder_start(g->key_holder) == 0)
		return 0;
	return fail_generation(failure, EX_OSERR, "start the key process: %m");
}

int generation_adopt_key_process(struct generation *g, const struct key_holder_past *past)
{
	if (make_key_holder(g) == -1)
		return -1;
	key_holder_adopt(g->key_holder, past);
	return 0;
}

const char *generation_keys_failed(const struct generation *g)
{
	return key_holder_failure(g->key_holder);
}

bool generation_end_log_process(struct generation *g)
{
	for (size_t i = 0; i < g->n; i++)
		log_pipes_close(&g->services[i].log_pipes);
	log_process_end(g->log_process);
	return log_process_is_over(g->log_process);
}

void generation_start(struct generation *g)
{
	for (size_t i = 0; i < g->n; i++)
		pool_start(g->services[i].pool);
}

static struct status_sockets sockets_of(const struct outlet_sockets *s)
{
	struct status_sockets all = { .n = s->n };

	for (size_t i = 0; i < s->n; i++)
		all.fds[i] = s->sockets[i]->fd;
	return all;
}

int generation_log_fd(const struct generation *g)
{
	return g->logs.log ? log_sink_fd(g->logs.log) : -1;
}

struct status_site generation_site(const struct generation *g)
{
	return (struct status_site){ .metrics = &g->conf->metrics, .agent = &g->conf->agent,
	                             .http = sockets_of(&g->http), .balancers = sockets_of(&g->balancers) };
}

/* Those of systemd are not ours to shut down: load balancers wait in their queues. */
void generation_refuse_balancers(struct generation *g)
{
	for (size_t i = 0; i < g->balancers.n; i++)
		if (g->balancers.sockets[i]->kind != LISTEN_SYSTEMD)
			shutdown(g->balancers.sockets[i]->fd, SHUT_RDWR);
	release_all(g, g->balancers.sockets, &g->balancers.n);
}

static int compare_with_service(const void *name, const void *entry)
{
	return strcmp(name, ((const struct service *)entry)->conf->name);
}

/* The services are sorted by name: conf.h. */
const struct service *generation_find(const struct generation *g, const char *service)
{
	return bsearch(service, g->services, g->n, sizeof *g->services, compare_with_service);
}

void generation_continue(struct generation *g, const struct generation *before, bool suspended)
{
	for (size_t i = 0; i < g->n; i++) {
		const struct service *s = generation_find(before, g->services[i].conf->name);
		struct pool_state state = { .drained = false };

		if (s)
			state = pool_state(s->pool);
		state.drained |= suspended;
		pool_continue(g->services[i].pool, &state);
	}
}

/* A bit for each socket that no other generation uses, except sockets of systemd. */
static uint64_t only_ours(const struct service *s)
{
	uint64_t mask = 0;

	for (size_t i = 0; i < s->n_sockets; i++)
		if (s->sockets[i]->users == 1 && s->sockets[i]->kind != LISTEN_SYSTEMD)
			mask |= (uint64_t)1 << i;
	return mask;
}

void generation_drain(struct generation *g)
{
	for (size_t i = 0; i < g->n; i++) {
		struct service *s = &g->services[i];

		pool_drain(s->pool, only_ours(s), s->conf->timeouts.drain);
		release_sockets(g, s);
	}
	generation_close_outlets(g);
}

void generation_suspend(struct generation *g)
{
	for (size_t i = 0; i < g->n; i++)
		pool_drain(g->services[i].pool, 0, g->services[i].conf->timeouts.drain);
}

void generation_finish(struct generation *g)
{
	for (size_t i = 0; i < g->n; i++) {
		pool_drain(g->services[i].pool, 0, 0);
		release_sockets(g, &g->services[i]);
	}
	generation_refuse_balancers(g);
}

void generation_stop(struct generation *g)
{
	for (size_t i = 0; i < g->n; i++)
		pool_stop(g->services[i].pool);
}

int generation_workers(const struct generation *g)
{
	int sum = 0;

	for (size_t i = 0; i < g->n; i++) {
		struct children_census c = pool_census(g->services[i].pool);

		sum += c.starting + c.accepting + c.draining;
	}
	return sum;
}

bool generation_works(const struct generation *g)
{
	for (size_t i = 0; i < g->n; i++)
		if (pool_works(g->services[i].pool))
			return true;
	return false;
}

bool generation_is_complete(const struct generation *g)
{
	if (!key_holder_is_ready(g->key_holder))
		return false;
	for (size_t i = 0; i < g->n; i++)
		if (!pool_is_complete(g->services[i].pool))
			return false;
	return true;
}

const struct service *generation_failed(const struct generation *g)
{
	for (size_t i = 0; i < g->n; i++)
		if (pool_has_failed(g->services[i].pool))
			return &g->services[i];
	return NULL;
}

const struct service *generation_useless(const struct generation *g, const struct generation *before,
                                         char why[BOARD_REASON_TEXT])
{
	for (size_t i = 0; i < g->n; i++) {
		const struct service *s = &g->services[i];
		const struct service *was = before ? generation_find(before, s->conf->name) : NULL;

		if (pool_programs_fail(s->pool, why) && !(was && pool_programs_fail(was->pool, NULL)))
			return s;
	}
	return NULL;
}

bool generation_is_settled(const struct generation *g)
{
	if (!key_holder_is_ready(g->key_holder) && !key_holder_failure(g->key_holder))
		return false;
	for (size_t i = 0; i < g->n; i++)
		if (!pool_is_complete(g->services[i].pool) && !pool_has_failed(g->services[i].pool))
			return false;
	return true;
}

bool generation_reopen_logs(struct generation *g)
{
	const bool all = logs_reopen(&g->logs);

	if (g->log_process) {
		log_process_switch(g->log_process);
		return all;
	}
	/* The workers write to the targets themselves: these only take bytes, or a program before
	 * that had no log process gave them to its workers. */
	for (size_t i = 0; i < g->n; i++)
		pool_send_logs(g->services[i].pool, g->logs.log,
		               logs_access_log(&g->logs, g->services[i].conf));
	return all;
}

bool generation_reaped(struct generation *g, pid_t pid, int status)
{
	return log_process_reaped(g->log_process, pid, status) ||
	       key_holder_reaped(g->key_holder, pid, status);
}

bool generation_has(const struct generation *g, const struct pool *p)
{
	for (size_t i = 0; i < g->n; i++)
		if (g->services[i].pool == p)
			return true;
	return false;
}

/* A process that could still read the environment of services that are not its own must not serve. */
static void forget_pages(const struct conf_service *conf)
{
	if (munmap(conf->pages, conf->pages_len) == 0 || conf->pages_len == 0)
		return;
	log_err("a process cannot start: forget the configuration of service \"%s\": %m", conf->name);
	_exit(EX_OSERR);
}

void generation_forget(struct generation *g, const struct pool *mine)
{
	key_holder_forget(g->key_holder);
	for (size_t i = 0; i < g->n; i++) {
		struct service *s = &g->services[i];

		if (s->pool == mine)
			continue;
		pool_forget_memory(s->pool);
		if (mine)
			forget_pages(s->conf);
	}
	if (!mine)
		arena_close(&g->arena);
}

void generation_forget_services(struct generation *g)
{
	key_holder_forget(g->key_holder);
	for (size_t i = 0; i < g->n; i++) {
		pool_forget_memory(g->services[i].pool);
		forget_pages(g->services[i].conf);
	}
}
