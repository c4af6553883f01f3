/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Keeps as many workers as are wanted, and keeps their slots on the board in step with them. It
 * does not know how many workers a pool should have, nor what a worker does.
 */
#include <config.h>
#include "pool.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fd.h"
#include "handlers.h"
#include "key_holder.h"
#include "log.h"
#include "pool_private.h"
#include "worker.h"

/* ---- births ------------------------------------------------------------- */

static _Noreturn void be_worker(struct pool *p, size_t slot, const struct leash *leash,
                                const struct key_channel *keys, pid_t master)
{
	const struct pool_context *x = p->context;
	const struct worker_start start = {
		.service = p->service, .handler = handler_find(&p->service->handler),
		.shutdown_timeout_ms = p->shutdown_timeout_ms,
		.listeners = p->listeners, .listens = p->listens, .n_listeners = p->n_listeners,
		.leash = *leash, .keys = p->key_holder ? keys : NULL,
		.master = master,
		.memory = &p->memory, .service_memory = &p->state_of_service->memory,
		.blocks = p->state_of_service->poison->blocks, .slot = slot,
		.log = x->log, .access_log = p->access_log,
		.log_level = x->log_level, .detached = x->detached, .events = x->events,
		.nofile = x->nofile, .module = p->module,
	};

	if (p->log_pipes)
		log_pipes_enter(p->log_pipes, x->log, p->access_log);
	x->forget(x->arg, p);
	worker_main(&start);
}

/* -1 with errno if it cannot be forked. */
static pid_t fork_worker(struct pool *p, struct child *c)
{
	const size_t slot = children_index(&p->children, c);
	const pid_t master = getpid();
	struct key_channel keys = KEY_CHANNEL_NONE;
	struct leash leash;
	pid_t pid;

	if (p->key_holder && key_holder_connect(p->key_holder, p->key_service, slot, &keys) == -1)
		return -1;
	pid = child_fork(c, p->service->timeouts.start, &leash);
	if (pid == 0)
		be_worker(p, slot, &leash, &keys, master);
	key_channel_close(&keys);
	if (pid == -1)
		key_holder_disconnect(p->key_holder, p->key_service, slot);
	return pid;
}

/* False with errno if it cannot be forked. */
static bool start_worker(struct pool *p, struct child *c)
{
	pid_t pid;

	board_reset(p->memory.board, children_index(&p->children, c), BOARD_STARTING);
	pid = fork_worker(p, c);
	if (pid == -1)
		return false;
	notify_send(p->context->events, "worker-start service=%s pid=%d generation=%u",
	            p->service->name, (int)pid, p->generation);
	hang_monitor_start(&p->hang_monitor);
	return true;
}

/* A worker has died, or could not be started. Delays the next one if that happens early or often. */
static void slow_down(struct pool *p, bool early)
{
	int64_t wait_ms;

	p->failed |= early;
	if (timer_is_set(&p->delayed))
		return;         /* of workers that died together, the first counts */
	wait_ms = restart_after_death(&p->restart, &p->service->restart, early,
	                              p->context->loop->now_ms);
	if (wait_ms == 0 || p->scaler.wanted == 0)
		return;
	log_about(LOG_LEVEL_WARNING,
	          LOG_ABOUT(.service = p->service->name, .event = LOG_EVENT_WORKER_DELAYED),
	          "%s: the next worker starts in %lld ms", p->service->name, (long long)wait_ms);
	notify_send(p->context->events, "worker-delayed service=%s delay_ms=%lld",
	            p->service->name, (long long)wait_ms);
	loop_timer(p->context->loop, &p->delayed, wait_ms);
}

/* How many to start now: after a failure only one at a time, until a worker accepts. */
static int n_missing(struct pool *p)
{
	struct children_census now = children_census(&p->children);
	int missing = p->scaler.wanted + (children_retiring(&p->children) ? 1 : 0) - now.starting - now.accepting;

	if (timer_is_set(&p->delayed) || missing <= 0)
		return 0;
	if (p->failed && now.accepting == 0)
		return now.starting > 0 ? 0 : 1;
	return missing;
}

/* Logs it once, until all workers that are wanted have a place again. */
static void note_crowd(struct pool *p, bool crowded)
{
	if (crowded && !p->crowded) {
		log_about(LOG_LEVEL_WARNING, LOG_ABOUT(.service = p->service->name),
		          "%s: no place for another worker: all %zu places are taken, and it starts"
		          " when a draining worker has ended", p->service->name, p->children.n);
		notify_send(p->context->events, "no-place service=%s", p->service->name);
	}
	p->crowded = crowded;
}

static void start_missing(struct pool *p)
{
	int missing = n_missing(p);
	struct child *c;

	for (; missing > 0 && (c = children_free_place(&p->children)); missing--)
		if (!start_worker(p, c)) {
			log_about(LOG_LEVEL_ERROR,
			          LOG_ABOUT(.service = p->service->name, .event = LOG_EVENT_WORKER_FAILED),
			          "%s: start a worker: %m", p->service->name);
			slow_down(p, true);
			p->context->changed(p->context->arg, p);
			return;
		}
	note_crowd(p, missing > 0);
}

static void on_delay_over(struct timer *t)
{
	start_missing(container_of(t, struct pool, delayed));
}

/* ---- fewer, or none ----------------------------------------------------- */

/* Drains the excess; a retiring worker goes first, once its replacement accepts. */
static void drain_excess(struct pool *p)
{
	const int64_t drain_ms = p->service->timeouts.drain;
	struct children_census now = children_census(&p->children);
	struct child *c;
	int excess;

	for (; now.accepting > p->scaler.wanted && (c = children_retiring(&p->children)); now.accepting--)
		child_drain(c, 0, drain_ms);
	excess = now.starting + now.accepting - p->scaler.wanted - (children_retiring(&p->children) ? 1 : 0);
	for (; excess > 0; excess--)
		child_drain(children_least_busy(&p->children), 0, drain_ms);
}

/* A worker answers only once, so it is told again what to watch for. */
static void tell_what_to_watch(struct pool *p)
{
	const struct leash_message m = {
		.word = LEASH_SLOTS, .low_free = p->scaler.low_free, .low_open = p->scaler.low_open,
	};
	const bool is_new = m.low_free != p->low_free || m.low_open != p->low_open;

	p->low_free = m.low_free;
	p->low_open = m.low_open;
	for (size_t i = 0; i < p->children.n; i++) {
		struct child *c = &p->children.all[i];

		if (c->state != CHILD_ACCEPTING)
			continue;
		c->watches &= !is_new;
		if (!c->watches && (m.low_free > 0 || m.low_open > 0))
			c->watches = child_tell(c, &m) == 0;
	}
}

/* Something has changed that may change how many are wanted. */
static void review(struct pool *p)
{
	struct scaler_counts now;
	bool news;

	if (p->adopted)
		return;
	drain_excess(p);
	now = children_count(&p->children);
	news = scaler_review(&p->scaler, &now);
	drain_excess(p);
	start_missing(p);
	tell_what_to_watch(p);
	/* A pool that needs no worker now stays failed until one of its workers accepts. */
	p->failed = p->failed && (now.accepting == 0 || !pool_is_complete(p));
	if (news)
		p->context->changed(p->context->arg, p);
}

static void on_look(struct scaler *s)
{
	review(container_of(s, struct pool, scaler));
}

/* A worker that hangs does not count any more: another one takes its place at once. */
static void on_aborted(struct hang_monitor *h)
{
	struct pool *p = container_of(h, struct pool, hang_monitor);

	review(p);
	p->context->changed(p->context->arg, p);
}

static bool set_workers(struct pool *p, int n, bool as_least)
{
	if (!scaler_set(&p->scaler, n, as_least))
		return false;
	review(p);
	p->context->changed(p->context->arg, p);
	return true;
}

bool pool_scale_to(struct pool *p, int n)
{
	return set_workers(p, n, true);
}

bool pool_scale(struct pool *p, int by)
{
	return set_workers(p, p->scaler.wanted + by, false);
}

static void want_none(struct pool *p)
{
	const struct scaler_counts now = children_count(&p->children);

	scaler_end(&p->scaler, &now);
	p->serves = false;
	timer_unset(&p->context->loop->timers, &p->leaving);
	timer_unset(&p->context->loop->timers, &p->delayed);
	program_watch_end(&p->programs);
}

void pool_drain(struct pool *p, uint64_t removed, int64_t drain_ms)
{
	want_none(p);
	for (size_t i = 0; i < p->children.n; i++)
		child_drain(&p->children.all[i], removed, drain_ms);
}

void pool_suspend(struct pool *p)
{
	log_about(LOG_LEVEL_INFO, LOG_ABOUT(.service = p->service->name, .event = LOG_EVENT_SUSPENDED),
	          "%s: draining its workers; clients wait until it is resumed", p->service->name);
	if (pool_works(p))
		pool_drain(p, 0, p->service->timeouts.drain);
}

static void on_left(struct timer *t)
{
	struct pool *p = container_of(t, struct pool, leaving);

	pool_suspend(p);
	p->context->changed(p->context->arg, p);
}

void pool_leave(struct pool *p, int64_t leave_ms)
{
	loop_timer(p->context->loop, &p->leaving, leave_ms);
}

void pool_stay(struct pool *p)
{
	timer_unset(&p->context->loop->timers, &p->leaving);
}

void pool_stop(struct pool *p)
{
	want_none(p);
	for (size_t i = 0; i < p->children.n; i++)
		child_stop(&p->children.all[i]);
}

/* ---- what workers say and are told -------------------------------------- */

/* A worker was woken for a connection that it cannot take: another one may take it. */
static void let_others_look(struct pool *p, const struct child *who)
{
	for (size_t i = 0; i < p->children.n; i++)
		if (&p->children.all[i] != who && p->children.all[i].state == CHILD_ACCEPTING)
			child_tell(&p->children.all[i], &(struct leash_message){ .word = LEASH_LOOK });
}

static void look_at_programs(struct pool *p)
{
	if (program_watch_look(&p->programs))
		p->context->changed(p->context->arg, p);
}

static void on_heard(struct child *c, enum leash_word word)
{
	struct pool *p = c->arg;

	switch (word) {
	case LEASH_LOOK:
		let_others_look(p, c);
		return;
	case LEASH_SLOTS:       /* other workers may say it in this turn, too */
		scaler_look_soon(&p->scaler);
		return;
	case LEASH_PROGRAMS:
		look_at_programs(p);
		return;
	case LEASH_REFUSING:
		service_state_look(p->state_of_service);
		return;
	case LEASH_READY:
		look_at_programs(p);
		notify_send(p->context->events, "worker-ready service=%s pid=%d generation=%u",
		            p->service->name, (int)c->pid, p->generation);
		break;
	case LEASH_DRAIN:
	case LEASH_RETIRE:
	case LEASH_LOGS:
	case LEASH_KICK:
	case LEASH_NO_SUCH:
	case LEASH_PING:
	case LEASH_END:
	case LEASH_KEYS:
	case LEASH_FACTS:
	case LEASH_WORDS:
		break;
	}
	log_about(LOG_LEVEL_DEBUG, LOG_ABOUT(.service = p->service->name, .worker = LOG_WORKER(c->slot)),
	          "%s: worker (pid %d) %s", p->service->name, (int)c->pid,
	          word == LEASH_READY ? "accepts" : word == LEASH_DRAIN ? "drains" : "retires");
	review(p);
	p->context->changed(p->context->arg, p);
}

static void on_broken(struct child *c)
{
	struct pool *p = c->arg;

	review(p);
	p->context->changed(p->context->arg, p);
}

static void on_kicked(struct child *c, uint64_t number, bool found)
{
	struct pool *p = c->arg;

	p->context->kicked(p->context->arg, c->pid, number, found);
}

void pool_send_logs(struct pool *p, const struct log_sink *log, const struct log_sink *access_log)
{
	const struct leash_message m = {
		.word = LEASH_LOGS,
		.fds = { [LEASH_FD_LOG] = log ? log_sink_fd(log) : -1,
		         [LEASH_FD_ACCESS_LOG] = access_log ? log_sink_fd(access_log) : -1 },
	};

	for (size_t i = 0; i < p->children.n; i++) {
		const struct child *c = &p->children.all[i];

		if (c->state == CHILD_NONE || child_tell(c, &m) == 0)
			continue;
		if (errno != EPIPE && errno != ECONNRESET)      /* it has ended, and will be waited for */
			log_about(LOG_LEVEL_WARNING,
			          LOG_ABOUT(.service = p->service->name, .worker = LOG_WORKER(c->slot)),
			          "%s: hand the logs to worker %d: %m", p->service->name, (int)c->pid);
	}
}

/* ---- deaths ------------------------------------------------------------- */

enum pool_kick pool_kick(struct pool *p, pid_t pid, uint64_t number)
{
	const struct leash_message m = { .word = LEASH_KICK, .number = number };
	const struct child *c = children_find(&p->children, pid);

	if (!c)
		return POOL_KICK_NOT_OURS;
	return child_tell(c, &m) == -1 ? POOL_KICK_FAILED : POOL_KICK_TOLD;
}

/* Collects what is known of a worker that has died, before its slot is reset. */
static struct evidence gather_evidence(const struct pool *p, const struct child *c, int status)
{
	struct evidence e = {
		.service = p->service->name,
		.module = p->service->handler.module.path ? &p->service->handler.module : NULL,
		.pid = c->pid, .generation = p->generation,
		.status = status, .now_ms = p->context->loop->now_ms,
		.age_ms = p->context->loop->now_ms - c->born_ms,
		.waited_in = c->state == CHILD_HANGING && *c->waited_in ? c->waited_in : NULL,
		.still_ms = c->still_ms,
	};

	e.is_ours = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && c->state >= CHILD_STOPPING &&
	            !e.waited_in;

	evidence_look(&e, p->memory.board, children_index(&p->children, c));
	return e;
}

static void report_crash(const struct pool *p, struct evidence *e, size_t i)
{
	evidence_take_input(e, p->memory.board, i);
	p->context->crashed(p->context->arg, e);
	evidence_free_input(e);
}

bool pool_reaped(struct pool *p, pid_t pid, int status)
{
	struct child *c = children_find(&p->children, pid);
	struct evidence e;
	enum child_state was;

	if (!c)
		return false;
	was = c->state;
	e = gather_evidence(p, c, status);
	totals_add_worker(&p->totals, &e.said, status);
	child_reclaim(c, &e);
	key_holder_disconnect(p->key_holder, p->key_service, children_index(&p->children, c));
	if (WIFSIGNALED(status))
		report_crash(p, &e, children_index(&p->children, c));
	service_state_worker_ended(p->state_of_service, &p->member, children_index(&p->children, c),
	                           WIFEXITED(status) && WEXITSTATUS(status) == 0);
	board_reset(p->memory.board, children_index(&p->children, c), BOARD_FREE);
	if (!p->adopted &&
	    (was == CHILD_STARTING || was == CHILD_ACCEPTING || was == CHILD_HANGING))
		slow_down(p, was == CHILD_STARTING);
	review(p);
	p->context->changed(p->context->arg, p);
	return true;
}

void pool_add_totals(struct pool *p, const struct pool *gone)
{
	totals_add(&p->totals, &gone->totals);
}

/* ---- the pool ----------------------------------------------------------- */

static struct pool *make_pool(struct pool_context *context, const struct conf_service *service,
                              unsigned int generation)
{
	struct pool *p = calloc(1, sizeof *p);

	if (!p)
		return NULL;
	p->context = context;
	p->service = service;
	p->generation = generation;
	p->module = -1;
	p->delayed.fire = on_delay_over;
	p->leaving.fire = on_left;
	p->hang_monitor = (struct hang_monitor){ .service = service, .children = &p->children,
	                           .loop = context->loop, .events = context->events,
	                           .aborted = on_aborted };
	p->programs = (struct program_watch){ .service = service, .children = &p->children,
	                                      .loop = context->loop, .events = context->events };
	return p;
}

static struct child blank_child(struct pool *p)
{
	return (struct child){ .leash = { -1, -1 }, .ear.fd = -1, .loop = p->context->loop,
	                       .events = p->context->events, .service = p->service->name,
	                       .heard = on_heard, .broken = on_broken, .kicked = on_kicked, .arg = p };
}

static struct pool_memory_size size_of_memory(const struct conf_service *service, size_t n_workers)
{
	return (struct pool_memory_size){ .workers = n_workers,
	                                  .connections = (size_t)service->connections,
	                                  .input = service->crash_capture };
}

/* Makes its memory, or adopts that of past. 0, or -1 with errno. */
static int get_memory(struct pool *p, const struct pool_memory_size *size, const struct pool_past *past)
{
	if (!p->state_of_service)
		p->state_of_service = service_states_use(p->context->states, p->service);
	if (!p->state_of_service)
		return -1;
	/* This comes last: until then, the descriptors in past are the caller's. */
	if ((past ? pool_memory_adopt(&p->memory, size, &past->memory)
	          : pool_memory_make(&p->memory, size)) == -1)
		return -1;
	service_state_join(p->state_of_service, &p->member, p->memory.holds);
	return 0;
}

struct pool *pool_new(struct pool_context *context, const struct conf_service *service,
                      unsigned int generation, int64_t shutdown_timeout_ms,
                      struct listening *const *sockets, size_t n_sockets)
{
	struct pool *p = make_pool(context, service, generation);
	struct pool_memory_size size;
	struct child blank;

	if (!p)
		return NULL;
	blank = blank_child(p);
	p->shutdown_timeout_ms = shutdown_timeout_ms;
	p->n_listeners = n_sockets;
	for (size_t i = 0; i < n_sockets; i++) {
		p->listeners[i] = sockets[i]->fd;
		p->listens[i] = sockets[i]->wish.listen;
	}
	p->scaler = (struct scaler){ .service = service, .loop = context->loop,
	                             .events = context->events, .listeners = p->listeners,
	                             .n_listeners = n_sockets, .look = on_look };
	/* Room for as many workers that drain as for those that work. */
	size = size_of_memory(service, (size_t)service->workers.max * 2);
	if (children_init(&p->children, size.workers, &p->memory, &blank) == -1 ||
	    get_memory(p, &size, NULL) == -1)
		pool_free(&p);
	return p;
}

void pool_use_logs(struct pool *p, struct log_sink *access_log, struct log_pipes *writers)
{
	p->access_log = access_log;
	p->log_pipes = writers;
}

void pool_use_keys(struct pool *p, struct key_holder *holder, size_t service)
{
	p->key_holder = holder;
	p->key_service = service;
}

void pool_use_module(struct pool *p, int module)
{
	p->module = module;
}

struct pool *pool_adopt(struct pool_context *context, const struct conf_service *service,
                        unsigned int generation, struct service_state *state,
                        const struct pool_past *past)
{
	struct pool *p = make_pool(context, service, generation);
	struct pool_memory_size size;
	struct child blank;

	if (!p) {
		service_state_release(&state);
		return NULL;
	}
	blank = blank_child(p);
	p->state_of_service = state;
	p->adopted = true;
	p->state = past->state;
	p->serves = !past->state.drained;
	p->totals = past->totals;
	size = size_of_memory(service, past->n_places);
	if (children_init(&p->children, size.workers, &p->memory, &blank) == -1 ||
	    get_memory(p, &size, past) == -1)
		pool_free(&p);
	return p;
}

void pool_adopt_worker(struct pool *p, size_t i, const struct child_past *past)
{
	child_adopt(&p->children.all[i], past);
	/* Workers that write to a board that we cannot read would all seem to stand still. */
	if (!p->memory.has_foreign_board)
		hang_monitor_start(&p->hang_monitor);
}

void pool_free(struct pool **pp)
{
	struct pool *p = *pp;

	*pp = NULL;
	if (!p)
		return;
	want_none(p);
	hang_monitor_stop(&p->hang_monitor);
	children_fini(&p->children);
	service_state_leave(&p->member);
	service_state_release(&p->state_of_service);
	pool_memory_free(&p->memory);
	fd_close(&p->module);
	free(p);
}

void pool_forget_memory(struct pool *p)
{
	pool_memory_free(&p->memory);
}

void pool_start(struct pool *p)
{
	p->failed = false;              /* what failed before a drain does not count */
	scaler_start(&p->scaler);
	start_missing(p);
	p->context->changed(p->context->arg, p);        /* on demand, it is ready at once */
}

void pool_continue(struct pool *p, const struct pool_state *state)
{
	const int max = p->service->workers.max;

	p->restart = state->restart;
	p->failed = state->failed;
	if (!state->drained)
		scaler_start(&p->scaler);
	if (state->workers > 0)
		scaler_set(&p->scaler, state->workers < max ? state->workers : max, true);
	if (state->leaving_ms > 0 && !state->drained)
		loop_timer_at(p->context->loop, &p->leaving, state->leaving_ms);
	if (state->delayed_ms > 0)
		loop_timer_at(p->context->loop, &p->delayed, state->delayed_ms);
	start_missing(p);
	p->context->changed(p->context->arg, p);
}
