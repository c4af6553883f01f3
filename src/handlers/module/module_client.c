/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Makes and frees what a connection has beside itself, and has touched connections go on.
 */
#include <config.h>
#include "module_client.h"

#include <stdlib.h>

#include "module_lend.h"

struct module_client *module_client_of(struct connection *c)
{
	struct module_client *k = module_client_find(c);

	if (k)
		return k;
	k = calloc(1, sizeof *k);
	if (!k) {
		handler_reply_lost(c);
		return NULL;
	}
	k->connection = c;
	list_init(&k->lent);
	list_init(&k->in_touched);
	*handler_state(c) = k;
	return k;
}

void module_client_free(struct connection *c)
{
	struct module_client *k = module_client_find(c);

	if (!k)
		return;
	module_lend_drop(k);            /* calls the module, which may ask for k */
	*handler_state(c) = NULL;
	timer_unset(&connection_worker(c)->loop.timers, &k->timer);
	list_remove(&k->in_touched);
	requests_clear(&k->requests);
	buffer_clear(&k->rest);
	free(k);
}

void module_client_touch(struct connection *c)
{
	struct module_worker *m = module_worker_of(c);
	struct module_client *k;

	if (c == m->current)
		return;
	k = module_client_of(c);
	if (!k || !list_empty(&k->in_touched))
		return;
	list_append(&m->touched, &k->in_touched);
	loop_defer(&m->worker->loop, &m->settle);
}
