/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Keeps as many workers as are wanted, and their slots on the board in step
 * with them.
 */
#include <config.h>
#include "pool.h"

#include <stdlib.h>
#include <sys/wait.h>

#include "child.h"
#include "life.h"
#include "log.h"

struct pool {
	struct pool_context       *context;
	const struct conf_service *service;
	unsigned int               generation;
	int64_t                    shutdown_timeout_ms;
	int                        listeners[CONF_LISTEN_MAX];
	size_t                     n_listeners;
	struct board              *board;
	int                        target;      /* workers wanted */
	bool                       failed;      /* one could not start; until all that are wanted accept */
	struct restart             restart;
	struct timer               delayed;     /* set: no births until then */
	struct pool_totals         totals;
	size_t                     n;           /* children, as many as slots on the board */
	struct child               children[];
};

/* ---- counting ----------------------------------------------------------- */

struct pool_census pool_census(const struct pool *p)
{
	struct pool_census c = { 0 };

	for (size_t i = 0; i < p->n; i++)
		switch (p->children[i].state) {
		case CHILD_NONE:
			break;
		case CHILD_STARTING:
			c.starting++;
			break;
		case CHILD_ACCEPTING:
			c.accepting++;
			break;
		case CHILD_DRAINING:
		case CHILD_STOPPING:
			c.draining++;
			break;
		}
	return c;
}

int pool_target(const struct pool *p)
{
	return p->target;
}

bool pool_is_complete(const struct pool *p)
{
	return pool_census(p).accepting >= p->target;
}

bool pool_has_failed(const struct pool *p)
{
	return p->failed;
}

struct pool_totals pool_totals(const struct pool *p)
{
	return p->totals;
}

static size_t index_of(const struct pool *p, const struct child *c)
{
	return (size_t)(c - p->children);
}

/* ---- births ------------------------------------------------------------- */

static _Noreturn void be_worker(struct pool *p, size_t slot, int leash)
{
	const struct pool_context *x = p->context;
	const struct worker_start start = {
		.service = p->service, .shutdown_timeout_ms = p->shutdown_timeout_ms,
		.listeners = p->listeners, .n_listeners = p->n_listeners, .leash = leash,
		.board = p->board, .slot = slot, .log = x->log, .access_log = x->access_log,
		.log_level = x->log_level, .detached = x->detached, .events = x->events,
		.nofile = x->nofile,
	};

	x->forget(x->arg, p);
	life_of_worker(&start);
}

/* False, with errno, if there is none more. */
static bool spawn(struct pool *p, struct child *c)
{
	int leash;
	pid_t pid;

	board_reset(p->board, index_of(p, c), BOARD_STARTING);
	pid = child_fork(c, p->service->timeouts.start, &leash);
	if (pid == 0)
		be_worker(p, index_of(p, c), leash);
	if (pid == -1)
		return false;
	notify_send(p->context->events, "worker-start service=%s pid=%d generation=%u",
	            p->service->name, (int)pid, p->generation);
	return true;
}

static struct child *free_place(struct pool *p)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->children[i].state == CHILD_NONE)
			return &p->children[i];
	return NULL;
}

/* One has died, or could not be born. Others wait if that is the way it goes here. */
static void slow_down(struct pool *p, bool early)
{
	int64_t wait_ms;

	p->failed |= early;
	if (timer_is_set(&p->delayed))
		return;         /* of those that died together, the first counts */
	wait_ms = restart_after_death(&p->restart, &p->service->restart, early,
	                              p->context->loop->now_ms);
	if (wait_ms == 0 || p->target == 0)
		return;
	log_warn("%s: the next worker starts in %lld ms", p->service->name, (long long)wait_ms);
	notify_send(p->context->events, "worker-delayed service=%s delay_ms=%lld",
	            p->service->name, (long long)wait_ms);
	loop_timer(p->context->loop, &p->delayed, wait_ms);
}

/* How many to start now: only one, to see how it fares, while none can. */
static int n_missing(const struct pool *p)
{
	struct pool_census now = pool_census(p);
	int missing = p->target - now.starting - now.accepting;

	if (timer_is_set(&p->delayed) || missing <= 0)
		return 0;
	if (p->failed && now.accepting == 0)
		return now.starting > 0 ? 0 : 1;
	return missing;
}

static void fill(struct pool *p)
{
	struct child *c;

	/* Without a free place a draining one will make room. */
	for (int i = n_missing(p); i > 0 && (c = free_place(p)); i--)
		if (!spawn(p, c)) {
			log_err("%s: start a worker: %m", p->service->name);
			slow_down(p, true);
			p->context->changed(p->context->arg, p);
			return;
		}
}

static void on_delay_over(struct timer *t)
{
	fill(container_of(t, struct pool, delayed));
}

/* ---- fewer, or none ----------------------------------------------------- */

/* One that has not begun; else, of those that accept, the one with the fewest connections. */
static struct child *least_busy(struct pool *p)
{
	struct child *best = NULL;
	uint32_t fewest = UINT32_MAX;

	for (size_t i = 0; i < p->n; i++) {
		uint32_t open = atomic_load(&board_slot(p->board, i)->open);

		if (p->children[i].state == CHILD_STARTING)
			return &p->children[i];
		if (p->children[i].state == CHILD_ACCEPTING && (!best || open < fewest)) {
			best = &p->children[i];
			fewest = open;
		}
	}
	return best;
}

/* As many go as are too many. */
static void trim(struct pool *p)
{
	struct pool_census now = pool_census(p);

	for (int excess = now.starting + now.accepting - p->target; excess > 0; excess--)
		child_drain(least_busy(p), 0, p->service->timeouts.drain);
}

bool pool_scale(struct pool *p, int by)
{
	int target = p->target + by;

	if (target < 1 || target > p->service->workers_max || p->target == 0)
		return false;
	p->target = target;
	trim(p);
	fill(p);
	notify_send(p->context->events, "scaled service=%s workers=%d", p->service->name, target);
	return true;
}

static void want_none(struct pool *p)
{
	p->target = 0;
	timer_unset(&p->context->loop->timers, &p->delayed);
}

void pool_drain(struct pool *p, uint64_t removed, int64_t drain_ms)
{
	want_none(p);
	for (size_t i = 0; i < p->n; i++)
		child_drain(&p->children[i], removed, drain_ms);
}

void pool_stop(struct pool *p)
{
	want_none(p);
	for (size_t i = 0; i < p->n; i++)
		child_stop(&p->children[i]);
}

/* ---- what workers say and are told -------------------------------------- */

/* A worker was woken for a connection that it cannot take: one of the others may. */
static void let_others_look(struct pool *p, const struct child *who)
{
	for (size_t i = 0; i < p->n; i++)
		if (&p->children[i] != who && p->children[i].state == CHILD_ACCEPTING)
			child_tell(&p->children[i], &(struct leash_message){ .word = LEASH_LOOK });
}

static void on_heard(struct child *c, enum leash_word word)
{
	struct pool *p = c->arg;

	if (word == LEASH_LOOK) {
		let_others_look(p, c);
		return;
	}
	if (word == LEASH_READY)
		notify_send(p->context->events, "worker-ready service=%s pid=%d generation=%u",
		            p->service->name, (int)c->pid, p->generation);
	log_debug("%s: worker (pid %d) %s", p->service->name, (int)c->pid,
	          word == LEASH_READY ? "accepts" : "drains");
	trim(p);
	fill(p);
	p->failed = p->failed && !pool_is_complete(p);
	p->context->changed(p->context->arg, p);
}

void pool_send_logs(struct pool *p, int log_fd, int access_log_fd)
{
	const struct leash_message m = {
		.word = LEASH_LOGS,
		.fds = { [LEASH_FD_LOG] = log_fd, [LEASH_FD_ACCESS_LOG] = access_log_fd },
	};

	for (size_t i = 0; i < p->n; i++)
		if (p->children[i].state != CHILD_NONE && child_tell(&p->children[i], &m) == -1)
			log_warn("%s: hand the logs to worker %d: %m", p->service->name,
			         (int)p->children[i].pid);
}

/* ---- deaths ------------------------------------------------------------- */

static struct child *find(struct pool *p, pid_t pid)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->children[i].state != CHILD_NONE && p->children[i].pid == pid)
			return &p->children[i];
	return NULL;
}

/* What it said of itself lasts. */
static void add_up(struct pool_totals *t, const struct board_worker_view *v, int status)
{
	t->accepted += v->accepted;
	t->served += v->served;
	t->bytes_in += v->bytes_in;
	t->bytes_out += v->bytes_out;
	t->requests += v->requests;
	t->killed += WIFSIGNALED(status);
}

bool pool_reaped(struct pool *p, pid_t pid, int status)
{
	struct child *c = find(p, pid);
	struct board_worker_view said;
	enum child_state was;

	if (!c)
		return false;
	was = c->state;
	board_view(p->board, index_of(p, c), &said);
	add_up(&p->totals, &said, status);
	child_bury(c, status, said.served, said.open);
	board_reset(p->board, index_of(p, c), BOARD_FREE);
	if (was == CHILD_STARTING || was == CHILD_ACCEPTING)
		slow_down(p, was == CHILD_STARTING);
	fill(p);
	p->context->changed(p->context->arg, p);
	return true;
}

/* ---- the pool ----------------------------------------------------------- */

struct pool *pool_new(struct pool_context *context, const struct conf_service *service,
                      unsigned int generation, int64_t shutdown_timeout_ms,
                      struct listening *const *sockets, size_t n_sockets)
{
	/* Room for as many that drain beside those that work. */
	const size_t n = (size_t)service->workers_max * 2;
	struct pool *p = calloc(1, sizeof *p + n * sizeof p->children[0]);

	if (!p)
		return NULL;
	p->context = context;
	p->service = service;
	p->generation = generation;
	p->shutdown_timeout_ms = shutdown_timeout_ms;
	p->delayed.fire = on_delay_over;
	p->n_listeners = n_sockets;
	for (size_t i = 0; i < n_sockets; i++)
		p->listeners[i] = sockets[i]->fd;
	p->n = n;
	for (size_t i = 0; i < n; i++)
		p->children[i] = (struct child){ .leash.fd = -1, .loop = context->loop,
		                                 .events = context->events,
		                                 .service = service->name, .arg = p,
		                                 .heard = on_heard };
	p->board = board_new(n, (size_t)service->connections);
	if (!p->board)
		pool_free(&p);
	return p;
}

void pool_free(struct pool **pp)
{
	struct pool *p = *pp;

	*pp = NULL;
	if (!p)
		return;
	timer_unset(&p->context->loop->timers, &p->delayed);
	board_free(&p->board);
	free(p);
}

void pool_forget_board(struct pool *p)
{
	board_free(&p->board);
}

void pool_start(struct pool *p)
{
	p->target = p->service->workers;
	fill(p);
}
