/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The table of commands: which client may use which one, when, and with which keys. changes.c
 * carries out those that change things, report_answers.c those that look.
 */
#include <config.h>
#include "control_commands.h"

#include <string.h>

#include "changes.h"
#include "conf_fetch.h"
#include "log.h"
#include "report_answers.h"
#include "report_blocked.h"
#include "report_certificates.h"
#include "report_crashes.h"
#include "report_data.h"
#include "report_metrics.h"
#include "report_snapshot.h"
#include "report_sources.h"
#include "suggest.h"
#include "version.h"

#define SERVICE    CONTROL_HAS(CONTROL_KEY_SERVICE)
#define TO         CONTROL_HAS(CONTROL_KEY_TO)
#define CONNECTION CONTROL_HAS(CONTROL_KEY_CONNECTION)
#define CRASH      CONTROL_HAS(CONTROL_KEY_CRASH)
#define PREFIX     CONTROL_HAS(CONTROL_KEY_PREFIX)
#define FORMAT     CONTROL_HAS(CONTROL_KEY_FORMAT)
#define NOW        CONTROL_HAS(CONTROL_KEY_NOW)

/* When a command is accepted, beside what master_permit says of its order. */
#define ALONE 1u                        /* not while a client waits for another change */
#define WAITS 2u                        /* also when it can only be carried out later */

static const struct command {
	const char *name;
	unsigned    needs, takes;       /* keys */
	void      (*write)(void *data, const struct control_request *r, struct answer_writer *o);
	change     *change;             /* NULL: it only looks, and write does it */
	enum order  order;              /* NONE: the command is accepted in every phase */
	unsigned    when;
} commands[] = {
	{ "status",      0,            0,       report_status,      NULL, ORDER_NONE, 0 },
	{ "services",    0,            SERVICE, report_services,    NULL, ORDER_NONE, 0 },
	{ "workers",     0,            SERVICE, report_workers,     NULL, ORDER_NONE, 0 },
	{ "connections", 0,            SERVICE, report_connections, NULL, ORDER_NONE, 0 },
	{ "sources",     0,            SERVICE, report_sources,     NULL, ORDER_NONE, 0 },
	{ "crashes",     0,            CRASH,   report_crashes,     NULL, ORDER_NONE, 0 },
	{ "blocked",     0,            0,       report_blocked,     NULL, ORDER_NONE, 0 },
	{ "certificates", 0,           SERVICE, report_certificates, NULL, ORDER_NONE, 0 },
	{ "metrics",     0,            SERVICE | FORMAT, report_metrics, NULL, ORDER_NONE, 0 },
	{ "snapshot",    0,            0,       report_snapshot,    NULL, ORDER_NONE, 0 },
	{ "check",       0,            0,       report_check,       NULL, ORDER_NONE, 0 },
	{ "version",     0,            0,       NULL,               NULL, ORDER_NONE, 0 },
	{ "reload",      0,            0,       NULL, changes_reload,      ORDER_RELOAD,      ALONE | WAITS },
	{ "upgrade",     0,            0,       NULL, changes_upgrade,     ORDER_UPGRADE,     ALONE },
	{ "stop",        0,            NOW,     NULL, changes_stop,        ORDER_NONE,        0 },
	{ "reopen-logs", 0,            0,       NULL, changes_reopen_logs, ORDER_REOPEN_LOGS, 0 },
	{ "scale",       SERVICE | TO, 0,       NULL, changes_scale,       ORDER_SCALE,       ALONE },
	{ "drain",       SERVICE,      0,       NULL, changes_drain,       ORDER_DRAIN,       ALONE },
	{ "resume",      SERVICE,      0,       NULL, changes_resume,      ORDER_RESUME,      ALONE },
	{ "kick",        CONNECTION,   0,       NULL, changes_kick,        ORDER_KICK,        ALONE },
	{ "unblock",     PREFIX,       0,       NULL, changes_unblock,     ORDER_UNBLOCK,     0 },
};

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

/* Each of the following returns true, or refuses the request and returns false. */

static bool is_known(struct control_client *c, const struct control_request *r)
{
	struct suggest s = suggest_for(r->command);

	if (find_command(r->command))
		return true;
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
		suggest_offer(&s, commands[i].name);
	control_client_refuse(c, CONTROL_UNKNOWN_COMMAND, "there is no command \"%.100s\"%s%s%s",
	                      r->command, s.best ? " (did you mean " : "", s.best ? s.best : "",
	                      s.best ? "?)" : "");
	return false;
}

static bool has_keys(struct control_client *c, const struct command *k, unsigned given)
{
	for (int i = 0; i < CONTROL_KEYS; i++) {
		const unsigned bit = CONTROL_HAS(i);

		if (k->needs & bit && !(given & bit))
			control_client_refuse(c, CONTROL_BAD_REQUEST, "%s needs %s", k->name,
			                      control_key_name((enum control_key)i));
		else if (given & bit && !((k->needs | k->takes) & bit))
			control_client_refuse(c, CONTROL_BAD_REQUEST, "%s takes no %s", k->name,
			                      control_key_name((enum control_key)i));
		else
			continue;
		return false;
	}
	return true;
}

static bool has_service(const struct master *m, struct control_client *c, const char *service)
{
	struct suggest s;

	if (!service || changes_find(m, service))
		return true;
	s = suggest_for(service);
	for (size_t i = 0; i < m->current->n; i++)
		suggest_offer(&s, m->current->services[i].conf->name);
	control_client_refuse(c, CONTROL_NO_SUCH_SERVICE, "there is no service \"%.100s\"%s%s%s",
	                      service, s.best ? " (did you mean " : "", s.best ? s.best : "",
	                      s.best ? "?)" : "");
	return false;
}

static bool is_time(const struct master *m, struct control_client *c, const struct command *k)
{
	const enum permit permit = master_permit(m, k->order);

	if (permit == PERMIT_NEVER)
		control_client_refuse(c, CONTROL_STOPPING, "the server stops");
	else if (k->when & ALONE && m->outcome.kind != OUTCOME_NONE)
		control_client_refuse(c, CONTROL_BUSY, "%s is under way: one change at a time",
		                      outcome_name(&m->outcome));
	else if (permit == PERMIT_BUSY || (permit == PERMIT_LATER && !(k->when & WAITS)))
		control_client_refuse(c, CONTROL_BUSY, "the server is %s",
		                      lifecycle_phase_name(m->phase));
	else if (permit == PERMIT_INHERITED)
		control_client_refuse(c, CONTROL_BUSY, "after an upgrade that failed, the server has"
		                      " no workers of its own yet");
	else
		return true;
	return false;
}

/* In the child, when the request has its turn: a reload may have come since it was received. */
static void *gather_state_dir(void *arg)
{
	const struct master *m = arg;

	return (void *)(uintptr_t)m->current->conf->state_dir;
}

static void start_look(struct master *m, struct control_client *c, const struct command *k,
                       struct control_request *r)
{
	struct report_job job = {
		.command = k->name, .write = k->write, .limit_ms = REPORTER_MS,
		.gather = report_gather, .arg = m,
	};

	if (k->write == report_check) {
		/* It reads files and looks up names, as a reload does. */
		job.limit_ms = CONF_FETCH_MS;
		job.gather = NULL;
	} else if (k->write == report_crashes) {
		job.gather = gather_state_dir;
	}
	control_look(m->control, c, &job, r);
}

static void log_change(const struct command *k, const struct control_request *r,
                       const struct ucred *peer)
{
	const char *object = r->service ? r->service : r->connection ? r->connection :
	                     r->prefix ? r->prefix : "";

	log_about(LOG_LEVEL_INFO, LOG_ABOUT(.event = LOG_EVENT_CONTROL),
	          "control: %s%s%s%s%s%s, by user %u (pid %d)", k->name, *object ? " " : "", object,
	          r->to ? " to " : "", r->to ? r->to : "", r->now ? " now" : "", peer->uid, (int)peer->pid);
}

/* A crash report may hold what clients have sent: not every control client that may look may see it. */
static bool needs_more_rights(const struct command *k, const struct control_request *r)
{
	return k->change || r->crash;
}

void control_commands_run(void *arg, struct control_client *c, struct control_request *r,
                          enum control_access access, const struct ucred *peer)
{
	struct master *m = arg;
	const struct command *k = find_command(r->command);

	if (!is_known(c, r) || !has_keys(c, k, r->given))
		return;
	if (needs_more_rights(k, r) && access != CONTROL_CHANGE) {
		control_client_refuse(c, CONTROL_NOT_PERMITTED, "user %u may only look", peer->uid);
	} else if (!is_time(m, c, k) || !has_service(m, c, r->service)) {
		return;
	} else if (k->change) {
		log_change(k, r, peer);
		k->change(m, c, r);
	} else if (k->write) {
		start_look(m, c, k, r);
	} else {
		control_client_answer(c, json_pack("{s:s}", "version", version_string));
	}
}

void control_commands_forget(void *arg, struct control_client *c)
{
	struct master *m = arg;

	outcome_forget_client(&m->outcome, c);
	outcome_forget_client(&m->reopening, c);
}
