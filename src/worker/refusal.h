/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Counts the clients that are refused, and has the log say so: the master writes one line when an
 * episode of refusals for one reason begins, and one when it has ended (master/pool/episodes.h).
 */
#ifndef DROVER_WORKER_REFUSAL_H
#define DROVER_WORKER_REFUSAL_H

#include "address.h"
#include "refusals.h"
#include "worker.h"

/* The client: its socket, which is lent, its address, and the proxy that named it, or NULL. */
struct refused {
	int                    fd;      /* -1: it has no line of its own in the access log */
	const struct endpoint *peer, *via;
};

/*
 * Counts that the client is refused, on the board and in the episode. Writes a line to the access
 * log if access_log.refused asks for it. The caller closes the client's socket. fd is -1 for a client
 * that has a connection, whose end is logged, and for one that is served (limits.dry_run). True if
 * an episode begins with it.
 */
bool refusal_note(struct worker *w, enum refusal why, const struct refused *client);

/*
 * The service has reached a limit and leaves clients in the accept queue: the log says so in the
 * same way. No client is counted.
 */
void refusal_note_queue(struct worker *w, enum refusal why);

/*
 * What the client is told before it is closed: limits.reject_message, or NULL. Nothing is said to one
 * that is refused for its address.
 */
const char *refusal_message(const struct worker *w, enum refusal why);

#endif
