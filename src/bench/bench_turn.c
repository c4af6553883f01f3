/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Works through lists: connections to open, those that wait before another attempt, those that
 * go on, and those whose arrival is due.
 */
#include <config.h>
#include "bench_turn.h"

#include "bench_accounting.h"
#include "bench_work.h"

#define CATCH_UP_NS INT64_C(100000000)  /* of connects that could not be made in time */

/* Removes the first client of a list, which is not empty. */
static struct bench_client *pop(struct list *l)
{
	struct bench_client *c = container_of(l->next, struct bench_client, link);

	list_remove(&c->link);
	return c;
}

/* ---- connects ----------------------------------------------------------- */

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

	return !bench_accounting_is_opening(t) ? t->n_clients : share ? share : 1;
}

/* Opens a client of to_open. In mode connect this is an operation, which needs a ticket. */
static void open_one(struct bench_thread *t, struct bench_client *c)
{
	if (t->plan->mode == BENCH_CONNECT) {
		if (!bench_accounting_may_begin(t))
			return;
		c->since_ns = t->lane.now_ns;
	}
	count_connect(t);
	bench_work_connect(t, c);
}

/* Each client has one attempt in a turn: one that is closed at once returns to the end of the list. */
static void open_clients(struct bench_thread *t)
{
	const struct list *last = t->to_open.prev;
	const unsigned most = connects_at_once(t);
	bool was_last = false;

	if (list_empty(&t->to_open))
		return;
	bench_accounting_look(t);
	while (!was_last && !t->no_tickets && t->busy < most && rate_allows_connect(t)) {
		struct bench_client *c = pop(&t->to_open);

		was_last = &c->link == last;
		open_one(t, c);
		bench_accounting_look(t);
	}
}

static void retry_connects(struct bench_thread *t)
{
	struct bench_client *c;

	if (list_empty(&t->retrying))
		return;
	bench_accounting_look(t);
	list_each(&t->retrying, c, struct bench_client, link) {
		if (c->retry_ns > t->lane.now_ns)
			break;
		list_remove(&c->link);
		if (c->busy)            /* the server had no room: it has its ticket */
			bench_work_connect(t, c);
		else
			bench_work_move(t->plan->new_connections ? &t->idle : &t->to_open, c);
	}
}

/* Called when there is no time left to try again. */
static void give_up_retries(struct bench_thread *t)
{
	while (!list_empty(&t->retrying))
		bench_work_give_up(t, pop(&t->retrying));
}

/* ---- exchanges ---------------------------------------------------------- */

/* Clients that become ready meanwhile wait for the next turn. */
static void go_on_ready(struct bench_thread *t)
{
	const struct list *last = t->ready.prev;
	bool was_last = list_empty(&t->ready);

	if (!was_last)
		bench_accounting_look(t);
	while (!was_last) {
		struct bench_client *c = pop(&t->ready);

		was_last = &c->link == last;
		bench_work_go_on(t, c);
	}
}

/* Begins arrivals that are due, each on a client that has nothing to do. */
static void begin_arrivals(struct bench_thread *t)
{
	for (bench_accounting_look(t); !list_empty(&t->idle); bench_accounting_look(t)) {
		const int64_t at_ns = schedule_at(&t->arrivals);
		struct bench_client *c;

		if (at_ns > t->lane.now_ns || (t->plan->new_connections && !rate_allows_connect(t)) ||
		    !bench_accounting_may_begin(t))
			return;
		schedule_advance(&t->arrivals);
		c = pop(&t->idle);
		c->since_ns = at_ns;
		if (c->state != BENCH_CLIENT_CLOSED) {
			bench_work_talk(t, c);
		} else {
			count_connect(t);
			bench_work_connect(t, c);
		}
	}
}

/* ---- the turn ----------------------------------------------------------- */

void bench_turn_advance(struct bench_thread *t)
{
	if (t->stopping)
		give_up_retries(t);
	if (!bench_accounting_is_running(t) && !bench_accounting_is_opening(t))
		return;
	retry_connects(t);
	open_clients(t);
	go_on_ready(t);
	if (t->plan->mode == BENCH_OPEN_LOOP && bench_accounting_is_running(t))
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

int64_t bench_turn_due(const struct bench_thread *t)
{
	const int64_t connect_ns = t->plan->connect_rate == 0 ? 0 : schedule_at(&t->connects);
	int64_t due = INT64_MAX;

	if (!bench_accounting_is_running(t) && !bench_accounting_is_opening(t))
		return due;
	if (!list_empty(&t->ready))
		return 0;
	if (!list_empty(&t->retrying))
		due = container_of(t->retrying.next, struct bench_client, link)->retry_ns;
	if (!list_empty(&t->to_open) && !t->no_tickets && t->busy < connects_at_once(t))
		due = sooner(due, connect_ns);
	if (t->plan->mode == BENCH_OPEN_LOOP && bench_accounting_is_running(t) && !t->no_tickets &&
	    !list_empty(&t->idle))
		due = sooner(due, later(schedule_at(&t->arrivals),
		                        t->plan->new_connections ? connect_ns : 0));
	return due;
}
