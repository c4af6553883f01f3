/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is known of a service over all generations: the memory that the workers of all its pools
 * share, and the episodes of refusals. It outlives reloads, and is handed over at an upgrade. It
 * does not know how many workers there are, nor who is refused.
 */
#ifndef DROVER_MASTER_POOL_SERVICE_STATE_H
#define DROVER_MASTER_POOL_SERVICE_STATE_H

#include <stdbool.h>
#include <stddef.h>

#include "audit.h"
#include "conf.h"
#include "holds.h"
#include "list.h"
#include "loop.h"
#include "notify.h"
#include "poison_watch.h"
#include "service_memory.h"

struct service_states {                 /* of all services */
	struct list    all;
	struct loop   *loop;
	struct notify *events;
	struct poison_watches poisons;  /* of all services, too */
};

struct service_state {
	struct list            in_states;
	struct service_states *states;
	char                  *service;
	unsigned int           n_users;
	bool                   is_configured;   /* false: another program has left it */
	bool                   dry_run, queues; /* as the configuration says that serves */
	struct service_memory  memory;
	struct poison_watch   *poison;          /* sources that crash workers; both states of a service have it */
	struct list            members;         /* what its pools hold under the limits */
	struct timer           look;            /* at the episodes */
	struct audit           audit;           /* of what they hold, after a death, or at a limit */
	bool                   audits_death;    /* an event tells its end */
	struct timer           next_pass;       /* of the audit */
	struct timer           key_due;         /* the next key for tickets of TLS; unset: there are none */
	size_t                 index;           /* in a hand-over, while one is made */
};

/* What one pool holds: a member of struct pool. */
struct service_member {
	struct list   in_state;
	struct holds *holds;                    /* of its workers; lent */
};

void service_states_init(struct service_states *s, struct loop *l, struct notify *events);

/*
 * The state of that service, for one more user: that of an earlier generation if its memory has
 * the size that is wanted, else a new one. NULL with errno.
 */
struct service_state *service_states_use(struct service_states *s, const struct conf_service *conf);

/* That configuration serves now: the log tells of refusals as it says. */
void service_state_configure(struct service_state *s, const struct conf_service *conf);

/*
 * Takes the memory that another program has left for a service. It has one user, until
 * service_state_release is called. NULL with errno; the descriptors are then still the caller's.
 */
struct service_state *service_states_adopt(struct service_states *s, const char *service,
                                           const struct service_memory_past *past);

/* One more user of it; one fewer: without any, it is freed. NULL is fine for the second. */
void service_state_share(struct service_state *s);
void service_state_release(struct service_state **sp);

/* A pool joins, with what its workers hold, and leaves; the second also if it has not joined. */
void service_state_join(struct service_state *s, struct service_member *m, struct holds *holds);
void service_state_leave(struct service_member *m);

/* A worker has said that an episode of refusals has begun. */
void service_state_look(struct service_state *s);

/*
 * Worker i of the pool m is dead: what it held under the limits is given back, and the counts are
 * compared with what all others hold, soon, unless it ended by itself.
 */
void service_state_worker_ended(struct service_state *s, const struct service_member *m, size_t i,
                                bool by_itself);

/* The server ends, and its logs are still open: the episodes that are on end. */
void service_states_end(const struct service_states *all);

/* In a child: unmaps all but mine, which may be NULL. */
void service_states_forget(struct service_states *s, const struct service_state *mine);

#endif
