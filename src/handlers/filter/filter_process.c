/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Writes frames to a program, reads its answers, and ends it. It does not know which process gets
 * the next request, nor what happens to the requests of one that has died: filter_pool.c decides
 * that.
 */
#include <config.h>
#include "filter_process.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fd.h"
#include "filter_channel.h"
#include "filter_tickets.h"
#include "text.h"

#define EOF_MS     1000                 /* from the end of its input to TERM */
#define DYING_MS   100                  /* from the end of its output to KILL */
#define LAST_READS 64                   /* its output is read this many times when it has died */

struct filter_process {
	struct filter_links   links;
	struct filter_owner  *owner;
	struct watch          in, out;          /* our ends; fd -1: closed */
	struct timer          timer;            /* limits an answer; when it is leaving, for TERM or KILL */
	struct program       *program;          /* NULL: it has ended */
	const struct program *gone;             /* the program that has ended, during `ended` */
	pid_t                 pid;
	bool                  leaving;
	enum filter_end       why;              /* if it is leaving */
	uint64_t              taken, answered;
	int64_t               born_ms;
	int64_t               since_ms;         /* when its oldest request became the one to be answered */
	struct buffer         unsent;           /* bytes of requests that its input did not take yet */
	struct buffer         part;             /* the beginning of an answer */
	struct framing_state  framing;          /* of the answer */
	struct filter_tickets tickets;          /* of the requests that it has */
};

/* How many bytes the program's input did not take yet. */
static size_t n_unsent(const struct filter_process *p)
{
	return buffer_is_empty(&p->unsent) ? 0 : buffer_waiting(&p->unsent);
}

/* ---- requests given back ------------------------------------------------ */

static struct filter_request *take_first(struct filter_process *p)
{
	struct filter_request *r = filter_tickets_take(&p->tickets);

	if (r)
		r->process = NULL;
	return r;
}

bool filter_process_take_back(struct filter_process *p, struct filter_request **r)
{
	if (p->tickets.n == 0)
		return false;
	*r = take_first(p);
	return true;
}

void filter_process_forget(struct filter_process *p, const struct filter_request *r)
{
	filter_tickets_forget(&p->tickets, r);
}

/* How many of its requests it has not read a byte of. */
static size_t count_unread(const struct filter_process *p)
{
	const size_t in_pipe = filter_channel_unread(p->in.fd, p->owner->conf->pty);

	return filter_tickets_count_unread(&p->tickets, in_pipe + n_unsent(p));
}

/* ---- the end ------------------------------------------------------------ */

static void close_watch(struct filter_process *p, struct watch *w)
{
	loop_unwatch(p->owner->loop, w);
	fd_close(&w->fd);
}

static bool is_fault(enum filter_end why)
{
	return why >= FILTER_END_DIED;
}

/*
 * A process that breaks the contract is killed. One that seems to be ending is killed DYING_MS
 * later, so that it can exit with a status of its own. One that is no longer needed sees the end
 * of its input, and what it still writes is thrown away; a terminal is closed in both directions,
 * because our ends are one open file.
 */
static void stop_serving(struct filter_process *p, enum filter_end why)
{
	p->leaving = true;
	p->why = why;
	timer_unset(&p->owner->loop->timers, &p->timer);
	if (p->program && !is_fault(why))
		program_passes(p->program);
	/* Killed before it sees the end of its input, because of which it might exit by itself. */
	if (p->program && is_fault(why) && why != FILTER_END_DIED)
		program_kill(p->program);
	else if (p->program)
		loop_timer(p->owner->loop, &p->timer, why == FILTER_END_DIED ? DYING_MS : EOF_MS);
	close_watch(p, &p->in);
	if (is_fault(why) || p->owner->conf->pty)
		close_watch(p, &p->out);
}

static void lose(struct filter_process *p, enum filter_end why)
{
	const size_t n_unread = count_unread(p);

	stop_serving(p, why);
	p->owner->lost(p->owner, p, why, n_unread);
}

void filter_process_dismiss(struct filter_process *p, enum filter_end why)
{
	if (!p->leaving)
		stop_serving(p, why);
}

/* ---- answers ------------------------------------------------------------ */

/* An answer is complete: these bytes are the end of its frame. */
static void deliver_answer(struct filter_process *p, const char *bytes, size_t len)
{
	struct filter_answer a = { .frame = bytes, .frame_len = len };
	struct filter_request *r;

	if (!buffer_is_empty(&p->part)) {
		if (buffer_add(&p->part, bytes, len) == -1) {
			lose(p, FILTER_END_TOO_LONG);
			return;
		}
		a.frame = buffer_first(&p->part);
		a.frame_len = buffer_waiting(&p->part);
	}
	a.content = a.frame + p->framing.header;
	a.content_len = (size_t)p->framing.content;
	a.took_ms = p->owner->loop->now_ms - filter_tickets_put_ms(&p->tickets);
	r = take_first(p);
	if (p->answered++ == 0 && p->program)
		program_passes(p->program);
	p->since_ms = p->owner->loop->now_ms;
	p->owner->answered(p->owner, p, r, &a);
	buffer_clear(&p->part);
}

/* Splits what it wrote into answers. The callbacks may end p, so that the rest is not used. */
static void take_output(struct filter_process *p, const char *bytes, size_t len)
{
	struct framing_part part;

	while (len > 0 && !p->leaving) {
		if (p->tickets.n == 0) {
			lose(p, FILTER_END_UNASKED);
			return;
		}
		switch (framing_feed(&p->owner->conf->filter_framing, &p->framing, bytes, len, &part)) {
		case FRAMING_MORE:
			if (buffer_add(&p->part, bytes, part.used) == -1)
				lose(p, FILTER_END_TOO_LONG);
			break;
		case FRAMING_COMPLETE:
			deliver_answer(p, bytes, part.used);
			break;
		case FRAMING_TOO_LONG:
			lose(p, FILTER_END_TOO_LONG);
			break;
		case FRAMING_BROKEN:
			lose(p, FILTER_END_BROKEN);
			break;
		}
		bytes += part.used;
		len -= part.used;
	}
}

/* Reads once. False if there was nothing to read now, or if p is lost. */
static bool read_output(struct filter_process *p)
{
	ssize_t n = read(p->out.fd, p->owner->scratch, p->owner->scratch_len);

	if (n > 0) {
		take_output(p, p->owner->scratch, (size_t)n);
		return !p->leaving;
	}
	if (n == -1 && fd_not_yet(errno))
		return false;
	if (p->leaving)
		close_watch(p, &p->out);
	else
		lose(p, FILTER_END_DIED);       /* also for EIO: no process has the terminal open any more */
	return false;
}

static void on_output(struct watch *w, uint32_t events)
{
	(void)events;
	read_output(container_of(w, struct filter_process, out));
}

/* It takes no more requests. The answers that it has written before that are still used. */
static void has_died(struct filter_process *p)
{
	for (int i = 0; i < LAST_READS && read_output(p); i++)
		;
	if (!p->leaving)
		lose(p, FILTER_END_DIED);
}

bool filter_process_is_quiet(struct filter_process *p)
{
	char byte;
	ssize_t n;

	if (p->tickets.n > 0)
		return true;
	n = read(p->out.fd, &byte, 1);
	if (n == -1 && fd_not_yet(errno))
		return true;
	lose(p, n > 0 ? FILTER_END_UNASKED : FILTER_END_DIED);
	return false;
}

/* ---- requests ----------------------------------------------------------- */

bool filter_process_has_room(const struct filter_process *p)
{
	const int max = p->owner->conf->max_requests;

	return !p->leaving && p->tickets.n < p->tickets.room && (max == 0 || p->taken < (uint64_t)max);
}

static int add_framed(struct filter_process *p, const struct filter_request *r)
{
	const struct framing *f = &p->owner->conf->filter_framing;

	if (r->frame)
		return buffer_add(&p->unsent, r->frame, r->frame_len);
	return framing_add(f, r->content, r->content_len, &p->unsent);
}

int filter_process_put(struct filter_process *p, struct filter_request *r)
{
	const size_t before = n_unsent(p);

	if ((r->prefix && buffer_add(&p->unsent, r->prefix, strlen(r->prefix)) == -1) ||
	    add_framed(p, r) == -1) {
		buffer_cut(&p->unsent, before);
		return -1;
	}
	if (p->tickets.n == 0)
		p->since_ms = p->owner->loop->now_ms;
	filter_tickets_put(&p->tickets, r, n_unsent(p) - before, p->owner->loop->now_ms);
	p->taken++;
	r->process = p;
	if (p->owner->conf->timeout > 0 && !timer_is_set(&p->timer))
		loop_timer_at(p->owner->loop, &p->timer, p->since_ms + p->owner->conf->timeout);
	return 0;
}

static int watch_input(struct filter_process *p)
{
	return p->in.events ? 0 : loop_watch(p->owner->loop, &p->in, EPOLLOUT);
}

void filter_process_flush(struct filter_process *p)
{
	ssize_t n;

	if (p->leaving || buffer_is_empty(&p->unsent))
		return;
	n = write(p->in.fd, buffer_first(&p->unsent), buffer_waiting(&p->unsent));
	if (n == -1 && !fd_not_yet(errno)) {
		has_died(p);
		return;
	}
	if (n > 0)
		buffer_take(&p->unsent, (size_t)n);
	if (buffer_is_empty(&p->unsent))
		loop_unwatch(p->owner->loop, &p->in);
	else if (watch_input(p) == -1)
		has_died(p);
}

static void on_input(struct watch *w, uint32_t events)
{
	(void)events;
	filter_process_flush(container_of(w, struct filter_process, in));
}

/* ---- time-outs ---------------------------------------------------------- */

static void on_process_timer(struct timer *t)
{
	struct filter_process *p = container_of(t, struct filter_process, timer);
	const int64_t due_ms = p->since_ms + p->owner->conf->timeout;

	if (p->leaving) {
		if (p->program && p->why == FILTER_END_DIED)
			program_kill(p->program);
		else if (p->program)
			program_end(p->program);
	} else if (p->tickets.n > 0 && due_ms > p->owner->loop->now_ms) {
		loop_timer_at(p->owner->loop, t, due_ms);
	} else if (p->tickets.n > 0) {
		lose(p, FILTER_END_TIMEOUT);
	}
}

/* ---- start -------------------------------------------------------------- */

static void free_process(struct watch *w)
{
	struct filter_process *p = container_of(w, struct filter_process, out);

	buffer_clear(&p->unsent);
	buffer_clear(&p->part);
	filter_tickets_fini(&p->tickets);
	free(p);
}

/* Closes what it has, and frees it at the end of this turn. Its owner has forgotten it. */
static void discard_process(struct filter_process *p)
{
	timer_unset(&p->owner->loop->timers, &p->timer);
	close_watch(p, &p->in);
	loop_reclaim(p->owner->loop, &p->out, free_process);
	fd_close(&p->out.fd);
}

static void on_program_ended(void *arg, int status)
{
	struct filter_process *p = arg;

	p->gone = p->program;
	p->program = NULL;              /* its process id may soon be reused */
	if (!p->leaving)
		has_died(p);
	p->owner->ended(p->owner, p, status);
	discard_process(p);
}

static int launch_it(struct filter_process *p)
{
	struct filter_owner *o = p->owner;
	char name[PROGRAM_NAME_MAX];
	struct text t = text_in(name, sizeof name);
	struct filter_channel c;

	if (filter_channel_open(&c, o->conf->pty) == -1)
		return -1;
	p->in.fd = c.to;
	p->out.fd = c.from;
	text_add(&t, "%s: filter", o->name);
	if (loop_watch(o->loop, &p->out, EPOLLIN) == 0)
		p->program = program_start(o->programs, &(struct program_request){
			.name = name, .with_pid = true, .on_trial = true, .envp = o->envp,
			.in = c.in, .out = c.out,
			.ended = on_program_ended, .arg = p });
	filter_channel_close_theirs(&c);
	return p->program ? 0 : -1;
}

struct filter_process *filter_process_start(struct filter_owner *o)
{
	struct filter_process *p = calloc(1, sizeof *p);
	int saved;

	if (!p || filter_tickets_init(&p->tickets, (size_t)o->conf->in_flight) == -1) {
		free(p);
		return NULL;
	}
	p->owner = o;
	p->in = (struct watch){ .fd = -1, .ready = on_input };
	p->out = (struct watch){ .fd = -1, .ready = on_output };
	p->timer.fire = on_process_timer;
	list_init(&p->links.in_pool);
	if (launch_it(p) == -1) {
		saved = errno;
		discard_process(p);
		errno = saved;
		return NULL;
	}
	p->pid = program_pid(p->program);
	p->born_ms = o->loop->now_ms;
	return p;
}

/* ---- questions ---------------------------------------------------------- */

pid_t filter_process_pid(const struct filter_process *p)
{
	return p->pid;
}

size_t filter_process_n(const struct filter_process *p)
{
	return p->tickets.n;
}

uint64_t filter_process_answered(const struct filter_process *p)
{
	return p->answered;
}

bool filter_process_is_silent(const struct filter_process *p)
{
	return p->answered == 0 && buffer_is_empty(&p->part);
}

int64_t filter_process_age_ms(const struct filter_process *p)
{
	return p->owner->loop->now_ms - p->born_ms;
}

void filter_process_add_last_words(const struct filter_process *p, struct text *t)
{
	if (p->gone)
		program_add_last_words(p->gone, t);
}

size_t filter_process_part(const struct filter_process *p, struct framing_state *s)
{
	*s = p->framing;
	return buffer_is_empty(&p->part) ? 0 : buffer_waiting(&p->part);
}

enum filter_end filter_process_why(const struct filter_process *p)
{
	return p->why;
}

struct filter_links *filter_process_links(struct filter_process *p)
{
	return &p->links;
}

struct filter_process *filter_process_of(struct list *in_pool)
{
	return container_of(in_pool, struct filter_process, links.in_pool);
}
