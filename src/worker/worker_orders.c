/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Obeys the orders that the master sends over the leash, notices the end of the master, and obeys
 * signals. It does not know how a worker ends: worker_end.c does.
 */
#include <config.h>
#include "worker_orders.h"

#include <signal.h>

#include "connection.h"
#include "fd.h"
#include "leash.h"
#include "log.h"
#include "signals.h"
#include "worker_end.h"

static void switch_logs(struct worker *w, const struct leash_message *m)
{
	struct log_sink *const sinks[LEASH_FDS] = {
		[LEASH_FD_LOG] = w->start.log,
		[LEASH_FD_ACCESS_LOG] = w->start.access_log,
	};

	for (int i = 0; i < LEASH_FDS; i++)
		if (m->fds[i] != -1 && sinks[i])
			log_sink_switch(sinks[i], m->fds[i]);
		else
			fd_drop(m->fds[i]);
	worker_event(w, "logs-switched");
}

static void kick(struct worker *w, uint64_t number)
{
	struct connection *c = connection_find(w, number);

	if (c)
		connection_kick(c);
	else
		worker_say_of(w, LEASH_NO_SUCH, number);
}

/* Drains by order of the master, which then limits the time. */
static void drain_as_told(struct worker *w, uint64_t removed)
{
	worker_end_unlimit(w);
	worker_end_drain(w, removed);
}

/*
 * Drains because of a signal that the master did not send. The master may have got it as well:
 * its orders, before or after this, go first.
 */
static void drain_unasked(struct worker *w)
{
	if (w->draining)
		return;
	worker_insist(w, LEASH_DRAIN);          /* so that the master can replace us at once */
	worker_end_limit(w);
	worker_end_drain(w, 0);
}

/* A new master may want to bind our addresses: closes the listeners at once. */
static void master_is_gone(struct worker *w)
{
	log_about(LOG_LEVEL_WARNING, LOG_ABOUT(.event = LOG_EVENT_MASTER_GONE),
	          "%s: the master is gone; finishing %d connections", w->service->name, w->n_open);
	w->start.master = 0;
	loop_unwatch(&w->loop, &w->leash);
	worker_end_drop_listeners(w);
	worker_end_limit(w);
	worker_check_end(w);
}

/* Obeys no more orders. Asks the master to replace us, in case it still listens. */
static void disown_master(struct worker *w)
{
	log_about(LOG_LEVEL_ERROR, LOG_ABOUT(.event = LOG_EVENT_MASTER_GONE),
	          "%s: an order of the master is malformed; finishing %d connections", w->service->name,
	          w->n_open);
	loop_unwatch(&w->loop, &w->leash);
	drain_unasked(w);
	worker_check_end(w);
}

static void obey_order(struct worker *w, const struct leash_message *m)
{
	switch (m->word) {
	case LEASH_DRAIN:
		drain_as_told(w, m->removed);
		break;
	case LEASH_END:
		worker_end_now(w);
		break;
	case LEASH_LOGS:
		switch_logs(w, m);
		break;
	case LEASH_LOOK:
		acceptor_look(w->acceptor);
		break;
	case LEASH_SLOTS:
		worker_watch_slots(w, m->low_free, m->low_open);
		break;
	case LEASH_KICK:
		kick(w, m->number);
		break;
	case LEASH_READY:
	case LEASH_RETIRE:
	case LEASH_NO_SUCH:
	case LEASH_PROGRAMS:
	case LEASH_REFUSING:
	case LEASH_KEYS:
	case LEASH_FACTS:
	case LEASH_WORDS:
		break;          /* words of workers, and the number of words: no orders */
	case LEASH_PING:
		break;          /* the board already shows that the loop has turned for it */
	}
}

static void on_leash(struct watch *watch, uint32_t events)
{
	struct worker *w = container_of(watch, struct worker, leash);
	struct leash_message m;

	(void)events;
	switch (leash_obey(&w->start.leash, &m)) {
	case LEASH_EMPTY:
		break;
	case LEASH_CLOSED:
		master_is_gone(w);
		break;
	case LEASH_MALFORMED:
		disown_master(w);
		break;
	case LEASH_OK:
		obey_order(w, &m);
		break;
	}
}

/* A master of an older version of drover ends its workers with SIGTERM. */
static bool is_from_master(const struct worker *w, const struct signalfd_siginfo *info)
{
	return w->start.master > 0 && info->ssi_pid == (uint32_t)w->start.master;
}

/*
 * ^C reaches all processes of the terminal, also a worker that has not left it yet. It is the
 * master that ends its workers then.
 */
static bool is_for_master(const struct worker *w, const struct signalfd_siginfo *info)
{
	return w->start.master > 0 && info->ssi_code == SI_KERNEL;
}

static void obey_signal(struct worker *w, const struct signalfd_siginfo *info)
{
	switch (info->ssi_signo) {
	case SIGCHLD:
		programs_reap(&w->programs);
		break;
	case SIGQUIT:
		if (is_from_master(w, info))
			drain_as_told(w, 0);
		else if (!is_for_master(w, info))
			drain_unasked(w);
		break;
	case SIGTERM:
		if (is_from_master(w, info))
			worker_end_now(w);
		else
			drain_unasked(w);
		break;
	case SIGINT:
		if (!is_for_master(w, info))
			worker_end_now(w);
		break;
	}
}

static void on_signal(struct watch *watch, uint32_t events)
{
	struct worker *w = container_of(watch, struct worker, signals);
	struct signalfd_siginfo info[SIGNALS_AT_ONCE];
	size_t n = signals_read(watch->fd, info);

	(void)events;
	for (size_t i = 0; i < n; i++)
		obey_signal(w, &info[i]);
	worker_check_end(w);
}

int worker_orders_watch(struct worker *w)
{
	static const int ours[] = { SIGTERM, SIGQUIT, SIGINT, SIGCHLD };

	w->leash = (struct watch){ .fd = w->start.leash.orders, .ready = on_leash };
	w->signals = (struct watch){ .fd = signals_open(ours, sizeof ours / sizeof *ours),
	                             .ready = on_signal };
	if (w->signals.fd == -1 || loop_watch(&w->loop, &w->signals, EPOLLIN) == -1)
		return -1;
	return loop_watch(&w->loop, &w->leash, EPOLLIN);
}
