/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Serves the clients of the agent's listeners: each says the name of a service in a line, or nothing,
 * gets a line (agent_words.h), and is closed. It does not know the listeners, nor who may connect.
 */
#ifndef DROVER_STATUS_AGENT_SESSION_H
#define DROVER_STATUS_AGENT_SESSION_H

#include <stddef.h>

#include "agent_average.h"
#include "facts.h"
#include "list.h"
#include "loop.h"

#define AGENT_SESSIONS_MAX 256          /* a client that comes when there are so many is closed */
#define AGENT_NAME_MAX     100          /* bytes of a line; the name of a service has at most 64 */
#define AGENT_SILENCE_MS   200          /* a client that says nothing for so long asks for all services */
#define AGENT_LIMIT_MS     2000         /* of a session; HAProxy waits no longer, either */

struct agent {
	struct loop         *loop;
	struct facts        *facts;
	struct list          sessions;
	size_t               n;
	struct agent_average average;
};

/* l and f are lent. */
void agent_init(struct agent *a, struct loop *l, struct facts *f);

/* Serves a client. Takes fd, a connected socket that is non-blocking, in any case. */
void agent_serve(struct agent *a, int fd);

/* Closes all sessions, and frees what was remembered. */
void agent_fini(struct agent *a);

#endif
