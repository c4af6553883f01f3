/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The steps of a reload: a child checks the configuration, the master makes a new generation beside
 * the old one, waits until the new workers accept, and only then drains the old ones. An error in
 * any step leaves everything as it was.
 */
#include <config.h>
#include "reload.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "json_value.h"
#include "log.h"
#include "pid_file.h"
#include "text.h"

/* [{"name", "reason"}, ...]: its services whose programs fail. NULL: there are none. */
static json_t *failing(const struct generation *g)
{
	char why[BOARD_REASON_TEXT];
	json_t *list = NULL;

	for (size_t i = 0; i < g->n; i++) {
		if (!pool_programs_fail(g->services[i].pool, why))
			continue;
		if (!list)
			list = json_array();
		json_array_append_new(list, json_pack("{s:o, s:s}", "name",
		                      json_value_text(g->services[i].conf->name), "reason", why));
	}
	return list;
}

/*
 * Returns to PHASE_SERVING, and tells systemd so even after a refusal. A client that waits for the
 * outcome is told last, when all else is done. why is NULL if the new generation serves.
 */
static void end_reload(struct master *m, const char *why)
{
	if (!master_enter(m, PHASE_SERVING))
		return;
	master_notify(m, "READY=1");
	outcome_reload_is_over(&m->outcome, m->current->number, why, why ? NULL : failing(m->current));
	loop_timer(&m->loop, &m->sweep, 0);     /* orders that came meanwhile */
}

/* word is for events, why for people; details, if there are any, for the client that asked. */
static void refuse_reload(struct master *m, const char *word, const char *why, const char *details)
{
	struct text t = text_in(m->refused, sizeof m->refused);

	text_add_string(&t, why);
	master_note_load(m, false);
	log_about(LOG_LEVEL_ERROR, LOG_ABOUT(.event = LOG_EVENT_RELOAD_REFUSED),
	          "reload refused: %s; the running configuration goes on", why);
	notify_send(m->events, "reload-failed reason=%s", word);
	end_reload(m, details && *details ? details : why);
}

static void commit_reload(struct master *m)
{
	struct generation *before = m->current;

	master_install(m, m->coming);
	m->coming = NULL;
	m->pending_scale = 0;           /* a reload resets all that TTIN and TTOU have changed */
	m->refused[0] = '\0';
	if (master_update_pid_file(m) == -1)
		log_err("write the pid file %s: %s", m->current->conf->pid_file,
		        pid_file_error(errno));
	master_replace(m, before);
	log_about(LOG_LEVEL_INFO, LOG_ABOUT(.event = LOG_EVENT_RELOADED), "reloaded: generation %u serves",
	          m->current->number);
	notify_send(m->events, "reload-done generation=%u", m->current->number);
	end_reload(m, NULL);
}

/* word is for events, why for people. */
static void roll_back(struct master *m, const char *word, const char *why)
{
	generation_drain(m->coming);
	m->coming = NULL;
	control_forget(m->control);
	refuse_reload(m, word, why, NULL);
}

void reload_check(struct master *m)
{
	const struct service *failed;
	char reason[BOARD_REASON_TEXT], why[BOARD_REASON_TEXT + 64];

	if (m->phase != PHASE_RELOADING || !m->coming)
		return;
	failed = generation_failed(m->coming);
	if (generation_keys_failed(m->coming)) {
		roll_back(m, "keys", generation_keys_failed(m->coming));
	} else if (failed) {
		snprintf(why, sizeof why, "a worker of service \"%s\" could not start",
		         failed->conf->name);
		roll_back(m, "start", why);
	} else if (generation_is_complete(m->coming)) {
		failed = generation_useless(m->coming, m->current, reason);
		if (!failed) {
			commit_reload(m);
			return;
		}
		snprintf(why, sizeof why, "service \"%s\": %s", failed->conf->name, reason);
		roll_back(m, "program", why);
	}
}

static void on_fetched(void *arg, const struct conf_fetched *result)
{
	struct master *m = arg;
	struct generation_failure failure;

	m->fetch = NULL;
	if (!result->conf) {
		refuse_reload(m, "check", conf_fetch_trouble(result), result->complaints);
		return;
	}
	m->coming = master_new_generation(m, result, NULL, &failure);
	if (!m->coming)
		refuse_reload(m, "listen", "what it asks for cannot be had", failure.text);
	else
		reload_check(m);
}

void reload_begin(struct master *m)
{
	char message[128];

	if (master_permit(m, ORDER_RELOAD) != PERMIT_NOW) {
		m->reload_again = true;
		return;
	}
	if (!master_enter(m, PHASE_RELOADING))
		return;
	m->reload_again = false;
	outcome_reload_begins(&m->outcome);
	log_about(LOG_LEVEL_INFO, LOG_ABOUT(.event = LOG_EVENT_RELOADING), "reloading");
	notify_send(m->events, "reload-begin");
	/* One message: sd_notify(3) wants both together. */
	snprintf(message, sizeof message, "RELOADING=1\nMONOTONIC_USEC=%lld",
	         (long long)clock_us());
	master_notify(m, message);
	m->fetch = conf_fetch_start(&m->helpers, &m->source, m->current->conf, on_fetched, m);
	if (m->fetch)
		return;
	snprintf(message, sizeof message, "start the process that checks the configuration: %s",
	         strerror(errno));
	refuse_reload(m, "check", message, NULL);
}

void reload_cancel(struct master *m)
{
	conf_fetch_cancel(&m->fetch);
	m->coming = NULL;       /* it is still in m->generations, and is stopped with the others */
	control_forget(m->control);
	m->reload_again = false;
}
