/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Listeners that nobody accepts from, watched for the next arrival. What comes
 * is left in the queue, for a worker.
 */
#ifndef DROVER_MASTER_POOL_DOORBELL_H
#define DROVER_MASTER_POOL_DOORBELL_H

#include <stddef.h>

#include "conf.h"
#include "loop.h"

struct doorbell;

struct doorbell_button {                /* of one listener */
	struct watch     watch;
	struct doorbell *bell;
};

struct doorbell {
	struct loop            *loop;
	void                  (*rung)(struct doorbell *b);      /* once, the bell is down by then */
	size_t                  n;      /* 0: it is down */
	struct doorbell_button  buttons[CONF_LISTEN_MAX];
};

/* loop and rung are set. Rings at once if somebody waits already. -1 with errno. */
int doorbell_hang(struct doorbell *b, const int *fds, size_t n);

/* One that is down is fine. */
void doorbell_take_down(struct doorbell *b);

#endif
