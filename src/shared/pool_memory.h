/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The memory that the master shares with all workers of one pool. It consists of
 * parts; each part has a descriptor of its own and a version of its layout, so that it
 * can be handed over to another program at an upgrade, also to one that has another
 * version of the part. The parts are the board, and what the workers hold of the counts that
 * their service has in common (service_memory.h).
 */
#ifndef DROVER_SHARED_POOL_MEMORY_H
#define DROVER_SHARED_POOL_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

#include "board.h"
#include "holds.h"

/* What the memory has room for. */
struct pool_memory_size {
	size_t workers;                 /* at the same time */
	size_t connections;             /* of each worker */
	size_t input;                   /* bytes of input that each worker keeps; 0: none */
};

/* A part, as one program leaves it to the next. */
struct pool_memory_part {
	int fd;
	int version;                    /* of its layout */
};

/* All parts. */
struct pool_memory_past {
	struct pool_memory_part board;
	struct pool_memory_part holds;          /* fd -1: the other program did not have it */
};

/* All members are zero before pool_memory_make or pool_memory_adopt. */
struct pool_memory {
	struct board           *board;          /* blank, if the workers write to a foreign one */
	bool                    has_foreign_board;
	struct pool_memory_part foreign_board;  /* if so: of a version that we cannot read */
	struct holds           *holds;          /* likewise */
	bool                    has_foreign_holds;
	struct pool_memory_part foreign_holds;
};

/* Makes all parts. 0; or -1 with errno, and there is nothing to free. */
int pool_memory_make(struct pool_memory *m, const struct pool_memory_size *size);

/*
 * Maps the parts that another program has left. A part of a version that we cannot read
 * is kept for the next program, and a blank one of ours stands in its place. 0, and the
 * descriptors in past are m's; or -1 with errno, and they are still the caller's.
 */
int pool_memory_adopt(struct pool_memory *m, const struct pool_memory_size *size,
                      const struct pool_memory_past *past);

/* The parts that the workers write to; their descriptors are lent. */
struct pool_memory_past pool_memory_past(const struct pool_memory *m);

/*
 * In worker i, for good: closes the descriptors, and unmaps what belongs to the other
 * workers alone. 0, or -1 with errno.
 */
int pool_memory_enter(struct pool_memory *m, size_t i);

/* Unmaps and closes all parts; all members are zero then, and may have been. */
void pool_memory_free(struct pool_memory *m);

#endif
