/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Accepts clients from the listeners of one kind, and closes those that may not ask. It does not
 * know what they ask.
 */
#ifndef DROVER_STATUS_OUTLET_H
#define DROVER_STATUS_OUTLET_H

#include <stddef.h>

#include "address.h"
#include "conf.h"
#include "loop.h"
#include "prefix_set.h"

struct outlet_listener {
	struct outlet *outlet;
	struct watch   watch;           /* fd -1: closed */
};

struct outlet {
	struct loop             *loop;
	const struct prefix_set *allowed;       /* lent; NULL: all clients */
	/* Takes fd, a non-blocking socket. */
	void                   (*taken)(void *arg, int fd, const struct address *client);
	void                    *arg;
	struct outlet_listener   listeners[CONF_LISTEN_MAX];
	size_t                   n;
	struct timer             pause;         /* after accept(2) has failed */
};

/*
 * Begins to accept; loop, allowed, taken and arg are set. Takes the n descriptors, which are at most
 * CONF_LISTEN_MAX. 0, or -1 with errno.
 */
int outlet_open(struct outlet *o, const int *fds, size_t n);

/* Closes the listeners. Once is enough. */
void outlet_close(struct outlet *o);

#endif
