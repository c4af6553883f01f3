/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A reload: from HUP to the moment when a new generation serves, or when it is clear that the
 * running one goes on unchanged.
 */
#ifndef DROVER_MASTER_RELOAD_H
#define DROVER_MASTER_RELOAD_H

#include "master.h"

/* Begins a reload; if it may not begin now, notes that it must be done later. */
void reload_begin(struct master *m);

/* Call it after a change among workers: the new generation may be complete, or have failed. */
void reload_check(struct master *m);

/* The server stops: gives up a reload that has begun. */
void reload_cancel(struct master *m);

#endif
