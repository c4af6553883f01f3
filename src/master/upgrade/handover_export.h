/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Makes the hand-over that a master leaves to the program that is executed in its place.
 */
#ifndef DROVER_MASTER_UPGRADE_HANDOVER_EXPORT_H
#define DROVER_MASTER_UPGRADE_HANDOVER_EXPORT_H

#include "handover.h"
#include "master.h"

/* Fills *h, which handover_init has made, and writes it to a memfd. Returns that; -1 with errno. */
int handover_export(struct handover *h, const struct master *m);

#endif
