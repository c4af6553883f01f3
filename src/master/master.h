/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the master is made of, and what it tells the service manager and other observers. The
 * master owns sockets, signals and children; it never touches a client's bytes.
 */
#ifndef DROVER_MASTER_MASTER_H
#define DROVER_MASTER_MASTER_H

#include <stdbool.h>
#include <sys/resource.h>
#include <time.h>

#include "certificate_watch.h"
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
#include "status_holder.h"
#include "task.h"

struct run_options;
struct takeover;

struct upgrade {                        /* to another program in our place */
	struct task *check;             /* asks that program whether it can take over; NULL: none */
	int            memfd;           /* the hand-over that it reads for that; -1: none */
	bool           understood;      /* it has said that it can */
	bool           again;           /* USR2 came when no upgrade could begin */
};

struct master_load {                    /* of a configuration */
	struct timespec at;             /* by the wall clock */
	bool            ok;             /* false: it was refused; why is in master.refused */
};

struct master {
	struct conf_origin  source;
	struct self        *self;
	struct log_sink    *first_log;          /* used before there is a configuration, and at the end */
	struct loop         loop;
	struct helpers      helpers;
	enum phase          phase;              /* only master_enter changes it */
	int64_t             started_ms;         /* of the loop's clock */
	struct timespec     started;            /* the same by the wall clock, as it was read then */
	int                 exit_code;
	struct watch        signals;
	struct notify      *systemd;            /* NULL: there is none */
	struct notify      *events;
	char               *systemd_path, *events_path; /* where they are, for the next program */
	struct sockets      sockets;
	struct control     *control;
	struct status_holder *status;
	struct crash_reports crash_reports;     /* that are being written */
	struct outcome      outcome;            /* of a change that a control client waits for; */
	struct outcome      reopening;          /* and of reopen-logs, which may run beside another change */
	struct service_states states;           /* of services, over all generations */
	struct pool_context context;            /* the template for generations */
	unsigned int        n_generations;      /* numbers given so far */
	struct conf_fetch  *fetch;              /* reads a configuration; NULL: none is being read */
	struct list         generations;        /* all; the workers of those not named below drain */
	struct generation  *current;            /* the one that serves; NULL before the first */
	struct generation  *coming;             /* its workers are starting, beside the current one */
	struct totals       gone;               /* counted by services that no longer exist */
	struct timer        sweep;              /* fires after a turn in which workers changed */
	bool                reload_again;       /* HUP came when no reload could begin */
	struct upgrade      upgrade;
	struct takeover    *takeover;           /* from the program before; NULL once that is over */
	struct generation  *predecessor;        /* of that program; it serves until ours can; or NULL */
	char               *last_text;          /* its configuration, as droverd -T prints it; NULL */
	int                 pending_scale;      /* TTIN minus TTOU that could not be carried out yet */
	struct conf_origin  own;                /* of the configuration being loaded for our own workers */
	struct timer        retry;              /* until we try again to start our own workers */
	bool                suspended;          /* WINCH: no workers wanted */
	bool                hangup_ignored;     /* HUP was ignored at the start: the terminal's still is */
	struct master_load  last_load;          /* at the start, or by a reload */
	char                refused[1024];      /* why the last reload was refused; "" if it was not */
	char               *pid_file;           /* as written; NULL: none */
	struct timer        watchdog;
	int64_t             watchdog_ms;        /* its interval; 0: systemd asks for none */
	struct timer        lame_duck;          /* then a stop that has begun closes the listeners */
	struct timer        stop_limit;         /* shutdown_timeout */
	struct timer        extend;             /* asks systemd for more time */
	struct certificate_watch certificates;  /* of the current generation */
	const struct run_options *options;
};

/*
 * Enters the phase next. False if it may not follow the current phase (lifecycle.h), which then
 * stays: that is a defect of the caller, and has been logged.
 */
bool master_enter(struct master *m, enum phase next);

/* Whether that order may be carried out now. */
enum permit master_permit(const struct master *m, enum order order);

/*
 * Makes a generation from what was fetched, prepares its control socket and starts its workers: as
 * configured, or, if before is not NULL, in the state of its services. NULL after the reason was
 * logged, with *failure filled.
 */
struct generation *master_new_generation(struct master *m, const struct conf_fetched *fetched,
                                         const struct generation *before,
                                         struct generation_failure *failure);

/* A configuration was put in force now, or refused. */
void master_note_load(struct master *m, bool ok);

/* Makes g the generation that serves: its logs, its socket options, its control socket. */
void master_install(struct master *m, struct generation *g);

/* Drains the workers of g: another generation serves in its place. */
void master_replace(struct master *m, struct generation *g);

/* True if only workers of the program before serve, and none of our own. */
bool master_serves_inherited(const struct master *m);

/* Frees the generations that have no worker left and are not current, coming or the predecessor. */
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
