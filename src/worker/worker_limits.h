/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sets the resource limits of a worker process, its umask and its scheduling.
 */
#ifndef DROVER_WORKER_WORKER_LIMITS_H
#define DROVER_WORKER_WORKER_LIMITS_H

#include "worker.h"

/*
 * Sets them as the service says, and collects in w->limits those that are for its programs. Must
 * be called before identity_take, which gives up the privileges for it. 0, or -1 with errno and
 * the step that failed in *what.
 */
int worker_limits_set(struct worker *w, const char **what);

#endif
