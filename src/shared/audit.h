/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Gives back what dead workers held, and recounts the shared counts of a service (sources.h) from
 * what its workers hold (holds.h). Only the master calls this. A worker that dies in the middle of a
 * change leaves a count that is right or one too high; a recount corrects it, and also whatever a
 * broken worker has written over the counts.
 *
 * A recount goes on while workers take and give. It corrects a count only if two looks at it find
 * the same difference; a look counts only if the count did not change meanwhile and no worker was
 * in the middle of a change of it. A count that never stands still is looked
 * at again in each pass; one that is at its limit, so that it keeps clients away, does stand still.
 */
#ifndef DROVER_SHARED_AUDIT_H
#define DROVER_SHARED_AUDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "holds.h"
#include "sources.h"

#define AUDIT_CHUNK 65536               /* entries that become suspects in one pass */

/* What the looks at one count have found. */
struct audit_finding {
	struct sources_count seen;      /* at the begin of this look */
	uint32_t             held;      /* places, by the holds that this look has seen so far */
	bool                 unsettled; /* a worker is in the middle of a change */
	bool                 known;     /* off is what the look before this one has found */
	int64_t              off;       /* the count, less what is held */
};

struct audit_suspect;

/* A recount of one service. All zero: none goes on. */
struct audit {
	bool                  service_is_suspect;
	struct audit_finding  service;
	size_t                next;             /* entries from here on have still to be looked at */
	struct audit_suspect *suspects;         /* entries to look at again, by index */
	size_t                n_suspects;
	bool                  going_on;
	uint64_t              corrected;        /* counts, since audit_begin */
};

/* What a dead worker left. */
struct audit_remains {
	uint64_t given_back;            /* places of sources */
	uint32_t given_back_service;    /* places of the service */
	uint64_t intents;               /* changes that may have happened or not */
	uint64_t ignored;               /* holds that make no sense: the worker was broken */
};

/*
 * Gives back what worker i of these holds held, which is dead and reaped, and empties its holds.
 * A recount is due then if there were intents or ignored holds, or if it did not end by itself.
 */
struct audit_remains audit_reclaim(struct holds *h, size_t i, struct sources *s);

/* Begins a recount of all counts; one that goes on begins anew. */
void audit_begin(struct audit *a);

enum audit_result {
	AUDIT_DONE,                     /* all counts agree: nothing goes on any more */
	AUDIT_AGAIN,                    /* another pass is needed, a moment later */
};

/*
 * One pass. pools are the holds of all workers of the service: of all its pools in all generations,
 * also of those that drain. DONE if no recount goes on. Costs one look at each hold that was ever
 * in use, and at AUDIT_CHUNK entries at most; a larger table needs more passes.
 */
enum audit_result audit_pass(struct audit *a, struct sources *s, struct holds *const *pools,
                             size_t n_pools);

/* Ends a recount, and frees what it has; all zero is fine. */
void audit_end(struct audit *a);

#endif
