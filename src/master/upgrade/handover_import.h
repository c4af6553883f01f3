/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Makes the parts of a master from the hand-over of the program before it.
 */
#ifndef DROVER_MASTER_UPGRADE_HANDOVER_IMPORT_H
#define DROVER_MASTER_UPGRADE_HANDOVER_IMPORT_H

#include "handover.h"
#include "master.h"

/*
 * Sockets, generations and their workers, the control socket and the client that waits
 * there. The generation that serves is the current one and the predecessor. False
 * with the reason in why; m is then good for nothing, and no descriptor is closed.
 */
bool handover_import(struct master *m, const struct handover *h, char *why, size_t size);

#endif
