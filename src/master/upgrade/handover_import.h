/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Makes the parts of a master from the hand-over of the program before it.
 */
#ifndef DROVER_MASTER_UPGRADE_HANDOVER_IMPORT_H
#define DROVER_MASTER_UPGRADE_HANDOVER_IMPORT_H

#include "handover.h"
#include "master.h"

/*
 * Takes over sockets, generations and their workers, the control socket and the client that waits
 * there. The generation that serves becomes the current one and the predecessor. False with the
 * reason in why; m cannot be used then, and no descriptor was closed.
 */
bool handover_import(struct master *m, const struct handover *h, char *why, size_t size);

#endif
