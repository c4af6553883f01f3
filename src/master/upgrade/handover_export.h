/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a master leaves to the program that comes in its place: from all that it
 * is made of to a hand-over.
 */
#ifndef DROVER_MASTER_UPGRADE_HANDOVER_EXPORT_H
#define DROVER_MASTER_UPGRADE_HANDOVER_EXPORT_H

#include "handover.h"
#include "master.h"

/* A memfd that says all of it, and *h, initialised, as well; -1 with errno. */
int handover_export(struct handover *h, const struct master *m);

#endif
