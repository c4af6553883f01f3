/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads once from each pipe that has something, so that none has to wait for another, and
 * writes the whole lines of it at once. Then it looks at none for a moment: what comes
 * meanwhile costs no worker a wake-up, and makes one write. This process may wait for the disk.
 */
#include <config.h>
#include "log_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sysexits.h>
#include <unistd.h>

#include "capabilities.h"
#include "detach.h"
#include "fd.h"
#include "line_reader.h"
#include "list.h"
#include "log.h"
#include "loop.h"
#include "standard_fds.h"
#include "title.h"

#define AT_ONCE (1 << 20)               /* bytes: all that a pipe of an ordinary user can hold */
#define PAUSE_MS 20                     /* shorter while much comes, none while a pipe is half full */
#define ROOM_OF_A_PAUSE 65536           /* bytes: a smaller pipe could be full before a long pause is over */
#define EVENTS   64

struct input {
	struct log_writer *writer;
	int                fd;          /* -1 at its end */
	int                room;        /* bytes that the pipe can hold */
	struct log_sink   *sink;
	struct line_reader lines;
};

struct log_writer {
	struct loop                    loop;
	const struct log_writer_start *start;
	struct watch                   orders;
	struct watch                   any;     /* an epoll(7) instance with all inputs in it */
	struct timer                   pause;
	int                            pause_ms;        /* the last one */
	bool                           hurries; /* there is too much for one */
	bool                           is_busy; /* there is too much for a long one */
	struct input                  *inputs;
	size_t                         n_open;
};

static _Noreturn void cannot_start(const char *what)
{
	log_err("log process cannot start: %s: %m", what);
	_exit(EX_OSERR);
}

/* ---- lines -------------------------------------------------------------- */

/* There may be none: the program after the one that has opened it could not. */
static void pass(const struct input *i, const char *lines, size_t len)
{
	if (i->sink && len > 0)
		log_sink_pass(i->sink, lines, len);
}

static void end_input(struct input *i)
{
	char last[LOG_LINE_MAX];

	pass(i, last, line_reader_end(&i->lines, last));
	epoll_ctl(i->writer->any.fd, EPOLL_CTL_DEL, i->fd, NULL);       /* the master has a copy */
	fd_close(&i->fd);
	if (--i->writer->n_open == 0)
		loop_stop(&i->writer->loop);
}

static void take_input(struct input *i)
{
	static char bytes[AT_ONCE], lines[LINE_READER_ROOM(AT_ONCE)];
	const ssize_t n = i->fd == -1 ? -1 : read(i->fd, bytes, sizeof bytes);

	if (n > 0) {
		i->writer->hurries |= n > i->room / 2;
		i->writer->is_busy |= n > i->room / 8 || i->room < ROOM_OF_A_PAUSE;
		pass(i, lines, line_reader_take(&i->lines, bytes, (size_t)n, lines));
	} else if (i->fd != -1 && (n == 0 || !fd_not_yet(errno))) {
		end_input(i);
	}
}

/* What comes fast is looked at often, and less often again when it has become less. */
static int next_pause_ms(const struct log_writer *w)
{
	if (w->is_busy || w->pause_ms == 0)
		return 1;
	return w->pause_ms < PAUSE_MS / 2 ? 2 * w->pause_ms : PAUSE_MS;
}

static void on_any(struct watch *watch, uint32_t events)
{
	struct log_writer *w = container_of(watch, struct log_writer, any);
	struct epoll_event ready[EVENTS];
	int n = EVENTS;

	(void)events;
	w->hurries = w->is_busy = false;
	/* Those that were taken from have gone to the end of the queue: each has its turn. */
	for (size_t done = 0; n == EVENTS && done < w->start->n_inputs; done += EVENTS) {
		n = epoll_wait(watch->fd, ready, EVENTS, 0);
		for (int i = 0; i < n; i++)
			take_input(ready[i].data.ptr);
	}
	w->pause_ms = w->hurries ? 0 : next_pause_ms(w);
	if (w->hurries)
		return;
	loop_rewatch(&w->loop, watch, 0);
	loop_timer(&w->loop, &w->pause, w->pause_ms);
}

static void on_pause_over(struct timer *t)
{
	struct log_writer *w = container_of(t, struct log_writer, pause);

	if (loop_rewatch(&w->loop, &w->any, EPOLLIN) == -1)
		_exit(EX_OSERR);        /* another one may be able to */
}

/* ---- orders ------------------------------------------------------------- */

/* What was written before the order is in the old file. */
static void take_all(struct log_writer *w)
{
	for (size_t i = 0; i < w->start->n_inputs; i++)
		take_input(&w->inputs[i]);
}

static void switch_logs(struct log_writer *w, const struct leash_message *m)
{
	struct log_sink *const sinks[LEASH_FDS] = {
		[LEASH_FD_LOG] = w->start->logs->log,
		[LEASH_FD_ACCESS_LOG] = logs_nth_access_log(w->start->logs, m->number),
	};

	take_all(w);
	for (int i = 0; i < LEASH_FDS; i++)
		if (m->fds[i] != -1 && sinks[i])
			log_sink_switch(sinks[i], m->fds[i]);
		else
			fd_drop(m->fds[i]);
	leash_say(&w->start->leash, &(struct leash_message){ .word = LEASH_LOGS });
}

/* No worker is left; another process may keep a pipe open for as long as it likes. */
static void end_all(struct log_writer *w)
{
	take_all(w);            /* one read takes all that a pipe can hold */
	for (size_t i = 0; i < w->start->n_inputs; i++)
		if (w->inputs[i].fd != -1)
			end_input(&w->inputs[i]);
	loop_stop(&w->loop);
}

static void on_order(struct watch *watch, uint32_t events)
{
	struct log_writer *w = container_of(watch, struct log_writer, orders);
	struct leash_message m;

	(void)events;
	switch (leash_obey(&w->start->leash, &m)) {
	case LEASH_EMPTY:
		return;
	case LEASH_CLOSED:              /* the master is gone; its workers may have much to say yet */
	case LEASH_MALFORMED:
		loop_unwatch(&w->loop, watch);
		return;
	case LEASH_OK:
		if (m.word == LEASH_LOGS)
			switch_logs(w, &m);
		else if (m.word == LEASH_END)
			end_all(w);
		return;
	}
}

/* ---- birth -------------------------------------------------------------- */

static int fd_of(const struct log_sink *sink)
{
	return sink ? log_sink_fd(sink) : -1;
}

static void keep_only_ours(const struct log_writer_start *s)
{
	const struct logs *l = s->logs;
	int *keep = calloc(s->n_inputs + l->n_access_logs + 4, sizeof *keep);
	size_t n = 0;

	if (!keep)
		cannot_start("close what is not ours");
	for (size_t i = 0; i < s->n_inputs; i++)
		keep[n++] = s->inputs[i].fd;
	for (size_t i = 0; i < l->n_access_logs; i++)
		keep[n++] = fd_of(l->access_logs[i]);
	keep[n++] = fd_of(l->log);
	keep[n++] = fd_of(l->err);
	keep[n++] = s->leash.orders;
	keep[n++] = s->leash.words;
	if (fd_keep_only(keep, n) == -1)
		cannot_start("close what is not ours");
	free(keep);
}

/* Its user stays the master's: that of a service could signal it. */
static void take_place(const struct log_writer_start *s)
{
	if (s->detached)
		standard_fds_leave_err();       /* the caller's, until the server is ready */
	if (detach_from_terminal() == -1)
		cannot_start("leave the terminal");
	if (capabilities_drop_all() == -1 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		cannot_start("give up privileges");
}

static struct log_sink *sink_of(const struct logs *l, const struct log_input *i)
{
	switch (i->to) {
	case LOG_PIPE_LOG:
		return l->log;
	case LOG_PIPE_ACCESS_LOG:
		return logs_nth_access_log(l, i->access_log);
	case LOG_PIPE_STDERR:
		return l->err;
	case LOG_PIPES:
		break;
	}
	return NULL;
}

static void add_input(struct log_writer *w, struct input *i, const struct log_input *from)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = i };

	i->writer = w;
	i->fd = from->fd;
	i->room = fcntl(i->fd, F_GETPIPE_SZ);
	i->sink = sink_of(w->start->logs, from);
	if (epoll_ctl(w->any.fd, EPOLL_CTL_ADD, i->fd, &event) == -1)
		cannot_start("watch the pipes");
	w->n_open++;
}

static void open_loop(struct log_writer *w)
{
	const struct log_writer_start *s = w->start;

	w->pause.fire = on_pause_over;
	w->any = (struct watch){ .fd = epoll_create1(EPOLL_CLOEXEC), .ready = on_any };
	w->inputs = calloc(s->n_inputs, sizeof *w->inputs);
	w->orders = (struct watch){ .fd = s->leash.orders, .ready = on_order };
	if (!w->inputs || w->any.fd == -1 || loop_init(&w->loop) == -1 ||
	    loop_watch(&w->loop, &w->orders, EPOLLIN) == -1 || loop_watch(&w->loop, &w->any, EPOLLIN) == -1)
		cannot_start("watch the pipes");
	for (size_t i = 0; i < s->n_inputs; i++)
		add_input(w, &w->inputs[i], &s->inputs[i]);
}

_Noreturn void log_writer_main(const struct log_writer_start *start)
{
	struct log_writer w = { .start = start };

	title_set("droverd: log");
	logs_use(start->logs);
	keep_only_ours(start);
	take_place(start);
	open_loop(&w);
	_exit(loop_run(&w.loop) == 0 ? EX_OK : EX_OSERR);
}
