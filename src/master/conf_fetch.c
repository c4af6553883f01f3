/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The child that loads a configuration, and the pipe for its complaints.
 */
#include <config.h>
#include "conf_fetch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "fd.h"
#include "list.h"
#include "log.h"
#include "signals.h"
#include "text.h"

struct conf_fetch {
	struct loop     *loop;
	struct arena     arena;         /* shared with the child */
	conf_fetch_done *done;
	void            *arg;
	pid_t            pid;           /* 0 once it was waited for */
	int              status;
	struct watch     complaints;    /* fd -1 at its end */
	struct timer     limit;
	size_t           line_len;
	char             line[LOG_LINE_MAX];
	struct text      said;          /* the complaints so far */
	char             said_room[CONF_FETCH_SAID];
};

/* ---- in the child ------------------------------------------------------- */

static void write_complaint(void *arg, const char *line)
{
	/* The pipe blocks: nothing is lost, however many complaints there are. */
	dprintf(*(const int *)arg, "%s\n", line);
}

static _Noreturn void be_child(struct arena *a, const struct conf_origin *source, int out)
{
	struct conf *conf;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	fd_keep_only(&(int){ out }, 1);         /* above all the leashes */
	conf = conf_load(a, source->file, source->text, write_complaint, &out);
	_exit(conf ? conf_check_privileges(conf, write_complaint, &out) : EX_CONFIG);
}

/* ---- in the master ------------------------------------------------------ */

static void bury(struct watch *w)
{
	free(container_of(w, struct conf_fetch, complaints));
}

static void discard(struct conf_fetch *f)
{
	timer_unset(&f->loop->timers, &f->limit);
	loop_retire(f->loop, &f->complaints, bury);
	fd_close(&f->complaints.fd);
}

/* One complaint: to the log, and kept for who asked. */
static void complain(struct conf_fetch *f, const char *line, size_t len)
{
	log_err("%.*s", (int)len, line);        /* without NUL: from printf(3) */
	text_add(&f->said, "%s%.*s", f->said.len > 0 ? "\n" : "", (int)len, line);
}

static void complain_of(struct conf_fetch *f, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void complain_of(struct conf_fetch *f, const char *format, ...)
{
	char line[256];
	va_list ap;

	va_start(ap, format);
	vsnprintf(line, sizeof line, format, ap);
	va_end(ap);
	complain(f, line, strlen(line));
}

/* The exit status for the master: 0 if there is a configuration, now ours alone. */
static int judge(struct conf_fetch *f)
{
	const struct conf *conf = (const struct conf *)(const void *)f->arena.base;

	if (!WIFEXITED(f->status)) {
		complain_of(f, "the process that checks the configuration was ended by signal %s",
		            signals_name(WTERMSIG(f->status)));
		return EX_SOFTWARE;
	}
	if (WEXITSTATUS(f->status) != EX_OK)
		return WEXITSTATUS(f->status);
	if (arena_seal(&f->arena, conf->size) == -1) {
		complain_of(f, "keep the configuration: %m");
		return EX_OSERR;
	}
	return EX_OK;
}

static void deliver(struct conf_fetch *f)
{
	struct conf_fetched result = { .conf = NULL };

	if (f->pid != 0 || f->complaints.fd != -1)
		return;                 /* both ends must be known */
	result.exit_code = judge(f);
	result.complaints = f->said.buf;
	result.arena = f->arena;
	if (result.exit_code == EX_OK)
		result.conf = (const struct conf *)(const void *)f->arena.base;
	else
		arena_close(&result.arena);
	discard(f);
	f->done(f->arg, &result);       /* f is there until the end of this turn */
}

static void flush_line(struct conf_fetch *f)
{
	if (f->line_len > 0)
		complain(f, f->line, f->line_len);
	f->line_len = 0;
}

static void end_complaints(struct conf_fetch *f)
{
	flush_line(f);
	loop_unwatch(f->loop, &f->complaints);
	fd_close(&f->complaints.fd);
}

static void on_complaints(struct watch *w, uint32_t events)
{
	struct conf_fetch *f = container_of(w, struct conf_fetch, complaints);
	char buf[4096];
	ssize_t n = read(w->fd, buf, sizeof buf);

	(void)events;
	for (ssize_t i = 0; i < n; i++) {
		if (buf[i] == '\n')
			flush_line(f);
		else if (f->line_len < sizeof f->line)
			f->line[f->line_len++] = buf[i];
	}
	if (n > 0 || (n == -1 && (errno == EAGAIN || errno == EINTR)))
		return;
	end_complaints(f);
	deliver(f);
}

static void on_limit(struct timer *t)
{
	struct conf_fetch *f = container_of(t, struct conf_fetch, limit);

	complain_of(f, "checking the configuration takes more than %d s: given up",
	            CONF_FETCH_MS / 1000);
	if (f->pid > 0)
		kill(f->pid, SIGKILL);
	/* Somebody else may hold the other end: what the child started, and left. */
	if (f->complaints.fd != -1)
		end_complaints(f);
	deliver(f);
}

static int start_child(struct conf_fetch *f, const struct conf_origin *source)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) == -1)
		return -1;
	f->complaints = (struct watch){ .fd = ends[0], .ready = on_complaints };
	if (fd_adopt(ends[0]) == -1 || loop_watch(f->loop, &f->complaints, EPOLLIN) == -1)
		return fd_drop(ends[1]);
	f->pid = fork();
	if (f->pid == 0)
		be_child(&f->arena, source, ends[1]);
	fd_drop(ends[1]);
	if (f->pid == -1) {
		f->pid = 0;             /* to kill(2), -1 is everybody */
		return -1;
	}
	/* A worker that is forked meanwhile must not see it. */
	return madvise(f->arena.base, f->arena.size, MADV_DONTFORK);
}

struct conf_fetch *conf_fetch_start(struct loop *l, const struct conf_origin *source,
                                    conf_fetch_done *done, void *arg)
{
	struct conf_fetch *f = calloc(1, sizeof *f);

	if (!f)
		return NULL;
	*f = (struct conf_fetch){ .loop = l, .done = done, .arg = arg,
	                          .complaints.fd = -1, .limit.fire = on_limit };
	f->said = text_in(f->said_room, sizeof f->said_room);
	if (arena_open(&f->arena, CONF_ARENA_SIZE) == -1 || start_child(f, source) == -1) {
		int saved = errno;

		conf_fetch_cancel(&f);
		errno = saved;
		return NULL;
	}
	loop_timer(l, &f->limit, CONF_FETCH_MS);
	return f;
}

bool conf_fetch_reaped(struct conf_fetch *f, pid_t pid, int status)
{
	if (!f || f->pid == 0 || f->pid != pid)
		return false;
	f->pid = 0;
	f->status = status;
	deliver(f);
	return true;
}

void conf_fetch_cancel(struct conf_fetch **fp)
{
	struct conf_fetch *f = *fp;

	*fp = NULL;
	if (!f)
		return;
	if (f->pid > 0)
		kill(f->pid, SIGKILL);          /* to be reaped as a stranger */
	arena_close(&f->arena);
	discard(f);
}
