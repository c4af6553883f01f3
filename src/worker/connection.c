/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The life of a connection: its states, its time-outs, and how it begins and ends.
 * What is done with its bytes is connection_step.c's affair.
 */
#include <config.h>
#include "connection_private.h"

#include <linux/sockios.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "connection_report.h"
#include "fd.h"
#include "log.h"

/*
 * Edge-triggered saves the kernel a look at the socket each turn. An edge is
 * told once: connection_step_read knows when there may be more.
 */
#define READ_EDGE (EPOLLIN | EPOLLPRI | EPOLLRDHUP | EPOLLET)

static const struct {
	uint32_t want;                                  /* epoll interest while here */
	enum board_phase phase;                         /* what the board says; NONE: no record any more */
	enum connection_state (*step)(struct connection *c, uint32_t events);
} states[] = {
	[CONNECTION_READ]    = { READ_EDGE,          BOARD_PHASE_IDLE,    connection_step_read },
	/* The same as before and after it: a request costs no epoll_ctl(2). */
	[CONNECTION_WAIT]    = { READ_EDGE,          BOARD_PHASE_HANDLER, connection_step_wait },
	[CONNECTION_WRITE]   = { EPOLLOUT,           BOARD_PHASE_WRITING, connection_step_write },
	[CONNECTION_PRODUCE] = { EPOLLIN | EPOLLOUT, BOARD_PHASE_WRITING, connection_step_produce },
	[CONNECTION_PROGRAM] = { 0,                  BOARD_PHASE_PROGRAM, NULL },
	[CONNECTION_LINGER]  = { EPOLLIN,            BOARD_PHASE_NONE,    connection_step_linger },
	[CONNECTION_DONE]    = { 0,                  BOARD_PHASE_NONE,    NULL },
};

static const struct conf_timeouts *timeouts(const struct connection *c)
{
	return &c->worker->service->timeouts;
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

/*
 * A client that takes bytes slowly may make room for so few of them that epoll does
 * not tell for minutes: the kernel's queue is looked at. Where bytes are usually on their
 * way, that is done four times in the time-out, so that it counts from a moment near to
 * the last byte; where the client has usually taken all, once it is over. Whether the
 * client of a program that has the socket is gone, or takes nothing, is asked as often.
 */
static int64_t next_look(const struct connection *c)
{
	int64_t timeout = 0;

	if (c->state == CONNECTION_WRITE || c->state == CONNECTION_PRODUCE)
		timeout = timeouts(c)->write;
	else if (c->state == CONNECTION_LINGER)
		timeout = timeouts(c)->linger;
	else if (c->state == CONNECTION_PROGRAM)
		timeout = c->watch.fd != -1 ? timeouts(c)->idle : c->client.gone_ms;
	return clock_deadline(c->worker->loop.now_ms, (timeout + 3) / 4);
}

void connection_arm(struct connection *c)
{
	enum connection_end as;
	int64_t at = deadline(c, &as), look = next_look(c);

	at = look < at ? look : at;
	if (!timer_is_set(&c->timer) || at < c->timer.at_ms)
		loop_timer_at(&c->worker->loop, &c->timer, at);
}

void connection_show_phase(const struct connection *c)
{
	board_set(&c->record->phase, c->state == CONNECTION_READ && c->request_ms > 0
	                             ? BOARD_PHASE_READING : states[c->state].phase);
}

/* ---- the end ------------------------------------------------------------ */

static void end(struct connection *c, enum connection_end how)
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
	connection_report_end(c, in, out);
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

void connection_enter(struct connection *c, enum connection_state next)
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
		connection_show_phase(c);
	if (rewatch(c) == -1) {
		log_warn("%s: watch a connection: %m", c->worker->service->name);
		connection_abort(c, END_FAILED);
		return;
	}
	connection_arm(c);
}

/* Nobody waits for who may take his time; and there must be something to wait for. */
static bool may_linger(const struct connection *c)
{
	return c->watch.fd != -1 && !c->client_ended && timeouts(c)->linger > 0 &&
	       c->how != END_STOPPED && c->how != END_KICKED;
}

/*
 * All is sent. If the client has sent all, too, closing loses nothing; else its
 * unread bytes would make the kernel reset the connection, and the client
 * could lose what we sent. So we shut our side and read on for a while.
 */
enum connection_state connection_finish(struct connection *c, enum connection_end how)
{
	end(c, how);
	return may_linger(c) && shutdown(c->watch.fd, SHUT_WR) == 0 ? CONNECTION_LINGER
	                                                             : CONNECTION_DONE;
}

enum connection_state connection_fail(struct connection *c, enum connection_end how)
{
	end(c, how);
	return CONNECTION_DONE;
}

static void on_event(struct watch *watch, uint32_t events)
{
	struct connection *c = container_of(watch, struct connection, watch);

	connection_work_on(c);
	connection_enter(c, states[c->state].step(c, events));
	connection_rest(c->worker);
}

/* ---- time-outs come true ------------------------------------------------ */

void connection_reset_on_close(struct connection *c)
{
	const struct linger now = { .l_onoff = 1, .l_linger = 0 };

	setsockopt(c->watch.fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

static bool was_timed_out(const struct connection *c)
{
	return c->how == END_IDLE || c->how == END_REQUEST || c->how == END_WRITE ||
	       c->how == END_SESSION;
}

/* What is in the kernel, and the client has not taken. */
static int64_t untaken(const struct connection *c)
{
	int bytes = 0;

	return c->watch.fd != -1 && ioctl(c->watch.fd, SIOCOUTQ, &bytes) == 0 ? bytes : 0;
}

void connection_sent(struct connection *c, size_t n, bool all)
{
	connection_count_out(c, n);
	if (n > 0)
		c->active_ms = c->worker->loop.now_ms;
	/* All was taken: the next look is the first. That is the common case, and costs no call. */
	c->untaken = all ? 0 : untaken(c);
}

/* Less is there than before; or nobody knows how much it was, and the client has the benefit of that. */
static void look_for_progress(struct connection *c)
{
	const int64_t before = c->untaken;

	c->untaken = untaken(c);
	if (before == 0 ? c->untaken > 0 : c->untaken < before)
		c->active_ms = c->worker->loop.now_ms;
}

static void time_out(struct connection *c)
{
	enum connection_end as = END_NOT_YET;

	if (tcp_peer_is_gone(&c->client, &c->local, &c->peer, c->worker->loop.now_ms)) {
		connection_end_program(c, END_RESET);
		return;
	}
	look_for_progress(c);
	if (deadline(c, &as) > c->worker->loop.now_ms) {
		connection_arm(c);
	} else if (c->state == CONNECTION_LINGER) {
		if (was_timed_out(c) && untaken(c) > 0)
			connection_reset_on_close(c);
		connection_enter(c, CONNECTION_DONE);
	} else if (c->state == CONNECTION_PROGRAM) {
		connection_end_program(c, as);
	} else if (!buffer_is_empty(&c->out) || as == END_WRITE) {
		connection_reset_on_close(c);
		connection_enter(c, connection_fail(c, as));
	} else {
		connection_enter(c, connection_finish(c, as));
	}
}

static void on_timer(struct timer *t)
{
	struct connection *c = container_of(t, struct connection, timer);

	connection_work_on(c);
	time_out(c);
	connection_rest(c->worker);
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
	connection_enter(c, connection_step_obey(c, verdict));
	if (c->state == CONNECTION_READ)        /* as it was: connection_enter() had nothing to do */
		connection_arm(c);
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
	connection_work_on(c);
	begin(c);
	connection_rest(w);
}

void connection_abort(struct connection *c, enum connection_end how)
{
	end(c, how);
	close_now(c);
}

void connection_kick(struct connection *c)
{
	c->kicked = true;
	if (c->state == CONNECTION_PROGRAM)
		connection_end_program(c, END_KICKED);
	else
		connection_abort(c, END_KICKED);
}
