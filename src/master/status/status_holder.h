/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The status process, as the master sees it: it is started when a configuration that has one is put
 * into use, replaced when it dies, and its questions are answered by reporters. A reload starts
 * another one, and the one before goes when its clients have their answers. status_process.c knows
 * what it does; it may be in the hands of a client, so nothing that it says costs the master much.
 */
#ifndef DROVER_MASTER_STATUS_STATUS_HOLDER_H
#define DROVER_MASTER_STATUS_STATUS_HOLDER_H

#include <stdbool.h>
#include <sys/types.h>

#include "facts.h"
#include "helper.h"
#include "leash.h"
#include "notify.h"
#include "reporter.h"
#include "status_process.h"

struct status_question {                /* how a reporter answers it */
	struct report_job      job;
	struct control_request request;
};

struct status_holder_owner {
	struct helpers *helpers;
	struct notify  *events;
	bool            detached;
	void          (*forget)(void *arg);     /* in the child: the memory of the master */
	void          (*asked)(void *arg, enum fact what, struct status_question *q);  /* not FACT_LIFE */
	void           *arg;
};

struct status_holder;

/* No process runs. NULL with errno. */
struct status_holder *status_holder_new(const struct status_holder_owner *owner);

/*
 * Serves that from now on, if there is anything to serve; its configuration and its descriptors are
 * lent until the next call. log_fd is the log in use, or -1.
 */
void status_holder_use(struct status_holder *h, unsigned int generation, const struct status_site *site,
                       int log_fd);

/* The sockets of `agent` are closed: one that is started from now on does not get them. */
void status_holder_refuse_balancers(struct status_holder *h);

/* The log was opened again: it is this one now, or -1. */
void status_holder_use_log(struct status_holder *h, int log_fd);

/* What it is, for the program that comes next; the leash is lent. pid 0: it does not run. */
struct status_past {
	pid_t        pid;
	struct leash leash;             /* then -1, -1 */
};
struct status_past status_holder_past(const struct status_holder *h);

/*
 * It runs already, forked by the program before, and is our child. It serves until another one takes
 * its place, and is not replaced before. Takes the leash. 0, or -1 with errno and nothing taken.
 */
int status_holder_adopt(struct status_holder *h, const struct status_past *past);

/* If pid is one, takes note of its end, replaces it, and returns true. */
bool status_holder_reaped(struct status_holder *h, pid_t pid, int status);

/* Ends it at once. Sets *hp to NULL; NULL is fine. */
void status_holder_free(struct status_holder **hp);

#endif
