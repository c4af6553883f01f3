/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What each command does. Nothing here knows of connections, nor of where transactions end. */
#ifndef KV_COMMANDS_H
#define KV_COMMANDS_H

#include "store.h"

struct call {
	const struct slice   *argv;
	size_t                argc;     /* at least 1 */
	struct store         *store;
	struct resp_reply    *out;      /* gets one reply; if the store fails, no matter which */
	bool                  quits;    /* set by QUIT: the connection is to end */
	const struct command *command;  /* this and the rest: of commands.c */
	bool                  there;    /* if the command is about one key: whether it is there, */
	struct entry          entry;    /* and what it has; or else nothing */
};

void command_run(struct call *c);       /* calls store_begin if the command has to write */

#endif
