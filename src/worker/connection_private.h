/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the connection*.c files share, for nobody else. Each of them calls those that stand
 * above it in Makefile.am, and none below it: time-outs, states, steps and programs, and at
 * the top connection.c, which calls them on events.
 */
#ifndef DROVER_WORKER_CONNECTION_PRIVATE_H
#define DROVER_WORKER_CONNECTION_PRIVATE_H

#include "connection.h"
#include "worker.h"

/* ---- time-outs: connection_timeouts.c ----------------------------------- */

/* When it times out, and as what. */
int64_t connection_deadline(const struct connection *c, enum connection_end *as);

/* Makes its timer fire in time. It may fire early: then it looks again. */
void connection_arm(struct connection *c);

/* ---- states: connection_state.c ----------------------------------------- */

/* The one place where its state changes. c may be gone afterwards. */
void connection_enter(struct connection *c, enum connection_state next);

/* Watches it for what its state wants. False: that was not possible, and it is closed. */
bool connection_watch(struct connection *c);

/* It ends in that way: after all is sent; at once. Where it has to go then. */
enum connection_state connection_finish(struct connection *c, enum connection_end how);
enum connection_state connection_fail(struct connection *c, enum connection_end how);

/* The client's stream took n bytes; all that there were, or some are left. They are counted. */
void connection_sent(struct connection *c, size_t n, bool all);

/* In the middle of a request it is not idle. */
void connection_show_phase(const struct connection *c);

/* ---- bytes: connection_step.c ------------------------------------------- */

/* One for each state: what its stream is ready for. Where it has to go then. */
enum connection_state connection_step_read(struct connection *c, uint32_t events);
enum connection_state connection_step_wait(struct connection *c, uint32_t events);
enum connection_state connection_step_write(struct connection *c, uint32_t events);
enum connection_state connection_step_produce(struct connection *c, uint32_t events);
enum connection_state connection_step_linger(struct connection *c, uint32_t events);

/* Where to go after the handler had its say. */
enum connection_state connection_step_obey(struct connection *c, enum handler_verdict verdict);

/* ---- programs: connection_program.c ------------------------------------- */

/* The step for the state in which the bytes are a program's. */
enum connection_state connection_step_program(struct connection *c, uint32_t events);

/* ---- the board ---------------------------------------------------------- */

/* Until connection_rest: what happens now, happens for c. Still there if that kills us. */
static inline void connection_work_on(const struct connection *c)
{
	board_set(&c->worker->slot->at_work, records_mark(&c->worker->records, c->record));
}

static inline void connection_rest(const struct worker *w)
{
	board_set(&w->slot->at_work, 0);
}

static inline void connection_count_in(const struct connection *c, size_t bytes)
{
	board_add(&c->record->bytes_in, bytes);
	board_add(&c->worker->slot->bytes_in, bytes);
}

static inline void connection_count_out(const struct connection *c, size_t bytes)
{
	board_add(&c->record->bytes_out, bytes);
	board_add(&c->worker->slot->bytes_out, bytes);
}

#endif
