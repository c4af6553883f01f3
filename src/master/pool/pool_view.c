/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Describes a pool: for reports, for clients that wait for a change of it, and for the hand-over
 * to another program.
 */
#include <config.h>
#include "pool.h"

#include "pool_private.h"

struct children_census pool_census(const struct pool *p)
{
	return children_census(&p->children);
}

int pool_target(const struct pool *p)
{
	return p->adopted ? children_census(&p->children).accepting : p->scaler.wanted;
}

bool pool_is_complete(const struct pool *p)
{
	return children_census(&p->children).accepting >= p->scaler.floor;
}

bool pool_is_asleep(const struct pool *p)
{
	return scaler_is_asleep(&p->scaler);
}

/* limits.connections; 0: there is none. */
static uint64_t limit_of_service(const struct conf_service *s)
{
	return s->limits.dry_run ? 0 : (uint64_t)s->limits.connections;
}

/* TTIN and scale can raise a number of workers that is configured as fixed, up to max. */
static int most_workers(const struct pool *p)
{
	const struct conf_workers *w = &p->service->workers;

	return w->ranged ? w->max : p->scaler.works ? p->scaler.wanted : w->min;
}

uint64_t pool_limit(const struct pool *p)
{
	const int workers = p->adopted ? pool_target(p) : most_workers(p);
	const uint64_t slots = (uint64_t)workers * (uint64_t)p->service->connections;
	const uint64_t at_most = limit_of_service(p->service);

	if (p->adopted && p->state.limit > 0)
		return p->state.limit;
	return at_most > 0 && slots > at_most ? at_most : slots;
}

bool pool_is_exhausted(const struct pool *p)
{
	return p->scaler.exhaustion.lasts;
}

bool pool_has_failed(const struct pool *p)
{
	return p->failed;
}

bool pool_programs_fail(const struct pool *p, char why[BOARD_REASON_TEXT])
{
	return program_watch_fails(&p->programs, why);
}

bool pool_works(const struct pool *p)
{
	return p->adopted ? p->serves : p->scaler.works;
}

bool pool_is_leaving(const struct pool *p)
{
	return p->adopted ? p->serves && p->state.leaving_ms > p->context->loop->now_ms :
	       timer_is_set(&p->leaving);
}

bool pool_can_serve(const struct pool *p)
{
	return (pool_census(p).accepting > 0 || pool_is_asleep(p)) && !pool_programs_fail(p, NULL);
}

struct service_state *pool_service_state(const struct pool *p)
{
	return p->state_of_service;
}

const struct totals *pool_totals(const struct pool *p)
{
	return &p->totals;
}

int64_t pool_delay_ms(const struct pool *p)
{
	const int64_t left_ms = p->delayed.at_ms - p->context->loop->now_ms;

	return timer_is_set(&p->delayed) && left_ms > 0 ? left_ms : 0;
}

size_t pool_places(const struct pool *p)
{
	return p->children.n;
}

struct pool_worker pool_worker(const struct pool *p, size_t i)
{
	static const enum board_state states[] = {
		[CHILD_NONE] = BOARD_FREE, [CHILD_STARTING] = BOARD_STARTING,
		[CHILD_ACCEPTING] = BOARD_ACCEPTING, [CHILD_DRAINING] = BOARD_DRAINING,
		[CHILD_STOPPING] = BOARD_DRAINING, [CHILD_HANGING] = BOARD_DRAINING,
	};
	const struct child *c = &p->children.all[i];
	struct pool_worker w = { .pid = c->pid, .state = states[c->state], .born_ms = c->born_ms };

	board_view(p->memory.board, i, &w.said);
	w.still = c->state == CHILD_ACCEPTING && hang_detector_stands_still(&c->hang, w.said.turn_ms);
	return w;
}

const struct board *pool_board(const struct pool *p)
{
	return p->memory.board;
}

struct child_past pool_worker_past(const struct pool *p, size_t i)
{
	return child_past(&p->children.all[i]);
}

struct pool_state pool_state(const struct pool *p)
{
	struct pool_state o = {
		.drained = !p->scaler.works, .restart = p->restart,
		.failed = p->failed && children_census(&p->children).accepting == 0,
		.limit = pool_limit(p), .leaving_ms = timer_is_set(&p->leaving) ? p->leaving.at_ms : 0,
	};

	if (p->adopted)
		return p->state;
	if (p->scaler.works && p->scaler.floor != p->service->workers.min)
		o.workers = p->scaler.floor;
	/* While workers accept, the next program does not inherit the delay: it would leave the
	 * service without workers. */
	if (o.failed && timer_is_set(&p->delayed))
		o.delayed_ms = p->delayed.at_ms;
	return o;
}

struct pool_past pool_past(const struct pool *p)
{
	return (struct pool_past){ .n_places = p->children.n, .memory = pool_memory_past(&p->memory),
	                           .state = pool_state(p), .totals = p->totals };
}
