/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From news of a client to what it does next. An answer leads straight to the
 * next request; everything else goes through lists, which bench_work_advance
 * works off.
 */
#include <config.h>
#include "bench_work.h"

#include "bench_books.h"

#define MS          INT64_C(1000000)
#define REST_NS     (10 * MS)           /* after a connect that failed */
#define CATCH_UP_NS (100 * MS)          /* of connects that could not be made in time */

static void handle(struct bench_thread *t, struct bench_client *c, enum bench_news news);

static void set_busy(struct bench_thread *t, struct bench_client *c, bool busy)
{
	t->busy += (unsigned)busy - (unsigned)c->busy;
	c->busy = busy;
}

static void move(struct list *to, struct bench_client *c)
{
	list_remove(&c->link);
	list_append(to, &c->link);
}

/* ---- beginning ---------------------------------------------------------- */

/* One that the server's queue had no room for is busy all the while. */
static void connect_client(struct bench_thread *t, struct bench_client *c)
{
	if (!c->busy) {
		c->connect_ns = c->moved_ns = t->lane.now_ns;
		set_busy(t, c, true);
	}
	handle(t, c, bench_client_open(&t->lane, c));
}

static void talk(struct bench_thread *t, struct bench_client *c)
{
	c->moved_ns = t->lane.now_ns;
	set_busy(t, c, true);
	handle(t, c, bench_client_talk(&t->lane, c));
}

static void stream(struct bench_thread *t, struct bench_client *c)
{
	c->moved_ns = t->lane.now_ns;
	set_busy(t, c, true);
	handle(t, c, bench_client_stream(&t->lane, c));
}

/* What a client does that has nothing to do: open, or in connect mode closed. */
static void go_on(struct bench_thread *t, struct bench_client *c)
{
	switch (t->plan->mode) {
	case BENCH_PING_PONG:
		if (bench_books_may_begin(t)) {
			c->since_ns = t->lane.now_ns;
			talk(t, c);
		}
		break;
	case BENCH_CONNECT:
		if (bench_books_is_running(t))
			move(&t->to_open, c);
		break;
	case BENCH_OPEN_LOOP:
		move(&t->idle, c);
		break;
	case BENCH_STREAM:
		if (bench_books_is_running(t))
			stream(t, c);
		break;
	case BENCH_HOLD:
	case BENCH_MODES:
		break;
	}
}

/* Where connections are kept, the first exchange proves that the server has accepted. */
static bool proves_itself(const struct bench_thread *t)
{
	if (!bench_books_is_opening(t) || t->plan->mode == BENCH_STREAM)
		return false;
	return t->plan->mode == BENCH_HOLD ? t->plan->has_message : t->plan->gate;
}

/* ---- news --------------------------------------------------------------- */

static void on_opened(struct bench_thread *t, struct bench_client *c)
{
	bench_books_look(t);
	if (t->now.phase != BENCH_PHASE_WARM_UP && !t->closed_books)
		t->tally.connections_opened++;
	if (bench_books_is_counting(t))
		histogram_record(&t->tally.connect, (uint64_t)(t->lane.now_ns - c->connect_ns));
	if (!bench_plan_keeps_connections(t->plan) || proves_itself(t)) {
		talk(t, c);
		return;
	}
	set_busy(t, c, false);
	go_on(t, c);
}

static void on_answered(struct bench_thread *t, struct bench_client *c)
{
	bench_books_look(t);
	set_busy(t, c, false);
	if (bench_books_is_counting(t) && !bench_books_time_is_up(t)) {
		histogram_record(&t->tally.latency, (uint64_t)(t->lane.now_ns - c->since_ns));
		bench_books_operations(t, 1);
	}
	if (!bench_plan_keeps_connections(t->plan))
		bench_client_close(c);
	/* Where no answer is awaited, the others have their turn first. */
	if (t->plan->answer.kind == ANSWER_NONE)
		move(&t->ready, c);
	else
		go_on(t, c);
}

/* In a stream an operation is as many bytes as a message has. */
static void on_moved(struct bench_thread *t, struct bench_client *c, bool more)
{
	const uint64_t bytes = t->plan->stream == BENCH_STREAM_SEND ? c->streamed_out : c->streamed_in;
	const uint64_t all = bytes / t->plan->message_bytes;

	bench_books_look(t);
	c->moved_ns = t->lane.now_ns;
	if (!bench_books_is_running(t) || bench_books_time_is_up(t))
		return;
	if (bench_books_is_counting(t))
		bench_books_operations(t, bench_books_take(t, all - c->streamed_counted));
	c->streamed_counted = all;
	if (t->no_tickets)
		bench_books_stop(t, t->lane.now_ns);
	else if (more)
		move(&t->ready, c);
}

/* Whether it is to be connected again depends on the mode; when, on what went wrong. */
static void on_failed(struct bench_thread *t, struct bench_client *c)
{
	bench_books_look(t);
	bench_books_failure(t, c);
	set_busy(t, c, false);
	list_remove(&c->link);
	c->streamed_counted = 0;
	if (!bench_books_is_running(t) || t->plan->mode == BENCH_HOLD)
		return;
	c->rest_ns = t->lane.now_ns + REST_NS;
	if (!c->was_open)
		move(&t->resting, c);
	else
		move(t->plan->new_connections ? &t->idle : &t->to_open, c);
}

static void on_full(struct bench_thread *t, struct bench_client *c)
{
	c->rest_ns = t->lane.now_ns + REST_NS;
	move(&t->resting, c);
}

static void handle(struct bench_thread *t, struct bench_client *c, enum bench_news news)
{
	switch (news) {
	case BENCH_NEWS_NONE:
		break;
	case BENCH_NEWS_OPENED:
		on_opened(t, c);
		break;
	case BENCH_NEWS_ANSWERED:
		on_answered(t, c);
		break;
	case BENCH_NEWS_MOVED:
	case BENCH_NEWS_MORE:
		on_moved(t, c, news == BENCH_NEWS_MORE);
		break;
	case BENCH_NEWS_FULL:
		on_full(t, c);
		break;
	case BENCH_NEWS_FAILED:
		on_failed(t, c);
		break;
	}
}

void bench_work_step(struct bench_thread *t, struct bench_client *c, uint32_t events)
{
	/* A stream stands still between the phases, whatever comes, and goes on when one begins. */
	if (t->plan->mode == BENCH_STREAM && c->state != BENCH_CLIENT_CONNECTING &&
	    !bench_books_is_running(t))
		return;
	handle(t, c, bench_client_step(&t->lane, c, events));
}

/* ---- once a turn -------------------------------------------------------- */

/* The first of a list, out of it; NULL if it is empty. */
static struct bench_client *pop(struct list *l)
{
	struct bench_client *c;

	if (list_empty(l))
		return NULL;
	c = container_of(l->next, struct bench_client, link);
	list_remove(&c->link);
	return c;
}

static void take_all(struct list *to, struct list *from)
{
	list_init(to);
	if (list_empty(from))
		return;
	*to = *from;
	to->next->prev = to->prev->next = to;
	list_init(from);
}

static bool rate_allows_connect(struct bench_thread *t)
{
	return t->plan->connect_rate == 0 || schedule_at(&t->connects) <= t->lane.now_ns;
}

static void count_connect(struct bench_thread *t)
{
	if (t->plan->connect_rate == 0)
		return;
	schedule_forgive(&t->connects, t->lane.now_ns, CATCH_UP_NS);
	schedule_advance(&t->connects);
}

static unsigned connects_at_once(const struct bench_thread *t)
{
	const unsigned share = t->plan->opening / t->plan->threads;

	return !bench_books_is_opening(t) ? t->n_clients : share ? share : 1;
}

/* One of to_open; in connect mode that is an operation, which needs a ticket. */
static void open_one(struct bench_thread *t, struct bench_client *c)
{
	if (!c->busy && t->plan->mode == BENCH_CONNECT) {
		if (!bench_books_may_begin(t))
			return;
		c->since_ns = t->lane.now_ns;
	}
	count_connect(t);
	connect_client(t, c);
}

/* In a turn each has one go: one that is closed at once comes back to the end of the list. */
static void open_clients(struct bench_thread *t)
{
	const unsigned most = connects_at_once(t);
	struct list todo;

	if (list_empty(&t->to_open) || t->no_tickets)
		return;
	take_all(&todo, &t->to_open);
	bench_books_look(t);
	while (!list_empty(&todo) && t->busy < most && rate_allows_connect(t)) {
		open_one(t, pop(&todo));
		bench_books_look(t);
	}
	while (!list_empty(&todo))
		move(&t->to_open, container_of(todo.next, struct bench_client, link));
}

static void wake_resting(struct bench_thread *t)
{
	struct bench_client *c;

	if (list_empty(&t->resting))
		return;
	bench_books_look(t);
	list_each(&t->resting, c, struct bench_client, link) {
		if (c->rest_ns > t->lane.now_ns)
			break;
		move(t->plan->new_connections ? &t->idle : &t->to_open, c);
		if (c->busy) {          /* it was told to try again, and needs no ticket */
			list_remove(&c->link);
			connect_client(t, c);
		}
	}
}

static void go_on_ready(struct bench_thread *t)
{
	struct list todo;

	if (list_empty(&t->ready))
		return;
	bench_books_look(t);
	take_all(&todo, &t->ready);
	for (struct bench_client *c; (c = pop(&todo));)
		go_on(t, c);
}

/* Arrivals that are due, each on a client that has nothing to do. */
static void begin_arrivals(struct bench_thread *t)
{
	for (bench_books_look(t); !list_empty(&t->idle); bench_books_look(t)) {
		const int64_t at_ns = schedule_at(&t->arrivals);
		struct bench_client *c;

		if (at_ns > t->lane.now_ns || (t->plan->new_connections && !rate_allows_connect(t)) ||
		    !bench_books_may_begin(t))
			return;
		schedule_advance(&t->arrivals);
		c = pop(&t->idle);
		c->since_ns = at_ns;
		if (c->state != BENCH_CLIENT_CLOSED) {
			talk(t, c);
		} else {
			count_connect(t);
			connect_client(t, c);
		}
	}
}

void bench_work_advance(struct bench_thread *t)
{
	if (!bench_books_is_running(t) && !bench_books_is_opening(t))
		return;
	wake_resting(t);
	open_clients(t);
	go_on_ready(t);
	if (t->plan->mode == BENCH_OPEN_LOOP && bench_books_is_running(t))
		begin_arrivals(t);
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int64_t bench_work_due(const struct bench_thread *t)
{
	const int64_t connect_ns = t->plan->connect_rate == 0 ? 0 : schedule_at(&t->connects);
	int64_t due = INT64_MAX;

	if (!bench_books_is_running(t) && !bench_books_is_opening(t))
		return due;
	if (!list_empty(&t->ready))
		return 0;
	if (!list_empty(&t->resting))
		due = container_of(t->resting.next, struct bench_client, link)->rest_ns;
	if (!list_empty(&t->to_open) && !t->no_tickets && t->busy < connects_at_once(t))
		due = sooner(due, connect_ns);
	if (t->plan->mode == BENCH_OPEN_LOOP && bench_books_is_running(t) && !t->no_tickets &&
	    !list_empty(&t->idle))
		due = sooner(due, later(schedule_at(&t->arrivals),
		                        t->plan->new_connections ? connect_ns : 0));
	return due;
}

/* ---- phases ------------------------------------------------------------- */

/* Whatever list a client was in, this puts it where it belongs. */
static void place(struct bench_thread *t, struct bench_client *c)
{
	list_remove(&c->link);
	c->streamed_counted = t->plan->message_bytes == 0 ? 0 :
		(t->plan->stream == BENCH_STREAM_SEND ? c->streamed_out : c->streamed_in) /
		t->plan->message_bytes;
	if (c->state != BENCH_CLIENT_CLOSED || t->plan->new_connections)
		go_on(t, c);
	else if (t->plan->mode != BENCH_HOLD)
		move(&t->to_open, c);
}

void bench_work_begin(struct bench_thread *t)
{
	const struct bench_plan *p = t->plan;

	bench_books_look(t);
	t->last_ns = t->now.start_ns;
	if (p->connect_rate > 0)
		t->connects = schedule_from(t->now.start_ns, p->connect_rate, t->index, p->threads, false);
	if (t->now.phase == BENCH_PHASE_OPEN) {
		for (unsigned i = 0; i < t->n_clients && bench_plan_keeps_connections(p); i++)
			move(&t->to_open, &t->clients[i]);
	} else if (bench_books_is_running(t)) {
		t->sent_before = t->lane.bytes_sent;
		t->received_before = t->lane.bytes_received;
		if (p->mode == BENCH_OPEN_LOOP)
			t->arrivals = schedule_from(t->now.start_ns, p->rate, t->index, p->threads,
			                            p->poisson);
		for (unsigned i = 0; i < t->n_clients; i++)
			place(t, &t->clients[i]);
	}
}

void bench_work_look(struct bench_thread *t)
{
	bench_books_look(t);
	if (t->active)
		bench_books_time_is_up(t);
	for (unsigned i = 0; i < t->n_clients && t->busy; i++) {
		struct bench_client *c = &t->clients[i];

		if (c->busy && t->lane.now_ns - c->moved_ns > t->plan->timeout_ns)
			handle(t, c, bench_client_fail(c, FAILURE_TIMEOUT));
	}
}

void bench_work_stop(struct bench_thread *t)
{
	bench_books_look(t);
	bench_books_stop(t, t->lane.now_ns);
}

/* Those that are still busy are given up: neither done nor failed. A stream just stands still. */
static void end_busy(struct bench_thread *t)
{
	for (unsigned i = 0; i < t->n_clients && t->busy; i++) {
		struct bench_client *c = &t->clients[i];

		if (c->busy && t->plan->mode != BENCH_STREAM)
			bench_client_close(c);
		set_busy(t, c, false);
	}
}

bool bench_work_is_over(struct bench_thread *t)
{
	const bool waits = t->busy && (t->plan->mode != BENCH_STREAM || t->now.phase == BENCH_PHASE_OPEN);

	if (!t->active)
		return false;
	if (t->stopping ? waits && t->lane.now_ns < t->grace_ns
	                : t->busy || (t->now.phase == BENCH_PHASE_OPEN ? !list_empty(&t->to_open)
	                                                               : !t->no_tickets))
		return false;
	bench_books_stop(t, t->last_ns);
	end_busy(t);
	t->active = false;
	return true;
}
