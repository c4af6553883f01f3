/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Keeps the client that waits for a change, and answers it when the change is done or has failed.
 */
#include <config.h>
#include "outcome.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"

static const char *const names[] = {
	[OUTCOME_NONE] = "nothing",
	[OUTCOME_RELOAD] = "reload",
	[OUTCOME_UPGRADE] = "upgrade",
	[OUTCOME_SCALE] = "scale",
	[OUTCOME_DRAIN] = "drain",
	[OUTCOME_RESUME] = "resume",
	[OUTCOME_KICK] = "kick",
	[OUTCOME_REOPEN] = "reopen-logs",
};

void outcome_init(struct outcome *o, struct loop *l, void (*expired)(struct timer *t))
{
	*o = (struct outcome){ .loop = l, .limit.fire = expired };
}

void outcome_begin(struct outcome *o, struct control_client *client, enum outcome_kind kind,
                   const char *service, int64_t limit_ms)
{
	o->kind = kind;
	o->client = client;
	o->begun = false;
	o->service = service ? strdup(service) : NULL;
	loop_timer_at(o->loop, &o->limit, clock_deadline(o->loop->now_ms, limit_ms));
	control_client_hold(client, CLIENT_WAITING);
}

const char *outcome_name(const struct outcome *o)
{
	return names[o->kind];
}

/* Ends the waiting, and returns the client that has waited. */
static struct control_client *settle_outcome(struct outcome *o)
{
	struct control_client *client = o->client;

	timer_unset(&o->loop->timers, &o->limit);
	free(o->service);
	o->service = NULL;
	o->client = NULL;
	o->kind = OUTCOME_NONE;
	return client;
}

void outcome_done(struct outcome *o, json_t *result)
{
	control_client_answer(settle_outcome(o), result);
}

void outcome_fail(struct outcome *o, enum control_error error, const char *format, ...)
{
	char *message;
	va_list ap;
	int len;

	va_start(ap, format);
	len = vasprintf(&message, format, ap);  /* now: it may name o->service, which is freed below */
	va_end(ap);
	control_client_refuse(settle_outcome(o), error, "%s", len == -1 ? "no memory" : message);
	if (len != -1)
		free(message);
}

void outcome_forget_client(struct outcome *o, const struct control_client *client)
{
	if (o->kind != OUTCOME_NONE && o->client == client)
		settle_outcome(o);
}

void outcome_reload_begins(struct outcome *o)
{
	o->begun = true;
}

void outcome_reload_is_over(struct outcome *o, unsigned int generation, const char *why,
                            json_t *failing)
{
	/* If the reload that was asked for has not begun, this was an earlier one. */
	if (o->kind == OUTCOME_NONE || (o->kind == OUTCOME_RELOAD && !o->begun)) {
		json_decref(failing);
		return;
	}
	if (o->kind == OUTCOME_RELOAD && why)
		outcome_fail(o, CONTROL_REFUSED, "%s", why);
	else if (o->kind == OUTCOME_RELOAD)
		outcome_done(o, json_pack("{s:I, s:O*}", "generation", (json_int_t)generation,
		                          "failing", failing));
	else if (o->service && !why)
		outcome_fail(o, CONTROL_REFUSED, "a reload has replaced the workers of service"
		             " \"%s\" meanwhile", o->service);
	json_decref(failing);
}
