/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The sources that a service refuses for a while, because requests of theirs crashed workers: a
 * small table in memory that the master and all workers of a service share. The master decides and
 * writes; a worker looks up each client that it is about to admit. In a worker the table can only be
 * read, except the counts of refused clients. That is against mistakes: a worker that was taken over
 * can make the table writable again. So the master decides nothing by what it reads there, and the
 * worker harms its own service alone.
 *
 * There are no locks, and a reader does not wait: an entry that is being written counts as empty.
 */
#ifndef DROVER_SHARED_BLOCKS_H
#define DROVER_SHARED_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "source_id.h"

#define BLOCKS_VERSION 1                /* of the memory's layout */
#define BLOCKS_MAX     128              /* sources at the same time */

struct blocks;

/* Makes an empty table, shared with children forked later. NULL with errno. */
struct blocks *blocks_new(void);

/*
 * Maps a table that an earlier program made, of this version; its entries go on. Takes fd. On failure
 * returns NULL with errno, and fd is still the caller's.
 */
struct blocks *blocks_adopt(int fd);

/* Unmaps *bp and sets it to NULL; NULL is fine. */
void blocks_free(struct blocks **bp);

/* The memfd, lent; its size is sealed. -1 after blocks_enter. */
int blocks_fd(const struct blocks *b);

/* In a worker, for good: closes the descriptor, and makes the table read-only. 0, or -1 with errno. */
int blocks_enter(struct blocks *b);

/* ---- the master --------------------------------------------------------- */

/* Refuses a source until that time (CLOCK_MONOTONIC), in entry i, whose count begins at 0. */
void blocks_set(struct blocks *b, size_t i, const struct source_id *source, int64_t until_ms);

/* Empties entry i. */
void blocks_clear(struct blocks *b, size_t i);

/* How many clients workers have refused for entry i. Any value: a broken worker writes what it likes. */
uint64_t blocks_refused(const struct blocks *b, size_t i);

/* ---- workers ------------------------------------------------------------ */

/*
 * True if no source is refused now: one load. A time that has passed may count until the master has
 * emptied the entry.
 */
bool blocks_is_empty(const struct blocks *b);

/*
 * Whether the client is of a source that is refused at now_ms; uid is that of a unix peer. Counts
 * the client as refused if so.
 */
bool blocks_refuse(struct blocks *b, const struct endpoint *client, uid_t uid, int64_t now_ms);

#endif
