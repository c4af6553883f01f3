/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the master is made of, and what it tells the service manager and other observers. The
 * master owns sockets, signals and children; it never touches a client's bytes.
 */
#ifndef DROVER_MASTER_MASTER_H
#define DROVER_MASTER_MASTER_H

#include <stdbool.h>
#include <sys/resource.h>

#include "conf_fetch.h"
#include "control.h"
#include "crash_reports.h"
#include "generation.h"
#include "helper.h"
#include "lifecycle.h"
#include "list.h"
#include "loop.h"
#include "notify.h"
#include "outcome.h"
#include "sockets.h"
#include "task.h"

struct run_options;
struct takeover;

struct upgrade {                        /* to another program in our place */
	struct task *check;             /* it runs, to see whether it can; NULL: it does not */
	int            memfd;           /* with what it may read, then; -1 */
	bool           understood;      /* it has said so */
	bool           again;           /* USR2 came when it could not be begun */
};

struct master {
	struct conf_origin  source;
	struct self        *self;
	struct log_sink    *first_log;          /* until there is a configuration, and after its end */
	struct loop         loop;
	struct helpers      helpers;
	enum phase          phase;              /* only master_enter changes it */
	int64_t             started_ms;         /* of the loop's clock */
	int                 exit_code;
	struct watch        signals;
	struct notify      *systemd;            /* NULL: there is none */
	struct notify      *events;
	char               *systemd_path, *events_path; /* where they are, for the next program */
	struct sockets      sockets;
	struct control     *control;
	struct crash_reports crash_reports;     /* that are being written */
	struct outcome      outcome;            /* of a change that a client of it waits for; */
	struct outcome      reopening;          /* and of reopen-logs, which may be beside another one */
	struct pool_context context;            /* what generations start from */
	unsigned int        n_generations;      /* numbers given so far */
	struct conf_fetch  *fetch;              /* a configuration is being read */
	struct list         generations;        /* all there are; the others' workers drain */
	struct generation  *current;            /* the one that serves; NULL before the first */
	struct generation  *coming;             /* its workers are starting, beside the current one */
	struct totals       gone;               /* counted by services that there are no more */
	struct timer        sweep;              /* after this turn: something changed */
	bool                reload_again;       /* HUP came when it could not be begun */
	struct upgrade      upgrade;
	struct takeover    *takeover;           /* from the program before; NULL once that is over */
	struct generation  *predecessor;        /* of that program, serving until the current one can; NULL */
	char               *last_text;          /* its configuration, as droverd -T prints it; NULL */
	int                 pending_scale;      /* TTIN less TTOU that came when they could not be done */
	struct conf_origin  own;                /* what is loaded for workers of our own, while it is */
	struct timer        retry;              /* to have workers of our own */
	bool                suspended;          /* WINCH: no workers wanted */
	bool                hangup_ignored;     /* HUP was, when we were started: the terminal's means nothing */
	char                refused[1024];      /* why the last reload was; "" if it was not */
	char               *pid_file;           /* as written; NULL: none */
	struct timer        watchdog;
	int64_t             watchdog_ms;        /* how often; 0: it is not asked for */
	struct timer        stop_limit;         /* shutdown_timeout */
	struct timer        extend;             /* asks systemd for more time */
	const struct run_options *options;
};

/*
 * Begins that phase. False if it may not follow the phase that is (lifecycle.h), which then
 * goes on: that is a defect of the caller, and has been logged.
 */
bool master_enter(struct master *m, enum phase next);

/* Whether that order may be carried out now. */
enum permit master_permit(const struct master *m, enum order order);

/*
 * Makes a generation of what was fetched, prepares its control socket and
 * starts its workers: as configured, or to go on where before (or NULL) is. NULL after the reason was logged, with *failure filled.
 */
struct generation *master_new_generation(struct master *m, const struct conf_fetched *fetched,
                                         const struct generation *before,
                                         struct generation_failure *failure);

/* Makes g the one that serves: its logs, its socket options, its control socket. */
void master_install(struct master *m, struct generation *g);

/* Its workers drain: another generation serves in its place. */
void master_replace(struct master *m, struct generation *g);

/* True if it has no workers of its own making: those of the program before serve. */
bool master_serves_inherited(const struct master *m);

/* Buries the generations that are neither current nor coming and have no worker any more. */
void master_reclaim_old(struct master *m);

/* Workers of all generations. */
int master_workers(const struct master *m);

/* Tells systemd message, e.g. "READY=1", and as STATUS= what is served and what is not. */
void master_notify(struct master *m, const char *message);

/*
 * Writes the pid file that the current configuration names, and removes one
 * that an earlier one named. -1 with errno.
 */
int master_update_pid_file(struct master *m);

#endif
