/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The steps of a takeover: check the hand-over, adopt what it names, build a generation of this
 * program beside the adopted workers, which go on accepting, and drain those when it serves. If
 * this program was executed again because the next one failed, it installs its generation at once,
 * and tries again until that works.
 */
#include <config.h>
#include "takeover.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fd.h"
#include "handover_export.h"
#include "handover_import.h"
#include "log.h"
#include "pid_file.h"
#include "self.h"
#include "upgrade.h"
#include "version.h"

#define RETRY_MS 2000                   /* between attempts to start our own workers */

static bool is_return(const struct takeover *t)
{
	return t->back == -1;
}

/* ---- the variable ------------------------------------------------------- */

/* They are open until the takeover is over; a program that we execute must not get them (self_init). */
static void keep_handover(struct takeover *t)
{
	fd_set_cloexec(t->memfd, true);
	if (t->back != -1)
		fd_set_cloexec(t->back, true);
}

void takeover_find(struct takeover *t)
{
	const char *text = getenv(UPGRADE_VARIABLE);
	int pid, end = 0;

	*t = (struct takeover){ .trial = -1, .memfd = -1, .back = -1 };
	if (!text)
		return;
	if (sscanf(text, UPGRADE_TRIAL " %d", &t->trial) != 1 &&
	    sscanf(text, "%d %d %d %n", &pid, &t->memfd, &t->back, &end) >= 3 && end > 0 &&
	    pid == (int)getpid()) {
		t->due = true;
		keep_handover(t);
		snprintf(t->why, sizeof t->why, "%s", text + end);
	} else if (t->trial == -1) {
		log_err(UPGRADE_VARIABLE "=\"%s\" in the environment is nothing that a droverd hands to"
		        " this process: nothing is taken over", text);
	}
	unsetenv(UPGRADE_VARIABLE);
}

bool takeover_try(const struct takeover *t)
{
	struct handover h;
	char why[256];
	bool ok;

	if (handover_init(&h) == -1) {
		fprintf(stderr, "%s\n", strerror(errno));
		return false;
	}
	ok = handover_read(&h, t->trial, why, sizeof why);
	if (ok)
		fputs(UPGRADE_UNDERSTOOD "\n", stderr);
	else
		fprintf(stderr, "the hand-over of the running program: %s\n", why);
	handover_free(&h);
	return ok;
}

/* ---- going back before anything was taken over -------------------------- */

/*
 * Returns the hand-over as it came to the program that wrote it. If this is that program, there is
 * no other one to go back to.
 */
static void go_back_untouched(struct master *m, const struct takeover *t, const struct handover *h,
                              const char *why)
{
	log_about(LOG_LEVEL_ERROR, LOG_ABOUT(.event = LOG_EVENT_UPGRADE_FAILED), "cannot take over: %s%s",
	          why, is_return(t) ? "" : "; going back to the program before");
	if (is_return(t))
		return;
	upgrade_execute(m, h, t->memfd, t->back, why);
	log_err("go back to the program before: %m");
}

void takeover_refuse(struct master *m, const struct takeover *t, const char *why)
{
	if (t->due)
		go_back_untouched(m, t, NULL, why);
}

void takeover_decline(struct self *self, const struct takeover *t, const char *why)
{
	takeover_refuse(&(struct master){ .self = self }, t, why);
}

/* ---- going back after that ---------------------------------------------- */

static void end_takeover(struct master *m)
{
	struct takeover *t = m->takeover;

	fd_close(&t->memfd);
	fd_close(&t->back);
	m->takeover = NULL;
}

/* Neither we nor the program before can serve: the old workers go on, and we try every RETRY_MS. */
static void keep_inherited(struct master *m, const char *why)
{
	const bool first = m->takeover;

	log_about(LOG_LEVEL_ERROR, LOG_ABOUT(.event = LOG_EVENT_UPGRADE_FAILED),
	          "%s; keeping the old workers; ones that exit are not replaced until new workers can start",
	          why);
	loop_timer(&m->loop, &m->retry, RETRY_MS);
	if (first) {
		end_takeover(m);
		upgrade_refuse(m, "start", why, NULL);
	} else {
		upgrade_is_over(m);
	}
}

/* Hands over all there is by now, because our own workers may have connections already. */
static void go_back(struct master *m, const char *why)
{
	struct handover h;
	int memfd = -1;

	log_about(LOG_LEVEL_ERROR, LOG_ABOUT(.event = LOG_EVENT_UPGRADE_FAILED),
	          "cannot take over: %s; going back to the program before", why);
	if (handover_init(&h) == 0) {
		memfd = handover_export(&h, m);
		if (memfd != -1)
			upgrade_execute(m, &h, memfd, m->takeover->back, why);
		handover_free(&h);
	}
	log_err("go back to the program before: %m");
	fd_drop(memfd);
}

void takeover_give_up(struct master *m, const char *why)
{
	if (m->coming)
		master_replace(m, m->coming);
	m->coming = NULL;
	control_forget(m->control);
	if (m->takeover && !is_return(m->takeover))
		go_back(m, why);
	keep_inherited(m, why);
}

/* ---- going on ----------------------------------------------------------- */

/* True if the program before could not start a worker of that service either. */
static bool is_excused(const struct master *m, const struct service *s)
{
	const struct service *before = generation_find(m->predecessor, s->conf->name);

	return before && pool_state(before->pool).failed;
}

/* True if all services that were served can be served; *failed is one that has failed, or NULL. */
static bool can_serve(const struct master *m, const struct generation *g, const struct service **failed)
{
	bool all = true;

	*failed = NULL;
	if (!key_holder_is_ready(g->key_holder))
		return false;
	for (size_t i = 0; i < g->n && !*failed; i++) {
		const struct service *s = &g->services[i];

		if (pool_is_complete(s->pool) || is_excused(m, s))
			continue;
		all = false;
		if (pool_has_failed(s->pool))
			*failed = s;
	}
	return all;
}

/* An earlier WINCH stays in force. The logs and the sockets are ours from now on. */
static void install_generation(struct master *m, struct generation *g)
{
	const bool suspended = m->suspended;

	master_install(m, g);
	m->suspended = suspended;
	if (master_update_pid_file(m) == -1)
		log_err("write the pid file %s: %s", m->current->conf->pid_file,
		        pid_file_error(errno));
}

static void commit_takeover(struct master *m)
{
	struct generation *before = m->predecessor;

	install_generation(m, m->coming);
	m->coming = NULL;
	master_replace(m, before);
	end_takeover(m);
	log_about(LOG_LEVEL_INFO, LOG_ABOUT(.event = LOG_EVENT_UPGRADED),
	          "upgraded to drover %s: generation %u serves", version_string, m->current->number);
	notify_send(m->events, "upgrade-done version=%s generation=%u", version_string,
	            m->current->number);
	upgrade_is_over(m);
	if (m->outcome.kind == OUTCOME_UPGRADE)
		outcome_done(&m->outcome, json_pack("{s:s, s:I}", "version", version_string,
		                                    "generation", (json_int_t)m->current->number));
}

/* This program serves again, as far as it can, as after a start. */
static void be_back(struct master *m)
{
	char why[sizeof m->takeover->why];

	memcpy(why, m->takeover->why, sizeof why);
	end_takeover(m);
	upgrade_refuse(m, "takeover", why, NULL);
}

static void check_takeover(struct master *m)
{
	const struct service *failed;
	char why[128];

	if (is_return(m->takeover)) {
		if (!master_serves_inherited(m) && generation_is_settled(m->current))
			be_back(m);
	} else if (m->coming && generation_keys_failed(m->coming)) {
		takeover_give_up(m, generation_keys_failed(m->coming));
	} else if (m->coming && can_serve(m, m->coming, &failed)) {
		commit_takeover(m);
	} else if (m->coming && failed) {
		snprintf(why, sizeof why, "a worker of service \"%s\" could not start",
		         failed->conf->name);
		takeover_give_up(m, why);
	}
}

void takeover_check(struct master *m)
{
	if (m->phase == PHASE_UPGRADING && m->takeover)
		check_takeover(m);
	/* The workers of the program before have served until ours could. */
	if (m->predecessor && !master_serves_inherited(m) && generation_is_complete(m->current))
		master_replace(m, m->predecessor);
}

/* ---- a generation of our own -------------------------------------------- */

static void on_own_conf(void *arg, const struct conf_fetched *result)
{
	struct master *m = arg;
	struct generation_failure failure;
	struct generation *g = NULL;

	m->fetch = NULL;
	/* There is no other program to go back to: a socket file that is lost must not end the rest. */
	m->sockets.keeps_lost = !m->takeover || is_return(m->takeover);
	if (!result->conf)
		snprintf(failure.text, sizeof failure.text, "%s", conf_fetch_trouble(result));
	else
		g = master_new_generation(m, result, m->predecessor, &failure);
	m->sockets.keeps_lost = false;
	if (!g) {
		takeover_give_up(m, failure.text);
	} else if (m->takeover && !is_return(m->takeover)) {
		m->coming = g;
	} else {
		install_generation(m, g);
		if (!m->takeover)
			upgrade_is_over(m);
	}
	takeover_check(m);
}

/* A program that is back loads the configuration that it had: the file may have changed since. */
static bool fetch_conf(struct master *m)
{
	const bool is_new = m->takeover && !is_return(m->takeover);

	m->own = is_new ? m->source : (struct conf_origin){ .file = m->source.file,
	                                                    .text = m->last_text };
	m->fetch = conf_fetch_start(&m->helpers, &m->own, NULL, on_own_conf, m);
	return m->fetch != NULL;
}

static void on_retry(struct timer *t)
{
	struct master *m = container_of(t, struct master, retry);

	if (!master_serves_inherited(m) || lifecycle_is_stopping(m->phase))
		return;
	if (master_permit(m, ORDER_UPGRADE) != PERMIT_NOW || !fetch_conf(m))
		loop_timer(&m->loop, t, RETRY_MS);
	else
		master_enter(m, PHASE_UPGRADING);
}

/* ---- the beginning ------------------------------------------------------ */

static bool take_handover(struct master *m, const struct takeover *t)
{
	struct handover h;
	char why[256];
	bool ok;

	if (handover_init(&h) == -1) {
		snprintf(why, sizeof why, "make room for what is handed over: %s", strerror(errno));
		go_back_untouched(m, t, NULL, why);
		return false;
	}
	ok = handover_read(&h, t->memfd, why, sizeof why) && handover_import(m, &h, why, sizeof why);
	if (!ok)
		go_back_untouched(m, t, &h, why);
	else if (h.program && self_set_path(m->self, h.program) == -1)
		log_warn("%m");
	if (ok) {
		logs_use(&m->current->logs);
		log_info("%s drover %s, with %d workers", is_return(t) ? "back from" : "taking over from",
		         h.version, master_workers(m));
		notify_send(m->events, "taken-over from=%s", h.version);
	}
	handover_free(&h);
	return ok;
}

int takeover_begin(struct master *m, struct takeover *t)
{
	char why[128];

	m->retry.fire = on_retry;
	if (!t->due)
		return 0;
	master_enter(m, PHASE_UPGRADING);
	if (!take_handover(m, t))
		return -1;
	m->takeover = t;
	if (!fetch_conf(m)) {
		snprintf(why, sizeof why, "start the process that checks the configuration: %s",
		         strerror(errno));
		takeover_give_up(m, why);
	}
	return 0;
}

void takeover_cancel(struct master *m)
{
	timer_unset(&m->loop.timers, &m->retry);
	if (m->takeover)
		end_takeover(m);
}
