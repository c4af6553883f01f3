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
	enum phase  phase;
	const char *mode;               /* in the event */
	const char *what;               /* in the log */
} ways[] = {
	[ORDER_STOP_DRAIN] = { PHASE_DRAINING, "drain", "finishing what is open" },
	[ORDER_STOP_WAIT]  = { PHASE_WAITING,  "wait",  "waiting for what is open" },
	[ORDER_STOP_NOW]   = { PHASE_ENDING,   "now",   "ending what is open" },
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

void stop_init(struct master *m)
{
	m->extend.fire = on_extend;
	m->stop_limit.fire = on_stop_limit;
}

/* What the first stop does, whichever way it is. */
static void close_listeners(struct master *m)
{
	struct generation *g;

	reload_cancel(m);
	upgrade_cancel(m);
	takeover_cancel(m);
	if (m->outcome.kind != OUTCOME_NONE)
		outcome_fail(&m->outcome, CONTROL_STOPPING, "the server stops");
	if (m->reopening.kind != OUTCOME_NONE)
		outcome_fail(&m->reopening, CONTROL_STOPPING, "the server stops");
	master_notify(m, "STOPPING=1");
	on_extend(&m->extend);
	list_each(&m->generations, g, struct generation, in_master)
		generation_finish(g);
}

void stop_begin(struct master *m, enum order order)
{
	const bool first = !lifecycle_is_stopping(m->phase);
	struct generation *g;
	int64_t limit_ms;

	if (!master_enter(m, ways[order].phase))
		return;
	log_about(LOG_LEVEL_INFO, LOG_ABOUT(.event = LOG_EVENT_STOPPING), "stopping: %s", ways[order].what);
	notify_send(m->events, "stopping mode=%s", ways[order].mode);
	if (first)
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

void stop_check(struct master *m)
{
	if (lifecycle_is_stopping(m->phase) && master_workers(m) == 0)
		loop_stop(&m->loop);
}
