/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The table of commands. A new one is a row in commands.c, a function in
 * show.c, and an entry in droverctl(8).
 */
#ifndef DROVER_DROVERCTL_COMMANDS_H
#define DROVER_DROVERCTL_COMMANDS_H

#include <stdbool.h>
#include <stddef.h>

#include "show.h"

#define COMMANDS_ARGUMENTS_MAX 2

/* Options that not every command takes. */
enum commands_option {
	COMMANDS_NOW   = 1,     /* --now */
	COMMANDS_DELAY = 2,     /* --delay */
	COMMANDS_COUNT = 4,     /* --count */
	COMMANDS_REPLAY = 8,    /* --replay */
	COMMANDS_WEIGHT = 16,   /* --weight */
	COMMANDS_OPENMETRICS = 32, /* --openmetrics */
	COMMANDS_READY = 64,    /* --ready */
};

struct command {
	const char    *name;
	const char    *usage;           /* what follows the name: "SERVICE N|+N|-N" */
	const char    *help;
	const char    *keys[COMMANDS_ARGUMENTS_MAX];    /* the arguments, as the request names them */
	size_t         n_required;
	unsigned       options;         /* of commands_option */
	bool           at_once;         /* the server answers at once, unless something is wrong */
	show_function *show;            /* NULL: the command asks the server by itself (top) */
};

/* The i-th command; NULL if there are no more. */
const struct command *commands_at(size_t i);

const struct command *commands_find(const char *name);

/* The name nearest to a misspelt one; NULL if none is near. */
const char *commands_suggest(const char *name);

#endif
