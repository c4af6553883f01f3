/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Closes the listeners and the connections of a worker that has to end. It does not know why the
 * worker has to end: worker_orders.c does. worker_check_end stops the loop.
 */
#include <config.h>
#include "worker_end.h"

#include "connection.h"

static void begin_to_drain(struct worker *w)
{
	w->draining = true;
	atomic_store(&w->slot->state, BOARD_DRAINING);
	if (w->handler->drain)
		w->handler->drain(w);
}

void worker_end_drain(struct worker *w, uint64_t removed)
{
	begin_to_drain(w);
	acceptor_drain(w->acceptor, removed);
	worker_check_end(w);
}

void worker_end_drop_listeners(struct worker *w)
{
	begin_to_drain(w);
	acceptor_drop(w->acceptor);
}

void worker_end_now(struct worker *w)
{
	worker_end_drop_listeners(w);
	connection_stop_all(w);
	programs_end(&w->programs);
	worker_check_end(w);
}

static void on_shutdown_timeout(struct timer *t)
{
	worker_end_now(container_of(t, struct worker, shutdown));
}

void worker_end_limit(struct worker *w)
{
	w->shutdown.fire = on_shutdown_timeout;
	if (w->start.shutdown_timeout_ms > 0)
		loop_timer(&w->loop, &w->shutdown, w->start.shutdown_timeout_ms);
}

void worker_end_unlimit(struct worker *w)
{
	timer_unset(&w->loop.timers, &w->shutdown);
}
