/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reload: from HUP to the moment when a new generation serves, or the running
 * one goes on untouched.
 */
#ifndef DROVER_MASTER_RELOAD_H
#define DROVER_MASTER_RELOAD_H

#include "master.h"

/* Begins; or, if it cannot be begun now, notes that it is to be done afterwards. */
void reload_begin(struct master *m);

/* After a change among workers: the new generation may be complete, or have failed. */
void reload_check(struct master *m);

/* The server stops: what was begun is given up. */
void reload_cancel(struct master *m);

#endif
