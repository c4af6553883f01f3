/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An upgrade: from USR2 to the moment when another program is executed in the place of this one,
 * or until it is refused. takeover.c is what the other program does then.
 */
#ifndef DROVER_MASTER_UPGRADE_UPGRADE_H
#define DROVER_MASTER_UPGRADE_UPGRADE_H

#include "handover.h"
#include "master.h"

/* The environment of the next program: what it is to take over, see takeover.h. */
#define UPGRADE_VARIABLE   "DROVER_HANDOVER"
#define UPGRADE_TRIAL      "trial"
/* What a program that was asked to check says if it could take over. */
#define UPGRADE_UNDERSTOOD "the hand-over is understood"

/* Begins; or, if it cannot be begun now, notes that it is to be done afterwards. */
void upgrade_begin(struct master *m);

/* The server stops: what was begun is given up. */
void upgrade_cancel(struct master *m);

/*
 * Executes another program in our place: what back is, or, if that is -1, what
 * lies where we were started from. memfd is the hand-over, which h has said; NULL:
 * all descriptors are as they came to us. why is NULL, or the reason for going
 * back. Returns only on failure, with errno and all as it was.
 */
void upgrade_execute(struct master *m, const struct handover *h, int memfd, int back,
                     const char *why);

/* After a failure, or the end of it: the server serves, and systemd is told. */
void upgrade_is_over(struct master *m);

/* Nothing has come of it: tells the log, events (a word), and the client that waits (details, or why). */
void upgrade_refuse(struct master *m, const char *word, const char *why, const char *details);

#endif
