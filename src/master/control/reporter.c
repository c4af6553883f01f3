/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Starts the helper that answers one client, and reports it in the log and in events.
 */
#include <config.h>
#include "reporter.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <sysexits.h>

#include "log.h"
#include "niceness.h"
#include "signals.h"

#define GRACE_MS 2000                   /* after the child's own limit: then it is said to hang */

struct reporter {
	struct notify    *events;
	struct report_job job;
	struct helper    *helper;
	reporter_done    *done;
	void             *arg;
	const struct control_request *request;  /* this and the following: for the child alone */
	int               fd;
	void             *data;
};

/* ---- in the child ------------------------------------------------------- */

static void gather(void *arg)
{
	struct reporter *r = arg;

	/* If it is refused, the answer costs the workers more time, and nothing else. */
	if (r->job.nice != 0)
		niceness_raise_to(r->job.nice);
	r->data = r->job.gather ? r->job.gather(r->job.arg) : r->job.arg;
}

static int answer(void *arg, int no_pipe)
{
	static struct answer_writer out;
	const struct reporter *r = arg;

	(void)no_pipe;
	answer_writer_init(&out, r->fd, r->job.limit_ms);
	r->job.write(r->data, r->request, &out);
	return answer_writer_finish(&out) ? EX_OK : EX_IOERR;
}

/* ---- in the master ------------------------------------------------------ */

static void log_hang(void *arg)
{
	const struct reporter *r = arg;

	log_warn("control: the process that answers %s (pid %d) hangs; killing it", r->job.command,
	         (int)helper_pid(r->helper));
}

static void finish(void *arg, const struct helper_end *end)
{
	struct reporter *r = arg;
	const bool ok = WIFEXITED(end->status) && WEXITSTATUS(end->status) == EX_OK;
	const pid_t pid = helper_pid(r->helper);

	if (WIFSIGNALED(end->status))
		log_warn("control: the process that answers %s (pid %d) was ended by signal %s",
		         r->job.command, (int)pid, signals_name(WTERMSIG(end->status)));
	notify_send(r->events, "reporter-end command=%s pid=%d how=%s", r->job.command, (int)pid,
	            ok ? "done" : "failed");
	r->done(r->arg, ok);
	free(r);
}

struct reporter *reporter_start(struct helpers *all, struct notify *events,
                                const struct report_job *job, const struct control_request *request,
                                int fd, reporter_done *done, void *arg)
{
	struct reporter *r = calloc(1, sizeof *r);
	const struct helper_job how = {
		.title = "report", .limit_ms = job->limit_ms + GRACE_MS, .keep = &fd, .n_keep = 1,
		.prepare = gather, .run = answer, .late = log_hang, .done = finish, .arg = r,
	};

	if (!r)
		return NULL;
	*r = (struct reporter){ .events = events, .job = *job, .done = done, .arg = arg,
	                        .request = request, .fd = fd };
	r->helper = helper_start(all, &how);
	if (!r->helper) {
		reporter_cancel(&r);
		return NULL;
	}
	notify_send(events, "reporter-start command=%s pid=%d", r->job.command, (int)helper_pid(r->helper));
	return r;
}

void reporter_cancel(struct reporter **rp)
{
	struct reporter *r = *rp;

	*rp = NULL;
	if (!r)
		return;
	helper_free(&r->helper);
	free(r);
}
