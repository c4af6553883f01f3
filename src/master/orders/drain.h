/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The orders that end workers while the listening sockets stay, and that start new ones:
 * drain and resume for one service, WINCH for all.
 */
#ifndef DROVER_MASTER_DRAIN_H
#define DROVER_MASTER_DRAIN_H

#include "master.h"

/*
 * Drains the workers of one service, which may be drained already; or all workers. One service first
 * goes on for lame_duck, if load balancers ask how it is.
 */
void drain_service(struct master *m, const struct service *s);
void drain_all(struct master *m);

/* Starts the workers of the service, if it is drained; also after drain_all. One that leaves stays. */
void drain_resume(struct master *m, const struct service *s);

#endif
