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
	int  trial;             /* -t is to say whether we could, with this memfd; -1: it is not */
	int  memfd;
	int  back;              /* that program; -1: this is it */
	char why[256];          /* then: why it is back */
};

/* Takes the variable out of the environment. */
void takeover_find(struct takeover *t);

/* For -t: false after the reason was written to standard error. */
bool takeover_try(const struct takeover *t);

/*
 * Something is wrong, and nothing has been taken over yet: back, if there was a
 * program before. Returns only if there is no way back. The second: before there
 * is a master.
 */
void takeover_refuse(struct master *m, const struct takeover *t, const char *why);
void takeover_decline(struct self *self, const struct takeover *t, const char *why);

/* Takes all over, and starts workers of our own. -1 after the reason was logged, and nowhere to go back. */
int takeover_begin(struct master *m, struct takeover *t);

/* After a change among workers: ours may serve, or not be able to. */
void takeover_check(struct master *m);

/* We cannot go on: back, if that is still possible. */
void takeover_give_up(struct master *m, const char *why);

/* The server stops: what was begun is given up. */
void takeover_cancel(struct master *m);

#endif
