/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Telling somebody who wants to know: datagrams to a unix socket, as systemd's
 * sd_notify(3) protocol has them. Sends never wait: what does not go through
 * is kept, in order, and sent from the loop when the receiver has read.
 * (libsystemd's own sender blocks when nobody reads.)
 */
#ifndef DROVER_SYS_NOTIFY_H
#define DROVER_SYS_NOTIFY_H

#include <stddef.h>

#include "loop.h"

#define NOTIFY_QUEUE_MAX   1024         /* messages kept; older ones go first */
#define NOTIFY_LAST_MS     1000
#define NOTIFY_MESSAGE_MAX 1024         /* bytes; longer ones are cut */

struct notify;

/*
 * path as in $NOTIFY_SOCKET: absolute, or @abstract; copied. NULL path gives
 * NULL with errno 0, and all functions take NULL for nobody.
 * On failure NULL with errno.
 */
struct notify *notify_open(struct loop *l, const char *path);

/*
 * Closes *np and sets it to NULL. Somebody who reads gets what still waits; for one
 * who does not, it waits NOTIFY_LAST_MS at most.
 */
void notify_close(struct notify **np);

/* After fork: the descriptor stays, the parent's loop is left for another, the queue is empty. */
void notify_move(struct notify *n, struct loop *l);

void notify_send(struct notify *n, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* True while somebody may read what is sent: a receiver that has closed its socket is gone for good. */
bool notify_is_heard(const struct notify *n);

/* Messages that wait. */
size_t notify_waiting(const struct notify *n);

/* Each of them, the oldest first; text is lent for the call. */
void notify_each_waiting(const struct notify *n, void (*see)(void *arg, const char *text), void *arg);

/* The descriptor (lent); -1 for nobody. */
int notify_fd(const struct notify *n);

#endif
