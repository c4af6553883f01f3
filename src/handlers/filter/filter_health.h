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
	struct timer       recovery;    /* a process that lives till then is well */
	int64_t            life_ms;     /* of the last one that ended before it answered */
	bool               cannot_start;        /* and that was logged */
	bool               dies_of_requests;    /* so did the last one: that another one lives proves nothing */
};

/* w and serving, the list of the pool, are lent. */
void filter_health_init(struct filter_health *h, struct worker *w, struct list *serving);

/* A process could not be started, with that errno; or it was. */
void filter_health_start_failed(struct filter_health *h, int error);
void filter_health_started(struct filter_health *h);

/* A process does not serve any more, or none does: whether one lives has to be seen again. */
void filter_health_lost(struct filter_health *h);

/*
 * p, lost before, has ended with that status of waitpid(2). Whether that counts against
 * all of them: those that wait may have to be told.
 */
bool filter_health_judge(struct filter_health *h, struct filter_process *p, int status);

#endif
