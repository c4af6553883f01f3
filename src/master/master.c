/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Functions that starting, reloading, upgrading and stopping the server share: phases, generations,
 * the status for systemd, and the pid file. They do not decide when the server does which of these.
 */
#include <config.h>
#include "master.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "pid_file.h"
#include "text.h"

bool master_enter(struct master *m, enum phase next)
{
	if (!lifecycle_may_follow(m->phase, next)) {
		log_err("defect of drover: the phase \"%s\" cannot follow \"%s\", which goes on",
		        lifecycle_phase_name(next), lifecycle_phase_name(m->phase));
		return false;
	}
	m->phase = next;
	return true;
}

enum permit master_permit(const struct master *m, enum order order)
{
	return lifecycle_permit(m->phase, master_serves_inherited(m), order);
}

/* False after the reason was logged. */
static bool prepare_control(struct master *m, const struct conf *conf,
                            struct generation_failure *failure)
{
	struct control_listener_error e;

	if (control_prepare(m->control, &conf->control, &e) == 0)
		return true;
	log_err("%s", e.text);
	snprintf(failure->text, sizeof failure->text, "%s", e.text);
	failure->exit_code = e.exit_code;
	return false;
}

struct generation *master_new_generation(struct master *m, const struct conf_fetched *fetched,
                                         const struct generation *before,
                                         struct generation_failure *failure)
{
	struct generation *g = generation_new(fetched, ++m->n_generations, &m->sockets,
	                                      &m->context, failure);

	if (!g)
		return NULL;
	if (!prepare_control(m, g->conf, failure)) {
		generation_free(&g);
		return NULL;
	}
	list_append(&m->generations, &g->in_master);
	if (generation_start_log_process(g, failure) != 0 ||
	    generation_start_key_process(g, failure) != 0) {
		control_forget(m->control);
		generation_free(&g);
		return NULL;
	}
	if (before)
		generation_continue(g, before, m->suspended);
	else
		generation_start(g);
	return g;
}

/* Blocks go on as far as the new configuration would make them, too. */
static void configure_poison(struct master *m, const struct generation *g)
{
	struct poison_watch *w;

	list_each(&m->states.poisons.all, w, struct poison_watch, in_all) {
		const struct service *s = generation_find(g, w->service);

		poison_watch_configure(w, s ? s->conf : NULL);
	}
}

static void configure_states(const struct generation *g)
{
	for (size_t i = 0; i < g->n; i++)
		service_state_configure(pool_service_state(g->services[i].pool), g->services[i].conf);
}

static void use_site(struct master *m, const struct generation *g)
{
	const struct status_site site = generation_site(g);

	status_holder_use(m->status, g->number, &site, generation_log_fd(g));
}

void master_note_load(struct master *m, bool ok)
{
	clock_gettime(CLOCK_REALTIME, &m->last_load.at);
	m->last_load.ok = ok;
}

void master_install(struct master *m, struct generation *g)
{
	m->current = g;
	master_note_load(m, true);
	m->suspended = false;
	logs_use(&g->logs);
	sockets_commit(&m->sockets, g->number);
	control_commit(m->control, &g->conf->control);
	configure_states(g);
	configure_poison(m, g);
	certificate_watch_begin(&m->certificates, &m->loop, g->conf);
	use_site(m, g);
}

void master_replace(struct master *m, struct generation *g)
{
	if (g == m->predecessor)
		m->predecessor = NULL;
	generation_drain(g);
}

bool master_serves_inherited(const struct master *m)
{
	return m->predecessor && m->current == m->predecessor;
}

/* Adds what its services have counted to the services of the same names, or to the totals of those gone. */
static void pass_on_totals(struct master *m, const struct generation *g, struct generation *successor)
{
	for (size_t i = 0; i < g->n; i++) {
		const char *name = g->services[i].conf->name;
		const struct service *s = successor ? generation_find(successor, name) : NULL;

		if (s)
			pool_add_totals(s->pool, g->services[i].pool);
		else
			totals_add(&m->gone, pool_totals(g->services[i].pool));
	}
}

void master_reclaim_old(struct master *m)
{
	struct generation *g;

	list_each(&m->generations, g, struct generation, in_master) {
		if (g == m->current || g == m->coming || g == m->predecessor ||
		    generation_workers(g) > 0 || !generation_end_log_process(g))
			continue;
		notify_send(m->events, "generation-gone generation=%u", g->number);
		log_debug("generation %u is gone", g->number);
		pass_on_totals(m, g, m->current);
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

/*
 * Adds each service with the number of its accepting workers. served chooses the services that are
 * served, or those that are not.
 */
static void add_services(struct text *t, const struct generation *g, const char *before,
                         bool served)
{
	for (size_t i = 0; i < g->n; i++) {
		const struct service *s = &g->services[i];
		const int accepting = pool_census(s->pool).accepting;
		char why[BOARD_REASON_TEXT];

		if (pool_can_serve(s->pool) != served)
			continue;
		text_add(t, "%s%s", before, s->conf->name);
		if (pool_programs_fail(s->pool, why))
			text_add(t, " (failing: %s)", why);
		else if (pool_is_leaving(s->pool))
			text_add(t, " (leaving)");
		else if (pool_is_asleep(s->pool))
			text_add(t, " (on demand)");
		else if (pool_is_exhausted(s->pool))
			text_add(t, " (%d, exhausted)", accepting);
		else if (accepting != pool_target(s->pool))
			text_add(t, " (%d of %d workers)", accepting, pool_target(s->pool));
		else
			text_add(t, " (%d)", accepting);
		before = ", ";
	}
}

static void describe(struct text *t, const struct master *m)
{
	const struct generation *g = m->current;

	if (lifecycle_is_leaving(m->phase))
		text_add(t, "leaving: serving until load balancers have heard of it");
	else if (lifecycle_is_stopping(m->phase))
		text_add(t, "%s: %d workers left", lifecycle_phase_name(m->phase),
		         master_workers(m));
	else if (!g)
		text_add(t, "starting");
	else if (m->suspended)
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
	char status[1024];
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
