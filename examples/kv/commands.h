/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What each command does. Nothing here knows of connections, nor of where transactions begin. */
#pragma once

#include "store.h"

#define COMMAND_WRITE 1u                /* needs store_begin */
#define COMMAND_LONG  2u                /* may look at all data: not while other processes wait to write */

struct call {
	const struct slice   *argv;
	size_t                argc;             /* at least 1 */
	const struct command *command;
	struct store         *store;
	struct resp_reply    *out;              /* gets one reply; if the store fails, no matter which */
	bool                  quits;            /* set by a command: the connection is to end */
	bool                  there;            /* if there is one key: whether it is there, */
	struct entry          entry;            /* and what it has; or else nothing */
};

unsigned command_find(struct call *c);  /* which command argv is of; returns the flags above */
void command_run(struct call *c);
