/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An upgrade: from USR2 to the moment when another program is executed in the place of this one,
 * or until it is refused. takeover.c is what the other program does then.
 */
#ifndef DROVER_MASTER_UPGRADE_UPGRADE_H
#define DROVER_MASTER_UPGRADE_UPGRADE_H

#include "handover.h"
#include "master.h"

/* In the environment of the next program: names the hand-over, see takeover.h. */
#define UPGRADE_VARIABLE   "DROVER_HANDOVER"
#define UPGRADE_TRIAL      "trial"
/* The line that the new program prints in a trial if it could take over. */
#define UPGRADE_UNDERSTOOD "the hand-over is understood"

/* Begins an upgrade; if it may not begin now, notes that it must be done later. */
void upgrade_begin(struct master *m);

/* The server stops: gives up an upgrade that has begun. */
void upgrade_cancel(struct master *m);

/*
 * Executes another program in our place: that of the descriptor back, or, if that is -1, the file
 * that we were started from. memfd holds the hand-over h; if h is NULL, its descriptors are still as
 * they came to us. why is NULL, or the reason for going back. Returns only on failure, with errno and
 * everything as it was.
 */
void upgrade_execute(struct master *m, const struct handover *h, int memfd, int back,
                     const char *why);

/* Ends an upgrade that succeeded or failed: the server serves, and systemd is told. */
void upgrade_is_over(struct master *m);

/* The upgrade has failed: tells the log (why), events (word), and the client that waits (details, or why). */
void upgrade_refuse(struct master *m, const char *word, const char *why, const char *details);

#endif
