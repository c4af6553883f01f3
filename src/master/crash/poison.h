/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which sources of a service have crashed its workers, and which of them are blocked for that: the
 * history of a service, and arithmetic with the time as an argument. It does not log, has no timers,
 * and does not know how a block keeps clients out.
 *
 * A source that has crashed `crashes` workers within `within` is blocked; the first time for `block`,
 * and each time after that for twice as long, up to block_max. If the crashes of that time came from
 * several sources, no source is blocked: the service itself is broken then, and restart.c slows it
 * down.
 */
#ifndef DROVER_MASTER_CRASH_POISON_H
#define DROVER_MASTER_CRASH_POISON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "blocks.h"
#include "conf.h"
#include "source_id.h"

#define POISON_SOURCES BLOCKS_MAX       /* that are remembered: each has the entry of its index there */
#define POISON_SPREAD  3                /* sources that crash workers: it is not one of them that is bad */

struct poison_source {
	struct source_id source;        /* not known: this place is free */
	int              n_crashes;
	int64_t          crashes_ms[CONF_POISON_CRASHES_MAX];   /* their times, the latest first */
	int64_t          since_ms, until_ms;    /* of its block; until_ms 0: it is not blocked */
	int              counted;       /* crashes that led to the block, and those since then */
	int64_t          block_ms;      /* how long the last block was to be; 0: there was none */
	int64_t          free_ms;       /* when that ended */
	int64_t          changed_ms;    /* the last crash, or the end of the last block */
};

struct poison {                         /* all zero at first */
	struct poison_source sources[POISON_SOURCES];
	int64_t              spread_ms; /* when a source was last spared because of the others; 0: never */
};

enum poison_verdict {
	POISON_NOTED,                   /* no block follows from it */
	POISON_BLOCKED,                 /* the source is blocked from now on */
	POISON_IS_SPREAD,               /* it would be, but there are too many: said once for `within` */
};

/*
 * A worker has crashed at a request of that source. *place is the place that the source has, and
 * until_ms there the end of its block. An exempt source counts among the sources, and is not blocked.
 * If there is no place (all sources are blocked), *place is POISON_SOURCES, and nothing is noted.
 */
enum poison_verdict poison_note(struct poison *p, const struct conf_poison *rule,
                                const struct source_id *source, bool is_exempt, int64_t now_ms,
                                size_t *place);

/* When the next block ends; CLOCK_NEVER if there is none. */
int64_t poison_next_ms(const struct poison *p);

/* A place whose block has ended by now; POISON_SOURCES if there is none. */
size_t poison_find_ended(const struct poison *p, int64_t now_ms);

/* Ends the block in that place: the source has no crashes then, but its next block is longer. */
void poison_end(struct poison *p, size_t place, int64_t now_ms);

static inline bool poison_is_blocked(const struct poison_source *s)
{
	return s->until_ms != 0;
}

/* ---- for the next program at an upgrade --------------------------------- */

/*
 * Puts a source into that place, which is free. False if it makes no sense: a source that is not
 * known or there already, or times that contradict each other.
 */
bool poison_restore(struct poison *p, size_t place, const struct poison_source *source);

#endif
