/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Changes the user, the groups and the directory of a worker process.
 */
#ifndef DROVER_WORKER_IDENTITY_H
#define DROVER_WORKER_IDENTITY_H

#include "worker.h"

/* Changes them, for good, to those of the service. 0, or -1 with errno and the step that failed in *what. */
int identity_take(const struct worker *w, const char **what);

#endif
