/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Keeps the log short when programs end at their start, one after the other, and each writes
 * the same to standard error, for example a traceback. The first is logged in full, the next
 * ones are counted; after a while one is logged in full again. Lines that may turn out to be
 * the same are held back until one differs, or the program has ended, or it has been of use.
 */
#ifndef DROVER_WORKER_STDERR_REPEAT_H
#define DROVER_WORKER_STDERR_REPEAT_H

#include <stddef.h>
#include <stdint.h>

#define STDERR_REPEAT_MAX      16384    /* bytes that are compared; more are logged and not compared */
#define STDERR_REPEAT_FULL_MS  60000    /* until it is logged in full again: the first time, then doubled, */
#define STDERR_REPEAT_FULL_MAX_MS 3600000       /* up to this */

struct stderr_repeat {                  /* of a worker's programs; all but service zero: none has ended */
	const char *service;            /* for the log; lent */
	char       *said;               /* the lines of the program that new ones are compared with */
	size_t      len;
	uint64_t    n, n_told;          /* programs that said the same since it was logged in full; logged */
	int64_t     full_at_ms, delay_ms;       /* when it is logged in full again, after this delay */
};

enum stderr_words_state {
	STDERR_WORDS_FREE,              /* the program has been of use: nothing is compared */
	STDERR_WORDS_HELD,              /* so far it says the same: its lines are not logged yet */
	STDERR_WORDS_KEPT,              /* it says something else: logged, and kept to compare with */
};

struct stderr_words {                   /* of one program; all zero: the program has been of use */
	enum stderr_words_state state;
	char   *bytes;                  /* its lines, each with a LF */
	size_t  len;
	void  (*log)(void *arg, const char *line, size_t len);
	void   *arg;
};

/* A program begins. It may end before it has been of use. The caller has set w->log and w->arg. */
void stderr_words_begin(struct stderr_words *w);

/* The program has written a line, given here without its LF. Logs it, or holds it back. */
void stderr_words_add(struct stderr_words *w, struct stderr_repeat *r, const char *line, size_t len);

/* The program has been of use, or is told to end: logs what is held back, and each line from now on. */
void stderr_words_pass(struct stderr_words *w);

/* The program has ended. If it did not pass before: logs or counts what it has said. */
void stderr_words_end(struct stderr_words *w, struct stderr_repeat *r, int64_t now_ms);

/* Logs how many programs said the same, if that was not logged yet. Frees what was kept. */
void stderr_repeat_fini(struct stderr_repeat *r);

#endif
