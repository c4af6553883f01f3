/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A child of the master that does one thing, and may take its time for it,
 * within a limit. What it complains of, line by line, goes to the log and is
 * kept for who wants to know.
 */
#ifndef DROVER_MASTER_ERRAND_H
#define DROVER_MASTER_ERRAND_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "loop.h"

#define ERRAND_SAID 16384               /* bytes of complaints that are kept; the log has all */

struct errand;

struct errand_result {                  /* lent */
	int         exit_code;          /* of the child; EX_TEMPFAIL if its time was up, EX_SOFTWARE
	                                 * if a signal ended it */
	const char *complaints;         /* lines without the last newline; "" for none */
};

struct errand_job {                     /* copied */
	const char *what;               /* in messages: "checking the configuration" */
	int64_t     limit_ms;
	/* In the child: returns its exit status. out is the only descriptor that is left to it, */
	int       (*run)(void *arg, int out);
	int         keep;               /* but for 0, 1, 2 and this one; -1: none */
	/* Of a line: true if it is no complaint. NULL: all are. */
	bool      (*hear)(void *arg, const char *line);
	/* In the master, once, from the loop; the errand has freed itself then. */
	void      (*done)(void *arg, const struct errand_result *result);
	void       *arg;
};

/* NULL with errno. */
struct errand *errand_start(struct loop *l, const struct errand_job *job);

/* If pid is the child, takes note of its end and returns true. NULL is fine. */
bool errand_reaped(struct errand *e, pid_t pid, int status);

/* Ends it without calling done. Sets *ep to NULL; NULL is fine. */
void errand_cancel(struct errand **ep);

#endif
