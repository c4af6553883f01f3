/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Counts the sources that have connections, by the records of the boards. The table of sources has
 * the same count, but it is far larger than the records that are in use: to look through the tables
 * of many services would take a tenth of a second.
 */
#ifndef DROVER_MASTER_REPORT_SOURCE_CENSUS_H
#define DROVER_MASTER_REPORT_SOURCE_CENSUS_H

#include <stddef.h>
#include <stdint.h>

#include "board.h"

struct source_census {
	size_t   n_entries;             /* of the table of sources */
	size_t   n;                     /* entries that were seen */
	uint8_t *seen;                  /* a bit for each entry; NULL: there was no memory, n stays 0 */
};

void source_census_begin(struct source_census *c, size_t n_entries);

/* Sees the open connections of worker i. Connections without a source in the table do not count. */
void source_census_see(struct source_census *c, const struct board *b, size_t i);

/* Frees what was seen. Returns n. */
size_t source_census_end(struct source_census *c);

#endif
