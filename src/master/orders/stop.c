/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Stops the server: gives up what is under way, tells all workers to finish or to end, and tells
 * the service manager that this goes on. How a worker is ended is decided by its pool.
 */
#include <config.h>
#include "stop.h"

#include <stdio.h>

#include "clock.h"
#include "log.h"
#include "reload.h"
#include "takeover.h"
#include "upgrade.h"

#define EXTEND_EVERY_MS 5000            /* the interval of EXTEND_TIMEOUT_USEC=, */
#define EXTEND_BY_US    15000000        /* and the time that each asks for */

static const struct {
	enum phase  leaving;            /* comes first if load balancers ask; that of NOW never does */
	enum phase  phase;
	const char *mode;               /* in the event */
	const char *what;               /* in the log */
} ways[] = {
	[ORDER_STOP_DRAIN] = { PHASE_LEAVING,      PHASE_DRAINING, "drain", "finishing what is open" },
	[ORDER_STOP_WAIT]  = { PHASE_LEAVING_WAIT, PHASE_WAITING,  "wait",  "waiting for what is open" },
	[ORDER_STOP_NOW]   = { PHASE_ENDING,       PHASE_ENDING,   "now",   "ending what is open" },
};

void stop_extend(struct master *m)
{
	char message[64];

	snprintf(message, sizeof message, "EXTEND_TIMEOUT_USEC=%d%s", EXTEND_BY_US,
	         m->watchdog_ms > 0 ? "\nWATCHDOG=1" : "");
	master_notify(m, message);
}

static void on_extend(struct timer *t)
{
	struct master *m = container_of(t, struct master, extend);

	stop_extend(m);
	loop_timer(&m->loop, t, EXTEND_EVERY_MS);
}

static void on_stop_limit(struct timer *t)
{
	struct master *m = container_of(t, struct master, stop_limit);

	log_warn("%d workers are not finished after shutdown_timeout", master_workers(m));
	stop_begin(m, ORDER_STOP_NOW);
}

static void on_lame_duck_over(struct timer *t)
{
	struct master *m = container_of(t, struct master, lame_duck);

	stop_begin(m, m->phase == PHASE_LEAVING_WAIT ? ORDER_STOP_WAIT : ORDER_STOP_DRAIN);
}

void stop_init(struct master *m)
{
	m->extend.fire = on_extend;
	m->lame_duck.fire = on_lame_duck_over;
	m->stop_limit.fire = on_stop_limit;
}

/* No client of the control socket gets what it waits for. */
static void fail_outcomes(struct master *m)
{
	if (m->outcome.kind != OUTCOME_NONE)
		outcome_fail(&m->outcome, CONTROL_STOPPING, "the server stops");
	if (m->reopening.kind != OUTCOME_NONE)
		outcome_fail(&m->reopening, CONTROL_STOPPING, "the server stops");
}

/* What the first stop does, whichever way it is. */
static void give_up_others(struct master *m)
{
	reload_cancel(m);
	upgrade_cancel(m);
	takeover_cancel(m);
	fail_outcomes(m);
	master_notify(m, "STOPPING=1");
	on_extend(&m->extend);
}

/* From here on no client is accepted: what tells others of the server must end here, too. */
static void close_listeners(struct master *m)
{
	struct generation *g;

	timer_unset(&m->loop.timers, &m->lame_duck);
	fail_outcomes(m);
	list_each(&m->generations, g, struct generation, in_master)
		generation_finish(g);
	status_holder_refuse_balancers(m->status);
}

/* A server that starts, or whose services are all drained, is one that no balancer sends clients to. */
static bool leaves_first(const struct master *m, enum order order)
{
	const enum phase next = ways[order].leaving;

	return lifecycle_is_leaving(next) && lifecycle_may_follow(m->phase, next) && m->current &&
	       m->current->lame_duck_ms > 0 && generation_works(m->current);
}

/* QUIT, and then TERM: the time does not begin again. */
static void begin_leaving(struct master *m, enum order order)
{
	const bool first = !lifecycle_is_stopping(m->phase);
	const int64_t leave_ms = m->current->lame_duck_ms;
	struct generation *coming = m->coming;

	if (!master_enter(m, ways[order].leaving))
		return;
	if (first) {
		give_up_others(m);
		if (coming)
			generation_drain(coming);
		loop_timer(&m->loop, &m->lame_duck, leave_ms);
		log_about(LOG_LEVEL_INFO, LOG_ABOUT(.event = LOG_EVENT_LEAVING),
		          "leaving: load balancers are told, and the server stops after %lld ms"
		          " (agent.lame_duck)", (long long)leave_ms);
	}
	notify_send(m->events, "leaving mode=%s", ways[order].mode);
}

static void begin_stopping(struct master *m, enum order order)
{
	const enum phase before = m->phase;
	struct generation *g;
	int64_t limit_ms;

	if (!master_enter(m, ways[order].phase))
		return;
	log_about(LOG_LEVEL_INFO, LOG_ABOUT(.event = LOG_EVENT_STOPPING), "stopping: %s", ways[order].what);
	notify_send(m->events, "stopping mode=%s", ways[order].mode);
	if (!lifecycle_is_stopping(before))
		give_up_others(m);
	if (!lifecycle_is_stopping(before) || lifecycle_is_leaving(before))
		close_listeners(m);
	timer_unset(&m->loop.timers, &m->stop_limit);
	if (order == ORDER_STOP_DRAIN && m->current) {
		limit_ms = m->current->conf->shutdown_timeout;
		loop_timer_at(&m->loop, &m->stop_limit, clock_deadline(m->loop.now_ms, limit_ms));
	}
	if (order == ORDER_STOP_NOW)
		list_each(&m->generations, g, struct generation, in_master)
			generation_stop(g);
	stop_check(m);
}

void stop_begin(struct master *m, enum order order)
{
	if (leaves_first(m, order))
		begin_leaving(m, order);
	else
		begin_stopping(m, order);
}

void stop_check(struct master *m)
{
	if (lifecycle_is_stopping(m->phase) && !lifecycle_is_leaving(m->phase) && master_workers(m) == 0)
		loop_stop(&m->loop);
}
