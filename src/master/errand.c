/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Fork, a pipe for the complaints, and a limit. It is over when both are known:
 * the end of the child, and the end of what it said.
 */
#include <config.h>
#include "errand.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "detach.h"
#include "fd.h"
#include "list.h"
#include "log.h"
#include "signals.h"
#include "text.h"

struct errand {
	struct loop      *loop;
	struct errand_job job;
	pid_t             pid;          /* 0 once it was waited for */
	int               status;
	bool              too_late;     /* it has been ended for that */
	struct watch      complaints;   /* fd -1 at its end */
	struct timer      limit;
	size_t            line_len;
	char              line[LOG_LINE_MAX];
	struct text       said;         /* the complaints so far */
	char              said_room[ERRAND_SAID];
};

static _Noreturn void be_child(const struct errand_job *job, int out)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (detach_from_terminal() == -1) {
		dprintf(out, "leave the terminal: %s\n", strerror(errno));
		_exit(EX_OSERR);
	}
	if (fd_keep_only((int[]){ out, job->keep }, 2) == -1) {         /* above all no leashes */
		dprintf(out, "close what is not needed: %s\n", strerror(errno));
		_exit(EX_OSERR);
	}
	_exit(job->run(job->arg, out));
}

/* ---- complaints --------------------------------------------------------- */

/* To the log, and kept for who asked. */
static void complain(struct errand *e, const char *line)
{
	log_err("%s", line);
	text_add(&e->said, "%s%s", e->said.len > 0 ? "\n" : "", line);
}

static void complain_of(struct errand *e, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void complain_of(struct errand *e, const char *format, ...)
{
	char line[256];
	va_list ap;

	va_start(ap, format);
	vsnprintf(line, sizeof line, format, ap);
	va_end(ap);
	complain(e, line);
}

static void flush_line(struct errand *e)
{
	if (e->line_len == 0)
		return;
	e->line[e->line_len] = '\0';
	e->line_len = 0;
	if (!e->job.hear || !e->job.hear(e->job.arg, e->line))
		complain(e, e->line);
}

static void end_complaints(struct errand *e)
{
	flush_line(e);
	loop_unwatch(e->loop, &e->complaints);
	fd_close(&e->complaints.fd);
}

/* ---- the end ------------------------------------------------------------ */

static void bury(struct watch *w)
{
	free(container_of(w, struct errand, complaints));
}

static void discard(struct errand *e)
{
	timer_unset(&e->loop->timers, &e->limit);
	loop_retire(e->loop, &e->complaints, bury);
	fd_close(&e->complaints.fd);
}

static void deliver(struct errand *e)
{
	struct errand_result result = { .exit_code = EX_SOFTWARE };

	if (e->pid != 0 || e->complaints.fd != -1)
		return;                 /* both ends must be known */
	if (e->too_late)
		result.exit_code = EX_TEMPFAIL;
	else if (WIFEXITED(e->status))
		result.exit_code = WEXITSTATUS(e->status);
	else
		complain_of(e, "%s: the process was ended by signal %s", e->job.what,
		            signals_name(WTERMSIG(e->status)));
	result.complaints = e->said.buf;
	discard(e);
	e->job.done(e->job.arg, &result);       /* e is there until the end of this turn */
}

static void on_complaints(struct watch *w, uint32_t events)
{
	struct errand *e = container_of(w, struct errand, complaints);
	char buf[4096];
	ssize_t n = read(w->fd, buf, sizeof buf);

	(void)events;
	for (ssize_t i = 0; i < n; i++) {
		if (buf[i] == '\n')
			flush_line(e);
		else if (e->line_len < sizeof e->line - 1 && buf[i] != '\0')
			e->line[e->line_len++] = buf[i];
	}
	if (n > 0 || (n == -1 && fd_not_yet(errno)))
		return;
	end_complaints(e);
	deliver(e);
}

static void on_limit(struct timer *t)
{
	struct errand *e = container_of(t, struct errand, limit);

	complain_of(e, "%s takes more than %d s: given up", e->job.what,
	            (int)(e->job.limit_ms / 1000));
	e->too_late = e->pid > 0;
	if (e->pid > 0)
		kill(e->pid, SIGKILL);
	/* Somebody else may hold the other end: what the child started, and left. */
	if (e->complaints.fd != -1)
		end_complaints(e);
	deliver(e);
}

/* ---- the beginning ------------------------------------------------------ */

static int start_child(struct errand *e)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) == -1)
		return -1;
	e->complaints = (struct watch){ .fd = ends[0], .ready = on_complaints };
	if (fd_adopt(ends[0]) == -1 || loop_watch(e->loop, &e->complaints, EPOLLIN) == -1)
		return fd_drop(ends[1]);
	e->pid = fork();
	if (e->pid == 0)
		be_child(&e->job, ends[1]);
	fd_drop(ends[1]);
	if (e->pid != -1)
		return 0;
	e->pid = 0;                     /* to kill(2), -1 is everybody */
	return -1;
}

struct errand *errand_start(struct loop *l, const struct errand_job *job)
{
	struct errand *e = calloc(1, sizeof *e);

	if (!e)
		return NULL;
	*e = (struct errand){ .loop = l, .job = *job, .complaints.fd = -1, .limit.fire = on_limit };
	e->said = text_in(e->said_room, sizeof e->said_room);
	if (start_child(e) == -1) {
		int saved = errno;

		errand_cancel(&e);
		errno = saved;
		return NULL;
	}
	loop_timer(l, &e->limit, job->limit_ms);
	return e;
}

bool errand_reaped(struct errand *e, pid_t pid, int status)
{
	if (!e || e->pid == 0 || e->pid != pid)
		return false;
	e->pid = 0;
	e->status = status;
	deliver(e);
	return true;
}

void errand_cancel(struct errand **ep)
{
	struct errand *e = *ep;

	*ep = NULL;
	if (!e)
		return;
	if (e->pid > 0)
		kill(e->pid, SIGKILL);          /* to be reaped as a stranger */
	discard(e);
}
