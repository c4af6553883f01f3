/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Connection slots: how many there are, what the board says of them, and who
 * must know that they are gone.
 */
#include <config.h>
#include "worker.h"

#include <unistd.h>

#include "log.h"

bool worker_has_room(const struct worker *w)
{
	return w->n_open < w->service->connections;
}

struct board_connection *worker_take_slot(struct worker *w, const struct endpoint *peer)
{
	struct board_connection *record = records_take(&w->records);

	w->n_open++;
	w->accepted++;
	board_take_record(record, w->accepted, w->loop.now_ms, peer, BOARD_PHASE_IDLE);
	board_set(&w->slot->open, (uint32_t)w->n_open);
	board_set(&w->slot->accepted, w->accepted);
	if (!worker_has_room(w))
		worker_event(w, "full");
	return record;
}

void worker_give_slot(struct worker *w, struct board_connection *record)
{
	const bool was_full = !worker_has_room(w);

	w->n_open--;
	records_give(&w->records, record);
	board_set(&w->slot->open, (uint32_t)w->n_open);
	board_add(&w->slot->served, 1);
	if (was_full)
		worker_event(w, "has-room");
	acceptor_one_less(w->acceptor);
}

void worker_say_of(struct worker *w, enum leash_word word, uint64_t number)
{
	if (leash_send(w->leash.fd, &(struct leash_message){ .word = word, .number = number }) == -1)
		log_warn("%s: tell the master about a connection: %m", w->service->name);
}

void worker_check_end(struct worker *w)
{
	if (w->draining && acceptor_is_empty(w->acceptor) && w->n_open == 0 &&
	    w->n_lingering == 0 && programs_none(&w->programs))
		loop_stop(&w->loop);
}
