/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Waiting, in one place. Whatever a test waits for, everything else that it has
 * to do with goes on meanwhile: events of daemons are taken in, their death is
 * noticed, and a load (load.h) keeps running.
 */
#ifndef DROVER_E2E_TURN_H
#define DROVER_E2E_TURN_H

#include <stdbool.h>

#include "list.h"

#define TURN_HOOKS_MAX 2048

struct turn_hook {
	int         fd;
	short       events;             /* as for poll(2) */
	void      (*ready)(struct turn_hook *h, short revents);
	struct list in_hooks;
	long        position;           /* among those polled in this turn; -1: not among them */
};

/* Lends h until turn_remove. fd, events and ready are set, and may be changed any time. */
void turn_add(struct turn_hook *h);

/* One that was removed already is fine, and so is one that is all zero. */
void turn_remove(struct turn_hook *h);

/* Waits until something is ready, and serves all that is. */
void turn_once(void);

/* Turns until fd is ready for one of events, or broken. */
void turn_until_ready(int fd, short events);

#endif
