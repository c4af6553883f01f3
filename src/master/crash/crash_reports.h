/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Keeps crash reports: each is written by a helper (helper.h), so that the master never waits for
 * the disk. A helper goes on writing if the master ends before it. evidence.c knows what is in a report,
 * crash_files.c where reports are.
 */
#ifndef DROVER_MASTER_CRASH_CRASH_REPORTS_H
#define DROVER_MASTER_CRASH_CRASH_REPORTS_H

#include <time.h>

#include "crash_files.h"
#include "evidence.h"
#include "helper.h"
#include "notify.h"

#define CRASH_REPORTS_AT_ONCE 8         /* further ones are not kept */
#define CRASH_REPORTS_MS      10000     /* how long one may take */

struct crash_reports;

struct crash_writing {                  /* a report on its way */
	struct crash_reports  *reports;
	struct helper         *helper;          /* NULL: this place is free */
	char                   service[65];
	char                   name[CRASH_NAME_MAX];
	char                   state_dir[256];  /* for the log; cut if it is longer */
	const char            *folder;          /* from here on, only the child uses them */
	const struct evidence *evidence;
	struct timespec        when;
};

struct crash_reports {                  /* all zero at first, except the first two */
	struct helpers      *helpers;
	struct notify       *events;
	char                 missing[256];      /* the missing state_dir that was logged last */
	struct crash_writing writing[CRASH_REPORTS_AT_ONCE];
};

/* e is lent for the call. What goes wrong, now or later, is logged. */
void crash_reports_keep(struct crash_reports *r, const char *state_dir, const struct evidence *e);

/* Reports that are being written are still finished; their results are not logged any more. */
void crash_reports_leave(struct crash_reports *r);

#endif
