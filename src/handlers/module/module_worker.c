/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Loads the module of a worker, starts it, and tells it of the end of the worker.
 */
#include <config.h>
#include "module_worker.h"

#include <errno.h>
#include <stdlib.h>

#include "log.h"
#include "module_calls.h"
#include "module_client.h"
#include "module_file.h"
#include "module_server.h"

/* Connections for which something was done in calls for others. One may touch others in turn. */
static void on_settle(struct deferred *d)
{
	struct module_worker *m = container_of(d, struct module_worker, settle);
	struct list now;

	list_init(&now);
	while (!list_empty(&m->touched)) {
		struct list *first = m->touched.next;

		list_remove(first);
		list_append(&now, first);
	}
	while (!list_empty(&now)) {
		struct module_client *k = container_of(now.next, struct module_client, in_touched);

		list_remove(&k->in_touched);
		module_call_settle(k->connection);
	}
}

static void log_complaint(void *arg, const struct conf_option *o, const char *text)
{
	const struct module_worker *m = arg;

	log_err("%s: %s %s", m->worker->service->name, o->full_name, text);
}

static int start(struct module_worker *m)
{
	const struct conf_service *s = m->worker->service;

	m->options.module = &s->handler.module;
	m->options.complain = log_complaint;
	m->options.arg = m;
	module_options_init(&m->options, s->name);
	if (m->module->server)
		*m->module->server = module_server_for(m);
	if (!m->module->worker_start ||
	    m->module->worker_start((struct drover_worker *)(void *)m, &m->options.config) == 0)
		return 0;
	log_err("%s: the module %s %s cannot start in the worker", s->name, m->module->name, m->module->version);
	errno = ECANCELED;
	return -1;
}

int module_worker_begin(struct worker *w)
{
	struct module_worker *m = calloc(1, sizeof *m);

	if (!m)
		return -1;
	m->worker = w;
	m->module = w->handler->module;
	m->settle.call = on_settle;
	list_init(&m->touched);
	if (!m->module) {
		m->loaded = *w->module;
		m->module = &m->loaded;
	}
	w->state_of_handler = m;
	return start(m);
}

void module_worker_drain(struct worker *w)
{
	struct module_worker *m = w->state_of_handler;

	if (m->module->worker_drain && !m->is_draining)
		m->module->worker_drain((struct drover_worker *)(void *)m);
	m->is_draining = true;
}

void module_worker_end(struct worker *w)
{
	struct module_worker *m = w->state_of_handler;

	if (m->module->worker_stop)
		m->module->worker_stop((struct drover_worker *)(void *)m);
	loop_undefer(&m->settle);
	free(m);
}
