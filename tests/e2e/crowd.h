/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Many clients at once that want to be served by an echo service which may refuse them, from
 * addresses of the loopback that the test chooses. Each says a line: when it comes back, the client
 * is inside; a connection that ends before is refused. They act whenever the test waits for
 * something.
 *
 * A client that leaves is no longer inside from the moment at which it begins to leave. So there are
 * never more clients inside than the service has connections, whatever is still on its way.
 */
#ifndef DROVER_E2E_CROWD_H
#define DROVER_E2E_CROWD_H

#include <stdbool.h>
#include <stddef.h>

struct crowd_client;

struct crowd {
	/* What the test sets. */
	const char *address;            /* of the service */
	const char *from;               /* where clients connect from; NULL: anywhere */
	const char *header;             /* what each sends first, such as that of a proxy; NULL: nothing */
	const char *refusal;            /* what a client is told that is refused; NULL: nothing */
	size_t      n_clients;
	size_t      leave_at;           /* they leave when so many are inside and have talked; 0: they stay */
	bool        come_again;         /* clients that have left come again, until crowd_stop */
	bool        may_lose;           /* a connection that is lost is counted, no failure */

	/* The result. A client that was refused or lost comes again. */
	size_t      inside, most_inside;
	size_t      admitted, refused, lost;    /* connections */
	size_t      gone;                       /* clients that have left and do not come again */

	struct crowd_client *clients;
	bool                 stopping;
};

/* Begins all connections. c is lent until crowd_stop. */
void crowd_start(struct crowd *c);

/* Wait until that number is reached: clients inside, connections that were admitted, clients gone. */
void crowd_wait_inside(const struct crowd *c, size_t n);
void crowd_wait_admitted(const struct crowd *c, size_t n);
void crowd_wait_refused(const struct crowd *c, size_t n);
void crowd_wait_gone(const struct crowd *c, size_t n);

/* Those who are inside leave. */
void crowd_leave(struct crowd *c);

/* All who are inside, or get there, leave for good. Waits until all are gone, and frees all. */
void crowd_stop(struct crowd *c);

#endif
