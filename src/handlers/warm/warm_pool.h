/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The programs of a worker that have been started before their clients come:
 * each waits with one end of a socket as its descriptors 0 and 1. It does not know what
 * happens to one that was taken.
 */
#ifndef DROVER_HANDLERS_WARM_WARM_POOL_H
#define DROVER_HANDLERS_WARM_WARM_POOL_H

#include <stdbool.h>

struct program;
struct warm_pool;
struct worker;

/* With its programs started, as far as they start. NULL with errno. */
struct warm_pool *warm_pool_new(struct worker *w);

/* All programs must have ended. NULL is fine. */
void warm_pool_free(struct warm_pool *pool);

/* No more connections will come: lets go of those that wait. More than once is fine. */
void warm_pool_release(struct warm_pool *pool);

/* A program, to be given (programs.h) to whom it is for, and our end of its socket. */
struct warm_program {
	struct program *program;
	int             fd;             /* non-blocking, the caller's */
	bool            waited;         /* else it has been started just now */
};

/*
 * The one that has waited longest; or, if none waits, a new one. -1 with errno if
 * that could not be started.
 */
int warm_pool_take(struct warm_pool *pool, struct warm_program *taken);

#endif
