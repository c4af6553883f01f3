/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A generation: one configuration that was loaded, its logs, its sockets and
 * the workers forked from it.
 */
#ifndef DROVER_MASTER_GENERATION_H
#define DROVER_MASTER_GENERATION_H

#include <stdbool.h>

#include "conf_fetch.h"
#include "list.h"
#include "log_pipes.h"
#include "log_process.h"
#include "logs.h"
#include "pool.h"
#include "sockets.h"

struct service {                        /* a service at work */
	const struct conf_service *conf;
	struct pool               *pool;
	struct log_pipes           log_pipes;   /* where its workers write, if the logs are not for them */
	struct listening          *sockets[CONF_LISTEN_MAX];
	size_t                     n_sockets;   /* 0 once they were released */
};

struct generation {
	struct list         in_master;  /* among the old ones */
	unsigned int        number;
	struct arena        arena;
	const struct conf  *conf;
	struct logs         logs;
	struct log_process *log_process;        /* writes to them for workers; NULL: it needs none */
	struct sockets     *all_sockets;
	struct pool_context context;
	size_t              n;
	struct service      services[];
};

/* Why a generation could not be made. */
struct generation_failure {
	int  exit_code;                 /* sysexits.h; 0: it could */
	char text[640];
};

/*
 * Opens what the configuration asks for, beside what runs: logs and sockets,
 * no workers yet. Takes fetched->arena in any case. *context is a template; its
 * logs are filled in. NULL after the reason was logged, with *failure filled
 * and nothing changed.
 */
struct generation *generation_new(const struct conf_fetched *fetched, unsigned int number,
                                  struct sockets *sockets, const struct pool_context *context,
                                  struct generation_failure *failure);

/*
 * One that another program has made: conf says what is still to be known of it,
 * in *arena, which is taken. Its logs are opened, as far as they can be. It has no
 * service yet, and room for conf->n_services; the pool of a service is adopted, too. NULL
 * with errno, and the arena is closed.
 */
struct generation *generation_adopt(struct arena *arena, const struct conf *conf,
                                    unsigned int number, struct sockets *sockets,
                                    const struct pool_context *context);

/* The process that writes its logs for its workers, if it needs one, as another program has forked it. -1 with errno. */
int generation_adopt_log_process(struct generation *g, const struct log_process_past *past);

/*
 * When nothing can go back to the program before any more, which would start one as well: if
 * that process has ended meanwhile, another one goes on. If none can be started, that is
 * logged, and tried again.
 */
void generation_resume_log_process(struct generation *g);

/*
 * Starts the process that writes its logs for its workers, if it needs one. To be called
 * when the master knows g, since the process is to forget it. 0, or an exit code after the
 * reason was logged.
 */
int generation_start_log_process(struct generation *g, struct generation_failure *failure);

/*
 * No worker is left, nor will there be one: that process is told to write what is there, and
 * to end. May be called again. True when it has ended; it is over then.
 */
bool generation_end_log_process(struct generation *g);

/* Frees *gp, which has no workers, and sets it to NULL; NULL is fine. */
void generation_free(struct generation **gp);

/*
 * Starts the workers. The second: as those of before were ordered to go on, where
 * it has the service; resting: none at all.
 */
void generation_start(struct generation *g);
void generation_continue(struct generation *g, const struct generation *before, bool suspended);

/* The service of that name; NULL if it has none. */
const struct service *generation_find(const struct generation *g, const char *service);

/*
 * Its workers drain, each service for at most its timeouts.drain, and its
 * sockets are released: those that no other generation uses are closed here,
 * and taken from by the draining workers until they are empty.
 */
void generation_drain(struct generation *g);

/* Its workers drain; its sockets stay. */
void generation_suspend(struct generation *g);

/* Its workers drain without a limit of time, and its sockets are released. */
void generation_finish(struct generation *g);

/* Its workers end at once. */
void generation_stop(struct generation *g);

/* Workers of any kind that live. */
int generation_workers(const struct generation *g);

/* True if of all its services as many workers accept as are wanted. */
bool generation_is_complete(const struct generation *g);

/* A service of which a worker could not start, or NULL. */
const struct service *generation_failed(const struct generation *g);

/*
 * A service whose programs fail, and did not in the generation before (or NULL);
 * why (not NULL) says the reason. NULL: there is none.
 */
const struct service *generation_useless(const struct generation *g, const struct generation *before,
                                         char why[BOARD_REASON_TEXT]);

/* True if every service has all its workers or has failed once. */
bool generation_is_settled(const struct generation *g);

/* False if one could not be opened. */
bool generation_reopen_logs(struct generation *g);

/* If pid is its log process, buries it and returns true. status as from waitpid(2). */
bool generation_reaped(struct generation *g, pid_t pid, int status);

/* In a worker of mine (NULL: of another generation): all else of g goes out of reach. */
void generation_forget(struct generation *g, const struct pool *mine);

bool generation_has(const struct generation *g, const struct pool *p);

#endif
