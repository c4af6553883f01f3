/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Decides whether the programs of a service work, by what its workers say of theirs on the board,
 * and logs it. A worker logs when they begin to fail; this module repeats that, less and less
 * often, and logs when they work again.
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
	bool                       fails;       /* and that was reported */
	int64_t                    since_ms;
	int64_t                    delay_ms;
	struct timer               again;       /* set: when it is logged once more */
};

/*
 * True if workers that accept say that programs fail, and none says that they work; with a program
 * for each connection: none has said so later. why is in printable ASCII, and may be NULL.
 */
bool program_watch_fails(const struct program_watch *pw, char why[BOARD_REASON_TEXT]);

/* After a worker has said something new, or is gone. True if the service began or ceased to fail. */
bool program_watch_look(struct program_watch *pw);

/* Logs nothing more, and forgets that programs failed. */
void program_watch_end(struct program_watch *pw);

#endif
