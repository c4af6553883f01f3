/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The order to admit a source again that is refused because its requests crashed workers: unblock.
 */
#ifndef DROVER_MASTER_UNBLOCK_H
#define DROVER_MASTER_UNBLOCK_H

#include <jansson.h>
#include <stdbool.h>

#include "master.h"
#include "source_id.h"

/*
 * Lifts the blocks of all sources that lie in this one, and of the one in which it lies, in all
 * services. Adds an object for each to lifted, which is lent: its service and its prefix. False if
 * there was none.
 */
bool unblock_source(struct master *m, const struct source_id *named, json_t *lifted);

#endif
