/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Connections, step by step. The common case is one call of step_read: bytes
 * come, the handler replies, the socket takes it all, and nothing is left to
 * remember. Buffers exist only while a client is slower than its handler.
 */
#include <config.h>
#include "connection.h"

#include <errno.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "connection_report.h"
#include "fd.h"
#include "log.h"
#include "worker.h"

static enum connection_state step_read(struct connection *c, uint32_t events);
static enum connection_state step_wait(struct connection *c, uint32_t events);
static enum connection_state step_write(struct connection *c, uint32_t events);
static enum connection_state step_produce(struct connection *c, uint32_t events);
static enum connection_state step_linger(struct connection *c, uint32_t events);

/*
 * Edge-triggered saves the kernel a look at the socket each turn. An edge is
 * told once, so that step_read must know when there may be more: it filled its
 * buffer, the end of the stream came together with the bytes, or one of them
 * is urgent, before which recv(2) stops.
 */
#define READ_EDGE (EPOLLIN | EPOLLPRI | EPOLLRDHUP | EPOLLET)
#define AT_END    (EPOLLRDHUP | EPOLLHUP | EPOLLERR)

static const struct {
	uint32_t want;                                  /* epoll interest while here */
	enum board_phase phase;                         /* what the board says; NONE: no record any more */
	enum connection_state (*step)(struct connection *c, uint32_t events);
} states[] = {
	[CONNECTION_READ]    = { READ_EDGE,          BOARD_PHASE_IDLE,    step_read },
	/* The same as before and after it: a request costs no epoll_ctl(2). */
	[CONNECTION_WAIT]    = { READ_EDGE,          BOARD_PHASE_HANDLER, step_wait },
	[CONNECTION_WRITE]   = { EPOLLOUT,           BOARD_PHASE_WRITING, step_write },
	[CONNECTION_PRODUCE] = { EPOLLIN | EPOLLOUT, BOARD_PHASE_WRITING, step_produce },
	[CONNECTION_PROGRAM] = { 0,                  BOARD_PHASE_PROGRAM, NULL },
	[CONNECTION_LINGER]  = { EPOLLIN,            BOARD_PHASE_NONE,    step_linger },
	[CONNECTION_DONE]    = { 0,                  BOARD_PHASE_NONE,    NULL },
};

static const struct conf_timeouts *timeouts(const struct connection *c)
{
	return &c->worker->service->timeouts;
}

/* ---- the board ---------------------------------------------------------- */

/* Until rest(): what happens now, happens for c. Still there if that kills us. */
static void work_on(const struct connection *c)
{
	board_set(&c->worker->slot->at_work, records_mark(&c->worker->records, c->record));
}

static void rest(const struct worker *w)
{
	board_set(&w->slot->at_work, 0);
}

/* In the middle of a request it is not idle. */
static void show_phase(const struct connection *c)
{
	board_set(&c->record->phase, c->state == CONNECTION_READ && c->request_ms > 0
	                             ? BOARD_PHASE_READING : states[c->state].phase);
}

static void count_in(const struct connection *c, size_t bytes)
{
	board_add(&c->record->bytes_in, bytes);
	board_add(&c->worker->slot->bytes_in, bytes);
}

static void count_out(const struct connection *c, size_t bytes)
{
	board_add(&c->record->bytes_out, bytes);
	board_add(&c->worker->slot->bytes_out, bytes);
}

/* Of what is in scratch, for the master, if the handler does not survive it. */
static __attribute__((noinline)) void keep_input(const struct connection *c, size_t bytes)
{
	const struct worker *w = c->worker;

	board_keep_input(w->input, board_input_size(w->start.board), c->number, w->scratch, bytes);
}

/* ---- time-outs ---------------------------------------------------------- */

static int64_t request_deadline(const struct connection *c)
{
	return c->request_ms == 0 ? CLOCK_NEVER : clock_deadline(c->request_ms, timeouts(c)->request);
}

/* When the present state times out, and as what. */
static int64_t state_deadline(const struct connection *c, enum connection_end *as)
{
	int64_t request, idle;

	switch (c->state) {
	case CONNECTION_READ:
		request = request_deadline(c);
		idle = clock_deadline(c->active_ms, timeouts(c)->idle);
		*as = request < idle ? END_REQUEST : END_IDLE;
		return request < idle ? request : idle;
	case CONNECTION_WAIT:
		*as = END_REQUEST;
		return request_deadline(c);
	case CONNECTION_WRITE:
	case CONNECTION_PRODUCE:
		*as = END_WRITE;
		return clock_deadline(c->active_ms, timeouts(c)->write);
	case CONNECTION_LINGER:
		return clock_deadline(c->active_ms, timeouts(c)->linger);
	case CONNECTION_PROGRAM:        /* who is gone is not idle, and nor is whose bytes we do not see */
		*as = END_IDLE;
		return c->watch.fd == -1 ? CLOCK_NEVER
		                         : clock_deadline(c->active_ms, timeouts(c)->idle);
	case CONNECTION_DONE:
		break;
	}
	return CLOCK_NEVER;
}

static int64_t deadline(const struct connection *c, enum connection_end *as)
{
	int64_t session = clock_deadline(c->opened_ms, timeouts(c)->session);
	int64_t state = state_deadline(c, as);

	if (c->state == CONNECTION_LINGER || session > state)
		return state;
	*as = END_SESSION;
	return session;
}

/* Makes the timer fire in time. It may fire early: then it looks again. */
static void arm(struct connection *c)
{
	enum connection_end as;
	int64_t at = deadline(c, &as);

	if (!timer_is_set(&c->timer) || at < c->timer.at_ms)
		loop_timer_at(&c->worker->loop, &c->timer, at);
}

/* ---- the end ------------------------------------------------------------ */

static void end(struct connection *c, enum connection_end how, const int *status)
{
	struct worker *w = c->worker;
	uint64_t in, out;

	if (c->how != END_NOT_YET)
		return;
	c->how = how;
	if (w->handler->closed)
		w->handler->closed(c);
	list_remove(&c->in_worker);
	in = atomic_load_explicit(&c->record->bytes_in, memory_order_relaxed);
	out = atomic_load_explicit(&c->record->bytes_out, memory_order_relaxed);
	worker_give_slot(w, c->record);
	c->record = NULL;
	/* Who hears of it and looks at the board, is to find it counted. */
	connection_report_end(c, in, out, status);
}

static void bury(struct watch *w)
{
	free(container_of(w, struct connection, watch));
}

static void close_now(struct connection *c)
{
	struct worker *w = c->worker;

	if (c->state == CONNECTION_LINGER) {
		list_remove(&c->in_worker);
		w->n_lingering--;
	}
	c->state = CONNECTION_DONE;
	buffer_clear(&c->out);
	timer_unset(&w->loop.timers, &c->timer);
	loop_retire(&w->loop, &c->watch, bury);
	fd_close(&c->watch.fd);
	if (c->kicked)
		worker_say_of(w, LEASH_KICK, c->number);
	worker_check_end(w);
}

/*
 * It gave its slot back; but what lingers costs a descriptor, so that there are
 * at most as many as slots: the oldest goes.
 */
static void add_to_lingering(struct connection *c)
{
	struct worker *w = c->worker;

	list_append(&w->lingering, &c->in_worker);
	if (++w->n_lingering > w->service->connections)
		close_now(container_of(w->lingering.next, struct connection, in_worker));
}

/*
 * Over a unix socket a read stops short also where descriptors were sent along,
 * so that a short one does not prove that there is no more.
 */
static uint32_t interest(const struct connection *c)
{
	if (c->state == CONNECTION_READ && c->peer.family == AF_UNIX)
		return EPOLLIN;
	if (c->state == CONNECTION_WAIT && c->peer.family == AF_UNIX)
		return EPOLLHUP;
	return states[c->state].want;
}

/* ---- changing state ----------------------------------------------------- */

/* Watches for what the new state wants. What came while it waited is told once more. */
static int rewatch(struct connection *c)
{
	struct loop *l = &c->worker->loop;
	const bool again = c->stirred && c->state == CONNECTION_READ && c->watch.events == interest(c);

	if (c->state == CONNECTION_READ)
		c->stirred = false;
	return again ? loop_rearm(l, &c->watch) : loop_rewatch(l, &c->watch, interest(c));
}

/* The one place where it changes. */
static void enter(struct connection *c, enum connection_state next)
{
	if (next == c->state)
		return;
	if (next == CONNECTION_DONE) {
		close_now(c);
		return;
	}
	c->state = next;
	c->active_ms = c->worker->loop.now_ms;
	if (next == CONNECTION_LINGER)
		add_to_lingering(c);
	else
		show_phase(c);
	if (rewatch(c) == -1) {
		log_warn("%s: watch a connection: %m", c->worker->service->name);
		connection_abort(c, END_FAILED);
		return;
	}
	arm(c);
}

/*
 * All is sent. If the client has sent all, too, closing loses nothing; else its
 * unread bytes would make the kernel reset the connection, and the client
 * could lose what we sent. So we shut our side and read on for a while.
 */
static enum connection_state finish_with(struct connection *c, enum connection_end how,
                                         const int *status)
{
	end(c, how, status);
	if (c->watch.fd == -1 || c->client_ended || timeouts(c)->linger == 0 || how == END_STOPPED ||
	    shutdown(c->watch.fd, SHUT_WR) == -1)
		return CONNECTION_DONE;
	return CONNECTION_LINGER;
}

static enum connection_state finish(struct connection *c, enum connection_end how)
{
	return finish_with(c, how, NULL);
}

static enum connection_state fail(struct connection *c, enum connection_end how)
{
	end(c, how, NULL);
	return CONNECTION_DONE;
}

/* Where to go after the handler had its say. */
static enum connection_state obey(struct connection *c, enum handler_verdict verdict)
{
	if (c->broken)
		return fail(c, END_RESET);
	if (verdict == HANDLER_FAIL)
		return fail(c, END_FAILED);
	c->finish |= verdict == HANDLER_FINISH || verdict == HANDLER_GIVE_UP;
	if (verdict == HANDLER_GIVE_UP)
		c->cut = END_FAILED;
	if (c->worker->handler->produce && !c->finish)
		return CONNECTION_PRODUCE;
	if (!buffer_is_empty(&c->out))
		return CONNECTION_WRITE;
	if (c->finish && c->cut != END_NOT_YET)
		return finish(c, c->cut);
	if (c->finish)
		return finish(c, c->client_ended ? END_CLOSED : END_SERVED);
	return verdict == HANDLER_WAIT ? CONNECTION_WAIT : CONNECTION_READ;
}

/* ---- the steps ---------------------------------------------------------- */

static bool is_transient(int error)
{
	return error == EAGAIN || error == EINTR;
}

/* Reads once and lets the handler see it; *got is what recv(2) said. */
static enum connection_state read_once(struct connection *c, ssize_t *got)
{
	const struct handler *h = c->worker->handler;
	ssize_t n = *got = recv(c->watch.fd, c->worker->scratch, WORKER_SCRATCH, 0);

	if (n > 0) {
		if (c->worker->input)
			keep_input(c, (size_t)n);
		count_in(c, (size_t)n);
		board_add(&c->worker->slot->requests, 1);
		c->active_ms = c->worker->loop.now_ms;
		return obey(c, h->received ? h->received(c, c->worker->scratch, (size_t)n)
		                           : HANDLER_GO_ON);
	}
	if (n == -1)
		return is_transient(errno) ? c->state : fail(c, END_RESET);
	c->client_ended = true;
	return obey(c, h->ended ? h->ended(c) : HANDLER_FINISH);
}

static enum connection_state step_read(struct connection *c, uint32_t events)
{
	enum connection_state next;
	ssize_t got;

	/* What comes before the end is bounded by the socket's buffer. */
	do
		next = read_once(c, &got);
	while (next == CONNECTION_READ && got > 0 && events & AT_END);
	/* A fast sender has to wait for the others: its next edge is in the next turn. */
	if (next == CONNECTION_READ && got > 0 && (got == WORKER_SCRATCH || events & EPOLLPRI) &&
	    loop_rearm(&c->worker->loop, &c->watch) == -1)
		return fail(c, END_FAILED);
	c->stirred = next == CONNECTION_WAIT && got > 0 &&
	             (got == WORKER_SCRATCH || events & (EPOLLPRI | AT_END));
	return next;
}

/* The client may say what it likes, and is not heard; but if it is gone, it is gone. */
static enum connection_state step_wait(struct connection *c, uint32_t events)
{
	if (events & (EPOLLHUP | EPOLLERR))
		return fail(c, END_RESET);
	c->stirred = true;
	return CONNECTION_WAIT;
}

/* Sends of `out` what the client takes. False if nobody is there. */
static bool send_pending(struct connection *c)
{
	ssize_t n;

	if (buffer_is_empty(&c->out))
		return true;
	n = send(c->watch.fd, buffer_first(&c->out), buffer_waiting(&c->out), MSG_NOSIGNAL);
	if (n == -1)
		return is_transient(errno);
	count_out(c, (size_t)n);
	buffer_take(&c->out, (size_t)n);
	c->active_ms = c->worker->loop.now_ms;
	return true;
}

static enum connection_state step_write(struct connection *c, uint32_t events)
{
	const struct handler *h = c->worker->handler;

	(void)events;
	if (!send_pending(c))
		return fail(c, END_RESET);
	if (!buffer_is_empty(&c->out))
		return CONNECTION_WRITE;
	return obey(c, h->taken && !c->finish ? h->taken(c) : HANDLER_GO_ON);
}

static enum connection_state step_produce(struct connection *c, uint32_t events)
{
	const int64_t sent_ms = c->active_ms;
	enum connection_state next = CONNECTION_PRODUCE;

	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
		ssize_t got;

		next = read_once(c, &got);      /* once: this state is level-triggered */
		c->active_ms = sent_ms;         /* here only what the client takes counts */
	}
	if (next != CONNECTION_PRODUCE || !(events & EPOLLOUT))
		return next;
	if (!send_pending(c))
		return fail(c, END_RESET);
	return buffer_is_empty(&c->out) ? obey(c, c->worker->handler->produce(c))
	                                : CONNECTION_PRODUCE;
}

/* Whatever comes is thrown away; it may come for as long as `linger` lasts. */
static enum connection_state step_linger(struct connection *c, uint32_t events)
{
	ssize_t n = recv(c->watch.fd, c->worker->scratch, WORKER_SCRATCH, 0);

	(void)events;
	if (n > 0 || (n == -1 && is_transient(errno)))
		return CONNECTION_LINGER;
	return CONNECTION_DONE;
}

static void on_event(struct watch *watch, uint32_t events)
{
	struct connection *c = container_of(watch, struct connection, watch);

	work_on(c);
	enter(c, states[c->state].step(c, events));
	rest(c->worker);
}

/* ---- time-outs come true ------------------------------------------------ */

/* The client takes nothing: a plain close would keep its bytes in the kernel for minutes. */
static void reset_on_close(struct connection *c)
{
	const struct linger now = { .l_onoff = 1, .l_linger = 0 };

	setsockopt(c->watch.fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

static bool was_timed_out(const struct connection *c)
{
	return c->how == END_IDLE || c->how == END_REQUEST || c->how == END_WRITE ||
	       c->how == END_SESSION;
}

static bool has_unsent(const struct connection *c)
{
	int bytes = 0;

	return ioctl(c->watch.fd, SIOCOUTQ, &bytes) == 0 && bytes > 0;
}

static void time_out(struct connection *c)
{
	enum connection_end as = END_NOT_YET;

	if (deadline(c, &as) > c->worker->loop.now_ms) {
		arm(c);
	} else if (c->state == CONNECTION_LINGER) {
		if (was_timed_out(c) && has_unsent(c))
			reset_on_close(c);
		enter(c, CONNECTION_DONE);
	} else if (c->state == CONNECTION_PROGRAM) {
		connection_end_program(c, as);
	} else if (!buffer_is_empty(&c->out) || as == END_WRITE) {
		reset_on_close(c);
		enter(c, fail(c, as));
	} else {
		enter(c, finish(c, as));
	}
}

static void on_timer(struct timer *t)
{
	struct connection *c = container_of(t, struct connection, timer);

	work_on(c);
	time_out(c);
	rest(c->worker);
}

/* ---- birth -------------------------------------------------------------- */

/* The handler's first say, and then to whichever state it wants. */
static void begin(struct connection *c)
{
	struct worker *w = c->worker;
	enum handler_verdict verdict = w->handler->opened ? w->handler->opened(c) : HANDLER_GO_ON;

	if (c->state == CONNECTION_PROGRAM)
		return;
	if (loop_watch(&w->loop, &c->watch, interest(c)) == -1) {
		log_warn("%s: watch a connection: %m", w->service->name);
		connection_abort(c, END_FAILED);
		return;
	}
	enter(c, obey(c, verdict));
	if (c->state == CONNECTION_READ)        /* as it was: enter() had nothing to do */
		arm(c);
}

void connection_new(struct worker *w, int fd, const struct endpoint *peer)
{
	struct connection *c = calloc(1, sizeof *c);

	if (!c) {
		log_warn("%s: no memory for a connection", w->service->name);
		fd_drop(fd);
		return;
	}
	c->watch = (struct watch){ .fd = fd, .ready = on_event };
	c->timer.fire = on_timer;
	c->worker = w;
	c->peer = *peer;
	c->opened_ms = c->active_ms = w->loop.now_ms;
	c->record = worker_take_slot(w, peer);
	c->number = w->accepted;
	list_append(&w->connections, &c->in_worker);
	connection_report_open(c);
	work_on(c);
	begin(c);
	rest(w);
}

void connection_abort(struct connection *c, enum connection_end how)
{
	end(c, how, NULL);
	close_now(c);
}

void connection_run_program(struct connection *c, struct program *p)
{
	c->program = p;
	board_set(&c->record->program, (uint32_t)program_pid(p));
	board_add(&c->worker->slot->requests, 1);
	enter(c, CONNECTION_PROGRAM);
}

void connection_relayed(struct connection *c, size_t in, size_t out)
{
	count_in(c, in);
	count_out(c, out);
	c->active_ms = c->worker->loop.now_ms;
}

void connection_outlives_program(struct connection *c)
{
	c->program = NULL;
	board_set(&c->record->program, 0);
	board_set(&c->record->phase, BOARD_PHASE_WRITING);
	c->active_ms = c->worker->loop.now_ms;
	arm(c);
}

void connection_lost_client(struct connection *c)
{
	if (c->cut == END_NOT_YET)
		c->cut = END_RESET;
	fd_close(&c->watch.fd);
}

void connection_end_program(struct connection *c, enum connection_end how)
{
	if (!c->program) {
		reset_on_close(c);
		connection_abort(c, how);
		return;
	}
	if (c->cut == END_NOT_YET)
		c->cut = how;
	board_set(&c->record->phase, BOARD_PHASE_CLOSING);
	program_end(c->program);
}

void connection_kick(struct connection *c)
{
	c->kicked = true;
	if (c->state == CONNECTION_PROGRAM)
		connection_end_program(c, END_KICKED);
	else
		connection_abort(c, END_KICKED);
}

void connection_program_ended(struct connection *c, int status)
{
	c->program = NULL;
	enter(c, finish_with(c, c->cut == END_NOT_YET ? END_EXIT : c->cut, &status));
}

/* ---- what handlers may do ----------------------------------------------- */

void handler_reply(struct connection *c, const char *bytes, size_t len)
{
	ssize_t n = 0;

	if (c->broken || len == 0)
		return;
	if (buffer_is_empty(&c->out)) {
		n = send(c->watch.fd, bytes, len, MSG_NOSIGNAL);
		if (n == -1 && !is_transient(errno)) {
			c->broken = true;
			return;
		}
		n = n == -1 ? 0 : n;
		count_out(c, (size_t)n);
	}
	if (buffer_add(&c->out, bytes + n, len - (size_t)n) == -1)
		c->broken = true;
}

uint64_t *handler_note(struct connection *c)
{
	return &c->note;
}

void **handler_state(struct connection *c)
{
	return &c->state_of_handler;
}

void handler_go_on(struct connection *c, enum handler_verdict verdict)
{
	struct worker *w = c->worker;

	work_on(c);
	enter(c, obey(c, verdict));
	rest(w);
}

bool handler_is_behind(const struct connection *c)
{
	return !buffer_is_empty(&c->out);
}

void handler_request_begins(struct connection *c)
{
	if (c->request_ms > 0)
		return;
	c->request_ms = c->worker->loop.now_ms;
	show_phase(c);
	if (timeouts(c)->request > 0)
		arm(c);
}

void handler_request_ends(struct connection *c)
{
	c->request_ms = 0;
}
