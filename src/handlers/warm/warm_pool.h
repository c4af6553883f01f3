/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Keeps programs of a worker that are started before their clients come: each waits with one end
 * of a socket as its descriptors 0 and 1. This module does not know what happens to a program that
 * was taken.
 */
#ifndef DROVER_HANDLERS_WARM_WARM_POOL_H
#define DROVER_HANDLERS_WARM_WARM_POOL_H

#include <stdbool.h>

struct program;
struct warm_pool;
struct worker;

/* Makes a pool and starts its programs. If some cannot be started, that is tried again. NULL with errno. */
struct warm_pool *warm_pool_new(struct worker *w);

/* All programs must have ended. NULL is fine. */
void warm_pool_free(struct warm_pool *pool);

/* No more connections will come: ends the programs that wait. May be called more than once. */
void warm_pool_release(struct warm_pool *pool);

/* A program, which the caller gives to its new owner (program_give), and our end of its socket. */
struct warm_program {
	struct program *program;
	int             fd;             /* non-blocking; belongs to the caller */
	bool            waited;         /* it was warm; else it was started just now */
};

/*
 * Takes the program that has waited longest or, if none waits, a new one with the environment envp;
 * NULL: with that of programs that wait. 0, or -1 with errno if that could not be started.
 */
int warm_pool_take(struct warm_pool *pool, char *const *envp, struct warm_program *taken);

#endif
