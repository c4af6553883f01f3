/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The user, the groups and the directory of a worker.
 */
#ifndef DROVER_WORKER_IDENTITY_H
#define DROVER_WORKER_IDENTITY_H

#include "worker.h"

/* Takes them, for good. -1 with errno and *what: the step that failed. */
int identity_take(const struct worker *w, const char **what);

#endif
