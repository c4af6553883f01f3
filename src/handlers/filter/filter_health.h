/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Decides from the starts and ends of a filter's processes whether the service is failing
 * (health.h), and when it is well again. The pool decides what happens to requests.
 */
#ifndef DROVER_HANDLERS_FILTER_FILTER_HEALTH_H
#define DROVER_HANDLERS_FILTER_FILTER_HEALTH_H

#include <stdbool.h>
#include <stdint.h>

#include "filter_process.h"
#include "list.h"
#include "loop.h"

struct worker;

struct filter_health {
	struct worker     *worker;
	struct list       *serving;     /* the processes that serve */
	struct timer       recovery;    /* if a process serves when it fires, the service is well */
	int64_t            life_ms;     /* how long the last one lived that ended before it answered */
	bool               cannot_start;        /* processes cannot be started, which was logged */
	bool               dies_of_requests;    /* the last one did: that a new one lives proves nothing */
};

/* w and serving, the list of the pool, are lent. */
void filter_health_init(struct filter_health *h, struct worker *w, struct list *serving);

/* A process could not be started, for that errno; a process was started. */
void filter_health_start_failed(struct filter_health *h, int error);
void filter_health_started(struct filter_health *h);

/* A process was lost, or all are let go: stops waiting for the service to recover. */
void filter_health_lost(struct filter_health *h);

/*
 * p, which was lost before, has ended with that status of waitpid(2). Returns whether that counts
 * against all processes: then waiting requests may have to fail.
 */
bool filter_health_judge(struct filter_health *h, struct filter_process *p, int status);

#endif
