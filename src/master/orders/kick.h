/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The order to close one connection, whichever worker has it: kick.
 */
#ifndef DROVER_MASTER_KICK_H
#define DROVER_MASTER_KICK_H

#include "master.h"

/* Tells the worker to close its connection of that number; pool.h says what is returned. */
enum pool_kick kick_connection(struct master *m, pid_t worker, uint64_t number);

#endif
