/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What control clients can change: begun here, and answered when it has come
 * true, or has not. Each of the first functions gets a request with the keys
 * that its command needs.
 */
#ifndef DROVER_MASTER_CHANGES_H
#define DROVER_MASTER_CHANGES_H

#include "control_client.h"
#include "master.h"

typedef void change(struct master *m, struct control_client *c, const struct control_request *r);

change changes_reload, changes_upgrade, changes_stop, changes_reopen_logs, changes_scale, changes_drain,
       changes_resume, changes_kick;

/* The service of that name in the configuration that serves; NULL if there is none. */
const struct service *changes_find(const struct master *m, const char *service);

/* After a change among workers: what is waited for may have come true. */
void changes_check(struct master *m);

/* What a worker says of a kick; and that one is gone, with all its connections. */
void changes_kicked(struct master *m, pid_t worker, uint64_t number, bool found);
void changes_worker_is_gone(struct master *m, pid_t worker);

/* The limit of the master's outcome is over. */
void changes_expired(struct timer *t);

#endif
