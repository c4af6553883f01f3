/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Knows which of a worker's records on the board are free. That is kept in the worker's own
 * memory and never read from the shared memory, which is there for others to read.
 */
#ifndef DROVER_WORKER_RECORDS_H
#define DROVER_WORKER_RECORDS_H

#include <stddef.h>
#include <stdint.h>

#include "board.h"

struct records {
	struct board_slot       *slot;  /* lent */
	struct board_connection *first; /* lent */
	uint32_t                *free;  /* indexes of the records that were given back */
	size_t                   n_free;
	uint32_t                 n_used; /* records from this index on have never been taken */
	size_t                   n;
};

/* For the records of worker i, which are all free. 0, or -1 with errno. */
int records_init(struct records *rs, const struct board *b, size_t i);
void records_fini(struct records *rs);

/* Takes a free record, which there must be. The second gives it back: readers of the board skip it then. */
struct board_connection *records_take(struct records *rs);
void records_give(struct records *rs, struct board_connection *r);

/* The value of the slot's at_work while the worker works on r; r may be NULL. */
static inline uint32_t records_mark(const struct records *rs, const struct board_connection *r)
{
	return r ? (uint32_t)(r - rs->first) + 1 : 0;
}

#endif
