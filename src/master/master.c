/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What starting, reloading and stopping have in common.
 */
#include <config.h>
#include "master.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "pid_file.h"
#include "text.h"

struct generation *master_new_generation(struct master *m, const struct conf_fetched *fetched,
                                         int *exit_code)
{
	struct generation *g = generation_new(fetched, ++m->n_generations, &m->sockets,
	                                      &m->context, exit_code);

	if (!g)
		return NULL;
	list_append(&m->generations, &g->in_master);
	generation_start(g);
	return g;
}

void master_install(struct master *m, struct generation *g)
{
	m->current = g;
	m->resting = false;
	logs_use(&g->logs);
	sockets_commit(&m->sockets, g->number);
}

void master_bury_old(struct master *m)
{
	struct generation *g;

	list_each(&m->generations, g, struct generation, in_master) {
		if (g == m->current || g == m->coming || generation_workers(g) > 0)
			continue;
		notify_send(m->events, "generation-gone generation=%u", g->number);
		log_debug("generation %u is gone", g->number);
		generation_free(&g);
	}
}

int master_workers(const struct master *m)
{
	struct generation *g;
	int sum = 0;

	list_each(&m->generations, g, struct generation, in_master)
		sum += generation_workers(g);
	return sum;
}

/* ---- STATUS= ------------------------------------------------------------ */

/* True if somebody would be served now. */
static bool is_served(const struct pool *p)
{
	return pool_census(p).accepting > 0 || pool_is_asleep(p);
}

/* Of each service, how many of its workers accept; those that are served, or those that are not. */
static void add_services(struct text *t, const struct generation *g, const char *before,
                         bool served)
{
	for (size_t i = 0; i < g->n; i++) {
		const struct unit *u = &g->units[i];
		const int accepting = pool_census(u->pool).accepting;

		if (is_served(u->pool) != served)
			continue;
		text_add(t, "%s%s", before, u->service->name);
		if (pool_is_asleep(u->pool))
			text_add(t, " (on demand)");
		else if (pool_is_exhausted(u->pool))
			text_add(t, " (%d, exhausted)", accepting);
		else if (accepting != pool_target(u->pool))
			text_add(t, " (%d of %d workers)", accepting, pool_target(u->pool));
		else
			text_add(t, " (%d)", accepting);
		before = ", ";
	}
}

static void describe(struct text *t, const struct master *m)
{
	const struct generation *g = m->current;

	if (lifecycle_is_stopping(m->phase))
		text_add(t, "%s: %d workers left", lifecycle_phase_name(m->phase),
		         master_workers(m));
	else if (!g)
		text_add(t, "starting");
	else if (m->resting)
		text_add(t, "resting: no workers until HUP");
	else {
		add_services(t, g, "serving ", true);
		add_services(t, g, t->len > 0 ? "; NOT serving " : "NOT serving ", false);
	}
	if (m->refused[0])
		text_add(t, "; last reload refused: %s", m->refused);
}

void master_notify(struct master *m, const char *message)
{
	char status[512];
	struct text t = text_in(status, sizeof status);

	if (!m->systemd)
		return;
	describe(&t, m);
	notify_send(m->systemd, "%s%sSTATUS=%s", message, message[0] ? "\n" : "", status);
}

/* ---- pid file ----------------------------------------------------------- */

int master_update_pid_file(struct master *m)
{
	const char *wanted = m->current->conf->pid_file;
	char *before = m->pid_file;

	if (wanted && pid_file_write(wanted) == -1)
		return -1;
	m->pid_file = wanted ? strdup(wanted) : NULL;
	if (before && (!wanted || strcmp(before, wanted) != 0))
		pid_file_remove(before);
	free(before);
	return 0;
}
