/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Forking and ending a reporter.
 */
#include <config.h>
#include "reporter.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "detach.h"
#include "fd.h"
#include "list.h"
#include "log.h"
#include "signals.h"
#include "title.h"

#define GRACE_MS 2000                   /* beyond the child's own limit: then it hangs */

struct reporter {
	struct loop    *loop;
	struct notify  *events;
	const char     *command;        /* static */
	pid_t           pid;
	struct timer    limit;
	reporter_done  *done;
	void           *arg;
};

static _Noreturn void be_child(const struct report_job *job, const struct control_request *r, int fd)
{
	static struct report_out out;
	void *data;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	title_set("droverd: status");
	data = job->gather ? job->gather(job->arg) : job->arg;
	if (detach_from_terminal() == -1 ||
	    fd_keep_only(&(int){ fd }, 1) == -1)        /* above all not the leashes */
		_exit(EX_OSERR);
	report_out_init(&out, fd, job->limit_ms);
	job->write(data, r, &out);
	_exit(report_out_finish(&out) ? EX_OK : EX_IOERR);
}

static void on_limit(struct timer *t)
{
	struct reporter *r = container_of(t, struct reporter, limit);

	log_warn("control: the process that answers %s (pid %d) hangs; killing it", r->command,
	         (int)r->pid);
	kill(r->pid, SIGKILL);
}

struct reporter *reporter_start(struct loop *l, struct notify *events, const struct report_job *job,
                                const struct control_request *request, int fd, reporter_done *done,
                                void *arg)
{
	struct reporter *r = calloc(1, sizeof *r);

	if (!r)
		return NULL;
	*r = (struct reporter){ .loop = l, .events = events, .command = job->command,
	                        .limit.fire = on_limit, .done = done, .arg = arg };
	r->pid = fork();
	if (r->pid == 0)
		be_child(job, request, fd);
	if (r->pid == -1) {
		free(r);
		return NULL;
	}
	loop_timer(l, &r->limit, job->limit_ms + GRACE_MS);
	notify_send(events, "reporter-start command=%s pid=%d", r->command, (int)r->pid);
	return r;
}

bool reporter_reaped(struct reporter *r, pid_t pid, int status)
{
	const bool ok = WIFEXITED(status) && WEXITSTATUS(status) == EX_OK;

	if (!r || r->pid != pid)
		return false;
	if (WIFSIGNALED(status))
		log_warn("control: the process that answers %s (pid %d) was ended by signal %s",
		         r->command, (int)pid, signals_name(WTERMSIG(status)));
	notify_send(r->events, "reporter-end command=%s pid=%d how=%s", r->command, (int)pid,
	            ok ? "done" : "failed");
	timer_unset(&r->loop->timers, &r->limit);
	r->done(r->arg, ok);
	free(r);
	return true;
}

void reporter_cancel(struct reporter **rp)
{
	struct reporter *r = *rp;

	*rp = NULL;
	if (!r)
		return;
	kill(r->pid, SIGKILL);          /* to be reaped as a stranger */
	timer_unset(&r->loop->timers, &r->limit);
	free(r);
}
