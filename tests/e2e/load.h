/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Many clients at once of a service that gives back what it gets. They run
 * whenever the test waits for something, and each byte that comes back is
 * compared with the one that was sent.
 */
#ifndef DROVER_E2E_LOAD_H
#define DROVER_E2E_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct load_client;

struct load {
	/* What the test sets. */
	const char *address;
	size_t      n_clients;
	uint64_t    bytes;              /* to send in a connection; 0: it goes on until load_stop */
	bool        again;              /* a client whose connection is done makes another */
	bool        may_lose;           /* a connection that is lost is counted, no failure */
	bool        holds;              /* clients stop halfway until load_release */

	/* The result: connections that ended with every byte given back, and others. */
	size_t      done, lost;

	struct load_client *clients;
	size_t              n_active;
	bool                stopping;
};

/* Begins all connections. l is lent until load_stop. */
void load_start(struct load *l);

/* Waits until each client that is connected has got something back since this call. */
void load_wait_flow(struct load *l);

/* Waits until that number of connections is done, or lost. */
void load_wait_done(struct load *l, size_t done);
void load_wait_lost(struct load *l, size_t lost);

/* Clients that hold go on. */
void load_release(struct load *l);

/* Lets every connection come to its end, begins no more, and frees all. */
void load_stop(struct load *l);

#endif
