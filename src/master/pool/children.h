/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Keeps the workers of a pool in an array, counts them, and chooses one of them. The child at
 * index i has slot i of the board.
 */
#ifndef DROVER_MASTER_POOL_CHILDREN_H
#define DROVER_MASTER_POOL_CHILDREN_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "child.h"
#include "pool_memory.h"
#include "scaler.h"

struct children {
	struct child             *all;
	size_t                    n;
	const struct pool_memory *memory;       /* lent: what the workers share with the master */
	size_t                    next;         /* index where the search for a free place begins */
};

struct children_census {                /* workers by what they do */
	int starting, accepting, draining;
};

/*
 * n copies of blank. memory is lent for as long as there are workers, and need not be
 * made before. 0, or -1 with errno.
 */
int children_init(struct children *cs, size_t n, const struct pool_memory *memory,
                  const struct child *blank);
void children_fini(struct children *cs);

static inline size_t children_index(const struct children *cs, const struct child *c)
{
	return (size_t)(c - cs->all);
}

struct children_census children_census(const struct children *cs);
struct scaler_counts children_count(const struct children *cs);

/*
 * A free place, or NULL. Places are given in turn, so that one that has just become free is not
 * given again at once: reporters may still look at it.
 */
struct child *children_free_place(struct children *cs);

/* The worker with that pid; a worker that accepts and has said RETIRE. NULL if there is none. */
struct child *children_find(const struct children *cs, pid_t pid);
struct child *children_retiring(const struct children *cs);

/*
 * The worker that is needed least: one that starts; else one that retires; else, of those
 * that accept, the one with the fewest connections. NULL if there is none.
 */
struct child *children_least_busy(const struct children *cs);

#endif
