/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Connection slots: how many there are, and who must know that they are gone.
 */
#include <config.h>
#include "worker.h"

#include <unistd.h>

#include "log.h"

bool worker_has_room(const struct worker *w)
{
	return w->n_open < w->service->connections;
}

/* Only the worker writes its slot: a load and a store are enough. */
static void publish(const struct worker *w)
{
	atomic_store_explicit(&w->slot->open, (uint32_t)w->n_open, memory_order_relaxed);
}

void worker_take_slot(struct worker *w)
{
	w->n_open++;
	publish(w);
	if (!worker_has_room(w))
		worker_event(w, "full");
}

void worker_give_slot(struct worker *w)
{
	const bool was_full = !worker_has_room(w);

	w->n_open--;
	publish(w);
	atomic_store_explicit(&w->slot->served,
	                      atomic_load_explicit(&w->slot->served, memory_order_relaxed) + 1,
	                      memory_order_relaxed);
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
