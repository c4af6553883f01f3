/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Whether the programs of a worker work. A service whose programs cannot be started, or end
 * before they have done anything, is failing: this module writes that on the board, with the
 * reason, and tells the master, which says it in the status and repeats it in the log. The
 * service is well again when a program works.
 */
#ifndef DROVER_WORKER_HEALTH_H
#define DROVER_WORKER_HEALTH_H

#include <stdbool.h>

#include "board.h"
#include "interpreter.h"
#include "programs.h"
#include "sandbox_paths.h"

#define HEALTH_STRIKES 3                /* programs in a row that ended before they were of use */
#define HEALTH_TEXT_MAX (PROGRAMS_FAILURE_MAX + INTERPRETER_TEXT_MAX + SANDBOX_PATHS_HINT_MAX)

struct worker;

struct health {                         /* of a worker; all zero: nothing is known yet */
	enum board_programs now;
	bool                proven;     /* one has worked, once */
	bool                refused;    /* a client was refused, since one last worked */
	int                 strikes;    /* since one last worked */
	bool                in_unit;    /* systemd runs us, so that folders may be hidden */
};

/* None works, as far as is known. */
bool health_fails(const struct worker *w);

/* Of an error of launch(): the machine lacks something just now, and the program is not to blame. */
bool health_is_passing(int error);

/*
 * "start PATH: why not", for an error of launch(): with what is missing, and with
 * the sandbox of the systemd unit where that may be the reason. Returns buf. To be
 * called before another one is started.
 */
const char *health_explain_start(const struct worker *w, int error, char buf[static HEALTH_TEXT_MAX]);

/*
 * A program works: the worker is not failing. Cheap, for each of them; with
 * renewed, the board says when that was.
 */
void health_works(struct worker *w, bool renewed);

/* None works, because of that: logged when it begins, and if no sibling says the same. */
void health_failed(struct worker *w, const char *reason);

/* One has ended before it was of use: HEALTH_STRIKES of them are as health_failed. */
void health_strike(struct worker *w, const char *reason);

/* Before the first client: the program's file, as far as it can be judged without executing it. */
void health_look_at_program(struct worker *w);

/*
 * For a connection whose program could not be started, with errno; name is the
 * connection's in the log. The first time accepting pauses; while it goes on, each
 * client is closed at once. What the machine lacks just now is waited for each time.
 */
void health_refused(struct worker *w, const char *name);

#endif
