/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Blocks sources whose requests crash workers: keeps the history of each service (poison.h) and the
 * table in which its workers see who is blocked (blocks.h), over all generations; ends blocks when
 * their time is over, and logs. It does not know pools: each pool of a service uses the same watch.
 */
#ifndef DROVER_MASTER_CRASH_POISON_WATCH_H
#define DROVER_MASTER_CRASH_POISON_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "blocks.h"
#include "conf.h"
#include "evidence.h"
#include "list.h"
#include "loop.h"
#include "notify.h"
#include "poison.h"

struct poison_watches {                 /* one for each service */
	struct list    all;
	struct loop   *loop;
	struct notify *events;
};

struct poison_watch {
	struct list            in_all;
	struct poison_watches *watches;
	char                  *service;         /* its name */
	unsigned int           n_users;
	struct poison          history;
	struct blocks         *blocks;          /* NULL: poison was not switched on yet */
	struct timer           next_end;        /* of a block */
};

void poison_watches_init(struct poison_watches *all, struct loop *l, struct notify *events);

/* The watch of that service, for one more user. NULL with errno. */
struct poison_watch *poison_watch_use(struct poison_watches *all, const char *service);

/* Makes the table for workers, if conf switches poison on and there is none yet. 0, or -1 with errno. */
int poison_watch_prepare(struct poison_watch *w, const struct conf_service *conf);

/* One user fewer: without any, it is freed. Sets *wp to NULL; NULL is fine. */
void poison_watch_release(struct poison_watch **wp);

/* In a child: unmaps the tables of all watches but mine, which may be NULL. */
void poison_watches_forget(struct poison_watches *all, const struct poison_watch *mine);

/* The watch of that service; NULL if there is none. */
struct poison_watch *poison_watch_find(const struct poison_watches *all, const char *service);

/* A worker of the service has crashed. conf is that of the service as it is now. */
void poison_watch_note(struct poison_watch *w, const struct conf_service *conf, const struct evidence *e);

/*
 * conf, which may be NULL, is in force for the service from now on: ends the blocks of sources that
 * it exempts, or all of them if it does not switch poison on.
 */
void poison_watch_configure(struct poison_watch *w, const struct conf_service *conf);

/* Whether an order that names this source also means the source that is blocked in that place. */
bool poison_watch_means(const struct poison_watch *w, size_t place, const struct source_id *named);

/* Ends the block in that place, on order. */
void poison_watch_lift(struct poison_watch *w, size_t place);

/* ---- for the next program at an upgrade --------------------------------- */

/*
 * Makes the watch of a service as another program has left it; blocks_fd is its table, of that
 * version, or -1. Sources that make no sense are left out. It has one user, until
 * poison_watch_release is called. NULL with errno; blocks_fd is then still the caller's.
 */
struct poison_watch *poison_watch_adopt(struct poison_watches *all, const char *service, int blocks_fd,
                                        int blocks_version, const struct poison *history);

#endif
