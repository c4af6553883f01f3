/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Commands of a run script before the one that serves, and what they leave to it: variables, the folder,
 * the umask, limits. It executes nothing.
 */
#ifndef DROVER_IMPORT_IMPORT_RUN_H
#define DROVER_IMPORT_IMPORT_RUN_H

#include "import_shell.h"

struct import_run_command;

struct import_run {
	struct import             *im;
	struct import_place        place;       /* of the command at hand */
	struct import_shell        shell;
	const char                *folder;      /* of the script, absolute */
	const char                *directory;   /* from cd; NULL: there is none */
	struct import_words        exported;    /* names of variables */
	struct import_run_command *commands;    /* umask, ulimit, and those that have no counterpart */
};

/* Takes a command: its effect, if it has any, is one for those behind it. */
void import_run_take(struct import_run *r, const struct import_words *w);

/* Gives a service what the commands before it leave to it, and says what has no counterpart. */
void import_run_apply(const struct import_run *r, struct import_service *svc);

#endif
