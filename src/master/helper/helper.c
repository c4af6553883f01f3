/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Forks helpers, and watches them in the master's loop. A helper is over when two things are
 * known: the end of the process, and the end of its output. They come in either order, and
 * the output may be kept open by a process that the helper has started.
 */
#include <config.h>
#include "helper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "detach.h"
#include "fd.h"
#include "log.h"
#include "title.h"

struct helper {
	struct helpers   *among;
	struct list       in_all;
	struct helper_job job;
	pid_t             pid;
	bool              reaped;       /* pid may be another process by now; status is known */
	bool              too_late;
	int               status;
	struct watch      output;       /* fd -1: there is none, or it has ended */
	struct timer      limit;
	size_t            n_keep;
	int               keep[];       /* with room for one more */
};

/* ---- in the helper ------------------------------------------------------ */

static _Noreturn void cannot_start(const struct helper *h, int out, const char *what)
{
	if (out != -1)
		dprintf(out, "%s: %s\n", what, strerror(errno));
	else
		log_err("child process \"%s\" cannot start: %s: %m", h->job.title, what);
	_exit(EX_OSERR);
}

/* The master may have ended before it was asked for. */
static void die_with(pid_t master)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != master)
		_exit(EX_OSERR);
}

/* The master may be gone by then, or another program that does not know of it. */
static void end_after(int64_t limit_ms)
{
	const struct itimerval limit = { .it_value = { .tv_sec = limit_ms / 1000,
	                                               .tv_usec = limit_ms % 1000 * 1000 } };
	sigset_t alarm;

	sigemptyset(&alarm);
	sigaddset(&alarm, SIGALRM);
	setitimer(ITIMER_REAL, &limit, NULL);
	sigprocmask(SIG_UNBLOCK, &alarm, NULL);
}

static _Noreturn void be_helper(struct helper *h, pid_t master, int out)
{
	title_set("droverd: %s", h->job.title);
	if (h->job.outlives)
		end_after(h->job.limit_ms);
	else
		die_with(master);
	if (h->job.prepare)
		h->job.prepare(h->job.arg);
	if (detach_from_terminal() == -1)
		cannot_start(h, out, "leave the terminal");
	h->keep[h->n_keep] = out;
	if (fd_keep_only(h->keep, h->n_keep + 1) == -1)         /* above all no leashes */
		cannot_start(h, out, "close what is not needed");
	_exit(h->job.run(h->job.arg, out));
}

/* ---- the end ------------------------------------------------------------ */

static void free_helper(struct watch *w)
{
	free(container_of(w, struct helper, output));
}

static void end_output(struct helper *h)
{
	loop_unwatch(h->among->loop, &h->output);
	fd_close(&h->output.fd);
}

/* It is there until the end of this turn: events for it may be waiting. */
static void discard_helper(struct helper *h)
{
	list_remove(&h->in_all);
	timer_unset(&h->among->loop->timers, &h->limit);
	end_output(h);
	loop_reclaim(h->among->loop, &h->output, free_helper);
}

static void report_if_over(struct helper *h)
{
	const struct helper_end end = { .status = h->status, .too_late = h->too_late };

	if (!h->reaped || h->output.fd != -1)
		return;
	discard_helper(h);
	h->job.done(h->job.arg, &end);
}

static void on_output(struct watch *w, uint32_t events)
{
	struct helper *h = container_of(w, struct helper, output);
	char buf[4096];
	const ssize_t n = read(w->fd, buf, sizeof buf);

	(void)events;
	if (n > 0)
		h->job.hear(h->job.arg, buf, (size_t)n);
	if (n > 0 || (n == -1 && fd_not_yet(errno)))
		return;
	end_output(h);
	report_if_over(h);
}

static void on_helper_limit(struct timer *t)
{
	struct helper *h = container_of(t, struct helper, limit);

	h->too_late = true;
	if (h->job.late)
		h->job.late(h->job.arg);
	if (!h->reaped)
		kill(h->pid, SIGKILL);
	end_output(h);          /* another process may have it open for as long as it likes */
	report_if_over(h);
}

/* ---- the beginning ------------------------------------------------------ */

static struct helper *make(struct helpers *all, const struct helper_job *job)
{
	struct helper *h = calloc(1, sizeof *h + (job->n_keep + 1) * sizeof h->keep[0]);

	if (!h)
		return NULL;
	*h = (struct helper){ .among = all, .job = *job, .n_keep = job->n_keep,
	                      .output = { .fd = -1, .ready = on_output }, .limit.fire = on_helper_limit };
	list_init(&h->in_all);
	for (size_t i = 0; i < job->n_keep; i++)
		h->keep[i] = job->keep[i];
	h->job.keep = NULL;     /* it was lent */
	return h;
}

/* The end to write to, or -1 with errno. */
static int open_output(struct helper *h)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) == -1)
		return -1;
	h->output.fd = ends[0];
	if (fd_adopt(ends[0]) == -1 || loop_watch(h->among->loop, &h->output, EPOLLIN) == -1)
		return fd_drop(ends[1]);
	return ends[1];
}

/* 0, or -1 with errno. */
static int fork_it(struct helper *h)
{
	const pid_t master = getpid();
	int out = -1;

	if (h->job.hear && (out = open_output(h)) == -1)
		return -1;
	h->pid = fork();
	if (h->pid == 0)
		be_helper(h, master, out);
	fd_drop(out);
	return h->pid == -1 ? -1 : 0;
}

void helpers_init(struct helpers *all, struct loop *l)
{
	*all = (struct helpers){ .loop = l };
	list_init(&all->all);
}

struct helper *helper_start(struct helpers *all, const struct helper_job *job)
{
	struct helper *h = make(all, job);

	if (!h)
		return NULL;
	if (fork_it(h) == -1) {
		const int saved = errno;

		discard_helper(h);
		errno = saved;
		return NULL;
	}
	list_append(&all->all, &h->in_all);
	loop_timer(all->loop, &h->limit, job->limit_ms);
	return h;
}

pid_t helper_pid(const struct helper *h)
{
	return h->pid;
}

void helper_free(struct helper **hp)
{
	struct helper *h = *hp;

	*hp = NULL;
	if (!h)
		return;
	if (!h->reaped && !h->job.outlives)
		kill(h->pid, SIGKILL);          /* it is reaped as a stranger */
	discard_helper(h);
}

bool helpers_reaped(struct helpers *all, pid_t pid, int status)
{
	struct helper *h;

	list_each(&all->all, h, struct helper, in_all)
		if (h->pid == pid && !h->reaped) {
			h->reaped = true;
			h->status = status;
			h->too_late |= h->job.outlives && WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM;
			report_if_over(h);
			return true;
		}
	return false;
}
