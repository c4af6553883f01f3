/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The counts and rates that all workers of a service share: of the service as a whole, and of each
 * source of its clients. A source is a prefix of addresses, or the user of a unix peer. The table
 * of sources has a fixed size; each operation looks at SOURCES_WINDOW entries at most and waits for
 * nobody. A full window does not refuse a client: the client is not counted (SOURCES_UNTRACKED).
 *
 * The memory is a memfd of sealed size, one for each service, for all its pools in all generations.
 * It has no locks, and nothing in it is a pointer or a length. A worker that dies leaves at most
 * counts that are too high, which audit.h corrects from the holds (holds.h); so does one that
 * writes nonsense here.
 *
 * Times are nanoseconds of CLOCK_MONOTONIC (clock_ns). A rate is a struct bucket_rate (bucket.h);
 * one whose interval is 0 is no limit.
 */
#ifndef DROVER_SHARED_SOURCES_H
#define DROVER_SHARED_SOURCES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bucket.h"
#include "holds.h"
#include "source_id.h"

#define SOURCES_VERSION   2             /* of the layout of this memory, and of that of holds.h */
#define SOURCES_MIN       16            /* entries */
#define SOURCES_MAX       (1 << HOLD_INDEX_BITS)
#define SOURCES_WINDOW    16            /* entries in which a source can be */
#define SOURCES_COUNT_MAX 65535         /* connections of a source that can be counted */
#define SOURCES_EPISODES  16            /* room for struct episode */

struct sources;
struct episode;                         /* episode.h: this memory only has the room for it */

/* ---- the memory --------------------------------------------------------- */

/* For `entries` sources, a power of two from SOURCES_MIN to SOURCES_MAX. NULL with errno. */
struct sources *sources_make(size_t entries);

/*
 * Maps the memory that an earlier program made, of SOURCES_VERSION and of that size. Takes fd. On
 * failure returns NULL with errno, and fd is still the caller's.
 */
struct sources *sources_adopt(int fd, size_t entries);

/* Unmaps *sp and sets it to NULL; NULL is fine. */
void sources_free(struct sources **sp);

/* The memfd, lent; its size is sealed. */
int sources_fd(const struct sources *s);

/* In a worker, for good: closes the descriptor. */
void sources_enter(struct sources *s);

size_t sources_entries(const struct sources *s);

/* Room for one struct episode, on a cache line of its own; zero at first. i < SOURCES_EPISODES. Lent. */
struct episode *sources_episode(const struct sources *s, size_t i);

/* ---- one source --------------------------------------------------------- */

/*
 * The key of a source: a hash with a secret that is made with the memory, so that a client cannot
 * choose addresses whose entries collide. All of the source must be known (source_id_is_known).
 */
uint64_t sources_key(const struct sources *s, const struct source_id *source);

struct source_limits {
	uint32_t           connections; /* at most SOURCES_COUNT_MAX; 0: no limit */
	struct bucket_rate rate;
};

enum sources_result {
	SOURCES_TAKEN,                  /* the hold has a place of the source, until sources_give */
	SOURCES_FULL,                   /* the limit of connections is reached; nothing is held */
	SOURCES_TOO_FAST,               /* the rate is exceeded; nothing is held */
	SOURCES_UNTRACKED,              /* cannot be counted: admit the client; nothing is held */
};

/*
 * Counts one connection more of a source and takes one token of its rate, or neither of both. h is
 * HOLD_NONE before; NULL, as holds_get returns it when none is left, gives SOURCES_UNTRACKED. The
 * limit of connections is exact; so is the rate, as long as the source's entry is not needed for
 * another source: then it begins again with a full burst.
 */
enum sources_result sources_take(struct sources *s, uint64_t key, const struct source_limits *limits,
                                 int64_t now_ns, struct hold *h);

/* Counts one connection fewer; h becomes HOLD_NONE. NULL and HOLD_NONE are fine. */
void sources_give(struct sources *s, struct hold *h);

/* 1 + the index of the entry of which h holds a place, for the board; 0: none, and for NULL. */
uint32_t sources_of_hold(const struct hold *h);

/* ---- the service -------------------------------------------------------- */

/* Takes one place in the service, unless `limit` (0: no limit) are taken: false. Exact. */
bool sources_take_service(struct sources *s, struct service_hold *h, uint32_t limit);

/* Gives one place back. Without effect if h has none. */
void sources_give_service(struct sources *s, struct service_hold *h);

/* The places that are taken. */
uint32_t sources_service_count(const struct sources *s);

/* How long until the service's rate has a token: 0 if it has one now. Takes none. */
int64_t sources_service_wait_ns(struct sources *s, const struct bucket_rate *rate, int64_t now_ns);

/* Takes a token of the service's rate: 0; or takes none, and returns how long until there is one. */
int64_t sources_service_pay(struct sources *s, const struct bucket_rate *rate, int64_t now_ns);

/* Gives back a token that was taken for a client that did not come, or was refused for another reason. */
void sources_service_refund(struct sources *s, const struct bucket_rate *rate);

/* ---- for the audit and for reports -------------------------------------- */

struct sources_range { uint32_t begin, end; };  /* entries: from begin to before end */

/*
 * The first entries from `index` on that may have been used; from sources_entries(s) to there, if there
 * are none. For walks over the table in the master: to look at others would need memory for them.
 */
struct sources_range sources_used(const struct sources *s, uint32_t index);

/* A count, as one word that is different after each change of it. */
struct sources_count { uint64_t word; };

struct sources_count sources_look(const struct sources *s, uint32_t index);     /* index < entries */
struct sources_count sources_look_at_service(const struct sources *s);

uint32_t sources_count_of(struct sources_count c);      /* connections of a source */
uint64_t sources_tag_of(struct sources_count c);        /* tells sources apart; 0: never used */
uint32_t sources_service_count_of(struct sources_count c);

/* The tag of the source of that key. */
uint64_t sources_tag_of_key(uint64_t key);

/* How long until the bucket of an entry has a token: 0 if it has one now. Takes none, and repairs nothing. */
int64_t sources_wait_ns(const struct sources *s, uint32_t index, const struct bucket_rate *rate,
                        int64_t now_ns);

/* Sets a count, unless it is no longer as it was seen: false. */
bool sources_correct(struct sources *s, uint32_t index, struct sources_count seen, uint32_t count);
bool sources_correct_service(struct sources *s, struct sources_count seen, uint32_t count);

/*
 * In the master, for a worker that is dead: gives back a place of a source, or n of the service, as
 * far as that many are taken. False if the entry has no such source or none of its places is taken.
 */
bool sources_reclaim(struct sources *s, uint32_t index, uint64_t tag);
void sources_reclaim_service(struct sources *s, uint32_t n);

#endif
