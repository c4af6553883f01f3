/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The workers of a pool, one beside another, as they are counted and chosen
 * among. The child at index i has slot i of the board.
 */
#ifndef DROVER_MASTER_CHILDREN_H
#define DROVER_MASTER_CHILDREN_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "board.h"
#include "child.h"
#include "scaler.h"

struct children {
	struct child *all;
	size_t        n;
	struct board *board;            /* ours; blank, if theirs is another one */
	int           foreign_board;    /* theirs, then; -1: it is that one */
	int           foreign_version;
	uint32_t      slots;            /* connections in each */
	size_t        next;             /* where a free place is looked for first */
};

struct children_census {                /* workers by what they do */
	int starting, accepting, draining;
};

/*
 * n copies of blank, with a board for them, on which each keeps so many bytes
 * of input. 0, or -1 with errno.
 */
int children_init(struct children *cs, size_t n, uint32_t slots, size_t input_size,
                  const struct child *blank);

/*
 * The same, for workers of another program that write to the board that fd is,
 * of that version. One that we cannot read is kept for who can. Takes fd, if it
 * returns 0.
 */
int children_adopt(struct children *cs, size_t n, uint32_t slots, size_t input_size,
                   const struct child *blank, int fd, int version);

/* The board that the workers write to, lent, and its version. */
int children_board_fd(const struct children *cs, int *version);
void children_fini(struct children *cs);

static inline size_t children_index(const struct children *cs, const struct child *c)
{
	return (size_t)(c - cs->all);
}

struct children_census children_census(const struct children *cs);
struct scaler_counts children_count(const struct children *cs);

/*
 * A place for one more, not the one that was left just now if there is another:
 * reporters may still look at it. NULL if there is none.
 */
struct child *children_free_place(struct children *cs);

/* The worker of that pid; one that accepts and has had its share. Or NULL. */
struct child *children_find(const struct children *cs, pid_t pid);
struct child *children_retiring(const struct children *cs);

/*
 * Who can be spared best: one that has not begun; else one that retires; else, of
 * those that accept, the one with the fewest connections. NULL if there is none.
 */
struct child *children_least_busy(const struct children *cs);

#endif
