/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Births and deaths of workers. Keeps slots and children in step.
 *
 * Only pids that were forked here are ever signalled, and only until they have
 * been waited for.
 */
#include <config.h>
#include "pool.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "fd.h"
#include "life.h"
#include "log.h"
#include "programs.h"
#include "signals.h"

#define KILL_AFTER_MS (PROGRAM_KILL_MS + 2000)  /* from TERM: its programs have PROGRAM_KILL_MS */

enum child_state {
	CHILD_NONE,             /* this place is free */
	CHILD_STARTING,         /* forked */
	CHILD_ACCEPTING,        /* it said so */
	CHILD_DRAINING,         /* told to finish */
	CHILD_STOPPING,         /* sent TERM */
};

struct child {
	struct pool     *pool;
	enum child_state state;
	pid_t            pid;
	int64_t          born_ms;
	struct watch     leash;
	struct timer     timer;         /* what its state allows it: to start, to drain, to go */
};

struct pool {
	struct pool_context       *context;
	const struct conf_service *service;
	unsigned int               generation;
	int64_t                    shutdown_timeout_ms;
	int                        listeners[CONF_LISTEN_MAX];
	size_t                     n_listeners;
	struct board              *board;
	int                        target;      /* workers wanted */
	struct restart             restart;
	struct timer               delayed;     /* set: no births until then */
	bool                       failing;     /* died before accepting; none has accepted since */
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

const struct conf_service *pool_service(const struct pool *p)
{
	return p->service;
}

int pool_target(const struct pool *p)
{
	return p->target;
}

bool pool_is_complete(const struct pool *p)
{
	return pool_census(p).accepting >= p->target;
}

bool pool_is_failing(const struct pool *p)
{
	return p->failing;
}

static size_t index_of(const struct child *c)
{
	return (size_t)(c - c->pool->children);
}

/* ---- telling a worker --------------------------------------------------- */

static void signal_child(struct child *c, int signal)
{
	if (c->state != CHILD_NONE)
		kill(c->pid, signal);
}

static void stop_child(struct child *c)
{
	if (c->state == CHILD_NONE || c->state == CHILD_STOPPING)
		return;
	c->state = CHILD_STOPPING;
	signal_child(c, SIGTERM);
	loop_timer(c->pool->context->loop, &c->timer, KILL_AFTER_MS);
}

static void drain_child(struct child *c, uint64_t removed, int64_t drain_ms)
{
	struct pool *p = c->pool;
	const struct leash_message order = { .word = LEASH_DRAIN, .removed = removed };

	if (c->state == CHILD_STARTING) {
		stop_child(c);          /* it has no connections yet */
		return;
	}
	if (c->state != CHILD_ACCEPTING && c->state != CHILD_DRAINING)
		return;
	loop_timer_at(p->context->loop, &c->timer,
	              clock_deadline(p->context->loop->now_ms, drain_ms));
	if (c->state == CHILD_DRAINING)
		return;                 /* it only gets another limit */
	c->state = CHILD_DRAINING;
	if (leash_send(c->leash.fd, &order) == -1)
		signal_child(c, SIGQUIT);       /* means the same, but for `removed` */
	notify_send(p->context->events, "worker-drain service=%s pid=%d", p->service->name,
	            (int)c->pid);
}

static void on_child_timer(struct timer *t)
{
	struct child *c = container_of(t, struct child, timer);
	const char *name = c->pool->service->name;

	switch (c->state) {
	case CHILD_NONE:
	case CHILD_ACCEPTING:
		break;
	case CHILD_STARTING:
		log_warn("%s: worker (pid %d) did not start in time; killing it", name, (int)c->pid);
		signal_child(c, SIGKILL);
		break;
	case CHILD_DRAINING:
		log_info("%s: worker (pid %d) drained for as long as it may; stopping it", name,
		         (int)c->pid);
		stop_child(c);
		break;
	case CHILD_STOPPING:
		log_warn("%s: worker (pid %d) did not end on TERM; killing it", name, (int)c->pid);
		signal_child(c, SIGKILL);
		break;
	}
}

/* ---- births ------------------------------------------------------------- */

static void fill(struct pool *p);
static void trim(struct pool *p);

static void on_leash(struct watch *w, uint32_t events)
{
	struct child *c = container_of(w, struct child, leash);
	struct pool *p = c->pool;
	struct leash_message m;

	(void)events;
	switch (leash_receive(w->fd, &m)) {
	case LEASH_EMPTY:
		return;
	case LEASH_CLOSED:      /* SIGCHLD will tell the rest */
		loop_unwatch(p->context->loop, w);
		return;
	case LEASH_OK:
		break;
	}
	for (int i = 0; i < LEASH_FDS; i++)
		fd_close(&m.fds[i]);    /* a worker has none to give */
	if (m.word != LEASH_READY || c->state != CHILD_STARTING)
		return;
	c->state = CHILD_ACCEPTING;
	p->failing = false;
	timer_unset(&p->context->loop->timers, &c->timer);
	trim(p);
	fill(p);
	log_debug("%s: worker (pid %d) accepts", p->service->name, (int)c->pid);
	notify_send(p->context->events, "worker-ready service=%s pid=%d generation=%u",
	            p->service->name, (int)c->pid, p->generation);
	p->context->changed(p->context->arg, p);
}

static _Noreturn void be_worker(struct pool *p, size_t slot, int leash)
{
	const struct pool_context *x = p->context;
	const struct worker_start start = {
		.service = p->service, .shutdown_timeout_ms = p->shutdown_timeout_ms,
		.listeners = p->listeners, .n_listeners = p->n_listeners, .leash = leash,
		.board = p->board, .slot = slot, .log = x->log, .access_log = x->access_log,
		.log_level = x->log_level, .events = x->events, .nofile = x->nofile,
	};

	x->forget(x->arg, p);
	life_of_worker(&start);
}

static struct child *free_place(struct pool *p)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->children[i].state == CHILD_NONE)
			return &p->children[i];
	return NULL;
}

/* 0, or -1 with errno. */
static int spawn(struct pool *p, struct child *c)
{
	struct pool_context *x = p->context;
	int ours, its;
	pid_t pid;

	if (leash_open(&ours, &its) == -1)
		return -1;
	board_reset(p->board, index_of(c), BOARD_STARTING);
	pid = fork();
	if (pid == 0)
		be_worker(p, index_of(c), its);
	fd_drop(its);
	if (pid == -1)
		return fd_drop(ours);
	*c = (struct child){ .pool = p, .state = CHILD_STARTING, .pid = pid,
	                     .born_ms = x->loop->now_ms,
	                     .leash = { .fd = ours, .ready = on_leash },
	                     .timer.fire = on_child_timer };
	notify_send(x->events, "worker-start service=%s pid=%d generation=%u", p->service->name,
	            (int)pid, p->generation);
	if (loop_watch(x->loop, &c->leash, EPOLLIN) == -1)
		log_err("%s: watch a worker: %m", p->service->name);    /* it will not start in time */
	loop_timer_at(x->loop, &c->timer,
	              clock_deadline(x->loop->now_ms, p->service->timeouts.start));
	return 0;
}

static void delay(struct pool *p, int64_t ms)
{
	log_warn("%s: the next worker starts in %lld ms", p->service->name, (long long)ms);
	notify_send(p->context->events, "worker-delayed service=%s delay_ms=%lld",
	            p->service->name, (long long)ms);
	loop_timer(p->context->loop, &p->delayed, ms);
}

/* As many as are missing; only one, to see how it fares, while they die at birth. */
static void fill(struct pool *p)
{
	struct pool_census now = pool_census(p);
	int missing = p->target - now.starting - now.accepting;

	if (p->delayed.position != 0)
		return;
	if (p->failing && missing > 0)
		missing = now.starting > 0 ? 0 : 1;
	while (missing-- > 0) {
		struct child *c = free_place(p);

		if (!c)
			return;         /* a draining one will make room */
		if (spawn(p, c) == -1) {
			log_err("%s: start a worker: %m", p->service->name);
			delay(p, p->service->restart.delay_min);
			return;
		}
	}
}

static void on_delay_over(struct timer *t)
{
	fill(container_of(t, struct pool, delayed));
}

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
		p->children[i] = (struct child){ .pool = p, .leash.fd = -1 };
	p->board = board_new(n);
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
	board_close(&p->board);
	free(p);
}

void pool_forget_board(struct pool *p)
{
	board_close(&p->board);
}

void pool_start(struct pool *p)
{
	p->target = p->service->workers;
	fill(p);
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
		drain_child(least_busy(p), 0, p->service->timeouts.drain);
}

bool pool_scale(struct pool *p, int by)
{
	int target = p->target + by;

	if (target < 1 || target > p->service->workers_max || p->target == 0)
		return false;
	p->target = target;
	if (by > 0)
		fill(p);
	else
		trim(p);
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
		drain_child(&p->children[i], removed, drain_ms);
}

void pool_stop(struct pool *p)
{
	want_none(p);
	for (size_t i = 0; i < p->n; i++)
		stop_child(&p->children[i]);
}

void pool_send_logs(struct pool *p, int log_fd, int access_log_fd)
{
	const struct leash_message m = {
		.word = LEASH_LOGS,
		.fds = { [LEASH_FD_LOG] = log_fd, [LEASH_FD_ACCESS_LOG] = access_log_fd },
	};

	for (size_t i = 0; i < p->n; i++) {
		struct child *c = &p->children[i];

		if (c->state != CHILD_NONE && leash_send(c->leash.fd, &m) == -1)
			log_warn("%s: hand the logs to worker %d: %m", p->service->name, (int)c->pid);
	}
}

/* ---- deaths ------------------------------------------------------------- */

/* One line: a death that was asked for is nothing to worry about. */
static void log_death(const struct child *c, int status, uint32_t open, uint64_t served)
{
	const struct pool *p = c->pool;
	const bool by_signal = WIFSIGNALED(status);
	const bool expected = c->state >= CHILD_DRAINING && !by_signal && WEXITSTATUS(status) == 0;
	const int64_t age_ms = p->context->loop->now_ms - c->born_ms;
	char how[64];

	if (by_signal)
		snprintf(how, sizeof how, "was ended by signal %s%s", signals_name(WTERMSIG(status)),
		         WCOREDUMP(status) ? " (core dumped)" : "");
	else
		snprintf(how, sizeof how, "exited with status %d", WEXITSTATUS(status));
	log_line(expected ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARNING,
	         "%s: worker (pid %d) %s%s after %lld.%03lld s, %llu connections served, %u open",
	         p->service->name, (int)c->pid, how,
	         c->state == CHILD_STARTING ? " before it accepted" : "",
	         (long long)age_ms / 1000, (long long)age_ms % 1000, (unsigned long long)served, open);
	notify_send(p->context->events,
	            "worker-end service=%s pid=%d how=%s value=%d served=%llu open=%u",
	            p->service->name, (int)c->pid, by_signal ? "signal" : "exit",
	            by_signal ? WTERMSIG(status) : WEXITSTATUS(status),
	            (unsigned long long)served, open);
}

static void bury(struct child *c, int status)
{
	struct pool *p = c->pool;
	struct board_slot *slot = board_slot(p->board, index_of(c));
	struct loop *l = p->context->loop;

	log_death(c, status, atomic_load(&slot->open), atomic_load(&slot->served));
	timer_unset(&l->timers, &c->timer);
	loop_unwatch(l, &c->leash);
	fd_close(&c->leash.fd);
	board_reset(p->board, index_of(c), BOARD_FREE);
	c->state = CHILD_NONE;
}

static struct child *find(struct pool *p, pid_t pid)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->children[i].state != CHILD_NONE && p->children[i].pid == pid)
			return &p->children[i];
	return NULL;
}

bool pool_reaped(struct pool *p, pid_t pid, int status)
{
	struct child *c = find(p, pid);
	enum child_state was;
	int64_t wait_ms;

	if (!c)
		return false;
	was = c->state;
	bury(c, status);
	if (was == CHILD_STARTING || was == CHILD_ACCEPTING) {
		wait_ms = restart_after_death(&p->restart, &p->service->restart,
		                              was == CHILD_STARTING, p->context->loop->now_ms);
		if (was == CHILD_STARTING && pool_census(p).accepting == 0)
			p->failing = true;
		if (wait_ms > 0 && p->target > 0)
			delay(p, wait_ms);
	}
	fill(p);
	p->context->changed(p->context->arg, p);
	return true;
}
