/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A takeover: from the moment when this program is executed in the place of another one, as the
 * same process, to the moment when its own workers serve; or back to that other program, which
 * goes on as if nothing had happened.
 *
 * The hand-over is named by DROVER_HANDOVER=PID MEMFD BACK [WHY]. BACK is a
 * descriptor of the program before; -1: this is that program, executed again because of WHY.
 */
#ifndef DROVER_MASTER_UPGRADE_TAKEOVER_H
#define DROVER_MASTER_UPGRADE_TAKEOVER_H

#include <stdbool.h>

#include "master.h"

struct takeover {
	bool due;               /* there was a program before */
	int  trial;             /* the memfd with which -t tells whether we could; -1: none */
	int  memfd;
	int  back;              /* descriptor of that program; -1: this is that program */
	char why[256];          /* if this is that program: why it is back */
};

/* Reads DROVER_HANDOVER and removes it from the environment. */
void takeover_find(struct takeover *t);

/* For -t: false after the reason was written to standard error. */
bool takeover_try(const struct takeover *t);

/*
 * Goes back to the program before, if there was one, because of why. Nothing has been taken over yet.
 * Returns only if it cannot go back. takeover_decline is for the time before there is a master.
 */
void takeover_refuse(struct master *m, const struct takeover *t, const char *why);
void takeover_decline(struct self *self, const struct takeover *t, const char *why);

/* Takes over all there is, and starts our own workers. -1 if that failed and it could not go back: logged. */
int takeover_begin(struct master *m, struct takeover *t);

/* Call it after a change among workers: our own may serve by now, or have failed. */
void takeover_check(struct master *m);

/* This program cannot take over: goes back, if that is still possible. */
void takeover_give_up(struct master *m, const char *why);

/* The server stops: gives up a takeover that has begun. */
void takeover_cancel(struct master *m);

#endif
