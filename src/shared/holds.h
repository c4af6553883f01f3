/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the workers of a pool hold of the counts that all workers of a service share (sources.h):
 * places in the service, and places of its clients' sources. A worker writes down what it is about
 * to take or give back before it changes a count, and what it holds afterwards. When it has died, at
 * whatever instruction, the master reads here what must be given back (audit.h).
 *
 * The memory is a part of a pool's memory, as the board is: a memfd of sealed size, in which each
 * worker has pages of its own and is their only writer; the master is when it is dead. There are
 * no locks and no pointers, and a broken worker may write anything.
 */
#ifndef DROVER_SHARED_HOLDS_H
#define DROVER_SHARED_HOLDS_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum hold_state {
	HOLD_NONE,                      /* nothing is held */
	HOLD_INTENT,                    /* one change of the count, up or down, may have happened */
	HOLD_HELD,                      /* the count includes this one */
};

/* One place of a source: a connection has at most one. All zero: HOLD_NONE. */
struct hold { _Atomic uint64_t word; };

/* The places that a worker holds in its service. All zero: none. */
struct service_hold { _Atomic uint64_t word; };

struct holds;

/* ---- the memory --------------------------------------------------------- */

/*
 * For n_workers workers with n_holds struct hold each. A worker needs one for each connection,
 * also for those that linger. NULL with errno.
 */
struct holds *holds_new(size_t n_workers, size_t n_holds);

/*
 * Maps the memory that an earlier program made, of SOURCES_VERSION and of the same sizes. Takes
 * fd. On failure returns NULL with errno, and fd is still the caller's.
 */
struct holds *holds_adopt(int fd, size_t n_workers, size_t n_holds);

/* Unmaps *hp and sets it to NULL; NULL is fine. */
void holds_free(struct holds **hp);

/* The memfd, lent; its size is sealed. */
int holds_fd(const struct holds *h);

/*
 * In worker i, for good: closes the descriptor, unmaps what belongs to the others, and gets ready
 * to hand out the holds of this worker, all of which must be HOLD_NONE. 0, or -1 with errno.
 */
int holds_enter(struct holds *h, size_t i);

size_t holds_workers(const struct holds *h);
size_t holds_each(const struct holds *h);       /* holds of each worker */

/* ---- in a worker, after holds_enter ------------------------------------- */

/* A hold that is not in use, HOLD_NONE; lent. NULL if there is none left. */
struct hold *holds_get(struct holds *h);

/* Puts it back, once it is HOLD_NONE again. NULL is fine. */
void holds_put(struct holds *h, struct hold *hold);

/* The places that this worker holds in the service; lent. */
struct service_hold *holds_service(struct holds *h);

/* ---- in the master (not after holds_enter) ------------------------------ */

/* What worker i holds in the service; any i below holds_workers. */
struct service_hold *holds_service_of(const struct holds *h, size_t i);

/* The holds of worker i that may have been in use: *n of them. */
struct hold *holds_of(const struct holds *h, size_t i, size_t *n);

/* Empties what worker i, which is dead, has written, for the next worker. */
void holds_reset(struct holds *h, size_t i);

/* ---- the words ---------------------------------------------------------- */

#define HOLD_INDEX_BITS 22              /* of a source's index */
#define HOLD_TAG_BITS   40              /* of what tells sources apart */

struct hold_view {
	enum hold_state state;
	uint32_t        index;          /* of the source, of any value below 1 << HOLD_INDEX_BITS */
	uint64_t        tag;            /* of the source, of any value below 1 << HOLD_TAG_BITS */
};

struct service_hold_view {
	uint32_t held;                  /* places */
	bool     intent;                /* one place more or one fewer may be held */
};

void hold_set(struct hold *h, struct hold_view now);
struct hold_view hold_get(const struct hold *h);

void service_hold_set(struct service_hold *h, struct service_hold_view now);
struct service_hold_view service_hold_get(const struct service_hold *h);

#endif
