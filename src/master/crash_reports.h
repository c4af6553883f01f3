/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Keeping crash reports: each is written by a child, so that the master never
 * waits for the disk. What is in one, evidence.c says, and where they are,
 * crash_files.c.
 */
#ifndef DROVER_MASTER_CRASH_REPORTS_H
#define DROVER_MASTER_CRASH_REPORTS_H

#include <stdbool.h>
#include <sys/types.h>

#include "crash_files.h"
#include "evidence.h"
#include "notify.h"

#define CRASH_REPORTS_AT_ONCE 8         /* further ones are not kept */
#define CRASH_REPORTS_S       10        /* so long may one take */

struct crash_writing {                  /* a report on its way */
	pid_t pid;                      /* the child; 0: this place is free */
	char  service[65];
	char  name[CRASH_NAME_MAX];
	char  state_dir[256];           /* for the log; cut if it is longer */
};

struct crash_reports {                  /* begins as all zero */
	struct notify       *events;
	char                 missing[256];      /* a state_dir that is not there, told already */
	struct crash_writing writing[CRASH_REPORTS_AT_ONCE];
};

/* e is lent for the call. What goes wrong, now or later, is logged. */
void crash_reports_keep(struct crash_reports *r, const char *state_dir, const struct evidence *e);

/* If pid is one of the children, tells what came of it and returns true. */
bool crash_reports_reaped(struct crash_reports *r, pid_t pid, int status);

#endif
