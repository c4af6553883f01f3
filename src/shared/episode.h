/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An episode of refusals, in memory that all workers of a service share: it begins with the first
 * refusal for a reason, and the master ends it when there has been none for a while. Workers only
 * count here; the master writes the lines of the log.
 */
#ifndef DROVER_SHARED_EPISODE_H
#define DROVER_SHARED_EPISODE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "address.h"

#define EPISODE_QUIET_MS 10000          /* an episode ends when it was quiet for that long */

enum episode_state {
	EPISODE_NONE,
	EPISODE_BEGINS,                 /* a worker describes the first client */
	EPISODE_NEW,                    /* the log does not say yet that it has begun */
	EPISODE_LOGGED,
};

struct episode {
	_Atomic uint32_t state;         /* enum episode_state */
	_Atomic uint64_t refused;       /* clients, in all episodes */
	_Atomic int64_t  last_ms;       /* when the last one was refused: CLOCK_MONOTONIC */
	_Atomic uint64_t first[3];      /* the first client of the episode, a struct endpoint */
	_Atomic uint64_t before;        /* refused, in the episodes before */
	_Atomic int64_t  begun_ms;      /* by the master, for the line at its end */
};

/* In a worker: a client is refused. True if an episode begins with it: the master must be told. */
bool episode_note(struct episode *e, const struct endpoint *client, int64_t now_ms);

enum episode_news {
	EPISODE_NOTHING,                /* there is none, or it goes on */
	EPISODE_BEGUN,
	EPISODE_ENDED,
};

/* For the lines of the log. What a broken worker may have written is replaced by what can be. */
struct episode_view {
	struct endpoint first;          /* family 0: not known */
	uint64_t        refused;        /* in the episode */
	int64_t         lasted_ms;
	int64_t         ends_ms;        /* when to look again; CLOCK_NEVER: when a worker says so */
};

/* In the master: what has happened since the last look. *v describes the episode, unless there is none. */
enum episode_news episode_look(struct episode *e, int64_t now_ms, struct episode_view *v);

/* In the master: ends it. True if the log says that it has begun; *v describes it then. */
bool episode_end(struct episode *e, int64_t now_ms, struct episode_view *v);

#endif
