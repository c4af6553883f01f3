/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Programs that end at their start, one after the other, and say the same each time
 * on their standard error: a traceback. The first is logged in full, the next are
 * counted; after a while it is in full again. Lines that may turn out to be the same
 * are held back until one differs, or the program has ended, or has been of use.
 */
#ifndef DROVER_WORKER_STDERR_REPEAT_H
#define DROVER_WORKER_STDERR_REPEAT_H

#include <stddef.h>
#include <stdint.h>

#define STDERR_REPEAT_MAX      16384    /* bytes that are compared; what is longer is never held back */
#define STDERR_REPEAT_FULL_MS  60000    /* till it is logged in full again: at first, doubled each time, */
#define STDERR_REPEAT_FULL_MAX_MS 3600000       /* and at most */

struct stderr_repeat {                  /* of the programs of a worker; zero but service: none has ended */
	const char *service;            /* for the log; lent */
	char       *said;               /* by the one that ended last, line by line */
	size_t      len;
	uint64_t    n, n_told;          /* that have said the same since it was logged in full */
	int64_t     full_at_ms, delay_ms;       /* when it is logged in full again */
};

enum stderr_words_state {
	STDERR_WORDS_FREE,              /* the program has been of use: nothing is compared */
	STDERR_WORDS_HELD,              /* so far it says the same: nothing is logged yet */
	STDERR_WORDS_KEPT,              /* it says something else: logged, to compare the next one with */
};

struct stderr_words {                   /* of one program; zero: of one that is of use */
	enum stderr_words_state state;
	char   *bytes;                  /* its lines, each with a LF */
	size_t  len;
	void  (*log)(void *arg, const char *line, size_t len);
	void   *arg;
};

/* A program begins, that may end before it is of use. w->log and w->arg are set. */
void stderr_words_begin(struct stderr_words *w);

/* The program has said a line (without its LF): logged now, or held back. */
void stderr_words_add(struct stderr_words *w, struct stderr_repeat *r, const char *line, size_t len);

/* The program is of use, or is let go: logs what is held back, and whatever comes from now on. */
void stderr_words_pass(struct stderr_words *w);

/* The program has ended and was of no use: logs or counts what it has said. Not after that of a pass. */
void stderr_words_end(struct stderr_words *w, struct stderr_repeat *r, int64_t now_ms);

/* Logs how many it were since that was logged last, if any. */
void stderr_repeat_fini(struct stderr_repeat *r);

#endif
