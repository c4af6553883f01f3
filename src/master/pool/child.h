/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One worker, as its master sees it: its pid, the master's end of its leash, and the time that it
 * is allowed for what it does. The pool decides which workers there should be.
 */
#ifndef DROVER_MASTER_POOL_CHILD_H
#define DROVER_MASTER_POOL_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "evidence.h"
#include "hang_detector.h"
#include "leash.h"
#include "loop.h"
#include "notify.h"
#include "proc.h"
#include "word_meter.h"

enum child_state {
	CHILD_NONE,             /* this place is free */
	CHILD_STARTING,         /* forked */
	CHILD_ACCEPTING,        /* it said so */
	CHILD_DRAINING,         /* told to finish, or it said that it was */
	CHILD_STOPPING,         /* told to end now */
	CHILD_HANGING,          /* its loop stood still: sent ABRT; or it is broken: sent KILL */
};

struct child {
	enum child_state state;
	pid_t            pid;           /* not waited for yet, while state is not NONE */
	int64_t          born_ms;
	struct leash     leash;
	struct watch     ear;           /* where it says its words */
	struct word_meter said;         /* and how many */
	struct timer     timer;         /* what its state allows it: to start, to drain, to go */
	bool             retiring;      /* it said so: goes when another one has taken its place */
	bool             starts;        /* DRAINING: it has not said READY, and timeouts.start goes on */
	int64_t          drain_until_ms;        /* DRAINING, by order */
	bool             adopted;       /* forked by another program, whose version may be another */
	bool             watches;       /* it was told for what, and has said nothing since */
	struct hang_detector hang;
	int64_t          still_ms;      /* HANGING: for how long its loop had stood still, */
	char             waited_in[PROC_TEXT_MAX];      /* and what the kernel said of that; "": broken */
	struct loop     *loop;
	struct notify   *events;
	const char      *service;       /* its name */
	void            *arg;           /* of heard */
	/* It said something that fits its state, which READY and DRAIN have changed already. */
	void           (*heard)(struct child *c, enum leash_word word);
	/* It is broken, and was killed: another one may take its place. */
	void           (*broken)(struct child *c);
	/* It has closed the connection that it was to kick, or had none of that number. */
	void           (*kicked)(struct child *c, uint64_t number, bool found);
};

/* What is known of a worker that another program has forked. */
struct child_past {
	pid_t            pid;
	struct leash     leash;
	enum child_state state;         /* not NONE */
	bool             retiring;
	int64_t          born_ms;
	int64_t          until_ms;      /* what its state allows it; CLOCK_NEVER: no limit */
};

/* What c is now; its leash is lent. */
struct child_past child_past(const struct child *c);

/* c is that worker from now on. Takes its leash. c is set up as for child_fork. */
void child_adopt(struct child *c, const struct child_past *past);

/*
 * Forks. Returns the pid in the master; 0 in the worker, with *leash its end;
 * -1 with errno. loop, events, service, arg, heard, broken and kicked must be set; it is killed
 * if it does not say READY within start_ms (0: never).
 */
pid_t child_fork(struct child *c, int64_t start_ms, struct leash *leash);

/* Never waits. -1 with errno if it does not read. */
int child_tell(const struct child *c, const struct leash_message *m);

/*
 * It is to finish what is open within drain_ms (0: no limit), then it is stopped.
 * The last word counts. One that starts may have accepted without having been heard: it
 * finishes that too, and is killed if it does not say READY within the time of its start.
 */
void child_drain(struct child *c, uint64_t removed, int64_t drain_ms);

/*
 * To end now: over the leash, which needs no right to signal it, and by INT (TERM
 * for one of a program before). KILL if that does not help.
 */
void child_stop(struct child *c);

/* ABRT, for the core, and KILL if that does not help. */
void child_abort(struct child *c);

/* It was waited for. Logs how it ended, and what it was doing; its place is free then. */
void child_reclaim(struct child *c, const struct evidence *e);

#endif
