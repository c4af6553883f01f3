/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A helper (helper.h) that answers a client of the control socket for the master. fork(2) gives it
 * a copy of the master's memory as it was at that moment, and it may wait for a slow client, up to
 * a limit. It does not know the commands.
 */
#ifndef DROVER_MASTER_CONTROL_REPORTER_H
#define DROVER_MASTER_CONTROL_REPORTER_H

#include <stdbool.h>
#include <stdint.h>

#include "answer_writer.h"
#include "control_request.h"
#include "helper.h"
#include "notify.h"

#define REPORTER_MS 10000               /* how long a client may take to read */

struct report_job {                     /* all of it runs in the child */
	const char *command;            /* its name, for the log and for events */
	int64_t     limit_ms;
	/* Runs while the master's descriptors are still open, and returns data. NULL: data is arg. */
	void     *(*gather)(void *arg);
	/* Writes the answer. */
	void      (*write)(void *data, const struct control_request *r, struct answer_writer *out);
	void       *arg;
	int         nice;               /* at least its nice value; 0: as the master */
};

struct reporter;

/* ok: all was written. The reporter frees itself after this call. */
typedef void reporter_done(void *arg, bool ok);

/* fd, the client's socket, r and job are lent for the call. NULL with errno. */
struct reporter *reporter_start(struct helpers *all, struct notify *events,
                                const struct report_job *job, const struct control_request *r,
                                int fd, reporter_done *done, void *arg);

/* Ends it without calling done. Sets *rp to NULL; NULL is fine. */
void reporter_cancel(struct reporter **rp);

#endif
