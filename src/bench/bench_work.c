/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Decides what a client does next after an event. After an answer the next request is sent at
 * once; everything else goes through lists, which bench_turn.c works through.
 */
#include <config.h>
#include "bench_work.h"

#include "bench_accounting.h"

#define RETRY_NS INT64_C(10000000)      /* after a connect that failed */

static void handle(struct bench_thread *t, struct bench_client *c, enum bench_news news);

static void set_busy(struct bench_thread *t, struct bench_client *c, bool busy)
{
	t->busy += (unsigned)busy - (unsigned)c->busy;
	c->busy = busy;
}

void bench_work_move(struct list *to, struct bench_client *c)
{
	list_remove(&c->link);
	list_append(to, &c->link);
}

/* ---- beginning ---------------------------------------------------------- */

/* A client for which the server's queue had no room stays busy until it is connected. */
void bench_work_connect(struct bench_thread *t, struct bench_client *c)
{
	if (!c->busy) {
		c->connect_ns = c->moved_ns = t->lane.now_ns;
		set_busy(t, c, true);
	}
	handle(t, c, bench_client_open(&t->lane, c));
}

void bench_work_talk(struct bench_thread *t, struct bench_client *c)
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

void bench_work_go_on(struct bench_thread *t, struct bench_client *c)
{
	switch (t->plan->mode) {
	case BENCH_PING_PONG:
		if (bench_accounting_may_begin(t)) {
			c->since_ns = t->lane.now_ns;
			bench_work_talk(t, c);
		}
		break;
	case BENCH_CONNECT:
		if (bench_accounting_is_running(t))
			bench_work_move(&t->to_open, c);
		break;
	case BENCH_OPEN_LOOP:
		bench_work_move(&t->idle, c);
		break;
	case BENCH_STREAM:
		if (bench_accounting_is_running(t))
			stream(t, c);
		break;
	case BENCH_HOLD:
	case BENCH_MODES:
		break;
	}
}

/* True if a client that has just connected makes an exchange, to prove that the server has accepted it. */
static bool proves_itself(const struct bench_thread *t)
{
	if (!bench_accounting_is_opening(t) || t->plan->mode == BENCH_STREAM)
		return false;
	return t->plan->mode == BENCH_HOLD ? t->plan->has_message : t->plan->gate;
}

/* ---- news --------------------------------------------------------------- */

/* The handshakes with which connections that stay open are opened count, too. */
static void count_handshake(struct bench_thread *t, const struct bench_client *c)
{
	const struct bench_tls_facts facts = bench_tls_stream_facts(c->tls);

	if (!bench_accounting_is_counting(t) && !bench_accounting_is_opening(t))
		return;
	tally_handshake(&t->tally, facts.version, facts.cipher, facts.resumed);
	bench_histogram_record(&t->tally.handshake, (uint64_t)(t->lane.now_ns - c->handshake_ns));
}

static void count_opened(struct bench_thread *t, const struct bench_client *c)
{
	const int64_t connected_ns = c->tls ? c->handshake_ns : t->lane.now_ns;

	if (t->now.phase != BENCH_PHASE_WARM_UP && !t->accounting_closed)
		t->tally.connections_opened++;
	if (bench_accounting_is_counting(t))
		bench_histogram_record(&t->tally.connect, (uint64_t)(connected_ns - c->connect_ns));
	if (c->tls)
		count_handshake(t, c);
}

static void on_opened(struct bench_thread *t, struct bench_client *c)
{
	bench_accounting_look(t);
	count_opened(t, c);
	if (!bench_plan_keeps_connections(t->plan) || proves_itself(t)) {
		bench_work_talk(t, c);
		return;
	}
	set_busy(t, c, false);
	bench_work_go_on(t, c);
}

static void on_answered(struct bench_thread *t, struct bench_client *c)
{
	bench_accounting_look(t);
	set_busy(t, c, false);
	if (bench_accounting_is_counting(t) && !bench_accounting_time_is_up(t)) {
		bench_histogram_record(&t->tally.latency, (uint64_t)(t->lane.now_ns - c->since_ns));
		bench_accounting_operations(t, 1);
	}
	if (!bench_plan_keeps_connections(t->plan))
		bench_client_close(c);
	/* If no answer is expected, the other clients have their turn first. */
	if (t->plan->answer.kind == ANSWER_NONE)
		bench_work_move(&t->ready, c);
	else
		bench_work_go_on(t, c);
}

/* In a stream an operation is as many bytes as a message has. */
static void on_moved(struct bench_thread *t, struct bench_client *c, bool more)
{
	const uint64_t bytes = t->plan->stream == BENCH_STREAM_SEND ? c->streamed_out : c->streamed_in;
	const uint64_t all = bytes / t->plan->message_bytes;

	bench_accounting_look(t);
	c->moved_ns = t->lane.now_ns;
	if (!bench_accounting_is_running(t) || bench_accounting_time_is_up(t))
		return;
	if (bench_accounting_is_counting(t))
		bench_accounting_operations(t, bench_accounting_take(t, all - c->streamed_counted));
	c->streamed_counted = all;
	if (t->no_tickets)
		bench_accounting_stop(t, t->lane.now_ns);
	else if (more)
		bench_work_move(&t->ready, c);
}

/* The mode decides whether it connects again. After a failed connect, it waits for RETRY_NS first. */
static void on_failed(struct bench_thread *t, struct bench_client *c)
{
	bench_accounting_look(t);
	/* When all operations of --count have begun, an idle client is not needed. */
	if (c->busy || !t->no_tickets)
		bench_accounting_failure(t, c);
	set_busy(t, c, false);
	list_remove(&c->link);
	c->streamed_counted = 0;
	if (!bench_accounting_is_running(t) || t->plan->mode == BENCH_HOLD)
		return;
	c->retry_ns = t->lane.now_ns + RETRY_NS;
	if (!c->was_open)
		bench_work_move(&t->retrying, c);
	else
		bench_work_move(t->plan->new_connections ? &t->idle : &t->to_open, c);
}

static void on_full(struct bench_thread *t, struct bench_client *c)
{
	c->retry_ns = t->lane.now_ns + RETRY_NS;
	bench_work_move(&t->retrying, c);
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

static void step(struct bench_thread *t, struct bench_client *c, uint32_t events)
{
	/* Between phases a stream ignores all events. It goes on when a phase begins. */
	if (t->plan->mode == BENCH_STREAM && !bench_client_is_opening(c) &&
	    !bench_accounting_is_running(t))
		return;
	handle(t, c, bench_client_step(&t->lane, c, events));
}

void bench_work_step(struct bench_thread *t, struct bench_client *c, uint32_t events)
{
	const enum bench_client_state from = c->state;

	step(t, c, events);
	if (bench_client_has_more(from, events))
		step(t, c, events);
}

/* ---- phases ------------------------------------------------------------- */

/* At the beginning of a phase: takes a client from any list, and puts it where it belongs. */
static void place(struct bench_thread *t, struct bench_client *c)
{
	list_remove(&c->link);
	c->streamed_counted = t->plan->message_bytes == 0 ? 0 :
		(t->plan->stream == BENCH_STREAM_SEND ? c->streamed_out : c->streamed_in) /
		t->plan->message_bytes;
	if (c->state != BENCH_CLIENT_CLOSED || t->plan->new_connections)
		bench_work_go_on(t, c);
	else if (t->plan->mode != BENCH_HOLD)
		bench_work_move(&t->to_open, c);
}

void bench_work_begin(struct bench_thread *t)
{
	const struct bench_plan *p = t->plan;

	bench_accounting_look(t);
	t->last_ns = t->now.start_ns;
	if (p->connect_rate > 0)
		t->connects = schedule_from(t->now.start_ns, p->connect_rate, t->index, p->threads, false);
	if (t->now.phase == BENCH_PHASE_OPEN) {
		for (unsigned i = 0; i < t->n_clients && bench_plan_keeps_connections(p); i++)
			bench_work_move(&t->to_open, &t->clients[i]);
	} else if (bench_accounting_is_running(t)) {
		t->sent_before = t->lane.bytes_sent;
		t->received_before = t->lane.bytes_received;
		if (p->mode == BENCH_OPEN_LOOP)
			t->arrivals = schedule_from(t->now.start_ns, p->rate, t->index, p->threads,
			                            p->poisson);
		for (unsigned i = 0; i < t->n_clients; i++) {
			place(t, &t->clients[i]);
			bench_accounting_look(t); /* the next begins now, not when the first did */
		}
	}
}

void bench_work_look(struct bench_thread *t)
{
	bench_accounting_look(t);
	if (t->active)
		bench_accounting_time_is_up(t);
	for (unsigned i = 0; i < t->n_clients && t->busy; i++) {
		struct bench_client *c = &t->clients[i];

		if (c->busy && t->lane.now_ns - c->moved_ns > t->plan->timeout_ns)
			handle(t, c, bench_client_fail(c, FAILURE_TIMEOUT));
	}
}

void bench_work_give_up(struct bench_thread *t, struct bench_client *c)
{
	if (t->plan->mode != BENCH_STREAM)
		bench_client_close(c);
	set_busy(t, c, false);
}

void bench_work_stop(struct bench_thread *t)
{
	bench_accounting_look(t);
	bench_accounting_stop(t, t->lane.now_ns);
}

static void end_busy(struct bench_thread *t)
{
	for (unsigned i = 0; i < t->n_clients && t->busy; i++)
		if (t->clients[i].busy)
			bench_work_give_up(t, &t->clients[i]);
}

/* A stream that was stopped waits for nothing; only connects of the opening are waited for. */
static bool all_is_done(const struct bench_thread *t)
{
	const bool is_opening = t->now.phase == BENCH_PHASE_OPEN;

	if (t->stopping && t->plan->mode == BENCH_STREAM && !is_opening)
		return true;
	if (t->busy)
		return t->stopping && t->lane.now_ns >= t->grace_ns;
	return t->stopping || (is_opening ? list_empty(&t->to_open) : t->no_tickets);
}

bool bench_work_is_over(struct bench_thread *t)
{
	if (!t->active || !all_is_done(t))
		return false;
	bench_accounting_stop(t, t->last_ns);
	end_busy(t);
	t->active = false;
	return true;
}
