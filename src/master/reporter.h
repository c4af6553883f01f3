/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A child that answers for the master: it has a picture of everything, by
 * fork(2), and may take its time, up to a limit. Whatever becomes of it, the
 * master goes on.
 */
#ifndef DROVER_MASTER_REPORTER_H
#define DROVER_MASTER_REPORTER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "control_request.h"
#include "loop.h"
#include "notify.h"
#include "report_out.h"

#define REPORTER_MS 10000               /* how long a client may take to read */

struct report_job {                     /* all of it runs in the child */
	const char *command;            /* for events */
	int64_t     limit_ms;
	/* Needs the master's descriptors, which are closed after it; NULL: arg is all. */
	void     *(*gather)(void *arg);
	/* data as from gather. */
	void      (*write)(void *data, const struct control_request *r, struct report_out *out);
	void       *arg;
};

struct reporter;

/* ok: all was written. The reporter has freed itself then. */
typedef void reporter_done(void *arg, bool ok);

/* fd, the client's socket, r and job are lent for the call. NULL with errno. */
struct reporter *reporter_start(struct loop *l, struct notify *events, const struct report_job *job,
                                const struct control_request *r, int fd, reporter_done *done,
                                void *arg);

/* If pid is that child, calls done and returns true. NULL is fine. */
bool reporter_reaped(struct reporter *r, pid_t pid, int status);

/* Ends it without calling done. Sets *rp to NULL; NULL is fine. */
void reporter_cancel(struct reporter **rp);

#endif
