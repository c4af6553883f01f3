/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The workers of one service in one generation. How many there should be is
 * said from outside; a pool keeps that many alive, and slows down when they die
 * young (restart.c).
 */
#ifndef DROVER_MASTER_POOL_H
#define DROVER_MASTER_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "board.h"
#include "conf.h"
#include "log_sink.h"
#include "loop.h"
#include "notify.h"
#include "restart.h"
#include "sockets.h"

struct pool;

/* What all pools share. */
struct pool_context {
	struct loop      *loop;
	struct notify    *events;
	struct rlimit     nofile;       /* what droverd was started with */
	struct log_sink  *log, *access_log;     /* those that new workers get */
	enum log_level    log_level;
	bool              detached;     /* from the terminal that it was started on */
	/* In a child that becomes a worker of p: give up what is not its affair. */
	void            (*forget)(void *arg, const struct pool *p);
	/* Something that others may wait for: a worker accepts, failed, or is gone. */
	void            (*changed)(void *arg, struct pool *p);
	void             *arg;
};

struct pool_census {                    /* workers by what they do */
	int starting, accepting, draining;
};

/* What workers that have ended had done, by their own account. */
struct pool_totals {
	uint64_t accepted, served, bytes_in, bytes_out, requests;
	uint64_t killed;                /* workers that a signal ended */
};

/*
 * context and service are lent for the pool's life, the sockets as long as it
 * may start workers. It has no workers yet. NULL with errno.
 */
struct pool *pool_new(struct pool_context *context, const struct conf_service *service,
                      unsigned int generation, int64_t shutdown_timeout_ms,
                      struct listening *const *sockets, size_t n_sockets);

/* Only when pool_census counts nobody. Sets *pp to NULL; NULL is fine. */
void pool_free(struct pool **pp);

/* In a worker of another pool: the board goes, all else is only memory. */
void pool_forget_board(struct pool *p);

/* Wants as many workers as the configuration says. */
void pool_start(struct pool *p);

/* One more or one fewer, within 1 and workers_max; false if it stays as it is. */
bool pool_scale(struct pool *p, int by);

/*
 * Wants none any more. Workers drain; of the sockets in removed (a bit each, by
 * index) they take what still waits. After drain_ms (0: never) TERM.
 */
void pool_drain(struct pool *p, uint64_t removed, int64_t drain_ms);

/* Wants none any more: TERM to all, and KILL if they do not go. */
void pool_stop(struct pool *p);

/* Hands new descriptors of the logs to all workers; -1 for none. Lent. */
void pool_send_logs(struct pool *p, int log_fd, int access_log_fd);

/* If pid is one of its workers, buries it and returns true. status as from waitpid(2). */
bool pool_reaped(struct pool *p, pid_t pid, int status);

struct pool_census pool_census(const struct pool *p);
int pool_target(const struct pool *p);
struct pool_totals pool_totals(const struct pool *p);

/* True if as many accept as are wanted. */
bool pool_is_complete(const struct pool *p);

/* True if a worker could not be started or died before it accepted, until it is complete. */
bool pool_has_failed(const struct pool *p);

#endif
