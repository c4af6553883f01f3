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
	CHILD_ACCEPTING,        /* it has said READY */
	CHILD_DRAINING,         /* it was told to drain, or has said that it drains */
	CHILD_STOPPING,         /* it was told to end now */
	CHILD_HANGING,          /* its loop stood still, and it got ABRT; or it is broken, and got KILL */
};

struct child {
	enum child_state state;
	size_t           slot;          /* on the board */
	pid_t            pid;           /* not waited for yet, while state is not NONE */
	int64_t          born_ms;
	struct leash     leash;
	struct watch     ear;           /* of the descriptor where its words arrive */
	struct word_meter said;         /* counts its words */
	struct timer     timer;         /* the time limit of its state: to start, to drain, to end */
	bool             retiring;      /* it has said RETIRE: ends when another worker has taken its place */
	int64_t          start_until_ms;        /* timeouts.start ends, CLOCK_NEVER: never; 0: it has said READY */
	int64_t          drain_until_ms;        /* DRAINING, by order */
	bool             adopted;       /* forked by another program, maybe of another version */
	bool             watches;       /* it was told what to watch for, and has not answered yet */
	struct hang_detector hang;
	int64_t          still_ms;      /* HANGING: for how long its loop had stood still */
	char             waited_in[PROC_TEXT_MAX];      /* and what the kernel said of it; "": it is broken */
	struct loop     *loop;
	struct notify   *events;
	const char      *service;       /* its name */
	void            *arg;           /* for the owner of the functions below */
	/* It has said a word that fits its state; READY and DRAIN have changed the state already. */
	void           (*heard)(struct child *c, enum leash_word word);
	/* It is broken, and was killed: another worker may take its place. */
	void           (*broken)(struct child *c);
	/* It has closed the connection that it was told to kick, or has none of that number. */
	void           (*kicked)(struct child *c, uint64_t number, bool found);
};

/* Whether it has said that it accepts; also while it drains. */
static inline bool child_has_started(const struct child *c)
{
	return c->start_until_ms == 0;
}

/* What is known of a worker that another program has forked. */
struct child_past {
	pid_t            pid;
	struct leash     leash;
	enum child_state state;         /* not NONE */
	bool             retiring;
	int64_t          born_ms;
	int64_t          until_ms;      /* the time limit of its state; CLOCK_NEVER: none */
};

/* Describes c for another program; its leash is lent. */
struct child_past child_past(const struct child *c);

/* Makes c that worker. Takes its leash. The same members of c must be set as for child_fork. */
void child_adopt(struct child *c, const struct child_past *past);

/*
 * Forks. Returns the pid in the master, where the leash is c's; 0 in the worker, with *leash its end;
 * -1 with errno. loop, events, service, arg, heard, broken and kicked must be set. The worker is
 * killed if it does not say READY within start_ms (0: no limit).
 */
pid_t child_fork(struct child *c, int64_t start_ms, struct leash *leash);

/* Sends an order. Never waits. -1 with errno if the worker does not read. */
int child_tell(const struct child *c, const struct leash_message *m);

/*
 * Tells the worker to finish its connections within drain_ms (0: no limit); then it is stopped. A
 * second call replaces the limit of the first. A worker that starts may have accepted already,
 * though its READY was not read yet: it finishes those connections too, and is killed if it does
 * not say READY within the time limit of its start.
 */
void child_drain(struct child *c, uint64_t removed, int64_t drain_ms);

/*
 * Tells the worker to end now: over the leash, which needs no permission to signal it, and by INT
 * (TERM for a worker of an older version). It gets KILL if it does not end.
 */
void child_stop(struct child *c);

/* Sends ABRT, for the core, and KILL if the worker does not end. */
void child_abort(struct child *c);

/* After it was waited for: logs how it ended and what it was doing, and frees its place. */
void child_reclaim(struct child *c, const struct evidence *e);

#endif
