/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Records whether the programs of a worker work. A service whose programs cannot be started, or
 * end before they have done anything, is failing: this module writes that on the board, with
 * the reason, and tells the master, which shows it in the status and repeats it in the log. The
 * service is well again when a program works.
 */
#ifndef DROVER_WORKER_HEALTH_H
#define DROVER_WORKER_HEALTH_H

#include <stdbool.h>

#include "board.h"
#include "interpreter.h"
#include "programs.h"
#include "sandbox_paths.h"

#define HEALTH_STRIKES 3                /* this many programs in a row ended before they were of use */
#define HEALTH_TEXT_MAX (PROGRAMS_FAILURE_MAX + INTERPRETER_TEXT_MAX + SANDBOX_PATHS_HINT_MAX)

struct worker;

struct health {                         /* of a worker; all zero: nothing is known yet */
	enum board_programs now;
	bool                proven;     /* a program has worked at least once */
	bool                refused;    /* a client was refused since a program last worked */
	int                 strikes;    /* since a program last worked */
	bool                in_unit;    /* systemd runs drover, so that its unit may hide directories */
};

/* Whether the service is failing: no program works, as far as is known. */
bool health_fails(const struct worker *w);

/* Whether an error of launch() means that the machine lacks something just now; else it is the program's. */
bool health_is_passing(int error);

/*
 * Explains an error of launch() as "start PATH: REASON". It says what is missing, and mentions
 * the sandbox of the systemd unit where that may be the reason. Returns buf. Must be called
 * before another program is started.
 */
const char *health_explain_start(const struct worker *w, int error, char buf[static HEALTH_TEXT_MAX]);

/*
 * A program works, so the worker is not failing. This costs little and may be called for each
 * program; with `renewed`, the time on the board is set again.
 */
void health_works(struct worker *w, bool renewed);

/* No program works, for this reason: logged when that begins, and as an error if no sibling is failing. */
void health_failed(struct worker *w, const char *reason);

/* A program has ended before it was of use: the HEALTH_STRIKES-th in a row calls health_failed. */
void health_strike(struct worker *w, const char *reason);

/* Looks at the program's file before the first client comes, as far as that shows without executing it. */
void health_look_at_program(struct worker *w);

/*
 * The program of a connection could not be started, with errno; name is the connection's in the
 * log. The first time, accepting pauses; after that, each client is closed at once until a
 * program works. If the machine lacks something just now, accepting pauses each time.
 */
void health_refused(struct worker *w, const char *name);

#endif
