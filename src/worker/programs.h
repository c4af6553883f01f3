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
#define PROGRAM_TRIAL_MS 10000          /* a program on trial that lives this long passes */
#define PROGRAM_NAME_MAX 128
#define PROGRAMS_LEFT_MAX 64            /* ended programs whose standard error is still read */

struct program;

struct programs {
	struct loop        *loop;
	struct list         running;
	struct list         left;       /* ended, but processes that they started have their standard error */
	int                 n_left;
	bool                left_told;  /* it was logged that they are too many */
	struct stderr_rate  rate;
	struct stderr_repeat repeat;    /* what programs that ended on trial have said */
	struct environment  environment;
	const struct rlimit_list *limits;
	const char         *directory;  /* looked up at each start; lent */
	bool                no_directory; /* the last start failed because this could not be entered */
	const char         *program;    /* the file; lent */
	char               *const *argv; /* its arguments; lent */
	enum handler_stderr err;
	int                 null_fd;    /* /dev/null, for STDERR_NULL */
};

/*
 * For the programs of s. limits, which is applied in each of them, and paid_ns (stderr_rate.h)
 * are lent. Must be called while /dev/null can still be opened. 0, or -1 with errno.
 */
int programs_init(struct programs *ps, struct loop *l, const struct conf_service *s,
                  const struct rlimit_list *limits, _Atomic int64_t *paid_ns);

/*
 * No program may be running. Logs what has come from processes that programs left behind, and
 * closes their standard error.
 */
void programs_fini(struct programs *ps);

struct program_request {
	const char  *name;              /* for the log; copied, cut at PROGRAM_NAME_MAX */
	const char  *connection;        /* the id of the one that it is for; copied; NULL: none yet */
	char *const *envp;
	bool         with_pid;          /* its pid is appended to the name */
	bool         on_trial;          /* until it passes, what it says is compared: program_passes */
	int          in, out;           /* its descriptors 0 and 1; lent; blocking; may be the same */
	void       (*ended)(void *arg, int status);     /* as from waitpid(2) */
	void        *arg;
};

/* Starts a program, which frees itself after `ended`. NULL with errno if it could not be started. */
struct program *program_start(struct programs *ps, const struct program_request *r);

/*
 * Names the step of the last start that failed, to be put before its errno: "start FILE", or
 * "start FILE: enter DIRECTORY". Returns buf; keeps errno.
 */
#define PROGRAMS_FAILURE_MAX 1024
const char *programs_failure(const struct programs *ps, char buf[PROGRAMS_FAILURE_MAX]);

/* Adds the last whole line of its standard error, if that is logged, as "; it said ...". */
void program_add_last_words(const struct program *p, struct text *t);

/*
 * The program has been of use, or is told to end: from now on what it says is logged as it
 * comes. If a program on trial ends before that, and says what others have said before it, it
 * is only counted (stderr_repeat.h). May be called more than once.
 */
void program_passes(struct program *p);

pid_t program_pid(const struct program *p);

/*
 * From now on it is for the connection with that id, and has another owner, and another name in the
 * log, followed by its pid.
 */
void program_give(struct program *p, const char *name, const char *connection,
                  void (*ended)(void *arg, int status), void *arg);

/* Whether it has ended and was not waited for yet (waitid(2)). */
bool program_has_ended(const struct program *p);

/* Sends TERM to its process group, and KILL after PROGRAM_KILL_MS. May be called more than once. */
void program_end(struct program *p);

/* Sends KILL to its process group: for a program that cannot be trusted any more. */
void program_kill(struct program *p);

/* Calls program_end for all of them. */
void programs_end(struct programs *ps);

/* Waits for the programs that have ended, and calls their `ended`. Must be called on SIGCHLD. */
void programs_reap(struct programs *ps);

/* Whether no program is running. */
bool programs_none(const struct programs *ps);

#endif
