/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The group `access` of a service: which clients are served, by their addresses.
 */
#ifndef DROVER_CONF_CONF_ACCESS_H
#define DROVER_CONF_CONF_ACCESS_H

#include "conf_draft.h"

/*
 * Reads the lists and their files, and builds the set. Complains of what is wrong in them, and of
 * clients that have no address to look for; warns of prefixes that are allowed and denied. Clears
 * what came from `defaults` and means nothing for the service.
 */
void conf_access_check(struct conf_loader *ld, const struct conf_draft *d);

#endif
