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

#define ACCEPTOR_PAUSE_MS 1000          /* if descriptors are lacking, or a program cannot start */

struct acceptor;

struct acceptor_owner {
	void *arg;
	/*
	 * Before accept(2): takes a place under the limits of the service for the next client, and
	 * returns 0; or returns after how many ms to ask again. The second gives the place back,
	 * because there was no client. The third is told that a client waits which has no place.
	 */
	int64_t (*reserve)(void *arg);
	void (*unreserve)(void *arg);
	void (*left_waiting)(void *arg);
	/* Takes fd, a connection that was just accepted from the listener of that index. */
	void (*accepted)(void *arg, int fd, size_t listener, const struct endpoint *peer);
	/* True while one more connection can be served. */
	bool (*has_room)(void *arg);
	/*
	 * True if this worker has more connections than the others, which should then accept the
	 * next one; *done changes when they get something done.
	 */
	bool (*is_ahead)(void *arg, uint64_t *done);
	/* A client waits that is left to the other workers: they should look at their listeners. */
	void (*declined)(void *arg);
	/* Accepting has paused; it goes on. */
	void (*paused)(void *arg, const char *reason);
	void (*resumed)(void *arg);
	/* The acceptor drains, and its last listener was closed. */
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

/* Begins to accept. 0, or -1 with errno. */
int acceptor_begin(struct acceptor *a);

/* A connection has ended: there is room again, or the share is not exceeded any more. */
void acceptor_one_less(struct acceptor *a);

/* Accepts nothing for ACCEPTOR_PAUSE_MS; reason is one word. */
void acceptor_pause(struct acceptor *a, const char *reason);

/* Looks at the listeners again: a client may wait there that another worker has left to us. */
void acceptor_look(struct acceptor *a);

/*
 * Accepts the clients that already wait, then closes the listeners. A listener whose bit
 * is set in `removed` stays open until it was found empty. Called again, the last `removed`
 * counts.
 */
void acceptor_drain(struct acceptor *a, uint64_t removed);

/* Closes the listeners at once, even if clients wait there. */
void acceptor_drop(struct acceptor *a);

/* True once drained: all listeners are closed. */
bool acceptor_is_empty(const struct acceptor *a);

#endif
