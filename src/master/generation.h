/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A generation: one configuration that was loaded, its logs, its sockets and the workers forked
 * from it.
 */
#ifndef DROVER_MASTER_GENERATION_H
#define DROVER_MASTER_GENERATION_H

#include <stdbool.h>

#include "conf_fetch.h"
#include "key_holder.h"
#include "list.h"
#include "log_pipes.h"
#include "log_process.h"
#include "logs.h"
#include "pool.h"
#include "sockets.h"
#include "status_process.h"

struct service {                        /* a service at work */
	const struct conf_service *conf;
	struct pool               *pool;
	struct log_pipes           log_pipes;   /* its workers write here if they may not have the logs */
	struct listening          *sockets[CONF_LISTEN_MAX];
	size_t                     n_sockets;   /* 0 once they were released */
};

struct outlet_sockets {                 /* on which the status process listens */
	struct listening *sockets[CONF_LISTEN_MAX];
	size_t            n;
};

struct generation {
	struct list         in_master;  /* its place in the master's list */
	unsigned int        number;
	struct arena        arena;
	const struct conf  *conf;
	struct logs         logs;
	int64_t             lame_duck_ms;       /* load balancers need so long to hear of a stop; 0: there are none */
	struct log_process *log_process;        /* writes to the logs for the workers; NULL: not needed */
	struct key_holder  *key_holder;         /* has the private keys; NULL: not needed */
	struct sockets     *all_sockets;
	struct outlet_sockets http, balancers;  /* of `metrics` and `agent` */
	struct pool_context context;
	size_t              n;
	struct service      services[];
};

/* Why a generation could not be made. */
struct generation_failure {
	int  exit_code;                 /* sysexits.h; 0: no failure */
	char text[640];
};

/*
 * Opens the logs and sockets that the configuration names, beside those in use, and starts no
 * workers yet. Takes fetched->arena in any case. *context is a template; its logs are filled in.
 * Returns NULL after the reason was logged, with *failure filled and nothing changed.
 */
struct generation *generation_new(const struct conf_fetched *fetched, unsigned int number,
                                  struct sockets *sockets, const struct pool_context *context,
                                  struct generation_failure *failure);

/*
 * Makes a generation from one that another program made. conf holds what is still known of it; it
 * lies in *arena, which is taken. Opens its logs as far as possible. The generation has no service
 * yet, and room for conf->n_services; the caller adopts the pool of each service. Returns NULL with
 * errno after the arena was closed.
 */
struct generation *generation_adopt(struct arena *arena, const struct conf *conf,
                                    unsigned int number, struct sockets *sockets,
                                    const struct pool_context *context);

/*
 * Adopts the process that writes the logs for its workers, which another program has forked, if
 * one is needed. -1 with errno.
 */
int generation_adopt_log_process(struct generation *g, const struct log_process_past *past);

/*
 * If its log process has ended meanwhile, starts another one; if that fails, logs it and tries again
 * later. Call it when this hand-over cannot go back to the program before any more, because that
 * program would start a log process as well.
 */
void generation_resume_log_process(struct generation *g);

/*
 * Starts the process that writes the logs for its workers, if one is needed. Call it when g is in the
 * master's list, because the process unmaps every generation of that list. 0, or an exit code after
 * the reason was logged.
 */
int generation_start_log_process(struct generation *g, struct generation_failure *failure);

/*
 * The same for the process that has the private keys; it is there before the workers. Once it
 * has read the keys, the generation can be complete.
 */
int generation_start_key_process(struct generation *g, struct generation_failure *failure);

/* Adopts the one of another program. -1 with errno, and the leash is still the caller's. */
int generation_adopt_key_process(struct generation *g, const struct key_holder_past *past);

/* Why the private keys could not be read; NULL: they were, or may still be. */
const char *generation_keys_failed(const struct generation *g);

/*
 * Tells the log process to write what is left and to end. Call it when no worker is left and none
 * will start; it may be called again. True once the process has ended.
 */
bool generation_end_log_process(struct generation *g);

/* Frees *gp, which has no workers, and sets it to NULL; NULL is fine. */
void generation_free(struct generation **gp);

/*
 * Starts the workers. generation_continue gives each service the state (drained, scaled) that the
 * service of that name has in before; if suspended, it starts no workers.
 */
void generation_start(struct generation *g);
void generation_continue(struct generation *g, const struct generation *before, bool suspended);

/* What its status process is to serve; all lent. */
struct status_site generation_site(const struct generation *g);

/* Its status process is gone: releases the sockets that it has had. */
void generation_close_outlets(struct generation *g);

/* The descriptor of its log, lent; -1: none. It is another one once the logs were opened again. */
int generation_log_fd(const struct generation *g);

/* From now on load balancers are refused: the server stops. The status process closes their listeners. */
void generation_refuse_balancers(struct generation *g);

/* The service of that name; NULL if there is none. */
const struct service *generation_find(const struct generation *g, const char *service);

/*
 * Drains its workers, each service for at most its timeouts.drain, and releases its sockets. Those
 * that no other generation uses are closed in the master; the draining workers accept from them
 * until their queues are empty.
 */
void generation_drain(struct generation *g);

/* Drains its workers, and keeps its sockets. */
void generation_suspend(struct generation *g);

/* Drains its workers without a time limit, and releases its sockets. */
void generation_finish(struct generation *g);

/* Ends its workers at once. */
void generation_stop(struct generation *g);

/* The number of its living workers, in any state. */
int generation_workers(const struct generation *g);

/* True if a service of it works: pool_works. */
bool generation_works(const struct generation *g);

/* True if in each service as many workers accept as are wanted. */
bool generation_is_complete(const struct generation *g);

/* A service of which a worker could not start, or NULL. */
const struct service *generation_failed(const struct generation *g);

/*
 * A service whose programs fail, and did not fail in before, which may be NULL; the reason is put
 * into why, which is not NULL. NULL if there is no such service.
 */
const struct service *generation_useless(const struct generation *g, const struct generation *before,
                                         char why[BOARD_REASON_TEXT]);

/* True if every service has all its workers or has failed once. */
bool generation_is_settled(const struct generation *g);

/* Opens its logs again. False if one could not be opened. */
bool generation_reopen_logs(struct generation *g);

/* If pid is its log process, reclaims it and returns true. status is as from waitpid(2). */
bool generation_reaped(struct generation *g, pid_t pid, int status);

/*
 * In a child that was just forked: unmaps what it must not read of g, which is all but the service
 * of mine if the child is a worker of that pool, and all if mine is NULL.
 */
void generation_forget(struct generation *g, const struct pool *mine);

/* The same in a child that serves none of them, but needs what its configuration says of the status process. */
void generation_forget_services(struct generation *g);

bool generation_has(const struct generation *g, const struct pool *p);

#endif
