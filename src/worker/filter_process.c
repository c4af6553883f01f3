/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Pipes (or a terminal) to a program, frames in and out, and its end. Who gets
 * the next request, and what becomes of those that a dead one had, is
 * filter_pool.c's affair.
 */
#include <config.h>
#include "filter_process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "clock.h"
#include "fd.h"
#include "log.h"
#include "text.h"
#include "units.h"

#define EOF_MS     1000                 /* from the end of its input to TERM */
#define LAST_READS 64                   /* times that its output is read when it has died */

struct ticket {                         /* a request that the process has */
	struct filter_request *request; /* NULL: nobody waits for the answer */
	size_t                 bytes;   /* that were sent, or are to be */
};

struct filter_process {
	struct filter_links  links;
	struct filter_owner *owner;
	struct watch         in, out;           /* our ends; fd -1: closed */
	struct timer         timer;             /* for an answer; once it leaves, for TERM */
	struct program      *program;           /* NULL: ended */
	pid_t                pid;
	bool                 leaving;
	enum filter_end      why;               /* if it is leaving */
	uint64_t             taken, answered;
	int64_t              since_ms;          /* it has the first of its requests to itself */
	struct buffer        unsent;            /* requests that it has not read */
	struct buffer        part;              /* the beginning of an answer */
	struct framing_state framing;           /* of the answer */
	size_t               first, n;          /* tickets[first % in_flight] is the oldest of n */
	struct ticket        tickets[];
};

static const char *const end_names[] = {
	[FILTER_END_RECYCLED] = "recycled",
	[FILTER_END_CLOSED] = "closed",
	[FILTER_END_DRAINED] = "drained",
	[FILTER_END_DIED] = "died",
	[FILTER_END_TIMEOUT] = "timeout",
	[FILTER_END_UNASKED] = "unasked",
	[FILTER_END_TOO_LONG] = "too-long",
	[FILTER_END_BROKEN] = "broken",
};

const char *filter_end_name(enum filter_end why)
{
	return end_names[why];
}

/* An empty buffer has no bytes to be counted. */
static size_t n_unsent(const struct filter_process *p)
{
	return buffer_is_empty(&p->unsent) ? 0 : buffer_waiting(&p->unsent);
}

/* ---- tickets ------------------------------------------------------------ */

static size_t room_of(const struct filter_process *p)
{
	return (size_t)p->owner->conf->in_flight;
}

static struct ticket *ticket(struct filter_process *p, size_t i)
{
	return &p->tickets[(p->first + i) % room_of(p)];
}

static struct ticket take_ticket(struct filter_process *p)
{
	struct ticket t = *ticket(p, 0);

	p->first = (p->first + 1) % room_of(p);
	p->n--;
	if (t.request)
		t.request->process = NULL;
	return t;
}

bool filter_process_take_back(struct filter_process *p, struct filter_request **r)
{
	if (p->n == 0)
		return false;
	*r = take_ticket(p).request;
	return true;
}

void filter_process_forget(struct filter_process *p, const struct filter_request *r)
{
	for (size_t i = 0; i < p->n; i++)
		if (ticket(p, i)->request == r)
			ticket(p, i)->request = NULL;
}

size_t filter_process_count_unread(const size_t *sizes, size_t n, size_t unread)
{
	size_t k = 0;

	while (k < n && sizes[n - 1 - k] <= unread) {
		unread -= sizes[n - 1 - k];
		k++;
	}
	return k;
}

/* Those of which it has seen no byte. A terminal does not tell what was read. */
static size_t count_unread(struct filter_process *p)
{
	size_t *sizes = malloc(p->n * sizeof *sizes), k;
	int in_pipe = 0;

	if (p->n == 0 || !sizes) {
		free(sizes);
		return 0;
	}
	if (p->in.fd == -1 || p->owner->conf->pty || ioctl(p->in.fd, FIONREAD, &in_pipe) == -1)
		in_pipe = 0;
	for (size_t i = 0; i < p->n; i++)
		sizes[i] = ticket(p, i)->bytes;
	k = filter_process_count_unread(sizes, p->n, (size_t)in_pipe + n_unsent(p));
	free(sizes);
	return k;
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
 * Who breaks the contract is killed. Who is no longer needed sees the end of its
 * input, and what it still has to say is thrown away; of a terminal both ends
 * are one.
 */
static void leave(struct filter_process *p, enum filter_end why)
{
	p->leaving = true;
	p->why = why;
	timer_unset(&p->owner->loop->timers, &p->timer);
	/* Before it sees the end of its input, which it might take for a reason to go. */
	if (p->program && is_fault(why))
		program_kill(p->program);
	else if (p->program)
		loop_timer(p->owner->loop, &p->timer, EOF_MS);
	close_watch(p, &p->in);
	if (is_fault(why) || p->owner->conf->pty)
		close_watch(p, &p->out);
}

static void lose(struct filter_process *p, enum filter_end why)
{
	const size_t n_unread = count_unread(p);

	leave(p, why);
	p->owner->lost(p->owner, p, why, n_unread);
}

void filter_process_retire(struct filter_process *p, enum filter_end why)
{
	if (!p->leaving)
		leave(p, why);
}

/* ---- answers ------------------------------------------------------------ */

/* The frame that ends with these bytes. */
static void deliver(struct filter_process *p, const char *bytes, size_t len)
{
	struct filter_answer a = { .frame = bytes, .frame_len = len };
	struct ticket t;

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
	t = take_ticket(p);
	p->answered++;
	p->since_ms = p->owner->loop->now_ms;
	p->owner->answered(p->owner, p, t.request, &a);
	buffer_clear(&p->part);
}

/* What it said. Callbacks may end it in the middle. */
static void take_output(struct filter_process *p, const char *bytes, size_t len)
{
	struct framing_part part;

	while (len > 0 && !p->leaving) {
		if (p->n == 0) {
			lose(p, FILTER_END_UNASKED);
			return;
		}
		switch (framing_feed(&p->owner->conf->filter_framing, &p->framing, bytes, len, &part)) {
		case FRAMING_MORE:
			if (buffer_add(&p->part, bytes, part.used) == -1)
				lose(p, FILTER_END_TOO_LONG);
			break;
		case FRAMING_COMPLETE:
			deliver(p, bytes, part.used);
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

/* Reads once. False if there was nothing (now), or it is lost. */
static bool read_output(struct filter_process *p)
{
	ssize_t n = read(p->out.fd, p->owner->scratch, p->owner->scratch_len);

	if (n > 0) {
		take_output(p, p->owner->scratch, (size_t)n);
		return !p->leaving;
	}
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (p->leaving)
		close_watch(p, &p->out);
	else
		lose(p, FILTER_END_DIED);       /* also EIO: nobody has the terminal any more */
	return false;
}

static void on_output(struct watch *w, uint32_t events)
{
	(void)events;
	read_output(container_of(w, struct filter_process, out));
}

/* It takes no more; what it has answered before counts. */
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

	if (p->n > 0)
		return true;
	n = read(p->out.fd, &byte, 1);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return true;
	lose(p, n > 0 ? FILTER_END_UNASKED : FILTER_END_DIED);
	return false;
}

/* ---- requests ----------------------------------------------------------- */

bool filter_process_has_room(const struct filter_process *p)
{
	const int max = p->owner->conf->max_requests;

	return !p->leaving && p->n < room_of(p) && (max == 0 || p->taken < (uint64_t)max);
}

static int add_framed(struct filter_process *p, const struct filter_request *r)
{
	const struct framing *f = &p->owner->conf->filter_framing;
	char header[FRAMING_HEADER_MAX], trailer[1];

	if (r->frame)
		return buffer_add(&p->unsent, r->frame, r->frame_len);
	if (buffer_add(&p->unsent, header, framing_header(f, r->content_len, header)) == -1 ||
	    buffer_add(&p->unsent, r->content, r->content_len) == -1)
		return -1;
	return buffer_add(&p->unsent, trailer, framing_trailer(f, trailer));
}

int filter_process_put(struct filter_process *p, struct filter_request *r)
{
	const size_t before = n_unsent(p);

	if ((r->prefix && buffer_add(&p->unsent, r->prefix, strlen(r->prefix)) == -1) ||
	    add_framed(p, r) == -1) {
		buffer_cut(&p->unsent, before);
		return -1;
	}
	if (p->n == 0)
		p->since_ms = p->owner->loop->now_ms;
	p->n++;
	p->taken++;
	*ticket(p, p->n - 1) = (struct ticket){
		.request = r, .bytes = n_unsent(p) - before };
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
	if (n == -1 && errno != EAGAIN && errno != EINTR) {
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

static void explain_timeout(const struct filter_process *p)
{
	const struct filter_owner *o = p->owner;
	char after[UNITS_TEXT_MAX];

	units_format_duration(o->conf->timeout, after);
	if (p->answered == 0 && o->conf->filter_framing.kind == FRAMING_LINE && buffer_is_empty(&p->part))
		log_warn("%s: filter %d: No newline within %s: is its input or output buffered?"
		         " (pty = true may help)", o->name, (int)p->pid, after);
	else
		log_warn("%s: filter %d has not answered within %s", o->name, (int)p->pid, after);
}

static void on_timer(struct timer *t)
{
	struct filter_process *p = container_of(t, struct filter_process, timer);
	const int64_t due_ms = p->since_ms + p->owner->conf->timeout;

	if (p->leaving) {
		if (p->program)
			program_end(p->program);
	} else if (p->n > 0 && due_ms > p->owner->loop->now_ms) {
		loop_timer_at(p->owner->loop, t, due_ms);
	} else if (p->n > 0) {
		explain_timeout(p);
		lose(p, FILTER_END_TIMEOUT);
	}
}

/* ---- birth -------------------------------------------------------------- */

static void bury(struct watch *w)
{
	struct filter_process *p = container_of(w, struct filter_process, out);

	buffer_clear(&p->unsent);
	buffer_clear(&p->part);
	free(p);
}

/* Nobody has it any more. */
static void discard(struct filter_process *p)
{
	timer_unset(&p->owner->loop->timers, &p->timer);
	close_watch(p, &p->in);
	loop_retire(p->owner->loop, &p->out, bury);
	fd_close(&p->out.fd);
}

static void on_ended(void *arg, int status)
{
	struct filter_process *p = arg;

	p->program = NULL;              /* its id may soon be another's */
	if (!p->leaving)
		has_died(p);
	p->owner->ended(p->owner, p, status);
	discard(p);
}

static int set_nonblocking(int fd)
{
	return fcntl(fd, F_SETFL, O_NONBLOCK);
}

static int open_pipes(struct filter_process *p, int theirs[2])
{
	int to[2], from[2];

	if (pipe2(to, O_CLOEXEC) == -1)
		return -1;
	theirs[0] = to[0];
	p->in.fd = to[1];
	if (pipe2(from, O_CLOEXEC) == -1)
		return -1;
	theirs[1] = from[1];
	p->out.fd = from[0];
	return set_nonblocking(p->in.fd) == -1 ? -1 : set_nonblocking(p->out.fd);
}

/* A terminal that does nothing to what passes, and is nobody's controlling one. */
static int open_terminal(struct filter_process *p, int theirs[2])
{
	struct termios t;

	p->out.fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	if (p->out.fd == -1 || unlockpt(p->out.fd) == -1)
		return -1;
	p->in.fd = fcntl(p->out.fd, F_DUPFD_CLOEXEC, 0);
	/* Not by its name, which there may be none of where we are. */
	theirs[0] = theirs[1] = ioctl(p->out.fd, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (p->in.fd == -1 || theirs[0] == -1 || tcgetattr(theirs[0], &t) == -1)
		return -1;
	cfmakeraw(&t);
	return tcsetattr(theirs[0], TCSANOW, &t);
}

static int launch_it(struct filter_process *p)
{
	struct filter_owner *o = p->owner;
	char name[PROGRAM_NAME_MAX];
	struct text t = text_in(name, sizeof name);
	int theirs[2] = { -1, -1 };
	int rc = o->conf->pty ? open_terminal(p, theirs) : open_pipes(p, theirs);

	text_add(&t, "%s: filter", o->name);
	if (rc == 0)
		rc = loop_watch(o->loop, &p->out, EPOLLIN);
	if (rc == 0)
		p->program = program_start(o->programs, &(struct program_request){
			.name = name, .with_pid = true, .envp = o->envp, .in = theirs[0],
			.out = theirs[1], .ended = on_ended, .arg = p });
	if (theirs[1] != theirs[0])
		fd_drop(theirs[1]);
	fd_drop(theirs[0]);
	return p->program ? 0 : -1;
}

struct filter_process *filter_process_start(struct filter_owner *o)
{
	const size_t room = (size_t)o->conf->in_flight;
	struct filter_process *p = calloc(1, sizeof *p + room * sizeof p->tickets[0]);
	int saved;

	if (!p)
		return NULL;
	p->owner = o;
	p->in = (struct watch){ .fd = -1, .ready = on_input };
	p->out = (struct watch){ .fd = -1, .ready = on_output };
	p->timer.fire = on_timer;
	list_init(&p->links.in_pool);
	if (launch_it(p) == -1) {
		saved = errno;
		discard(p);
		errno = saved;
		return NULL;
	}
	p->pid = program_pid(p->program);
	return p;
}

/* ---- questions ---------------------------------------------------------- */

pid_t filter_process_pid(const struct filter_process *p)
{
	return p->pid;
}

size_t filter_process_n(const struct filter_process *p)
{
	return p->n;
}

uint64_t filter_process_answered(const struct filter_process *p)
{
	return p->answered;
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
