/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Accepts connections from the shared listeners: as many as there is room for, and no more
 * than a fair share while other workers of the service are free.
 */
#ifndef DROVER_WORKER_ACCEPTOR_H
#define DROVER_WORKER_ACCEPTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "address.h"
#include "loop.h"

#define ACCEPTOR_PAUSE_MS 1000          /* without descriptors, or with a program that cannot start */

struct acceptor;

struct acceptor_owner {
	void *arg;
	/* Takes fd, a connection that was just accepted. */
	void (*accepted)(void *arg, int fd, const struct endpoint *peer);
	/* True while one more connection can be served. */
	bool (*has_room)(void *arg);
	/* True if it has more than the others, whose turn it is; *done changes when they do something. */
	bool (*is_ahead)(void *arg, uint64_t *done);
	/* Something has come that is left to the others: they should look. */
	void (*declined)(void *arg);
	/* It has stopped for a while, or goes on. */
	void (*paused)(void *arg, const char *reason);
	void (*resumed)(void *arg);
	/* Draining, and the last listener was closed. */
	void (*emptied)(void *arg);
};

struct acceptor_options {
	int  accept_flags;      /* SOCK_NONBLOCK, or 0 where a program gets the socket */
	const char *service;    /* for the log; lent for the acceptor's life */
};

/* Takes the n descriptors in fds. NULL with errno. */
struct acceptor *acceptor_new(struct loop *l, const struct acceptor_owner *owner,
                              const struct acceptor_options *options, const int *fds, size_t n);

/* Closes *ap and its listeners and sets it to NULL; NULL is fine. */
void acceptor_close(struct acceptor **ap);

/* Begins. -1 with errno. */
int acceptor_begin(struct acceptor *a);

/* A connection has ended: there is room again, or the share is not exceeded any more. */
void acceptor_one_less(struct acceptor *a);

/* Leaves the listeners alone for ACCEPTOR_PAUSE_MS; reason is one word. */
void acceptor_pause(struct acceptor *a, const char *reason);

/* Looks at the listeners again: another worker was woken for what waits there, and leaves it. */
void acceptor_look(struct acceptor *a);

/*
 * Takes what already waits, then closes the listeners; those in removed (a bit
 * each) stay until they have been found empty. The last call counts.
 */
void acceptor_drain(struct acceptor *a, uint64_t removed);

/* Closes the listeners at once, whatever waits there. */
void acceptor_drop(struct acceptor *a);

/* True once drained: all listeners are closed. */
bool acceptor_is_empty(const struct acceptor *a);

#endif
