/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Each record names the entry of its source; a bit for each entry tells which were seen before.
 */
#include <config.h>
#include "source_census.h"

#include <stdlib.h>

void source_census_begin(struct source_census *c, size_t n_entries)
{
	*c = (struct source_census){ .n_entries = n_entries, .seen = calloc(n_entries / 8 + 1, 1) };
}

static void see_entry(struct source_census *c, size_t entry)
{
	const uint8_t bit = (uint8_t)(1u << entry % 8);

	if (entry >= c->n_entries || c->seen[entry / 8] & bit)
		return;
	c->seen[entry / 8] |= bit;
	c->n++;
}

void source_census_see(struct source_census *c, const struct board *b, size_t i)
{
	struct board_connection_view v;

	for (size_t k = 0; k < board_connections(b) && c->seen; k++)
		if (board_view_connection(b, i, k, &v) && v.source > 0)
			see_entry(c, v.source - 1);
}

size_t source_census_end(struct source_census *c)
{
	free(c->seen);
	c->seen = NULL;
	return c->n;
}
