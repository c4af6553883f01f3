/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A helper (helper.h) that answers once: in lines, and with an exit status. Lines are complaints
 * unless its owner knows better; complaints go to the log, and are kept for the client that has
 * asked. helper.h knows of bytes and of the process alone.
 */
#ifndef DROVER_MASTER_HELPER_TASK_H
#define DROVER_MASTER_HELPER_TASK_H

#include <stdbool.h>
#include <stdint.h>

#include "helper.h"

#define TASK_SAID 16384                 /* bytes of complaints that are kept; the log has all */

struct task;

struct task_result {                    /* lent */
	int         exit_code;          /* of the child; EX_TEMPFAIL if its time was up, EX_SOFTWARE
	                                 * if a signal ended it */
	const char *complaints;         /* lines without the last newline; "" for none */
};

struct task_job {                       /* copied */
	const char *what;               /* in messages: "checking the configuration" */
	const char *title;              /* for ps(1): see helper.h */
	int64_t     limit_ms;
	/* In the child: returns its exit status. out is the only descriptor that is left to it, */
	int       (*run)(void *arg, int out);
	int         keep;               /* but for 0, 1, 2 and this one; -1: none */
	/* Of a line: true if it is no complaint. NULL: all are. */
	bool      (*hear)(void *arg, const char *line);
	/* In the master, once, from the loop; the task frees itself then. */
	void      (*done)(void *arg, const struct task_result *result);
	void       *arg;
};

/* NULL with errno. */
struct task *task_start(struct helpers *all, const struct task_job *job);

/* Ends it without calling done. Sets *tp to NULL; NULL is fine. */
void task_cancel(struct task **tp);

#endif
