/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Keeps a change that a control client has asked for and that takes time: the client that waits
 * for the outcome, and until when. There is one at a time, and one of reopen-logs beside it.
 * changes.c decides whether it is done.
 */
#ifndef DROVER_MASTER_CONTROL_OUTCOME_H
#define DROVER_MASTER_CONTROL_OUTCOME_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "control_client.h"
#include "loop.h"

enum outcome_kind {
	OUTCOME_NONE,           /* no client waits */
	OUTCOME_RELOAD,
	OUTCOME_UPGRADE,
	OUTCOME_SCALE,
	OUTCOME_DRAIN,
	OUTCOME_RESUME,
	OUTCOME_KICK,
	OUTCOME_REOPEN,
};

struct outcome {
	struct loop           *loop;
	enum outcome_kind      kind;
	struct control_client *client;
	struct timer           limit;
	bool                   begun;           /* RELOAD: the one that was asked for has begun */
	char                  *service;         /* SCALE, DRAIN, RESUME: its name */
	int                    from, to;        /* SCALE: workers */
	pid_t                  worker;          /* KICK: the connection's */
	uint64_t               number;          /* KICK: its number there */
};

/* expired is called when the limit is over. */
void outcome_init(struct outcome *o, struct loop *l, void (*expired)(struct timer *t));

/* client waits from now on, for at most limit_ms (0: no limit). service is copied; NULL is fine. */
void outcome_begin(struct outcome *o, struct control_client *client, enum outcome_kind kind,
                   const char *service, int64_t limit_ms);

/* "reload", "scale", ...: the command whose outcome the client waits for. */
const char *outcome_name(const struct outcome *o);

/* The change is done: answers with result, which is taken. Or it has failed. */
void outcome_done(struct outcome *o, json_t *result);
void outcome_fail(struct outcome *o, enum control_error error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* This client is closed. If it is the one that waits, the change goes on without it. */
void outcome_forget_client(struct outcome *o, const struct control_client *client);

/*
 * A reload has begun; a reload is over. why is NULL if its generation serves now, else the reasons,
 * a line each. failing, which is taken, has the services of that generation that fail although it
 * serves, and why; NULL if there are none.
 */
void outcome_reload_begins(struct outcome *o);
void outcome_reload_is_over(struct outcome *o, unsigned int generation, const char *why,
                            json_t *failing);

#endif
