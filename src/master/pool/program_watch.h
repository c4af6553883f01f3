/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Whether the programs of a service work, by what its workers say of theirs on the board; and the
 * log of that. A worker logs when they begin to fail; this module repeats it, less and less
 * often, and logs when it is over.
 */
#ifndef DROVER_MASTER_POOL_PROGRAM_WATCH_H
#define DROVER_MASTER_POOL_PROGRAM_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "board.h"
#include "children.h"
#include "conf.h"
#include "loop.h"
#include "notify.h"

struct program_watch {
	const struct conf_service *service;
	const struct children     *children;
	struct loop               *loop;
	struct notify             *events;
	bool                       fails;       /* and that was told */
	int64_t                    since_ms;
	int64_t                    delay_ms;
	struct timer               again;       /* to be told once more */
};

/*
 * Workers that accept say that programs fail, and none, or for a program a
 * connection none later, that they work. why: in printable ASCII; may be NULL.
 */
bool program_watch_fails(const struct program_watch *pw, char why[BOARD_REASON_TEXT]);

/* A worker has said something new, or is gone. True if the service fails now, or works, and did not before. */
bool program_watch_look(struct program_watch *pw);

/* Nothing is to be told any more. */
void program_watch_end(struct program_watch *pw);

#endif
