/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sends datagrams to a unix socket, as in systemd's sd_notify(3) protocol. Sending never waits:
 * what the socket does not take is kept, in order, and sent from the loop when the receiver has
 * read. (The sender of libsystemd blocks when the receiver does not read.)
 */
#ifndef DROVER_SYS_NOTIFY_H
#define DROVER_SYS_NOTIFY_H

#include <stddef.h>

#include "loop.h"

#define NOTIFY_QUEUE_MAX   1024         /* messages kept; the oldest is dropped first */
#define NOTIFY_LAST_MS     1000
#define NOTIFY_MESSAGE_MAX 1024         /* bytes; longer ones are cut */

struct notify;

/*
 * path as in $NOTIFY_SOCKET: absolute, or @abstract; copied. A NULL path gives
 * NULL with errno 0, and all functions take that and do nothing.
 * On failure NULL with errno.
 */
struct notify *notify_open(struct loop *l, const char *path);

/*
 * Closes *np and sets it to NULL. Waits up to NOTIFY_LAST_MS for the receiver to
 * read the messages that still wait.
 */
void notify_close(struct notify **np);

/* After fork: keeps the descriptor, empties the queue, and uses loop l instead of the parent's. */
void notify_move(struct notify *n, struct loop *l);

void notify_send(struct notify *n, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* True while there may be a receiver. One that has closed its socket is gone for good. */
bool notify_is_heard(const struct notify *n);

/* How many messages wait. */
size_t notify_waiting(const struct notify *n);

/* Calls see for each of them, the oldest first; text is lent for the call. */
void notify_each_waiting(const struct notify *n, void (*see)(void *arg, const char *text), void *arg);

/* The descriptor (lent); -1: there is no receiver. */
int notify_fd(const struct notify *n);

#endif
