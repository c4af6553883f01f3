/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A module at work in a worker: it is loaded, started and stopped here, and what it decides while it
 * is called for a connection is noted here. A built-in handler is a module that needs no loading.
 */
#ifndef DROVER_HANDLERS_MODULE_MODULE_WORKER_H
#define DROVER_HANDLERS_MODULE_MODULE_WORKER_H

#include <drover/module.h>

#include "connection.h"
#include "handler.h"
#include "module_options.h"
#include "worker.h"

enum module_ruling {            /* what the module has decided in the call that runs */
	MODULE_GO_ON,
	MODULE_FINISH,
	MODULE_ABORT,
	MODULE_CLOSING,         /* nothing: it is told of the end */
};

struct module_worker {
	struct worker              *worker;
	const struct drover_module *module;
	struct drover_module        loaded;     /* what module points to, unless it is built in */
	struct module_options       options;
	void                       *pointer;    /* of the module */
	struct connection          *current;    /* it is called for this one; NULL: for none */
	enum module_ruling          ruling;
	bool                        has_paused; /* that call has paused its connection */
	bool                        may_frame;  /* it is called to open a connection */
	struct list                 touched;    /* clients for which something was done in a call for others */
	struct deferred             settle;
	bool                        is_draining;        /* and the module knows */
};

/* The functions of a handler that are about its worker (handler.h). */
int  module_worker_begin(struct worker *w);
void module_worker_drain(struct worker *w);
void module_worker_end(struct worker *w);

static inline struct module_worker *module_worker_of(const struct connection *c)
{
	return connection_worker(c)->state_of_handler;
}

/* Around each call of the module for c. */
static inline void module_call_begins(struct module_worker *m, struct connection *c)
{
	m->current = c;
	m->ruling = MODULE_GO_ON;
	m->has_paused = false;
}

static inline enum module_ruling module_call_ends(struct module_worker *m)
{
	m->current = NULL;
	return m->ruling;
}

/* For modules a connection is opaque. */
static inline struct drover_connection *module_handle(struct connection *c)
{
	return (struct drover_connection *)(void *)c;
}

static inline struct connection *module_connection(const struct drover_connection *c)
{
	return (struct connection *)(uintptr_t)c;
}

#endif
