/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a worker process is made of, and what its parts can call. worker.c starts and ends it;
 * slots.c counts its connection slots and speaks to the master.
 */
#ifndef DROVER_WORKER_WORKER_H
#define DROVER_WORKER_WORKER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <unistd.h>

#include "acceptor.h"
#include "blocks.h"
#include "board.h"
#include "conf.h"
#include "handler.h"
#include "health.h"
#include "key_wire.h"
#include "leash.h"
#include "client_limits.h"
#include "list.h"
#include "log_sink.h"
#include "loop.h"
#include "notify.h"
#include "pool_memory.h"
#include "programs.h"
#include "records.h"
#include "rlimits.h"
#include "service_memory.h"

struct drover_module;
struct tls_context;
struct tls_keys;
struct tls_tickets;

/* What the master gives a worker. All is lent; descriptors are those of the forked process. */
struct worker_start {
	const struct conf_service *service;
	const struct handler      *handler;             /* the one that the service names */
	int64_t                    shutdown_timeout_ms; /* for a drain without the master; 0: no limit */
	const int                 *listeners;           /* descriptors, */
	const size_t              *listens;             /* and for each the index in service->listen */
	size_t                     n_listeners;
	struct leash               leash;
	const struct key_channel  *keys;                /* to the key process; NULL: there is none */
	pid_t                      master;
	struct pool_memory        *memory;
	struct service_memory     *service_memory;
	struct blocks             *blocks;              /* sources that are refused; NULL: there is no table */
	size_t                     slot;                /* on the board */
	struct log_sink           *log, *access_log;    /* access_log is NULL if there is none */
	enum log_level             log_level;
	bool                       detached;            /* standard error belongs to another process */
	struct notify             *events;              /* or NULL */
	struct rlimit              nofile;              /* RLIMIT_NOFILE when droverd was started */
	int                        module;              /* the file of its module, open; -1: it has none */
};

#define WORKER_SCRATCH 65536            /* bytes read at once */

struct worker {
	struct worker_start        start;
	const struct conf_service *service;
	const struct handler      *handler;
	pid_t                      pid;
	struct loop                loop;
	struct board_slot         *slot;        /* ours on the board */
	struct records             records;     /* those of our connections, also on the board */
	struct board_input        *input;       /* for a copy of what we received last; NULL: none is kept */
	struct acceptor           *acceptor;
	struct tls_context        *tls;         /* NULL: its clients do not speak TLS */
	struct tls_tickets        *tls_tickets; /* NULL: sessions are not resumed */
	struct tls_keys           *tls_keys;    /* their private keys, or how these are reached */
	struct watch               leash, signals;
	struct watch               saying;      /* our end of the leash's pipe, while words are pending */
	uint32_t                   pending_words; /* a bit for each word for which the pipe had no room */
	uint64_t                   pending_number; /* the connection of a KICK or NO_SUCH among them */
	struct timer               shutdown;    /* limits a drain, unless the master does */
	bool                       draining;
	int                        n_open;      /* connections that hold a slot */
	int                        n_lingering;
	int64_t                    low_free, low_open; /* the master wants to be told, once: leash.h */
	struct timer               count;       /* looks whether fewer than low_open are in use */
	struct list                connections; /* the open ones */
	struct list                lingering;
	uint64_t                   accepted;    /* so far: the number of the last connection */
	struct client_limits       connection_limits;   /* of the service, as we apply them */
	uint64_t                   retires_at;  /* after that many accepts; 0: never, or the master knows */
	struct rlimit_list         limits;      /* for its programs if it runs any, else for the worker */
	struct programs            programs;
	struct health              health;      /* of the programs */
	bool                       knows_sight; /* it was tried whether clients of programs can be seen */
	struct drover_module      *module;      /* the descriptor of the module that was loaded; or NULL */
	void                      *state_of_handler;
	char                      *scratch;     /* WORKER_SCRATCH bytes, for whichever code just reads */
};

/*
 * Must be called in a child that was just forked and has freed the memory of the master. Closes
 * the master's other descriptors, takes its identity, serves, drains and exits: 0 after a drain
 * or TERM, EX_OSERR if it could not begin or its loop failed. Never returns.
 */
_Noreturn void worker_main(const struct worker_start *start);

/*
 * Takes a slot for a new connection, whose number is w->accepted then, and returns its record on
 * the board; gives the slot and the record back.
 */
struct board_connection *worker_take_slot(struct worker *w, const struct endpoint *peer);
void worker_give_slot(struct worker *w, struct board_connection *record);

/* Whether a slot is free. */
bool worker_has_room(const struct worker *w);

/* The master wants to be told when fewer slots of the pool than that are free, or in use. */
void worker_watch_slots(struct worker *w, int64_t low_free, int64_t low_open);

/* Says a word to the master. False if it was not sent. If the master is gone, the leash shows that later. */
bool worker_say(struct worker *w, enum leash_word word);
/* The same; if there is no room for it in the pipe, it is said once when there is. */
void worker_insist(struct worker *w, enum leash_word word);
/*
 * The same, about a connection. If two are pending, only the last is said, because the master
 * waits for one at a time.
 */
void worker_say_of(struct worker *w, enum leash_word word, uint64_t number);

/* Whether its handler runs programs of the service. */
bool worker_runs_programs(const struct worker *w);

/* Must be called when something has ended. Stops the loop if a draining worker waits for nothing more. */
void worker_check_end(struct worker *w);

/* An event for the process that listens at DROVER_EVENTS; format begins with its name. */
#define worker_event(w, format, ...) \
	notify_send((w)->start.events, format " service=%s pid=%d", ##__VA_ARGS__, \
	            (w)->service->name, (int)(w)->pid)

#endif
