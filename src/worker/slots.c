/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Counts connection slots, writes them on the board, and tells the master when few are free or
 * few are in use. The master names a number, is told once when there are fewer, and then asks
 * again: so no change is missed, and connections cost no messages.
 */
#include <config.h>
#include "worker.h"

#include <errno.h>
#include <unistd.h>

#include "fd.h"
#include "log.h"

#define COUNT_AFTER_MS 20               /* the whole board is read at most once in this time */

static bool say_word(struct worker *w, enum leash_word word, uint64_t number)
{
	if (leash_say(&w->start.leash, &(struct leash_message){ .word = word, .number = number }) == 0)
		return true;
	log_debug("%s: leash: %m", w->service->name);
	return false;
}

bool worker_say(struct worker *w, enum leash_word word)
{
	return say_word(w, word, 0);
}

/* The pipe was full, and has room: says the pending words. If the master is gone, they are dropped. */
static void on_room(struct watch *watch, uint32_t events)
{
	struct worker *w = container_of(watch, struct worker, saying);

	(void)events;
	for (int word = 0; w->pending_words != 0 && word < LEASH_WORDS; word++)
		if (w->pending_words & 1u << word) {
			if (!say_word(w, (enum leash_word)word, w->pending_number) && fd_not_yet(errno))
				return;
			w->pending_words &= ~(1u << word);
		}
	loop_unwatch(&w->loop, watch);
}

static void insist_on(struct worker *w, enum leash_word word, uint64_t number)
{
	if (w->pending_words == 0 && (say_word(w, word, number) || !fd_not_yet(errno)))
		return;
	w->pending_words |= 1u << word;
	if (number != 0)
		w->pending_number = number;
	w->saying.fd = w->start.leash.words;
	w->saying.ready = on_room;
	loop_rewatch(&w->loop, &w->saying, EPOLLOUT);
}

void worker_insist(struct worker *w, enum leash_word word)
{
	insist_on(w, word, 0);
}

/* ---- the slots of the pool ---------------------------------------------- */

/* The word must not be lost if the pipe is full: there may be no later change that would send it. */
static void tell_slots(struct worker *w)
{
	worker_insist(w, LEASH_SLOTS);
	w->low_free = w->low_open = 0;
	timer_unset(&w->loop.timers, &w->count);
}

/*
 * Costs little while this worker alone has enough free slots. Otherwise it adds up the slots of
 * other workers, but only until there are enough.
 */
static bool is_low_on_slots(const struct worker *w)
{
	const int own = w->service->connections - w->n_open;
	struct board_sum sum;

	if (own >= w->low_free || w->draining)
		return false;
	/* Our number is on the board before we read those of the others: if two workers do
	 * this at the same time, at least one of them sees both numbers. */
	atomic_thread_fence(memory_order_seq_cst);
	sum = board_sum(w->start.memory->board, (uint32_t)w->service->connections,
	                (uint64_t)w->low_free - 1);
	return sum.free < (uint64_t)w->low_free;
}

static bool may_be_low_on_open(const struct worker *w)
{
	return w->n_open < w->low_open && !w->draining;
}

static void on_count(struct timer *t)
{
	struct worker *w = container_of(t, struct worker, count);

	if (may_be_low_on_open(w) && board_sum(w->start.memory->board, (uint32_t)w->service->connections,
	                                       UINT64_MAX).open < (uint64_t)w->low_open)
		tell_slots(w);
}

static void slot_taken(struct worker *w)
{
	if (is_low_on_slots(w))
		tell_slots(w);
}

static void slot_given(struct worker *w)
{
	if (may_be_low_on_open(w) && !timer_is_set(&w->count))
		loop_timer(&w->loop, &w->count, COUNT_AFTER_MS);
}

void worker_watch_slots(struct worker *w, int64_t low_free, int64_t low_open)
{
	w->low_free = low_free;
	w->low_open = low_open;
	w->count.fire = on_count;
	slot_taken(w);          /* there may be fewer already */
	slot_given(w);
}

/* ---- the slots of this worker ------------------------------------------------------------ */

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
	slot_taken(w);
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
	slot_given(w);
	acceptor_one_less(w->acceptor);
}

bool worker_runs_programs(const struct worker *w)
{
	return HANDLER_RUNS_PROGRAMS(w->service->handler.kind);
}

void worker_say_of(struct worker *w, enum leash_word word, uint64_t number)
{
	insist_on(w, word, number);
}

void worker_check_end(struct worker *w)
{
	if (!w->draining || !acceptor_is_empty(w->acceptor) || w->n_open > 0)
		return;
	if (w->handler->idle)
		w->handler->idle(w);
	if (w->n_lingering == 0 && programs_none(&w->programs))
		loop_stop(&w->loop);
}
