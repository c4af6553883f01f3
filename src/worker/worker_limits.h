/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The limits of a worker process, and its scheduling.
 */
#ifndef DROVER_WORKER_WORKER_LIMITS_H
#define DROVER_WORKER_WORKER_LIMITS_H

#include "worker.h"

/*
 * Sets them as the service says, and gathers in w->limits those that are for its programs. To
 * be called before identity_take, while it is allowed. -1 with errno and *what: the step that failed.
 */
int worker_limits_set(struct worker *w, const char **what);

#endif
