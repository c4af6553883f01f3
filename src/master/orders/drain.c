/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Lets workers finish what is open and end, and starts new ones later. Clients wait in the queues
 * of the listening sockets meanwhile. It does not know which control client waits for the last
 * worker to end.
 */
#include <config.h>
#include "drain.h"

#include "log.h"

/* If it leaves already, that goes on. */
static void leave_service(struct master *m, const struct service *s)
{
	const int64_t leave_ms = m->current->lame_duck_ms;

	if (pool_is_leaving(s->pool))
		return;
	pool_leave(s->pool, leave_ms);
	log_about(LOG_LEVEL_INFO, LOG_ABOUT(.service = s->conf->name, .event = LOG_EVENT_LEAVING),
	          "%s: leaving; its workers drain after %lld ms (agent.lame_duck)", s->conf->name,
	          (long long)leave_ms);
	notify_send(m->events, "service-leaving service=%s", s->conf->name);
}

void drain_service(struct master *m, const struct service *s)
{
	if (pool_works(s->pool) && m->current->lame_duck_ms > 0)
		leave_service(m, s);
	else
		pool_suspend(s->pool);
	master_notify(m, "");
}

void drain_all(struct master *m)
{
	if (master_permit(m, ORDER_SUSPEND) != PERMIT_NOW) {
		log_warn("WINCH is for when the server serves; it is %s",
		         lifecycle_phase_name(m->phase));
		return;
	}
	m->suspended = true;
	generation_suspend(m->current);
	log_about(LOG_LEVEL_INFO, LOG_ABOUT(.event = LOG_EVENT_SUSPENDED),
	          "draining all workers; HUP starts new ones");
	notify_send(m->events, "resting");
	master_notify(m, "");
}

void drain_resume(struct master *m, const struct service *s)
{
	if (pool_works(s->pool))
		pool_stay(s->pool);
	else
		pool_start(s->pool);
	m->suspended = false;           /* one service works again */
	log_about(LOG_LEVEL_INFO, LOG_ABOUT(.service = s->conf->name, .event = LOG_EVENT_RESUMED),
	          "%s: resumed", s->conf->name);
}
