/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The life of a worker process.
 */
#ifndef DROVER_WORKER_LIFE_H
#define DROVER_WORKER_LIFE_H

#include "worker.h"

/*
 * To be called in a child that was just forked, with everything of the
 * master's given up that is memory. Closes the master's other descriptors,
 * takes its identity, serves, drains and exits: 0 after a drain or TERM,
 * EX_OSERR if it could not begin. Never returns.
 */
_Noreturn void life_of_worker(const struct worker_start *start);

#endif
