/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What control clients can change: each change begins here, and is answered when it is done or has
 * failed. The functions of the type change get a request with the keys that their command needs.
 */
#ifndef DROVER_MASTER_CHANGES_H
#define DROVER_MASTER_CHANGES_H

#include "control_client.h"
#include "master.h"

typedef void change(struct master *m, struct control_client *c, const struct control_request *r);

change changes_reload, changes_upgrade, changes_stop, changes_reopen_logs, changes_scale, changes_drain,
       changes_resume, changes_kick, changes_unblock;

/* The service of that name in the configuration that serves; NULL if there is none. */
const struct service *changes_find(const struct master *m, const char *service);

/* Call it after a change among workers: what a client waits for may be done. */
void changes_check(struct master *m);

/* A worker has reported the result of a kick; or a worker is gone, with all its connections. */
void changes_kicked(struct master *m, pid_t worker, uint64_t number, bool found);
void changes_worker_is_gone(struct master *m, pid_t worker);

/* The time limit of an outcome of the master has passed. */
void changes_expired(struct timer *t);

#endif
