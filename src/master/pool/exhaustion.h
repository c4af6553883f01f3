/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An episode in which a pool has all the workers it may have, and no free slot:
 * a line in the log when it begins and one when it ends, with numbers, and an
 * event each.
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
	int64_t longest_queue;          /* seen so far */
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
 * Now the pool is exhausted, or it is not. True if that is new, and was told.
 * It ended at ended_ms.
 */
bool exhaustion_note(struct exhaustion *e, bool exhausted, int64_t ended_ms,
                     const struct exhaustion_facts *f, struct notify *events);

#endif
