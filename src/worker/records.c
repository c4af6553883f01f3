/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Keeps the records that were given back on a stack; those that were never taken follow when it
 * is empty. The record that was given back last is taken first, so that few pages are used.
 */
#include <config.h>
#include "records.h"

#include <assert.h>
#include <stdlib.h>

int records_init(struct records *rs, const struct board *b, size_t i)
{
	*rs = (struct records){ .slot = board_slot(b, i), .first = board_records(b, i),
	                        .n = board_connections(b) };
	rs->free = calloc(rs->n, sizeof *rs->free);
	return rs->free ? 0 : -1;
}

void records_fini(struct records *rs)
{
	free(rs->free);
	rs->free = NULL;
}

struct board_connection *records_take(struct records *rs)
{
	if (rs->n_free > 0)
		return rs->first + rs->free[--rs->n_free];
	assert(rs->n_used < rs->n);
	board_set(&rs->slot->used, rs->n_used + 1);
	return rs->first + rs->n_used++;
}

void records_give(struct records *rs, struct board_connection *r)
{
	board_give_record(r);
	rs->free[rs->n_free++] = (uint32_t)(r - rs->first);
}
