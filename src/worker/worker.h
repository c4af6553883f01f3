/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a worker process is made of. Its life is in worker.c, the counting of its connection
 * slots in slots.c.
 */
#ifndef DROVER_WORKER_WORKER_H
#define DROVER_WORKER_WORKER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <unistd.h>

#include "acceptor.h"
#include "board.h"
#include "conf.h"
#include "handler.h"
#include "health.h"
#include "leash.h"
#include "list.h"
#include "log_sink.h"
#include "loop.h"
#include "notify.h"
#include "pool_memory.h"
#include "programs.h"
#include "records.h"
#include "rlimits.h"

/* What the master gives a worker. All lent; descriptors are those of the forked process. */
struct worker_start {
	const struct conf_service *service;
	const struct handler      *handler;             /* the one that the service names */
	int64_t                    shutdown_timeout_ms; /* if the master dies; 0: no limit */
	const int                 *listeners;           /* descriptors */
	size_t                     n_listeners;
	struct leash               leash;
	pid_t                      master;
	struct pool_memory        *memory;
	size_t                     slot;                /* on the board */
	struct log_sink           *log, *access_log;    /* the latter NULL if there is none */
	enum log_level             log_level;
	bool                       detached;            /* standard error belongs to another process */
	struct notify             *events;              /* or NULL */
	struct rlimit              nofile;              /* what droverd was started with */
};

#define WORKER_SCRATCH 65536            /* bytes read at once */

struct worker {
	struct worker_start        start;
	const struct conf_service *service;
	const struct handler      *handler;
	pid_t                      pid;
	struct loop                loop;
	struct board_slot         *slot;        /* ours on the board */
	struct records             records;     /* and those of our connections */
	struct board_input        *input;       /* and what is kept of what we receive; or NULL */
	struct acceptor           *acceptor;
	struct watch               leash, signals;
	struct watch               saying;      /* our end of the leash's pipe, while words are pending */
	uint32_t                   pending_words; /* a bit for each word that found no room, */
	uint64_t                   pending_number; /* and the connection of a KICK or NO_SUCH among them */
	struct timer               shutdown;    /* unless the master keeps the time of a drain */
	bool                       draining;
	int                        n_open;      /* connections that hold a slot */
	int                        n_lingering;
	int64_t                    low_free, low_open; /* what the master wants to be told, once: leash.h */
	struct timer               count;       /* looks whether so few are open */
	struct list                connections; /* the open ones */
	struct list                lingering;
	uint64_t                   accepted;    /* so far: the number of the last connection */
	uint64_t                   retires_at;  /* after this number of accepts; 0: never, or the master knows */
	struct rlimit_list         limits;      /* of the service: ours, or its programs' */
	struct programs            programs;
	struct health              health;      /* of these */
	bool                       knows_sight;         /* whether clients of programs can be seen */
	void                      *state_of_handler;
	char                      *scratch;     /* WORKER_SCRATCH bytes, for the code that reads just now */
};

/*
 * To be called in a child that was just forked, with everything of the
 * master's given up that is memory. Closes the master's other descriptors,
 * takes its identity, serves, drains and exits: 0 after a drain or TERM,
 * EX_OSERR if it could not begin. Never returns.
 */
_Noreturn void worker_main(const struct worker_start *start);

/*
 * One connection more holds a slot; one fewer. It has a record on the board as
 * long, and the number w->accepted.
 */
struct board_connection *worker_take_slot(struct worker *w, const struct endpoint *peer);
void worker_give_slot(struct worker *w, struct board_connection *record);
bool worker_has_room(const struct worker *w);

/* The master wants to know when the slots of the pool come to that. */
void worker_watch_slots(struct worker *w, int64_t low_free, int64_t low_open);

/* To the master; that it is gone, its end of the leash will tell. False if it was not sent. */
bool worker_say(struct worker *w, enum leash_word word);
/* The same: if there is no room now, it is said, once, when there is. */
void worker_insist(struct worker *w, enum leash_word word);
/*
 * The same, about a connection. Of two that are pending only the last is said: the master
 * waits for one at a time.
 */
void worker_say_of(struct worker *w, enum leash_word word, uint64_t number);

/* Whether its handler runs programs of the service. */
bool worker_runs_programs(const struct worker *w);

/* Tells the worker that something ended: it may have been the last thing it waited for. */
void worker_check_end(struct worker *w);

/* An event for the process that listens at DROVER_EVENTS; format begins with its name. */
#define worker_event(w, format, ...) \
	notify_send((w)->start.events, format " service=%s pid=%d", ##__VA_ARGS__, \
	            (w)->service->name, (int)(w)->pid)

#endif
