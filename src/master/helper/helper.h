/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A helper: a child process of the master, forked from it, that does one thing. What every
 * helper has to be is made here: it has a session of its own and /dev/null as standard input
 * and output, a title for ps(1), a limit of its time, and no descriptors but those it is given;
 * it dies with the master unless it is to outlive it. Its signals stay blocked as the master's
 * are, so that "pkill -HUP droverd" does not end it. What it does, and what its end means, is
 * known to its owner alone; task.h is for an owner that wants lines and an exit status.
 */
#ifndef DROVER_MASTER_HELPER_HELPER_H
#define DROVER_MASTER_HELPER_HELPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "list.h"
#include "loop.h"

struct helper;

struct helpers {                        /* all that a master has */
	struct loop *loop;
	struct list  all;
};

struct helper_end {                     /* lent */
	int  status;                    /* as from waitpid(2). Exit status EX_OSERR may also mean that it could
	                                 * not be made what it has to be; it has said why */
	bool too_late;                  /* the limit was reached before all of it was over */
};

struct helper_job {                     /* copied */
	const char *title;              /* after "droverd: " */
	int64_t     limit_ms;           /* then it is killed, or ended by ALRM if the master is gone */
	bool        outlives;           /* the master; else it is killed when the master ends, however that is */
	const int  *keep;               /* descriptors that are left to it besides 0, 1, 2 and out; -1 is fine */
	size_t      n_keep;
	/* In the helper, before the master's descriptors are closed. NULL is fine. */
	void      (*prepare)(void *arg);
	/* In the helper: returns its exit status. out is the pipe that hear reads; -1 without hear. */
	int       (*run)(void *arg, int out);
	/* In the master, from the loop: what it has written to out. NULL: it needs no pipe. */
	void      (*hear)(void *arg, const char *bytes, size_t n);
	/* The limit is reached: the helper, if it is still there, will be killed. NULL is fine. */
	void      (*late)(void *arg);
	/* Once: it has ended, and so has its output, if it has any. It frees itself after that. */
	void      (*done)(void *arg, const struct helper_end *end);
	void       *arg;
};

void helpers_init(struct helpers *all, struct loop *l);

/* NULL with errno. */
struct helper *helper_start(struct helpers *all, const struct helper_job *job);

/* Its process id, also in late and done. */
pid_t helper_pid(const struct helper *h);

/* Kills it, unless it outlives the master. done is not called. Sets *hp to NULL; NULL is fine. */
void helper_free(struct helper **hp);

/* If pid is one of them, takes note of its end and returns true. */
bool helpers_reaped(struct helpers *all, pid_t pid, int status);

#endif
