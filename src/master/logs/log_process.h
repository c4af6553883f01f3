/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The log process of a generation, as the master sees it: it is started, replaced when it
 * dies, and told of new files. log_writer.c knows what it does. The master holds the ends
 * of the pipes that it reads, so that nothing in them is lost when it dies.
 */
#ifndef DROVER_MASTER_LOGS_LOG_PROCESS_H
#define DROVER_MASTER_LOGS_LOG_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "leash.h"
#include "log_pipes.h"
#include "log_writer.h"
#include "logs.h"
#include "loop.h"
#include "notify.h"

struct log_process_owner {
	struct loop       *loop;
	struct notify     *events;
	const struct logs *logs;        /* lent as long as the process is there */
	unsigned int       generation;
	bool               detached;
	void             (*forget)(void *arg);          /* in the child: the memory of the master */
	void             (*changed)(void *arg);         /* it has ended, or has new files */
	void              *arg;
};

struct log_process;

/* It has no pipes and does not run. NULL with errno. */
struct log_process *log_process_new(const struct log_process_owner *owner);

/* What it is, for the program that comes next; all lent. */
struct log_process_past {
	pid_t                   pid;            /* 0: it does not run */
	struct leash            leash;          /* then -1, -1 */
	const struct log_input *inputs;
	size_t                  n_inputs;
};
struct log_process_past log_process_past(const struct log_process *p);

/*
 * Before it is started: it reads those pipes, too, which are taken; access_log is the index of the one
 * in logs that LOG_PIPE_ACCESS_LOG leads to. 0, or -1 with errno.
 */
int log_process_add(struct log_process *p, const struct log_pipes *readers, size_t access_log);

/*
 * Before it is started: it runs already, forked by the program before, and is our child;
 * pid 0: it does not. Takes leash and inputs. 0, or -1 with errno and nothing taken.
 */
int log_process_adopt(struct log_process *p, const struct log_process_past *past);

/* Forks, if it does not run. 0, or -1 with errno. */
int log_process_start(struct log_process *p);

/* Starts it, if it does not run; now, or later if that fails, which is logged. */
void log_process_resume(struct log_process *p);

/* The logs were opened again: it is told, and changed is called when it has them. */
void log_process_switch(struct log_process *p);

/* True if it was told, and has not answered yet. */
bool log_process_is_switching(const struct log_process *p);

/* If pid is it, replaces it, unless it has ended properly, and returns true. NULL is fine. */
bool log_process_reaped(struct log_process *p, pid_t pid, int status);

/*
 * No worker is left: it writes what is in the pipes and ends, even if other processes have them
 * open. That is also so for one that is started later. It does not end at once, and this may be
 * called again. One of an older program, which does not know this order, ends when no process has
 * the pipes open. NULL is fine.
 */
void log_process_end(struct log_process *p);

/* True if it has ended properly: all lines of workers are written. NULL is fine. */
bool log_process_is_over(const struct log_process *p);

/*
 * After log_process_end, when no loop turns any more: waits until it has ended, or until_ms on
 * clock_ms(), or lets another one finish if it dies. Logs what is lost. NULL is fine.
 */
void log_process_finish(struct log_process *p, int64_t until_ms);

/* Lets go of it; it ends by itself. Sets *pp to NULL; NULL is fine. */
void log_process_free(struct log_process **pp);

#endif
