/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Keeps the workers of one service in one generation. scaler.c decides how many there should be; a
 * pool keeps that many alive, and delays starts when they die early or often (restart.c).
 */
#ifndef DROVER_MASTER_POOL_POOL_H
#define DROVER_MASTER_POOL_POOL_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "board.h"
#include "children.h"
#include "conf.h"
#include "log_pipes.h"
#include "log_sink.h"
#include "loop.h"
#include "notify.h"
#include "pool_memory.h"
#include "restart.h"
#include "service_state.h"
#include "sockets.h"
#include "totals.h"

struct key_holder;
struct pool;

/* What all pools share. */
struct pool_context {
	struct loop      *loop;
	struct notify    *events;
	struct rlimit     nofile;       /* the limit that droverd was started with */
	struct log_sink  *log;          /* that new workers get, or a pipe to it */
	enum log_level    log_level;
	bool              detached;     /* from the terminal that it was started on */
	struct service_states *states;  /* of the services; lent */
	/* In a child that becomes a worker of p: close and unmap what it must not have. */
	void            (*forget)(void *arg, const struct pool *p);
	/* Something has changed that others may wait for: a worker accepts, has failed, or is gone. */
	void            (*changed)(void *arg, struct pool *p);
	/* A worker was ended by a signal. *e is lent for the call. */
	void            (*crashed)(void *arg, const struct evidence *e);
	/* The result of a kick: the connection is closed; or there was none of that number. */
	void            (*kicked)(void *arg, pid_t worker, uint64_t number, bool found);
	void             *arg;
};

/*
 * context and service are lent for the pool's life, the sockets, which were just acquired for the
 * service, as long as it may start workers. It has no workers yet. NULL with errno.
 */
struct pool *pool_new(struct pool_context *context, const struct conf_service *service,
                      unsigned int generation, int64_t shutdown_timeout_ms,
                      struct listening *const *sockets, size_t n_sockets);

/*
 * New workers have that access log (NULL: none), and write to these pipes instead of to logs that they
 * could damage (log_pipes.h). Both are lent.
 */
void pool_use_logs(struct pool *p, struct log_sink *access_log, struct log_pipes *writers);

/* New workers are connected with that key process, lent, which knows their service by that index. */
void pool_use_keys(struct pool *p, struct key_holder *holder, size_t service);

/* New workers load that file, open, which is taken. */
void pool_use_module(struct pool *p, int module);

/* How a pool of the same service continues in another program. */
struct pool_state {
	bool           drained;         /* it has no workers until it is resumed */
	int            workers;         /* the number that was ordered; 0: as configured */
	bool           failed;          /* no worker accepts, and one could not start */
	struct restart restart;
	int64_t        delayed_ms;      /* no worker starts before that; 0: at once */
	int64_t        leaving_ms;      /* it drains at that time; 0: it is not leaving */
	uint64_t       limit;           /* pool_limit; 0: not known */
};
struct pool_state pool_state(const struct pool *p);

/* What one program leaves of a pool to the next; its workers are left one by one (child_past). */
struct pool_past {
	size_t                  n_places;
	struct pool_memory_past memory;         /* with room for n_places workers */
	struct pool_state       state;
	struct totals           totals;
};

/* Describes p for the next program; its descriptors are lent. */
struct pool_past pool_past(const struct pool *p);

/*
 * Makes a pool whose workers another program has forked, with the state of its service, which is
 * taken in any case; NULL: the other program had none, and a new one is made. It starts none
 * itself; it tells them to drain, describes them, and takes note of their end. Takes the
 * descriptors in past, unless it returns NULL with errno.
 */
struct pool *pool_adopt(struct pool_context *context, const struct conf_service *service,
                        unsigned int generation, struct service_state *state,
                        const struct pool_past *past);

/* Puts that worker into place i, which is free. Takes its leash. */
void pool_adopt_worker(struct pool *p, size_t i, const struct child_past *past);

/* The worker in place i; its leash is lent. */
struct child_past pool_worker_past(const struct pool *p, size_t i);

/* Only when pool_census counts no worker. Sets *pp to NULL; NULL is fine. */
void pool_free(struct pool **pp);

/* In a worker of another pool: unmaps what p shares with its workers. */
void pool_forget_memory(struct pool *p);

/* Starts the workers that the configuration says; or continues as another pool was ordered to. */
void pool_start(struct pool *p);
void pool_continue(struct pool *p, const struct pool_state *state);

/*
 * Sets the number of workers; or changes it by `by`. False if the new number is not within 1 and
 * workers.max, or changes nothing. If `workers` is a range, it still grows and shrinks above a
 * minimum, which is then the number set by pool_scale_to, or that to which pool_scale has raised
 * it, until the end of the pool.
 */
bool pool_scale_to(struct pool *p, int n);
bool pool_scale(struct pool *p, int by);

/*
 * Wants no workers any more, and drains all. They still accept what waits at the sockets in
 * removed (a bit each, by index). After drain_ms (0: never) they are stopped.
 */
void pool_drain(struct pool *p, uint64_t removed, int64_t drain_ms);

/* Drains all, if it works, for at most timeouts.drain, until it is started again. Logs that. */
void pool_suspend(struct pool *p);

/*
 * As pool_suspend, but first the pool goes on as before for leave_ms, so that
 * load balancers hear of it. pool_stay ends the waiting, and the pool stays.
 */
void pool_leave(struct pool *p, int64_t leave_ms);
void pool_stay(struct pool *p);

/* Wants no workers any more: tells all to end now, and sends KILL to those that do not. */
void pool_stop(struct pool *p);

/* Hands new descriptors of the logs to all workers; NULL: there is no such log. */
void pool_send_logs(struct pool *p, const struct log_sink *log, const struct log_sink *access_log);

enum pool_kick { POOL_KICK_TOLD, POOL_KICK_NOT_OURS, POOL_KICK_FAILED };

/* Tells worker pid to close its connection of that number; with FAILED, errno says why. */
enum pool_kick pool_kick(struct pool *p, pid_t pid, uint64_t number);

/* If pid is one of its workers, takes note of its end and returns true. status as from waitpid(2). */
bool pool_reaped(struct pool *p, pid_t pid, int status);

struct children_census pool_census(const struct pool *p);
int pool_target(const struct pool *p);
const struct totals *pool_totals(const struct pool *p);

/* What is known of its service over all generations; lent. */
struct service_state *pool_service_state(const struct pool *p);

/* Adds the counts of another pool of the same service to those of p. */
void pool_add_totals(struct pool *p, const struct pool *gone);

/* How long it takes until the next worker may start, after deaths; 0: it may start at once. */
int64_t pool_delay_ms(const struct pool *p);

struct pool_worker {
	pid_t                    pid;
	enum board_state         state;         /* as the master knows it; FREE: no worker */
	int64_t                  born_ms;
	bool                     still;         /* it accepts, but its loop does not turn: it serves no client */
	struct board_worker_view said;          /* what it says of itself */
};

/* The number of places for workers, and what is known of the worker in place i. */
size_t pool_places(const struct pool *p);
struct pool_worker pool_worker(const struct pool *p, size_t i);
const struct board *pool_board(const struct pool *p);

/* True if at least as many workers accept as its minimum says. */
bool pool_is_complete(const struct pool *p);

/* False before it is started or adopted, and after pool_drain or pool_stop. */
bool pool_works(const struct pool *p);

/* True if it is on demand, and needs no worker until a client comes. */
bool pool_is_asleep(const struct pool *p);

/* True between pool_leave and the drain that follows. */
bool pool_is_leaving(const struct pool *p);

/* True if a client that comes now is served, or will be as soon as a worker has started for it. */
bool pool_can_serve(const struct pool *p);

/* How many connections it can have with all workers that it may start by itself, limits included. */
uint64_t pool_limit(const struct pool *p);

/* True if it has all workers that it may have, and no free slot. */
bool pool_is_exhausted(const struct pool *p);

/*
 * True if its programs cannot be started, or end before they are of use: no client is
 * served, though workers accept. why (or NULL): in printable ASCII.
 */
bool pool_programs_fail(const struct pool *p, char why[BOARD_REASON_TEXT]);

/* True if a worker could not be started or died before it accepted, until it is complete. */
bool pool_has_failed(const struct pool *p);

#endif
