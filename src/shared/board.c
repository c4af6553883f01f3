/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The scoreboard's memory, and the one question that workers ask of it.
 */
#include <config.h>
#include "board.h"

#include <stdlib.h>
#include <sys/mman.h>

struct board {                          /* ours alone: workers could write a shared one */
	size_t             n;
	struct board_slot *slots;       /* shared */
};

struct board *board_new(size_t n_slots)
{
	struct board *b = malloc(sizeof *b);

	if (!b)
		return NULL;
	b->n = n_slots;
	b->slots = mmap(NULL, n_slots * sizeof *b->slots, PROT_READ | PROT_WRITE,
	                MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (b->slots != MAP_FAILED)
		return b;
	free(b);
	return NULL;
}

void board_free(struct board **bp)
{
	struct board *b = *bp;

	*bp = NULL;
	if (!b)
		return;
	munmap(b->slots, b->n * sizeof *b->slots);
	free(b);
}

struct board_slot *board_slot(struct board *b, size_t i)
{
	return &b->slots[i];
}

void board_reset(struct board *b, size_t i, enum board_state state)
{
	struct board_slot *s = &b->slots[i];

	atomic_store(&s->open, 0);
	atomic_store(&s->served, 0);
	atomic_store(&s->state, state);
}

bool board_is_ahead(struct board *b, size_t i, uint32_t slots, uint64_t *done)
{
	uint32_t mine = atomic_load_explicit(&b->slots[i].open, memory_order_relaxed);
	size_t others = 0, behind = 0;

	*done = 0;
	for (size_t k = 1; k < b->n && others < BOARD_SAMPLE; k++) {
		struct board_slot *s = &b->slots[(i + k) % b->n];
		uint32_t open = atomic_load_explicit(&s->open, memory_order_relaxed);

		if (atomic_load_explicit(&s->state, memory_order_relaxed) != BOARD_ACCEPTING ||
		    open >= slots)
			continue;       /* it takes none, however few it has */
		others++;
		/* Two more, and a sixteenth, is still even. */
		if (mine <= (uint64_t)open + open / 16 + 2)
			continue;
		behind++;
		*done += open + atomic_load_explicit(&s->served, memory_order_relaxed);
	}
	/* Fewer behind would not make the load uneven, and may be stuck. */
	return behind > 0 && 4 * behind >= others;
}

struct board_sum board_sum(struct board *b, uint32_t slots, uint64_t enough)
{
	struct board_sum sum = { 0 };

	for (size_t i = 0; i < b->n && sum.free <= enough; i++) {
		struct board_slot *s = board_slot(b, i);
		uint32_t open = atomic_load_explicit(&s->open, memory_order_relaxed);

		if (atomic_load_explicit(&s->state, memory_order_relaxed) != BOARD_ACCEPTING)
			continue;
		sum.open += open;
		sum.free += open < slots ? slots - open : 0;
	}
	return sum;
}
