/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which of a worker's records on the board are free. Only the worker's own memory says so; the
 * shared memory is for others to read.
 */
#ifndef DROVER_WORKER_RECORDS_H
#define DROVER_WORKER_RECORDS_H

#include <stddef.h>
#include <stdint.h>

#include "board.h"

struct records {
	struct board_slot       *slot;  /* lent */
	struct board_connection *first; /* lent */
	uint32_t                *free;  /* indexes of those that were given back */
	size_t                   n_free;
	uint32_t                 n_used; /* from here on none has ever been taken */
	size_t                   n;
};

/* Those of worker i; all are free. 0, or -1 with errno. */
int records_init(struct records *rs, const struct board *b, size_t i);
void records_fini(struct records *rs);

/* A free one; there must be one. The second gives it back: it is not read any more. */
struct board_connection *records_take(struct records *rs);
void records_give(struct records *rs, struct board_connection *r);

/* What at_work of the slot says while r is worked on; r may be NULL. */
static inline uint32_t records_mark(const struct records *rs, const struct board_connection *r)
{
	return r ? (uint32_t)(r - rs->first) + 1 : 0;
}

#endif
