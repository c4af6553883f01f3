/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The limits of the service, as one worker applies them: how many connections there may be, and how
 * many may come in a time, of all clients and of each source. The counts are shared by all workers
 * (sources.h). It decides, and notes what the limits alone refuse; its callers close sockets.
 */
#ifndef DROVER_WORKER_CLIENT_LIMITS_H
#define DROVER_WORKER_CLIENT_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

#include "address.h"
#include "holds.h"
#include "refusals.h"

struct worker;

struct client_limits {                  /* a member of struct worker */
	bool any;                       /* the service has limits */
	bool queues;                    /* at its limits, its clients wait in the accept queue */
	bool rejects;                   /* at its limits, they are accepted and refused */
	bool reserved;                  /* the next client has a place in the service already */
	enum refusal lacking;           /* what it did not get when a place was last wanted for it */
};

struct client_hold {                    /* what one client holds; all zero: nothing */
	bool         service;           /* a place in the service */
	struct hold *source;            /* a place of its source; NULL: none */
};

void limits_init(struct worker *w);

/*
 * As acceptor.h wants them: a place for the next client, or how long to wait for one, in ms; and what
 * is noted when a client waits for it.
 */
int64_t limits_reserve(struct worker *w);
void limits_unreserve(struct worker *w);
void limits_left_waiting(struct worker *w);

/* Whether a client should be accepted although there is no slot for it, so that it can be refused. */
bool limits_wants_to_refuse(const struct worker *w);

/*
 * For a client that was accepted: its place in the service, which may have been reserved, and one
 * of its source's. REFUSAL_NONE, and h holds it; or why the client is refused, and h holds as much as
 * before. fd is the client's socket; client is its address, or that which a proxy has named.
 */
enum refusal limits_take_service(struct worker *w, const struct endpoint *client,
                                 struct client_hold *h);
enum refusal limits_take_source(struct worker *w, int fd, const struct endpoint *client,
                                struct client_hold *h);

/* Gives back what the client holds. refused: it was not served, and does not count for the rate. */
void limits_give(struct worker *w, struct client_hold *h, bool refused);

#endif
