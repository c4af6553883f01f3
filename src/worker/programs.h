/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The programs that a worker runs: it starts them, reads their standard error, ends them and
 * waits for them. Handlers know what they are for.
 */
#ifndef DROVER_WORKER_PROGRAMS_H
#define DROVER_WORKER_PROGRAMS_H

#include <stdbool.h>
#include <sys/types.h>

#include "conf.h"
#include "environment.h"
#include "list.h"
#include "loop.h"
#include "rlimits.h"
#include "stderr_rate.h"
#include "stderr_repeat.h"
#include "text.h"

#define PROGRAM_KILL_MS  5000           /* from TERM to KILL */
#define PROGRAM_TRIAL_MS 10000          /* on trial, till it is taken to be of use */
#define PROGRAM_NAME_MAX 128
#define PROGRAMS_LEFT_MAX 64            /* ended ones whose standard error is still read */

struct program;

struct programs {
	struct loop        *loop;
	struct list         running;
	struct list         left;       /* ended, but what they started has their standard error */
	int                 n_left;
	bool                left_told;  /* that they are too many */
	struct stderr_rate  rate;
	struct stderr_repeat repeat;    /* what those on trial have said that have ended */
	struct environment  environment;
	const struct rlimit_list *limits;
	const char         *directory;  /* looked up at each start; lent */
	bool                no_directory; /* why the last start failed */
	const char         *program;    /* the file, */
	char               *const *argv; /* and what it is given; both lent */
	enum handler_stderr err;
	int                 null_fd;    /* /dev/null, for STDERR_NULL */
};

/*
 * For the programs of s; limits, applied in each of them, is lent, and so is
 * paid_ns (stderr_rate.h). To be called while /dev/null is in reach. 0, or -1
 * with errno.
 */
int programs_init(struct programs *ps, struct loop *l, const struct conf_service *s,
                  const struct rlimit_list *limits, _Atomic int64_t *paid_ns);

/* None runs any more. Standard error of what they have left is closed, after what has come there. */
void programs_fini(struct programs *ps);

struct program_request {
	const char  *name;              /* for the log; copied, cut at PROGRAM_NAME_MAX */
	char *const *envp;
	bool         with_pid;          /* its pid is put behind the name */
	bool         on_trial;          /* until it passes, it may end as others did, with the same words */
	int          in, out;           /* lent; blocking; may be one */
	void       (*ended)(void *arg, int status);     /* as from waitpid(2) */
	void        *arg;
};

/* NULL with errno if it could not be started. It frees itself after `ended`. */
struct program *program_start(struct programs *ps, const struct program_request *r);

/*
 * What the errno of the start that failed last is about: "start FILE", or
 * "start FILE: enter DIRECTORY". Returns buf; keeps errno.
 */
#define PROGRAMS_FAILURE_MAX 1024
const char *programs_failure(const struct programs *ps, char buf[PROGRAMS_FAILURE_MAX]);

/* The last whole line that it has said on its standard error, if that is logged, as "; it said ...". */
void program_add_last_words(const struct program *p, struct text *t);

/*
 * It has been of use, or is let go: what it says is logged as it comes. A program on
 * trial that ends before that is of no use, and what others have said before it is
 * only counted (stderr_repeat.h). More than once is fine.
 */
void program_passes(struct program *p);

pid_t program_pid(const struct program *p);

/* From now on it has another owner, and another name in the log, with its pid behind it. */
void program_give(struct program *p, const char *name, void (*ended)(void *arg, int status),
                  void *arg);

/* Whether it has ended and was not waited for yet. */
bool program_has_ended(const struct program *p);

/* TERM to its process group, KILL after PROGRAM_KILL_MS. More than once is fine. */
void program_end(struct program *p);

/* KILL to its process group: for one that cannot be trusted any more. */
void program_kill(struct program *p);

/* TERM to all. */
void programs_end(struct programs *ps);

/* Waits for those that have ended; to be called on SIGCHLD. */
void programs_reap(struct programs *ps);

bool programs_none(const struct programs *ps);

#endif
