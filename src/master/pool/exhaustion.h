/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Logs an episode in which a pool has all the workers it may have, and no free slot: one line
 * when it begins and one when it ends, with numbers, and an event with each. policy.c decides when
 * an episode begins and ends.
 */
#ifndef DROVER_MASTER_POOL_EXHAUSTION_H
#define DROVER_MASTER_POOL_EXHAUSTION_H

#include <stdbool.h>
#include <stdint.h>

#include "board.h"
#include "conf.h"
#include "notify.h"

struct exhaustion {
	bool    lasts;
	int64_t since_ms;
	int64_t longest_queue;          /* of those seen so far */
};

struct exhaustion_facts {
	const struct conf_service *service;
	int64_t                    now_ms;
	int                        workers;
	int64_t                    busy, slots;
	int64_t                    queue, queue_limit;  /* limit 0: not known */
	const struct board        *board;
};

/*
 * Takes note of whether the pool is exhausted now. True if that has changed, and was logged.
 * ended_ms is when the episode ended, if it has.
 */
bool exhaustion_note(struct exhaustion *e, bool exhausted, int64_t ended_ms,
                     const struct exhaustion_facts *f, struct notify *events);

#endif
